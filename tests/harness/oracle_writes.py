"""Random writes over a world, each with SELECTs on its views that say what it must tell and whom it changes.

`sql` is run in a transaction that is rolled back. `read` gives the rows that RETURNING gives, or, without it, a
row for each that is changed: removals are judged by it. `about` gives whom the changed rows are about.
"""
import dataclasses

from harness.oracle_queries import Queries, Relation, Scope
from harness.oracle_world import VALUES, literal


@dataclasses.dataclass
class Write:
    sql: str
    read: str
    about: str         # rows of kind:key
    constructs: set
    returns: bool      # whether read's rows are the rows of sql; otherwise as many are in its command tag
    counts: bool = True
    values: tuple = ()
    ordered: bool = False


class Writes:
    def __init__(self, random, world, partner):
        self.random, self.world, self.partner = random, world, partner
        self.datasets = world.kinds_seen(partner)
        self.queries = Queries(random, self.datasets)
        self.pick, self.chance = random.choice, lambda share: random.random() < share

    def write(self):
        """A write, or None where the partner may write nothing."""
        grants = self.world.partners[self.partner]
        forms = [(form, t) for t, g in grants.items() for form, right in ((self.update, "update"), (self.delete, "delete"), (self.delete, "delete"),
                                                                        (self.insert, "insert"), (self.copy, "insert"), (self.upsert, "insert")) if g.write and g.write.get(right)]
        if not forms:
            return None
        form, table = self.pick(forms)
        self.queries.reset()
        self.queries.budget = self.pick([0, 0, 1, 2])
        made = form(self.world.tables[table], grants[table])
        return made if made and not self.queries.values else None

    # ---- what stands around ----

    def target(self, table):
        """(alias, relation, its scope) of the table that is written to."""
        relation = Relation(self.queries.alias(), self.datasets[table.name])
        return relation.alias, relation, Scope.of([relation])

    def beside(self, relation):
        """(FROM's text, scope, a join condition or None): now and then one more dataset."""
        if not self.chance(0.25):
            return "", Scope.of([relation]), None
        text, other = self.queries.relation(None, [], plain=True)
        return text, Scope.of([relation, other]), self.queries.join_condition([relation], other, "")

    def where(self, scope, on):
        conditions = ([on] if on else []) + ([self.queries.condition(scope, 1)] if self.chance(0.8) else [])
        return f" WHERE {' AND '.join(conditions)}" if conditions else ""

    def returning(self, scope, alias):
        """Targets, or none. There is no sub-select in them."""
        if self.chance(0.25):
            return []
        if self.chance(0.2) and "token" not in scope.leaves:
            return [f"{alias}.*"]
        self.queries.budget = 0
        kinds = self.queries.wanted(scope)
        return [f"{self.queries.value(Scope(scope.leaves), kind, 1)} AS c{n}" for n, kind in enumerate(kinds)]

    def made(self, construct, sql, targets, rows, alias, about):
        """rows: FROM's text of the rows as they are after the write, by that alias."""
        read = f"SELECT {', '.join(targets) or '1'} FROM {rows}"
        if targets:
            sql += f" RETURNING {', '.join(targets)}"
        return Write(sql, read, about, {construct} | ({"RETURNING"} if targets else set()), bool(targets))

    def about(self, table, alias, rest):
        return f"SELECT DISTINCT unnest({alias}.about) FROM {table.name}_about AS {alias}{rest}"

    # ---- the writes ----

    def update(self, table, grant):
        alias, relation, own = self.target(table)
        source, scope, on = self.beside(relation)
        names = self.random.sample(grant.write["update"], self.pick([1, 1, 2]) if len(grant.write["update"]) > 1 else 1)
        sets = {}
        for name in names:
            column = table.columns[name]
            value = literal(self.pick(VALUES[column.kind])) if self.chance(0.5) else self.queries.value(scope, column.kind, 1)
            sets[name] = f"({value})::{column.sql_type}"
        where = self.where(scope, on)
        columns = ", ".join(f"{sets[c]} AS {c}" if c in sets else f"{alias}.{c}" for c in self.datasets[table.name])
        inner = f"(SELECT {columns} FROM {table.name} AS {alias}{', ' + source if source else ''}{where}) AS {alias}"
        sql = f"UPDATE {table.name} AS {alias} SET {', '.join(f'{c} = {v}' for c, v in sets.items())}{' FROM ' + source if source else ''}{where}"
        return self.made("UPDATE", sql, self.returning(own, alias), inner, alias, self.about(table, alias, f"{', ' + source if source else ''}{where}"))

    def delete(self, table, _):
        alias, relation, own = self.target(table)
        source, scope, on = self.beside(relation)
        where = self.where(scope, on)
        rest = f"{', ' + source if source else ''}{where}"
        sql = f"DELETE FROM {table.name} AS {alias}{' USING ' + source if source else ''}{where}"
        return self.made("DELETE", sql, self.returning(own, alias), f"{table.name} AS {alias}{rest}", alias, self.about(table, alias, rest))

    def new_row(self, table, grant, number, conflict=None):
        """A row that was not there, or that meets the key of one that is; NULL where nothing is given."""
        row = {}
        for c in table.columns.values():
            if c.name not in grant.write["insert"]:
                row[c.name] = None
            elif conflict and c.name in table.key:
                row[c.name] = conflict[c.name]
            elif c.target:
                row[c.name] = self.pick([r[c.target[1]] for r in self.world.tables[c.target[0]].rows])
            elif c.name in table.key or c.unique:
                row[c.name] = f"s{500 + number}" if c.kind == "text" else 500 + number
            else:
                row[c.name] = self.pick(VALUES[c.kind])
        return row

    def insert_text(self, table, grant, rows):
        names = grant.write["insert"]
        values = ", ".join("(" + ", ".join(literal(row[c]) for c in names) + ")" for row in rows)
        return f"INSERT INTO {table.name} ({', '.join(names)}) VALUES {values}"

    def whom(self, pairs):
        values = ", ".join(f"('{kind}:{key}')" for kind, key in sorted(pairs))
        return f"SELECT * FROM (VALUES {values}) AS v(k)" if values else "SELECT '' WHERE false"

    def insert(self, table, grant):
        rows = [self.new_row(table, grant, n) for n in range(self.pick([1, 1, 2]))]
        relation = Relation(table.name, self.datasets[table.name])
        columns = ", ".join(f"{self.world.form_sql(table.columns[c], form)} AS {c}" for c, form in grant.columns.items())
        given = " UNION ALL ".join("SELECT " + ", ".join(f"{literal(row[c.name])}::{c.sql_type} AS {c.name}" for c in table.columns.values()) for row in rows)
        pairs = {pair for row in rows for pair in self.world.about(table, row)}
        return self.made("INSERT", self.insert_text(table, grant, rows), self.returning(Scope.of([relation]), table.name),
                         f"(SELECT {columns} FROM ({given}) AS x) AS {table.name}", table.name, self.whom(pairs))

    def copy(self, table, grant):
        """INSERT of rows that are there, with new keys: about the same people."""
        if any(c.linked and c.name not in grant.write["insert"] for c in table.columns.values() if c.target):
            return None
        alias, relation, scope = self.target(table)
        source, where = f"{table.name} AS {alias}", self.where(scope, None)
        fresh = lambda c: f"{alias}.{c.name} || 'x'" if c.kind == "text" else f"{alias}.{c.name} + 500"
        values = [fresh(c) if (c.name in table.key and not c.target and c.kind in ("int", "text")) or c.unique else f"{alias}.{c.name}"
                  for c in (table.columns[name] for name in grant.write["insert"])]
        if any(a.key in table.key for a in table.about):
            return None  # of whom the new rows are is another matter
        read = f"SELECT {', '.join(values)} FROM {source}{where}"
        return Write(f"INSERT INTO {table.name} ({', '.join(grant.write['insert'])}) {read}", read, self.about(table, alias, where), {"INSERT SELECT"}, False)

    def upsert(self, table, grant):
        """Changes a row that is there, and whom it is about stays as it was."""
        names = [c for c in grant.write.get("update", []) if c in grant.write["insert"] and c != grant.filtered]
        if not names or not set(table.key) <= set(grant.write["insert"]):
            return None
        old = self.pick(table.rows)
        row, name = self.new_row(table, grant, 0, old), self.pick(names)
        given = ", ".join(c for c in table.key)
        sql = f"{self.insert_text(table, grant, [row])} ON CONFLICT ({given}) DO UPDATE SET {name} = {self.pick([f'EXCLUDED.{name}', literal(self.pick(VALUES[table.columns[name].kind]))])}"
        where = " AND ".join(f"a.{k} = {literal(old[k])}" for k in table.key)
        return Write(sql, f"SELECT 1 FROM {table.name} AS a WHERE {where}", self.whom(self.world.about(table, old)), {"ON CONFLICT"}, False, counts=False)
