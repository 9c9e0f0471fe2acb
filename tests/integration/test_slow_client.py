"""A client that does not read costs little memory, is ended in time, and leaves no backend behind."""
import pathlib
import socket
import struct
import time

import pytest

from harness.rawclient import Closed, RawClient, rows

LONG = "SELECT a.full_name, b.full_name, c.full_name FROM person a, person b, person c"
ENDLESS = "SELECT count(*) FROM person a, person b, person c, person d, person e"
ONE = "SELECT full_name FROM person WHERE person_id = 1"
MEGABYTE = 1024 * 1024


def memory(gateway):
    status = pathlib.Path(f"/proc/{gateway.process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) * 1024


@pytest.fixture
def gateway(make_gateway, monkeypatch):
    monkeypatch.setenv("ASAN_OPTIONS", "quarantine_size_mb=1")  # or freed memory would be measured
    return make_gateway(config={"listen": {"write_timeout_ms": 2000}})


def push(client, data, seconds):
    """Sends as long as the gateway takes it."""
    client.socket.settimeout(seconds)
    sent = 0
    try:
        while sent < 64 * MEGABYTE:
            client.socket.sendall(data)
            sent += len(data)
    except (TimeoutError, OSError):
        pass
    return sent


def test_an_export_that_is_not_read_is_ended(gateway):
    before = memory(gateway)
    clients = [RawClient(gateway, "acme.cert", timeout=20, receive_buffer=4096) for _ in range(5)]
    began = time.monotonic()
    for client in clients:
        client.send(client.simple(LONG))
    time.sleep(1)
    grown = memory(gateway) - before
    assert grown < 5 * 6 * MEGABYTE, f"{grown} bytes for five clients"
    gateway.until_backends(0, seconds=8)
    assert 1.5 < time.monotonic() - began < 8
    gateway.until_sessions(0)


@pytest.mark.parametrize("sql", ["SHOW cofferdam.budget", "SELECT nothing FROM person", ONE])
def test_a_pipeline_that_is_not_read_is_bounded(gateway, sql):
    before = memory(gateway)
    client = RawClient(gateway, "acme.cert", timeout=20, receive_buffer=4096)
    push(client, client.simple(sql) * 200, 0.5)
    grown = memory(gateway) - before
    assert grown < 16 * MEGABYTE, grown
    gateway.until_sessions(0, seconds=8)


def test_answers_behind_a_slow_statement_are_bounded(gateway):
    before = memory(gateway)
    client = RawClient(gateway, "acme.cert", timeout=20)
    client.send(client.simple(ENDLESS))
    push(client, client.simple("SHOW cofferdam.budget") * 200, 0.5)
    grown = memory(gateway) - before
    assert grown < 16 * MEGABYTE, grown
    client.reset()
    gateway.until_backends(0)


@pytest.mark.parametrize("how", ["close", "half"])
def test_a_client_that_dies_ends_its_statement(gateway, how):
    client = RawClient(gateway, "acme.cert", timeout=20)
    client.send(client.simple(ENDLESS))
    gateway.until_executing()
    client.socket.shutdown(1) if how == "half" else client.close()
    gateway.until_backends(0, seconds=3)


def test_a_connection_that_breaks_while_it_is_not_read(gateway):
    client = RawClient(gateway, "acme.cert", timeout=20)
    client.send(client.simple(ENDLESS))
    gateway.until_executing()
    push(client, client.simple("SHOW cofferdam.budget") * 200, 0.3)
    client.reset()
    gateway.until_backends(0, seconds=3)
    gateway.until_sessions(0)


def test_half_a_message_and_goodbye(gateway):
    client = RawClient(gateway, "acme.cert", timeout=20)
    client.send(client.simple(ONE)[:9])
    client.close()
    gateway.until_sessions(0, seconds=3)


def test_a_login_takes_its_time_only_so_long(make_gateway):
    gateway = make_gateway(config={"listen": {"login_timeout_ms": 1000}})
    slow = [socket.create_connection(("127.0.0.1", gateway.port), timeout=10) for _ in range(10)]
    for connection in slow[:5]:
        connection.sendall(struct.pack("!i", 50))
    began = time.monotonic()
    for connection in slow:
        while connection.recv(4096):
            pass
        connection.close()
    assert time.monotonic() - began < 4
    assert gateway.rows("acme.cert", "SELECT 1") == [(1,)]


def test_a_client_that_goes_on_sending_after_its_end_costs_nothing(gateway):
    client = RawClient(gateway, "acme.cert", timeout=20)
    gateway.cli("partner", "contain", "acme", "--reason", "test")
    with pytest.raises((Closed, OSError)):
        for _ in range(1000):
            client.send(client.simple(ONE) * 100)
            time.sleep(0.001)
        client.until_closed()
        raise Closed()
    gateway.until_sessions(0, seconds=4)


@pytest.mark.parametrize("receive_buffer", [4096, 1 << 20])
def test_a_long_result_about_nobody_arrives_whole(gateway, receive_buffer):
    """Read in bursts, with nothing to wait for in the ledger until its end: no row is left lying."""
    client = RawClient(gateway, "acme.cert", timeout=30, receive_buffer=receive_buffer)
    factors = ", ".join(f"article a{n}" for n in range(6))
    for limit in (7 ** 6, 30011, 54321, 99991):
        client.send(client.simple(f"SELECT a0.item, a1.maker FROM {factors} LIMIT {limit}"))
        count, kind = 0, None
        while kind != b"Z":
            kind, _ = client.receive()
            count += kind == b"D"
            if count % 20000 == 19999:
                time.sleep(0.02)
        assert count == limit


@pytest.mark.parametrize("sql", ["SHOW cofferdam.partner", "SELECT 1", ONE])
def test_a_long_pipeline_is_answered_whole(gateway, sql):
    """Thousands of statements before one Sync, behind one that takes its time: each gets its answer."""
    client = RawClient(gateway, "acme.cert", timeout=30)
    slow = "SELECT count(*) FROM person a, person b, person c"
    one = client.parse(sql) + client.bind() + client.execute()
    client.send(client.parse(slow), client.bind(), client.execute(), one * 5000, client.SYNC)
    messages = client.until_ready()
    assert [kind for kind, _ in messages].count(b"C") == 5001
    assert len(rows(messages)) == 5001
