"""A flood of connections that never prove who they are: partners come in and work on, memory stays bounded."""
import os
import socket
import ssl
import struct
import subprocess
import sys
import time

import psycopg
import pytest

from harness import flood

CONNECTIONS, WAITING, MEMORY_MB = 1500, 300, 45
LOGIN_MS = 700


@pytest.fixture(scope="module")
def small_lobby(make_module_gateway):
    return make_module_gateway(config={"listen": {"max_unauthenticated": WAITING, "max_unauthenticated_per_address": 40,
                                                  "login_timeout_ms": LOGIN_MS, "max_sessions": 4}})


def stats(gateway):
    return {row["property"]: row["value"] for row in gateway.admin("SHOW STATS")}


def rss_mb(gateway):
    with open(f"/proc/{gateway.process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:")) / 1024


def knock(gateway, source="127.0.0.1"):
    connection = socket.create_connection(("127.0.0.1", gateway.port), timeout=10, source_address=(source, 0))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def closed(connection):
    """Has the server ended it by now?"""
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def test_a_flood_keeps_nobody_out(small_lobby):
    with small_lobby.connect("acme.cert") as worker:
        before = rss_mb(small_lobby)
        crowd = flood.Running(small_lobby.port, CONNECTIONS, addresses=60, rate=1500)
        try:
            crowd.until_opened(CONNECTIONS)
            for agent in ("acme.cert", "acme.job", "acme.cert"):
                assert small_lobby.rows(agent, "SELECT 1") == [(1,)]
                assert worker.execute("SELECT count(*) FROM purchase").fetchone()
            told = stats(small_lobby)
            grown = rss_mb(small_lobby) - before
        finally:
            crowd.close()
        assert int(told["unauthenticated connections"]) <= WAITING + 2, told
        assert int(told["unauthenticated connections dropped"]) > 0, told
        assert grown < MEMORY_MB, f"{grown} MB"
    log = small_lobby.log_text()
    assert "event=unauthenticated_dropped" in log and log.count("event=tls_failed") < CONNECTIONS / 4


def test_bytes_do_not_put_the_deadline_off(small_lobby):
    """Slow loris: a byte every tenth of a second, and the end comes at the time of login_timeout_ms all the same."""
    with knock(small_lobby) as connection:
        begun, sent = time.monotonic(), 0
        while not closed(connection):
            connection.setblocking(True)
            try:
                connection.sendall(flood.STARTUP[sent:sent + 1])
            except ConnectionError:
                break
            sent += 1
            assert sent < len(flood.STARTUP)
            time.sleep(0.1)
        assert LOGIN_MS / 1000 <= time.monotonic() - begun < 2


def test_a_handshake_has_little_room(small_lobby):
    """ClientHello and chain of certificates that never end: OpenSSL would gather 128 and 100 kB of each."""
    for kind, size in ((1, 131000), (11, 102000)):
        with knock(small_lobby) as connection:
            connection.sendall(flood.SSL_REQUEST)
            assert connection.recv(1) == b"S"
            if kind == 11:
                connection.sendall(flood.hello(ssl.TLSVersion.TLSv1_2))
                assert connection.recv(65536)
            message, sent = bytes([kind]) + size.to_bytes(3, "big") + b"\x03\x03" + bytes(size - 100), 0
            begun = time.monotonic()
            try:
                while sent < len(message):
                    part = message[sent:sent + 4000]
                    connection.sendall(b"\x16\x03\x01" + struct.pack("!H", len(part)) + part)
                    sent += len(part)
                    time.sleep(0.003)
            except ConnectionError:
                pass
            assert sent < 60000 and time.monotonic() - begun < LOGIN_MS / 1000 / 2, (kind, sent)


def test_an_address_has_its_own_bound(small_lobby):
    """Another address's single connection outlives a crowd that is older and younger than itself."""
    lone = knock(small_lobby, "127.0.0.9")
    crowd = [knock(small_lobby, "127.0.0.8") for _ in range(120)]
    deadline = time.monotonic() + 0.4
    while sum(map(closed, crowd)) < 120 - 42 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert sum(map(closed, crowd)) >= 60
    assert not closed(crowd[-1])
    assert not closed(lone)
    for connection in (lone, *crowd):
        connection.close()


def test_one_session_too_many_is_told(small_lobby):
    held = [small_lobby.connect("acme.cert") for _ in range(4)]
    with pytest.raises(psycopg.OperationalError, match="all the sessions that it may have"):
        small_lobby.connect("acme.cert")
    held.pop().close()
    deadline = time.monotonic() + 2
    while True:
        try:
            held.append(small_lobby.connect("acme.cert"))
            break
        except psycopg.OperationalError:
            assert time.monotonic() < deadline
    for session in held:
        session.close()


HOLD = """
import socket, sys, time
crowd = []
for _ in range(60):
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(sys.argv[1])
    connection.setblocking(False)
    crowd.append(connection)
time.sleep(0.3)
def open_still(connection):
    try:
        return connection.recv(1) != b""
    except BlockingIOError:
        return True
    except ConnectionError:
        return False
print(sum(map(open_still, crowd)), flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="takes another user to be a stranger")
def test_strangers_cannot_fill_the_admin_socket(small_lobby):
    """Users who may not administer the gateway may be told so, and hold a few places for it."""
    path = str(small_lobby.run_dir / ".s.PGSQL.5432")
    crowd = subprocess.Popen([sys.executable, "-c", HOLD, path], user="daemon", text=True, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE)
    assert int(crowd.stdout.readline()) == 8
    assert small_lobby.admin("SHOW VERSION")
    crowd.communicate("")


def test_too_few_open_files_are_told_at_start(small_lobby, make_gateway):
    gateway = make_gateway(start=False, config={"listen": {"max_sessions": 60000, "max_unauthenticated": 60000}})
    with pytest.raises(RuntimeError, match="open files are needed"):
        gateway.start()
    assert "listen.max_sessions" in gateway.log_text()
