"""A flood of connections that never prove who they are. As a program it makes one, in a process of its own:

    python3 tests/harness/flood.py PORT CONNECTIONS ADDRESSES PER_SECOND

Connections come from 127.0.0.2 and up, in turn of the kinds below; one that is dropped is opened again, at most
PER_SECOND a second in all. Prints a line of JSON each second and ends with its standard input.
"""
import collections
import json
import os
import resource
import select
import socket
import ssl
import struct
import subprocess
import sys
import time

SSL_REQUEST = struct.pack("!ii", 8, 80877103)
STARTUP = struct.pack("!ii", 23, 196608) + b"user\0acme.job\0\0"
KINDS = ["silent", "half a startup packet", "half a ClientHello", "ClientHello", "a byte a second", "password begun"]


def hello(newest=ssl.TLSVersion.MAXIMUM_SUPPORTED):
    """A ClientHello as OpenSSL makes it; many connections may send the same."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = newest
    try:
        context.wrap_bio(incoming, outgoing).do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()


class Guest:
    """One connection of the flood: what it does when it is there, and when the server says something."""

    def __init__(self, flood, number):
        self.flood, self.number, self.kind = flood, number, KINDS[number % len(KINDS)]
        self.socket = self.secured = None
        self.script, self.asked = b"", False

    def open(self):
        self.secured, self.asked, self.script = None, False, b""
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.SOL_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT: a port for each pair of addresses
        self.socket.bind((f"127.0.0.{2 + self.number % self.flood.addresses}", 0))
        try:
            self.socket.connect(("127.0.0.1", self.flood.port))
        except BlockingIOError:
            pass
        self.flood.epoll.register(self.socket, select.EPOLLIN | select.EPOLLOUT)
        self.flood.at[self.socket.fileno()] = self

    def close(self):
        if self.socket:
            self.flood.at.pop(self.socket.fileno(), None)
            (self.secured or self.socket).close()
            self.socket = None

    def connected(self):
        self.flood.opened += 1
        if self.kind == "half a startup packet":
            self.socket.send(STARTUP[:9])
        elif self.kind == "a byte a second":
            self.script = STARTUP
        elif self.kind != "silent":
            self.socket.send(SSL_REQUEST)
            self.asked = True

    def answered(self):
        """The server granted TLS."""
        self.asked = False
        if self.kind == "half a ClientHello":
            self.socket.send(self.flood.hello[:len(self.flood.hello) // 2])
        elif self.kind == "ClientHello":
            self.socket.send(self.flood.hello)
        else:
            self.flood.epoll.unregister(self.socket)
            self.flood.at.pop(self.socket.fileno())
            self.secured = self.socket = self.flood.context.wrap_socket(self.socket, do_handshake_on_connect=False)
            self.flood.epoll.register(self.socket, select.EPOLLIN)
            self.flood.at[self.socket.fileno()] = self
            self.shake()

    def shake(self):
        try:
            self.secured.do_handshake()
            self.secured.send(STARTUP)
            self.flood.begun += 1
            self.kind_done = True
        except ssl.SSLWantReadError:
            return

    def readable(self):
        """False when the server has ended it."""
        if self.asked:
            if self.socket.recv(1) != b"S":
                return False
            self.answered()
        elif self.secured and self.secured.version() is None:
            self.shake()
        else:
            return bool(self.socket.recv(65536))
        return True


class Flood:
    def __init__(self, port, connections, addresses, rate):
        os.nice(10)  # the attacker's machine is another one
        resource.setrlimit(resource.RLIMIT_NOFILE, (connections + 100, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        self.port, self.addresses, self.rate = port, addresses, rate
        self.epoll, self.at, self.hello = select.epoll(), {}, hello()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.check_hostname, self.context.verify_mode = False, ssl.CERT_NONE
        self.opened = self.dropped = self.begun = 0
        self.waiting = collections.deque(Guest(self, number) for number in range(connections))

    def handle(self, guest, events):
        try:
            if events & select.EPOLLOUT:
                self.epoll.modify(guest.socket, select.EPOLLIN)
                guest.connected()
            alive = not events & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR) or guest.readable()
        except (ssl.SSLWantReadError, BlockingIOError):
            alive = True
        except OSError:
            alive = False
        if not alive:
            guest.close()
            self.dropped += 1
            self.waiting.append(guest)

    def trickle(self):
        for guest in list(self.at.values()):
            if guest.script:
                try:
                    guest.socket.send(guest.script[:1])
                    guest.script = guest.script[1:]
                except OSError:
                    pass

    def run(self):
        begun, told, allowed = time.monotonic(), 0, 0.0
        last = begun
        while not select.select([sys.stdin], [], [], 0)[0]:
            now = time.monotonic()
            allowed = min(allowed + (now - last) * self.rate, self.rate / 10)
            last = now
            while self.waiting and allowed >= 1:
                self.waiting.popleft().open()
                allowed -= 1
            for descriptor, events in self.epoll.poll(0.01, 512):
                if descriptor in self.at:
                    self.handle(self.at[descriptor], events)
            if now - begun >= told:
                told += 1
                self.trickle()
                print(json.dumps({"seconds": int(now - begun), "held": len(self.at), "opened": self.opened,
                                  "dropped": self.dropped, "passwords_begun": self.begun}), flush=True)


class Running:
    """A flood in a process of its own; figures() are its last."""

    def __init__(self, port, connections, addresses=200, rate=2000):
        self.process = subprocess.Popen([sys.executable, __file__, str(port), str(connections), str(addresses),
                                         str(rate)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.lines = b""

    def figures(self):
        self.lines += self.process.stdout.read() or b""
        lines = self.lines.splitlines(keepends=True)
        whole = [line for line in lines if line.endswith(b"\n")]
        assert self.process.poll() is None, "the flood has ended"
        return json.loads(whole[-1]) if whole else {"opened": 0, "held": 0}

    def until_opened(self, count, seconds=60):
        deadline = time.monotonic() + seconds
        while self.figures()["opened"] < count:
            assert time.monotonic() < deadline, self.figures()
            time.sleep(0.05)

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=20)
        self.process.stdout.close()


if __name__ == "__main__":
    Flood(*map(int, sys.argv[1:])).run()
