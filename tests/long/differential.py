"""Differential: for a partner with everything in clear, the gateway gives what the database gives.

    tests/run differential [--corpus DIR] [--verbose]

Runs the corpus of tests/differential, or, with --corpus, PostgreSQL's own regression tests, of its sources:
    echo 'deb-src http://deb.debian.org/debian bookworm main' > /etc/apt/sources.list.d/source.list && apt-get update
    apt-get source --download-only postgresql-15 && tar -xf postgresql-15_*.orig.tar.bz2
    tests/run differential --corpus postgresql-15.*/src/test/regress
Of those, what sets a file up runs on the database alone; then every table is granted, and each query of the file is
compared. It takes ten minutes and is no part of ./check. What is refused is printed by reason, and what is a
difference one by one. Known: where two collations meet in a set operation both refuse, by another SQLSTATE.
    RESULT statements=… same=… refused=… different=… reordered=…
reordered: the same rows, in another order than ORDER BY's ties had directly. The own corpus has no ties.
"""
import collections
import os
import pathlib
import re
import subprocess
import sys

import psycopg
import yaml

from harness import differential, longrun
from harness import gateway as gateways

POLICY = (differential.FOLDER / "policy.yaml").read_text()
AGENT = "reader.one"
COLUMNS = """
SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
   AND NOT EXISTS (SELECT FROM pg_attribute b WHERE b.attrelid = c.oid AND (b.atttypid >= 16384 OR b.atttypid = 2205))
   AND c.relname ~ '^[a-z_][a-z0-9_]*$' AND a.attname ~ '^[a-z_][a-z0-9_]*$' ORDER BY 1, a.attnum"""

SETUP = re.compile(r"CREATE\s+(TEMP\w*\s+)?TABLE|INSERT|UPDATE|DELETE|ALTER\s+TABLE|ANALYZE|CREATE\s+INDEX", re.IGNORECASE)
UNWANTED = re.compile(r"ROW\s+LEVEL\s+SECURITY|\bpg_", re.IGNORECASE)  # catalogues changed by hand end the server
TEMPORARY = re.compile(r"^CREATE\s+TEMP\w*\s+", re.IGNORECASE)


class Corpus(longrun.Stage):
    """Counts over as many databases as there are files."""

    def __init__(self):
        super().__init__()
        self.count, self.reasons, self.topics = collections.Counter(), collections.Counter(), collections.Counter()

    def compare(self, database, statements):
        with self.cluster.connect(database) as direct:
            run = differential.Differential(direct, lambda: self.gateway.connect(AGENT))
            for topic, statement in statements:
                run.run(topic, statement)
            run.gateway.close()
        for told in run.told:
            print("REORDERED" if told.endswith("\n  reordered") else "DIFFERENT", told, flush=True)
        self.count += run.count
        self.reasons += run.reasons
        self.topics += run.topics

    def run_own(self):
        database = self.start((differential.FOLDER / "schema.sql").read_text(), POLICY)
        self.compare(database, differential.own_corpus())

    def run_regress(self, folder):
        base = self.cluster.create_database("regress_base")
        self.psql(base, folder, (folder / "sql/test_setup.sql").read_text())
        for helper in ("create_misc", "create_index"):
            self.psql(base, folder, (folder / f"sql/{helper}.sql").read_text())
        for path in sorted((folder / "sql").glob("*.sql")):
            if path.stem not in ("test_setup", "create_misc", "create_index"):
                self.run_file(folder, path)

    def psql(self, database, folder, script):
        """Goes on after errors: some of it needs PostgreSQL's own test library."""
        environment = dict(os.environ, PG_ABS_SRCDIR=str(folder), PG_LIBDIR="/nonexistent", PG_DLSUFFIX=".so")
        try:
            subprocess.run(["psql", "-X", "-q", "-d", self.cluster.url(database)], input=script, text=True, timeout=60,
                           env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            pass

    def run_file(self, folder, path):
        statements = list(differential.split(path.read_text(errors="replace")))
        queries = [s for s in statements if differential.is_query(s)]
        if len(queries) < 5:
            return
        database = self.cluster.create_database("regress_" + path.stem, template="regress_base")
        setup = [TEMPORARY.sub("CREATE ", s) for s in statements if SETUP.match(s) and not UNWANTED.search(s)]
        with self.cluster.connect(database) as connection:
            connection.execute("SET statement_timeout TO '10s'")
            for statement in setup:
                try:
                    connection.execute(statement)
                except psycopg.Error:
                    pass
                if connection.closed:
                    return
        try:
            with self.cluster.connect(database) as connection:
                policy = self.policy(connection)
            self.gateway = gateways.Gateway(self.cluster, self.authority, policy, database)
        except (psycopg.Error, RuntimeError, AssertionError) as error:
            print(f"{path.stem}: no gateway: {str(error)[-300:]}", flush=True)
            self.count["without_gateway"] += 1
            return
        self.compare(database, [(path.stem, query) for query in queries])
        self.stop_gateway()
        print(path.stem, dict((k[1], n) for k, n in self.topics.items() if k[0] == path.stem), flush=True)

    def policy(self, connection):
        policy, columns = yaml.safe_load(POLICY), collections.defaultdict(dict)
        for table, column in connection.execute(COLUMNS).fetchall():
            columns[table][column] = {}
        partner = policy["partners"]["reader"]
        policy["subjects"] = {}
        policy["datasets"] = {t: {"table": f"public.{t}", "subject": "none", "columns": c} for t, c in columns.items()}
        partner["grants"] = [{"dataset": t, "columns": "all"} for t in columns]
        return yaml.safe_dump(policy, sort_keys=False)


def main():
    options = longrun.options(__doc__, 0, lambda parser: (
        parser.add_argument("--corpus", type=pathlib.Path), parser.add_argument("--verbose", action="store_true")))
    corpus = Corpus()
    try:
        if options.corpus:
            corpus.run_regress(options.corpus.resolve())
        else:
            corpus.run_own()
    finally:
        corpus.close()
    for reason, number in corpus.reasons.most_common(None if options.verbose else 25):
        print(f"refused {number:5} {reason}")
    count = corpus.count
    print(f"RESULT statements={count['statements']} same={count['same']} refused={count['refused']} "
          f"different={count['different']} reordered={count['reordered']}")
    wrong = count["different"] + (0 if options.corpus else count["reordered"])
    return 1 if wrong or not count["same"] else 0


if __name__ == "__main__":
    sys.exit(main())
