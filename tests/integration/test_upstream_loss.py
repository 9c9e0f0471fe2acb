"""When the database fails, the client gets a clean error, the gateway lives, and it recovers by itself."""
import pytest

from harness import cluster as clusters
from harness import gateway as gateways
from harness import shop
from harness.rawclient import Closed, RawClient, errors, kinds

LONG = "SELECT a.full_name, b.full_name, c.full_name FROM person a, person b, person c"
ONE = "SELECT full_name FROM person WHERE person_id = 1"


@pytest.fixture
def gateway(make_gateway):
    return make_gateway()


def terminate(gateway):
    gateway.cluster.rows(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{gateway.role}'")


def last_words(client):
    """Errors of all messages up to the end, which must be a FATAL one and nothing behind it."""
    messages = client.until_closed()
    told = errors(messages)
    assert messages and messages[-1][0] == b"E", kinds(messages)[-20:]
    assert [error["S"] for error in told] == ["FATAL"], told
    for error in told:
        assert not {"D", "W", "s", "t", "c", "n", "F", "R"} & set(error), error
    return told[0]["C"]


def test_a_backend_that_dies_mid_result(gateway):
    client = RawClient(gateway, "acme.cert", timeout=20)
    client.send(client.simple(LONG))
    client.until(b"D")
    terminate(gateway)
    assert last_words(client) in ("57P01", "08006")
    gateway.until_backends(0)
    assert gateway.rows("acme.cert", ONE) == [("Person 1",)]
    outcomes = [entry.get("outcome") for entry in gateway.ledger()]
    assert "error" in outcomes


def test_a_backend_that_dies_before_a_slow_client_has_read(gateway):
    """The rows that wait for the client and the database's last words arrive in one go."""
    client = RawClient(gateway, "acme.cert", timeout=20, receive_buffer=4096)
    client.send(client.simple(LONG))
    gateway.until_executing()
    terminate(gateway)
    gateway.until_backends(0)
    try:
        while True:
            client.receive()
    except Closed:
        pass
    assert gateway.process.poll() is None, gateway.log_text()
    assert gateway.rows("acme.cert", ONE) == [("Person 1",)]


def test_a_backend_that_dies_while_idle(gateway):
    client = RawClient(gateway, "acme.cert", timeout=20)
    client.query(ONE)
    terminate(gateway)
    assert last_words(client) in ("57P01", "08006")


def test_a_backend_that_dies_in_the_middle_of_a_pipeline(gateway):
    client = RawClient(gateway, "acme.cert", timeout=20)
    client.send(client.simple(ONE), client.simple(LONG), *[client.simple(ONE), client.simple("SHOW cofferdam.partner")] * 50)
    assert kinds(client.until_ready()) == "TDCZ"
    client.until(b"D")
    terminate(gateway)
    assert last_words(client) in ("57P01", "08006")


def test_the_database_stops_and_comes_back(authority):
    cluster = clusters.Cluster()
    gateway = None
    try:
        gateway = gateways.Gateway(cluster, authority, shop.POLICY, cluster.create_database(sql=shop.SQL))
        client = RawClient(gateway, "acme.cert", timeout=20)
        client.query(ONE)
        cluster.stop()
        assert last_words(client) in ("57P01", "57P02", "08006")
        client = RawClient(gateway, "acme.cert", timeout=20)
        client.send(client.simple(ONE))
        assert last_words(client) == "08006"
        cluster.start()
        assert gateway.rows("acme.cert", ONE) == [("Person 1",)]
    finally:
        if gateway:
            gateway.close()
        cluster.close()


def test_the_database_refuses_the_connection(gateway):
    gateway.cluster.rows(f'ALTER ROLE "{gateway.role}" CONNECTION LIMIT 0')
    client = RawClient(gateway, "acme.cert", timeout=20)
    client.send(client.simple(ONE))
    assert last_words(client) in ("08006", "53300")
    gateway.cluster.rows(f'ALTER ROLE "{gateway.role}" CONNECTION LIMIT -1')
    assert gateway.rows("acme.cert", ONE) == [("Person 1",)]


def test_stopping_the_gateway_stops_what_it_had_running(gateway):
    client = RawClient(gateway, "acme.cert", timeout=20)
    client.send(client.simple("SELECT count(*) FROM person a, person b, person c, person d, person e"))
    gateway.until_executing()
    assert gateway.stop() == 0
    assert last_words(client) == "57P01"
    gateway.until_backends(0)
