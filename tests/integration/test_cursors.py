"""A cursor's rows are recorded as they are fetched, in one disclosure, whatever ends it."""
import time

import psycopg
import pytest

from harness import shop
from harness.rawclient import RawClient, errors, kinds, rows, states, status, tags
from harness.recorded import last, told

DECLARE = "DECLARE c CURSOR FOR SELECT person_id, full_name FROM person ORDER BY person_id"
VISIBLE = [n for n in range(1, 201) if n % 4]  # whom acme may see


@pytest.fixture(scope="module")
def gateway(make_module_gateway):
    return make_module_gateway()


@pytest.fixture
def client(gateway):
    client = RawClient(gateway, "acme.cert")
    yield client
    client.close()


def entries(gateway, after):
    return [entry for entry in gateway.admin(f"SHOW LEDGER AFTER {after}") if entry["type"] == "disclosure"]


def endings(gateway, after, expected):
    """The outcomes recorded since, once they are those or some time has passed."""
    deadline = time.monotonic() + 5
    while True:
        got = [entry["outcome"] for entry in entries(gateway, after) if entry["outcome"] not in ("", "none", None)]
        if got == expected or time.monotonic() > deadline:
            return got
        time.sleep(0.02)


def column(messages, index=0):
    return [int(row[index]) for row in rows(messages)]


def test_rows_are_recorded_as_they_are_fetched(gateway, client):
    client.query("BEGIN")
    before = last(gateway)
    assert tags(client.query(DECLARE)) == ["DECLARE CURSOR"]
    assert told(gateway, before) == set()
    for statement, count in (("FETCH c", 1), ("FETCH NEXT FROM c", 1), ("FETCH 3 FROM c", 3), ("FETCH FORWARD 2 IN c", 2), ("FETCH FORWARD c", 1)):
        messages = client.query(statement)
        assert (tags(messages), len(rows(messages))) == ([f"FETCH {count}"], count)
    assert told(gateway, before) == set(VISIBLE[:8])
    assert endings(gateway, before, []) == []
    assert column(client.query("FETCH ALL FROM c")) == VISIBLE[8:]
    assert told(gateway, before) == set(VISIBLE)
    assert endings(gateway, before, ["complete"]) == ["complete"]
    assert tags(client.query("FETCH 5 FROM c")) == ["FETCH 0"]
    assert tags(client.query("CLOSE c")) == ["CLOSE CURSOR"]
    assert states(client.query("FETCH c")) == ["34000"]
    client.query("ROLLBACK")


def test_a_description_shows_no_hidden_column(client):
    client.query("BEGIN")
    client.query(DECLARE)
    kind, body = client.query("FETCH 2 FROM c")[0]
    assert kind == b"T" and body[:2] == b"\0\2" and b"full_name" in body
    assert all(len(row) == 2 for row in rows(client.query("FETCH 2 FROM c")))
    client.send(client.parse("FETCH 3 FROM c", name="f"), client.describe("S", "f"), client.bind(name="f", result_formats=[1, 0]), client.describe(), client.execute(), client.SYNC)
    messages = client.until_ready()
    assert kinds(messages) == "1tT2TDDDCZ"
    assert [int.from_bytes(row[0], "big") for row in rows(messages)] == VISIBLE[4:7]
    client.query("ROLLBACK")


def test_move_records_what_it_passes(gateway, client):
    client.query("BEGIN")
    client.query(DECLARE)
    before = last(gateway)
    messages = client.query("MOVE 6 FROM c")
    assert (kinds(messages), tags(messages)) == ("CZ", ["MOVE 6"])
    assert told(gateway, before) == set(VISIBLE[:6])
    assert column(client.query("FETCH 1 FROM c")) == [VISIBLE[6]]
    assert tags(client.query("MOVE 0 FROM c")) == ["MOVE 1"]
    assert tags(client.query("MOVE ALL IN c")) == [f"MOVE {len(VISIBLE) - 7}"]
    assert told(gateway, before) == set(VISIBLE)
    client.query("COMMIT")


@pytest.mark.parametrize("end", ["CLOSE c", "CLOSE ALL", "COMMIT", "ROLLBACK", "disconnect"])
def test_whatever_ends_it_ends_in_the_ledger(gateway, end):
    client = RawClient(gateway, "acme.cert")
    client.query("BEGIN")
    before = last(gateway)
    client.query(DECLARE)
    client.query("FETCH 4 FROM c")
    if end == "disconnect":
        client.close()
    else:
        client.query(end)
    assert endings(gateway, before, ["abandoned"]) == ["abandoned"]
    assert told(gateway, before) == set(VISIBLE[:4])
    if end != "disconnect":
        assert states(client.query("FETCH c")) == ["34000"]
        client.close()


def test_an_error_of_a_held_cursor_is_a_probe_also_where_it_is_closed_behind(gateway, client):
    """Its query runs at COMMIT; the CLOSE is with the gateway by then."""
    bad = "DECLARE h CURSOR WITH HOLD FOR SELECT 1 / (person_id - 1) FROM person WHERE person_id = 1"
    after = last(gateway)
    assert states(client.query(f"BEGIN; {bad}; COMMIT; CLOSE h")) == ["22012"]
    for sql in ("BEGIN", bad, "COMMIT", "CLOSE h"):
        client.send(client.parse(sql), client.bind(), client.execute())
    client.send(client.SYNC)
    assert states(client.until_ready()) == ["22012"]
    probes = [entry["sqlstate"] for entry in gateway.admin(f"SHOW LEDGER AFTER {after}") if entry["type"] == "probe"]
    assert probes == ["22012", "22012"]


def test_with_hold_outlives_its_transaction(gateway, client):
    before = last(gateway)
    assert tags(client.query(DECLARE.replace("CURSOR", "CURSOR WITH HOLD"))) == ["DECLARE CURSOR"]
    assert column(client.query("FETCH 2 FROM c")) == VISIBLE[:2]
    client.query("BEGIN")
    assert column(client.query("FETCH 2 FROM c")) == VISIBLE[2:4]
    client.query("ROLLBACK")
    assert column(client.query("FETCH 2 FROM c")) == VISIBLE[4:6]
    assert states(client.query("SELECT 1 / 0")) == ["22012"]
    assert column(client.query("FETCH 1 FROM c")) == [VISIBLE[6]]
    assert told(gateway, before) == set(VISIBLE[:7])
    client.query("CLOSE c")
    assert states(client.query("FETCH c")) == ["34000"]


def test_a_rollback_ends_what_was_held_in_it(client):
    client.query("BEGIN")
    client.query("DECLARE c CURSOR WITH HOLD FOR SELECT 1")
    client.query("ROLLBACK")
    assert states(client.query("FETCH c")) == ["34000"]
    assert tags(client.query("DECLARE c CURSOR WITH HOLD FOR SELECT 2")) == ["DECLARE CURSOR"]
    assert column(client.query("FETCH c")) == [2]
    client.query("CLOSE c")


def test_a_rollback_to_a_savepoint(client):
    client.query("BEGIN; SAVEPOINT a; DECLARE c CURSOR FOR SELECT 1; ROLLBACK TO a")
    assert states(client.query("SAVEPOINT b; FETCH c")) == ["34000"]
    client.query("ROLLBACK TO b")
    assert kinds(client.query("DECLARE c CURSOR FOR SELECT 2; FETCH c; COMMIT")) == "CTDCCZ"


def test_an_error_in_a_held_query_is_a_probe(gateway, client):
    """Its query runs when the transaction ends: whether that fails is told by the data."""
    bad = "DECLARE c CURSOR WITH HOLD FOR SELECT 1 / (person_id - 9) FROM person"
    for how in ([bad], ["BEGIN", bad, "COMMIT"]):
        before = last(gateway)
        messages = [message for statement in how for message in client.query(statement)]
        assert states(messages) == ["22012"]
        assert [entry["type"] for entry in gateway.admin(f"SHOW LEDGER AFTER {before}")].count("probe") == 1


def test_names(client):
    client.query("BEGIN")
    client.query(DECLARE)
    assert states(client.query(DECLARE)) == ["42P03"]
    assert status(client.query("ROLLBACK")) == "I"
    assert states(client.query(DECLARE)) == ["25P01"]  # outside of a transaction
    client.query("BEGIN")
    assert tags(client.query(DECLARE)) == ["DECLARE CURSOR"]
    client.query("COMMIT; BEGIN")
    assert tags(client.query(DECLARE + "; CLOSE c; " + DECLARE)) == ["DECLARE CURSOR", "CLOSE CURSOR", "DECLARE CURSOR"]
    client.query("COMMIT")
    assert states(client.query("CLOSE c")) == ["34000"]
    assert tags(client.query("CLOSE ALL")) == ["CLOSE CURSOR ALL"]


def test_upstreams_names_cannot_be_said(client):
    client.query("BEGIN")
    client.query(DECLARE)
    for serial in range(30):
        assert states(client.query(f"SAVEPOINT s; FETCH k{serial}")) == ["34000"]
        client.query("ROLLBACK TO s")
    client.query("ROLLBACK")


def test_binary(client):
    client.query("BEGIN")
    client.query(DECLARE.replace("CURSOR", "BINARY INSENSITIVE NO SCROLL CURSOR"))
    (row,) = rows(client.query("FETCH c"))
    assert row == [(1).to_bytes(8, "big"), b"Person 1"]
    client.query("ROLLBACK")


def test_psycopg_named_cursors(gateway):
    with gateway.connect("acme.cert", autocommit=False) as connection:
        before = last(gateway)
        with connection.cursor("named") as cursor:
            cursor.itersize = 7
            cursor.execute("SELECT person_id FROM person WHERE person_id > %s ORDER BY 1", (100,))
            assert [key for (key,) in cursor] == [n for n in VISIBLE if n > 100]
        assert told(gateway, before) == {n for n in VISIBLE if n > 100}
        with connection.cursor("binary", withhold=True) as cursor:
            cursor.execute("SELECT person_id, born FROM person ORDER BY 1", binary=True)
            connection.commit()
            assert cursor.fetchmany(3)[2][0] == VISIBLE[2]
            with pytest.raises(psycopg.Error):
                cursor.scroll(-1)
            connection.rollback()
    connection = gateway.connect2("acme.cert")
    connection.autocommit = False
    with connection.cursor("named") as cursor:
        cursor.itersize = 50
        cursor.execute("SELECT person_id FROM person ORDER BY 1")
        assert [key for (key,) in cursor] == VISIBLE
    connection.close()


def test_psql_fetch_count(gateway):
    done = gateway.psql("acme.cert", "SELECT person_id FROM person ORDER BY 1", flags=("-At", "-v", "FETCH_COUNT=9"))
    assert [int(line) for line in done.stdout.split()] == VISIBLE, done.stderr


def test_tokens_are_the_same_through_a_cursor(make_gateway):
    policy = shop.POLICY.replace("columns: {purchase_id: clear, person_id: clear,", "columns: {purchase_id: clear, person_id: token,")
    gateway = make_gateway(policy_yaml=policy)
    client = RawClient(gateway, "acme.cert")
    sql = "SELECT person_id FROM purchase WHERE purchase_id < 9 ORDER BY purchase_id"
    tokens = rows(client.query(sql))
    assert len({token for token, in tokens}) == 8 and all(len(token) == 33 for token, in tokens)
    client.query("BEGIN")
    before = last(gateway)
    client.query(f"DECLARE c CURSOR WITH HOLD FOR {sql}")
    assert rows(client.query("FETCH 5 FROM c")) == tokens[:5]
    client.query("COMMIT")
    assert rows(client.query("FETCH 5 FROM c")) == tokens[5:]
    assert told(gateway, before) == {2, 3, 4, 5, 6, 7, 8, 9}
    client.close()


def test_parameters(gateway, client):
    client.query("BEGIN")
    client.send(client.parse("DECLARE c CURSOR FOR SELECT person_id FROM person WHERE person_id > $1 ORDER BY 1"), client.describe("S"), client.bind([150]), client.describe(), client.execute(), client.SYNC)
    messages = client.until_ready()
    assert kinds(messages) == "1tn2nCZ" and dict(messages)[b"t"][:2] == b"\0\1"
    assert column(client.query("FETCH 3 FROM c")) == [n for n in VISIBLE if n > 150][:3]
    client.query("ROLLBACK")


def test_a_budget_ends_a_cursor(make_gateway):
    gateway = make_gateway(policy_yaml=shop.POLICY.replace("per_day: 100000", "per_day: 5", 1))
    client = RawClient(gateway, "acme.cert")
    client.query("BEGIN")
    client.query(DECLARE)
    assert len(rows(client.query("FETCH 3 FROM c"))) == 3
    messages = client.query("FETCH 3 FROM c")
    assert (len(rows(messages)), states(messages)) == (2, ["53400"])
    assert states(client.query("FETCH 3 FROM c")) != []
    assert told(gateway, -1) == set(VISIBLE[:5])
    client.close()


def test_a_new_policy_ends_a_cursor(make_gateway):
    gateway = make_gateway()
    client = RawClient(gateway, "acme.cert")
    client.query(DECLARE.replace("CURSOR", "CURSOR WITH HOLD"))
    assert len(rows(client.query("FETCH 3 FROM c"))) == 3
    gateway.reload(shop.POLICY.replace("full_name: clear, phone: last4", "phone: last4", 1))
    assert states(client.query("FETCH 3 FROM c")) == ["0A000"]
    client.close()


@pytest.mark.parametrize("sql, state, word", [
    ("DECLARE c SCROLL CURSOR FOR SELECT 1", "0A000", "back"),
    ("DECLARE c CURSOR FOR SELECT secret FROM person", "42703", "secret"),
    ("DECLARE c CURSOR FOR VALUES (1) FOR UPDATE", "0A000|42501", ""),
    ("FETCH PRIOR FROM c", "0A000", "forward"),
    ("FETCH BACKWARD ALL FROM c", "0A000", "forward"),
    ("FETCH ABSOLUTE 1 FROM c", "0A000", "forward"),
    ("FETCH RELATIVE 1 FROM c", "0A000", "forward"),
    ("FETCH LAST FROM c", "0A000", "forward"),
    ("FETCH -1 FROM c", "0A000", "forward"),
    ("MOVE BACKWARD 1 FROM c", "0A000", "forward"),
])
def test_refused(gateway, sql, state, word):
    told = gateway.refused("acme.cert", sql)
    assert told[0] in state.split("|") and word in told[1], told


def test_portions_of_what_the_gateway_leaves_out_are_refused(client):
    client.query("BEGIN")
    client.query("DECLARE c CURSOR FOR SELECT person_id FROM person ORDER BY 1 OFFSET 3")
    messages = client.query("SAVEPOINT s; FETCH 2 FROM c")
    assert states(messages) == ["0A000"] and "portions" in errors(messages)[0]["M"]
    client.query("ROLLBACK TO s")
    assert column(client.query("FETCH ALL FROM c")) == VISIBLE[3:]
    client.query("ROLLBACK")


def test_there_is_a_bound(make_gateway):
    gateway = make_gateway(config={"limits": {"cursors": 2}})
    client = RawClient(gateway, "acme.cert")
    client.query("BEGIN")
    messages = client.query("; ".join(f"DECLARE c{n} CURSOR FOR SELECT {n}" for n in range(3)))
    assert tags(messages) == ["DECLARE CURSOR"] * 2 and states(messages) == ["54000"]
    client.close()


def influenced(gateway, after):
    return {int(row["subject"]) for row in gateway.admin(f"SHOW DISCLOSED AFTER {after}")}


def test_what_a_whole_query_depends_on_is_recorded_with_its_first_row(gateway, client):
    """A window function reads everybody: whoever fetches one row has learnt something of all."""
    ranked = "SELECT person_id, rank() OVER (ORDER BY born) FROM person WHERE person_id {} ORDER BY 1"
    client.query("BEGIN")
    before = last(gateway)
    client.query("DECLARE c CURSOR FOR " + ranked.format("< 50"))
    assert influenced(gateway, before) == set()
    assert len(rows(client.query("FETCH c"))) == 1
    assert influenced(gateway, before) >= {n for n in VISIBLE if n < 50}
    assert column(client.query("FETCH ALL FROM c")) == [n for n in VISIBLE if n < 50][1:]
    client.query("DECLARE moved CURSOR FOR " + ranked.format("< 50"))
    assert tags(client.query("MOVE 3 FROM moved")) == ["MOVE 3"]
    client.query("DECLARE nobody CURSOR FOR " + ranked.format("< 0"))
    for count in ("1", "5", "ALL"):
        assert tags(client.query(f"FETCH {count} FROM nobody")) == ["FETCH 0"]
    assert kinds(client.query(f"COPY ({ranked.format('< 0')}) TO STDOUT")) == "HcCZ"
    assert kinds(client.query(f"COPY ({ranked.format('< 4')}) TO STDOUT")) == "HdddcCZ"
    client.query("ROLLBACK")
