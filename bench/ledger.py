"""Ledger: what a disclosure costs in time and space, how fast questions are answered, and the same in an audit table.

    bench/run ledger [--disclosures N] [--subjects M] [--no-table] [--folder DIR]

Writes N disclosures (100 million) of 20 partners over M people (10 million) into a ledger, makes the exposure index from
it, asks it, and verifies the log. Beside it what is done today: a row a person disclosed in a PostgreSQL table with
indexes by partner and time and by person, filled from the same ledger by COPY, asked the same questions warm.
    RESULT ns=… bytes_disk=… bytes_memory=… rebuild_per_s=… month_ms=… subject_ms=… verify_per_s=… …
ns: writing the ledger and taking into the index, a disclosure; bytes: of ledger and index, a disclosure.
"""
import argparse
import pathlib
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from harness import cluster as clusters
from harness import places

BUILD = places.ROOT / "build/release/tests/unit"
PARTNERS, FIRST_DAY = 20, "2026-01-01"
TABLE = """
CREATE UNLOGGED TABLE audit (at timestamptz NOT NULL, partner text NOT NULL, agent text NOT NULL, purpose text NOT NULL,
                             column_set int NOT NULL, subject bigint NOT NULL);
"""
INDEXES = """
SET maintenance_work_mem = '2GB'; SET max_parallel_maintenance_workers = 2;
CREATE INDEX ON audit (partner, at); CREATE INDEX ON audit (subject); VACUUM ANALYZE audit;
"""
MONTH = """
SELECT column_set, count(DISTINCT subject) FROM audit WHERE partner = '{partner}' AND at >= date '{day}' + {month} * interval '1 month'
AND at < date '{day}' + ({month} + 1) * interval '1 month' GROUP BY column_set
"""
SUBJECT = "SELECT partner, agent, purpose, column_set, min(at), max(at) FROM audit WHERE subject = {subject} GROUP BY 1, 2, 3, 4"


def figures(text):
    """name -> value of all RESULT lines."""
    return {name: float(value) for line in text.splitlines() if line.startswith("RESULT")
            for name, value in re.findall(r"(\w+)=([\d.]+)", line)}


def folder_bytes(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout


def ours(folder, disclosures, subjects):
    text = run(BUILD / "exposure/exposure_bench", folder, disclosures, subjects)
    print(text, end="", flush=True)
    found = figures(text)
    found["write_ns"] = float(re.search(r"^ledger: .* ([\d.]+) s,", text, re.MULTILINE).group(1)) * 1e9 / disclosures
    found["ledger_bytes"] = folder_bytes(folder / "ledger") / disclosures
    begun = time.monotonic()
    text = run(places.binary(), "ledger", "verify", folder / "ledger")
    found["verify_s"] = time.monotonic() - begun
    found["verify_disclosures_per_s"] = disclosures / found["verify_s"]
    text = run(BUILD / "ledger/verify_bench", folder / "leaves", 3_000_000, 64)
    print(text, end="", flush=True)
    found["verify_per_s"] = max(value for name, value in figures(text).items() if "per_s" in name and "cpu" not in name)
    shutil.rmtree(folder / "leaves")
    return found


class Table:
    """The audit table in a cluster of its own."""

    def __init__(self, ledger):
        self.cluster = clusters.Cluster()
        self.database = self.cluster.create_database(sql=TABLE)
        begun = time.monotonic()
        source = subprocess.Popen([BUILD / "exposure/audit_rows", ledger], stdout=subprocess.PIPE)
        subprocess.run(["psql", "-X", "-q", "-d", self.url(), "-c", "COPY audit FROM STDIN"], stdin=source.stdout, check=True)
        self.load_s = time.monotonic() - begun
        source.stdout.close()
        source.wait()
        self.cluster.script(self.database, INDEXES)
        self.index_s = time.monotonic() - begun - self.load_s
        self.bytes = int(self.ask("SELECT pg_total_relation_size('audit')")[0])

    def url(self):
        return f"host={self.cluster.folder} port={self.cluster.port} dbname={self.database} user=postgres"

    def ask(self, sql):
        return run("psql", "-X", "-At", "-d", self.url(), "-c", sql).split("\n")

    def timed(self, texts):
        """Milliseconds of each, in one session, as psql measures them."""
        script = "\\timing on\n" + "".join(" ".join(text.split()) + ";\n" for text in texts)
        done = subprocess.run(["psql", "-X", "-At", "-d", self.url()], input=script, capture_output=True, text=True, check=True)
        return [float(value) for value in re.findall(r"^Time: ([\d.]+) ms", done.stdout, re.MULTILINE)]

    def close(self):
        self.cluster.close()


def theirs(ledger, disclosures, subjects, seed=1):
    dice, table = random.Random(seed), Table(ledger)
    try:
        months = [MONTH.format(partner=f"partner-{dice.randrange(PARTNERS):02}", day=FIRST_DAY, month=dice.randrange(3)) for _ in range(8)]
        people = [SUBJECT.format(subject=dice.randrange(subjects)) for _ in range(400)]
        table.timed(months[:1]), table.timed(people[:20])  # warm
        return {"table_load_ns": (table.load_s + table.index_s) * 1e9 / disclosures, "table_bytes": table.bytes / disclosures,
                "table_month_ms": statistics.median(table.timed(months)), "table_subject_ms": statistics.median(table.timed(people))}
    finally:
        table.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--disclosures", type=int, default=100_000_000)
    parser.add_argument("--subjects", type=int, default=0, help="default: a tenth of the disclosures")
    parser.add_argument("--no-table", action="store_true")
    parser.add_argument("--folder", help="must not exist; default: a temporary one")
    options = parser.parse_args()
    subjects = options.subjects or options.disclosures // 10
    parent = None if options.folder else tempfile.mkdtemp(prefix="cofferdam-bench-", dir="/var/tmp")
    folder = pathlib.Path(options.folder or parent + "/log")
    try:
        found = ours(folder, options.disclosures, subjects)
        if not options.no_table:
            found.update(theirs(folder / "ledger", options.disclosures, subjects))
    finally:
        if parent:
            shutil.rmtree(parent)
    line = (f"RESULT ns={found['write_ns'] + found['add_ns']:.0f} bytes_disk={found['ledger_bytes'] + found['bytes_disk']:.2f} "
            f"bytes_index={found['bytes_disk']:.2f} bytes_memory={found['heap_bytes'] / options.disclosures:.3f} "
            f"rebuild_per_s={found['rebuild_per_s']:.0f} month_ms={found['month_p50_ms']:.2f} month_p99_ms={found['month_p99_ms']:.2f} "
            f"subject_ms={found['subject_p50_ms']:.3f} subject_p99_ms={found['subject_p99_ms']:.3f} verify_per_s={found['verify_per_s']:.0f} "
            f"verify_disclosures_per_s={found['verify_disclosures_per_s']:.0f}")
    if not options.no_table:
        line += (f" table_ns={found['table_load_ns']:.0f} table_bytes={found['table_bytes']:.1f} table_month_ms={found['table_month_ms']:.0f} "
                 f"table_subject_ms={found['table_subject_ms']:.3f} month_ratio={found['table_month_ms'] / found['month_p50_ms']:.0f} "
                 f"subject_ratio={found['table_subject_ms'] / found['subject_p50_ms']:.2f}")
    print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
