"""Leak test: every masked, ungranted or filtered-out value is a known canary; no byte of it may leave.

    tests/run leak [--cases N] [--minutes M] [--seed S] [--only SOURCE]

Statements of four sources run through the gateway in the simple and the extended protocol, text and binary, and by
COPY, cursors, PREPARE and EXECUTE, and several at once (harness/hostile_ways.py):
    hostile    valid, broken, mutated, and each known channel
    hidden     expressions that fail on hidden rows alone, in every place: an error of the data is a leak
    sqlsmith   random statements over all of SELECT, by sqlsmith, for views like the partner's datasets
    writes     UPDATE, DELETE, INSERT and COPY FROM of an agent that may write, rolled back: with expressions that fail on
               hidden rows, keys that hidden rows have, data that cannot be read
Every byte that the server sends is searched for canaries and for subject keys that the partner has no right
to. The gateway must live, and answer each statement.
    RESULT statements=… leaks=… crashes=… broken=… stalled=… answered=… with_rows=… refused=… seed=…
and before it a line a source: how many statements, and how many were not refused. broken: accepted, and then
not understood by the database, which is no leak but a defect of the rewriting. stalled: no answer in time.
"""
import collections
import random
import re
import struct
import sys
import time

from harness import hidden_probes, hidden_writes, hostile, hostile_ways, longrun, rawclient, sqlsmith

ROWS = 60
KEY_BASE = 0x5AFEC0DE0000  # subject keys: recognisable as text and as eight bytes
CANARY = b"cAnArY"

SQL = f"""
CREATE SCHEMA v;
CREATE TABLE v.person (person_id bigint PRIMARY KEY, name text, phone text, email text, secret text, born timestamp,
                       salary numeric, town text, open boolean NOT NULL);
CREATE TABLE v.item (item_id integer PRIMARY KEY, person_id bigint REFERENCES v.person, label text, remark text, price integer);
CREATE TABLE v.vault (vault_id integer PRIMARY KEY, content text);
CREATE TABLE v.shop (shop_id integer PRIMARY KEY, title text);
CREATE TABLE v.memo (memo_id integer PRIMARY KEY, body text NOT NULL, kind integer NOT NULL DEFAULT 4);
-- Of every third person the row is hidden: each of their values is a canary.
INSERT INTO v.person SELECT {KEY_BASE} + n,
    CASE WHEN n % 3 = 0 THEN 'cAnArY-name-' || n ELSE 'Name ' || n END,
    'cAnArY-phone-' || n || '-' || lpad(n::text, 4, '0'),
    'cAnArY.email.' || n || '@public.example',
    'cAnArY-secret-' || n, timestamp '1970-05-06 07:08:09' + n * interval '1 day', 990000 + n,
    CASE WHEN n % 3 = 0 THEN 'cAnArY-town-' || n ELSE 'Town ' || n % 5 END, n % 3 <> 0
  FROM generate_series(1, {ROWS}) AS n;
INSERT INTO v.item SELECT n, {KEY_BASE} + 1 + n % {ROWS},
    CASE WHEN (1 + n % {ROWS}) % 3 = 0 THEN 'cAnArY-label-' || n ELSE 'label ' || n END,
    'cAnArY-remark-' || n, n % 7 FROM generate_series(1, 200) AS n;
INSERT INTO v.vault SELECT n, 'cAnArY-vault-' || n FROM generate_series(1, 20) AS n;
INSERT INTO v.memo SELECT n, CASE WHEN n % 3 = 0 THEN 'cAnArY-body-' ELSE 'memo ' END || n, n % 7 FROM generate_series(1, 40) AS n;
INSERT INTO v.shop SELECT n, 'Shop ' || n FROM generate_series(1, 5) AS n;
CREATE FUNCTION v.leak(anyelement) RETURNS text LANGUAGE sql AS $$ SELECT 'cAnArY-function' $$;
CREATE FUNCTION public.lower(bigint) RETURNS text LANGUAGE sql AS $$ SELECT 'cAnArY-shadow' $$;
ANALYZE;
"""

# The row filters cost more than most of what a partner writes: the planner likes to put them last.
POLICY = """
controller: {name: Vault, dpo: {name: D, email: d@vault.example}}
subjects: {person: {dataset: person, key: person_id}}
datasets:
  person:
    table: v.person
    subject: {kind: person, key: person_id}
    columns: {person_id: {}, name: {category: name}, phone: {category: phone}, email: {category: email},
              secret: {category: credential}, born: {category: date_of_birth}, salary: {category: financial}, town: {category: address}, open: {}}
  item:
    table: v.item
    subject: {kind: person, via: [{dataset: person, on: person_id}], key: person_id}
    columns: {item_id: {}, person_id: {}, label: {}, remark: {}, price: {}}
  vault: {table: v.vault, subject: none, columns: {vault_id: {}, content: {}}}
  shop: {table: v.shop, subject: none, columns: {shop_id: {}, title: {}}}
  memo: {table: v.memo, subject: none, columns: {memo_id: {}, body: {}, kind: {}}}
partners:
  thief:
    contract: {agreement: A, breach_contact: {name: B, phone: "1"}}
    purposes: [test]
    agents: [{name: one, identity: {certificate: "spiffe://thief/one"}}, {name: writer, identity: {certificate: "spiffe://thief/writer"}}]
    valid: {from: 2020-01-01, until: 2099-12-31}
    grants:
      - dataset: person
        agent: one
        rows: "CASE WHEN open THEN lower(upper(lower(upper(lower(upper(name)))))) END LIKE 'name%'"
        columns: {person_id: token, name: clear, phone: last4, email: domain, born: year, town: clear}
      - dataset: item
        agent: one
        rows: "CASE WHEN price > 2 THEN lower(upper(lower(upper(lower(upper(label)))))) END LIKE 'label%'"
        columns: {item_id: clear, label: clear, price: clear}
      - {dataset: shop, agent: one, columns: all}
      - dataset: person
        agent: writer
        rows: "CASE WHEN open THEN lower(upper(lower(upper(lower(upper(name)))))) END LIKE 'name%'"
        columns: {person_id: token, name: clear, phone: last4, email: domain, born: year, town: clear}
        write: {update: [name, town]}
      - dataset: item
        agent: writer
        rows: "CASE WHEN price > 2 THEN lower(upper(lower(upper(lower(upper(label)))))) END LIKE 'label%'"
        columns: {item_id: clear, label: clear, price: clear}
        write: {update: [label, price], insert: [item_id, label, price], delete: true}
      - {dataset: shop, agent: writer, columns: all, write: {update: [title], insert: [shop_id, title], delete: true}}
      - dataset: memo
        agent: writer
        rows: "CASE WHEN kind > 2 THEN lower(upper(lower(upper(body)))) END LIKE 'memo%'"
        columns: {memo_id: clear, body: clear, kind: clear}
        write: {update: [body, kind], insert: [memo_id, body, kind], delete: true}
    budget: {subjects: {per_day: 100000, total: 100000}, rows_per_statement: 100000, errors_per_day: 100000000, probes_per_day: 100000000}
"""

# What the datasets look like to the partner.
VIEWS = """
CREATE VIEW person AS SELECT ''::text AS person_id, ''::text AS name, ''::text AS phone, ''::text AS email, 1 AS born, ''::text AS town;
CREATE VIEW item AS SELECT 1 AS item_id, ''::text AS label, 1 AS price;
CREATE VIEW shop AS SELECT 1 AS shop_id, ''::text AS title;
"""
SOURCES = {"hostile": 0.25, "hidden": 0.4, "sqlsmith": 0.2, "writes": 0.15}
BROKEN = ("a table that policy names is not in the database", "a column that policy names is not in the database",
          "the database did not accept the statement")  # of what the gateway wrote
FORMATS = re.compile("to_char|to_number|to_date|to_timestamp|jsonpath|jsonb_path")
TELLING = ("22", "21", "23", "XX")  # classes of errors that depend on the data, or that should not be

# Eight bytes of any subject key, its decimal text, and hidden birth times; salaries are six digits of 99….
FORBIDDEN = [re.compile(re.escape(CANARY), re.IGNORECASE), re.compile(re.escape(struct.pack("!Q", KEY_BASE)[:6])),
             re.compile(str(KEY_BASE)[:11].encode()), re.compile(rb"07:08:09"), re.compile(rb"(?<![0-9a-f])9900[0-6]\d(?![0-9a-f])"),
             re.compile(rb"(?<![0-9a-z])h[0-9a-f]{16}(?![0-9a-f])")]


class Leak(longrun.Stage):
    def __init__(self, seed):
        super().__init__()
        self.random, self.count, self.states = random.Random(seed), collections.Counter(), collections.Counter()
        self.start(SQL, POLICY, {"upstream": {"statement_timeout_ms": 20000}})  # sqlsmith likes to join all with all
        self.clients = {}

    def close(self):
        for agent in list(self.clients):
            self.disconnect(agent)
        super().close()

    def connect(self, agent):
        if agent not in self.clients:
            self.clients[agent] = rawclient.RawClient(self.gateway, agent)
        return self.clients[agent]

    def disconnect(self, agent):
        self.clients.pop(agent).close()

    def look(self, client, sql, how, sent):
        seen = client.take()
        # A statement's own text may come back as data (SELECT 'cAnArY'): those bytes are no leak.
        for pattern in FORBIDDEN:
            for found in pattern.finditer(seen):
                if found.group() not in sent:
                    self.count["leaks"] += 1
                    print(f"LEAK {found.group()!r} by {how}: {sql!r}\n  …{seen[max(0, found.start() - 80):found.end() + 80]!r}", flush=True)
                    return

    def statements(self, only=None):
        """(source, statement), endless."""
        made = {"hostile": hostile.statements(self.random), "hidden": hidden_probes.statements(self.random), "writes": hidden_writes.statements(self.random)}
        if only in (None, "sqlsmith"):
            made["sqlsmith"] = sqlsmith.Smith(self.cluster, VIEWS, self.random.randrange(1 << 30)).statements()
        names = [only] if only else list(made)
        weights = [SOURCES[name] for name in names]
        while True:
            source = self.random.choices(names, weights)[0]
            yield source, next(made[source])

    def judge_errors(self, source, sql, how, errors):
        """What fails on hidden rows alone must not fail; what the gateway rewrote must be what it meant."""
        for error in errors:
            self.states[source, error["C"], error["M"]] += 1
            # Constraints may be told, and what is wrong with data that the client sent.
            telling = TELLING if source == "hidden" else ("21", "22", "XX") if source == "writes" and how != "given" else ("XX000",)
            if error["C"].startswith(telling):
                self.count["leaks"] += 1
                print(f"TELLS {error['C']} {error['M']} by {how}: {sql!r}", flush=True)
            elif error["M"] in BROKEN or (error["C"] == "42601" and error["M"].startswith("a format") and not FORMATS.search(str(sql))):
                self.count["broken"] += 1
                print(f"BROKEN {error['C']} {error['M']} by {how}: {sql!r}", flush=True)

    def pick_way(self, source, sql):
        if source != "writes":
            return hostile_ways.pick(self.random, sql)
        return "given" if sql[1] is not None else self.random.choice(list(hostile_ways.WRITING))

    def ask(self, client, source, sql, how):
        """All messages of it."""
        if source != "writes":
            return hostile_ways.WAYS[how](client, sql, self.random)
        sql, data = sql
        client.query("BEGIN")
        messages = hostile_ways.given(client, sql, data) if how == "given" else hostile_ways.WRITING[how](client, sql, self.random)
        return messages + client.query("ROLLBACK")

    def run(self, source, sql):
        agent, how = "thief.writer" if source == "writes" else "thief.one", self.pick_way(source, sql)
        self.count["statements"] += 1
        self.count[source] += 1
        client, sent = self.connect(agent), b"".join(part if isinstance(part, bytes) else part.encode() for part in ([sql] if isinstance(sql, str) else sql) if part)
        try:
            messages = self.ask(client, source, sql, how)
            self.count["answered"] += 1
            errors = rawclient.errors(messages)
            self.judge_errors(source, sql, how, errors)
            self.count["refused"] += bool(errors)
            self.count[source, "accepted"] += not errors
            self.count["way", how] += 1
            self.count["way", how, "accepted"] += not errors
            if any(kind in (b"D", b"d") for kind, _ in messages):
                self.count["with_rows"] += 1
        except (rawclient.Closed, OSError) as error:
            self.count["closed"] += 1
            self.count["stalled"] += isinstance(error, TimeoutError)
            print(f"UNANSWERED {type(error).__name__} {error} by {how}: {sql!r}", flush=True)
        self.look(client, sql, how, sent)
        if self.gateway.process.poll() is not None:
            self.count["crashes"] += 1
            print(f"CRASH by {how}: {sql!r}\n{self.gateway.log_text()[-2000:]}", flush=True)
            self.gateway.start()
            self.clients = {}
        elif self.count["answered"] + self.count["closed"] < self.count["statements"] or self.lost(client):
            self.disconnect(agent)

    def lost(self, client):
        """A session that a statement left in a transaction, or that has ended, is opened anew."""
        try:
            status = client.query("SELECT 1")[-1][1]
            client.take()
            if status != b"I":
                client.query("ROLLBACK")
                client.take()
            return False
        except (rawclient.Closed, OSError):
            return True


def main():
    options = longrun.options(__doc__, 3000, lambda parser: (
        parser.add_argument("--only", choices=list(SOURCES)), parser.add_argument("--verbose", action="store_true")))
    leak = Leak(options.seed)
    try:
        statements = leak.statements(options.only)
        for _ in range(options.cases):
            if time.monotonic() > options.deadline:
                break
            leak.run(*next(statements))
    finally:
        leak.close()
    count = leak.count
    for source in SOURCES:
        print(f"{source}: {count[source]} statements, {count[source, 'accepted']} not refused")
    if options.verbose:
        print("ways:", ", ".join(f"{how} {count['way', how, 'accepted']} of {count['way', how]}" for how in [*hostile_ways.WAYS, "given"]))
    for (source, state, message), number in leak.states.most_common(60 if options.verbose else 0):
        print(f"  {number:5} {source} {state} {message}")
    print(f"RESULT statements={count['statements']} leaks={count['leaks']} crashes={count['crashes']} broken={count['broken']} stalled={count['stalled']} "
          f"answered={count['answered']} with_rows={count['with_rows']} refused={count['refused']} seed={options.seed}")
    return 1 if count["leaks"] or count["crashes"] or count["broken"] or count["stalled"] or not count["with_rows"] else 0


if __name__ == "__main__":
    sys.exit(main())
