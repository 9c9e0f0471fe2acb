"""PREPARE and EXECUTE in SQL: the gateway's own statements, bound to constants, recorded like any other."""
import pytest

from harness import shop
from harness.rawclient import RawClient, kinds, rows, states, tags
from harness.recorded import last, told

PREPARE = "PREPARE p (bigint, text) AS SELECT person_id, full_name FROM person WHERE person_id = $1 AND town = $2"


@pytest.fixture(scope="module")
def gateway(make_module_gateway):
    return make_module_gateway()


@pytest.fixture
def client(gateway):
    client = RawClient(gateway, "acme.cert")
    yield client
    client.close()


def test_prepared_executed_deallocated(gateway, client):
    assert tags(client.query(PREPARE)) == ["PREPARE"]
    before = last(gateway)
    for arguments in ("5, 'York'", "'5', 'York'", "5::bigint, 'York'::text", "CAST('5' AS int8), 'York'"):
        messages = client.query(f"EXECUTE p({arguments})")
        assert (kinds(messages), rows(messages), tags(messages)) == ("TDCZ", [[b"5", b"Person 5"]], ["SELECT 1"])
    assert told(gateway, before) == {5}
    assert rows(client.query("EXECUTE p(4, 'York')")) == rows(client.query("EXECUTE p(5, NULL)")) == []
    assert states(client.query(PREPARE)) == ["42P05"]
    assert tags(client.query("DEALLOCATE p")) == ["DEALLOCATE"]
    assert states(client.query("EXECUTE p(5, 'York')")) == ["26000"]
    assert states(client.query("DEALLOCATE p")) == ["26000"]


def test_values_of_every_kind(client):
    client.query("PREPARE v (bool, numeric, text, date, float8, int[], text) AS SELECT $1, $2, $3, $4, $5, $6, $7")
    messages = client.query("EXECUTE v(true, -1.50, E'it''s\\n\\\\', DATE '2024-02-29', 1e10, '{1,2}', 'ü€')")
    assert rows(messages) == [[b"t", b"-1.50", b"it's\n\\", b"2024-02-29", b"10000000000", b"{1,2}", "ü€".encode()]]
    assert rows(client.query("EXECUTE v(NULL, NULL, NULL, NULL, NULL, NULL, '')")) == [[None] * 6 + [b""]]


def test_types_that_are_left_out(client):
    client.query("PREPARE open AS SELECT count(*) FROM person WHERE person_id < $1 AND full_name LIKE $2")
    assert rows(client.query("EXECUTE open(10, 'Person%')")) == [[b"7"]]


def test_one_name_space_with_the_protocol(client):
    client.send(client.parse("SELECT $1::int + 1", name="x"), client.SYNC)
    client.until_ready()
    assert rows(client.query("EXECUTE x(41)")) == [[b"42"]]
    client.query("PREPARE y AS SELECT 7")
    client.send(client.bind(name="y"), client.execute(), client.SYNC)
    assert rows(client.until_ready()) == [[b"7"]]
    assert tags(client.query("DEALLOCATE ALL")) == ["DEALLOCATE ALL"]
    assert states(client.query("EXECUTE x(41)")) == ["26000"]


def test_by_the_extended_protocol(gateway, client):
    assert kinds(client.extended(PREPARE)) == "1tn2nCZ"
    before = last(gateway)
    messages = client.extended("EXECUTE p(6, 'York')", result_formats=[1, 0])
    assert kinds(messages) == "1tT2TDCZ"
    assert dict(messages)[b"t"] == b"\0\0"
    assert rows(messages) == [[(6).to_bytes(8, "big"), b"Person 6"]]
    assert told(gateway, before) == {6}


def test_what_is_skipped_is_not_prepared(client):
    client.query("BEGIN; SELECT 1 / 0")
    assert states(client.query("PREPARE late AS SELECT 1")) == ["25P02"]
    client.query("ROLLBACK")
    assert states(client.query("EXECUTE late")) == ["26000"]
    assert states(client.query("SELECT 1 / 0; PREPARE late AS SELECT 1")) == ["22012"]
    assert states(client.query("EXECUTE late")) == ["26000"]
    assert tags(client.query("PREPARE late AS SELECT 1")) == ["PREPARE"]


def test_a_new_policy_holds_for_what_is_prepared(make_gateway):
    gateway = make_gateway()
    client = RawClient(gateway, "acme.cert")
    client.query("PREPARE p AS SELECT phone FROM person WHERE person_id = 1")
    masked = rows(client.query("EXECUTE p"))
    gateway.reload(shop.POLICY.replace("phone: last4", "phone: clear", 1))
    assert rows(client.query("EXECUTE p")) == [[b"+44 7700 900001"]] != masked
    gateway.reload(shop.POLICY.replace("phone: last4, ", "", 1))
    assert states(client.query("EXECUTE p")) == ["42703"]
    client.close()


def test_wrong_values_say_no_more_than_elsewhere(client):
    client.query(PREPARE)
    assert states(client.query("EXECUTE p('x', 'York')")) == ["22P02"]


@pytest.mark.parametrize("sql, state, word", [
    ("EXECUTE p", "42601", "2"),
    ("EXECUTE p(1)", "42601", "2"),
    ("EXECUTE p(1 + 1, 'a')", "0A000", "constant"),
    ("EXECUTE p((SELECT 1), 'a')", "0A000", "constant"),
    ("EXECUTE p(1, current_user)", "0A000", "constant"),
    ("EXECUTE p(1, 'pg_class'::regclass)", "0A000", "constant"),
    ("EXECUTE p('5'::text, 'a')", "0A000", "declared"),
    ("EXECUTE p(5, 'a'::varchar(3))", "0A000", "constant"),
    ("EXECUTE nobody", "26000", "exist"),
    ("PREPARE q (regclass) AS SELECT 1", "42501", "$1"),
    ("PREPARE q (text, shop.person) AS SELECT 1", "42501", "$2"),
    ("PREPARE q AS SELECT secret FROM person", "42703", "secret"),
    ("PREPARE q AS SELECT full_name FROM shop.person", "42P01", ""),
    ("PREPARE q AS INSERT INTO person VALUES (1)", "42501", "INSERT"),
    ("CREATE TABLE t AS EXECUTE p(1, 'a')", "42501", "CREATE"),
    ("EXPLAIN EXECUTE p(1, 'a')", "42501", "EXPLAIN"),
])
def test_refused(client, sql, state, word):
    client.query(PREPARE)
    messages = client.query(sql)
    assert states(messages) == [state]
    assert word in [body.decode() for kind, body in messages if kind == b"E"][0]


def test_psql(gateway):
    done = gateway.psql("acme.cert", "PREPARE p AS SELECT $1::int", "EXECUTE p(3)", "DEALLOCATE p")
    assert done.stdout == "PREPARE\n3\nDEALLOCATE\n", done.stderr
