"""Every way in which trust ends, with something under way: it ends with FATAL 57P01, and the ledger has all that left."""
import datetime
import select
import subprocess
import time

import psycopg
import pytest

from harness import clock as clocks
from harness import shop
from harness.rawclient import RawClient, errors, fields, kinds, rows, states, status, tags

HOUR, DAY = 3600, 86400
TWO = "purposes: [delivery]", "purposes: [delivery, billing]"
WRITES = shop.POLICY.replace("item: clear, pence: clear}}", "item: clear, pence: clear}, write: {insert: "
                             "[purchase_id, person_id, item, pence]}}", 1)
POLICY = WRITES.replace(*TWO, 1).replace("rows_per_statement: 1000000", "rows_per_statement: 10000000000")
LONG = "SELECT p.full_name FROM person p, purchase a, purchase b, purchase c"
PEOPLE = "SELECT a.full_name FROM person a, person b, person c, person d"


@pytest.fixture(scope="module")
def clock():
    made = clocks.Clock()
    yield made
    made.close()


@pytest.fixture(scope="module")
def running(make_module_gateway, clock):
    gateway = make_module_gateway(policy_yaml=POLICY, start=False)
    clock.movable(gateway)
    gateway.grant()
    gateway.start()
    return gateway


@pytest.fixture
def gateway(running, clock):
    clock.move(0)
    running.reload(POLICY)
    yield running
    clock.move(0)


def delivery(gateway, **options):
    return RawClient(gateway, "acme.cert", (("cofferdam.purpose", "delivery"),), timeout=20, **options)


def text_of(instant):
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def now():
    return datetime.datetime.now(datetime.timezone.utc)


class Held:
    """One session for each thing that a session can hold when its trust ends."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.before = int(gateway.admin("SHOW CUTOFF")[0]["entries"])
        self.idle, self.result, self.cursor, self.copy, self.portal = (delivery(gateway) for _ in range(5))
        self.result.send(self.result.simple(LONG))
        self.begun = self.result.until(b"D")
        self.cursor.query("BEGIN")
        self.cursor.query("DECLARE c CURSOR FOR SELECT full_name FROM person")
        assert len(rows(self.cursor.query("FETCH 3 FROM c"))) == 3
        self.copy.send(self.copy.simple("COPY purchase (purchase_id, person_id, item, pence) FROM STDIN"))
        self.copy.until(b"G")
        self.copy.send(self.copy.message(b"d", b"990001\t1\titem 1\t5\n"))
        self.portal.query("BEGIN")
        self.portal.send(self.portal.parse("SELECT full_name FROM person"), self.portal.bind(),
                         self.portal.execute(2), self.portal.SYNC)
        assert kinds(self.portal.until_ready()).count("s") == 1

    def all_end(self, part):
        """Each session gets FATAL 57P01 with that text, and what the running one received is in the ledger."""
        began = time.monotonic()
        for client in (self.idle, self.cursor, self.copy, self.portal, self.result):
            messages = client.until_closed()
            told = errors(messages)
            if client is self.result:
                received = len(rows(self.begun + messages))
            if client is self.result and not told and part == "is contained":
                continue  # it was cut in the middle of a row, and had not read what was before its last words
            assert [(error["S"], error["C"]) for error in told] == [("FATAL", "57P01")], kinds(messages)[-9:]
            assert part in told[0]["M"], told
            assert told[0].get("H"), "nothing says what to do"
        assert time.monotonic() - began < 5
        self.gateway.until_backends(0)
        released = sum(entry.get("rows") or 0 for entry in self.gateway.ledger()
                       if entry["type"] == "disclosure" and entry["sequence"] >= self.before)
        assert released >= received > 0
        assert self.gateway.cluster.rows("SELECT count(*) FROM shop.purchase WHERE purchase_id = 990001",
                                         database=self.gateway.database) == [(0,)]


def end_hours(gateway, clock):
    clock.move_to((now() + datetime.timedelta(days=1)).replace(hour=10, minute=59, second=30))
    gateway.reload(POLICY.replace('"spiffe://acme/cert"}', '"spiffe://acme/cert"}, hours: "00:00-11:00"', 1))
    clock.move_by(30)


WAYS = {
    "validity": ("your access ended", lambda gateway, clock: gateway.reload(
        POLICY.replace("until: 2099-12-31", "until: 2020-12-31", 1))),
    "certificate": ("certificate has expired", lambda gateway, clock: clock.move(20 * 365 * DAY)),
    "posture": ("attestation expired", lambda gateway, clock: gateway.reload(
        POLICY.replace("{agreement: DPA-1,", "{agreement: DPA-1, posture: {expires: 2026-01-01},"))),
    "network": ("from this address", lambda gateway, clock: gateway.reload(
        POLICY.replace('"spiffe://acme/cert"}', '"spiffe://acme/cert"}, networks: [203.0.113.0/24]', 1))),
    "hours": ("at this hour", end_hours),
    "purpose": ("no longer agreed", lambda gateway, clock: gateway.reload(
        POLICY.replace("purposes: [delivery, billing]", "purposes: [billing]", 1))),
    "agent": ("no longer in the policy", lambda gateway, clock: gateway.reload(
        POLICY.replace("{name: cert, identity", "{name: other, identity", 1))),
    "containment": ("is contained", lambda gateway, clock: gateway.cli("partner", "contain", "acme", "--reason", "t")),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_way_that_trust_ends(gateway, clock, way):
    part, end = WAYS[way]
    held = Held(gateway)
    try:
        end(gateway, clock)
        held.all_end(part)
    finally:
        if way == "containment":
            gateway.cli("partner", "restore", "acme", "--reason", "t")


def until_fatal(client):
    told = errors(client.until_closed())
    assert [(error["S"], error["C"]) for error in told] == [("FATAL", "57P01")], told
    return told[0]["M"]


def goes_on(client, seconds=0.7):
    """A result that is longer than anybody reads is still being delivered after the next looks."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        kind, body = client.receive()
        assert kind == b"D", fields(body)
    client.reset()


def begin(gateway, sql):
    client = delivery(gateway)
    client.send(client.simple(sql))
    client.until(b"D")
    return client


def test_a_grant_that_ends_takes_what_runs_on_it(gateway, clock):
    until = text_of(now() + datetime.timedelta(hours=1))
    gateway.reload(POLICY.replace("- {dataset: purchase,", f"- {{dataset: purchase, valid: {{until: {until}}},", 1))
    on_it, beside = begin(gateway, LONG), begin(gateway, PEOPLE)
    psql = subprocess.Popen(["psql", "-X", "-d", gateway.url("acme.cert", options="-c cofferdam.purpose=delivery"),
                             "-c", f"COPY ({LONG}) TO STDOUT"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert psql.stdout.readline().startswith(b"Person")
    clock.move(HOUR + 1)
    assert "grant" in until_fatal(on_it)
    assert b"FATAL" in psql.communicate(timeout=20)[1]
    goes_on(beside)
    assert states(delivery(gateway).query("SELECT item FROM purchase")) == ["42P01"]


@pytest.mark.parametrize("change", [
    ("rows: \"town = 'York'\"", 'rows: "person_id = 1"'),
    ("phone: last4, born: clear", "phone: redact, born: clear"),
    ("lookup_by", "lookup_by"),
    ("rows_per_statement: 10000000000}\n  rival", "rows_per_statement: 100}\n  rival"),
])
def test_a_policy_that_narrows_ends_a_result(gateway, change):
    narrowed = POLICY.replace(*change, 1)
    if change[0] == "lookup_by":
        narrowed = POLICY.replace("    grants:\n", "    lookup_by: [person.person_id]\n    grants:\n", 1)
    client = begin(gateway, PEOPLE)
    gateway.reload(narrowed)
    assert "grant" in until_fatal(client)


def test_a_policy_that_changes_something_else_does_not(gateway):
    client = begin(gateway, PEOPLE)
    gateway.reload(POLICY.replace("subjects: {per_day: 100000,", "subjects: {per_day: 200000,")
                   .replace("- {dataset: article, columns: all}", "- {dataset: article, columns: [item]}"))
    goes_on(client)


def test_what_is_written_and_not_committed_goes_with_its_grant(gateway):
    client = delivery(gateway)
    client.query("BEGIN")
    told = client.query("INSERT INTO purchase (purchase_id, person_id, item, pence) VALUES (990002, 1, 'item 1', 5)")
    assert tags(told) == ["INSERT 0 1"], errors(told)
    gateway.reload(POLICY.replace(", write: {insert: [purchase_id, person_id, item, pence]}", ""))
    assert "grant" in until_fatal(client)
    assert gateway.cluster.rows("SELECT count(*) FROM shop.purchase WHERE purchase_id = 990002",
                                database=gateway.database) == [(0,)]


def ended_by_hours(connection, seconds=2):
    """Does an idle session get its FATAL without asking for anything?"""
    readable, _, _ = select.select([connection.fileno()], [], [], seconds)
    if not readable:
        return False
    with pytest.raises(psycopg.OperationalError, match="may not work at this hour"):
        connection.execute("SELECT 1")
    return True


def test_hours_at_the_turns_of_daylight_saving(gateway, clock):
    """In London 01:00 UTC of 28 March 2027 is 02:00, and of 31 October 01:00 for the second time."""
    gateway.reload(POLICY.replace("scram: secrets/acme-job.scram}",
                                  'scram: secrets/acme-job.scram}, hours: "00:00-01:30 Europe/London"', 1))

    def connect(*instant):
        clock.move_to(datetime.datetime(*instant, tzinfo=datetime.timezone.utc))
        return gateway.connect("acme.job", options="-c cofferdam.purpose=delivery")

    spring = connect(2027, 3, 28, 0, 59, 50)  # 00:59:50 there
    clock.move_by(10)  # 02:00
    assert ended_by_hours(spring), "01:00 to 01:30 did not pass by in no time"
    summer = connect(2027, 10, 31, 0, 29, 50)  # 01:29:50, the first
    clock.move_by(10)
    assert ended_by_hours(summer)
    winter = connect(2027, 10, 31, 1, 0, 1)  # 01:00:01, the second
    clock.move_by(1790)
    assert not ended_by_hours(winter, 0.7)
    assert winter.execute("SELECT 1").fetchone() == (1,)
    clock.move_by(10)
    assert ended_by_hours(winter)


def test_a_clock_that_is_set_back_prolongs_nothing(gateway, clock):
    until = text_of(now() + datetime.timedelta(seconds=2))
    gateway.reload(POLICY.replace("valid: {from: 2020-01-01, until: 2099-12-31}",
                                  f"valid: {{from: 2020-01-01, until: {until}}}", 1))
    client = delivery(gateway)
    clock.move(-10 * DAY)
    began = time.monotonic()
    assert "ended" in until_fatal(client)
    assert time.monotonic() - began < 5
    assert "clock_set_back" in gateway.log_text()
    clock.move(0)


def test_a_purpose_is_for_the_whole_session(gateway):
    client = delivery(gateway)
    told = errors(client.query("SET cofferdam.purpose = 'billing'"))
    assert (told[0]["C"], "connect again" in told[0]["H"]) == ("42501", True), told
    assert rows(client.query("SHOW cofferdam.purpose")) == [[b"delivery"]]
    client.query("SELECT full_name FROM person LIMIT 1")
    assert gateway.ledger(1)[0]["purpose"] == "delivery"
    gateway.until_sessions(1)
    assert gateway.admin("SHOW SESSIONS")[0]["purpose"] == "delivery"
    client.close()


def test_each_execute_of_a_pipeline_is_asked_again(gateway):
    client = delivery(gateway)
    client.send(client.parse("SELECT 1", "s"), client.SYNC)
    client.until_ready()
    gateway.reload(POLICY.replace('"spiffe://acme/cert"}', '"spiffe://acme/cert"}, networks: [203.0.113.0/24]', 1))
    client.send(*[client.bind(name="s") + client.execute() for _ in range(5)], client.SYNC)
    assert "address" in until_fatal(client)
