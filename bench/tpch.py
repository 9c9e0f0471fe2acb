"""TPC-H: 22 analytic questions over TPC-H-like data, directly and through Cofferdam.

    bench/run tpch [--scale 0.1] [--rounds N] [--only q1,q3] [--stored-key | --both] [--parts]
                   [--queries DIR] [--explain DIR] [--load-only]

A throwaway PostgreSQL with data of our own (bench/tpch/load.sql) and a policy by which a customer is the person,
an order is about who ordered, and a line about the customer of its order (bench/tpch/policy.yaml). With
--stored-key each line has its customer's key in a column of its own, kept right by a foreign key
(bench/tpch/stored.sql); --both does one after the other. Each question is asked directly and through the gateway
(TLS, policy, lineage, durable ledger) in turn, several rounds, medians.
The results must be the same in value, name and type: in order where the question's first line says
"order: total", else as a bag; floats within 1e-9.
--parts shows where the time goes: `fence` is the gateway with a policy by which nobody is a person (no lineage),
`text` the rewritten statement without the gateway. --explain writes the plans of both texts into a folder.
A question that is refused is no failure and is named; a result that differs, or an error while one runs, is.
    RESULT queries=22 run=… identical=… refused=… failed=… geomean=… geomean_people=… geomean_stored_key=… …
geomean is over all questions that ran, geomean_people over those that read people's data.
"""
import argparse
import json
import math
import pathlib
import re
import statistics
import sys
import time
from collections import Counter

import psycopg

from harness import cluster as clusters
from harness import gateway as gateways
from harness import pki, places

HERE = pathlib.Path(__file__).resolve().parent / "tpch"
AGENT = "analyst.one"
SETTINGS = """
shared_buffers = 512MB
work_mem = 64MB
jit = off
max_parallel_workers_per_gather = {parallel}
autovacuum = off
"""
ABOUT_PEOPLE = re.compile(r"\b(customer|orders|lineitem)\b", re.IGNORECASE)


def policy(variant):
    """The policy as it stands (joined), with the key in each line (stored), or about nobody (nobody)."""
    text = (HERE / "policy.yaml").read_text()
    if variant == "stored":
        text = text.replace("table: tpch.lineitem", "table: stored.lineitem")
        text = re.sub(r"subject: {kind: customer, via:.*", "subject: {kind: customer, key: l_custkey}", text)
        text = text.replace("columns: {l_orderkey: {}", "columns: {l_custkey: {category: identifier}, l_orderkey: {}")
    if variant == "nobody":
        text = re.sub(r"subjects:\n  customer:.*\n", "", text)
        text = re.sub(r"subject: {.*", "subject: none", text)
    return text


def questions(folder, scale, only):
    """[(name, text)] of q01.sql to q22.sql; :fraction is what the specification makes of the scale."""
    wanted = {int(name.strip().lower().lstrip("q")) for name in only.split(",")} if only else range(1, 23)
    found = []
    for number in sorted(wanted):
        path = pathlib.Path(folder) / f"q{number:02}.sql"
        if not path.is_file():
            sys.exit(f"there is no {path}; --only asks some of the questions")
        text = path.read_text().strip().rstrip(";")
        found.append((f"q{number:02}", text.replace(":fraction", f"{0.0001 / scale:.10f}")))
    return found


class Target:
    """A way to ask: a session, made anew after it was lost."""

    def __init__(self, url, setup=()):
        self.url, self.setup, self.session = url, setup, None

    def ready(self):
        if self.session is None or self.session.closed:
            self.session = psycopg.connect(self.url, autocommit=True, prepare_threshold=None)
            for statement in self.setup:
                self.session.execute(statement)
        return self.session

    def ask(self, sql):
        """(columns, rows)."""
        cursor = self.ready().execute(sql)
        rows = cursor.fetchall()
        return [(column.name, column.type_code) for column in cursor.description], rows

    def time(self, sql):
        """Seconds until libpq has the whole result. Nothing is made of its values: that is the client's time."""
        link = self.ready().pgconn
        begun = time.perf_counter()
        result = link.exec_params(sql.encode(), None)
        seconds = time.perf_counter() - begun
        if result.status != psycopg.pq.ExecStatus.TUPLES_OK:
            raise psycopg.errors.error_from_result(result)
        return seconds


class Bench:
    """The database and a gateway for each policy."""

    def __init__(self, options):
        self.options, self.gateways = options, {}
        self.cluster = clusters.Cluster()
        self.folder = places.make_folder("tpch")
        try:
            self.authority = pki.Authority(self.folder)
            self.load()
        except BaseException:
            self.close()
            raise

    def load(self):
        self.cluster.stop()
        with open(self.cluster.data / "postgresql.conf", "a") as conf:
            conf.write(SETTINGS.format(parallel=self.options.parallel))
        self.cluster.start()
        begun = time.monotonic()
        self.database = self.cluster.create_database("tpch")
        self.cluster.script(self.database, path=HERE / "load.sql", scale=self.options.scale)
        (lines, size), = self.cluster.rows("SELECT (SELECT count(*) FROM tpch.lineitem), pg_size_pretty(pg_database_size('tpch'))", self.database)
        print(f"loaded scale {self.options.scale:g}: {lines} lines, {size}, in {time.monotonic() - begun:.0f} s", flush=True)

    def store_keys(self):
        """Once for all: the gateway of this variant learns of it when it starts."""
        if not self.cluster.rows("SELECT FROM pg_namespace WHERE nspname = 'stored'", self.database):
            self.cluster.script(self.database, path=HERE / "stored.sql")

    def gateway(self, variant):
        if variant not in self.gateways:
            if variant == "stored":
                self.store_keys()
            config = {"upstream": {"statement_timeout_ms": self.options.timeout * 1000},
                      "ledger": {"segment_bytes": 64 * 1024 * 1024}}
            self.gateways[variant] = gateways.Gateway(self.cluster, self.authority, policy(variant), self.database, config=config)
        return self.gateways[variant]

    def rewritten(self, variant, sql):
        """The text that goes to the database; None where the question is refused."""
        lines = json.loads(self.gateway(variant).cli("explain", AGENT.replace(".", "/"), "-", "--json", text=sql))
        return next((line["text"] for line in lines if line["topic"] == "rewritten"), None)

    def direct(self, variant):
        path = "stored, tpch" if variant == "stored" else "tpch"
        return Target(self.cluster.url(self.database), (f"SET search_path = {path}", f"SET statement_timeout = '{self.options.timeout}s'"))

    def close(self):
        try:
            for gateway in self.gateways.values():
                gateway.close()
        finally:
            self.cluster.close()
            places.remove_folder(self.folder)


# ---- the same result? ----


def alike(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return a == b or math.isclose(a, b, rel_tol=1e-9) or (math.isnan(a) and math.isnan(b))
    return a == b


def sort_key(row):
    return [(value is None, f"{value:.9g}" if isinstance(value, float) else str(value)) for value in row]


def difference(sql, wanted, got):
    """None, or in which way two results (columns, rows) differ."""
    if wanted[0] != got[0]:
        return f"columns {got[0]} instead of {wanted[0]}"
    if len(wanted[1]) != len(got[1]):
        return f"{len(got[1])} rows instead of {len(wanted[1])}"
    left, right = wanted[1], got[1]
    if "order: total" not in sql.split("\n", 1)[0]:
        left, right = sorted(left, key=sort_key), sorted(right, key=sort_key)
    for number, (a, b) in enumerate(zip(left, right)):
        if len(a) != len(b) or not all(map(alike, a, b)):
            return f"row {number + 1} is {b} instead of {a}"
    return None


# ---- one question ----


class Outcome:
    """What became of a question: refused, failed or differs say why; seconds has a list a target."""

    def __init__(self, name, sql):
        self.name, self.sql = name, sql
        self.people = bool(ABOUT_PEOPLE.search(re.sub(r"--[^\n]*", "", sql)))
        self.refused = self.failed = self.differs = None
        self.rows, self.seconds, self.targets = 0, {}, {}

    @property
    def identical(self):
        return not (self.refused or self.failed or self.differs)

    def median_ms(self, target):
        return statistics.median(self.seconds[target]) * 1000 if self.seconds.get(target) else None

    def factor(self, target="gateway"):
        mine, direct = self.median_ms(target), self.median_ms("direct")
        return mine / direct if mine and direct else None


def told(error):
    """SQLSTATE, what and why of an error, on one line."""
    text = str(error).strip().replace("\n", " | ")
    return f"{error.sqlstate or 'no SQLSTATE'} {text}"


def first_time(outcome, targets, rewritten):
    """Warms the caches, has people's first disclosure behind it, and compares the results. An error is a refusal
    only where there is no rewritten text: what was accepted and then went wrong is a failure."""
    columns, rows = targets["direct"].ask(outcome.sql)
    outcome.rows = len(rows)
    try:
        got_columns, got_rows = targets["gateway"].ask(outcome.sql)
    except psycopg.Error as error:
        setattr(outcome, "failed" if rewritten else "refused", told(error))
        return
    outcome.differs = difference(outcome.sql, (columns, rows), (got_columns, got_rows))


def prepare(bench, variant, name, sql, targets, parts):
    """The ways to ask this question. Those of --parts only where they take it."""
    outcome, rewritten = Outcome(name, sql), bench.rewritten(variant, sql)
    first_time(outcome, targets, rewritten)
    outcome.targets = {way: (targets[way], sql) for way in ("direct", "gateway")}
    if parts and outcome.identical:
        outcome.targets["text"] = (targets["direct"], rewritten)
        outcome.targets["fence"] = (targets["fence"], sql)
        for target, text in (outcome.targets["text"], outcome.targets["fence"]):
            target.ask(text)
    return outcome


def one_round(outcomes, number):
    """Each question in each way, one after the other, forwards and backwards in turn."""
    for outcome in outcomes:
        ways = list(outcome.targets.items())
        for way, (target, sql) in ways if number % 2 else reversed(ways):
            try:
                outcome.seconds.setdefault(way, []).append(target.time(sql))
            except psycopg.Error as error:
                outcome.failed = f"{way}: {told(error)}"


def run(bench, variant):
    options = bench.options
    targets = {"direct": bench.direct(variant), "gateway": Target(bench.gateway(variant).url(AGENT))}
    if options.parts:
        targets["fence"] = Target(bench.gateway("nobody").url(AGENT))
    outcomes = []
    for name, sql in options.questions:
        outcome = prepare(bench, variant, name, sql, targets, options.parts)
        outcomes.append(outcome)
        for kind in ("refused", "failed", "differs"):
            if getattr(outcome, kind):
                print(f"{name} {kind}: {getattr(outcome, kind)}", flush=True)
        if options.explain and outcome.identical:
            explain(bench, variant, outcome, targets["direct"])
    running = [outcome for outcome in outcomes if outcome.identical]
    for number in range(1, options.rounds + 1):
        one_round(running, number)
    return outcomes


def explain(bench, variant, outcome, target):
    folder = pathlib.Path(bench.options.explain)
    folder.mkdir(parents=True, exist_ok=True)
    rewritten = bench.rewritten(variant, outcome.sql)
    parts = [rewritten]
    for what, sql in (("direct", outcome.sql), ("rewritten", rewritten)):
        plan = target.ask("EXPLAIN (ANALYZE, BUFFERS) " + sql)[1]
        parts.append(f"---- {what}\n" + "\n".join(line for line, in plan))
    (folder / f"{outcome.name}-{variant}.txt").write_text("\n".join(parts) + "\n")


# ---- what came out ----


def geomean(factors):
    known = [factor for factor in factors if factor]
    return math.exp(sum(map(math.log, known)) / len(known)) if known else None


def shown(value, pattern="{:.2f}"):
    return "-" if value is None else pattern.format(value)


def table(outcomes, ways):
    print("| query | rows | direct ms | " + " | ".join(ways) + " |\n|---|---|---|" + "---|" * len(ways))
    for outcome in outcomes:
        if outcome.identical:
            cells = [shown(outcome.factor(way)) for way in ways]
            print(f"| {outcome.name} | {outcome.rows} | {shown(outcome.median_ms('direct'), '{:.1f}')} | " + " | ".join(cells) + " |")
        else:
            word = "refused" if outcome.refused else "failed" if outcome.failed else "differs"
            print(f"| {outcome.name} | {outcome.rows} | {word} |" + " |" * len(ways))
    for group, chosen in (("all", outcomes), ("people", [outcome for outcome in outcomes if outcome.people])):
        cells = [shown(geomean([outcome.factor(way) for outcome in chosen if outcome.identical])) for way in ways]
        print(f"| geomean, {group} | | | " + " | ".join(cells) + " |")
    print(flush=True)


def result(outcomes_of, options):
    """The last line: counts of the first variant that ran, bad ones of all."""
    first = next(iter(outcomes_of.values()))
    count = Counter(kind for outcome in first for kind in ("refused", "failed", "differs", "identical") if getattr(outcome, kind))
    words = [f"queries={len(first)}", f"run={len(first) - count['refused']}", f"identical={count['identical']}",
             f"refused={count['refused']}", f"failed={count['failed']}"]
    for variant, suffix in (("joined", ""), ("stored", "_stored_key")):
        good = [outcome for outcome in outcomes_of.get(variant, []) if outcome.identical]
        words.append(f"geomean{suffix}={shown(geomean([outcome.factor() for outcome in good]))}")
        words.append(f"geomean_people{suffix}={shown(geomean([outcome.factor() for outcome in good if outcome.people]))}")
    print("RESULT " + " ".join(words) + f" scale={options.scale:g} rounds={options.rounds}")
    return any(outcome.failed or outcome.differs for outcomes in outcomes_of.values() for outcome in outcomes)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=0.1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--queries", default=HERE / "queries", help="a folder with q01.sql to q22.sql")
    parser.add_argument("--only", default="", help="such as q1,q3")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--stored-key", action="store_const", dest="variants", const=["stored"], default=["joined"])
    which.add_argument("--both", action="store_const", dest="variants", const=["joined", "stored"])
    parser.add_argument("--parts", action="store_true", help="measure the fence alone and the rewritten text alone too")
    parser.add_argument("--explain", default="", help="a folder for the plans")
    parser.add_argument("--parallel", type=int, default=0, help="workers a query may use (max_parallel_workers_per_gather)")
    parser.add_argument("--timeout", type=int, default=120, help="seconds a statement may take")
    parser.add_argument("--load-only", action="store_true", help="load, print the count of rows of each question, end")
    options = parser.parse_args()
    options.questions = questions(options.queries, options.scale, options.only)
    bench = Bench(options)
    try:
        if options.load_only:
            for name, sql in options.questions:
                rows = bench.direct("joined").ask(sql)[1]
                print(f"{name} {len(rows)} rows  {rows[0] if rows else ''}")
            return 0
        outcomes_of = {}
        for variant in options.variants:
            print(f"---- {variant}", flush=True)
            outcomes_of[variant] = run(bench, variant)
            table(outcomes_of[variant], ["gateway"] + (["fence", "text"] if options.parts else []))
    finally:
        bench.close()
    return 1 if result(outcomes_of, options) else 0


if __name__ == "__main__":
    sys.exit(main())
