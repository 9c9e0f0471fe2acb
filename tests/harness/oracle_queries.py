"""Random SELECTs over any schema, nearly all of what SELECT can say, from a seeded random.Random.

Each statement has one answer, as a multiset of rows: LIMIT, DISTINCT ON and windows that depend on an order
have a total one, up to rows that are alike. Tokens are never put in order, since each side has its own.
A numeric always has two decimals, so that equal ones are written alike.
"""
import dataclasses

from harness import oracle_turns

KINDS = ("int", "text", "numeric", "date", "bool")
SORTED = KINDS + ("ints",)
CAST = {"int": "int", "text": "text", "numeric": "numeric(12,2)", "date": "date", "bool": "boolean", "token": "text", "ints": "int[]"}


@dataclasses.dataclass
class Statement:
    sql: str           # with {0}, {1} … where a value is bound, {{ and }} for braces
    values: list       # of integers and texts
    constructs: set
    ordered: bool      # its last ORDER BY names every column


@dataclasses.dataclass
class Relation:
    alias: str
    columns: dict      # name -> kind


class Scope:
    """What expressions of one level may name: leaves by kind, then those of the level around it."""

    def __init__(self, leaves, outer=None):
        self.leaves, self.outer = leaves, outer

    @classmethod
    def of(cls, relations, outer=None):
        leaves = {}
        for relation in relations:
            for column, kind in relation.columns.items():
                leaves.setdefault(kind, []).append(f"{relation.alias}.{column}")
        return cls(leaves, outer)

    def every(self):
        return [leaf for kind in sorted(self.leaves) for leaf in self.leaves[kind]]


@dataclasses.dataclass
class Select:
    text: str
    columns: list      # of (name, kind)

    def named(self):
        return {name: kind for name, kind in self.columns if kind != "loose"}


class Queries:
    def __init__(self, random, datasets):
        self.random, self.datasets = random, datasets
        self.pick, self.chance = random.choice, lambda share: random.random() < share
        self.reset()

    def reset(self):
        self.used, self.values, self.number, self.ordered = set(), [], 0, False
        self.ctes, self.budget = [], self.pick([0, 1, 2, 2, 3, 4])

    def tag(self, construct, text):
        self.used.add(construct)
        return text

    def alias(self):
        self.number += 1
        return f"q{self.number}"

    def spend(self):
        """Whether there may be one more SELECT inside."""
        self.budget -= 1
        return self.budget >= 0

    # ---- statements ----

    def statement(self):
        self.reset()
        text = self.query(None, None, top=True).text
        return Statement(text, self.values, self.used, self.ordered)

    def statistic(self):
        """What a partner with mode: aggregates may ask."""
        self.reset()
        self.budget = 0
        source, relations = self.source(None, plain=True)
        scope = Scope.of(relations)
        keys = self.random.sample(scope.every(), min(self.pick([0, 1, 1, 2]), len(scope.every())))
        numbers = scope.leaves.get("int", []) + scope.leaves.get("numeric", [])
        targets = keys + ["count(*)"] + [self.pick([f"sum({n})", f"avg({n})", f"count({n})", f"count(DISTINCT {n})"])
                                         for n in self.random.sample(numbers, min(len(numbers), self.pick([0, 1, 2])))]
        where = f" WHERE {self.condition(scope, 1)}" if self.chance(0.4) else ""
        by = f" GROUP BY {', '.join(keys)}" if keys else ""
        return Statement(f"SELECT {', '.join(f'{t} AS c{i}' for i, t in enumerate(targets))} FROM {source}{where}{by}",
                         self.values, {"statistic"}, False)

    # ---- what deletions add to, upon what they take from ----

    def turned(self):
        """Constructs that do not only lose rows when rows go, one upon the other, with little else around them."""
        self.reset()
        able = [k for k in oracle_turns.COMPARE if any(k in cs.values() for cs in self.datasets.values())]
        if not able:
            return self.statement()
        turns = oracle_turns.Turns(self, self.pick(able))
        text, count = f"FROM ({turns.turn(self.pick([0, 1, 1, 1, 2, 2, 3]))}) AS t", self.pick(["", "", ", count(*) AS c1"])
        if self.chance(0.6):
            text = f"SELECT t.k AS c0 {text}"
            if self.chance(0.3):
                text += self.tag("LIMIT", f" ORDER BY 1{self.direction()} LIMIT {self.pick([1, 2, 4])}")
                text += self.tag("OFFSET", " OFFSET 1") if self.chance(0.3) else ""
        elif self.chance(0.5):  # groups, some of which do not show
            text = self.tag("HAVING", f"SELECT t.k AS c0{count} {text} GROUP BY t.k HAVING count(*) {self.pick(['> 1', '< 3', '= 2', '<> 1'])}")
        else:  # groups, sorted and cut by the gateway
            having = self.pick(["", "", " HAVING count(*) > 1", " HAVING count(*) < 3"])
            order = self.pick(["count(*), t.k", "count(*) DESC, t.k", "t.k", "t.k DESC"])
            text = self.tag("LIMIT", f"SELECT t.k AS c0{count} {text} GROUP BY t.k{having} ORDER BY {order} LIMIT {self.pick([1, 2])}")
        return Statement(text, self.values, self.used | {"turned"}, False)

    def query(self, kinds, outer, top=False):
        """A SELECT of any form, perhaps with a WITH or as arms of a set operation."""
        kept, text = list(self.ctes), ""
        if self.chance(0.14 if top else 0.03) and self.spend():
            text = self.with_clause()
        if self.chance(0.13 if top else 0.07) and self.spend():
            made = self.set_operation(kinds, outer, top)
        else:
            made = self.select(kinds, outer, top)
        self.ctes = kept
        return Select(text + made.text, made.columns)

    def with_clause(self):
        if self.chance(0.25):
            recursive = self.recursive()
            if recursive:
                return self.tag("recursive CTE", f"WITH RECURSIVE {recursive} ")
        parts = []
        for _ in range(self.pick([1, 1, 2])):
            name, inner = f"cte{self.alias()}", self.query(None, None)
            how = self.pick(["", "", "", "MATERIALIZED ", "NOT MATERIALIZED "])
            parts.append(f"{name} AS {how}({inner.text})")
            self.ctes.append((name, inner.named()))
        return self.tag("CTE", f"WITH {', '.join(parts)} ")

    def recursive(self):
        able = [(d, cs) for d, cs in self.datasets.items() if "int" in cs.values()]
        if not able:
            return None
        (first, columns), (second, more) = self.pick(able), self.pick(able)
        ints, others = [c for c, k in columns.items() if k == "int"], [c for c, k in more.items() if k == "int"]
        name, start, step = f"cte{self.alias()}", self.alias(), self.alias()
        where = f" WHERE {self.condition(Scope.of([Relation(start, columns)]), 1)}" if self.chance(0.6) else ""
        self.ctes.append((name, {"a": "int", "n": "int"}))
        return (f"{name}(a, n) AS (SELECT {start}.{self.pick(ints)}::int, 1 FROM {first} AS {start}{where} UNION ALL "
                f"SELECT {step}.{self.pick(others)}::int, {name}.n + 1 FROM {second} AS {step} JOIN {name} ON {step}.{self.pick(others)} = {name}.a "
                f"WHERE {name}.n < {self.pick([2, 3])})")

    def set_operation(self, kinds, outer, top):
        kinds = kinds or [self.pick(KINDS) for _ in range(self.pick([1, 1, 2, 3]))]
        arms = [self.arm(kinds, outer)]
        text = f"({arms[0].text})"
        for _ in range(self.pick([1, 1, 1, 2])):
            operation = self.pick(["UNION", "UNION ALL", "UNION ALL", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL"])
            arm = self.arm(kinds, outer)
            text = self.tag(operation, f"({text} {operation} ({arm.text}))" if len(arms) > 1 else f"{text} {operation} ({arm.text})")
            arms.append(arm)
        return Select(text + self.tail(len(kinds), kinds, top), arms[0].columns)

    def arm(self, kinds, outer):
        """Any SELECT, or a plain one, whose rows other arms are likely to have too."""
        if self.chance(0.4):
            return self.select(kinds, outer)
        source, relations = self.source(outer, plain=True, most=1)
        scope = Scope.of(relations)
        where = f" WHERE {self.condition(scope, 0)}" if self.chance(0.3) else ""
        targets = ", ".join(f"{self.leaf(scope, k)} AS c{i}" for i, k in enumerate(kinds))
        return Select(f"SELECT {targets} FROM {source}{where}", [(f"c{i}", k) for i, k in enumerate(kinds)])

    def tail(self, count, kinds, top, share=0.3):
        """ORDER BY every column, LIMIT and OFFSET, now and then."""
        if any(k not in SORTED for k in kinds) or not self.chance(share if top else share / 2):
            return ""
        order = list(range(1, count + 1))
        self.random.shuffle(order)
        text = " ORDER BY " + ", ".join(f"{n}{self.direction()}" for n in order)
        self.ordered = self.ordered or top
        if self.chance(0.8):
            text += self.tag("LIMIT" if top else "LIMIT inside", f" LIMIT {self.limit(self.pick([0, 1, 2, 3, 5, 10, 20]))}")
        if self.chance(0.3):
            text += self.tag("OFFSET" if top else "OFFSET inside", f" OFFSET {self.bound_int(self.pick([0, 1, 1, 2, 4]))}")
        return text

    def limit(self, value):
        """Mostly the value; or an expression, or what a sub-select counts."""
        if self.chance(0.85):
            return self.bound_int(value)
        if self.budget <= 0 or self.chance(0.3):
            return self.tag("LIMIT by expression", self.pick([f"{value} + 1", f"{value} * 2", f"(SELECT {value})"]))
        source, relations = self.source(None, plain=True, most=1)
        return self.tag("LIMIT by sub-select", f"(SELECT count(*) FROM {source} WHERE {self.condition(Scope.of(relations), 0)})")

    def direction(self):
        return self.pick(["", "", " DESC", " NULLS FIRST", " DESC NULLS LAST"])

    def bound_int(self, value):
        """What LIMIT or OFFSET says: a number, a parameter, or something to be computed."""
        if self.chance(0.2):
            self.values.append(value)
            text = self.tag("parameter", f"{{{len(self.values) - 1}}}")
            return self.tag("computed LIMIT", f"({text} + 1)") if self.chance(0.2) else text
        if self.chance(0.12):
            source, relations = self.source(None, plain=True, most=1)
            where = f" WHERE {self.condition(Scope.of(relations), 0)}" if self.chance(0.5) else ""
            target = self.pick(["count(*)", f"least(count(*), {value})", f"count(*) - {value}"])
            return self.tag("computed LIMIT", self.pick([f"({value} + 1)", f"abs(-{value})", f"(SELECT {target} FROM {source}{where})", f"(SELECT {target} FROM {source}{where}) + 1"]))
        return str(value)

    # ---- SELECT ----

    def select(self, kinds, outer, top=False):
        source, relations = self.source(outer)
        scope = Scope.of(relations, outer)
        where = f" WHERE {self.condition(scope, self.pick([1, 1, 2]))}" if self.chance(0.4) else ""
        form = self.random.random()
        if form < 0.25:
            return self.grouped(scope, source, where, kinds, top)
        if form < 0.35:
            return self.windowed(scope, source, where, kinds, top)
        if form < 0.40 and "token" not in scope.leaves:
            return self.distinct_on(scope, source, where, kinds, top)
        if top and form < 0.46 and "token" not in scope.leaves:
            star = self.pick(["*", f"{self.pick(relations).alias}.*"])
            return Select(self.tag("star", f"SELECT {star} FROM {source}{where}"), [])
        distinct = self.tag("DISTINCT", "DISTINCT ") if self.chance(0.12) else ""
        return self.finish(scope, f"SELECT {distinct}", f" FROM {source}{where}", kinds, top, loose=not distinct)

    def finish(self, scope, head, rest, kinds, top, loose=False):
        wanted = kinds or self.wanted(scope)
        targets = [(self.value(scope, kind), kind) for kind in wanted]
        if top and kinds is None and loose and self.chance(0.1):
            targets.append((self.loose(scope), "loose"))
        columns = [(f"c{i}", kind) for i, (_, kind) in enumerate(targets)]
        text = head + ", ".join(f"{e} AS c{i}" for i, (e, _) in enumerate(targets)) + rest
        return Select(text + self.tail(len(targets), [k for _, k in targets], top), columns)

    def wanted(self, scope):
        """Kinds of some outputs; those that the level has, mostly."""
        own = [k for k in SORTED + ("token",) if scope.leaves.get(k)]
        return [self.pick(own) if own and self.chance(0.85) else self.pick(KINDS) for _ in range(self.pick([1, 2, 2, 3, 4]))]

    def loose(self, scope):
        """Values that are only shown: of types that nothing here takes further."""
        return self.pick([lambda: self.tag("JSON", f"jsonb_build_object('a', {self.value(scope, 'int', 1)}, 'b', {self.value(scope, 'text', 1)})"),
                          lambda: self.tag("row value", f"ROW({self.value(scope, 'int', 1)}, {self.value(scope, 'text', 1)}) = ROW(1, 'ann')"),
                          lambda: self.tag("array", f"ARRAY[{self.value(scope, 'text', 1)}, {self.value(scope, 'text', 1)}]"),
                          lambda: f"({self.value(scope, 'int', 1)})::numeric / 7",
                          lambda: f"({self.value(scope, 'date', 1)})::timestamp"])()

    def grouped(self, scope, source, where, kinds, top):
        keys, by = self.group_keys(scope)
        leaves = {}
        for text, kind in keys:
            leaves.setdefault(kind, []).append(text)
        for _ in range(self.pick([1, 2, 3])):
            text, kind = self.aggregate(scope)
            leaves.setdefault(kind, []).append(text)
        for kind in kinds or []:  # what is asked for by kind should mean something here
            if kind not in leaves and self.chance(0.8):
                self.aggregate_of(scope, kind, leaves)
        groups = Scope(leaves, scope.outer)
        rest = f" FROM {source}{where}" + (f" GROUP BY {by}" if by else "")
        if self.chance(0.25):
            rest += self.tag("HAVING", f" HAVING {self.condition(groups, 1)}")
        self.used.add("GROUP BY" if by else "aggregate")
        if keys and "(" not in by and "token" not in leaves and self.chance(0.08):
            return self.windows(groups, [text for text, _ in keys], rest, kinds, top)
        distinct = self.tag("DISTINCT", "DISTINCT ") if self.chance(0.05) else ""
        return self.finish(groups, f"SELECT {distinct}", rest, kinds, top)

    def group_keys(self, scope):
        keys = []
        for _ in range(self.pick([0, 1, 1, 1, 2])):
            kind = self.pick([k for k in KINDS + ("token",) if scope.leaves.get(k)] or ["int"])
            text = self.pick(scope.leaves[kind]) if scope.leaves.get(kind) and self.chance(0.8) else self.value(Scope(scope.leaves), kind, 1)
            # Constants and parameters as keys would be ordinals, or not the expression they were.
            if text not in [t for t, _ in keys] and any(leaf in text for leaf in scope.every()) and "{" not in text and "SELECT" not in text:
                keys.append((text, kind))
        texts = [t for t, _ in keys]
        if keys and self.chance(0.15):
            form = self.pick(["ROLLUP", "CUBE", "GROUPING SETS"])
            inside = ", ".join(f"({t})" for t in texts) + (", ()" if form == "GROUPING SETS" else "")
            return keys, self.tag(form, f"{form} ({inside})")
        return keys, ", ".join(texts)

    def filter(self, scope, text):
        return self.tag("FILTER", f"{text} FILTER (WHERE {self.condition(Scope(scope.leaves), 1)})") if self.chance(0.15) else text

    def aggregate(self, scope):
        return self.aggregate_of(scope, self.pick(["int", "int", "int", "numeric", "text", "date", "bool", "ints"]), {})

    def aggregate_of(self, scope, kind, leaves):
        """(text, kind) of an aggregate of about that kind; also put into leaves."""
        own = Scope(scope.leaves)
        any_leaf = self.pick(own.every()) if own.every() else "1"
        has = lambda k: own.leaves.get(k)
        number = lambda: self.pick(has("int")) if has("int") and self.chance(0.8) else self.value(own, "int", 1)
        forms = {"int": [lambda: "count(*)", lambda: f"count({any_leaf})", lambda: f"count(DISTINCT {any_leaf})",
                         lambda: f"sum({number()})::bigint", lambda: f"max({number()})", lambda: f"min({number()})"],
                 "numeric": [lambda: f"round(avg({number()}), 2)::numeric(12,2)", lambda: f"sum({self.value(own, 'numeric', 1)})::numeric(12,2)",
                             lambda: f"max({self.value(own, 'numeric', 1)})", lambda: f"round(stddev({number()}), 2)::numeric(12,2)"],
                 "text": [lambda: f"max({self.value(own, 'text', 1)})", lambda: f"min({self.value(own, 'text', 1)})",
                          lambda: (lambda t: f"string_agg({t}, ',' ORDER BY {t})")(self.value(own, "text", 1))],
                 "date": [lambda: f"max({self.value(own, 'date', 1)})", lambda: f"min({self.value(own, 'date', 1)})"],
                 "bool": [lambda: f"bool_and({self.condition(own, 0)})", lambda: f"bool_or({self.condition(own, 0)})"],
                 "ints": [lambda: (lambda n: f"array_agg({n}::int ORDER BY {n})")(number())]}
        if kind not in forms:
            return None
        if kind == "int" and self.chance(0.12):
            text = self.tag("ordered-set aggregate", self.pick(
                [f"(percentile_disc(0.5) WITHIN GROUP (ORDER BY {number()}))", f"(mode() WITHIN GROUP (ORDER BY {number()}))",
                 f"round((percentile_cont(0.5) WITHIN GROUP (ORDER BY {number()}))::numeric)::int"]))
        else:
            text = self.pick(forms[kind])()
            if "ROUND" not in text.upper() and "::" not in text:
                text = self.filter(scope, text)
        leaves.setdefault(kind, []).append(text)
        return text, kind

    def distinct_on(self, scope, source, where, kinds, top):
        wanted = kinds or [k for k in self.wanted(scope) if k in SORTED] or ["int"]
        targets = [self.value(scope, kind, 1) for kind in wanted]
        if any(self.is_constant(scope, t) for t in targets):
            return self.finish(scope, "SELECT ", f" FROM {source}{where}", wanted, top)
        on = self.random.randint(1, len(targets))
        order = ", ".join(f"{n}{self.direction()}" for n in range(1, len(targets) + 1))
        head = "DISTINCT ON (" + ", ".join(str(n) for n in range(1, on + 1)) + ")"
        text = f"SELECT {head} {', '.join(f'{t} AS c{i}' for i, t in enumerate(targets))} FROM {source}{where} ORDER BY {order}"
        if self.chance(0.2):
            text += self.tag("LIMIT" if top else "LIMIT inside", f" LIMIT {self.pick([1, 2, 3])}")
        self.ordered = self.ordered or top
        return Select(self.tag("DISTINCT ON", text), [(f"c{i}", k) for i, k in enumerate(wanted)])

    @staticmethod
    def is_constant(scope, text):
        return not any(leaf in text for leaf in scope.every())

    # ---- windows ----

    def windowed(self, scope, source, where, kinds, top):
        total = [] if "token" in scope.leaves else [leaf for k in SORTED for leaf in scope.leaves.get(k, [])]
        return self.windows(scope, total, f" FROM {source}{where}", kinds, top)

    def windows(self, scope, total, rest, kinds, top):
        """total: what orders the rows up to those alike; empty where there is nothing of the kind."""
        leaves = {k: list(v) for k, v in scope.leaves.items()}
        named = ""
        if self.chance(0.3):
            named = self.tag("named WINDOW", f" WINDOW w AS (PARTITION BY {self.value(scope, self.pick(KINDS), 1)})")
        for _ in range(self.pick([1, 1, 2])):
            text, kind = self.window(scope, total, named)
            leaves.setdefault(kind, []).append(text)
            leaves[kind].append(text)
        self.used.add("window")
        for kind in kinds or []:
            leaves.setdefault(kind, list(scope.leaves.get(kind, [])))
        wide = Scope({k: v for k, v in leaves.items() if v}, scope.outer)
        return self.finish(wide, "SELECT ", rest + named, kinds, top)

    def window(self, scope, total, named):
        own = Scope(scope.leaves)
        partition = "" if self.chance(0.5) else f"PARTITION BY {self.value(own, self.pick(KINDS), 1)} "
        if named and self.chance(0.6):
            partition = "w "
        peers = f"ORDER BY {self.value(own, self.pick(KINDS), 1)}{self.direction()}"
        if not total or self.chance(0.4):  # rows alike in the order are treated alike
            frame = self.pick(["", "", " RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING", " GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW"])
            return self.pick([lambda: (f"rank() OVER ({partition}{peers})", "int"), lambda: (f"dense_rank() OVER ({partition}{peers})", "int"),
                              lambda: (f"count(*) OVER ({partition})", "int"), lambda: (f"sum({self.value(own, 'int', 1)}) OVER ({partition}{peers}{frame})::bigint", "int"),
                              lambda: (f"max({self.value(own, 'text', 1)}) OVER ({partition}{peers}{frame})", "text"),
                              lambda: (f"round((cume_dist() OVER ({partition}{peers}))::numeric, 2)::numeric(12,2)", "numeric"),
                              lambda: (f"count({self.value(own, 'text', 1)}) FILTER (WHERE {self.condition(own, 0)}) OVER ({partition}{peers})", "int")])()
        leaf, order = self.pick(total), list(total)
        self.random.shuffle(order)
        over = f"OVER ({partition}ORDER BY {', '.join(f'{o}{self.direction()}' for o in order)}"
        kind = next(k for k, v in scope.leaves.items() if leaf in v)
        rows = self.pick(["", " ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING", " ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING", " ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING"])
        return self.pick([lambda: (f"row_number() {over})", "int"), lambda: (f"ntile({self.pick([2, 3])}) {over})", "int"),
                          lambda: (f"lag({leaf}{self.pick(['', ', 2'])}) {over})", kind), lambda: (f"lead({leaf}) {over})", kind),
                          lambda: (f"first_value({leaf}) {over}{rows})", kind), lambda: (f"last_value({leaf}) {over}{rows})", kind),
                          lambda: (f"nth_value({leaf}, 2) {over}{rows})", kind), lambda: (f"count(*) {over}{rows})", "int")])()

    # ---- FROM ----

    def source(self, outer, plain=False, most=3):
        count = min(most, self.pick([1, 1, 1, 2, 2, 2, 3]))
        text, relation = self.relation(outer, [], plain)
        relations = [relation]
        for n in range(1, count):
            text = self.join(text, relations, outer, plain, n == count - 1)
        return text, relations

    def join(self, text, relations, outer, plain, last):
        lateral = self.chance(0.12) and not plain and self.budget > 0 and not text.startswith("(VALUES")
        more, relation = self.lateral(relations, outer) if lateral else self.relation(outer, relations, plain)
        lateral = lateral or more.startswith(("generate_series", "unnest"))
        chance = self.random.random()
        if lateral:
            relations.append(relation)
            how = self.pick([", " if last else " CROSS JOIN ", " CROSS JOIN ", " LEFT JOIN "])
            return f"{text}{how}{more}{' ON true' if how == ' LEFT JOIN ' else ''}"
        kind = "" if plain else self.pick(["", "", "", "LEFT ", "LEFT ", "RIGHT ", "FULL "])
        shared = [c for c, k in relation.columns.items() if k != "token" and sum(c in r.columns for r in relations) == 1
                  and any(r.columns.get(c) == k for r in relations)]
        clashes = [c for c in relation.columns if sum(c in r.columns for r in relations) > 1
                   or any(c in r.columns and r.columns[c] != relation.columns[c] for r in relations)]
        on = self.join_condition(relations, relation, kind)
        relations.append(relation)
        if on is None or (chance < 0.08 and not kind and last):
            return f"{text}, {more}" if last else f"{text} CROSS JOIN {more}"
        if kind:
            self.used.add(f"{kind}JOIN")
        if shared and " JOIN " not in text and ", " not in text.split(" AS ")[-1] and chance < 0.25:
            return self.using(text, kind, more, self.pick(shared), relations)
        if shared and not clashes and " JOIN " not in text and ", " not in text.split(" AS ")[-1] and chance < 0.35:
            return self.tag("NATURAL", f"{text} NATURAL {kind}JOIN {more}")
        text = f"{text} {kind}JOIN {more} ON {on}"
        return self.named_join(text, relations) if len(relations) == 2 and self.chance(0.15) else text

    def using(self, text, kind, more, column, relations):
        """By one column, that may be of another type on the right; it may get an alias."""
        right = relations[-1]
        what = right.columns[column]
        if what == "int" and self.chance(0.5):
            inner, right.alias = right.alias, self.alias()
            columns = ", ".join(f"{inner}.{c}::{self.pick(['bigint', 'smallint'])} AS {c}" if c == column else f"{inner}.{c}" for c in right.columns)
            more = self.tag("USING of types", f"(SELECT {columns} FROM {more}) AS {right.alias}")
        text = f"{text} {kind}JOIN {more} USING ({column})"
        if self.chance(0.4):
            relations.append(Relation(self.alias(), {column: what}))
            text += self.tag("USING alias", f" AS {relations[-1].alias}")
        return self.tag("USING", text)

    def named_join(self, text, relations):
        """(a JOIN b) AS j: of its columns those whose name is only one side's."""
        columns = {c: k for r in relations for c, k in r.columns.items() if sum(c in other.columns for other in relations) == 1}
        if not columns or ", " in text.split(" JOIN ")[0]:
            return text
        relations[:] = [Relation(self.alias(), columns)]
        return self.tag("join alias", f"({text}) AS {relations[0].alias}")

    def join_condition(self, relations, relation, kind):
        pairs = [(f"{r.alias}.{c}", f"{relation.alias}.{d}", c == d) for r in relations for c, k in r.columns.items()
                 for d, k2 in relation.columns.items() if k == k2 and k != "bool"]
        best = [p for p in pairs if p[2]]
        if not pairs and kind == "FULL ":
            return None
        if not pairs:
            pairs = [(self.value(Scope.of(relations), "int", 1), self.value(Scope.of([relation]), "int", 1), False)]
        x, y, _ = self.pick(best) if best and self.chance(0.75) else self.pick(pairs)
        text = f"{x} = {y}"
        if kind == "FULL ":
            return text
        scope = Scope.of(relations + [relation])
        if self.chance(0.2):
            text += f" AND {self.condition(scope, 1)}"
        elif self.chance(0.08):
            text = self.condition(scope, 1)
        return text

    def relation(self, outer, left, plain):
        """(text, Relation): a dataset, a sub-select, a CTE, VALUES, a function."""
        alias, chance = self.alias(), self.random.random()
        if plain or chance > 0.34 and not (self.ctes and self.chance(0.5)):
            name = self.pick(list(self.datasets))
            return f"{name} AS {alias}", Relation(alias, self.datasets[name])
        if self.ctes and self.chance(0.7):
            name, columns = self.pick(self.ctes)
            if columns:
                return f"{name} AS {alias}", Relation(alias, columns)
        if chance < 0.025:
            rows = ", ".join(self.pick([f"({self.pick([0, 1, 2, 3])}, 'ann')", f"({self.pick([1, 5])}, NULL::text)", "(NULL::int, '12')"]) for _ in range(3))
            return self.tag("VALUES", f"(VALUES {rows}) AS {alias}(k, t)"), Relation(alias, {"k": "int", "t": "text"})
        if chance < 0.055:
            scope = Scope.of(left, outer)
            low = self.value(scope, "int", 0) if left and self.chance(0.5) else "1"
            function = self.pick([f"generate_series({low}, 3)", f"unnest(ARRAY[{low}, 2, 7])"])
            if left and scope.leaves.get("ints") and self.chance(0.6):
                function = f"unnest({self.pick(scope.leaves['ints'])})"
            if self.chance(0.2):
                return self.tag("table function", f"{function} WITH ORDINALITY AS {alias}(n, o)"), Relation(alias, {"n": "int", "o": "int"})
            return self.tag("table function", f"{function} AS {alias}(n)"), Relation(alias, {"n": "int"})
        if self.spend():
            inner = self.query(None, None)
            if inner.named():
                self.used.add("sub-select")
                return f"({inner.text}) AS {alias}", Relation(alias, inner.named())
        name = self.pick(list(self.datasets))
        return f"{name} AS {alias}", Relation(alias, self.datasets[name])

    def lateral(self, relations, outer):
        self.spend()
        alias, around = self.alias(), Scope.of(relations, outer)
        if self.chance(0.35):  # the first row of each
            source, inside = self.source(around, plain=True)
            scope = Scope.of(inside, around)
            kinds = [k for k in self.wanted(scope) if k in SORTED] or ["int"]
            targets = ", ".join(f"{self.value(scope, k, 1)} AS c{i}" for i, k in enumerate(kinds))
            order = ", ".join(f"{n}{self.direction()}" for n in range(1, len(kinds) + 1))
            self.used.add("LIMIT inside")
            text = f"SELECT {targets} FROM {source} WHERE {self.correlation(scope)} ORDER BY {order} LIMIT {self.pick([1, 1, 2])}"
            made = Relation(alias, {f"c{i}": k for i, k in enumerate(kinds)})
        else:
            inner = self.select(None, around)
            text, made = inner.text, Relation(alias, inner.named())
            if not made.columns:
                made = Relation(alias, {})
        return self.tag("LATERAL", f"LATERAL ({text}) AS {alias}"), made

    # ---- sub-selects in expressions ----

    def correlation(self, scope):
        """A condition of an inner level that names the outer one, mostly by an equality."""
        outer, pairs = scope.outer, []
        while outer:
            pairs += [(a, b) for k in scope.leaves for a in scope.leaves[k] for b in outer.leaves.get(k, []) if k in KINDS + ("token",)]
            outer = outer.outer
        if not pairs:
            return self.condition(Scope(scope.leaves), 1)
        same = [p for p in pairs if p[0].split(".")[-1] == p[1].split(".")[-1]]
        x, y = self.pick(same) if same and self.chance(0.7) else self.pick(pairs)
        text = f"{x} = {y}"
        return f"{text} AND {self.condition(Scope(scope.leaves), 1)}" if self.chance(0.3) else text

    def sub(self, scope, kinds):
        """A sub-select of an expression, correlated or not; kinds: of its outputs. Not of one row."""
        correlated = self.chance(0.6)
        self.used.add("correlated sublink" if correlated else "uncorrelated sublink")
        if self.chance(0.25):
            return self.query(kinds, scope if correlated else None).text
        around = scope if correlated else None
        source, relations = self.source(around, plain=self.chance(0.7))
        inner = Scope.of(relations, around)
        where = f" WHERE {self.correlation(inner)}" if correlated else f" WHERE {self.condition(inner, 1)}" if self.chance(0.5) else ""
        targets = ", ".join(self.value(Scope(inner.leaves), k, 1) for k in kinds) or self.pick(["1", "*", "NULL"])
        return f"SELECT {targets} FROM {source}{where}"

    def scalar_sub(self, scope, kind):
        correlated = self.chance(0.6)
        around = scope if correlated else None
        self.used |= {"scalar sublink", "correlated sublink" if correlated else "uncorrelated sublink"}
        source, relations = self.source(around, plain=self.chance(0.7))
        inner = Scope.of(relations, around)
        where = f" WHERE {self.correlation(inner)}" if correlated else f" WHERE {self.condition(inner, 1)}" if self.chance(0.5) else ""
        if self.chance(0.3):
            self.used.add("LIMIT inside")
            return f"(SELECT {self.value(Scope(inner.leaves), kind, 1)} FROM {source}{where} ORDER BY 1{self.direction()} LIMIT 1)"
        return f"(SELECT {self.aggregate_of(inner, kind, {})[0]} FROM {source}{where})"

    # ---- expressions ----

    def constant(self, kind):
        if kind in ("int", "text") and self.chance(0.12):
            self.values.append(self.pick([0, 1, 2, 5]) if kind == "int" else self.pick(["ann", "x1", "12"]))
            return self.tag("parameter", f"{{{len(self.values) - 1}}}")
        return {"int": lambda: str(self.pick([0, 1, 2, 2, 3, 5])), "numeric": lambda: self.pick(["1.50", "10.00", "2.50"]) + "::numeric(12,2)",
                "text": lambda: self.pick(["'ann'", "'x1'", "'12'", "''", "'ANN'", "'s2'"]) + self.pick(["", "::text"]),
                "date": lambda: self.pick(["date '1970-01-11'", "date '2000-01-01'"]), "bool": lambda: self.pick(["true", "false"]),
                "token": lambda: "'t00000000000000000000000000000000'::text", "ints": lambda: "ARRAY[1, 2, 3]"}[kind]()

    def leaf(self, scope, kind):
        names = scope.leaves.get(kind, [])
        around = scope.outer
        if around and (not names or self.chance(0.15)):
            outer = around.leaves.get(kind, [])
            plain = [leaf for leaf in outer if "(" not in leaf]  # aggregates and windows of another level stay there
            names = plain or names
        return self.pick(names) if names else self.constant(kind)

    def value(self, scope, kind, depth=2):
        """An expression of a kind. A few can fail on some data."""
        if depth > 0 and self.budget > 0 and kind in KINDS and self.chance(0.06) and self.spend():
            return self.scalar_sub(scope, kind)
        if depth == 0 or kind == "token" or self.chance(0.72):
            return self.leaf(scope, kind)
        sub = lambda k: self.value(scope, k, depth - 1)
        return self.pick({
            "int": [lambda: f"({sub('int')} + {sub('int')})", lambda: f"({sub('int')} * 2)", lambda: f"abs({sub('int')})", lambda: f"coalesce({sub('int')}, 0)",
                    lambda: self.case(scope, "int", depth), lambda: f"length({sub('text')})", lambda: f"nullif({sub('int')}, {self.constant('int')})",
                    lambda: f"greatest({sub('int')}, {sub('int')})", lambda: f"({sub('numeric')})::int", lambda: f"({sub('int')} / nullif({sub('int')}, 0))",
                    lambda: f"extract(year FROM {sub('date')})::int", lambda: f"mod({sub('int')}, 3)", lambda: f"({sub('date')} - {sub('date')})",
                    lambda: self.tag("array", f"cardinality({self.value(scope, 'ints', 1)})"), lambda: self.tag("array", f"({self.value(scope, 'ints', 1)})[1]"),
                    lambda: self.tag("array", f"(ARRAY[{sub('int')}, {sub('int')}])[{self.pick([1, 2, 3])}]"),
                    lambda: f"({sub('int')} / {sub('int')})" if self.chance(0.2) else f"({sub('int')} - {sub('int')})"],
            "numeric": [lambda: f"({sub('numeric')} * {sub('int')})::numeric(12,2)", lambda: f"coalesce({sub('numeric')}, 0.00)::numeric(12,2)",
                        lambda: f"({sub('int')})::numeric(12,2)", lambda: self.case(scope, "numeric", depth), lambda: f"round({sub('numeric')}, 0)::numeric(12,2)"],
            "text": [lambda: f"({sub('text')} || {sub('text')})", lambda: f"upper({sub('text')})", lambda: f"left({sub('text')}, 2)",
                     lambda: f"coalesce({sub('text')}, 'none')", lambda: f"({sub('int')})::text", lambda: f"({sub('date')})::text", lambda: f"({sub('text')})::varchar(2)::text",
                     lambda: f"concat({sub('text')}, '-', {sub('int')})", lambda: self.case(scope, "text", depth), lambda: f"substring({sub('text')} FROM 1 FOR 2)",
                     lambda: f"replace({sub('text')}, 'a', 'b')", lambda: f"nullif({sub('text')}, {self.constant('text')})",
                     lambda: self.tag("collation", f"({sub('text')} COLLATE \"C\")")],
            "date": [lambda: f"({sub('date')} + {self.random.randint(-9, 9)})", lambda: f"coalesce({sub('date')}, date '2000-01-01')", lambda: f"least({sub('date')}, {sub('date')})"],
            "bool": [lambda: f"({self.condition(scope, depth - 1)})"],
            "ints": [lambda: f"ARRAY[{sub('int')}::int, {sub('int')}::int]", lambda: self.array_sub(scope)]}[kind])()

    def array_sub(self, scope):
        if not self.spend():
            return self.leaf(scope, "ints")
        return self.tag("ARRAY sublink", f"ARRAY(SELECT x.n::int FROM ({self.sub(scope, ['int'])}) AS x(n) ORDER BY 1)")

    def case(self, scope, kind, depth):
        self.used.add("CASE")
        if self.chance(0.3):
            return f"(CASE {self.value(scope, 'int', 0)} WHEN 1 THEN {self.value(scope, kind, depth - 1)} WHEN {self.constant('int')} THEN {self.value(scope, kind, 0)} END)"
        return f"(CASE WHEN {self.condition(scope, 1)} THEN {self.value(scope, kind, depth - 1)} ELSE {self.value(scope, kind, 0)} END)"

    def condition(self, scope, depth=2):
        if depth > 0 and self.chance(0.3):
            return self.pick([lambda: f"({self.condition(scope, depth - 1)} AND {self.condition(scope, depth - 1)})",
                              lambda: f"({self.condition(scope, depth - 1)} OR {self.condition(scope, depth - 1)})",
                              lambda: f"(NOT {self.condition(scope, depth - 1)})"])()
        if depth > 0 and self.budget > 0 and self.chance(0.4) and self.spend():
            return self.sublink(scope)
        if scope.leaves.get("token") and self.chance(0.15):
            token = self.pick(scope.leaves["token"])
            return self.pick([f"{token} = {self.pick(scope.leaves['token'])}", f"{token} IS NOT NULL", f"{token} <> {self.constant('token')}"])
        if scope.leaves.get("bool") and self.chance(0.2):
            return self.pick(scope.leaves["bool"])
        kind = self.pick([k for k in KINDS[:4] if scope.leaves.get(k)] or ["int"])
        left = self.value(scope, kind, 1)
        return self.pick([lambda: f"{left} {self.pick(['=', '<', '>', '<=', '<>'])} {self.value(scope, kind, 1)}",
                          lambda: f"{left} {self.pick(['=', '<', '>='])} {self.constant(kind)}", lambda: f"{left} <> {self.constant(kind)}",
                          lambda: f"{left} IS NOT NULL", lambda: f"{left} IS {self.pick(['NULL', 'NOT NULL'])}",
                          lambda: f"{left} IN ({', '.join(self.constant(kind) for _ in range(self.pick([2, 3])))})",
                          lambda: f"{left} {self.pick(['', 'NOT '])}BETWEEN {self.constant(kind)} AND {self.constant(kind)}",
                          lambda: f"{left} IS {self.pick(['', 'NOT '])}DISTINCT FROM {self.pick([self.value(scope, kind, 0), self.constant(kind)])}",
                          lambda: f"{left} NOT IN ({self.constant(kind)}, {self.constant(kind)})",
                          lambda: self.tag("ANY/ALL of an array", f"{left} {self.pick(['= ANY', '< ANY', '<> ALL', '<> ANY'])} (ARRAY[{self.constant(kind)}, {self.value(scope, kind, 0)}])"),
                          lambda: f"({self.condition(scope, 0)}) IS {self.pick(['TRUE', 'NOT TRUE', 'NOT FALSE', 'UNKNOWN'])}",
                          lambda: f"coalesce({left}, {self.constant(kind)}) {self.pick(['=', '<>', '<>'])} {self.constant(kind)}",
                          lambda: self.tag("row value", f"({left}, {self.value(scope, 'int', 0)}) {self.pick(['=', '<', '<>', '>=', '<>'])} ({self.constant(kind)}, 2)"),
                          lambda: f"{self.value(scope, 'text', 1)} {self.pick(['', 'NOT '])}LIKE {self.pick(['a%', '%1%', '_n%']).join(chr(39) * 2)}"])()

    def sublink(self, scope):
        kind = self.pick([k for k in KINDS[:4] + ("token",) if scope.leaves.get(k)] or ["int"])
        left = self.leaf(scope, kind)
        forms = {"EXISTS": lambda: f"EXISTS ({self.sub(scope, [])})", "NOT EXISTS": lambda: f"NOT EXISTS ({self.sub(scope, [])})",
                 "IN": lambda: f"{left} IN ({self.sub(scope, [kind])})", "NOT IN": lambda: f"{left} NOT IN ({self.sub(scope, [kind])})"}
        if kind != "token":
            forms.update({"ANY": lambda: f"{left} {self.pick(['=', '<', '>='])} ANY ({self.sub(scope, [kind])})",
                          "ALL": lambda: f"{left} {self.pick(['<>', '<', '>='])} ALL ({self.sub(scope, [kind])})",
                          "scalar sublink": lambda: f"{left} {self.pick(['=', '<', '>'])} {self.scalar_sub(scope, kind)}",
                          "row IN": lambda: f"({left}, {self.value(scope, 'int', 0)}) IN ({self.sub(scope, [kind, 'int'])})"})
        construct = self.pick(list(forms))
        return self.tag(construct, forms[construct]())
