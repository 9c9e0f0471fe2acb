"""Crash test: the gateway dies, or its disk fails, under load; what clients had received is in its ledger.

    tests/run crash [--cases N] [--minutes M] [--seed S] [--only FAULT]

Each case strikes once, while clients read people's keys by point look-ups, by bulk results and in portals, or while the
gateway starts and recovers: SIGKILL at a random instant, before and after each call that writes or syncs, a torn
write, a write or a sync that fails once and then succeeds again, a full disk, a bit that flips in a file of the
ledger. Afterwards the gateway starts, and every key that had reached a client stands in its ledger; after a flipped
bit it may refuse to start instead, and must say which file. While the disk is full it lives, and what it cannot write
down it refuses with SQLSTATE 53100.
    RESULT points=… received=… lost=… refused=… failed_starts=… seed=…
"""
import collections
import random
import sys
import threading
import time

import psycopg

from harness import faults, longrun, rawclient

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


RANDOM_KILL, FLIP, AT_START = "kill at random", "bit flip", "kill while starting"
DYING = [faults.KILL_BEFORE, faults.KILL_AFTER, faults.TORN, faults.WRITE_EIO, faults.SYNC_EIO]
KINDS = [RANDOM_KILL, *DYING, AT_START, faults.DISK_FULL, FLIP]


def name_of(kind):
    return faults.NAMES.get(kind, kind)


class Crash(longrun.Stage):
    def __init__(self, seed):
        super().__init__()
        self.random, self.count, self.kinds = random.Random(seed), collections.Counter(), collections.Counter()
        self.start(SQL, POLICY, {"ledger": {"segment_bytes": 1024 * 1024}})
        self.faults = faults.Faults(self.gateway)
        self.gateway.expect_alarm = True
        self.gateway.restart()

    def close(self):
        self.faults.disarm()
        self.faults.close()
        super().close()

    def admin(self, sql):
        url = f"host={self.gateway.run_dir} port={self.gateway.settings['admin']['port']} dbname=cofferdam"
        with psycopg.connect(url, autocommit=True) as connection:
            return connection.execute(sql).fetchall()

    def load(self, then):
        """Runs clients, does what `then` says, and returns the clients once the gateway has gone."""
        clients = [Client(self.gateway, self.random.random()) for _ in range(self.random.choice([1, 2, 4]))]
        for client in clients:
            client.start()
        then()
        if self.gateway.process.poll() is None:
            self.gateway.kill9()
        for client in clients:
            client.join(timeout=30)
        self.faults.disarm()
        return clients

    def until_dead(self, seconds):
        deadline = time.monotonic() + seconds
        while self.gateway.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)

    # ---- what happens ----

    def die_at_random(self):
        time.sleep(self.random.uniform(0.002, 0.25))

    def strike(self, kind):
        """A call that is not the log's may fail without an end: then it is killed a little later."""
        self.faults.arm(kind, self.random.choice([1, 2, 3, 5, 8, 13, 40, 120]))
        self.until_dead(1.0)
        self.count["struck"] += self.faults.struck

    def fill_disk(self, clients):
        """It must live without room, and work again when there is some."""
        self.faults.arm(faults.DISK_FULL)
        time.sleep(self.random.uniform(0.5, 1.5))
        if self.gateway.process.poll() is not None:
            self.count["failed_starts"] += 1
            print(f"DIED of a full disk:\n{self.gateway.log_text()[-2000:]}", flush=True)
            return
        self.faults.disarm()
        time.sleep(self.random.uniform(0, 0.3))

    def start_again(self, may_refuse):
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

    def die_while_starting(self):
        for _ in range(self.random.choice([1, 2, 4])):
            self.faults.arm(self.random.choice([faults.KILL_BEFORE, faults.KILL_AFTER, faults.TORN]),
                            self.random.choice([1, 2, 3, 4, 6, 9, 14, 30]))
            try:
                self.gateway.start()
                self.gateway.kill9()
            except RuntimeError:
                self.count["struck"] += self.faults.struck
            self.faults.disarm()

    def flip(self):
        """One bit of one file. Returns what undoes it."""
        files = sorted(path for path in self.gateway.ledger_dir.iterdir() if path.is_file() and path.stat().st_size)
        path = self.random.choice(files)
        used = len(path.read_bytes().rstrip(b"\0")) or path.stat().st_size
        at, bit = self.random.randrange(used), 1 << self.random.randrange(8)

        def turn():
            with open(path, "r+b") as file:
                file.seek(at)
                byte = file.read(1)[0]
                file.seek(at)
                file.write(bytes([byte ^ bit]))
        turn()
        return turn

    # ---- a case ----

    def case(self, kind):
        before = int(self.admin("SHOW LEDGER LAST 1")[-1][0])
        if kind == faults.DISK_FULL:
            clients = self.load(lambda: self.fill_disk(None))
        elif kind in DYING:
            clients = self.load(lambda: self.strike(kind))
        else:
            clients = self.load(self.die_at_random)
        if kind == AT_START:
            self.die_while_starting()
        self.count["points"] += 1
        self.kinds[name_of(kind)] += 1
        if kind == FLIP:
            undo = self.flip()
            if not self.start_again(may_refuse=True):
                undo()
                return self.start_again(may_refuse=False) and self.compare(before, clients, kind)
            return self.compare(before, clients, kind)
        return self.start_again(may_refuse=False) and self.compare(before, clients, kind)

    def compare(self, before, clients, kind):
        written = {row[3] for row in self.admin(f"SHOW DISCLOSED AFTER {before}")}
        received = set().union(*(client.received for client in clients))
        self.count["received"] += len(received)
        if received - written:
            self.count["lost"] += len(received - written)
            print(f"LOST after {name_of(kind)}: {sorted(received - written)[:10]} of {len(received)} received, "
                  f"{len(written)} written", flush=True)
        return True


def add_options(parser):
    parser.add_argument("--only", help="one fault: " + ", ".join(name_of(kind) for kind in KINDS))


def main():
    options = longrun.options(__doc__, 200, add_options)
    kinds = [kind for kind in KINDS if options.only in (None, name_of(kind))]
    crash = Crash(options.seed)
    try:
        while crash.count["points"] < options.cases and time.monotonic() < options.deadline:
            if not crash.case(kinds[crash.count["points"] % len(kinds)]):
                break
    finally:
        crash.close()
    count = crash.count
    for name, points in sorted(crash.kinds.items()):
        print(f"  {name}: {points}")
    print(f"RESULT points={count['points']} received={count['received']} lost={count['lost']} refused={count['refused']} "
          f"struck={count['struck']} failed_starts={count['failed_starts']} seed={options.seed}")
    return 1 if count["lost"] or count["failed_starts"] or not count["received"] else 0


if __name__ == "__main__":
    sys.exit(main())
