"""A cancel ends the statement that runs, with its right key only, and never the one after it."""
import threading
import time

import psycopg
import pytest

from harness import shop
from harness.midway import Midway
from harness.rawclient import RawClient, cancel, kinds, rows, states, status

ENDLESS = "SELECT count(*) FROM person a, person b, person c, person d, person e"
ONE = "SELECT full_name FROM person WHERE person_id = 1"
SMALL_BUDGET = shop.POLICY.replace("rows_per_statement: 1000000}", "rows_per_statement: 5}", 1)


@pytest.fixture
def client(shop_gateway):
    client = RawClient(shop_gateway, "acme.cert", timeout=20)
    yield client
    client.close()


def test_psycopg_cancels(shop_gateway):
    with shop_gateway.connect("acme.cert") as connection:
        threading.Timer(0.3, connection.cancel).start()
        began = time.monotonic()
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute(ENDLESS)
        assert time.monotonic() - began < 5
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_wrong_key_does_nothing(shop_gateway, client):
    pid, secret = client.key
    client.send(client.simple(ENDLESS))
    shop_gateway.until_executing()
    for key in ((pid, secret ^ 1), (pid ^ 1, secret), (0, 0), (pid ^ 0x01000000, secret), (0x7F000000, secret)):
        cancel(shop_gateway, *key)
    time.sleep(0.3)
    assert len(shop_gateway.backends("active")) == 1
    cancel(shop_gateway, pid, secret)
    assert states(client.until_ready()) == ["57014"]


def test_an_idle_session_is_not_touched(shop_gateway, client):
    for _ in range(20):
        assert kinds(client.query(ONE)) == "TDCZ"
        cancel(shop_gateway, *client.key)
    assert kinds(client.query(ONE)) == "TDCZ"


def test_another_session_of_the_agent_is_not_touched(shop_gateway, client):
    other = RawClient(shop_gateway, "acme.cert", timeout=20)
    client.send(client.simple(ENDLESS))
    shop_gateway.until_executing()
    cancel(shop_gateway, *other.key)
    assert kinds(other.query(ONE)) == "TDCZ"
    assert len(shop_gateway.backends("active")) == 1
    cancel(shop_gateway, *client.key)
    assert states(client.until_ready()) == ["57014"]
    other.close()


def test_a_transaction_fails_and_can_be_rolled_back(shop_gateway, client):
    client.query("BEGIN")
    client.send(client.simple(ENDLESS))
    shop_gateway.until_executing()
    cancel(shop_gateway, *client.key)
    messages = client.until_ready()
    assert (states(messages), status(messages)) == (["57014"], "E")
    assert status(client.query("ROLLBACK")) == "I"


def test_cancels_are_not_errors_of_the_data(shop_gateway, client):
    def errors_today():
        return next(row[1] for row in rows(client.query("SHOW cofferdam.budget")) if row[0] == b"data errors")

    before = errors_today()
    client.send(client.simple(ENDLESS))
    shop_gateway.until_executing()
    cancel(shop_gateway, *client.key)
    assert states(client.until_ready()) == ["57014"]
    assert errors_today() == before


def test_a_statement_that_is_cut_does_not_take_the_next_with_it(make_gateway):
    gateway = make_gateway(policy_yaml=SMALL_BUDGET)
    client = RawClient(gateway, "acme.cert", timeout=20)
    for _ in range(20):
        client.send(client.simple("SELECT full_name FROM person"), client.simple(ONE), client.simple(ONE))
        cut, second, third = (client.until_ready() for _ in range(3))
        assert (states(cut), len(rows(cut))) == (["53400"], 5)
        assert (kinds(second), kinds(third)) == ("TDCZ", "TDCZ")
    client.close()


@pytest.fixture
def midway(cluster):
    midway = Midway(cluster)
    yield midway
    midway.close()


def through(make_gateway, midway, policy=shop.POLICY):
    return make_gateway(policy_yaml=policy, config={"upstream": {"host": str(midway.folder)}})


def test_a_cancel_that_came_too_early_is_sent_again(make_gateway, midway):
    gateway = through(make_gateway, midway)
    client = RawClient(gateway, "acme.cert", timeout=20)
    client.send(client.simple(ENDLESS))
    gateway.until_executing()
    midway.deaf = 2
    cancel(gateway, *client.key)
    assert states(client.until_ready()) == ["57014"]
    assert (midway.forgotten, midway.heard) == (2, 1)
    assert kinds(client.query(ONE)) == "TDCZ"
    client.close()


def test_a_cancel_sent_again_never_hits_the_statement_after(make_gateway, midway):
    gateway = through(make_gateway, midway)
    client = RawClient(gateway, "acme.cert", timeout=20)
    with gateway.cluster.connect(gateway.database) as admin:
        def ask():
            """With the table locked, so that it ends when we say so."""
            admin.execute("BEGIN; LOCK shop.person")
            client.send(client.simple(ONE))
            gateway.until_backends(1, "active")

        ask()
        midway.deaf = 1
        cancel(gateway, *client.key)
        while midway.forgotten == 0:
            time.sleep(0.001)
        admin.execute("COMMIT")
        client.until_ready()  # an answer, or 57014 where the repetition was quick
        ask()
        time.sleep(1.6)  # longer than cancels are repeated
        admin.execute("COMMIT")
        assert kinds(client.until_ready()) == "TDCZ"
    client.close()


def test_nor_where_no_sync_stands_between_them(make_gateway, midway):
    gateway = through(make_gateway, midway)
    client = RawClient(gateway, "acme.cert", timeout=20)
    long = "SELECT count(*) FROM " + ", ".join(f"article a{n}" for n in range(8))
    with gateway.cluster.connect(gateway.database) as admin:
        admin.execute("BEGIN; LOCK shop.person")
        client.send(client.parse(ONE), client.bind(), client.execute(), client.FLUSH)
        gateway.until_backends(1, "active")
        midway.deaf = 1
        cancel(gateway, *client.key)
        while midway.forgotten == 0:
            time.sleep(0.001)
        admin.execute("COMMIT")
    assert kinds(client.until(b"C")) == "12DC"
    client.send(client.parse(long), client.bind(), client.execute(), client.SYNC)  # longer than the first pause
    assert (kinds(client.until_ready()), midway.heard) == ("12DCZ", 0)
    client.close()


def test_what_a_session_leaves_behind_is_cancelled_until_it_ends(make_gateway, midway):
    """The database has not noticed that the gateway is gone: nothing else ends it here."""
    gateway = through(make_gateway, midway)
    client = RawClient(gateway, "acme.cert", timeout=20)
    client.send(client.simple(ENDLESS))
    gateway.until_executing()
    midway.deaf = 2
    client.close()
    gateway.until_backends(0, "active")
    assert (midway.forgotten, midway.heard > 0) == (2, True)


MANY = "SELECT p.full_name FROM person p, article a, article b"
ROWS_WITHOUT_END = "SELECT a.full_name FROM person a, person b, person c, person d, person e"


@pytest.mark.parametrize("first, second", [(MANY, ENDLESS), ("SELECT full_name FROM person", ROWS_WITHOUT_END)])
def test_what_stands_behind_a_cut_is_cancelled_until_it_ends(make_gateway, midway, first, second):
    """Rows over the budget end the first statement; upstream has begun with the second by then. It sends what it
    has when its buffer is full: in the middle of the first one's rows, or with the second one's."""
    gateway = through(make_gateway, midway, SMALL_BUDGET)
    client = RawClient(gateway, "acme.cert", timeout=20)
    midway.deaf = 1
    client.send(client.parse(first), client.bind(), client.execute(),
                client.parse(second), client.bind(), client.execute(), client.SYNC)
    cut = client.until_ready()
    assert (states(cut), len(rows(cut)), midway.forgotten) == (["53400"], 5, 1)
    assert kinds(client.query(ONE)) == "TDCZ"
    client.close()
