"""Crash test: the gateway is killed (SIGKILL) under load; what clients had received is in its ledger.

    tests/run crash [--cases N] [--minutes M] [--seed S]

Each case is a kill at a random instant. Clients read people's keys by point look-ups, by bulk results and in
portals; after the restart, which must succeed, every key that reached a client must stand in the ledger.
    RESULT points=… received=… lost=… failed_starts=… seed=…
"""
import collections
import random
import sys
import threading
import time

import psycopg

from harness import longrun, rawclient

PEOPLE = 3000
SQL = f"""
CREATE SCHEMA c;
CREATE TABLE c.person (person_id bigint PRIMARY KEY, name text);
INSERT INTO c.person SELECT n, 'Person ' || n FROM generate_series(1, {PEOPLE}) AS n;
ANALYZE;
"""
POLICY = """
controller: {name: Crash, dpo: {name: D, email: d@crash.example}}
subjects: {person: {dataset: person, key: person_id}}
datasets:
  person: {table: c.person, subject: {kind: person, key: person_id}, columns: {person_id: {}, name: {category: name}}}
partners:
  reader:
    contract: {agreement: A, breach_contact: {name: B, phone: "1"}}
    purposes: [test]
    agents: [{name: one, identity: {certificate: "spiffe://reader/one"}}]
    valid: {from: 2020-01-01, until: 2099-12-31}
    grants: [{dataset: person, columns: {person_id: clear, name: clear}}]
    budget: {subjects: {per_day: 1000000, total: 1000000}, rows_per_statement: 1000000}
"""


class Client(threading.Thread):
    """Reads until its connection dies; `received` holds the keys that arrived."""

    def __init__(self, gateway, seed):
        super().__init__(daemon=True)
        self.random, self.received, self.gateway = random.Random(seed), set(), gateway
        self.client = rawclient.RawClient(gateway, "reader.one")

    def take(self, messages):
        for row in rawclient.rows(messages):
            self.received.add(row[0].decode())

    def step(self):
        low = self.random.randint(1, PEOPLE)
        kind = self.random.random()
        if kind < 0.7:
            self.client.send(self.client.message(b"Q", f"SELECT person_id FROM person WHERE person_id = {low}".encode() + b"\0"))
        elif kind < 0.9:
            self.client.send(self.client.message(b"Q", f"SELECT person_id, name FROM person WHERE person_id BETWEEN {low} AND {low + 200}".encode() + b"\0"))
        else:
            self.client.send(self.client.parse("SELECT person_id FROM person ORDER BY person_id"), self.client.bind(), self.client.execute(7),
                             self.client.execute(5), self.client.SYNC)
        while True:
            message = self.client.receive()
            self.take([message])
            if message[0] == b"Z":
                return

    def run(self):
        try:
            while True:
                self.step()
        except (rawclient.Closed, OSError):
            self.client.close()


class Crash(longrun.Stage):
    def __init__(self, seed):
        super().__init__()
        self.random, self.count = random.Random(seed), collections.Counter()
        self.start(SQL, POLICY, {"ledger": {"segment_bytes": 1024 * 1024}})

    def admin(self, sql):
        url = f"host={self.gateway.run_dir} port={self.gateway.settings['admin']['port']} dbname=cofferdam"
        with psycopg.connect(url, autocommit=True) as connection:
            return connection.execute(sql).fetchall()

    def point(self):
        before = int(self.admin("SHOW LEDGER LAST 1")[-1][0])
        clients = [Client(self.gateway, self.random.random()) for _ in range(self.random.choice([1, 2, 4]))]
        for client in clients:
            client.start()
        time.sleep(self.random.uniform(0.002, 0.25))
        self.gateway.kill9()
        for client in clients:
            client.join(timeout=30)
        self.count["points"] += 1
        try:
            self.gateway.start()
        except RuntimeError as error:
            self.count["failed_starts"] += 1
            print(f"NO START after a kill:\n{error}", flush=True)
            return False
        written = {row[3] for row in self.admin(f"SHOW DISCLOSED AFTER {before}")}
        received = set().union(*(client.received for client in clients))
        self.count["received"] += len(received)
        if received - written:
            self.count["lost"] += len(received - written)
            print(f"LOST {sorted(received - written)[:10]} of {len(received)} received, {len(written)} written", flush=True)
        return True


def main():
    options = longrun.options(__doc__, 200)
    crash = Crash(options.seed)
    try:
        while crash.count["points"] < options.cases and time.monotonic() < options.deadline:
            if not crash.point():
                break
    finally:
        crash.close()
    count = crash.count
    print(f"RESULT points={count['points']} received={count['received']} lost={count['lost']} "
          f"failed_starts={count['failed_starts']} seed={options.seed}")
    return 1 if count["lost"] or count["failed_starts"] or not count["received"] else 0


if __name__ == "__main__":
    sys.exit(main())
