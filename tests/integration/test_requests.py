"""A grant that waits for approval: asked for by the statement that needs it, decided by staff, gone when its time is up."""
import json
import pwd
import time

import psycopg
import pytest

from harness import clock as clocks
from harness import places, shop
from harness.rawclient import RawClient, errors, fields, rows, states, tags

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
    assert "holds for 8h at most" in hint
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
    gateway.until_sessions(0)
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
        after = RawClient(gateway, "acme.cert")
        assert states(after.query(ITEMS)) == ["42501"]
        after.reset()
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


    with gateway.connect("acme.cert") as connection:
        for text in ("\\u009b2Jgone", "\\u202eyllacol", "\\u2028two", "\\u2066x", "\\x7f"):
            with pytest.raises(psycopg.errors.InvalidParameterValue, match="one line"):
                connection.execute(f"SET cofferdam.reason = E'{text}'")
        connection.execute("SET cofferdam.reason = 'Ünïcode – “quoted” ✓'")


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


COLUMNS = "columns: {purchase_id: clear, person_id: clear, item: clear, pence: clear}"
ALIKE = POLICY.replace("purposes: [delivery]", "purposes: [delivery, billing]", 1).replace(
    WAITS % (1, "optional"),
    "- {dataset: purchase, purpose: delivery, approval: {for: 8h}, %s}\n"
    "      - {dataset: purchase, purpose: billing, approval: {for: 1h, approvals: 2}," % COLUMNS, 1)


def test_grants_that_give_the_same_on_other_terms(gateway, clock):
    gateway.reload(ALIKE)
    billing = {"options": "-c cofferdam.purpose=billing"}
    with gateway.connect("acme.cert", **billing) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="was made") as caught:
            connection.execute(ITEMS)
        number = int(str(caught.value).split("request ")[1].split()[0])
        with pytest.raises(RuntimeError, match="for 1h at most"):
            approve(gateway, number, "--for", "2h")
        approve(gateway, number)
        assert listed(gateway, number)["state"] == "asked", "the other purpose's grant needs one approval only"
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="waits for it"):
            connection.execute(ITEMS)
        approve(gateway, number, user="games")
        assert connection.execute(ITEMS).fetchall() == [("item 1",)]
        with gateway.connect("acme.cert", options="-c cofferdam.purpose=delivery") as other:
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="was made"):
                other.execute(ITEMS)
        clock.move_by(HOUR)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(ITEMS)


@pytest.mark.parametrize("commit", ["simple", "extended", "sync"])
def test_no_commit_after_an_approval_has_ended(gateway, clock, commit):
    """The next look at what runs is half a second away: COMMIT is asked for itself."""
    write = ", write: {insert: [purchase_id, person_id, item, pence]}}"
    gateway.reload(POLICY.replace(COLUMNS + "}", COLUMNS + write, 1))
    gateway.grant()
    insert = "INSERT INTO purchase (purchase_id, person_id, item, pence) VALUES (990077, 1, 'item 1', 5)"
    number, _ = ask(gateway, sql=insert)
    approve(gateway, number)
    client = RawClient(gateway, "acme.cert", timeout=20)
    if commit == "sync":
        client.send(client.parse(insert), client.bind(), client.execute(), client.message(b"H"))
        deadline = time.monotonic() + 3
        while gateway.ledger(1)[0]["type"] != "change" and time.monotonic() < deadline:
            time.sleep(0.02)
    else:
        client.query("BEGIN")
        told = client.query(insert)
        assert tags(told) == ["INSERT 0 1"], errors(told)
    clock.move_by(8 * HOUR)
    client.send({"simple": client.simple("COMMIT"), "sync": client.SYNC,
                 "extended": client.parse("COMMIT") + client.bind() + client.execute() + client.SYNC}[commit])
    assert [(error["S"], error["C"]) for error in errors(client.until_closed())] == [("FATAL", "57P01")]
    gateway.until_backends(0)
    assert gateway.cluster.rows("SELECT count(*) FROM shop.purchase WHERE purchase_id = 990077",
                                database=gateway.database) == [(0,)]


def explained(gateway):
    return {row["topic"]: row["text"] for row in gateway.admin(f"EXPLAIN AGENT 'acme.cert' '{ITEMS}'")}


def test_explain_knows_what_is_approved(gateway, clock):
    assert "waits for approval" in explained(gateway)["near miss"]
    number, _ = ask(gateway)
    approve(gateway, number)
    assert explained(gateway)["verdict"] == "runs"
    clock.move_by(8 * HOUR)
    assert explained(gateway)["verdict"] == "refused: 42501"


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


# ---- last, for certificates end in the time that passes ----

def test_what_nobody_decides_on_is_closed_and_forgotten(gateway, clock):
    """Staff see a month of what is over; the ledger tells of all."""
    first, _ = ask(gateway, "acme.job")
    clock.move_by(30 * 24 * HOUR)
    assert (listed(gateway, first)["state"], listed(gateway, first)["by"]) == ("closed", "the gateway")
    second, _ = ask(gateway, "acme.job")
    assert second == first + 1
    clock.move_by(30 * 24 * HOUR)
    assert [row["id"] for row in json.loads(gateway.cli("request", "list", "--json"))] == [second]
    code, _, told = gateway.cli("request", "approve", str(first), check=False)
    assert code == 1 and f"there is no request {first}" in told
    lapsed = [entry["text"] for entry in gateway.ledger() if entry["text"].startswith("request-lapsed\n")]
    assert [text.split("\nid=")[1].split("\n")[0] for text in lapsed] == [str(first), str(second)]
