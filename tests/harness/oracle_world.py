"""A random world for the oracles: a schema, whom its rows are about, a policy, and what is to be seen of it.

Two sets of views say, by hand and independently of the gateway, what it must do. `alive` has a table's
rows without those of the subject in the setting oracle.gone ("kind:key"), so that a deletion is a matter
of a setting; `seen` is what a partner sees of them. Tokens are told apart by what they stand for only.
"""
import dataclasses
import re

ATTRIBUTES = {"town": "text", "name": "text", "code": "text", "size": "int", "grade": "int",
              "price": "numeric", "born": "date", "bought": "date", "flag": "bool", "hot": "bool"}
TYPES = {"text": "text", "int": "integer", "numeric": "numeric(8,2)", "date": "date", "bool": "boolean"}
VALUES = {"text": ["ann", "bob", "x1", "12", ""], "int": [0, 1, 2, 3], "numeric": [1.5, 2.5, 10],
          "date": ["1970-01-11", "1981-02-28", "2026-01-02"], "bool": [True, False]}
FRESH = {"text": "fresh", "int": 7777, "numeric": 7777.5, "date": "2031-03-03", "bool": None}  # which no row has
MASKS = {  # form -> (of which kinds, kind of the result, its SQL)
    "last4": ("text", "text", "CASE WHEN length({c}) > 4 THEN '***' || right({c}, 4) WHEN {c} IS NOT NULL THEN '***' END"),
    "initial": ("text", "text", "left({c}, 1) || '.'"),
    "redact": ("text", "text", "'***'::text"),
    "null": ("text", "text", "NULL::text"),
    "shout": ("text", "text", "upper({c})"),
    "year": ("date", "int", "extract(year FROM {c})::int"),
    "month": ("date", "date", "date_trunc('month', {c}::timestamp)::date"),
    "bucket(2)": ("int", "int", "(2 * floor({c} / 2.0))::int8"),
}
FILTERS = {"bool": ["NOT {c}", "{c}", "{c} IS NOT TRUE"], "int": ["{c} > 0", "{c} <> 2", "{c} IS NOT NULL", "{c} < 5 OR {c} IS NULL"],
           "text": ["{c} <> 'ann'", "{c} IS NOT NULL", "{c} IN ('ann', 'bob', '12')"], "date": ["{c} > '1975-01-01'"],
           "numeric": ["{c} < 10"]}
TOKEN = re.compile(r"^t[0-9a-f]{32}$")


@dataclasses.dataclass
class Column:
    name: str
    kind: str
    sql_type: str
    required: bool = False  # NOT NULL
    target: tuple = None    # (table, column) that its values are of
    subject: str = None     # the kind of subject whose key it is
    linked: bool = False    # a key, or what a path leads over
    unique: str = None      # UNIQUE, as the table declares it
    dangling: bool = False  # some values refer to nothing
    never_null: bool = False


@dataclasses.dataclass
class About:
    """One subject of a table: key of the last table on the path."""
    kind: str
    key: str
    hops: list  # of (own column, parent table, parent's column)
    when_null: str = None
    inherits: bool = False  # key and when_null are left out: the last table's own count


@dataclasses.dataclass
class Table:
    name: str
    columns: dict
    key: list  # primary key
    about: list
    constraints: list = dataclasses.field(default_factory=list)
    indexes: list = dataclasses.field(default_factory=list)
    rows: list = None

    def add(self, column):
        self.columns[column.name] = column
        return column


@dataclasses.dataclass
class Grant:
    columns: dict  # column -> form
    condition: str = None
    filtered: str = None  # the column that it reads
    write: dict = None    # what may be changed, as policy has it


def literal(value):
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (int, float)) else "'" + value.replace("'", "''") + "'"


class World:
    def __init__(self, random, number):
        self.random, self.number = random, number
        self.schema, self.tables, self.kinds = f"w{number}", {}, {}  # kind -> (table, key column)
        self.make_tables()
        self.partners = {}  # name -> {table: Grant}
        self.fill()
        self.token_kinds = {k for k in self.kinds if self.chance(0.25)}
        self.grant("rows")
        self.grant("stats")

    def chance(self, share):
        return self.random.random() < share

    # ---- schema ----

    def table(self, noun):
        table = Table(f"{noun}{len(self.tables) + 1}_{self.number}", {}, [], [])
        self.tables[table.name] = table
        return table

    def attributes(self, table, most=4):
        for name in self.random.sample(list(ATTRIBUTES), self.random.randint(2, most)):
            kind = ATTRIBUTES[name]
            table.add(Column(name, kind, TYPES[kind], self.chance(0.2)))
        self.false_key(table)

    def make_tables(self):
        total = self.random.choice([2, 3, 4, 4, 5, 5, 6])
        for letter in "abc"[:min(total - 1, self.random.choice([1, 2, 2, 3]))]:
            self.make_people(letter)
        makers = [self.make_child, self.make_child, self.make_behind, self.make_behind, self.make_pair, self.make_nobody, self.make_bridged]
        while len(self.tables) < total:
            self.random.choice(makers)()

    def another_key(self, table, share=0.25):
        """A unique column beside the primary key; of NULLs there may be many, so it determines no row then."""
        if self.chance(share):
            unique = self.random.choice(["UNIQUE", "UNIQUE", "UNIQUE", "UNIQUE DEFERRABLE"])
            table.add(Column("ref", "int", "integer", self.chance(0.4), linked=True, unique=unique))

    def false_key(self, table):
        """A unique index that says nothing, since it is about none of the rows."""
        numbers = [c.name for c in table.columns.values() if c.kind == "int" and not c.linked]
        if numbers and self.chance(0.1):
            name = self.random.choice(numbers)
            table.indexes.append(f"CREATE UNIQUE INDEX ON {self.schema}.{table.name} ({name}) WHERE {name} > 7000")

    def make_people(self, letter):
        table, kind = self.table("people"), f"kind_{letter}_{self.number}"
        sql_type = self.random.choice(["integer", "bigint", "text"])
        key = table.add(Column(f"{letter}_id", "text" if sql_type == "text" else "int", sql_type, True, None, kind, True))
        table.key = [key.name]
        self.another_key(table)
        self.attributes(table)
        table.about = [About(kind, key.name, [])]
        self.kinds[kind] = (table.name, key.name)

    def own_key(self, table):
        name = f"{table.name.split('_')[0]}_id"
        table.add(Column(name, "int", "integer", True, None, None, True))
        table.key = [name]
        if self.chance(0.25):
            table.add(Column("line_no", "int", "integer", True, None, None, True))
            table.key.append("line_no")
        self.another_key(table)

    def link(self, table, target, column, name=None, subject=None):
        """A column that refers to another table's key, with or without a constraint."""
        of = self.tables[target].columns[column]
        made = table.add(Column(name or column, of.kind, of.sql_type, self.chance(0.45), (target, column), subject, True))
        chance = self.random.random()
        if chance < 0.65 and of.unique != "UNIQUE DEFERRABLE":
            table.constraints.append(f"FOREIGN KEY ({made.name}) REFERENCES {self.schema}.{target} ({column})"
                                     + (" NOT VALID" if chance < 0.06 else " DEFERRABLE INITIALLY DEFERRED" if chance < 0.12 else ""))
        made.dangling = chance < 0.06 or (chance >= 0.65 and self.chance(0.5))
        return made

    def subject_link(self, table, kind, name=None):
        people, key = self.kinds[kind]
        made = self.link(table, people, key, name, kind)
        # Refusing statements for a NULL key is tested elsewhere; here there are none then.
        made.never_null = made.required or self.chance(0.15)
        when = self.random.choice([None, "hide", "none", "refuse"] if made.never_null else [None, "hide", "none", "none"])
        if self.chance(0.2):  # the same key, at the other end of the reference: of nobody where that dangles
            made.dangling = made.dangling and when in ("hide", "none")
            table.about.append(About(kind, key, [(made.name, people, key)], when))
        else:
            table.about.append(About(kind, made.name, [], when))
        return made

    def make_child(self):
        table = self.table("child")
        self.own_key(table)
        kind = self.random.choice(list(self.kinds))
        self.subject_link(table, kind, self.random.choice([None, None, "owner"]))
        self.attributes(table)

    def make_pair(self):
        """About two subjects, of two kinds or of one."""
        table = self.table("pair")
        self.own_key(table)
        first, second = self.random.choice(list(self.kinds)), self.random.choice(list(self.kinds))
        self.subject_link(table, first, "giver" if first == second else None)
        self.subject_link(table, second, "taker" if first == second else None)
        self.attributes(table, 2)

    def make_nobody(self):
        table = self.table("thing")
        if self.chance(0.5):
            self.own_key(table)
            self.attributes(table, 3)
        else:
            for name in self.random.sample(["town", "size", "code", "grade"], self.random.choice([1, 2])):
                table.add(Column(name, ATTRIBUTES[name], TYPES[ATTRIBUTES[name]], True))
                table.key.append(name)
            table.add(Column("price", "numeric", TYPES["numeric"]))

    def make_behind(self):
        """Rows whose subjects are those of another table's rows."""
        parents = [(t, c) for t in self.tables.values() if t.about and all(len(a.hops) < 2 for a in t.about) and not t.name.startswith("people")
                   for c in (t.key if len(t.key) == 1 else []) + [c.name for c in t.columns.values() if c.unique == "UNIQUE"]]
        if not parents:
            return self.make_child()
        parent, column = self.random.choice(parents)
        table = self.table("behind")
        self.own_key(table)
        made = self.link(table, parent.name, column, f"{parent.name.split('_')[0]}_ref" if column == "ref" else None)
        made.never_null = made.required or self.chance(0.1)
        hop = (made.name, parent.name, column)
        table.about = [self.inherited(a, hop) for a in parent.about]
        if any(a.when_null == "refuse" for a in parent.about):
            made.never_null, made.dangling = True, False
        if self.chance(0.25):  # somebody else, perhaps of the same kind
            self.subject_link(table, self.random.choice(list(self.kinds)), "other")
        self.attributes(table)
        return None

    def inherited(self, about, hop):
        """A parent's subject as that of the rows behind it."""
        hops = [hop] + about.hops
        own = [a for a in self.tables[hops[-1][1]].about if not a.hops and a.kind == about.kind]
        if len(own) == 1 and self.chance(0.5):
            return About(about.kind, own[0].key, hops, own[0].when_null, True)
        return About(about.kind, about.key, hops, about.when_null if about.when_null == "refuse" else self.random.choice([None, "hide", "none", "none"]))

    def make_bridged(self):
        """The path leads over a table that is about nobody."""
        if len(self.tables) > 4:
            return self.make_child()
        kind = self.random.choice(list(self.kinds))
        people, key = self.kinds[kind]
        bridge = self.table("bridge")
        bridge.add(Column("bridge_id", "int", "integer", True, None, None, True))
        bridge.key = ["bridge_id"]
        self.link(bridge, people, key).never_null = False
        table = self.table("far")
        self.own_key(table)
        made = self.link(table, bridge.name, "bridge_id")
        made.never_null = made.required
        table.about = [About(kind, key, [(made.name, bridge.name, "bridge_id")], self.random.choice(["hide", "none"]))]
        self.attributes(table)
        return None

    # ---- rows ----

    def fill(self):
        """New rows for all tables, parents first."""
        for table in self.tables.values():
            count = self.random.randint(5, 7) if table.name.startswith("people") else self.random.randint(4, 9)
            rows, seen = [], set()
            for n in range(1, count + 1):
                row = {c.name: self.cell(table, c, n) for c in table.columns.values()}
                key = tuple(row[c] for c in table.key)
                if key not in seen:
                    seen.add(key)
                    rows.append(row)
            table.rows = rows

    def cell(self, table, column, n):
        if column.target:
            values = [row[column.target[1]] for row in self.tables[column.target[0]].rows if row[column.target[1]] is not None]
            if not column.required and not column.never_null and self.chance(0.2):
                return None
            if column.dangling and not column.never_null and self.chance(0.15):
                return "s99" if column.kind == "text" else 99
            return self.random.choice(values)
        if column.unique:
            return None if n > 1 and not column.required and self.chance(0.3) else n + 2
        if column.name == "line_no":
            return self.random.randint(1, 3)
        if column.name in table.key and len(table.key) == 1 and column.linked:
            return f"s{n}" if column.kind == "text" else n
        if column.name in table.key:
            return self.random.choice(VALUES[column.kind])
        if not column.required and self.chance(0.2):
            return None
        return self.random.choice(VALUES[column.kind])

    def rows_sql(self):
        """Empties and fills the tables."""
        text = f"TRUNCATE {', '.join(f'{self.schema}.{t}' for t in self.tables)};\n"
        for table in self.tables.values():
            values = ", ".join("(" + ", ".join(literal(v) for v in row.values()) + ")" for row in table.rows)
            text += f"INSERT INTO {self.schema}.{table.name} ({', '.join(table.columns)}) VALUES {values};\n"
        return text

    def subjects(self):
        """Every (kind, key) there is, those that only dangling references name too."""
        found = set()
        for table in self.tables.values():
            for column in table.columns.values():
                if column.subject:
                    found |= {(column.subject, str(row[column.name])) for row in table.rows if row[column.name] is not None}
        for kind, (people, key) in self.kinds.items():
            found |= {(kind, str(row[key])) for row in self.tables[people].rows}
        for table in self.tables.values():
            found |= {pair for row in table.rows for pair in self.about(table, row)}
        return sorted(found)

    def about(self, table, row):
        """Whom a row is about."""
        pairs = set()
        for about in table.about:
            at = row
            for own, parent, column in about.hops:
                at = next((r for r in self.tables[parent].rows if r[column] == at[own]), None) if at else None
            if at and at[about.key] is not None:
                pairs.add((about.kind, str(at[about.key])))
        return pairs

    # ---- SQL ----

    def schema_sql(self):
        """Tables with rows and constraints, then the views."""
        text = f"CREATE SCHEMA {self.schema};\n"
        for table in self.tables.values():
            columns = [f"{c.name} {c.sql_type}{' NOT NULL' if c.required else ''}{' ' + c.unique if c.unique else ''}" for c in table.columns.values()]
            text += f"CREATE TABLE {self.schema}.{table.name} ({', '.join(columns)}, PRIMARY KEY ({', '.join(table.key)}));\n"
        text += self.rows_sql()
        for table in self.tables.values():
            text += "".join(f"ALTER TABLE {self.schema}.{table.name} ADD {c};\n" for c in table.constraints)
            text += "".join(f"{index};\n" for index in table.indexes)
        text += f"CREATE SCHEMA alive_{self.schema};\n" + "".join(self.alive(t) for t in self.tables.values())
        for partner in self.partners:
            text += f"CREATE SCHEMA {partner};\n"
            text += "".join(self.seen(partner, self.tables[t], grant) for t, grant in self.partners[partner].items())
        return text

    def paths(self, schema, table):
        """(joins, key expressions) of a table's subjects, over a schema's tables."""
        joins, keys = "", []
        for i, about in enumerate(table.about):
            at = "x"
            for h, (own, parent, column) in enumerate(about.hops):
                alias = f"j{i}_{h}"
                joins += f" LEFT JOIN {schema}.{parent} AS {alias} ON {alias}.{column} = {at}.{own}"
                at = alias
            keys.append(f"{at}.{about.key}")
        return joins, keys

    def alive(self, table):
        joins, keys = self.paths(self.schema, table)
        gone = " AND ".join(f"'{a.kind}:' || {key} IS DISTINCT FROM current_setting('oracle.gone')" for a, key in zip(table.about, keys))
        return (f"CREATE VIEW alive_{self.schema}.{table.name} AS SELECT x.* FROM {self.schema}.{table.name} AS x{joins}"
                f"{' WHERE ' + gone if gone else ''};\n")

    def seen(self, partner, table, grant):
        alive = f"alive_{self.schema}"
        joins, keys = self.paths(alive, table)
        hide = [f"{key} IS NOT NULL" for a, key in zip(table.about, keys) if a.when_null in (None, "hide")]
        targets = ", ".join(f"{self.form_sql(table.columns[c], form)} AS {c}" for c, form in grant.columns.items())
        source = f"(SELECT * FROM {alive}.{table.name}{' WHERE ' + grant.condition if grant.condition else ''}) AS x"
        rest = f"FROM {source}{joins}{' WHERE ' + ' AND '.join(hide) if hide else ''};\n"
        text = f"CREATE VIEW {partner}.{table.name} AS SELECT {targets} {rest}"
        if grant.write:  # whom each row is about
            pairs = ", ".join(f"'{a.kind}:' || {key}" for a, key in zip(table.about, keys))
            text += f"CREATE VIEW {partner}.{table.name}_about AS SELECT {targets}, ARRAY[{pairs}]::text[] AS about {rest}"
        return text

    @staticmethod
    def form_sql(column, form):
        if form == "clear":
            return f"x.{column.name}"
        if form == "token":
            return f"'t' || md5('{column.subject}:' || x.{column.name})"
        return MASKS[form][2].replace("{c}", f"x.{column.name}")

    # ---- policy ----

    def form(self, column):
        if column.subject in self.token_kinds and column.subject:
            return "token"
        forms = [] if column.linked else [f for f, (kind, _, _) in MASKS.items() if kind == column.kind]
        return self.random.choice(forms) if forms and self.chance(0.3) else "clear"

    def grant(self, mode):
        grants = {}
        for table in self.tables.values():
            if self.chance(0.08) and len(self.tables) > 2:
                continue
            columns = {c.name: "clear" if mode == "stats" and c.subject not in self.token_kinds else self.form(c)
                       for c in table.columns.values() if self.chance(0.88)}
            if not columns:
                continue
            grants[table.name] = Grant(columns)
            filters = [c for c in table.columns.values() if not c.linked]
            if filters and self.chance(0.35):
                column = self.random.choice(filters)
                grants[table.name].condition = self.random.choice(FILTERS[column.kind]).replace("{c}", column.name)
                grants[table.name].filtered = column.name
            if mode == "rows" and self.chance(0.6):
                grants[table.name].write = self.write(table, columns)
        if not grants:
            return self.grant(mode)
        self.partners[f"{mode}_{self.schema}"] = grants
        return None

    def write(self, table, columns):
        clear = [c for c, form in columns.items() if form == "clear"]
        update = [c for c in clear if not table.columns[c].linked and c not in table.key]
        insert = clear if all(c.name in clear for c in table.columns.values() if c.required) else []
        write = {**({"update": update} if update else {}), **({"insert": insert} if insert else {}), **({"delete": True} if self.chance(0.6) else {})}
        return write or None

    def kinds_seen(self, partner):
        """Dataset -> column -> kind, as this partner's queries find them."""
        def kind(column, form):
            return column.kind if form == "clear" else "token" if form == "token" else MASKS[form][1]
        return {t: {c: kind(self.tables[t].columns[c], form) for c, form in grant.columns.items()}
                for t, grant in self.partners[partner].items()}

    def policy(self, whole):
        """Adds this world's part to a policy, a dict."""
        for kind, (table, key) in self.kinds.items():
            whole["subjects"][kind] = {"dataset": table, "key": key}
        for table in self.tables.values():
            subject = [{"kind": a.kind, **({"via": [{"dataset": p, "on": {own: column}} for own, p, column in a.hops]} if a.hops else {}),
                        **({} if a.inherits else {"key": a.key, **({"when_null": a.when_null} if a.when_null else {})})} for a in table.about]
            whole["datasets"][table.name] = {"table": f"{self.schema}.{table.name}", "subject": subject or "none",
                                             "columns": {c: {} for c in table.columns}}
        for name, grants in self.partners.items():
            whole["partners"][name] = self.partner(name, grants)

    @staticmethod
    def partner(name, grants):
        most = 1000000000
        made = {"contract": {"agreement": "A", "breach_contact": {"name": "B", "phone": "1"}}, "purposes": ["test"],
                "agents": [{"name": "one", "identity": {"certificate": f"spiffe://{name}/one"}}],
                "valid": {"from": "2020-01-01", "until": "2099-12-31"},
                "grants": [{"dataset": t, "columns": g.columns, **({"rows": g.condition} if g.condition else {}),
                            **({"write": g.write} if g.write else {})} for t, g in grants.items()],
                "aggregates": {"min_subjects": 3},
                "budget": {"subjects": {"per_day": most, "total": most}, "rows_per_statement": most, "errors_per_day": most, "probes_per_day": most}}
        return {**made, "mode": "aggregates"} if name.startswith("stats") else made

    # ---- what the column oracle changes ----

    def changes(self, partner, recorded):
        """(dataset, column, whom the row is about, where, value that it has, kind) of cells that may be changed."""
        found = []
        for name, grant in self.partners[partner].items():
            table = self.tables[name]
            columns = [c for c in grant.columns if not table.columns[c].linked and c not in table.key and c != grant.filtered]
            for row in table.rows if columns else []:
                about = self.about(table, row) & recorded
                if about:
                    where = " AND ".join(f"{k} = {literal(row[k])}" for k in table.key)
                    found += [(name, c, about, where, row[c], table.columns[c]) for c in columns]
        return found


def policy(worlds):
    whole = {"controller": {"name": "World", "dpo": {"name": "D", "email": "d@world.example"}}, "subjects": {}, "datasets": {},
             "masks": {"shout": {"sql": "upper({column})"}}, "partners": {}}
    for world in worlds:
        world.policy(whole)
    return whole


# What judges deletions and changes, beside the data: each statement is planned once and run many times.
# `wanted` are the rows that count; what is returned of them are those that went.
FUNCTIONS = """
CREATE SCHEMA oracle;
CREATE FUNCTION oracle.rows(OUT given text[]) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'EXECUTE oracle_query' INTO given;
EXCEPTION WHEN query_canceled OR data_exception OR cardinality_violation THEN
    given := NULL;
END $$;
CREATE FUNCTION oracle.deletions(gones text[], OUT gone text, OUT failed boolean, OUT lost text[], OUT added boolean)
RETURNS SETOF record LANGUAGE plpgsql AS $$
DECLARE
    base text[]; after text[];
BEGIN
    base := oracle.rows();
    FOREACH gone IN ARRAY gones LOOP
        PERFORM set_config('oracle.gone', gone, false);
        after := oracle.rows();
        failed := after IS NULL;
        lost := '{}'; added := false;
        IF NOT failed AND after <> base THEN
            lost := ARRAY(SELECT unnest(base) EXCEPT ALL SELECT unnest(after));
            added := EXISTS (SELECT unnest(after) EXCEPT ALL SELECT unnest(base));
        END IF;
        RETURN NEXT;
    END LOOP;
    PERFORM set_config('oracle.gone', '', false);
END $$;
CREATE FUNCTION oracle.changes(statements text[], OUT lost text[]) RETURNS SETOF text[] LANGUAGE plpgsql AS $$
DECLARE
    base text[]; after text[]; statement text;
BEGIN
    base := oracle.rows();
    FOREACH statement IN ARRAY statements LOOP
        BEGIN
            EXECUTE statement;
            after := oracle.rows();
            RAISE EXCEPTION USING errcode = 'ZZ001';
        EXCEPTION WHEN SQLSTATE 'ZZ001' THEN
            lost := ARRAY(SELECT unnest(base) EXCEPT ALL SELECT unnest(coalesce(after, base)));
        WHEN integrity_constraint_violation THEN
            lost := '{}';
        END;
        RETURN NEXT;
    END LOOP;
END $$;
"""
