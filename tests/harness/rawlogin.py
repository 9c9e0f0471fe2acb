"""A login by hand, message by message: for tests that ask what a stranger is told, and when."""
import base64
import hashlib
import hmac
import os
import socket
import ssl
import struct
import time

from harness.rawclient import Closed, RawClient, fields

PLAIN, PLUS = "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"
BINDING = b"p=tls-server-end-point,,"


class RawLogin(RawClient):
    """TLS, then a startup packet as `user`; proofs are the test's affair.

    source: address to come from, so that failures of one test do not slow another.
    port, cafile: of whoever stands between. certificate: (file, key) to show.
    settle: seconds from the end of the handshake to the startup packet, which is sent at `began_ns`.
    """

    def __init__(self, gateway, user, settings=(), source=None, port=None, certificate=None, timeout=60,
                 protocol=196608, settle=0.0):
        plain = socket.create_connection(("127.0.0.1", port or gateway.port), timeout=timeout,
                                         source_address=(source, 0) if source else None)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plain.sendall(struct.pack("!ii", 8, 80877103))
        assert plain.recv(1) == b"S"
        context = ssl.create_default_context(cafile=str(gateway.authority.certificate))
        if certificate:
            context.load_cert_chain(*certificate)
        self.socket = context.wrap_socket(plain, server_hostname="localhost")
        self.bound = hashlib.sha256(self.socket.getpeercert(binary_form=True)).digest()
        self.seen, self.rest = bytearray(), b""
        body = b"".join(text if isinstance(text, bytes) else text.encode()
                        for pair in (("user", user), ("database", gateway.database), *settings)
                        for part in pair for text in (part, b"\0"))
        time.sleep(settle)
        self.began_ns = time.perf_counter_ns()
        self.socket.sendall(struct.pack("!ii", len(body) + 9, protocol) + body + b"\0")

    def mechanisms(self):
        """What is offered, in order."""
        kind, body = self.receive()
        assert (kind, body[:4]) == (b"R", struct.pack("!i", 10)), (kind, body)
        return [name.decode() for name in body[4:].split(b"\0") if name]

    def begin(self, header=b"n,,", mechanism=PLAIN, nonce="abcdefghijklmnopqrstuvwx"):
        """Sends the first message of SCRAM."""
        self.bare, self.header = f"n=,r={nonce}".encode(), header
        first = header + self.bare
        self.send(self.message(b"p", mechanism.encode() + b"\0" + struct.pack("!i", len(first)) + first))

    def challenge(self):
        """(nonce, salt, iterations) of the server's first message."""
        kind, body = self.receive()
        assert (kind, body[:4]) == (b"R", struct.pack("!i", 11)), (kind, body)
        self.server_first = body[4:]
        parts = dict(part.split(b"=", 1) for part in self.server_first.split(b","))
        return parts[b"r"], base64.b64decode(parts[b"s"]), int(parts[b"i"])

    def finish(self, nonce, salt=b"", iterations=0, password=None, binding=None):
        """Sends the proof of the password (None: a proof of nothing, which costs no time)."""
        if binding is None:
            binding = self.header + (self.bound if self.header.startswith(b"p") else b"")
        bare = b"c=" + base64.b64encode(binding) + b",r=" + nonce
        proof = os.urandom(32)
        if password is not None:
            salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
            key = hmac.new(salted, b"Client Key", "sha256").digest()
            signed = b",".join((self.bare, self.server_first, bare))
            signature = hmac.new(hashlib.sha256(key).digest(), signed, "sha256").digest()
            proof = bytes(a ^ b for a, b in zip(key, signature))
        self.sent_ns = time.perf_counter_ns()
        self.send(self.message(b"p", bare + b",p=" + base64.b64encode(proof)))

    def attempt(self, password=None):
        """A whole login without channel binding; (messages, seconds that the verdict took)."""
        self.mechanisms()
        self.begin()
        nonce, salt, iterations = self.challenge()
        self.finish(nonce, salt, iterations, password)
        first = self.receive()
        seconds = (time.perf_counter_ns() - self.sent_ns) / 1e9
        if first[0] == b"E":
            return [first, *self.until_closed()], seconds
        try:
            return [first, *self.until_ready()], seconds
        except Closed:
            return [first], seconds


def refusal(messages):
    """(SQLSTATE, text) of the error that ended it."""
    told = [fields(body) for kind, body in messages if kind == b"E"]
    return (told[-1]["C"], told[-1]["M"]) if told else None
