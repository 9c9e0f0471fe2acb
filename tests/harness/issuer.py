"""An issuer of renewals (`cofferdam cert serve`) with a CA of its own, and who asks it: agents, and strangers."""
import base64
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID

from harness import places

START_SECONDS = float(os.environ.get("COFFERDAM_START_SECONDS", "20"))
ALARMS = re.compile(r"ERROR: AddressSanitizer|runtime error:|event=check_failed")
def user():
    """As whom it runs: not as the gateways of these tests."""
    return places.servant("daemon")


def new_key(kind="p256"):
    return ed25519.Ed25519PrivateKey.generate() if kind == "ed25519" else ec.generate_private_key(ec.SECP256R1())


def sign_with(key, text):
    return key.sign(text) if isinstance(key, ed25519.Ed25519PrivateKey) else key.sign(text, ec.ECDSA(hashes.SHA256()))


class Holder:
    """A certificate and its key, in a folder as files."""

    def __init__(self, folder, pem=None, key=None):
        self.folder = pathlib.Path(folder)
        self.files = {"sslcert": self.folder / "client.crt", "sslkey": self.folder / "client.key"}
        if pem is not None:
            self.folder.mkdir(exist_ok=True)
            self.files["sslcert"].write_text(pem)
            self.files["sslkey"].write_bytes(key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
            self.files["sslkey"].chmod(0o600)
        self.certificate = x509.load_pem_x509_certificate(self.files["sslcert"].read_bytes())
        self.key = serialization.load_pem_private_key(self.files["sslkey"].read_bytes(), None)
        self.serial = format(self.certificate.serial_number, "x")

    @property
    def der(self):
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def request(self, key, signer=None, uri=None):
        """(CSR in PEM, the signature over it by this holder's key, or another's, in base64)."""
        builder = x509.CertificateSigningRequestBuilder().subject_name(
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "renewal")]))
        if uri:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)]), False)
        made = builder.sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())
        der = made.public_bytes(serialization.Encoding.DER)
        return (made.public_bytes(serialization.Encoding.PEM).decode(),
                base64.b64encode(sign_with(signer or self.key, der)).decode())


class Issuer:
    """One `cofferdam cert serve`; close() stops and judges it. clock: a harness.clock.Clock.
    moved: it lives by that clock."""

    def __init__(self, gateway_user, clock, options=("--last", "100"), moved=False):
        self.base = places.make_folder("issuer")
        self.ca, self.socket, self.log = self.base / "ca", self.base / "socket", self.base / "log"
        self.gateway_user, self.options = gateway_user, options
        self.environment = dict(os.environ)
        self.clock = clock
        if moved:
            self.environment.update(LD_PRELOAD=str(clock.library), COFFERDAM_CLOCK_FILE=str(clock.file))
        self.program = self.base / "cofferdam"
        shutil.copy(places.binary(), self.program)
        self.passphrase = self.base / "passphrase"
        self.passphrase.write_text("correct horse battery staple\n")
        self.passphrase.chmod(0o600)
        places.own(self.passphrase, user())
        self.ca.mkdir()
        places.own(self.ca, user())
        places.own(self.base, user())
        self.cli("ca", "--out", self.ca, "--name", "issuing CA", "--passphrase-file", self.passphrase)
        self.process = None
        self.start()

    def run(self, *arguments, check=True, ago=0):
        """`cofferdam …` as the CA's user; ago: as if it were so many seconds before now."""
        aside = {"LD_PRELOAD": str(self.clock.library), "COFFERDAM_CLOCK_OFFSET_S": str(-ago)} if ago else {}
        process = places.popen_as(user(), [self.program, *arguments], stdout=subprocess.PIPE, text=True,
                                  stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, env={**self.environment, **aside})
        output, errors = process.communicate(timeout=60)
        if check and process.returncode != 0:
            raise RuntimeError(f"cofferdam {arguments} ended with {process.returncode}: {errors}{output}")
        return output if check else (process.returncode, output, errors)

    def cli(self, *arguments, **options):
        return self.run("cert", *arguments, **options)

    def issued(self):
        return json.loads(self.cli("list", "--ca", self.ca, "--json"))

    def issue(self, config, agent, tag, *options):
        """What a human has issued, with `cert issue`, some seconds ago: a renewal must end a second later."""
        folder = self.base / tag
        self.cli("issue", "--ca", self.ca, "--passphrase-file", self.passphrase, "--agent", agent, "--out", folder,
                 "-c", config, *options, ago=20)
        return Holder(folder)

    def start(self):
        command = [self.program, "cert", "serve", "--ca", self.ca, "--socket", self.socket, "--gateway-user",
                   self.gateway_user.pw_name, "--passphrase-file", self.passphrase, *self.options]
        command += ["--user", user().pw_name] if os.getuid() == 0 else []
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([str(word) for word in command], stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, env=self.environment, cwd="/")
        deadline = time.monotonic() + START_SECONDS
        while self.log_text().count("event=issuer_ready") <= self.log_text().count("event=issuer_ends"):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the issuer did not start:\n{self.log_text()}")
            time.sleep(0.01)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def close(self):
        code = self.stop() if self.process.poll() is None else self.process.returncode
        log = self.log_text()
        places.remove_folder(self.base)
        assert code == 0 and not ALARMS.search(log), f"the issuer ended with {code}:\n{log[-4000:]}"

    # ---- talking to it, as whoever has taken over the gateway ----

    def send(self, letter, as_user=None, half=False):
        """What comes back to a process of that user. half: nothing more will come from us."""
        with socket.socket(socket.AF_UNIX) as stream:
            stream.settimeout(20)
            os.seteuid((as_user or self.gateway_user).pw_uid)  # whom SO_PEERCRED names
            try:
                stream.connect(str(self.socket))
            finally:
                os.seteuid(os.getuid())
            try:
                stream.sendall(letter)
                if half:
                    stream.shutdown(socket.SHUT_WR)
                return b"".join(iter(lambda: stream.recv(65536), b""))
            except (BrokenPipeError, ConnectionResetError):
                return b""

    def ask(self, der, request, signature, human_s=10 ** 9):
        """(None, serial renewed, origin, until, again, PEM) or (SQLSTATE, message, hint)."""
        def part(data):
            data = data.encode() if isinstance(data, str) else data
            return struct.pack(">I", len(data)) + data
        body = b"\1" + struct.pack(">q", human_s * 10 ** 9) + part(der) + part(request) + part(signature)
        answer = self.send(struct.pack(">I", len(body)) + body)
        assert len(answer) > 6, f"no answer: {self.log_text()}"
        assert answer[4] == 1
        rest = answer[6:]

        def take():
            nonlocal rest
            size = struct.unpack(">I", rest[:4])[0]
            found, rest = rest[4:4 + size], rest[4 + size:]
            return found.decode()
        if answer[5] != 0:
            sqlstate, rest = rest[:5].decode(), rest[5:]
            return sqlstate, take(), take()
        renews, origin = take(), take()
        until, again, rest = struct.unpack(">q", rest[:8])[0] / 1e9, rest[8] != 0, rest[9:]
        return None, renews, origin, until, again, take()
