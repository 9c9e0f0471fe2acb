"""Flood test: thousands of connections that never prove who they are do not stop partners' work.

    tests/run flood [--connections N] [--addresses N] [--per-second N] [--seconds S]

Four partner sessions run statements all the time, and new logins are made, from one address; first alone, then while N
connections from many addresses are held and opened again when they are dropped: silent ones, half a startup packet,
half a ClientHello, a ClientHello and then nothing, a byte a second, and passwords begun over TLS (harness/flood.py).
    RESULT rss_mb=… login_p99_ms=… query_p99_ratio=… worker_cpu=… opened_a_second=… logins=… failed=… opened=… dropped=…
rss_mb is what the gateway grew by. Fails where a login or a statement fails, where rss_mb is over 130, a login
takes longer than two seconds, or the gateway lets more wait than it may. worker_cpu is what the busiest thread of the
gateway used of a core; the flood has this machine's cores, too, and where these are busy the times tell of that.
"""
import os
import sys
import threading
import time

import psycopg

from harness import flood, longrun, shop

RSS_MB, LOGIN_MS = 130, 2000


def rss_mb(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:")) / 1024


def percentile(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def cpu_seconds(pid):
    """What the busiest thread of the process has used."""
    used = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/stat") as stat:
            fields = stat.read().rsplit(") ", 1)[1].split()
        used.append(int(fields[11]) + int(fields[12]))
    return max(used) / os.sysconf("SC_CLK_TCK")


class Work:
    """What the partners do, and how long each step of it took."""

    def __init__(self, gateway):
        self.gateway, self.going, self.failures = gateway, True, []
        self.queries, self.logins = [], []
        gateway.parameters("acme.cert")  # makes its certificate, once
        self.threads = [threading.Thread(target=self.ask) for _ in range(4)] + [threading.Thread(target=self.log_in)]
        for thread in self.threads:
            thread.start()

    def ask(self):
        try:
            with self.gateway.connect("acme.cert") as connection:
                while self.going:
                    begun = time.monotonic()
                    connection.execute("SELECT full_name FROM person WHERE person_id < 40").fetchall()
                    self.queries.append(time.monotonic() - begun)
                    time.sleep(0.005)
        except psycopg.Error as error:
            self.failures.append(f"statement: {error}")

    def log_in(self):
        agents = ["acme.cert", "acme.job"]
        while self.going:
            begun = time.monotonic()
            try:
                self.gateway.connect(agents[len(self.logins) % 2]).close()
            except psycopg.Error as error:
                self.failures.append(f"login: {error}")
            self.logins.append(time.monotonic() - begun)
            time.sleep(0.1)

    def take(self):
        """The times since the last call."""
        queries, logins = self.queries, self.logins
        self.queries, self.logins = [], []
        return queries, logins

    def close(self):
        self.going = False
        for thread in self.threads:
            thread.join()


def measure(gateway, connections, addresses, per_second, seconds):
    """The figures, and what is wrong with them."""
    work = Work(gateway)
    try:
        time.sleep(min(seconds, 5))
        before_mb = rss_mb(gateway.process.pid)
        alone, _ = work.take()
        crowd = flood.Running(gateway.port, connections, addresses, per_second)
        try:
            crowd.until_opened(connections, seconds=120)
            work.take()
            cpu, opened = cpu_seconds(gateway.process.pid), crowd.figures()["opened"]
            most_mb, most_waiting, begun, end = 0, 0, time.monotonic(), time.monotonic() + seconds
            while time.monotonic() < end:
                most_mb = max(most_mb, rss_mb(gateway.process.pid))
                stats = {row["property"]: row["value"] for row in gateway.admin("SHOW STATS")}
                most_waiting = max(most_waiting, int(stats["unauthenticated connections"]))
                time.sleep(0.25)
            queries, logins = work.take()
            figures, took = crowd.figures(), time.monotonic() - begun
            cpu, opened = (cpu_seconds(gateway.process.pid) - cpu) / took, (figures["opened"] - opened) / took
        finally:
            crowd.close()
    finally:
        work.close()
    result = {"rss_mb": round(most_mb - before_mb, 1), "login_p99_ms": round(percentile(logins, 0.99) * 1000, 1),
              "query_p99_ratio": round(percentile(queries, 0.99) / percentile(alone, 0.99), 2),
              "query_p50_ms": round(percentile(queries, 0.5) * 1000, 2), "query_p99_ms": round(percentile(queries, 0.99) * 1000, 2),
              "worker_cpu": round(cpu, 2), "opened_a_second": round(opened), "logins": len(logins), "failed": len(work.failures), "waiting": most_waiting, "opened": figures["opened"],
              "dropped": figures["dropped"]}
    return result, work.failures


def add(parser):
    parser.add_argument("--connections", type=int, default=10000)
    parser.add_argument("--addresses", type=int, default=200)
    parser.add_argument("--per-second", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=30)


def main():
    given = longrun.options(__doc__, 0, add)
    stage = longrun.Stage()
    try:
        stage.start(shop.SQL, shop.POLICY)
        result, failures = measure(stage.gateway, given.connections, given.addresses, given.per_second, given.seconds)
    finally:
        stage.close()
    for failure in failures[:10]:
        print(failure)
    print("RESULT " + " ".join(f"{name}={value}" for name, value in result.items()))
    bound = 2000 + 2  # each worker may be one over while the one for it is dropped
    return int(bool(failures) or result["rss_mb"] > RSS_MB or result["login_p99_ms"] > LOGIN_MS or result["waiting"] > bound)


if __name__ == "__main__":
    sys.exit(main())
