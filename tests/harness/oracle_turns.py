"""Statements of one column, k, that gain rows where rows go: a source of such rows, and above it what must not lose sight of them."""

COMPARE = {"int": ["2", "1", "4"], "text": ["'ann'", "'x1'"], "date": ["date '1981-02-28'"], "numeric": ["2.50"]}


class Turns:
    def __init__(self, queries, kind):
        self.queries, self.kind = queries, kind
        self.pick, self.chance, self.alias, self.direction = queries.pick, queries.chance, queries.alias, queries.direction

    def tagged(self, forms):
        form, text = self.pick(forms)
        return self.queries.tag(form, text)

    def dataset(self):
        """(dataset, a column of the kind)"""
        return self.pick([(d, c) for d, cs in self.queries.datasets.items() for c, k in cs.items() if k == self.kind])

    def plain(self):
        (dataset, column), a = self.dataset(), self.alias()
        return f"SELECT {a}.{column} AS k FROM {dataset} AS {a}"

    def related(self):
        """(one dataset, its column k, another, its column k, a condition upon aliases x and y, a column of x): two datasets side by side"""
        (first, a), (second, b) = self.dataset(), self.dataset()
        left, right = self.queries.datasets[first], self.queries.datasets[second]
        pairs = [(p, q) for p, k in left.items() for q, l in right.items() if k == l and k != "bool"]
        same = [(p, q) for p, q in pairs if p == q]
        p, q = self.pick(same) if same and self.chance(0.6) else self.pick(pairs)
        return first, a, second, b, f"y.{q} = x.{p}", p

    def compare(self, column):
        return self.pick([f"{column} {self.pick(['>', '<=', '<>', '='])} {self.pick(COMPARE[self.kind])}", f"{column} IS NOT NULL", f"{column} IS NULL"])

    # ---- where rows come from ----

    def source(self):
        first, a, second, b, on, p = self.related()
        extreme, few = self.pick(["max", "min"]), self.pick([1, 2, 3])
        alone = ("LEFT JOIN", f"SELECT x.{a} AS k FROM {first} AS x LEFT JOIN {second} AS y ON {on} WHERE y.{b} IS NULL")
        text = self.tagged([
            alone, alone, alone,  # what comes out of nowhere is rare otherwise
            ("LEFT JOIN", f"SELECT y.{b} AS k FROM {first} AS x LEFT JOIN {second} AS y ON {on}"),
            ("FULL JOIN", f"SELECT coalesce(y.{b}, x.{a}) AS k FROM {first} AS x FULL JOIN {second} AS y ON {on}"),
            ("HAVING", f"SELECT x.{a} AS k FROM {first} AS x GROUP BY x.{a} HAVING count(*) {self.pick(['=', '<='])} {self.pick([1, 1, 2])}"),
            ("HAVING", f"SELECT {extreme}(x.{a}) AS k FROM {first} AS x GROUP BY x.{p} HAVING {self.compare(f'{extreme}(x.{a})')}"),
            ("aggregate", f"SELECT {extreme}(x.{a}) AS k FROM {first} AS x"), ("GROUP BY", f"SELECT {extreme}(x.{a}) AS k FROM {first} AS x GROUP BY x.{p}"),
            ("LIMIT inside", f"SELECT x.{a} AS k FROM {first} AS x ORDER BY 1{self.direction()} LIMIT {few}"),
            ("OFFSET inside", f"SELECT x.{a} AS k FROM {first} AS x ORDER BY 1{self.direction()} LIMIT {few} OFFSET {few}"),
            ("DISTINCT ON", f"SELECT z.k FROM (SELECT DISTINCT ON (1) x.{p}, x.{a} AS k FROM {first} AS x ORDER BY 1, 2{self.direction()}) AS z"),
            ("scalar sublink", f"SELECT (SELECT {extreme}(y.{b}) FROM {second} AS y WHERE {on}) AS k FROM {first} AS x"),
            ("scalar sublink", f"SELECT (SELECT {extreme}(y.{b}) FROM {second} AS y WHERE {on}) AS k FROM {first} AS x GROUP BY x.{p}"),
            ("CASE", f"SELECT CASE WHEN EXISTS (SELECT 1 FROM {second} AS y WHERE {on}) THEN NULL ELSE x.{a} END AS k FROM {first} AS x"),
            ("window", f"SELECT {self.pick(['lag', 'lead', 'first_value'])}(x.{a}) OVER (ORDER BY x.{a}{self.direction()}) AS k FROM {first} AS x"),
            ("LATERAL", f"SELECT z.k FROM {first} AS x, LATERAL (SELECT y.{b} AS k FROM {second} AS y WHERE {on} ORDER BY 1{self.direction()} LIMIT 1) AS z"),
            ("EXCEPT", f"SELECT x.{a} AS k FROM {first} AS x EXCEPT SELECT y.{b} FROM {second} AS y"),
            ("NOT EXISTS", f"SELECT x.{a} AS k FROM {first} AS x WHERE NOT EXISTS (SELECT 1 FROM {second} AS y WHERE {on})"),
        ])
        if self.chance(0.4):
            z = self.alias()
            return f"SELECT {z}.k FROM ({text}) AS {z} WHERE {self.compare(f'{z}.k')}"
        return text

    # ---- what stands above ----

    def turn(self, depth):
        if depth == 0:
            return self.source() if self.chance(0.85) else self.plain()
        inner, other = self.turn(depth - 1), self.plain() if self.chance(0.8) else self.turn(depth - 1)
        left, right = (inner, other) if self.chance(0.4) else (other, inner)
        return self.tagged(self.alone(inner) if self.chance(0.45) else self.sublinks(left, right) if self.chance(0.5) else self.beside(left, right))

    def alone(self, inner):
        """Above one input."""
        x, y, extreme, way = self.alias(), self.alias(), self.pick(["max", "min"]), self.direction()
        over = f"FROM ({inner}) AS {x}"
        window = self.pick([f"{self.pick(['lag', 'lead', 'first_value', 'max'])}({x}.k) OVER (ORDER BY {x}.k{way})", f"max({x}.k) OVER ()"])
        halves = self.compare(f"{x}.k")
        counts = [("GROUP BY", f"SELECT count(*)::int AS k {over} GROUP BY {x}.k HAVING count(*) {self.pick(['> 1', '< 3', '<> 2', '> 0'])}"), ("aggregate", f"SELECT count(*)::int AS k {over}")]
        return (counts if self.kind == "int" else []) + [
            ("aggregate", f"SELECT {extreme}({x}.k) AS k {over}"), ("aggregate", f"SELECT {extreme}({x}.k) AS k {over} HAVING count(*) {self.pick(['< 4', '> 1', '= 2'])}"),
            ("GROUP BY", f"SELECT {x}.k {over} GROUP BY {x}.k HAVING count(*) {self.pick(['= 1', '> 1', '< 3'])}"),
            ("GROUP BY", f"SELECT {y}.k FROM (SELECT {x}.k, count(*) AS n {over} GROUP BY {x}.k) AS {y} WHERE {y}.n {self.pick(['= 1', '<> 1', '= 2'])}"), ("GROUP BY", f"SELECT {x}.k {over} GROUP BY {x}.k"),
            ("DISTINCT", f"SELECT DISTINCT {x}.k {over}"), ("DISTINCT ON", f"SELECT DISTINCT ON ({x}.k) {x}.k {over} ORDER BY 1"),
            ("DISTINCT ON", f"SELECT {y}.k FROM (SELECT DISTINCT ON ({halves}) {halves} AS b, {x}.k {over} ORDER BY {halves}, 2{way}) AS {y}"),
            ("DISTINCT ON", f"SELECT {y}.k FROM (SELECT DISTINCT ON ({halves}) {halves} AS b, {x}.k {over} ORDER BY {halves}, 2{way}) AS {y}"),
            ("LIMIT inside", f"SELECT {x}.k {over} ORDER BY 1{way} LIMIT {self.pick([1, 2, 4])}"),
            ("OFFSET inside", f"SELECT {x}.k {over} ORDER BY 1{way} LIMIT {self.pick([1, 2, 4])} OFFSET {self.pick([1, 2])}"),
            ("LIMIT inside", f"SELECT {y}.k FROM (SELECT {x}.k, count(*) AS n {over} GROUP BY {x}.k ORDER BY n, 1 LIMIT {self.pick([1, 2])}) AS {y}"),
            ("WHERE", f"SELECT {x}.k {over} WHERE {self.compare(f'{x}.k')}"), ("window", f"SELECT {window} AS k {over}"),
            ("window", f"SELECT {x}.k FROM (SELECT {y}.k, {self.pick(['rank', 'row_number'])}() OVER (ORDER BY {y}.k{way}) AS r FROM ({inner}) AS {y}) AS {x} WHERE {x}.r <= {self.pick([1, 2])}"),
            ("table function", f"SELECT {y}.k {over}, unnest(ARRAY[{x}.k, {x}.k]) AS {y}(k)"),
            ("table function", f"SELECT {x}.k {over}, generate_series(1, CASE WHEN {self.compare(f'{x}.k')} THEN 2 ELSE 0 END) AS {y}(n)"),
        ]

    def sublinks(self, left, right):
        """One input in an expression above the other."""
        x, y, extreme = self.alias(), self.alias(), self.pick(["max", "min"])
        over, inside, sign = f"FROM ({left}) AS {x}", f"FROM ({right}) AS {y}", self.pick(["=", "=", "<>", "<"])
        value, number = f"(SELECT {extreme}({y}.k) {inside} WHERE {y}.k {sign} {x}.k)", f"(SELECT count(*) {inside} WHERE {y}.k {sign} {x}.k)"
        ordered = f"SELECT {self.alias()}.k FROM (SELECT {x}.k, {number} AS n {over} ORDER BY n, 1 LIMIT {self.pick([1, 2])}) AS q{self.queries.number}"
        return [
            ("EXISTS", f"SELECT {x}.k {over} WHERE EXISTS (SELECT 1 {inside} WHERE {y}.k {sign} {x}.k)"), ("EXISTS", f"SELECT {x}.k {over} WHERE EXISTS (SELECT 1 {inside} WHERE {self.compare(f'{y}.k')})"),
            ("NOT EXISTS", f"SELECT {x}.k {over} WHERE NOT EXISTS (SELECT 1 {inside} WHERE {y}.k {sign} {x}.k)"),
            ("IN", f"SELECT {x}.k {over} WHERE {x}.k IN ({right})"), ("ANY", f"SELECT {x}.k {over} WHERE {x}.k {self.pick(['<', '>='])} ANY ({right})"),
            ("NOT IN", f"SELECT {x}.k {over} WHERE {x}.k NOT IN (SELECT {y}.k {inside} WHERE {y}.k IS NOT NULL)"),
            ("ALL", f"SELECT {x}.k {over} WHERE {x}.k {self.pick(['<=', '>=', '<>'])} ALL (SELECT {y}.k {inside} WHERE {y}.k IS NOT NULL)"),
            ("scalar sublink", f"SELECT {x}.k {over} WHERE {x}.k {self.pick(['<', '>=', '='])} (SELECT {extreme}({y}.k) {inside})"),
            ("scalar sublink", f"SELECT {x}.k {over} WHERE {number} {self.pick(['= 0', '= 1', '< 2'])}"),
            ("scalar sublink", f"SELECT {value} AS k {over}"), ("scalar sublink", f"SELECT {value} AS k {over} GROUP BY {x}.k"), ("scalar sublink", f"SELECT (SELECT {extreme}({y}.k) {inside}) AS k {over}"),
            ("CASE", f"SELECT CASE WHEN EXISTS (SELECT 1 {inside} WHERE {y}.k {sign} {x}.k) THEN {x}.k END AS k {over}"),
            ("HAVING", f"SELECT {x}.k {over} GROUP BY {x}.k HAVING count(*) {self.pick(['=', '>', '<='])} {number}"), ("LIMIT inside", ordered),
        ]

    def beside(self, left, right):
        """Both in FROM, or arms of one operation."""
        x, y, c, way = self.alias(), self.alias(), self.alias(), self.direction()
        both, on = (f"({left}) AS {x}", f"({right}) AS {y}"), f"{y}.k {self.pick(['=', '=', '<'])} {x}.k"
        recursive = (f"WITH RECURSIVE {c}(k, n) AS (SELECT {x}.k, 1 FROM {both[0]} UNION ALL SELECT {y}.k, {c}.n + 1 FROM {both[1]} JOIN {c} ON {y}.k = {c}.k WHERE {c}.n < 2) "
                     f"SELECT {c}.k FROM {c}")
        alone = ("LEFT JOIN", f"SELECT {x}.k FROM {both[0]} LEFT JOIN {both[1]} ON {on} WHERE {y}.k IS NULL")
        return [
            alone, alone, alone, ("LEFT JOIN", f"SELECT {y}.k FROM {both[0]} LEFT JOIN {both[1]} ON {on}"),
            ("LEFT JOIN", f"SELECT {x}.k FROM {both[0]} LEFT JOIN {both[1]} ON {self.compare(f'{y}.k')} AND {on}"), ("RIGHT JOIN", f"SELECT {x}.k FROM {both[0]} RIGHT JOIN {both[1]} ON {on}"),
            ("FULL JOIN", f"SELECT coalesce({x}.k, {y}.k) AS k FROM {both[0]} FULL JOIN {both[1]} ON {y}.k = {x}.k WHERE {self.pick(['true', f'{x}.k IS NULL'])}"),
            ("JOIN", f"SELECT {x}.k FROM {both[0]} JOIN {both[1]} ON {on}"), ("UNION ALL", f"{left} UNION ALL ({right})" if "ORDER BY" not in left and "WITH" not in left else f"({left}) UNION ALL ({right})"),
            ("UNION", f"({left}) UNION ({right})"), ("EXCEPT", f"({left}) EXCEPT ({right})"), ("INTERSECT", f"({left}) INTERSECT ({right})"),
            ("LATERAL", f"SELECT {y}.k FROM {both[0]}, LATERAL (SELECT {c}.k FROM ({right}) AS {c} WHERE {c}.k >= {x}.k ORDER BY 1{way} LIMIT 1) AS {y}"),
            ("LATERAL", f"SELECT {y}.k FROM {both[0]}, LATERAL (SELECT max({c}.k) AS k FROM ({right}) AS {c} WHERE {c}.k = {x}.k) AS {y}"),
            ("recursive CTE", recursive),
        ]
