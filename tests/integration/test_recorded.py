"""Each row that a partner receives is in the ledger, by whatever way it came; so is every statement's end."""
import time

import pytest

from harness import shop
from harness.rawclient import RawClient, kinds, rows, states

DIVIDE = "SELECT purchase_id / (person_id - 9) FROM purchase WHERE purchase_id < 50 ORDER BY purchase_id"
ENDLESS = "SELECT count(*) FROM person a, person b, person c, person d, person e"
FEW_ERRORS = shop.POLICY.replace("rows_per_statement: 1000000}", "rows_per_statement: 1000000, errors_per_day: 4}", 1)
REFUSED_KEYS = shop.POLICY.replace(
    "    table: shop.purchase\n    subject: {kind: person, key: person_id}",
    "    table: shop.purchase\n    subject: {kind: person, key: person_id, when_null: refuse}")


@pytest.fixture
def gateway(make_gateway):
    return make_gateway()


@pytest.fixture
def client(gateway):
    client = RawClient(gateway, "acme.cert")
    yield client
    client.close()


def last(gateway):
    entries = gateway.admin("SHOW LEDGER LAST 1")
    return int(entries[-1]["sequence"]) if entries else -1


def told(gateway, after, grade="direct"):
    """Keys of the people whom the ledger names in entries after that sequence."""
    return {int(row["subject"]) for row in gateway.admin(f"SHOW DISCLOSED AFTER {after}") if row["grade"] == grade}


def endings(gateway, after):
    return [entry["outcome"] for entry in gateway.admin(f"SHOW LEDGER AFTER {after}")
            if entry["type"] == "disclosure" and entry["outcome"] not in ("", "none", None)]


def is_abandoned(gateway, after):
    """No answer waits for the end of what a client gave up: the ledger has it a moment later."""
    deadline = time.monotonic() + 5
    while endings(gateway, after) != ["abandoned"]:
        assert time.monotonic() < deadline, endings(gateway, after)
        time.sleep(0.02)


def column(messages, index=0):
    return {int(row[index]) for row in rows(messages)}


def test_simple_and_extended(gateway, client):
    for ask in (client.query, client.extended):
        before = last(gateway)
        got = column(ask("SELECT person_id, full_name FROM person WHERE person_id BETWEEN 10 AND 30"))
        assert len(got) > 10
        assert told(gateway, before) == got
        assert endings(gateway, before) == ["complete"]


def test_people_whose_key_is_not_shown(gateway, client):
    before = last(gateway)
    got = {row[0] for row in rows(client.query("SELECT full_name FROM person WHERE person_id < 20"))}
    assert {f"Person {key}".encode() for key in told(gateway, before)} == got


def test_binary(gateway, client):
    before = last(gateway)
    messages = client.extended("SELECT person_id FROM person WHERE person_id > 180", result_formats=[1])
    assert told(gateway, before) == {int.from_bytes(row[0], "big") for row in rows(messages)} != set()


def test_a_suspended_portal_tells_of_what_it_has_delivered(gateway, client):
    client.query("BEGIN")
    before = last(gateway)
    client.send(client.parse("SELECT person_id FROM person ORDER BY person_id"), client.bind(), client.execute(7), client.SYNC)
    got = column(client.until_ready())
    assert (len(got), told(gateway, before)) == (7, got)
    assert endings(gateway, before) == []
    client.send(client.execute(5), client.SYNC)
    got |= column(client.until_ready())
    assert (len(got), told(gateway, before)) == (12, got)
    client.query("COMMIT")
    is_abandoned(gateway, before)


def test_joins_name_both_sides(gateway, client):
    before = last(gateway)
    got = rows(client.query("SELECT a.person_id, b.person_id FROM person a, person b"
                            " WHERE a.person_id = 1 AND b.person_id BETWEEN 5 AND 7"))
    assert told(gateway, before) == {int(key) for row in got for key in row} == {1, 5, 6, 7}


def test_aggregates_name_their_members(gateway, client):
    before = last(gateway)
    assert len(rows(client.query("SELECT max(full_name) FROM person WHERE person_id < 8"))) == 1
    assert told(gateway, before) == {1, 2, 3, 5, 6, 7}


def test_a_statement_that_finds_nobody_ends_in_the_ledger(gateway, client):
    before = last(gateway)
    client.query("SELECT full_name FROM person WHERE person_id = -1")
    client.query("SELECT 1")
    assert (endings(gateway, before), told(gateway, before)) == (["complete"], set())


def test_rows_about_nobody_are_counted(gateway, client):
    before = last(gateway)
    client.query("SELECT item FROM article")
    counted = [int(entry["rows"]) for entry in gateway.admin(f"SHOW LEDGER AFTER {before}")]
    assert sum(counted) == 7


def test_an_error_ends_in_the_ledger_with_what_came_before(gateway, client):
    before = last(gateway)
    messages = client.extended(DIVIDE)
    assert states(messages) == ["22012"]
    assert endings(gateway, before) == ["error"]
    types = [entry["type"] for entry in gateway.admin(f"SHOW LEDGER AFTER {before}")]
    assert types.count("probe") == 1
    assert len(told(gateway, before)) >= len(rows(messages))


@pytest.mark.parametrize("failing", ["to_char(1.5, substr('.', 1, person_id::int) || '9.9')", "jsonb_path_exists('{}', (full_name || '(')::jsonpath)"])
def test_a_format_that_a_row_holds_is_data(gateway, client, failing):
    """PostgreSQL calls it a syntax error; where it comes from a row it tells of the row."""
    before = last(gateway)
    assert states(client.extended(f"SELECT {failing} FROM person WHERE person_id < 20")) == ["42601"]
    assert endings(gateway, before) == ["error"]
    assert [entry["type"] for entry in gateway.admin(f"SHOW LEDGER AFTER {before}")].count("probe") == 1


def test_a_statement_cut_by_the_end_of_the_session_has_an_end(gateway, client):
    before = last(gateway)
    client.send(client.simple(ENDLESS))
    gateway.until_executing()
    client.close()
    gateway.until_backends(0)
    is_abandoned(gateway, before)


def test_what_a_failed_pipeline_skipped_is_not_told(gateway, client):
    before = last(gateway)
    client.send(client.parse(DIVIDE), client.bind(), client.execute(),
                client.parse("SELECT full_name FROM person"), client.bind(), client.execute(), client.SYNC)
    assert states(client.until_ready()) == ["22012"]
    assert client.query("SELECT 1")
    assert endings(gateway, before) == ["error"]


def errors_until_refused(client, ask):
    told_of = []
    for _ in range(12):
        told_of += states(ask(client))
        if told_of[-1] != "22012":
            break
    return told_of


@pytest.mark.parametrize("way", ["query", "bind"])
def test_errors_have_a_budget(make_gateway, way):
    gateway = make_gateway(policy_yaml=FEW_ERRORS)
    client = RawClient(gateway, "acme.cert")
    client.send(client.parse(DIVIDE, "s"), client.SYNC)
    client.until_ready()

    def bind(client):
        client.send(client.bind(name="s"), client.execute(), client.SYNC)
        return client.until_ready()

    got = errors_until_refused(client, bind if way == "bind" else lambda client: client.query(DIVIDE))
    assert got == ["22012"] * 4 + ["53400"]
    assert kinds(client.query("SHOW cofferdam.budget")).endswith("CZ")
    assert states(client.query("SELECT full_name FROM person WHERE person_id = 1")) == ["53400"]
    assert kinds(client.query("SELECT 1")) == "TDCZ"
    client.close()


def test_a_pipeline_does_not_outrun_the_errors_budget(make_gateway):
    gateway = make_gateway(policy_yaml=FEW_ERRORS)
    client = RawClient(gateway, "acme.cert")
    client.send(*[client.simple(DIVIDE)] * 30)
    got = states(client.until_closed())
    assert got[-1] == "53400"
    assert got.count("22012") <= 4
    assert kinds(RawClient(gateway, "acme.cert").query("SELECT 1")) == "TDCZ"


def test_errors_that_no_data_could_avoid_are_free(gateway, client):
    before = last(gateway)
    for _ in range(30):
        with_error = client.query("SELECT 1 / 0")
    assert states(with_error)[0] not in ("53400",)
    assert [entry["type"] for entry in gateway.admin(f"SHOW LEDGER AFTER {before}")].count("probe") == 0


def test_a_row_without_a_subject_that_policy_refuses_is_a_probe(make_gateway):
    gateway = make_gateway(policy_yaml=REFUSED_KEYS,
                           sql=shop.SQL + "INSERT INTO shop.purchase VALUES (5000, NULL, 'item 1', 1);")
    client = RawClient(gateway, "acme.cert")
    before = last(gateway)
    assert states(client.query("SELECT pence FROM purchase WHERE purchase_id = 5000")) == ["42501"]
    entries = gateway.admin(f"SHOW LEDGER AFTER {before}")
    assert [entry["type"] for entry in entries].count("probe") == 1, entries
    assert endings(gateway, before) == ["error"]
    client.close()
