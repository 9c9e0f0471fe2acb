"""Certificates and SCRAM verifiers, made by openssl and Python: not by the program under test."""
import base64
import datetime
import hashlib
import hmac
import os
import pathlib
import subprocess

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization


def openssl(*arguments, text=None):
    done = subprocess.run(["openssl", *map(str, arguments)], input=text, text=True, capture_output=True)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {arguments[0]}: {done.stderr}")
    return done.stdout


class Authority:
    """A certificate authority in a folder. Leaves are made once for each name and kept."""

    def __init__(self, folder, name="test CA"):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.certificate = self.folder / "ca.crt"
        self.key = self.folder / "ca.key"
        self.leaves = {}
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-days", "30", "-subj", f"/CN={name}", "-keyout", self.key, "-out", self.certificate,
                "-addext", "basicConstraints=critical,CA:true",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def server(self):
        """(certificate, key) for localhost and 127.0.0.1."""
        return self.leaf("localhost", "DNS:localhost,IP:127.0.0.1", "serverAuth")

    def client(self, identity):
        """(certificate, key) for an agent: a SAN URI where the identity is one, else a CN."""
        if "://" in identity:
            return self.leaf("agent", f"URI:{identity}", "clientAuth")
        return self.leaf(identity, None, "clientAuth")

    def leaf(self, common_name, alternative, usage, days=10, tag=""):
        """A leaf; days may be 0: a certificate that ends as it begins."""
        wanted = (common_name, alternative, usage, days, tag)
        if wanted in self.leaves:
            return self.leaves[wanted]
        stem = self.folder / f"leaf{len(self.leaves)}"
        certificate, key = stem.with_suffix(".crt"), stem.with_suffix(".key")
        request = openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                          "-subj", f"/CN={common_name}", "-keyout", key)
        extensions = stem.with_suffix(".ext")
        extensions.write_text(f"basicConstraints=critical,CA:false\nextendedKeyUsage={usage}\n"
                              + (f"subjectAltName={alternative}\n" if alternative else ""))
        openssl("x509", "-req", "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial",
                "-days", days, "-extfile", extensions, "-out", certificate, text=request)
        os.chmod(key, 0o600)
        self.leaves[wanted] = (certificate, key)
        return certificate, key

    def crl(self, path, revoked=(), number=1, days=1, made=None, extend=None):
        """Writes a CRL of these certificates (files), valid for days from made on (now), as PEM.

        extend(builder) adds to it what tests want to see refused."""
        made = made or datetime.datetime.utcnow() - datetime.timedelta(minutes=1)
        issuer = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        key = serialization.load_pem_private_key(self.key.read_bytes(), None)
        builder = (x509.CertificateRevocationListBuilder().issuer_name(issuer.subject).last_update(made)
                   .next_update(made + datetime.timedelta(days=days)).add_extension(x509.CRLNumber(number), False))
        for certificate in revoked:
            serial = x509.load_pem_x509_certificate(pathlib.Path(certificate).read_bytes()).serial_number
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(made).build())
        builder = extend(builder) if extend else builder
        text = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        beside = pathlib.Path(str(path) + ".new")
        beside.write_bytes(text)
        beside.chmod(0o644)
        beside.rename(path)

    def pkcs12(self, identity, passphrase="secret"):
        """What JDBC reads."""
        certificate, key = self.client(identity)
        path = certificate.with_suffix(".p12")
        openssl("pkcs12", "-export", "-in", certificate, "-inkey", key, "-certfile", self.certificate,
                "-name", "user", "-passout", f"pass:{passphrase}", "-out", path)
        os.chmod(path, 0o600)
        return path


def scram_verifier(password, iterations=4096, salt=None):
    """RFC 5803 as PostgreSQL writes it: SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>."""
    salt = salt or os.urandom(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    client = hmac.new(salted, b"Client Key", "sha256").digest()
    server = hmac.new(salted, b"Server Key", "sha256").digest()
    encode = lambda raw: base64.b64encode(raw).decode()
    return (f"SCRAM-SHA-256${iterations}:{encode(salt)}"
            f"${encode(hashlib.sha256(client).digest())}:{encode(server)}")
