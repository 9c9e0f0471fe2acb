"""Rows that come behind an error of the gateway's own are sent to nobody and recorded for nobody: which
rows would come after them depends on them, so a cursor or a portal that they came from has no others."""
import pytest

from harness import shop
from harness.rawclient import RawClient, rows, states, status, tags

POLICY = shop.POLICY.replace("rows_per_statement: 1000000", "rows_per_statement: 3", 1)
TOO_MANY = "SELECT item FROM purchase LIMIT 5"


@pytest.fixture(scope="module")
def gateway(make_module_gateway):
    return make_module_gateway(policy_yaml=POLICY)


@pytest.fixture
def client(gateway):
    client = RawClient(gateway, "acme.cert")
    client.query("BEGIN")
    yield client
    client.close()


def behind_an_error(client, *messages):
    """An execution that ends by an error of the gateway, upstream's transaction untouched; then these."""
    client.send(client.parse(TOO_MANY), client.bind(), client.execute(), *messages, client.SYNC)
    answer = client.until_ready()
    assert states(answer) == ["53400"] and len(rows(answer)) == 3
    return answer


@pytest.mark.parametrize("select", ["SELECT person_id FROM person ORDER BY person_id",
                                    "SELECT town, count(*) FROM person GROUP BY town"])
def test_a_cursor_has_no_rows_behind_those_that_nobody_got(client, select):
    client.query(f"DECLARE c CURSOR FOR {select}")
    client.send(client.parse("FETCH 1 FROM c", name="f"), client.SYNC)
    client.until_ready()
    behind_an_error(client, client.bind(name="f"), client.execute())
    if status(client.query("SELECT 1")) != "T":  # the cancel came in time: nothing is left of it
        return
    for fetch in ("FETCH 1 FROM c", "FETCH ALL FROM c"):
        answer = client.query(fetch)
        assert states(answer) == ["55000"] and not rows(answer) and not tags(answer), answer


def test_that_a_cursor_has_ended_is_not_told_either(client):
    client.query("DECLARE c CURSOR FOR SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM person)")
    client.send(client.parse("FETCH 1 FROM c", name="f"), client.SYNC)
    client.until_ready()
    behind_an_error(client, client.bind(name="f"), client.execute())
    if status(client.query("SELECT 1")) == "T":
        assert states(client.query("FETCH 1 FROM c")) == ["55000"]


def test_a_portal_has_no_rows_behind_those_that_nobody_got(client):
    client.send(client.parse("SELECT person_id FROM person ORDER BY person_id", name="s"),
                client.bind(name="s", portal="p"), client.SYNC)
    client.until_ready()
    behind_an_error(client, client.execute(1, "p"))
    if status(client.query("SELECT 1")) != "T":
        return
    client.send(client.execute(1, "p"), client.SYNC)
    answer = client.until_ready()
    assert states(answer) == ["55000"] and not rows(answer), answer
