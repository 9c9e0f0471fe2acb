"""Containing a partner ends its sessions and running statements at once, and touches nobody else."""
import errno
import socket
import threading
import time

import psycopg
import pytest

from harness.rawclient import RawClient, kinds, states

LONG = "SELECT p.full_name FROM person p, purchase a, purchase b, purchase c"


class Running:
    """A statement that is still delivering rows."""

    def __init__(self, gateway, agent, sql):
        self.connection = gateway.connect(agent)
        self.rows, self.error, self.ended = 0, None, None
        self.thread = threading.Thread(target=self.read, args=(sql,), daemon=True)
        self.thread.start()
        deadline = time.monotonic() + 10
        while self.rows == 0 and self.thread.is_alive() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert self.rows > 0, f"no row came: {self.error}"

    def read(self, sql):
        try:
            for _ in self.connection.cursor().stream(sql):
                self.rows += 1
        except psycopg.Error as error:
            self.error = error
        self.ended = time.monotonic()

    def wait(self, seconds):
        """Patience with a client that has yet to read what the network held: what ends at once, others look at."""
        self.thread.join(seconds)
        assert not self.thread.is_alive(), "still running"


@pytest.fixture
def gateway(make_gateway):
    return make_gateway()


def contain(gateway, what, verb="contain"):
    gateway.cli("partner", verb, what, "--reason", "test")


def test_a_running_statement_dies_within_a_second(gateway):
    export = Running(gateway, "acme.cert", LONG)
    began = time.monotonic()
    contain(gateway, "acme")
    left = [row["agent"] for row in gateway.admin("SHOW SESSIONS")]
    assert (left, time.monotonic() - began < 1.0) == ([], True)
    export.wait(30)
    assert export.error is not None


def test_idle_sessions_die_and_new_ones_are_refused(gateway):
    idle = gateway.connect("acme.job")
    contain(gateway, "acme")
    with pytest.raises(psycopg.Error):
        idle.execute("SELECT 1")
    for agent in ("acme.job", "acme.cert"):
        with pytest.raises(psycopg.OperationalError) as caught:
            gateway.connect(agent)
        assert "contain" in str(caught.value)


def test_another_partner_goes_on(gateway):
    other = Running(gateway, "rival.cert", "SELECT a.full_name FROM person a, person b, person c")
    export = Running(gateway, "acme.cert", LONG)
    contain(gateway, "acme")
    export.wait(30)
    before = other.rows
    time.sleep(0.3)
    assert other.error is None
    assert other.rows > before or other.ended is not None
    assert gateway.rows("rival.cert", "SELECT 1") == [(1,)]
    gateway.cli("partner", "contain", "rival", "--reason", "end of the test")
    other.wait(30)


def test_it_survives_restart_and_crash_and_ends_with_restore(gateway):
    contain(gateway, "acme")
    gateway.restart()
    with pytest.raises(psycopg.OperationalError):
        gateway.connect("acme.job")
    gateway.kill9()
    gateway.start()
    with pytest.raises(psycopg.OperationalError):
        gateway.connect("acme.job")
    contain(gateway, "acme", "restore")
    assert gateway.rows("acme.job", "SELECT 1") == [(1,)]


def test_one_agent_alone(gateway):
    contain(gateway, "acme/job")
    with pytest.raises(psycopg.OperationalError):
        gateway.connect("acme.job")
    assert gateway.rows("acme.cert", "SELECT 1") == [(1,)]


def test_what_was_released_before_is_in_the_ledger(gateway):
    export = Running(gateway, "acme.cert", LONG)
    contain(gateway, "acme")
    export.wait(30)
    entries = gateway.ledger()
    released = sum(entry.get("rows") or 0 for entry in entries if entry.get("type") == "disclosure")
    assert released >= export.rows > 0
    assert any(entry.get("outcome") == "contained" for entry in entries)


def test_twenty_exports_end_together(gateway):
    sessions = [RawClient(gateway, agent, timeout=20) for agent in ["acme.cert"] * 20 + ["rival.cert"]]
    for client in sessions:
        client.send(client.simple("SELECT a.full_name FROM person a, person b, person c"))
        client.until(b"D")
    began = time.monotonic()
    contain(gateway, "acme")
    assert [row["agent"] for row in gateway.admin("SHOW SESSIONS")] == ["rival.cert"]
    assert time.monotonic() - began < 1.5
    gateway.until_backends(1)
    for client in sessions:
        client.close()


def test_a_client_that_does_not_read_is_cut_too(gateway):
    client = RawClient(gateway, "acme.cert", timeout=20, receive_buffer=4096)
    client.send(client.simple(LONG))
    gateway.until_executing()
    contain(gateway, "acme")
    gateway.until_backends(0)
    gateway.until_sessions(0)
    reset = client.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNRESET
    messages = client.until_closed()
    assert {kind for kind, _ in messages} <= {b"T", b"D", b"E"}
    if messages and messages[-1][0] == b"E":
        assert states(messages) == ["57P01"]
    else:  # less than a record of TLS, maybe: then nothing but a reset has taken the last words away
        assert reset


def test_the_last_words_follow_a_half_written_message(gateway):
    """The client reads slowly: what was under way arrives whole, then FATAL, then the end."""
    client = RawClient(gateway, "acme.cert", timeout=20, receive_buffer=65536)
    client.send(client.simple(LONG))
    gateway.until_executing()
    threading.Timer(0.4, contain, (gateway, "acme")).start()
    time.sleep(0.5)
    messages = client.until_closed()
    assert states(messages) == ["57P01"], kinds(messages)[-20:]
    assert messages[-1][0] == b"E"
