"""A grant that waits for approval: asked for by the statement that needs it, decided by staff, gone when its time is up."""
import json
import pwd
import time

import psycopg
import pytest

from harness import clock as clocks
from harness import places, shop
from harness.rawclient import RawClient, errors, fields, rows, states

HOUR = 3600
WAITS = "- {dataset: purchase, approval: {for: 8h, approvals: %d, reason: %s},"
POLICY = shop.POLICY.replace("- {dataset: purchase,", WAITS % (1, "optional"), 1).replace(
    "rows_per_statement: 1000000", "rows_per_statement: 10000000000")
TWO = POLICY.replace("approvals: 1", "approvals: 2")
REASON = POLICY.replace("reason: optional", "reason: required")
ITEMS = "SELECT item FROM purchase WHERE purchase_id = 1"
LONG = "SELECT a.item FROM purchase a, purchase b, purchase c"
BESIDE = "SELECT a.full_name FROM person a, person b, person c, person d"


@pytest.fixture(scope="module")
def clock():
    made = clocks.Clock()
    yield made
    made.close()


@pytest.fixture(scope="module")
def running(make_module_gateway, clock):
    gateway = make_module_gateway(policy_yaml=POLICY, start=False, config={"admin": {"users": [
        pwd.getpwnam("daemon").pw_uid, pwd.getpwnam("games").pw_uid]}})
    clock.movable(gateway)
    gateway.grant()
    gateway.start()
    return gateway


@pytest.fixture
def gateway(running, clock):
    """No request is open or approved, and none was denied in the last hour: containment closes them, time passes."""
    running.reload(POLICY)
    running.cli("partner", "contain", "acme", "--reason", "clean")
    running.cli("partner", "restore", "acme", "--reason", "clean")
    clock.move_by(2 * HOUR)
    return running


def ask(gateway, agent="acme.cert", sql=ITEMS, wanted="was made"):
    state, message, hint = gateway.refused(agent, sql)
    assert (state, wanted in message) == ("42501", True), message
    return int(message.split("request ")[1].split()[0]), hint


def approve(gateway, number, *arguments, user="daemon"):
    return gateway.cli("request", "approve", str(number), *arguments, "--json", user=places.servant(user))


def listed(gateway, number):
    return json.loads(gateway.cli("request", "show", str(number), "--json"))[0]


def test_asked_approved_used_and_over(gateway, clock):
    number, hint = ask(gateway)
    assert "480 minutes" in hint
    assert ask(gateway, wanted="waits for it")[0] == number, "one open request a grant"
    assert ask(gateway, sql="SELECT full_name FROM person NATURAL JOIN purchase", wanted="waits")[0] == number
    assert listed(gateway, number)["state"] == "asked"
    with gateway.connect("acme.cert") as connection:
        approve(gateway, number)
        assert connection.execute(ITEMS).fetchall() == [("item 1",)]
        row = listed(gateway, number)
        assert (row["state"], row["partner"], row["agent"], row["dataset"]) == ("approved", "acme", "cert", "purchase")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            gateway.rows("acme.job", ITEMS)
        clock.move_by(8 * HOUR)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(ITEMS)
    assert listed(gateway, number)["state"] == "ended"
    acts = [entry["text"].split("\n")[0] for entry in gateway.ledger(40) if entry["type"] == "act"]
    assert "request-made" in acts and "request-approved" in acts


def in_use(gateway, wanted):
    """The approvals that sessions stand on. The list is each worker's of a moment ago: it may take another."""
    deadline = time.monotonic() + 5
    while (found := {row["approvals"] for row in gateway.admin("SHOW SESSIONS")}) != {wanted} and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


def begin(gateway, sql, timeout=20):
    client = RawClient(gateway, "acme.cert", timeout=timeout)
    client.send(client.simple(sql))
    client.until(b"D")
    return client


@pytest.mark.parametrize("end", ["time", "revoke", "contain", "reload"])
def test_what_runs_on_it_ends_with_it(gateway, clock, end):
    number, _ = ask(gateway)
    approve(gateway, number, "--for", "90m")
    client, beside = begin(gateway, LONG), begin(gateway, BESIDE)
    cursor = RawClient(gateway, "acme.cert", timeout=20)
    cursor.query("BEGIN")
    cursor.query("DECLARE c CURSOR FOR SELECT full_name FROM person")
    gateway.until_sessions(3)
    assert in_use(gateway, str(number)) == {str(number)}
    if end == "time":
        clock.move_by(90 * 60)
    elif end == "revoke":
        gateway.cli("request", "revoke", str(number), "--reason", "enough")
    elif end == "contain":
        gateway.cli("partner", "contain", "acme", "--reason", "test")
    else:
        gateway.reload(POLICY.replace("for: 8h", "for: 1m"))
        clock.move_by(61)
    told = errors(client.until_closed())
    assert [(error["S"], error["C"]) for error in told] == [("FATAL", "57P01")] or (end == "contain" and not told), told
    if end == "contain":
        assert listed(gateway, number)["state"] == "closed"
        gateway.cli("partner", "restore", "acme", "--reason", "test")
        assert states(RawClient(gateway, "acme.cert").query(ITEMS)) == ["42501"]
    else:
        kind, body = beside.receive()
        assert kind == b"D", fields(body)
        if end != "reload":
            assert len(rows(cursor.query("FETCH 3 FROM c"))) == 3, "a cursor on another grant goes on"
    for each in (beside, cursor):
        each.reset()


def test_two_users_must_and_nobody_counts_twice(gateway):
    gateway.reload(TWO)
    number, _ = ask(gateway)
    approve(gateway, number)
    assert listed(gateway, number)["state"] == "asked"
    with pytest.raises(RuntimeError, match="approved request"):
        approve(gateway, number)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        gateway.rows("acme.cert", ITEMS)
    approve(gateway, number, user="games")
    assert gateway.rows("acme.cert", ITEMS) == [("item 1",)]


def test_a_reason_that_is_required(gateway):
    gateway.reload(REASON)
    with gateway.connect("acme.cert") as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="no reason is given"):
            connection.execute(ITEMS)
        connection.execute("SET cofferdam.reason = 'recall of the blue ones'")
        assert connection.execute("SHOW cofferdam.reason").fetchone() == ("recall of the blue ones",)
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="was made") as caught:
            connection.execute(ITEMS)
        with pytest.raises(psycopg.errors.InvalidParameterValue):
            connection.execute("SET cofferdam.reason = E'two\\nlines'")
    number = int(str(caught.value).split("request ")[1].split()[0])
    assert listed(gateway, number)["reason"] == "recall of the blue ones"


def test_denied_and_decided_once(gateway):
    number, _ = ask(gateway)
    gateway.cli("request", "deny", str(number), "--reason", "not now")
    assert "denied" in gateway.refused("acme.cert", ITEMS)[1]
    for verb in (["approve"], ["deny", "--reason", "x"], ["revoke", "--reason", "x"]):
        with pytest.raises(RuntimeError, match="is denied"):
            gateway.cli("request", verb[0], str(number), *verb[1:])
    with pytest.raises(RuntimeError, match="no request 99999"):
        gateway.cli("request", "show", "99999")
    with pytest.raises(RuntimeError, match="at most"):
        approve(gateway, ask(gateway, "acme.job")[0], "--for", "9h")


def test_it_outlives_a_restart_and_is_for_the_grant_that_was_shown(gateway):
    number, _ = ask(gateway)
    approve(gateway, number)
    gateway.kill9()
    gateway.start()
    assert gateway.rows("acme.cert", ITEMS) == [("item 1",)]
    gateway.reload(POLICY.replace("purchase_id: clear, person_id: clear, item: clear, pence: clear",
                                  "purchase_id: clear, person_id: clear, item: clear"))
    assert "was made" in gateway.refused("acme.cert", ITEMS)[1]
    gateway.reload(POLICY)
    assert gateway.rows("acme.cert", ITEMS) == [("item 1",)]


def test_the_catalogue_shows_what_can_be_asked_for(gateway):
    out = gateway.psql("acme.cert", "\\d purchase")
    assert "pence" in out.stdout, out.stderr
    with pytest.raises(psycopg.Error, match="the gateway's own"):
        gateway.admin("RECORD ACT 'request-approved id=1'")
