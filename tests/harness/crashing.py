"""What the crash tests share: clients that read people's keys while something dies, and what must hold afterwards."""
import collections
import random
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


class Crashing(longrun.Stage):
    """A gateway under load. count has what is told in the end; lost, failed_starts and broken must stay 0."""

    def __init__(self, seed):
        super().__init__()
        self.random, self.count, self.kinds = random.Random(seed), collections.Counter(), collections.Counter()
        self.start(SQL, POLICY, {"ledger": {"segment_bytes": 1024 * 1024, "publish_every_ms": 50}})
        self.gateway.expect_alarm = True

    def admin(self, sql):
        url = f"host={self.gateway.run_dir} port={self.gateway.settings['admin']['port']} dbname=cofferdam"
        with psycopg.connect(url, autocommit=True) as connection:
            return connection.execute(sql).fetchall()

    def last_entry(self):
        return int(self.admin("SHOW LEDGER LAST 1")[-1][0])

    def clients(self):
        """Some clients, at work."""
        clients = [Client(self.gateway, self.random.random()) for _ in range(self.random.choice([1, 2, 4]))]
        for client in clients:
            client.start()
        return clients

    def end(self, clients):
        """Kills the gateway if it lives, and waits for what its clients have had."""
        if self.gateway.process.poll() is None:
            self.gateway.kill9()
        for client in clients:
            client.join(timeout=30)

    def until_dead(self, seconds):
        deadline = time.monotonic() + seconds
        while self.gateway.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)

    def start_again(self, may_refuse=False):
        """True once it serves; a start that had to succeed and did not is counted."""
        try:
            self.gateway.start()
            return True
        except RuntimeError as error:
            if may_refuse and any(word in str(error) for word in ("ledger", "segment-", "checkpoint", "log-id")):
                self.count["refused"] += 1
                return False
            self.count["failed_starts"] += 1
            print(f"NO START:\n{str(error)[-3000:]}", flush=True)
            return False

    def compare(self, before, clients, kind):
        """Every key that had reached a client stands in the ledger behind that entry."""
        written = {row[3] for row in self.admin(f"SHOW DISCLOSED AFTER {before}")}
        received = set().union(*(client.received for client in clients))
        self.count["received"] += len(received)
        if received - written:
            self.count["lost"] += len(received - written)
            print(f"LOST after {kind}: {sorted(received - written)[:10]} of {len(received)} received, "
                  f"{len(written)} written", flush=True)
        return True

    def holds(self, what, *command):
        """Counts a command that must succeed and does not."""
        code, output, errors = self.gateway.cli(*command, check=False)
        self.count["checked"] += 1
        if code != 0:
            self.count["broken"] += 1
            print(f"BROKEN after {what}: {' '.join(command)}: {errors}{output}"[:2000], flush=True)
        return code == 0

    def result(self, *names):
        for name, points in sorted(self.kinds.items()):
            print(f"  {name}: {points}")
        print("RESULT " + " ".join(f"{name}={self.count[name]}" for name in names), end=" ")

    @property
    def kept_promise(self):
        return not (self.count["lost"] or self.count["failed_starts"] or self.count["broken"]) and bool(self.count["received"])
