"""Overhead: pgbench's point look-ups and a bulk SELECT, directly, through PgBouncer and through Cofferdam.

    bench/run overhead [--seconds S] [--rounds N] [--clients C]

All three in turn in each round, on one machine, the same database, TLS from the client in all three; the
gateway has its policy, lineage and durable ledger on. Medians over rounds. CPU is the proxy's own, user and
system, a query.
    RESULT cpu_vs_pgbouncer=… tps_vs_pgbouncer=… tps_vs_direct=… bulk_vs_direct=… bulk_vs_pgbouncer=… …
"""
import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import time

from harness import cluster as clusters
from harness import gateway as gateways
from harness import pki, places

PEOPLE = 200_000
SQL = f"""
CREATE SCHEMA b;
CREATE TABLE b.person (person_id bigint PRIMARY KEY, name text, street text, city text);
INSERT INTO b.person SELECT n, 'Person number ' || n, n % 400 || ' High Street', 'City ' || n % 90 FROM generate_series(1, {PEOPLE}) AS n;
VACUUM ANALYZE b.person;
CREATE VIEW public.person AS SELECT * FROM b.person;
"""
POLICY = """
controller: {name: Bench, dpo: {name: D, email: d@bench.example}}
subjects: {person: {dataset: person, key: person_id}}
datasets:
  person: {table: b.person, subject: {kind: person, key: person_id}, columns: {person_id: {}, name: {category: name}, street: {category: address}, city: {category: address}}}
partners:
  bench:
    contract: {agreement: A, breach_contact: {name: B, phone: "1"}}
    purposes: [test]
    agents: [{name: one, identity: {certificate: "spiffe://bench/one"}}]
    valid: {from: 2020-01-01, until: 2099-12-31}
    grants: [{dataset: person, columns: {person_id: clear, name: clear, street: clear, city: clear}}]
    budget: {subjects: {per_day: 100000000, total: 100000000}, rows_per_statement: 100000000}
"""
POINT = "\\set n random(1, 200000)\nSELECT name, street FROM person WHERE person_id = :n;\n"
BULK = "SELECT person_id, name, street, city FROM person"
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    """User and system time of a process and its threads."""
    fields = open(f"/proc/{pid}/stat").read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


class Bench:
    def __init__(self, config):
        self.cluster = clusters.Cluster()
        self.folder = places.make_folder("bench")
        self.authority = pki.Authority(self.folder)
        self.database = self.cluster.create_database(sql=SQL)
        self.gateway = gateways.Gateway(self.cluster, self.authority, POLICY, self.database,
                                        config=config)
        self.cluster.create_role("bench", "pw")
        self.cluster.rows("GRANT USAGE ON SCHEMA public, b TO bench; GRANT SELECT ON b.person, public.person TO bench", self.database)
        self.bouncer, self.bouncer_port = None, places.free_port()
        self.start_bouncer()
        script = self.folder / "point.sql"
        script.write_text(POINT)
        os.chmod(self.folder, 0o755)
        self.script = script

    def start_bouncer(self):
        folder = self.folder / "bouncer"
        folder.mkdir()
        certificate, key = self.authority.server()
        for source, name in ((certificate, "server.crt"), (key, "server.key")):
            shutil.copy(source, folder / name)
        (folder / "users.txt").write_text('"bench" "pw"\n')
        (folder / "pgbouncer.ini").write_text(
            f"[databases]\n{self.database} = host={self.cluster.folder} port={self.cluster.port} user=bench password=pw\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {self.bouncer_port}\nunix_socket_dir =\n"
            f"auth_type = scram-sha-256\nauth_file = {folder}/users.txt\npool_mode = session\nmax_client_conn = 200\ndefault_pool_size = 100\n"
            f"client_tls_sslmode = require\nclient_tls_cert_file = {folder}/server.crt\nclient_tls_key_file = {folder}/server.key\n"
            f"ignore_startup_parameters = extra_float_digits\nlogfile = {folder}/log\npidfile = {folder}/pid\n")
        user = places.servant("nobody")
        for path in [folder, *folder.iterdir()]:
            places.own(path, user)
        os.chmod(self.folder, 0o755)
        self.bouncer = places.popen_as(user, ["/usr/sbin/pgbouncer", folder / "pgbouncer.ini"],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def close(self):
        self.bouncer.terminate()
        self.bouncer.wait(timeout=30)
        self.gateway.close()
        self.cluster.close()
        places.remove_folder(self.folder)

    def targets(self):
        common = f"dbname={self.database} sslmode=require"
        return {
            "direct": (f"host={self.cluster.folder} port={self.cluster.port} dbname={self.database} user=bench password=pw", None),
            "pgbouncer": (f"host=127.0.0.1 port={self.bouncer_port} user=bench password=pw {common}", self.bouncer.pid),
            "cofferdam": (self.gateway.url("bench.one"), self.gateway.process.pid),
        }

    def pgbench(self, url, pid, clients, seconds, mode):
        before = cpu_seconds(pid) if pid else 0
        done = subprocess.run([str(places.POSTGRES_BIN / "pgbench"), "-n", "-f", str(self.script), "-M", mode, "-c", str(clients), "-j", "1",
                               "-T", str(seconds), url], capture_output=True, text=True, timeout=seconds + 60)
        if done.returncode != 0:
            raise RuntimeError(done.stderr[-2000:])
        count = int(re.search(r"transactions actually processed: (\d+)", done.stdout).group(1))
        tps = float(re.search(r"tps = ([\d.]+)", done.stdout).group(1))
        return tps, ((cpu_seconds(pid) - before) / count * 1e6 if pid else 0.0)

    def bulk(self, url):
        begun = time.monotonic()
        done = subprocess.run(["psql", "-X", "-q", "-At", "-d", url, "-c", BULK], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return PEOPLE / (time.monotonic() - begun)


def median(values):
    return statistics.median(values)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--mode", choices=["prepared", "simple", "extended"], default="prepared")
    parser.add_argument("--pace", type=int, default=0, help="microseconds between group syncs; 0: the gateway's default")
    parser.add_argument("--workers", type=int, default=0, help="event loops of the gateway; 0: its default")
    options = parser.parse_args()
    config = {"workers": options.workers or len(os.sched_getaffinity(0))}
    if options.pace:
        config["ledger"] = {"pace_us": options.pace}
    bench = Bench(config)
    tps, cpu, bulk = {}, {}, {}
    try:
        for name, (url, _) in bench.targets().items():
            bench.bulk(url)  # warm: caches, and the subjects' first disclosure
        for round_number in range(options.rounds):
            for name, (url, pid) in bench.targets().items():
                rate, micros = bench.pgbench(url, pid, options.clients, options.seconds, options.mode)
                rows = bench.bulk(url)
                tps.setdefault(name, []).append(rate)
                cpu.setdefault(name, []).append(micros)
                bulk.setdefault(name, []).append(rows)
                print(f"round {round_number + 1} {name:10} {rate:9.0f} tps  {micros:6.1f} µs CPU/query  {rows:10.0f} rows/s", flush=True)
    finally:
        bench.close()
    ratio = lambda table, a, b: median(table[a]) / median(table[b])
    print(f"RESULT cpu_vs_pgbouncer={ratio(cpu, 'cofferdam', 'pgbouncer'):.2f} tps_vs_pgbouncer={ratio(tps, 'cofferdam', 'pgbouncer'):.2f} "
          f"tps_vs_direct={ratio(tps, 'cofferdam', 'direct'):.2f} bulk_vs_direct={ratio(bulk, 'cofferdam', 'direct'):.2f} "
          f"bulk_vs_pgbouncer={ratio(bulk, 'cofferdam', 'pgbouncer'):.2f} cpu_us={median(cpu['cofferdam']):.1f} "
          f"pgbouncer_cpu_us={median(cpu['pgbouncer']):.1f} clients={options.clients} mode={options.mode}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
