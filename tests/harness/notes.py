"""Signed notes (C2SP signed-note, tlog-checkpoint, tlog-cosignature), read by nothing of ours."""
import base64
import hashlib
import re
import struct

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ED25519, COSIGNATURE = 1, 4


class Key:
    """A verifier key."""

    def __init__(self, text):
        self.name, number, encoded = text.strip().split("+", 2)
        raw = base64.b64decode(encoded, validate=True)
        self.kind, self.public = raw[0], raw[1:]
        self.id = hashlib.sha256(self.name.encode() + b"\n" + raw).digest()[:4]
        assert self.id.hex() == number, text

    def verifies(self, text, signature):
        signed = text.encode()
        if self.kind == COSIGNATURE:
            signed = b"cosignature/v1\ntime %d\n" % struct.unpack(">Q", signature[:8]) + signed
            signature = signature[8:]
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, signed)
            return True
        except InvalidSignature:
            return False


class Note:
    """text, and signatures: a list of (name, key id, bytes)."""

    def __init__(self, data):
        self.text, lines = re.fullmatch(r"(.*?\n)\n((?:\u2014 [^\n]+\n)+)", data, re.DOTALL).groups()
        self.signatures = []
        for line in lines.splitlines():
            _, name, encoded = line.split(" ")
            raw = base64.b64decode(encoded, validate=True)
            self.signatures.append((name, raw[:4], raw[4:]))

    def signed_by(self, key):
        """None: no such signature. False: a bad one."""
        found = [key.verifies(self.text, signature) for name, number, signature in self.signatures
                 if (name, number) == (key.name, key.id)]
        return all(found) if found else None

    def checkpoint(self):
        """(origin, size, root)"""
        origin, size, root = self.text.splitlines()
        return origin, int(size), base64.b64decode(root, validate=True)


class Cosigner:
    """A witness's key."""

    def __init__(self, name):
        self.private = Ed25519PrivateKey.generate()
        raw = bytes([COSIGNATURE]) + self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.name = name
        self.id = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
        self.vkey = f"{name}+{self.id.hex()}+{base64.b64encode(raw).decode()}"

    def line(self, text, now):
        signed = self.private.sign(b"cosignature/v1\ntime %d\n" % now + text.encode())
        return f"\u2014 {self.name} {base64.b64encode(self.id + struct.pack('>Q', now) + signed).decode()}\n"
