"""Random statements of the accepted surface over harness/world.py, from a seeded random.Random."""
import re

MARK = re.compile("\0([0-9]+)\0")  # where a value is to be bound


class Queries:
    """One generator a partner. statement() returns SQL; bound_statement() SQL and parameters for psycopg."""

    def __init__(self, random, columns, aggregates_only=False):
        self.random, self.columns, self.aggregates_only = random, columns, aggregates_only
        self.values = None  # of the parameters, while a bound statement is made

    # ---- expressions ----

    def constant(self, kind):
        pick = self.random.choice
        if self.values is not None and kind in ("int", "text") and self.random.random() < 0.5:
            self.values.append(pick([0, 1, 5, 60, 160]) if kind == "int" else pick(["Ann", "Bath", "a", "", "12"]))
            return f"\0{len(self.values) - 1}\0" + pick(["", "", "::int" if kind == "int" else "::text"])
        return {"int": lambda: str(pick([0, 1, 2, 5, 60, 100, 160, 200])),
                "numeric": lambda: pick(["0", "1.5", "2", "10"]),
                "text": lambda: pick(["'Ann'", "'Bath'", "'cup'", "'a'", "''", "'York'", "'12'"]),
                "date": lambda: pick(["date '1970-01-01'", "date '2026-01-02'", "date '2026-02-01'"]),
                "bool": lambda: pick(["true", "false"]),
                "token": lambda: "'t00000000000000000000000000000000'"}[kind]()

    def names(self, scope, kind):
        return [f"{alias}.{column}" for alias, columns in scope for column, kind2 in columns.items() if kind2 == kind]

    def value(self, scope, kind, depth=2):
        """An expression of a kind. Some can fail on some data: that is part of the game."""
        names, pick = self.names(scope, kind), self.random.choice
        chance = self.random.random()
        if depth == 0 or chance < 0.5 or kind in ("token", "bool"):
            return pick(names) if names else self.constant(kind)
        sub = lambda k: self.value(scope, k, depth - 1)
        if kind in ("int", "numeric"):
            return pick([lambda: f"({sub(kind)} + {sub('int')})", lambda: f"({sub(kind)} - {sub('int')})",
                         lambda: f"({sub(kind)} * 2)", lambda: f"({sub(kind)} / {sub('int')})",
                         lambda: f"abs({sub(kind)})", lambda: f"coalesce({sub(kind)}, {self.constant('int')})",
                         lambda: f"(CASE WHEN {self.condition(scope, 1)} THEN {sub(kind)} ELSE 0 END)",
                         lambda: f"length({sub('text')})", lambda: f"nullif({sub(kind)}, {self.constant('int')})",
                         lambda: f"{pick(['greatest', 'least'])}({sub(kind)}, {sub('int')})", lambda: f"strpos({sub('text')}, 'a')",
                         lambda: f"({sub(kind)})::{pick(['numeric', 'text::numeric', 'bigint'])}", lambda: f"mod({sub('int')}, 7)",
                         lambda: f"extract({pick(['year', 'month', 'day'])} FROM {sub('date')})::int", lambda: f"({sub('date')} - {sub('date')})",
                         lambda: f"(CASE {sub('int')} WHEN 60 THEN {sub(kind)} WHEN {self.constant('int')} THEN 2 END)"])()
        if kind == "text":
            return pick([lambda: f"({sub('text')} || {sub('text')})", lambda: f"lower({sub('text')})",
                         lambda: f"left({sub('text')}, 2)", lambda: f"coalesce({sub('text')}, 'none')",
                         lambda: f"({sub('int')})::text", lambda: f"({sub('date')})::text", lambda: f"({sub('text')})::varchar(2)",
                         lambda: f"{pick(['upper', 'initcap', 'btrim', 'reverse', 'md5'])}({sub('text')})",
                         lambda: f"{pick(['substr', 'right'])}({sub('text')}, 2)", lambda: f"substring({sub('text')} FROM 1 FOR {sub('int')})",
                         lambda: f"replace({sub('text')}, 'a', {self.constant('text')})", lambda: f"split_part({sub('text')}, ' ', 1)",
                         lambda: f"concat({sub('text')}, '-', {sub('int')})", lambda: f"nullif({sub('text')}, {self.constant('text')})",
                         lambda: f"greatest({sub('text')}, {sub('text')})", lambda: f"(CASE WHEN {self.condition(scope, 0)} THEN '1' ELSE 'x' END)",
                         lambda: f"(CASE WHEN {self.condition(scope, 1)} THEN {sub('text')} ELSE 'x' END)"])()
        if kind == "date":
            return pick([lambda: f"({sub('date')} + {self.random.randint(-9, 9)})", lambda: f"coalesce({sub('date')}, {self.constant('date')})",
                         lambda: f"least({sub('date')}, {sub('date')})"])()
        return pick(names) if names else self.constant(kind)

    def condition(self, scope, depth=2):
        pick = self.random.choice
        if depth > 0 and self.random.random() < 0.35:
            return pick([lambda: f"({self.condition(scope, depth - 1)} AND {self.condition(scope, depth - 1)})",
                         lambda: f"({self.condition(scope, depth - 1)} OR {self.condition(scope, depth - 1)})",
                         lambda: f"(NOT {self.condition(scope, depth - 1)})"])()
        tokens = self.names(scope, "token")
        if tokens and self.random.random() < 0.2:
            return pick([f"{pick(tokens)} = {pick(tokens)}", f"{pick(tokens)} IS NOT NULL", f"{pick(tokens)} <> {self.constant('token')}"])
        kind = pick(["int", "text", "int", "numeric", "date"])
        left = self.value(scope, kind, 1)
        return pick([lambda: f"{left} {pick(['=', '<', '>', '<=', '<>'])} {self.value(scope, kind, 1)}",
                     lambda: f"{left} {pick(['=', '<', '>'])} {self.constant(kind)}",
                     lambda: f"{left} IS {pick(['NULL', 'NOT NULL'])}",
                     lambda: f"{left} IN ({self.constant(kind)}, {self.constant(kind)})",
                     lambda: f"{left} BETWEEN {self.constant(kind)} AND {self.constant(kind)}",
                     lambda: f"{left} IS {pick(['', 'NOT '])}DISTINCT FROM {self.constant(kind)}",
                     lambda: f"{left} NOT IN ({self.constant(kind)}, {self.value(scope, kind, 0)})",
                     lambda: f"{left} NOT BETWEEN SYMMETRIC {self.constant(kind)} AND {self.value(scope, kind, 0)}",
                     lambda: f"{left} = ANY (ARRAY[{self.constant(kind)}, {self.value(scope, kind, 0)}])",
                     lambda: f"({self.condition(scope, 0)}) IS {pick(['TRUE', 'NOT TRUE', 'UNKNOWN', 'NOT FALSE'])}",
                     lambda: f"(CASE WHEN {self.condition(scope, 0)} THEN '1' ELSE 'x' END)::int = 1",
                     lambda: f"{self.value(scope, 'text', 1)} LIKE {pick(['%a%', 'A%', '_n%']).join(chr(39) * 2)}",
                     lambda: f"10 / {self.value(scope, 'int', 1)} > 1",
                     lambda: f"({self.value(scope, 'text', 0)})::int > 1"])()

    # ---- FROM ----

    def dataset(self):
        return self.random.choice(list(self.columns))

    def relation(self, alias, depth):
        """(text, columns) of a dataset or a sub-select."""
        if depth == 0 or self.random.random() < 0.7:
            name = self.dataset()
            return f"{name} AS {alias}", self.columns[name]
        inner, columns = self.select(depth - 1, f"{alias}i", sub=True)
        if columns and self.random.random() < 0.2:
            renamed = {f"n{i}": kind for i, kind in enumerate(columns.values())}
            return f"({inner}) AS {alias}({', '.join(renamed)})", renamed
        return f"({inner}) AS {alias}", columns

    def join(self, scope, alias, columns):
        """A join condition between the scope and one more relation, mostly an equality."""
        pairs = [(f"{a}.{c}", f"{alias}.{d}") for a, cs in scope for c, k in cs.items() for d, k2 in columns.items()
                 if k == k2 and k != "bool"]
        same = [(x, y) for x, y in pairs if x.split(".")[1] == y.split(".")[1]]
        if same and self.random.random() < 0.8:
            return "{} = {}".format(*self.random.choice(same))
        if pairs and self.random.random() < 0.7:
            return "{} = {}".format(*self.random.choice(pairs))
        return self.condition(scope + [(alias, columns)], 1)

    def source(self, prefix, depth):
        count = self.random.choice([1, 1, 2, 2, 3])
        text, columns = self.relation(f"{prefix}0", depth)
        scope = [(f"{prefix}0", columns)]
        for n in range(1, count):
            alias = f"{prefix}{n}"
            more, columns = self.relation(alias, depth)
            chance = self.random.random()
            shared = [c for c, kind in columns.items() if [cs.get(c) for _, cs in scope].count(kind) == 1 and sum(c in cs for _, cs in scope) == 1]
            if chance < 0.1 and " JOIN " not in text:
                text += f", {more}"
            elif chance < 0.15:
                text += f" CROSS JOIN {more}"
            elif shared and ", " not in text and chance < 0.4:
                text += f" JOIN {more} USING ({self.random.choice(shared)})"
            else:
                text += f" JOIN {more} ON {self.join(scope, alias, columns)}"
            scope.append((alias, columns))
        return text, scope

    # ---- SELECT ----

    def aggregate(self, scope):
        pick = self.random.choice
        numbers = self.names(scope, "int") + self.names(scope, "numeric")
        texts = self.names(scope, "text") + self.names(scope, "date")
        forms = [("count(*)", "int")]
        if numbers:
            n = pick(numbers)
            forms += [(f"sum({n})", "numeric"), (f"avg({n})", "numeric"), (f"count({n})", "int"),
                      (f"count(DISTINCT {n})", "int"), (f"sum({n} * {pick(numbers)})", "numeric"), (f"sum({n} * {n})", "numeric"),
                      (f"stddev({n})", "numeric")]
            if not self.aggregates_only or self.random.random() < 0.05:
                forms += [(f"min({n})", "int"), (f"max({n} + 1)", "int")]
        if texts:
            t = pick(texts)
            forms += [(f"count({t})", "int"), (f"count(DISTINCT {t})", "int")]
        if texts and not self.aggregates_only:
            t = pick(texts)  # sorted by itself at last: ties must not change the text
            forms += [(f"string_agg({t}::text, ',' ORDER BY {pick(texts)}::text, {t}::text)", "text"), (f"max({t}::text)", "text")]
        return pick(forms)

    def grouped(self, scope, text, sub):
        kinds = [k for k in ("text", "int", "date", "token") if self.names(scope, k)]
        keys = []
        for _ in range(self.random.choice([0, 1, 1, 2]) if kinds else 0):
            kind = self.random.choice(kinds)
            keys.append((self.random.choice(self.names(scope, kind)) if self.random.random() < 0.8
                         else self.value(scope, kind, 1), kind))
        outputs = keys + [self.aggregate(scope) for _ in range(self.random.choice([1, 1, 2]))]
        targets = ", ".join(f"{e} AS g{i}" for i, (e, _) in enumerate(outputs))
        where = f" WHERE {self.condition(scope)}" if self.random.random() < 0.4 else ""
        by = ""
        if keys:
            by = " GROUP BY " + ", ".join(str(i + 1) if self.random.random() < 0.5 else e
                                          for i, (e, _) in enumerate(keys))
        tail = ""
        if not sub and self.random.random() < 0.4 and not any(k == "token" for _, k in outputs):
            tail = self.order_and_limit(len(outputs))
        elif not sub and self.random.random() < 0.2:
            tail = f" ORDER BY {self.aggregate(scope)[0]}"
        return f"SELECT {targets} FROM {text}{where}{by}{tail}", {f"g{i}": k for i, (_, k) in enumerate(outputs)}

    def order_and_limit(self, count):
        """A total order over the outputs, so that LIMIT is determined up to equal rows."""
        order = list(range(1, count + 1))
        self.random.shuffle(order)
        text = " ORDER BY " + ", ".join(f"{n}{self.random.choice(['', ' DESC', ' NULLS FIRST'])}" for n in order)
        limit = self.random.choice([0, 1, 2, 3, 5, 10])
        if self.values is not None and self.random.random() < 0.3:
            self.values.append(limit)
            limit = f"\0{len(self.values) - 1}\0"
        text += f" LIMIT {limit}"
        if self.random.random() < 0.3:
            text += f" OFFSET {self.random.choice([0, 1, 2, 4])}"
        return text

    def select(self, depth, prefix="q", sub=False):
        text, scope = self.source(prefix, depth)
        if self.aggregates_only and not sub and self.random.random() < 0.95:
            return self.grouped(scope, text, sub)
        if self.random.random() < (0.15 if sub else 0.35):
            return self.grouped(scope, text, sub)
        if not sub and self.random.random() < 0.1 and not any("token" in c.values() for _, c in scope):
            return f"SELECT * FROM {text}" + (f" WHERE {self.condition(scope)}" if self.random.random() < 0.5 else ""), {}
        if not sub and self.random.random() < 0.08:
            alias, columns = self.random.choice(scope)
            where = f" WHERE {self.condition(scope)}" if self.random.random() < 0.6 else ""
            return f"SELECT {self.value(scope, 'int', 1)} AS c, {alias}.* FROM {text}{where} ORDER BY {self.value(scope, 'text', 1)}", {}
        kinds = [k for k in ("int", "text", "numeric", "date", "token") if self.names(scope, k)] or ["int"]
        outputs = []
        for _ in range(self.random.randint(1, 4)):
            kind = self.random.choice(kinds)
            outputs.append((self.value(scope, kind, 2), kind))
        targets = ", ".join(f"{e} AS c{i}" for i, (e, _) in enumerate(outputs))
        where = f" WHERE {self.condition(scope)}" if self.random.random() < 0.6 else ""
        tail = ""
        has_token = any(k == "token" for _, k in outputs)
        if not has_token and self.random.random() < (0.08 if sub else 0.35):
            tail = self.order_and_limit(len(outputs))
        elif self.random.random() < 0.2:
            tail = f" ORDER BY {self.random.choice(['c0 DESC', '1', self.value(scope, 'int', 2), self.value(scope, 'text', 2)])}"
        return (f"SELECT {targets} FROM {text}{where}{tail}", {f"c{i}": k for i, (_, k) in enumerate(outputs)})

    def statement(self):
        return self.select(self.random.choice([0, 1, 1, 2]))[0]

    def bound_statement(self):
        """(SQL, parameters) as psycopg takes them: None where nothing is bound."""
        self.values = []
        text, values = self.statement(), self.values
        self.values = None
        if not MARK.search(text):
            return text, None
        return MARK.sub(r"%(p\1)s", text.replace("%", "%%")), {f"p{i}": value for i, value in enumerate(values)}
