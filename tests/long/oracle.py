"""Removal oracle: whom a query's result depends on is found by deleting each subject in turn and running
the query again; everyone whose deletion changes or removes a row must be in the ledger for that query.

    tests/run oracle [--cases N] [--minutes M] [--seed S] [--verbose]

A statement is run through the gateway; what it gives must be what plain views give (they say by hand
what the partner may see). Then, on the database itself, every subject's rows are deleted in turn, in a
transaction that is rolled back. Rows that a deletion only adds are negative information: counted apart.
Likewise for columns: one value of a recorded subject is changed; where that takes a row away, the column
must be among those recorded for that subject (columns_seen: how often it did).
    RESULT cases=… accepted=… refused=… missed=… columns_seen=… columns_missed=… different=… tight=… added=… seed=…
"""
import collections
import random
import re
import sys
import time

import psycopg

from harness import longrun, world

from harness.queries import Queries

AGENTS = {"rows": "rows.one", "stats": "stats.one"}
CHANGES = 6  # values changed for each statement
REFUSED = ("42501", "0A000", "42P01", "42703", "42601", "42803", "42804", "42883", "42702", "54000", "54001")


def fill(text, born):
    return text.replace("{year_of_born}", born["sql"]).replace("{born_type}", born["type"])


class Oracle(longrun.Stage):
    def __init__(self, seed, verbose):
        super().__init__()
        self.random, self.verbose = random.Random(seed), verbose
        self.count = collections.Counter()
        self.reasons = collections.Counter()
        self.direct = self.parameters = None

    def close(self):
        self.end_world()
        super().close()

    def end_world(self):
        if self.gateway:
            for connection in self.partners.values():
                connection.close()
            self.admin.close()
            self.direct.close()
            self.stop_gateway()

    def new_world(self):
        self.end_world()
        # The built-in mask `year` gives an integer; its view says the same by hand.
        born = {"sql": "extract(year FROM born)::int", "type": "int"}
        sql = world.SCHEMA + world.data(self.random) + "ANALYZE;\n" + "".join(fill(v, born) for v in world.DIRECT.values())
        database = self.start(sql, world.POLICY)
        self.partners = {p: self.gateway.connect(a) for p, a in AGENTS.items()}
        self.direct = self.cluster.connect(database)
        self.admin = psycopg.connect(f"host={self.gateway.run_dir} port={self.gateway.settings['admin']['port']} dbname=cofferdam",
                                     autocommit=True, prepare_threshold=None)
        self.about = {dataset: [(key, {pair for pair in (("person", str(person)), ("staff", str(staff))) if pair[1] != "None"})
                                for key, person, staff in self.direct.execute(sql).fetchall()]
                      for dataset, (_, sql, _) in world.CHANGES.items()}
        self.columns = {p: {d: {c: fill(k, born) for c, k in cs.items()} for d, cs in ds.items()}
                        for p, ds in world.COLUMNS.items()}

    def run_direct(self, sql):
        """Rows as views give them, or None where the data makes the statement fail."""
        try:
            return [world.normal(row) for row in self.direct.execute(sql, self.parameters).fetchall()]
        except psycopg.Error:
            return None

    def last_sequence(self):
        rows = self.admin.execute("SHOW LEDGER LAST 1").fetchall()
        return int(rows[-1][0])

    def recorded(self, after):
        """Subject -> text of the columns that were recorded for it."""
        told = collections.defaultdict(str)
        for _, _, kind, key, _, columns in self.admin.execute(f"SHOW DISCLOSED AFTER {after}").fetchall():
            told[kind, key] += f" {columns}"
        return told

    def base(self, partner, sql):
        self.direct.execute(f"SET search_path = direct_{partner}")
        return self.run_direct(sql)

    def affected(self, sql, rows):
        """(subjects whose deletion takes one of the rows away, how many only add some)."""
        shown, lost, added = collections.Counter(rows), set(), 0
        for kind, key in world.subjects():
            after = None
            with self.direct.transaction(force_rollback=True):
                for statement in world.DELETE[kind]:
                    self.direct.execute(statement, (key,))
                try:
                    with self.direct.transaction(force_rollback=True):
                        after = collections.Counter(world.normal(r) for r in self.direct.execute(sql, self.parameters).fetchall())
                except psycopg.Error:
                    pass
            if after is None:
                continue
            if shown - after:
                lost.add((kind, str(key)))
            elif after - shown:
                added += 1
        return lost, added

    def changed(self, sql, change, parameters):
        """Rows after a change of the data, or None where the statement then fails."""
        with self.direct.transaction(force_rollback=True):
            self.direct.execute("SET LOCAL session_replication_role = replica")  # no foreign keys
            self.direct.execute(change, parameters)
            try:
                with self.direct.transaction(force_rollback=True):
                    return collections.Counter(world.normal(r) for r in self.direct.execute(sql, self.parameters).fetchall())
            except psycopg.Error:
                return None

    def judge_columns(self, partner, sql, rows, recorded):
        """Changes some values of recorded subjects and looks whether their columns are recorded."""
        shown = collections.Counter(rows)
        granted = self.columns[partner]
        choices = [(dataset, key, column, about & recorded.keys()) for dataset, rows in self.about.items() if dataset in granted
                   for key, about in rows if about & recorded.keys()
                   for column in world.CHANGES[dataset][2] if column in granted[dataset]]
        for dataset, key, column, about in self.random.sample(choices, min(CHANGES, len(choices))):
            value = self.random.choice(world.CHANGES[dataset][2][column])
            name = world.CHANGES[dataset][0]
            update = f"UPDATE w.{dataset} SET {column} = %s WHERE {name} = %s"

            def takes(change, *parameters):
                after = self.changed(sql, change, parameters)
                return after is not None and bool(shown - after)
            if not takes(update, value, key):
                continue
            self.count["columns_seen"] += 1
            if not any(re.search(rf"\b{dataset}\.{column}\b", recorded[pair]) for pair in about):
                # It may be that the change brought the row into something: then it was not there, and nothing was missed.
                if not all((takes(f"DELETE FROM w.{dataset} WHERE {name} = %s", key), takes(update, None, key), takes(update, world.FRESH[column], key))):
                    continue
                self.count["columns_missed"] += 1
                print(f"COLUMN {dataset}.{column} of {sorted(about)} partner={partner}\n  {sql} {self.parameters}\n  recorded="
                      f"{ {pair: recorded[pair] for pair in about} }", flush=True)

    def judge(self, partner, sql, rows, told):
        lost, added = self.affected(sql, rows)
        recorded = set(told)
        self.count["added"] += added
        self.count["affected"] += len(lost)
        self.count["recorded"] += len(recorded)
        missed = lost - recorded
        if missed:
            self.count["missed"] += len(missed)
            print(f"MISSED {sorted(missed)} partner={partner}\n  {sql} {self.parameters}\n  rows={rows[:5]} recorded={sorted(recorded)}", flush=True)

    def compare(self, partner, sql, rows, expected):
        """Rows-mode results are equal; of statistics, small groups may be missing."""
        got, wanted = collections.Counter(rows), collections.Counter(expected)
        wrong = (got - wanted) if partner == "stats" else (got - wanted) + (wanted - got)
        if wrong:
            self.count["different"] += 1
            print(f"DIFFERENT partner={partner}\n  {sql} {self.parameters}\n  gateway={rows[:6]}\n  views={expected[:6]}", flush=True)

    def case(self):
        partner = self.random.choice(["rows", "rows", "rows", "stats"])
        queries = Queries(self.random, self.columns[partner], aggregates_only=partner == "stats")
        sql, self.parameters = queries.bound_statement()
        self.count["cases"] += 1
        # Small groups are suppressed before a LIMIT counts: a statistic is judged without it.
        plain = sql.split(" ORDER BY ")[0] if partner == "stats" and " LIMIT " in sql else sql
        expected = self.base(partner, plain)
        prepare = self.random.choice([None, None, True, False])
        after = self.last_sequence()
        try:
            rows = [world.normal(row) for row in self.partners[partner].execute(sql, self.parameters, prepare=prepare).fetchall()]
        except psycopg.Error as error:
            self.count["refused"] += 1
            self.reasons[(error.sqlstate, (error.diag.message_primary or "")[:90])] += 1
            # Which rows an expression that can fail is tried on is the planner's choice: no difference.
            if expected is not None and error.sqlstate.startswith("22"):
                self.count["only_gateway_fails"] += 1
            elif expected is not None and error.sqlstate not in REFUSED:
                self.count["different"] += 1
                print(f"FAILED {error.sqlstate} {error.diag.message_primary} partner={partner}\n  {sql} {self.parameters}", flush=True)
            return
        self.count["accepted"] += 1
        if expected is None:
            self.count["only_direct_fails"] += 1
            return
        self.compare(partner, sql, rows, expected)
        recorded = self.recorded(after)
        self.judge(partner, plain, rows, recorded)
        self.judge_columns(partner, plain, rows, recorded)


def more_options(parser):
    parser.add_argument("--world", type=int, default=200, help="cases before the data changes")
    parser.add_argument("--verbose", action="store_true", help="print why statements were refused")


def main():
    options = longrun.options(__doc__, 1000, more_options)
    oracle = Oracle(options.seed, options.verbose)
    try:
        for case in range(options.cases):
            if time.monotonic() > options.deadline:
                break
            if case % options.world == 0:
                oracle.new_world()
            oracle.case()
    finally:
        oracle.close()
    count = oracle.count
    if options.verbose:
        for (sqlstate, message), n in oracle.reasons.most_common(40):
            print(f"{n:6} {sqlstate} {message}")
    tight = count["affected"] / count["recorded"] if count["recorded"] else 1.0
    print(f"RESULT cases={count['cases']} accepted={count['accepted']} refused={count['refused']} "
          f"missed={count['missed']} columns_seen={count['columns_seen']} columns_missed={count['columns_missed']} "
          f"different={count['different']} tight={tight:.2f} added={count['added']} seed={options.seed}")
    bad = count["missed"] or count["columns_missed"] or count["different"] or count["accepted"] < count["cases"] * 0.3
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
