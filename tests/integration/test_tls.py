"""Which TLS the gateway speaks, with and without an SSLRequest, and what it answers to those who want less."""
import socket
import ssl
import struct
import warnings

import psycopg
import pytest

from harness import rawclient

SSL_REQUEST, GSS_REQUEST = struct.pack("!ii", 8, 80877103), struct.pack("!ii", 8, 80877104)


def knock(gateway):
    connection = socket.create_connection(("127.0.0.1", gateway.port), timeout=10)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def asked(gateway):
    """A connection whose SSLRequest has been granted."""
    connection = knock(gateway)
    connection.sendall(SSL_REQUEST)
    assert connection.recv(1) == b"S"
    return connection


def context(gateway, agent="acme.cert", alpn=None, version=None):
    parameters = gateway.parameters(agent)
    made = ssl.create_default_context(cafile=parameters["sslrootcert"])
    made.load_cert_chain(parameters["sslcert"], parameters["sslkey"])
    if alpn:
        made.set_alpn_protocols(alpn)
    if version:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            made.set_ciphers("ALL:@SECLEVEL=0")
            made.minimum_version = made.maximum_version = version
    return made


def everything(connection):
    """All that comes until the end."""
    data = b""
    try:
        while part := connection.recv(4096):
            data += part
    except ConnectionError:
        pass
    return data


def told(data):
    """Fields of the first message, an ErrorResponse."""
    assert data[:1] == b"E", data
    return rawclient.fields(data[5:])


def one(gateway, secured):
    """Logs in and has the answer to one statement."""
    body = b"user\0acme.cert\0database\0" + gateway.database.encode() + b"\0\0"
    secured.sendall(struct.pack("!ii", len(body) + 8, 196608) + body + rawclient.RawClient.simple("SELECT 1"))
    data = b""
    while data.count(b"Z\0\0\0\5I") < 2:
        part = secured.recv(4096)
        assert part, data
        data += part
    return data


# ---- direct TLS ----

@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_direct_tls(shop_gateway, version):
    wanted = context(shop_gateway, alpn=["postgresql"], version=version)
    with wanted.wrap_socket(knock(shop_gateway), server_hostname="localhost") as secured:
        assert secured.selected_alpn_protocol() == "postgresql"
        assert b"SELECT 1\0" in one(shop_gateway, secured)


def test_direct_tls_in_crumbs(shop_gateway):
    """A ClientHello that comes a few bytes at a time is one all the same."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    wanted = context(shop_gateway, alpn=["postgresql"]).wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        wanted.do_handshake()
    hello = outgoing.read()
    with knock(shop_gateway) as connection:
        for at in range(0, len(hello), 40):
            connection.sendall(hello[at:at + 40])
        assert connection.recv(1) == b"\x16"


@pytest.mark.parametrize("offered", [None, ["http/1.1"], ["h2", "http/1.1"]])
def test_direct_tls_without_our_protocol(shop_gateway, offered):
    with pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
        context(shop_gateway, alpn=offered).wrap_socket(knock(shop_gateway), server_hostname="localhost")


def test_no_second_tls_inside_direct_tls(shop_gateway):
    wanted = context(shop_gateway, alpn=["postgresql"])
    with wanted.wrap_socket(knock(shop_gateway), server_hostname="localhost") as secured:
        secured.sendall(SSL_REQUEST)
        assert "already in use" in told(everything(secured))["M"]


# ---- after an SSLRequest ----

def test_alpn_is_optional_after_an_sslrequest(shop_gateway):
    for offered, chosen in ((None, None), (["postgresql"], "postgresql"), (["h2", "postgresql"], "postgresql")):
        with context(shop_gateway, alpn=offered).wrap_socket(asked(shop_gateway),
                                                             server_hostname="localhost") as secured:
            assert secured.selected_alpn_protocol() == chosen
            assert secured.version() == "TLSv1.3"


def test_another_protocol_is_refused(shop_gateway):
    with pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
        context(shop_gateway, alpn=["http/1.1"]).wrap_socket(asked(shop_gateway), server_hostname="localhost")


@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
@pytest.mark.parametrize("direct", [False, True])
def test_older_tls_is_refused(shop_gateway, version, direct):
    wanted = context(shop_gateway, alpn=["postgresql"], version=getattr(ssl.TLSVersion, version))
    with pytest.raises(ssl.SSLError, match="(?i)protocol.version|unsupported.protocol"):
        wanted.wrap_socket(knock(shop_gateway) if direct else asked(shop_gateway), server_hostname="localhost")


def hello_of(version):
    """A ClientHello by hand, as a client of that version makes it: OpenSSL makes no SSL 3 any more."""
    suites = struct.pack("!HHH", 4, 0xC02F, 0x002F)
    body = version + bytes(32) + b"\0" + suites + b"\1\0"
    return b"\x16" + version + struct.pack("!H", len(body) + 4) + b"\1" + struct.pack("!I", len(body))[1:] + body


@pytest.mark.parametrize("direct", [False, True])
def test_ssl_3_and_ssl_2_are_refused(shop_gateway, direct):
    with knock(shop_gateway) if direct else asked(shop_gateway) as connection:
        connection.sendall(hello_of(b"\3\0"))
        answer = everything(connection)
    assert answer[:1] in (b"\x15", b"") and b"\x16" not in answer[:1], answer  # an alert or nothing
    ssl_2 = b"\x80\x1c\x01\x00\x02\x00\x03\x00\x00\x00\x10\x01\x00\x80" + bytes(16)
    with knock(shop_gateway) if direct else asked(shop_gateway) as connection:
        connection.sendall(ssl_2)
        answer = everything(connection)
    assert answer == b"" or answer[:1] in (b"\x15", b"E"), answer


def test_plaintext_behind_the_sslrequest(shop_gateway):
    """What stands behind it came from somebody in the middle (CVE-2021-23214)."""
    with knock(shop_gateway) as connection:
        connection.sendall(SSL_REQUEST + b"\0\0\0\x08")
        assert told(everything(connection))["M"] == "plaintext data after the SSLRequest"


def test_a_second_sslrequest(shop_gateway):
    with context(shop_gateway).wrap_socket(asked(shop_gateway), server_hostname="localhost") as secured:
        secured.sendall(SSL_REQUEST)
        assert "already in use" in told(everything(secured))["M"]


def test_gss_is_declined_once(shop_gateway):
    with knock(shop_gateway) as connection:
        connection.sendall(GSS_REQUEST)
        assert connection.recv(1) == b"N"
        connection.sendall(SSL_REQUEST)
        assert connection.recv(1) == b"S"
    with knock(shop_gateway) as connection:
        connection.sendall(GSS_REQUEST)
        assert connection.recv(1) == b"N"
        connection.sendall(GSS_REQUEST)
        assert told(everything(connection))["C"] == "08P01"
    with pytest.raises(psycopg.OperationalError, match="GSS"):
        shop_gateway.connect("acme.cert", gssencmode="require")


def test_a_session_is_not_resumed(shop_gateway):
    """Nothing of one connection proves anything on the next."""
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        wanted = context(shop_gateway, version=version)
        with wanted.wrap_socket(asked(shop_gateway), server_hostname="localhost") as first:
            one(shop_gateway, first)
            session = first.session
        with wanted.wrap_socket(asked(shop_gateway), server_hostname="localhost", session=session) as second:
            assert not second.session_reused
