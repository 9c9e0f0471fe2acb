"""Certificates that the authority has signed, and that prove the agent all the same or not at all: names written in
other ways, chains that may not be, what is no client's, weak keys."""
import datetime
import socket
import ssl
import struct

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

URI, DAY = "spiffe://acme/cert", datetime.timedelta(days=1)
NO_CA, ANY_CA = x509.BasicConstraints(False, None), x509.BasicConstraints(True, None)
IN, ALERT, STRANGER = "in", "alert", "asked for a password"


def uris(*names):
    return x509.SubjectAlternativeName([x509.UniformResourceIdentifier(name) for name in names])


def raw_uri(name):
    return x509.UnrecognizedExtension(ObjectIdentifier("2.5.29.17"), bytes([0x30, len(name) + 2, 0x86, len(name)]) + name)


def signs_certificates():
    return x509.KeyUsage(*(use == "certificates" for use in
                           "signature commitment keys data agreement certificates lists in out".split()))


def limited_to(*permitted, excluded=()):
    return x509.NameConstraints([x509.UniformResourceIdentifier(host) for host in permitted] or None,
                                [x509.UniformResourceIdentifier(host) for host in excluded] or None)


class Made:
    """A certificate; `by` is the one that signed it, or the authority."""

    def __init__(self, by, *extensions, name="agent", key=None, begins=-DAY, ends=DAY, serial=None, basic=NO_CA,
                 usage=ExtendedKeyUsageOID.CLIENT_AUTH, digest=hashes.SHA256()):
        now = datetime.datetime.utcnow()
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = (x509.CertificateBuilder().subject_name(self.name).issuer_name(by.name).public_key(self.key.public_key())
                   .serial_number(serial or x509.random_serial_number())
                   .not_valid_before(now + begins).not_valid_after(ends if isinstance(ends, datetime.datetime) else now + ends))
        for extension in [basic, usage and x509.ExtendedKeyUsage([usage]), *extensions]:
            if extension is not None:
                critical = isinstance(extension, (x509.BasicConstraints, x509.NameConstraints, x509.KeyUsage))
                builder = builder.add_extension(extension, critical or getattr(extension, "must", False))
        self.certificate = builder.sign(by.key, digest)
        self.chain = [self.certificate, *getattr(by, "chain", [])]

    def below(self, **changes):
        return Made(self, uris(URI), **changes)


class Root:
    def __init__(self, authority):
        self.name = x509.load_pem_x509_certificate(authority.certificate.read_bytes()).subject
        self.key = serialization.load_pem_private_key(authority.key.read_bytes(), None)


class Must(x509.UnrecognizedExtension):
    must = True


def shapes(root):
    def intermediate(*extensions, by=root, basic=x509.BasicConstraints(True, 0), name="CA below", usage=None):
        return Made(by, signs_certificates(), *extensions, basic=basic, name=name, usage=usage)

    ours = uris(URI)
    yield IN, "as it should be", Made(root, ours)
    yield STRANGER, "two names, the other first", Made(root, uris("spiffe://rival/cert", URI))
    yield STRANGER, "the name twice", Made(root, uris(URI, URI))
    yield STRANGER, "capitals", Made(root, uris("SPIFFE://acme/cert"))
    yield STRANGER, "a slash more", Made(root, uris(URI + "/"))
    yield STRANGER, "a letter written as its number", Made(root, uris("spiffe://acme/%63ert"))
    yield STRANGER, "a NUL and more", Made(root, raw_uri(b"spiffe://acme/cert\0.evil.example"))
    yield STRANGER, "the URI as common name", Made(root, name=URI)
    yield STRANGER, "an authority that names itself as the agent", Made(root, ours, basic=ANY_CA)
    yield ALERT, "the authority's key usage", Made(root, ours, signs_certificates())
    yield ALERT, "any purpose, which is not a client's", Made(root, ours, usage=ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)
    yield IN, "no purpose named", Made(root, ours, usage=None)
    yield ALERT, "not yet valid", Made(root, ours, begins=DAY, ends=2 * DAY)
    yield ALERT, "ended", Made(root, ours, begins=-2 * DAY, ends=-DAY)
    yield IN, "without an end (RFC 5280, 4.1.2.5)", Made(root, ours, ends=datetime.datetime(9999, 12, 31, 23, 59, 59))
    yield IN, "the longest serial number", Made(root, ours, serial=2 ** 159 - 1)
    yield ALERT, "something critical that nobody knows", Made(root, ours, Must(ObjectIdentifier("1.2.3.4.5"), b"\5\0"))
    yield ALERT, "RSA of 1024 bits", Made(root, ours, key=rsa.generate_private_key(65537, 1024))
    yield IN, "RSA of 2048 bits", Made(root, ours, key=rsa.generate_private_key(65537, 2048))
    yield IN, "P-384", Made(root, ours, key=ec.generate_private_key(ec.SECP384R1()))
    yield IN, "Ed25519", Made(root, ours, key=ed25519.Ed25519PrivateKey.generate())
    yield IN, "below an intermediate", intermediate().below()
    yield ALERT, "a longer path than it allows", intermediate(by=intermediate(), name="CA at the bottom").below()
    yield ALERT, "below an agent's", Made(root, uris("spiffe://rival/cert"), name="rival").below()
    yield IN, "an intermediate bound to its name", intermediate(limited_to("acme")).below()
    yield ALERT, "one bound to another name", intermediate(limited_to("rival")).below()
    yield ALERT, "one kept from its name", intermediate(limited_to(excluded=["acme"])).below()
    yield ALERT, "one for servers only", intermediate(usage=ExtendedKeyUsageOID.SERVER_AUTH).below()


def outcome(gateway, made, folder):
    """What becomes of a login with it, whatever this machine's OpenSSL thinks of weak keys."""
    files = folder / "chain.pem", folder / "key.pem"
    files[0].write_bytes(b"".join(one.public_bytes(serialization.Encoding.PEM) for one in made.chain))
    files[1].write_bytes(made.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                                serialization.NoEncryption()))
    context = ssl.create_default_context(cafile=str(gateway.authority.certificate))
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_cert_chain(*files)
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as plain:
        plain.sendall(struct.pack("!ii", 8, 80877103))
        assert plain.recv(1) == b"S"
        body = b"user\0acme.cert\0\0"
        try:
            with context.wrap_socket(plain, server_hostname="localhost") as secured:
                secured.sendall(struct.pack("!ii", len(body) + 8, 196608) + body)
                answer = secured.recv(9)
        except ssl.SSLError as error:
            assert "alert" in str(error).lower(), error
            return ALERT
    assert answer[:1] == b"R", answer
    return IN if answer[5:] == bytes(4) else STRANGER


def test_shapes(shop_gateway, authority, tmp_path):
    root = Root(authority)
    wanted = {name: (outcome(shop_gateway, made, tmp_path), expected) for expected, name, made in shapes(root)}
    assert {name: pair for name, pair in wanted.items() if pair[0] != pair[1]} == {}


def test_a_signature_over_sha_1(shop_gateway, authority, tmp_path):
    with pytest.warns(Warning, match="SHA1"):
        made = Made(Root(authority), uris(URI), digest=hashes.SHA1())
    assert outcome(shop_gateway, made, tmp_path) == ALERT
