"""A client finds PostgreSQL's protocol, however its messages are cut, joined, repeated, or malformed."""
import socket
import ssl
import struct

import pytest

from harness.rawclient import Closed, RawClient, errors, fields, kinds, rows, states, status, tags

ONE = "SELECT full_name FROM person WHERE person_id = 1"
DIVIDE = "SELECT purchase_id / (person_id - 9) FROM purchase WHERE purchase_id < 50"
PROTOCOL_3_0, PROTOCOL_3_2 = 196608, 196610


@pytest.fixture
def client(shop_gateway):
    client = RawClient(shop_gateway, "acme.cert")
    yield client
    client.close()


def names(gateway, count):
    return [[f"Person {n}".encode()] for n in range(1, 201) if n % 4][:count]


# ---- messages cut and joined ----

def test_every_byte_alone(client):
    data = client.simple("SELECT 1") + client.parse(ONE) + client.bind() + client.describe() + client.execute() + client.SYNC
    for at in range(len(data)):
        client.send(data[at:at + 1])
    assert kinds(client.until_ready() + client.until_ready()) == "TDCZ12TDCZ"


def test_cut_at_every_byte(client):
    data = client.parse(ONE) + client.bind() + client.execute() + client.SYNC
    for at in range(1, len(data)):
        client.send(data[:at])
        client.send(data[at:])
        assert kinds(client.until_ready()) == "12DCZ"


def startup(gateway, packets, tls=True, agent="acme.cert"):
    """A connection on which these packets were sent, with everything until the server is ready or closes."""
    parameters = gateway.parameters(agent)
    plain = socket.create_connection(("127.0.0.1", gateway.port), timeout=20)
    if tls:
        plain.sendall(struct.pack("!ii", 8, 80877103))
        assert plain.recv(1) == b"S"
        context = ssl.create_default_context(cafile=parameters["sslrootcert"])
        context.load_cert_chain(parameters["sslcert"], parameters["sslkey"])
        plain = context.wrap_socket(plain, server_hostname="localhost")
    with plain:
        for packet in packets:
            plain.sendall(packet)
        client = RawClient.__new__(RawClient)
        client.socket, client.seen, client.rest = plain, bytearray(), b""
        messages = []
        try:
            while not messages or messages[-1][0] != b"Z":
                messages.append(client.receive())
        except Closed:
            pass
        return messages


def hello(*pairs, protocol=PROTOCOL_3_0):
    body = b"".join(text.encode() + b"\0" for pair in (("user", "acme.cert"), ("database", "x"), *pairs) for text in pair)
    return struct.pack("!iI", len(body) + 9, protocol) + body + b"\0"


def test_startup_cut_at_every_byte(shop_gateway):
    packet = hello()
    for at in (1, 3, 4, 5, 8, 9, len(packet) - 1):
        assert status(startup(shop_gateway, [packet[:at], packet[at:]])) == "I"
    assert status(startup(shop_gateway, [packet[at:at + 1] for at in range(len(packet))])) == "I"


# ---- startup ----

def test_newer_minor_versions_are_negotiated(shop_gateway):
    for pairs, protocol, unknown in (((), PROTOCOL_3_2, []), ((("_pq_.x", "1"),), PROTOCOL_3_0, [b"_pq_.x"]),
                                     ((("_pq_.a", "1"), ("_pq_.b", "")), 196608 + 9999, [b"_pq_.a", b"_pq_.b"])):
        messages = startup(shop_gateway, [hello(*pairs, protocol=protocol)])
        kind, body = messages[0]
        newest, count = struct.unpack("!Ii", body[:8])
        assert (kind, newest, count, body[8:].split(b"\0")[:-1]) == (b"v", PROTOCOL_3_0, len(unknown), unknown)
        assert status(messages) == "I"


@pytest.mark.parametrize("pairs, state", [
    ((("replication", "database"),), "0A000"),
    ((("nonsense", "1"),), "42501|42704"),
    ((("options", "-c search_path=shop"),), "42501"),
    ((("options", "--nonsense=1"),), "42501|42704"),
    ((("options", "junk"),), "."),
    ((("role", "postgres"),), "42501|42704"),
])
def test_settings_that_are_not_for_partners(shop_gateway, pairs, state):
    (kind, body), = startup(shop_gateway, [hello(*pairs)])
    told = fields(body)
    assert (kind, told["S"]) == (b"E", "FATAL")
    assert state == "." or told["C"] in state.split("|"), told


def test_options_are_settings(shop_gateway):
    client = RawClient(shop_gateway, "acme.cert", settings=[("options", "-c DateStyle=German --extra_float_digits=1")])
    assert rows(client.query("SHOW DateStyle"))[0][0].startswith(b"German")
    assert rows(client.query("SHOW extra_float_digits")) == [[b"1"]]


def test_gssapi_encryption_is_declined(shop_gateway):
    with socket.create_connection(("127.0.0.1", shop_gateway.port), timeout=20) as plain:
        plain.sendall(struct.pack("!ii", 8, 80877104))
        assert plain.recv(1) == b"N"
        plain.sendall(struct.pack("!ii", 8, 80877103))
        assert plain.recv(1) == b"S"


@pytest.mark.parametrize("packet, word", [
    (struct.pack("!ii", 8, 80877103) + hello(), b"plaintext"),
    (hello(), b"TLS is required"),
    (struct.pack("!iI", 2_000_000, PROTOCOL_3_0), b"length"),
    (struct.pack("!iI", 7, PROTOCOL_3_0), b"length"),
    (struct.pack("!iI", 8, 131072), b""),
])
def test_packets_that_end_the_connection_before_tls(shop_gateway, packet, word):
    with socket.create_connection(("127.0.0.1", shop_gateway.port), timeout=20) as plain:
        plain.sendall(packet)
        answer = b""
        while data := plain.recv(4096):
            answer += data
    assert answer[:1] in (b"E", b"S") and word in answer, answer
    assert b"R\0\0\0\x08\0\0\0\0" not in answer


# ---- pipelines ----

def test_a_thousand_in_one_go(client):
    client.send(*[client.parse(ONE), client.bind(), client.execute(), client.SYNC] * 1000)
    for number in range(1000):
        messages = client.until_ready()
        assert (number, kinds(messages), rows(messages)) == (number, "12DCZ", [[b"Person 1"]])


def test_simple_and_extended_mixed_in_one_go(client):
    client.send(client.simple("BEGIN"), client.parse(ONE, "a"), client.bind(name="a"), client.execute(), client.SYNC,
                client.simple("SHOW cofferdam.partner"), client.bind(name="a"), client.execute(), client.SYNC, client.simple("COMMIT"))
    got = [client.until_ready() for _ in range(5)]
    assert [kinds(part) for part in got] == ["CZ", "12DCZ", "TDCZ", "2DCZ", "CZ"]
    assert [status(part) for part in got] == ["T", "T", "T", "T", "I"]


@pytest.mark.parametrize("bad", [DIVIDE, "SELECT secret FROM person", "SELEC", "SELECT nothing FROM nowhere"])
def test_after_an_error_nothing_until_sync(client, bad):
    client.send(client.parse(ONE, "a"), client.bind(name="a"), client.execute(), client.parse(bad), client.bind(), client.execute(),
                client.parse(ONE, "b"), client.bind(name="b"), client.execute(), client.simple(ONE), client.SYNC,
                client.bind(name="a"), client.execute(), client.SYNC, client.bind(name="b"), client.SYNC)
    first, second, third = (client.until_ready() for _ in range(3))
    assert kinds(first)[:4] + kinds(first)[-2:] == "12DCEZ"
    assert kinds(second) == "2DCZ"
    assert states(third) == ["26000"]


def test_a_statement_of_a_failed_pipeline_can_be_parsed_again(client):
    for sql in (ONE, "SHOW cofferdam.partner", ONE):
        client.send(client.parse(DIVIDE), client.bind(), client.execute(), client.parse(sql, "again"), client.SYNC)
        assert states(client.until_ready()) == ["22012"]
        client.send(client.parse(sql, "again"), client.bind(name="again"), client.execute(), client.close_of("S", "again"), client.SYNC)
        assert kinds(client.until_ready()) == "12DC3Z"


def test_flush_without_sync(client):
    client.send(client.parse(ONE), client.describe("S"), client.FLUSH)
    assert kinds(client.until(b"T")) == "1tT"
    client.send(client.bind(), client.execute(), client.FLUSH)
    assert kinds(client.until(b"C")) == "2DC"
    client.send(client.SYNC)
    assert kinds(client.until_ready()) == "Z"


def test_a_refusal_comes_at_once_not_at_sync(client):
    client.send(client.parse("SELECT secret FROM person"), client.FLUSH)
    assert states(client.until(b"E")) == ["42703"]
    client.send(client.bind(), client.execute(), client.SYNC)
    assert kinds(client.until_ready()) == "Z"


# ---- portals ----

def test_portions(client):
    client.query("BEGIN")
    client.send(client.parse("SELECT full_name FROM person ORDER BY person_id LIMIT 10"), client.bind(portal="p"),
                client.execute(4, "p"), client.execute(4, "p"), client.SYNC)
    messages = client.until_ready()
    assert kinds(messages) == "12DDDDsDDDDsZ"
    client.send(client.execute(4, "p"), client.SYNC)
    last = client.until_ready()
    assert (kinds(last), tags(last)) == ("DDCZ", ["SELECT 2"])
    assert rows(messages + last) == names(client, 10)
    client.send(client.execute(0, "p"), client.SYNC)
    assert tags(client.until_ready()) == ["SELECT 0"]
    client.send(client.close_of("P", "p"), client.execute(0, "p"), client.SYNC)
    assert (states(client.until_ready()), status(client.query("ROLLBACK"))) == (["34000"], "I")


def test_portals_end_with_their_transaction(client):
    client.send(client.parse(ONE, "s"), client.bind(portal="p", name="s"), client.SYNC, client.execute(0, "p"), client.SYNC)
    client.until_ready()
    assert states(client.until_ready()) == ["34000"]


def test_binding_again(client):
    client.send(client.parse("SELECT full_name FROM person WHERE person_id = $1", types=[20]),
                *[part for key in (1, 2, 3) for part in (client.bind([key]), client.execute())], client.SYNC)
    assert rows(client.until_ready()) == [[b"Person 1"], [b"Person 2"], [b"Person 3"]]


def test_two_portals_at_a_time(client):
    client.query("BEGIN")
    client.send(client.parse("SELECT person_id FROM person WHERE person_id > $1 ORDER BY person_id", types=[20]),
                client.bind([0], portal="a"), client.bind([100], portal="b"), client.execute(2, "a"), client.execute(2, "b"),
                client.execute(1, "a"), client.execute(1, "b"), client.SYNC)
    assert [int(row[0]) for row in rows(client.until_ready())] == [1, 2, 101, 102, 3, 103]
    client.query("COMMIT")


def test_describe(client):
    client.send(client.parse("SELECT full_name, person_id FROM person WHERE person_id = $1", "s"), client.describe("S", "s"),
                client.bind([1], portal="p", name="s", result_formats=[0, 1]), client.describe("P", "p"), client.SYNC)
    messages = client.until_ready()
    assert kinds(messages) == "1tT2TZ"
    parameters = next(body for kind, body in messages if kind == b"t")
    assert struct.unpack("!hI", parameters) == (1, 20)
    for kind, body in messages:
        if kind == b"T":
            assert struct.unpack("!h", body[:2]) == (2,)
            assert body.count(b"full_name\0" + b"\0" * 6) == 1, "the table is told"
    client.send(client.describe("S", "none"), client.SYNC, client.describe("P", "none"), client.SYNC)
    assert (states(client.until_ready()), states(client.until_ready())) == (["26000"], ["34000"])


def test_names(client):
    client.send(client.parse(ONE, "s"), client.SYNC, client.parse(ONE, "s"), client.SYNC)
    client.until_ready()
    assert states(client.until_ready()) == ["42P05"]
    client.send(client.parse(ONE), client.parse("SELECT 2"), client.bind(), client.execute(), client.SYNC)
    assert rows(client.until_ready()) == [[b"2"]]
    client.send(client.close_of("S", "s"), client.close_of("S", "s"), client.close_of("P", "none"), client.SYNC)
    assert kinds(client.until_ready()) == "333Z"
    client.send(client.bind(name="s"), client.SYNC)
    assert states(client.until_ready()) == ["26000"]


def test_deallocate(client):
    client.send(client.parse(ONE, "a"), client.parse(ONE, "b"), client.parse(ONE, "c"), client.SYNC)
    client.until_ready()
    assert tags(client.query('DEALLOCATE "a"')) == ["DEALLOCATE"]
    assert states(client.query("DEALLOCATE a")) == ["26000"]
    client.send(client.bind(name="a"), client.SYNC, client.bind(name="b"), client.execute(), client.SYNC)
    assert (states(client.until_ready()), kinds(client.until_ready())) == (["26000"], "2DCZ")
    client.query("DEALLOCATE ALL")
    client.send(client.bind(name="b"), client.SYNC)
    assert states(client.until_ready()) == ["26000"]


def test_many_statements_come_and_go(shop_gateway, client):
    for number in range(600):
        sql = f"SELECT full_name FROM person WHERE person_id = 1 AND {number} = {number}"
        client.send(client.parse(sql, "s"), client.bind(name="s"), client.execute(), client.close_of("S", "s"), client.SYNC)
        assert kinds(client.until_ready()) == "12DC3Z", number


# ---- transactions ----

def test_transaction_states(client):
    assert [status(client.query(sql)) for sql in ("BEGIN", ONE, "SELECT secret FROM person", ONE, "ROLLBACK", ONE)] == list("TTEEII")
    assert states(client.query(ONE)) == []
    assert [status(client.query(sql)) for sql in ("BEGIN", DIVIDE)] == list("TE")
    assert states(client.query(ONE)) == ["25P02"]
    assert tags(client.query("COMMIT")) == ["ROLLBACK"]


def test_savepoints(client):
    told = [status(client.query(sql)) for sql in ("BEGIN", "SAVEPOINT a", "SELECT nothing FROM person", "ROLLBACK TO a", ONE,
                                                  "SAVEPOINT b", DIVIDE, "ROLLBACK TO SAVEPOINT b", "RELEASE a", "COMMIT")]
    assert told == list("TTETTTETTI")


def test_a_transaction_begun_without_sync_fails_as_a_whole(client):
    client.send(client.parse("BEGIN"), client.bind(), client.execute(), client.FLUSH)
    client.until(b"C")
    client.send(client.parse("SELECT secret FROM person"), client.SYNC)
    assert status(client.until_ready()) == "E"
    client.query("ROLLBACK")


def test_empty_and_refused(client):
    assert kinds(client.query("")) == "IZ"
    assert kinds(client.query(" ; ")) == "IZ"
    client.send(client.parse(""), client.bind(), client.describe(), client.execute(), client.SYNC)
    assert kinds(client.until_ready()) == "12nIZ"
    client.send(client.message(b"F", struct.pack("!Ihhhh", 1598, 0, 0, 0, 0)))
    assert states(client.until_ready()) == ["0A000"]
    client.send(client.message(b"d", b"x"), client.message(b"c"), client.message(b"f", b"x\0"))
    assert kinds(client.query("SELECT 1")) == "TDCZ"


# ---- what breaks the protocol ends the session, with a word ----

@pytest.mark.parametrize("message", [
    RawClient.message(b"?"), RawClient.message(b"y", b"12"), b"Q" + struct.pack("!i", 3), b"Q" + struct.pack("!i", -5),
    b"Q" + struct.pack("!i", 2 ** 30), b"B" + struct.pack("!i", 1048577 + 4), RawClient.message(b"Q", b"SELECT 1"),
    RawClient.message(b"P", b"\0SELECT 1\0"), RawClient.message(b"B", b"\0\0\0\1"), RawClient.message(b"D", b"X\0"),
    RawClient.message(b"E", b"\0\0"), RawClient.message(b"C", b""), RawClient.message(b"Q", b"SELECT 1\0SELECT 2\0"),
])
def test_malformed(shop_gateway, client, message):
    client.send(message)
    told = errors(client.until_closed())
    assert [error["S"] for error in told] == ["FATAL"]
    assert told[0]["C"] == "08P01"
    assert shop_gateway.rows("acme.cert", "SELECT 1") == [(1,)]


# ---- formats ----

TYPES = {"person_id": (20, lambda v: struct.unpack("!q", v)[0], 1), "full_name": (25, bytes.decode, "Person 1"),
         "born": (1082, lambda v: struct.unpack("!i", v)[0], -18262 + 100)}


@pytest.mark.parametrize("name", TYPES)
def test_binary_results(client, name):
    oid, decode, value = TYPES[name]
    messages = client.extended(f"SELECT {name}, {name} FROM person WHERE person_id = 1", result_formats=[1])
    body = next(body for kind, body in messages if kind == b"T")
    assert struct.unpack("!I", body[2 + len(name) + 1 + 6:][:4]) == (oid,)
    (first, second), = rows(messages)
    assert decode(first) == decode(second) == value


def test_formats_one_by_one(client):
    sql = "SELECT person_id, full_name, person_id FROM person WHERE person_id = 2"
    (row,) = rows(client.extended(sql, result_formats=[1, 0, 0]))
    assert row == [struct.pack("!q", 2), b"Person 2", b"2"]
    assert states(client.extended(sql, result_formats=[1, 0])) == ["08P01"]
    assert states(client.extended(sql, parameters=["1"])) == ["08P01"]


def test_terminate(client):
    client.send(client.message(b"X"))
    assert client.until_closed() == []
