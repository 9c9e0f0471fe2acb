"""Random statements of the accepted surface over harness/world.py, from a seeded random.Random."""


class Queries:
    """One generator a partner. statement() returns SQL and what the oracle must know of it."""

    def __init__(self, random, columns, aggregates_only=False):
        self.random, self.columns, self.aggregates_only = random, columns, aggregates_only

    # ---- expressions ----

    def constant(self, kind):
        pick = self.random.choice
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
                         lambda: f"length({sub('text')})", lambda: f"nullif({sub(kind)}, {self.constant('int')})"])()
        if kind == "text":
            return pick([lambda: f"({sub('text')} || {sub('text')})", lambda: f"lower({sub('text')})",
                         lambda: f"left({sub('text')}, 2)", lambda: f"coalesce({sub('text')}, 'none')",
                         lambda: f"({sub('int')})::text",
                         lambda: f"(CASE WHEN {self.condition(scope, 1)} THEN {sub('text')} ELSE 'x' END)"])()
        return pick(names) if names else self.constant(kind)

    def condition(self, scope, depth=2):
        pick = self.random.choice
        if depth > 0 and self.random.random() < 0.35:
            return pick([lambda: f"({self.condition(scope, depth - 1)} AND {self.condition(scope, depth - 1)})",
                         lambda: f"({self.condition(scope, depth - 1)} OR {self.condition(scope, depth - 1)})",
                         lambda: f"(NOT {self.condition(scope, depth - 1)})"])()
        kind = pick(["int", "text", "int", "numeric", "date"])
        left = self.value(scope, kind, 1)
        return pick([lambda: f"{left} {pick(['=', '<', '>', '<=', '<>'])} {self.value(scope, kind, 1)}",
                     lambda: f"{left} {pick(['=', '<', '>'])} {self.constant(kind)}",
                     lambda: f"{left} IS {pick(['NULL', 'NOT NULL'])}",
                     lambda: f"{left} IN ({self.constant(kind)}, {self.constant(kind)})",
                     lambda: f"{left} BETWEEN {self.constant(kind)} AND {self.constant(kind)}",
                     lambda: f"{left} IS DISTINCT FROM {self.constant(kind)}",
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
            if self.random.random() < 0.15:
                text += f", {more}"
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
                      (f"count(DISTINCT {n})", "int"), (f"sum({n} * {pick(numbers)})", "numeric"),
                      (f"stddev({n})", "numeric")]
            if not self.aggregates_only or self.random.random() < 0.05:
                forms += [(f"min({n})", "int"), (f"max({n} + 1)", "int")]
        if texts and not self.aggregates_only:
            forms += [(f"string_agg({pick(texts)}::text, ',' ORDER BY {pick(texts)}::text)", "text"),
                      (f"max({pick(texts)}::text)", "text")]
        return pick(forms)

    def grouped(self, scope, text, sub):
        kinds = [k for k in ("text", "int", "date") if self.names(scope, k)]
        keys = []
        for _ in range(self.random.choice([0, 1, 1, 2])):
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
        if not sub and self.random.random() < 0.4:
            tail = self.order_and_limit(len(outputs))
        return f"SELECT {targets} FROM {text}{where}{by}{tail}", {f"g{i}": k for i, (_, k) in enumerate(outputs)}

    def order_and_limit(self, count):
        """A total order over the outputs, so that LIMIT is determined up to equal rows."""
        order = list(range(1, count + 1))
        self.random.shuffle(order)
        text = " ORDER BY " + ", ".join(f"{n}{self.random.choice(['', ' DESC', ' NULLS FIRST'])}" for n in order)
        text += f" LIMIT {self.random.choice([0, 1, 2, 3, 5, 10])}"
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
        kinds = [k for k in ("int", "text", "numeric", "date", "token") if self.names(scope, k)]
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
        return (f"SELECT {targets} FROM {text}{where}{tail}", {f"c{i}": k for i, (_, k) in enumerate(outputs)})

    def statement(self):
        return self.select(self.random.choice([0, 1, 1, 2]))[0]
