"""Identity providers: a real one (provider.mjs), and tokens made by hand with keys of the test's own."""
import base64
import hashlib
import http.cookiejar
import json
import re
import secrets
import subprocess
import time
import urllib.parse
import urllib.request

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from harness import places


def encode(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Provider:
    """oidc-provider in a process of its own, on a free port of this machine."""

    def __init__(self):
        self.process = subprocess.Popen(["node", places.ROOT / "tests/harness/provider.mjs"], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        line = "warning"
        while line and not line.strip().isdigit():
            line = self.process.stdout.readline()
        assert line.strip().isdigit(), "no provider: is node_modules complete (npm ci)?"
        self.issuer = f"http://127.0.0.1:{line.strip()}"

    def order(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        while self.process.stdout.readline().strip() != line.split()[0]:
            assert self.process.poll() is None  # it also prints warnings

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)
        self.process.stdout.close()

    def _post(self, path, fields, headers=()):
        request = urllib.request.Request(self.issuer + path, urllib.parse.urlencode(fields).encode(), dict(headers))
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def job_token(self, algorithm="RS256"):
        """By client credentials: the token of a program."""
        basic = base64.b64encode(b"sync-job:job-secret").decode()
        return self._post("/token", {"grant_type": "client_credentials", "scope": "query",
                                     "resource": f"urn:{algorithm}"}, {"Authorization": f"Basic {basic}"}.items())["access_token"]

    def person_token(self, who):
        """By authorization code and PKCE: what a browser does, form by form."""
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()), Stay())
        verifier = secrets.token_urlsafe(40)
        at = self.issuer + "/auth?" + urllib.parse.urlencode({
            "client_id": "desk", "response_type": "code", "redirect_uri": "https://desk.example/cb",
            "scope": "openid query", "resource": "urn:ES256", "code_challenge_method": "S256",
            "code_challenge": encode(hashlib.sha256(verifier.encode()).digest())})
        for _ in range(12):
            answer = opener.open(at, timeout=10)
            if answer.status == 200:  # a form: who are you, then: may it?
                page = answer.read().decode()
                action = re.search(r'<form[^>]*action="([^"]+)"', page).group(1)
                fields = {"prompt": re.search(r'name="prompt" value="(\w+)"', page).group(1), "login": who, "password": "x"}
                answer = opener.open(urllib.parse.urljoin(at, action), urllib.parse.urlencode(fields).encode(), timeout=10)
            at = urllib.parse.urljoin(at, answer.headers["Location"])
            if at.startswith("https://desk.example/cb"):
                code = urllib.parse.parse_qs(urllib.parse.urlparse(at).query)["code"][0]
                return self._post("/token", {"grant_type": "authorization_code", "code": code, "client_id": "desk",
                                             "redirect_uri": "https://desk.example/cb", "code_verifier": verifier,
                                             "resource": "urn:ES256"})["access_token"]
        raise AssertionError(f"the provider ended at {at}")


class Stay(urllib.request.HTTPRedirectHandler):
    """Redirects are answers."""

    def http_error_303(self, request, answer, code, message, headers):
        return answer

    http_error_302 = http_error_303


class Signer:
    """Keys of RS256, ES256 and EdDSA, their key set, and tokens that are whatever the test says."""

    def __init__(self, issuer="https://id.example", audience="cofferdam"):
        self.issuer, self.audience = issuer, audience
        self.keys = {"RS256": rsa.generate_private_key(public_exponent=65537, key_size=2048),
                     "ES256": ec.generate_private_key(ec.SECP256R1()),
                     "EdDSA": ed25519.Ed25519PrivateKey.generate()}

    def key_set(self):
        rsa_numbers = self.keys["RS256"].public_key().public_numbers()
        point = self.keys["ES256"].public_key().public_numbers()
        raw = self.keys["EdDSA"].public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        whole = lambda number, size: encode(number.to_bytes(size, "big"))
        return {"keys": [
            {"kid": "RS256", "kty": "RSA", "use": "sig", "n": whole(rsa_numbers.n, 256), "e": whole(rsa_numbers.e, 3)},
            {"kid": "ES256", "kty": "EC", "crv": "P-256", "x": whole(point.x, 32), "y": whole(point.y, 32)},
            {"kid": "EdDSA", "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": encode(raw)}]}

    def sign(self, algorithm, message):
        if algorithm == "RS256":
            return self.keys[algorithm].sign(message, padding.PKCS1v15(), hashes.SHA256())
        if algorithm == "EdDSA":
            return self.keys[algorithm].sign(message)
        r, s = utils.decode_dss_signature(self.keys[algorithm].sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def claims(self, **changes):
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": self.audience, "sub": "someone", "iat": now, "exp": now + 300,
                  "jti": secrets.token_hex(8), **changes}
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, algorithm="ES256", header=(), **changes):
        """A claim of None is left out; header adds to the header."""
        head = {"alg": algorithm, "kid": algorithm, "typ": "JWT", **dict(header)}
        text = encode(json.dumps(head).encode()) + "." + encode(json.dumps(self.claims(**changes)).encode())
        return text + "." + encode(self.sign(algorithm, text.encode()))
