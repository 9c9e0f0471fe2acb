"""However a client mixes statements, portals and errors, it never sees a hidden key or an unrecorded row."""
import itertools

import pytest

from harness.rawclient import RawClient, errors, rows

NUMBERS = itertools.count(1)
FAILING = "SELECT length(item) / (length(item) - length(item)) FROM article"


@pytest.fixture
def client(shop_gateway):
    client = RawClient(shop_gateway, "acme.cert")
    yield client
    client.close()


def secret(condition="= 7"):
    """One visible column, one hidden. A text of its own each time: no plan of before is used."""
    return f"SELECT full_name FROM person WHERE person_id {condition} AND {next(NUMBERS)} > 0"


def plain():
    """Two visible columns, about nobody."""
    return f"SELECT item, maker FROM article WHERE item = 'item 3' AND {next(NUMBERS)} > 0"


def no_key(messages):
    for row in rows(messages):
        assert len(row) == 2 and row[0] == b"item 3" or len(row) == 1, f"a hidden key arrived: {row}"
    return messages


def query(sql):
    return RawClient.message(b"Q", sql.encode() + b"\0")


def run(name="", portal="", max_rows=0):
    return RawClient.bind(portal=portal, name=name) + RawClient.execute(max_rows, portal) + RawClient.SYNC


def test_an_unnamed_statement_ends_with_a_simple_query(client):
    client.send(client.parse(plain()), client.SYNC)
    client.until_ready()
    client.query(secret())
    client.send(run())
    answer = no_key(client.until_ready())
    assert [error["C"] for error in errors(answer)] == ["26000"]


def test_a_parse_that_was_skipped_is_not_there(client):
    client.send(client.parse(secret()), client.SYNC)
    client.until_ready()
    client.send(client.parse(FAILING, "f"), client.bind(name="f"), client.execute(), client.parse(plain()),
                client.SYNC, run())
    assert errors(client.until_ready())
    no_key(client.until_ready())


def test_a_bind_that_was_skipped_does_not_rename_a_portal(client):
    for portal in ("p", ""):
        client.query("BEGIN")
        client.send(client.parse(secret("> 6"), "s"), client.bind(portal=portal, name="s"), client.execute(1, portal),
                    client.parse("SAVEPOINT a", "sp"), client.bind(portal="q", name="sp"), client.execute(0, "q"),
                    client.parse("ROLLBACK TO a", "back"), client.parse(plain(), "plain"), client.SYNC)
        assert not errors(client.until_ready())
        client.send(client.parse(FAILING, "bad"), client.bind(portal="x", name="bad"),
                    client.execute(0, "x"), client.bind(portal=portal, name="plain"), client.SYNC)
        assert errors(client.until_ready())
        client.send(client.bind(portal="r", name="back"), client.execute(0, "r"), client.SYNC)
        assert not errors(client.until_ready())
        client.send(client.execute(0, portal), client.SYNC)
        no_key(client.until_ready())
        client.query("ROLLBACK")
        for name in ("s", "sp", "back", "plain", "bad"):
            client.send(client.message(b"C", b"S" + name.encode() + b"\0"))
        client.send(client.SYNC)
        client.until_ready()
