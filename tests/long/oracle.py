"""Removal oracle: whom a query's result depends on is found by deleting each subject in turn and running
the query again; everyone whose deletion changes or removes a row must be in the ledger for that query.

    tests/run oracle [--cases N] [--minutes M] [--seed S] [--jobs J] [--verbose] [--first] [--turned SHARE] [--ways SHARE] [--writes SHARE]
                     [--misses FOLDER]

Schemas, policies, rows and queries are random (harness/oracle_world.py, oracle_queries.py). A query that is
valid on plain views, which say by hand what the partner may see, is run through the gateway; what it gives
must be what they give. Then every subject is taken out of the views in turn. Rows that a deletion only adds
are negative information: counted apart. Likewise for columns: one value of an affected subject is changed;
where that takes a row away, the column must be among those recorded for that subject (columns_seen: how
often it did).

Rows leave in many ways (harness/oracle_ways.py): some statements are asked by COPY, by cursors and portals in pieces,
to the end or not, by PREPARE and EXECUTE, or among others of one query. What was not fetched needs no record. Writes
(harness/oracle_writes.py) are rolled back: what they return is judged as the SELECT of it, and whoever the changed
rows are about must be recorded as changed.

accepted: of valid queries, so is acceptance; failed: those with an error that says neither that it is refused nor
that the data is to blame. writes: how many were judged.

tight: of the subjects recorded as direct by SELECTs fetched whole, how many did matter. It cannot be 1 where a
subject's data is in what left and the same would have left without it, which only asking again without each subject
could tell: rows alike merge (DISTINCT, DISTINCT ON, UNION, INTERSECT, EXCEPT, GROUP BY), an aggregate, a window or a
sub-select's value comes out alike without one of its rows (min, max, bool_and, NULLs; HAVING only asks), or a row
alike takes the place of one that goes (LIMIT, OFFSET). tight_rows: over the statements that have none of these.
Constructs and refusals are listed with --verbose; --misses makes misses shorter and writes them into a folder.
    RESULT cases=… valid=… accepted=… refused=… failed=… acceptance=… missed=… columns_seen=… columns_missed=…
           different=… writes=… tight=… tight_rows=… added=… rate=… seed=…
"""
import collections
import dataclasses
import json
import multiprocessing
import pathlib
import random
import sys
import time

import psycopg2
import yaml

from harness import longrun, oracle_shrink, oracle_ways, oracle_world, oracle_writes, rawclient
from harness.oracle_queries import Queries

WORLDS = 12        # beside each other in one database
ROWS = 150         # cases of a world before its rows change
CHANGES = 4        # values changed for each statement
SHRUNK = 25        # statements that break the law and are made shorter
MOST_ROWS = 300    # of a result that is judged
ALIKE = {"DISTINCT", "DISTINCT ON", "UNION", "INTERSECT", "EXCEPT", "GROUP BY", "ROLLUP", "CUBE", "GROUPING SETS", "aggregate", "ordered-set aggregate",
         "HAVING", "window", "scalar sublink", "ARRAY sublink", "LIMIT", "LIMIT inside", "OFFSET", "OFFSET inside"}  # what tight_rows leaves out
BOOLEAN = 16       # as a type
CHANGED = "changed" # as a grade
STATISTICS = 0.05  # share of the cases that a partner with mode: aggregates asks
REFUSED = ("42501", "0A000", "42P01", "42703", "42601", "42803", "42804", "42883", "42702", "54000", "54001", "42P10", "42725", "42P18")
# What plan_upstream_error() says where the database does not take what the gateway made of a valid statement.
BROKEN = ("the database does not support", "the database found a syntax", "the database did not accept", "a column must stand in GROUP BY", "types do not match",
          "no function or operator fits", "more than one function", "ORDER BY or DISTINCT refers", "a table that policy names", "a column that policy names",
          "a column name is ambiguous", "a column name appears twice", "there is no cast", "the gateway's role lacks", "two collations", "a window function cannot")


@dataclasses.dataclass
class Case:
    world: oracle_world.World
    partner: str
    statement: object
    sql: str              # with values in it, as views are asked
    way: object = oracle_ways.simple
    expected: list = None # rows that the views gave
    types: list = None    # of their columns
    rows: list = None     # that the gateway gave
    whole: bool = True    # whether these are all
    told: dict = None     # subject -> (grades, columns) recorded


def normal(row):
    """Tokens alike: each side has its own."""
    return tuple("TOKEN" if cell and oracle_world.TOKEN.match(cell if isinstance(cell, str) else cell.decode("latin-1")) else cell for cell in row)


def is_write(case):
    return isinstance(case.statement, oracle_writes.Write)


def counted(rows):
    return collections.Counter(normal(row) for row in rows)


class Oracle(longrun.Stage):
    def __init__(self, seed, misses=None, turned=0.35, ways=0.3, writes=0.05):
        super().__init__()
        self.random, self.misses = random.Random(seed), misses
        self.turned, self.ways, self.writes = turned, ways, writes  # shares of the cases
        self.count, self.reasons = collections.Counter(), collections.Counter()
        self.valid, self.passed, self.by_way = collections.Counter(), collections.Counter(), collections.Counter()  # by construct, construct, way
        self.direct_of, self.mattered_of = collections.Counter(), collections.Counter()
        self.shortest, self.seen = {}, collections.Counter()
        self.worlds, self.partners, self.raw, self.ages = [], {}, {}, {}
        self.sequence, self.direct, self.admin = 0, None, None

    # ---- the stage ----

    def close(self):
        self.end_worlds()
        super().close()

    def end_worlds(self):
        if self.gateway:
            for connection in [c for pair in self.partners.values() for c in pair] + list(self.raw.values()) + [self.direct, self.admin]:
                connection.close()
            self.raw = {}
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

    def aged(self):
        """A world, now and then with new rows."""
        world = self.random.choice(self.worlds)
        self.ages[world.number] += 1
        if self.ages[world.number] % ROWS == 0:
            world.fill()
            self.ask(world.rows_sql())
        return world

    def some_write(self):
        """Of a partner that may write at all."""
        write = None
        while write is None:
            world = self.aged()
            partner = next(iter(world.partners))
            write = oracle_writes.Writes(self.random, world, partner).write()
        return Case(world, partner, write, write.read, self.pick_way(partner, write))

    def new_case(self):
        world = self.aged()
        rows, stats = world.partners
        partner = stats if self.random.random() < STATISTICS else rows
        queries = Queries(self.random, world.kinds_seen(partner))
        statement = queries.turned() if self.random.random() < self.turned else queries.statement()
        if partner == stats and (self.random.random() < 0.7 or statement.constructs & {"LIMIT", "OFFSET"}):
            statement = queries.statistic()  # small groups are kept back before a LIMIT counts: not judged here
        literals = [f"{v}::smallint" if isinstance(v, int) else f"'{v}'" for v in statement.values]
        return Case(world, partner, statement, statement.sql.format(*literals), self.pick_way(partner, statement))

    def pick_way(self, partner, statement):
        if isinstance(statement, oracle_writes.Write):
            return self.random.choice(oracle_ways.WRITING)
        if self.random.random() < self.ways:
            ways = oracle_ways.BINDING if statement.values else oracle_ways.OTHERS
            # Of statistics rows are told apart by their texts.
            return self.random.choice([way for way in ways if way is not oracle_ways.copy_binary or not partner.startswith("stats")])
        return oracle_ways.simple if not statement.values and self.random.random() < 0.8 else oracle_ways.bound

    def asker(self, partner):
        def raw():
            if partner not in self.raw:
                self.raw[partner] = rawclient.RawClient(self.gateway, f"{partner}.one")
            return self.raw[partner]
        return oracle_ways.Asker(self.random, *self.partners[partner], raw, self.direct)

    def case(self):
        self.count["cases"] += 1
        self.try_case(self.some_write() if self.random.random() < self.writes else self.new_case())

    def try_case(self, case):
        try:
            case.types, case.expected = oracle_ways.raw_rows(self.direct, f"SET search_path = {case.partner}; {case.sql}", MOST_ROWS + 1)
        except psycopg2.Error as error:
            self.count["invalid" if error.pgcode[:2] == "42" or error.pgcode[:2] == "0A" else "fails"] += 1
            if error.pgcode[:2] in ("42", "0A"):
                self.reasons["invalid", error.pgcode, error.diag.message_primary[:60]] += 1
            return
        if len(case.expected) > MOST_ROWS or not case.types:
            self.count["large"] += 1
            return
        self.count["valid"] += 1
        self.by_way[case.way.__name__, "valid"] += 1
        self.valid.update(case.statement.constructs or {"plain"})
        try:
            with case.way(self.asker(case.partner), case) as seen:
                case.told = self.recorded()
        except oracle_ways.Told as told:
            self.failed(case, told.sqlstate, told.text)
            return
        if is_write(case):
            self.judge_write(case, seen)
        case.rows, case.whole = seen.rows, seen.whole
        self.count["accepted"] += 1
        self.by_way[case.way.__name__, "accepted"] += 1
        self.passed.update(case.statement.constructs or {"plain"})
        self.compare(case, seen)
        self.judge(case)

    def failed(self, case, sqlstate, text):
        broken = text.startswith(BROKEN)
        if sqlstate in REFUSED and not broken and case.partner.startswith("stats") and "statistic" not in case.statement.constructs:
            self.count["no_statistic"] += 1
            self.count["valid"] -= 1
            self.valid.subtract(case.statement.constructs or {"plain"})
            self.by_way[case.way.__name__, "valid"] -= 1
            return
        if sqlstate in REFUSED and not broken:
            self.count["refused"] += 1
            self.reasons["refused", sqlstate, text[:90]] += 1
            return
        self.recorded()
        # Which rows an expression that can fail is tried on is the planner's choice: no difference. SELECTs meet no constraint.
        if sqlstate and sqlstate.startswith(("22", "21", "23", "44") if is_write(case) else ("22", "21")):
            self.count["only_gateway_fails"] += 1
            return
        self.count["failed"] += 1
        self.report("FAILED", case, f"{sqlstate} {text}")

    def judge_write(self, case, seen):
        """Whom the rows are about that it changed is recorded as changed. From here on it is judged as a SELECT whose rows it returned."""
        self.count["writes"] += 1
        write, tagged = case.statement, int(seen.tag.split()[-1])
        changed = {tuple(pair.split(":", 1)) for pair, in self.ask(f"SET search_path = {case.partner}; {write.about}") if pair}
        missed = {pair for pair in changed if CHANGED not in case.told.get(pair, ((), ()))[0]}
        if missed:
            self.count["missed"] += len(missed)
            self.report("MISSED", case, f"missed as changed={sorted(missed)}\n  changed={sorted(changed)}")
        self.count["changed"] += len(changed)
        if write.counts and tagged != len(case.expected):
            self.count["different"] += 1
            self.report("DIFFERENT", case, f"gateway={seen.tag}\n  views={len(case.expected)}")
        for pair, (grades, _) in list(case.told.items()):  # being changed is no disclosure of what was read
            grades.discard(CHANGED)
            if not grades:
                del case.told[pair]
        if not write.returns:
            seen.rows, seen.types = case.expected, case.types

    def compare(self, case, seen):
        """Rows-mode results are equal; of statistics, small groups may be missing; and what was not fetched."""
        got, wanted = [normal(r) for r in case.rows], [normal(r) for r in (case.expected if seen.expected is None else seen.expected)]
        if case.partner.startswith("stats") or not case.whole:
            wrong = collections.Counter(got) - collections.Counter(wanted)
        else:
            wrong = got != wanted and (case.statement.ordered or collections.Counter(got) != collections.Counter(wanted))
        if wrong or seen.types not in (None, case.types):
            self.count["different"] += 1
            self.report("DIFFERENT", case, f"gateway={got[:6]} {seen.types}\n  views={wanted[:6]} {case.types}")

    # ---- the law ----

    def judge(self, case):
        width = len(case.types)
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
        if case.whole and not is_write(case):  # rows that are passed over by MOVE are recorded
            self.count_tight(case.statement.constructs, direct, direct & lost)
        missed = lost - set(case.told)
        if missed:
            self.count["missed"] += len(missed)
            self.report("MISSED", case, f"missed={sorted(missed)}\n  affected={sorted(lost)}")
        self.judge_columns(case, lost)

    def count_tight(self, constructs, direct, mattered):
        self.count["direct"] += len(direct)
        self.count["direct_mattered"] += len(mattered)
        if not constructs & ALIKE:
            self.count["direct_rows"] += len(direct)
            self.count["direct_rows_mattered"] += len(mattered)
        for construct in constructs or {"plain"}:
            self.direct_of[construct] += len(direct)
            self.mattered_of[construct] += len(mattered)

    @staticmethod
    def shown(case, rows):
        """Whether a row that the partner got is lost with these: of a statistic, some groups are kept back; or not all was fetched."""
        if (case.whole and not case.partner.startswith("stats")) or not rows:
            return bool(rows)
        # Lost rows are casts to text, which write booleans out. Of rows alike some may be left: enough to be those that the partner got.
        written = lambda row: tuple({"t": "true", "f": "false"}.get(cell, cell) if case.types[i] == BOOLEAN else cell for i, cell in enumerate(row))
        got, base, lost = counted(map(written, case.rows)), counted(map(written, case.expected)), counted(tuple(json.loads(row)) for row in rows)
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
        if self.misses and not is_write(case) and self.seen[key] < 3 and self.seen.total() < SHRUNK:
            self.seen[key] += 1
            self.shrink(what, case)

    @staticmethod
    def text(what, case, detail):
        told = {f"{k}={v}": (sorted(g), sorted(c)) for (k, v), (g, c) in sorted((case.told or {}).items())}
        sql = f"{case.statement.sql}\n  as {case.sql}" if is_write(case) else case.sql
        return f"{what} partner={case.partner} way={case.way.__name__}\n  {sql}\n  {detail}\n  recorded={told}"

    def shrink(self, what, case):
        """Keeps the shortest statement of its words that breaks the law in the same way."""
        kept, told = dict(self.__dict__), []
        self.reasons, self.valid, self.passed, self.by_way = (collections.Counter() for _ in range(4))
        self.direct_of, self.mattered_of = collections.Counter(), collections.Counter()
        self.report = lambda now, shorter, detail: told.append((now, self.text(now, shorter, detail), shorter.rows))

        def breaks(sql):
            before = len(told)
            self.count = collections.Counter()
            unbound = dataclasses.replace(case.statement, sql=sql.replace("{", "{{").replace("}", "}}"), values=[])
            self.try_case(dataclasses.replace(case, sql=sql, statement=unbound, told=None))
            return what in [now for now, *_ in told[before:]]
        short = oracle_shrink.shrink(case.sql, breaks)
        breaks(short)
        self.__dict__.update(kept, sequence=self.sequence)
        del self.report  # the class's own is back
        found = [entry for entry in told if entry[0] == what][-1:]
        for _, text, rows in found:
            key, world = (what, oracle_shrink.words(short)), case.world
            parts = f"{text}\n  rows={(rows or [])[:8]}\n\n{world.schema_sql()}\n{yaml.safe_dump(oracle_world.policy([world]), sort_keys=False)}"
            self.shortest[key] = min(self.shortest.get(key, (1 << 30, "")), (len(short), parts))


def run_part(options, seed, cases):
    """One process's share of the cases."""
    oracle = Oracle(seed, options.misses, options.turned, options.ways, options.writes)
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
    return oracle.shortest, oracle.count, oracle.reasons, oracle.valid, oracle.passed, oracle.direct_of, oracle.mattered_of, oracle.by_way


def print_details(reasons, valid, passed, direct, mattered, by_way):
    print("accepted of valid statements, by construct, and how many of those recorded as direct did matter:")
    for construct, n in sorted((+valid).items(), key=lambda item: passed[item[0]] / item[1]):
        print(f"  {construct:24} {passed[construct]:6} of {n:6}  {passed[construct] / n:.2f}  "
              f"tight {mattered[construct] / direct[construct] if direct[construct] else 1:.2f}")
    print("and by way:")
    for way in oracle_ways.ALL:
        print(f"  {way:24} {by_way[way, 'accepted']:6} of {by_way[way, 'valid']:6}  {by_way[way, 'accepted'] / (by_way[way, 'valid'] or 1):.2f}")
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
    parser.add_argument("--ways", type=float, default=0.3, help="share of the statements that are asked by COPY, cursors, portals, PREPARE or among others")
    parser.add_argument("--writes", type=float, default=0.05, help="share of the cases that write")
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
    count, *details = (sum((part[i] for part in done), collections.Counter()) for i in range(1, 8))
    shortest = {}
    for part in done:
        for key, found in part[0].items():
            shortest[key] = min(found, shortest.get(key, found))
    if options.verbose:
        print_details(*details)
        print(dict(count))
    if options.misses:
        write_misses(options.misses, shortest)
    ratio = lambda a, b: count[a] / count[b] if count[b] else 1.0
    print(f"RESULT cases={count['cases']} valid={count['valid']} accepted={count['accepted']} refused={count['refused']} failed={count['failed']} "
          f"acceptance={ratio('accepted', 'valid'):.3f} missed={count['missed']} columns_seen={count['columns_seen']} "
          f"columns_missed={count['columns_missed']} different={count['different']} writes={count['writes']} tight={ratio('direct_mattered', 'direct'):.3f} "
          f"tight_rows={ratio('direct_rows_mattered', 'direct_rows'):.3f} "
          f"added={count['added']} rate={count['cases'] / (time.monotonic() - began):.0f} seed={options.seed}")
    broken = count["failed"] > count["valid"] * 0.05  # they fail closed: a defect, and no breach of the promise
    bad = count["missed"] or count["columns_missed"] or count["different"] or broken or count["valid"] < count["cases"] * 0.5
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
