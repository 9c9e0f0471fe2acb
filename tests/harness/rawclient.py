"""A client that keeps every byte the server sends: for tests that ask what has left, not what arrived."""
import socket
import ssl
import struct


class Closed(Exception):
    """The server has ended the connection."""


class RawClient:
    """Protocol 3.0 over TLS with a client certificate. `seen` holds all bytes since the last take().

    greeting: the messages up to the first ReadyForQuery; key: (pid, secret) for a cancel request.
    receive_buffer: bytes the network may hold for a client that does not read. source: an address of
    ours to come from.
    """

    def __init__(self, gateway, agent, settings=(), timeout=60, receive_buffer=None, source=None):
        parameters = gateway.parameters(agent)
        plain = socket.socket()
        plain.settimeout(timeout)
        if receive_buffer:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source:
            plain.bind((source, 0))
        plain.connect(("127.0.0.1", gateway.port))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plain.sendall(struct.pack("!ii", 8, 80877103))
        assert plain.recv(1) == b"S"
        context = ssl.create_default_context(cafile=parameters["sslrootcert"])
        context.load_cert_chain(parameters["sslcert"], parameters["sslkey"])
        self.socket = context.wrap_socket(plain, server_hostname="localhost")
        self.seen, self.rest = bytearray(), b""
        body = b"".join(text.encode() + b"\0" for pair in (("user", agent), ("database", gateway.database), *settings)
                        for text in pair)
        self.socket.sendall(struct.pack("!ii", len(body) + 9, 196608) + body + b"\0")
        self.greeting = self.until_ready()
        self.key = next(struct.unpack("!iI", body) for kind, body in self.greeting if kind == b"K")

    # ---- sending ----

    @staticmethod
    def message(kind, body=b""):
        return kind + struct.pack("!i", len(body) + 4) + body

    @staticmethod
    def parse(sql, name="", types=()):
        return RawClient.message(b"P", name.encode() + b"\0" + sql.encode() + b"\0" +
                                 struct.pack(f"!h{len(types)}I", len(types), *types))

    @staticmethod
    def bind(parameters=(), result_formats=(), portal="", name=""):
        body = portal.encode() + b"\0" + name.encode() + b"\0" + struct.pack("!hh", 0, len(parameters))
        for value in parameters:
            text = None if value is None else str(value).encode()
            body += struct.pack("!i", -1) if text is None else struct.pack("!i", len(text)) + text
        return RawClient.message(b"B", body + struct.pack(f"!h{len(result_formats)}h", len(result_formats),
                                                          *result_formats))

    @staticmethod
    def describe(what="P", name=""):
        return RawClient.message(b"D", what.encode() + name.encode() + b"\0")

    @staticmethod
    def execute(max_rows=0, portal=""):
        return RawClient.message(b"E", portal.encode() + b"\0" + struct.pack("!i", max_rows))

    @staticmethod
    def close_of(what, name=""):
        return RawClient.message(b"C", what.encode() + name.encode() + b"\0")

    @staticmethod
    def simple(sql):
        return RawClient.message(b"Q", sql.encode() + b"\0")

    SYNC = b"S\0\0\0\x04"
    FLUSH = b"H\0\0\0\x04"

    def send(self, *messages):
        self.socket.sendall(b"".join(messages))

    # ---- receiving ----

    def receive(self):
        """(type, body) of the next message."""
        while True:
            if len(self.rest) >= 5:
                size = 1 + struct.unpack("!i", self.rest[1:5])[0]
                if len(self.rest) >= size:
                    kind, body = self.rest[:1], self.rest[5:size]
                    self.rest = self.rest[size:]
                    return kind, body
            try:
                data = self.socket.recv(65536)
            except (ConnectionError, ssl.SSLError):
                data = b""
            if not data:
                raise Closed()
            self.seen += data
            self.rest += data

    def until_ready(self):
        """Messages up to and with ReadyForQuery."""
        messages = []
        while True:
            messages.append(self.receive())
            if messages[-1][0] == b"Z":
                return messages

    def until(self, kind):
        """Messages up to and with the first of that type."""
        messages = []
        while not messages or messages[-1][0] != kind:
            messages.append(self.receive())
        return messages

    def until_closed(self):
        """All messages that come before the server ends the connection."""
        messages = []
        while True:
            try:
                messages.append(self.receive())
            except Closed:
                return messages

    def query(self, sql):
        self.send(self.simple(sql))
        return self.until_ready()

    def extended(self, sql, parameters=(), result_formats=(), types=(), max_rows=0):
        self.send(self.parse(sql, types=types), self.describe("S"), self.bind(parameters, result_formats),
                  self.describe("P"), self.execute(max_rows), self.SYNC)
        return self.until_ready()

    def take(self):
        """Every byte since the last take()."""
        seen, self.seen = bytes(self.seen), bytearray()
        return seen

    def close(self):
        self.socket.close()

    def reset(self):
        """Breaks the connection: what is under way is lost."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


def fields(body):
    """Fields of an ErrorResponse or NoticeResponse, by letter."""
    return {part[:1].decode(): part[1:].decode(errors="replace") for part in body.split(b"\0") if part}


def errors(messages):
    return [fields(body) for kind, body in messages if kind == b"E"]


def rows(messages):
    """DataRows as lists of bytes or None."""
    result = []
    for kind, body in messages:
        if kind != b"D":
            continue
        count, at, row = struct.unpack("!h", body[:2])[0], 2, []
        for _ in range(count):
            size = struct.unpack("!i", body[at:at + 4])[0]
            at += 4
            row.append(None if size < 0 else body[at:at + size])
            at += max(size, 0)
        result.append(row)
    return result


def kinds(messages):
    """Types of the messages as one text: "12TDDCZ"."""
    return b"".join(kind for kind, _ in messages).decode()


def states(messages):
    """SQLSTATEs of the errors among the messages."""
    return [error["C"] for error in errors(messages)]


def status(messages):
    """What the last ReadyForQuery says of the transaction: I, T or E."""
    return [body.decode() for kind, body in messages if kind == b"Z"][-1]


def tags(messages):
    return [body[:-1].decode() for kind, body in messages if kind == b"C"]


def cancel(gateway, pid, secret):
    """A CancelRequest on a connection of its own; returns once the server has closed it."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as connection:
        connection.sendall(struct.pack("!iiiI", 16, 80877102, pid, secret))
        assert connection.recv(1) == b""
