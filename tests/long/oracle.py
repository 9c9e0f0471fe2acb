"""Removal oracle: whom a query's result depends on is found by deleting each subject in turn and running
the query again; everyone whose deletion changes or removes a row must be in the ledger for that query.

    tests/run oracle [--cases N] [--minutes M] [--seed S] [--jobs J] [--verbose] [--first] [--turned SHARE] [--misses FOLDER]

Schemas, policies, rows and queries are random (harness/oracle_world.py, oracle_queries.py). A query that is
valid on plain views, which say by hand what the partner may see, is run through the gateway; what it gives
must be what they give. Then every subject is taken out of the views in turn. Rows that a deletion only adds
are negative information: counted apart. Likewise for columns: one value of an affected subject is changed;
where that takes a row away, the column must be among those recorded for that subject (columns_seen: how
often it did). accepted: of valid queries, so is acceptance; failed: those with an error that says neither that
it is refused nor that the data is to blame. tight: of the subjects recorded as direct, how many did matter.
Constructs and refusals are listed with --verbose; --misses makes misses shorter and writes them into a folder.
    RESULT cases=… valid=… accepted=… refused=… failed=… acceptance=… missed=… columns_seen=… columns_missed=…
           different=… tight=… added=… rate=… seed=…
"""
import collections
import dataclasses
import json
import multiprocessing
import pathlib
import random
import sys
import time

import psycopg
import psycopg2
import psycopg2.extensions
import yaml

from harness import longrun, oracle_shrink, oracle_world
from harness.oracle_queries import Queries

WORLDS = 12        # beside each other in one database
ROWS = 150         # cases of a world before its rows change
CHANGES = 4        # values changed for each statement
SHRUNK = 25        # statements that break the law and are made shorter
MOST_ROWS = 300    # of a result that is judged
STATISTICS = 0.05  # share of the cases that a partner with mode: aggregates asks
REFUSED = ("42501", "0A000", "42P01", "42703", "42601", "42803", "42804", "42883", "42702", "54000", "54001", "42P10", "42725", "42P18")
# What plan_upstream_error() says where the database does not take what the gateway made of a valid statement.
BROKEN = ("the database does not support", "the database found a syntax", "the database did not accept", "a column must stand in GROUP BY", "types do not match",
          "no function or operator fits", "more than one function", "ORDER BY or DISTINCT refers", "a table that policy names", "a column that policy names",
          "a column name is ambiguous", "a column name appears twice", "there is no cast", "the gateway's role lacks", "two collations", "a window function cannot")
RAW = psycopg2.extensions.new_type((16, 17, 20, 21, 23, 25, 114, 700, 701, 1000, 1005, 1007, 1009, 1015, 1016, 1043, 1082, 1114, 1182, 1231, 1700, 2950, 3802),
                                   "RAW", lambda value, _: value)


@dataclasses.dataclass
class Case:
    world: oracle_world.World
    partner: str
    statement: object
    sql: str              # with values in it, as views are asked
    expected: list = None # rows that the views gave
    rows: list = None     # that the gateway gave
    told: dict = None     # subject -> (grades, columns) recorded


def raw_rows(connection, sql):
    """(types, rows) with every value as the server wrote it."""
    with connection.cursor() as cursor:
        psycopg2.extensions.register_type(RAW, cursor)
        cursor.execute(sql)
        return [c.type_code for c in cursor.description or []], cursor.fetchmany(MOST_ROWS + 1)


def normal(row):
    """Tokens alike: each side has its own."""
    return tuple("TOKEN" if cell and oracle_world.TOKEN.match(cell) else cell for cell in row)


class Oracle(longrun.Stage):
    def __init__(self, seed, misses=None, turned=0.35):
        super().__init__()
        self.random, self.misses, self.turned = random.Random(seed), misses, turned
        self.count, self.reasons = collections.Counter(), collections.Counter()
        self.valid, self.passed = collections.Counter(), collections.Counter()  # by construct
        self.direct_of, self.mattered_of = collections.Counter(), collections.Counter()
        self.shortest, self.seen = {}, collections.Counter()
        self.worlds, self.partners, self.ages = [], {}, {}
        self.sequence, self.direct, self.admin = 0, None, None

    # ---- the stage ----

    def close(self):
        self.end_worlds()
        super().close()

    def end_worlds(self):
        if self.gateway:
            for connection in [c for pair in self.partners.values() for c in pair] + [self.direct, self.admin]:
                connection.close()
            self.stop_gateway()

    def new_worlds(self):
        self.end_worlds()
        self.worlds = [oracle_world.World(self.random, n) for n in range(WORLDS)]
        self.ages = dict.fromkeys(range(WORLDS), 0)
        sql = "SET oracle.gone = '';\n" + oracle_world.FUNCTIONS + "".join(w.schema_sql() for w in self.worlds) + "ANALYZE;\n"
        policy = yaml.safe_dump(oracle_world.policy(self.worlds), sort_keys=False)
        database = self.start(sql, policy, {"ledger": {"segment_bytes": 1024 * 1024}})
        self.cluster.rows(f"ALTER DATABASE {database} SET jit = off")
        self.partners = {p: (psycopg2.connect(self.gateway.url(f"{p}.one")), self.gateway.connect(f"{p}.one")) for w in self.worlds for p in w.partners}
        self.direct = psycopg2.connect(self.cluster.url(database))
        self.admin = psycopg2.connect(host=self.gateway.run_dir, port=self.gateway.settings["admin"]["port"], dbname="cofferdam")
        for connection in [self.direct, self.admin] + [pair[0] for pair in self.partners.values()]:
            connection.autocommit = True
        self.ask("SET oracle.gone = ''; SET session_replication_role = replica; SET statement_timeout = '3s'; SET jit = off; SET max_parallel_workers_per_gather = 0")
        self.sequence = 0

    def ask(self, sql):
        with self.direct.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def recorded(self):
        """Subject -> (grades, columns) that were recorded since this was asked last."""
        told = collections.defaultdict(lambda: (set(), set()))
        with self.admin.cursor() as cursor:
            cursor.execute(f"SHOW DISCLOSED AFTER {self.sequence}")
            for sequence, _, kind, key, grade, columns in cursor.fetchall():
                self.sequence = max(self.sequence, int(sequence))
                told[kind, key][0].add(grade)
                told[kind, key][1].update(c.split(":")[0] for c in columns.replace(",", " ").split())
        return told

    # ---- a case ----

    def new_case(self):
        world = self.random.choice(self.worlds)
        self.ages[world.number] += 1
        if self.ages[world.number] % ROWS == 0:
            world.fill()
            self.ask(world.rows_sql())
        rows, stats = world.partners
        partner = stats if self.random.random() < STATISTICS else rows
        queries = Queries(self.random, world.kinds_seen(partner))
        statement = queries.turned() if self.random.random() < self.turned else queries.statement()
        if partner == stats and (self.random.random() < 0.7 or statement.constructs & {"LIMIT", "OFFSET"}):
            statement = queries.statistic()  # small groups are kept back before a LIMIT counts: not judged here
        literals = [f"{v}::smallint" if isinstance(v, int) else f"'{v}'" for v in statement.values]
        return Case(world, partner, statement, statement.sql.format(*literals))

    def through_gateway(self, case):
        """(types, rows); by simple queries, or by the extended protocol where values are bound."""
        simple, extended = self.partners[case.partner]
        if not case.statement.values and self.random.random() < 0.8:
            return raw_rows(simple, case.sql)
        marks = [f"%(p{i})s" for i in range(len(case.statement.values))]
        sql = case.statement.sql.replace("%", "%%").format(*marks)
        values = {f"p{i}": v for i, v in enumerate(case.statement.values)}
        cursor = extended.execute(sql, values, prepare=self.random.choice([None, True, False]))
        result = cursor.pgresult
        rows = [tuple(None if v is None else v.decode() for v in (result.get_value(r, c) for c in range(result.nfields))) for r in range(result.ntuples)]
        return [result.ftype(c) for c in range(result.nfields)], rows

    def case(self):
        self.count["cases"] += 1
        self.try_case(self.new_case())

    def try_case(self, case):
        try:
            types, expected = raw_rows(self.direct, f"SET search_path = {case.partner}; {case.sql}")
        except psycopg2.Error as error:
            self.count["invalid" if error.pgcode[:2] == "42" or error.pgcode[:2] == "0A" else "fails"] += 1
            if error.pgcode[:2] in ("42", "0A"):
                self.reasons["invalid", error.pgcode, error.diag.message_primary[:60]] += 1
            return
        if len(expected) > MOST_ROWS or not types:
            self.count["large"] += 1
            return
        self.count["valid"] += 1
        self.valid.update(case.statement.constructs or {"plain"})
        try:
            got_types, case.rows = self.through_gateway(case)
        except (psycopg2.Error, psycopg.Error) as error:
            self.failed(case, getattr(error, "pgcode", None) or getattr(error, "sqlstate", None), error)
            return
        self.count["accepted"] += 1
        self.passed.update(case.statement.constructs or {"plain"})
        case.told = self.recorded()
        case.expected = expected
        self.compare(case, types, got_types)
        self.judge(case, len(types))

    def failed(self, case, sqlstate, error):
        text = error.diag.message_primary or ""
        broken = text.startswith(BROKEN)
        if sqlstate in REFUSED and not broken and case.partner.startswith("stats") and "statistic" not in case.statement.constructs:
            self.count["no_statistic"] += 1
            self.count["valid"] -= 1
            self.valid.subtract(case.statement.constructs or {"plain"})
            return
        if sqlstate in REFUSED and not broken:
            self.count["refused"] += 1
            self.reasons["refused", sqlstate, text[:90]] += 1
            return
        self.recorded()
        # Which rows an expression that can fail is tried on is the planner's choice: no difference.
        if sqlstate and sqlstate.startswith(("22", "21")):
            self.count["only_gateway_fails"] += 1
            return
        self.count["failed"] += 1
        self.report("FAILED", case, f"{sqlstate} {text}")

    def compare(self, case, types, got_types):
        """Rows-mode results are equal; of statistics, small groups may be missing."""
        got, wanted = [normal(r) for r in case.rows], [normal(r) for r in case.expected]
        if case.partner.startswith("stats"):
            wrong = collections.Counter(got) - collections.Counter(wanted)
        else:
            wrong = got != wanted and (case.statement.ordered or collections.Counter(got) != collections.Counter(wanted))
        if wrong or types != got_types:
            self.count["different"] += 1
            self.report("DIFFERENT", case, f"gateway={got[:6]} {got_types}\n  views={wanted[:6]} {types}")

    # ---- the law ----

    def judge(self, case, width):
        columns = ", ".join(f"a{i}" for i in range(width))
        texts = ", ".join(f"a{i}::text" for i in range(width))
        self.ask(f"DEALLOCATE ALL; PREPARE oracle_query AS SELECT coalesce(array_agg(jsonb_build_array({texts})::text), '{{}}') FROM ({case.sql}) AS q({columns})")
        subjects = case.world.subjects()
        lost = set()
        with self.direct.cursor() as cursor:
            cursor.execute("SELECT * FROM oracle.deletions(%s)", ([f"{kind}:{key}" for kind, key in subjects],))
            for (gone, failed, rows, added), pair in zip(cursor.fetchall(), subjects):
                self.count["failed_deletions"] += failed
                if self.shown(case, rows):
                    lost.add(pair)
                else:
                    self.count["added"] += added
        direct = {pair for pair, (grades, _) in case.told.items() if "direct" in grades}
        self.count["affected"] += len(lost)
        self.count["recorded"] += len(case.told)
        self.count["direct"] += len(direct)
        self.count["direct_mattered"] += len(direct & lost)
        for construct in case.statement.constructs or {"plain"}:
            self.direct_of[construct] += len(direct)
            self.mattered_of[construct] += len(direct & lost)
        missed = lost - set(case.told)
        if missed:
            self.count["missed"] += len(missed)
            self.report("MISSED", case, f"missed={sorted(missed)}\n  affected={sorted(lost)}")
        self.judge_columns(case, lost)

    @staticmethod
    def shown(case, rows):
        """Whether a row that the partner got is lost with these: of a statistic, some groups are kept back."""
        if not case.partner.startswith("stats") or not rows:
            return bool(rows)
        lost = collections.Counter(tuple(json.loads(row)) for row in rows)
        got, base = (collections.Counter(tuple({"t": "true", "f": "false"}.get(cell, cell) for cell in row) for row in given)
                     for given in (case.rows, case.expected))
        return any(base[row] - n < got[row] for row, n in lost.items())

    def takes(self, case, statements):
        """For each change of the data: whether it takes a row of the result away."""
        with self.direct.cursor() as cursor:
            cursor.execute("SELECT * FROM oracle.changes(%s)", (statements,))
            return [self.shown(case, rows) for rows, in cursor.fetchall()]

    def judge_columns(self, case, lost):
        choices = case.world.changes(case.partner, lost)
        choices = self.random.sample(choices, min(CHANGES, len(choices)))
        if not choices:
            return
        schema, literal = case.world.schema, oracle_world.literal
        updates = []
        for dataset, name, _, where, value, column in choices:
            others = [v for v in oracle_world.VALUES[column.kind] + [oracle_world.FRESH[column.kind]] + [None] * (not column.required)
                      if v != value and not (v is None and column.required)]
            updates.append(f"UPDATE {schema}.{dataset} SET {name} = {literal(self.random.choice(others))} WHERE {where}")
        for choice, took in zip(choices, self.takes(case, updates)):
            if not took:
                continue
            self.count["columns_seen"] += 1
            dataset, name, about, where, _, column = choice
            without = sorted(pair for pair in about if pair in case.told and f"{dataset}.{name}" not in case.told[pair][1])
            if not without:
                continue
            # It may be that the change brought the row into something: then it was not there, and nothing was missed.
            table = f"{schema}.{dataset}"
            values = [oracle_world.FRESH[column.kind]] + [None] * (not column.required)
            checks = [f"DELETE FROM {table} WHERE {where}"] + [f"UPDATE {table} SET {name} = {literal(v)} WHERE {where}" for v in values]
            if not all(self.takes(case, checks)):
                continue
            self.count["columns_missed"] += 1
            self.report("COLUMN", case, f"{dataset}.{name} where {where} of {without}")

    # ---- what is told of a miss ----

    def report(self, what, case, detail):
        print(self.text(what, case, detail), flush=True)
        key = what, detail if what == "FAILED" else frozenset(case.statement.constructs)
        if self.misses and self.seen[key] < 3 and self.seen.total() < SHRUNK:
            self.seen[key] += 1
            self.shrink(what, case)

    @staticmethod
    def text(what, case, detail):
        told = {f"{k}={v}": (sorted(g), sorted(c)) for (k, v), (g, c) in sorted((case.told or {}).items())}
        return f"{what} partner={case.partner}\n  {case.sql}\n  {detail}\n  recorded={told}"

    def shrink(self, what, case):
        """Keeps the shortest statement of its words that breaks the law in the same way."""
        kept, told = dict(self.__dict__), []
        self.reasons, self.valid, self.passed = (collections.Counter() for _ in range(3))
        self.direct_of, self.mattered_of = collections.Counter(), collections.Counter()
        self.report = lambda now, shorter, detail: told.append((now, self.text(now, shorter, detail), shorter.rows))
        self.through_gateway = lambda shorter: raw_rows(self.partners[shorter.partner][0], shorter.sql)

        def breaks(sql):
            before = len(told)
            self.count = collections.Counter()
            self.try_case(dataclasses.replace(case, sql=sql, expected=None, rows=None, told=None))
            return what in [now for now, *_ in told[before:]]
        short = oracle_shrink.shrink(case.sql, breaks)
        breaks(short)
        self.__dict__.update(kept, sequence=self.sequence)
        del self.report, self.through_gateway  # the class's own are back
        found = [entry for entry in told if entry[0] == what][-1:]
        for _, text, rows in found:
            key, world = (what, oracle_shrink.words(short)), case.world
            parts = f"{text}\n  rows={(rows or [])[:8]}\n\n{world.schema_sql()}\n{yaml.safe_dump(oracle_world.policy([world]), sort_keys=False)}"
            self.shortest[key] = min(self.shortest.get(key, (1 << 30, "")), (len(short), parts))


def run_part(options, seed, cases):
    """One process's share of the cases."""
    oracle = Oracle(seed, options.misses, options.turned)
    try:
        for case in range(cases):
            if time.monotonic() > options.deadline:
                break
            if case % options.world == 0:
                oracle.new_worlds()
            oracle.case()
            if options.first and (oracle.count["missed"] or oracle.count["columns_missed"]):
                break
    finally:
        oracle.close()
    return oracle.count, oracle.reasons, oracle.valid, oracle.passed, oracle.direct_of, oracle.mattered_of, oracle.shortest


def print_details(reasons, valid, passed, direct, mattered):
    print("accepted of valid statements, by construct, and how many of those recorded as direct did matter:")
    for construct, n in sorted((+valid).items(), key=lambda item: passed[item[0]] / item[1]):
        print(f"  {construct:24} {passed[construct]:6} of {n:6}  {passed[construct] / n:.2f}  "
              f"tight {mattered[construct] / direct[construct] if direct[construct] else 1:.2f}")
    for (what, sqlstate, message), n in reasons.most_common(60):
        print(f"{n:6} {what} {sqlstate} {message}")


def write_misses(folder, shortest):
    """A file for each of the shortest statements, numbered by length."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for n, ((what, words), (_, text)) in enumerate(sorted(shortest.items(), key=lambda item: item[1]), 1):
        (folder / f"{n:02}.md").write_text(f"# {what}: {' '.join(sorted(words))}\n```\n{text}```\n")


def more_options(parser):
    parser.add_argument("--world", type=int, default=2500, help="cases before there are new schemas")
    parser.add_argument("--jobs", type=int, default=1, help="processes, each with a database and a gateway of its own")
    parser.add_argument("--verbose", action="store_true", help="what was accepted, by construct, and why statements were refused")
    parser.add_argument("--turned", type=float, default=0.35, help="share of the statements that are made to add rows where rows go")
    parser.add_argument("--first", action="store_true", help="end with the first miss")
    parser.add_argument("--misses", help="a folder for the shortest statements that broke the law")


def main():
    options = longrun.options(__doc__, 1000, more_options)
    began = time.monotonic()
    parts = [(options, options.seed + 1000003 * job, options.cases // options.jobs) for job in range(options.jobs)]
    if options.jobs == 1:
        done = [run_part(*parts[0])]
    else:
        with multiprocessing.Pool(options.jobs) as pool:
            done = pool.starmap(run_part, parts)
    count, reasons, valid, passed, direct, mattered = (sum((part[i] for part in done), collections.Counter()) for i in range(6))
    shortest = {}
    for part in done:
        for key, found in part[6].items():
            shortest[key] = min(found, shortest.get(key, found))
    if options.verbose:
        print_details(reasons, valid, passed, direct, mattered)
        print(dict(count))
    if options.misses:
        write_misses(options.misses, shortest)
    ratio = lambda a, b: count[a] / count[b] if count[b] else 1.0
    print(f"RESULT cases={count['cases']} valid={count['valid']} accepted={count['accepted']} refused={count['refused']} failed={count['failed']} "
          f"acceptance={ratio('accepted', 'valid'):.3f} missed={count['missed']} columns_seen={count['columns_seen']} "
          f"columns_missed={count['columns_missed']} different={count['different']} tight={ratio('direct_mattered', 'direct'):.3f} "
          f"added={count['added']} rate={count['cases'] / (time.monotonic() - began):.0f} seed={options.seed}")
    broken = count["failed"] > count["valid"] * 0.05  # they fail closed: a defect, and no breach of the promise
    bad = count["missed"] or count["columns_missed"] or count["different"] or broken or count["valid"] < count["cases"] * 0.5
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
