"""An agent shows a token of its organisation's identity provider as the password; what it proves ends with it."""
import base64
import hashlib
import hmac
import json
import os
import shutil
import socket
import struct
import subprocess
import time

import psycopg
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from harness import places, shop, timing
from harness.provider import Provider, Signer, encode
from harness.rawlogin import RawLogin

AGENTS = """\
      - {name: sync, identity: {oidc: {provider: real, claims: {sub: sync-job, roles: {contains: reader}}}}}
      - {name: ann, identity: {oidc: {provider: real, claims: {sub: ann}}}}
      - {name: made, identity: {oidc: {provider: made, claims: {sub: someone}}}}
      - {name: once, identity: {oidc: {provider: made, single_use: true, claims: {sub: one}}}}
"""
POLICY = shop.POLICY.replace("      - {name: job,", AGENTS + "      - {name: job,", 1)


@pytest.fixture(scope="module")
def provider():
    made = Provider()
    yield made
    made.close()


@pytest.fixture(scope="module")
def signer():
    return Signer()


@pytest.fixture(scope="module")
def gateway(make_module_gateway, provider, signer):
    made = make_module_gateway(policy_yaml=POLICY, start=False, config={
        "oidc": {"real": {"issuer": provider.issuer, "audience": "cofferdam", "discovery": True, "refetch_s": 1},
                 "made": {"issuer": signer.issuer, "audience": "cofferdam", "jwks_file": "jwks.json", "skew_s": 0}}})
    for program in ("cofferdam-http", "cofferdam-token"):
        shutil.copy(places.binary().with_name(program), made.folder)
    (made.folder / "jwks.json").write_text(json.dumps(signer.key_set()))
    made._write_secret("state/login.key", "5a" * 32)  # who is asked in which way hangs on it
    made.grant()
    made.start()
    return made


def one(gateway, agent, token, **changes):
    return gateway.rows(agent, "SELECT count(*) FROM article", password=token, **changes)


def refused(gateway, agent, token, **changes):
    with pytest.raises(psycopg.OperationalError) as caught:
        one(gateway, agent, token, **changes)
    return str(caught.value)


def acts(gateway):
    return [entry["text"] for entry in gateway.ledger() if entry["type"] == "act"]


def reasons(gateway):
    return [line.split("reason=")[1] for line in gateway.log_text().splitlines() if "event=token_refused" in line]


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_a_program_by_client_credentials(gateway, provider, algorithm):
    assert one(gateway, "acme.sync", provider.job_token(algorithm)) == [(7,)]


def test_a_person_by_authorization_code_and_pkce(gateway, provider):
    token = provider.person_token("ann")
    assert one(gateway, "acme.ann", token) == [(7,)]
    assert "authentication failed" in refused(gateway, "acme.sync", token)
    assert "sub" in reasons(gateway)[-1] and "is not what the policy asks for" in reasons(gateway)[-1]
    assert "authentication failed" in refused(gateway, "acme.ann", provider.person_token("bob"))


def test_psql_takes_it_from_the_environment(gateway, provider):
    environment = dict(os.environ, PGPASSWORD=provider.job_token())
    done = subprocess.run(["psql", "-XAtc", "SELECT 1", f"host=localhost port={gateway.port} user=acme.sync "
                           f"dbname={gateway.database} sslmode=verify-full sslrootcert={gateway.authority.certificate}"],
                          env=environment, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("1\n", "")


def test_the_provider_changes_its_keys(gateway, provider):
    old = provider.job_token()
    provider.order("rotate")
    deadline = time.monotonic() + 5
    while True:  # an unknown key is fetched while the login waits, but not twice in a second
        try:
            assert one(gateway, "acme.sync", provider.job_token()) == [(7,)]
            break
        except psycopg.OperationalError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    assert "authentication failed" in refused(gateway, "acme.sync", old)


def test_what_the_ledger_says_of_it(gateway, signer):
    token = signer.token(exp=int(time.time()) + 60)
    with gateway.connect("acme.made", password=token) as session:
        session.execute("SELECT 1")
        deadline = time.monotonic() + 5
        while not (lines := [line for line in gateway.admin("SHOW SESSIONS") if "acme.made" in line.values()]):
            assert time.monotonic() < deadline  # the list is renewed twice a second
            time.sleep(0.05)
        assert [line["credential"] for line in lines] == ["token"] and len(lines[0]["credential_id"]) == 32
    [opened] = [act for act in acts(gateway) if f"\nid={lines[0]['credential_id']}\n" in act]
    assert opened.startswith("session-opened\n") and "credential=token\n" in opened


def test_it_ends_in_the_middle_of_a_result(gateway, signer):
    token = signer.token(exp=int(time.time()) + 2)
    with gateway.connect("acme.made", password=token) as session:
        with pytest.raises(psycopg.OperationalError) as caught:
            session.execute("SELECT count(*) FROM purchase a, purchase b, purchase c WHERE a.pence + b.pence < c.pence - 100000")
        assert "token has expired" in str(caught.value) and "fetch a new one" in str(caught.value)
    assert "token has expired" in refused(gateway, "acme.made", token)


def test_one_token_is_revoked(gateway, signer):
    """By the id that sessions and ledger show; another token of the same agent is none the worse."""
    token, other = signer.token(), signer.token()
    with gateway.connect("acme.made", password=token) as session, gateway.connect("acme.made", password=other) as kept:
        session.execute("SELECT 1")
        name = [act for act in acts(gateway) if act.startswith("session-opened\n")][-2].split("\nid=")[1].split("\n")[0]
        issuer = hashlib.sha256(signer.issuer.encode()).hexdigest()
        [row] = gateway.admin(f"REVOKE CREDENTIAL '{name}' ISSUER '{issuer}' REASON 'seen in a log'")
        assert row["sessions"] == "1" and row["stored"] == "yes"
        with pytest.raises(psycopg.OperationalError, match="token has been revoked"):
            session.execute("SELECT 1")
        assert kept.execute("SELECT 1").fetchone() == (1,)
    assert "token has been revoked" in refused(gateway, "acme.made", token)
    deadline = time.monotonic() + 5
    while not any(act.startswith("alarm") and "revoked-credential" in act and name in act for act in acts(gateway)):
        assert time.monotonic() < deadline
    assert not any(part in gateway.log_text() for part in token.split("."))


def hostile(signer):
    now = int(time.time())
    public = json.dumps(signer.key_set()["keys"][0]).encode()
    encode = lambda raw: base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    claims = encode(json.dumps(signer.claims()).encode())

    def forged(header, signature=b"x"):
        return encode(json.dumps(header).encode()) + "." + claims + "." + encode(signature)

    head = encode(json.dumps({"alg": "HS256", "kid": "RS256"}).encode())
    confused = head + "." + claims + "." + encode(hmac.new(public, f"{head}.{claims}".encode(), hashlib.sha256).digest())
    good = signer.token()
    twice = good.split(".")
    double = encode(b'{"alg":"ES256","kid":"ES256"}') + "." + encode(
        json.dumps(signer.claims(sub="x")).encode()[:-1] + b',"sub":"someone"}')
    yield "no signature", forged({"alg": "none"}), "algorithm"
    yield "no signature, in capitals", forged({"alg": "None", "kid": "ES256"}), "algorithm"
    yield "the public key as a secret", confused, "algorithm"
    yield "an RSA key for ES256", signer.token("ES256", {"kid": "RS256"}), "not one for its algorithm"
    yield "a path as key", signer.token("ES256", {"kid": "../../../../dev/null"}), "not among"
    yield "a statement as key", signer.token("ES256", {"kid": "' OR '1'='1"}), "not among"
    yield "a key of its own", signer.token("ES256", {"jwk": signer.key_set()["keys"][1]}), "of its own"
    yield "an address of keys", signer.token("ES256", {"jku": "https://evil.example/keys"}), "of its own"
    yield "an extension", signer.token("ES256", {"crit": ["b64"], "b64": False}), "of its own"
    yield "a logout token", signer.token("ES256", {"typ": "logout+jwt"}), "typ"
    yield "a stranger's signature", Signer().token(), "signature"
    yield "another audience", signer.token(aud="billing"), "audience"
    yield "several audiences", signer.token(aud=["cofferdam", "billing"]), "several"
    yield "another issuer", signer.token(iss="https://id.example.evil.example"), "issuer"
    yield "no end", signer.token(exp=None), "no end"
    yield "an end that is a text", signer.token(exp=str(now + 60)), "no end"
    yield "a long life", signer.token(exp=now + 86400), "max_lifetime_s"
    yield "not yet", signer.token(nbf=now + 100), "not valid yet"
    yield "issued tomorrow", signer.token(iat=now + 86400, exp=now + 86500), "not valid yet"
    yield "an end beyond all numbers", signer.token(exp=10 ** 30), "no JSON object"
    yield "an end that is no number", signer.token(exp=True), "no end"
    yield "an end before the beginning", signer.token(exp=-1), "no end"
    yield "a name that looks like ours", signer.token(sub="some\u200bone"), "sub"
    yield "a name with an end inside", signer.token(sub="someone\0"), "no JSON object"
    yield "no audience of ours in a list", signer.token(aud=["Cofferdam"]), "audience"
    yield "somebody else", signer.token(sub="someone else"), "sub"
    yield "a list for a text", signer.token(sub=["someone"]), "sub"
    yield "a claim that stands twice", double + "." + encode(signer.sign("ES256", double.encode())), "twice"
    yield "two signatures", good + "." + twice[2], "compact"
    yield "two signatures in JSON", json.dumps({"payload": twice[1], "signatures": [{"protected": twice[0], "signature": twice[2]}] * 2}), "compact"
    yield "a token in a token", signer.token(header={"cty": "JWT"}, sub=good), "sub"
    yield "another way to write it", good + "=", "base64url"
    yield "not a token", "pw-acme.made", "compact"


def test_hostile_tokens(gateway, signer):
    assert one(gateway, "acme.made", signer.token()) == [(7,)]
    for name, token, reason in hostile(signer):
        message = refused(gateway, "acme.made", token)
        assert 'authentication failed for user "acme.made"' in message, name
        assert reason in reasons(gateway)[-1], name
    assert signer.issuer not in gateway.log_text()


def test_a_huge_token(gateway, signer):
    login = RawLogin(gateway, "acme.made")
    assert login.receive() == (b"R", struct.pack("!i", 3))
    token = signer.token(filler="x" * 20000).encode()
    try:
        login.send(login.message(b"p", token + b"\0"))
        kind, _ = login.receive()
        assert kind == b"E"
    finally:
        login.close()
    assert one(gateway, "acme.made", signer.token(filler="x" * 8000)) == [(7,)]


def test_a_replayed_token(gateway, signer):
    """Once shown from an address, it is no use from another; and staff are told."""
    token = signer.token()
    assert one(gateway, "acme.made", token) == one(gateway, "acme.made", token) == [(7,)]
    login = RawLogin(gateway, "acme.made", source="127.0.0.9")
    assert login.receive()[0] == b"R"
    login.send(login.message(b"p", token.encode() + b"\0"))
    kind, body = login.receive()
    assert kind == b"E" and b"28P01" in body
    login.close()
    deadline = time.monotonic() + 5
    while not any(act.startswith("alarm") and "token-replayed" in act for act in acts(gateway)):
        assert time.monotonic() < deadline
    single = signer.token(sub="one")
    assert one(gateway, "acme.once", single) == [(7,)]
    assert "authentication failed" in refused(gateway, "acme.once", single)


def test_a_restart_forgets_no_token(gateway, signer):
    """Not even after a crash: what it had got is in the ledger, and so is the token."""
    bound, single, unused = signer.token(), signer.token(sub="one"), signer.token(sub="one")
    assert one(gateway, "acme.made", bound) == one(gateway, "acme.once", single) == [(7,)]
    gateway.kill9()
    gateway.start()
    assert "authentication failed" in refused(gateway, "acme.once", single)
    assert "has opened the one session" in reasons(gateway)[-1]
    login = RawLogin(gateway, "acme.made", source="127.0.0.9")
    assert login.receive()[0] == b"R"
    login.send(login.message(b"p", bound.encode() + b"\0"))
    kind, body = login.receive()
    assert kind == b"E" and b"28P01" in body
    login.close()
    assert one(gateway, "acme.made", bound) == one(gateway, "acme.once", unused) == [(7,)]


def test_a_replayed_token_may_contain_its_agent(gateway, signer):
    """Where the policy says so. A token that somebody else's provider signed, or for somebody else, contains nobody."""
    gateway.reload(POLICY.replace("    budget:", "    alarms: {token_replayed: contain-agent}\n    budget:", 1))
    assert "authentication failed" in refused(gateway, "acme.once", Signer().token(sub="one"))
    assert "authentication failed" in refused(gateway, "acme.once", signer.token(sub="someone"))
    token, other = signer.token(sub="one"), signer.token(sub="one")
    with gateway.connect("acme.once", password=token) as session, gateway.connect("acme.made", password=signer.token()) as kept:
        session.execute("SELECT 1")
        assert "authentication failed" in refused(gateway, "acme.once", token)
        with pytest.raises(psycopg.OperationalError, match="contained"):
            session.execute("SELECT 1")
        assert kept.execute("SELECT 1").fetchone() == (1,)
    assert "contained" in refused(gateway, "acme.once", other)
    gateway.cli("partner", "restore", "acme/once", "--reason", "the driver opened two connections")
    assert one(gateway, "acme.once", signer.token(sub="one")) == [(7,)]
    [told] = [row for row in gateway.admin("SHOW ALARMS") if row["rule"] == "token-replayed" and row["agent"] == "once" and row["contained"]]
    assert told["contained"] == "agent" and "one session that it may" in told["text"]
    gateway.reload(POLICY)


def test_names_that_nobody_has_are_asked_in_both_ways(gateway, signer):
    """Agents that show tokens stand beside one with a password: a stranger is asked for the one or the other, and
    what the token says does not matter."""
    asked = {}
    for number in range(40):
        login = RawLogin(gateway, f"acme.stranger{number}")
        asked[number] = struct.unpack("!i", login.receive()[1][:4])[0]
        login.close()
    assert set(asked.values()) == {3, 10}
    number = next(number for number, value in asked.items() if value == 3)
    good = refused(gateway, f"acme.stranger{number}", signer.token())
    bad = refused(gateway, f"acme.stranger{number}", "nonsense")
    assert good == bad and "authentication failed" in good


def neighbours(gateway, signer):
    """Names that nobody has, by the agent in whose way each is asked for a token: the log tells which."""
    found = {}
    for number in range(200):
        name = f"acme.nobody{number}"
        login = RawLogin(gateway, name)
        asked = login.receive()[1][:4] == struct.pack("!i", 3)
        login.close()
        for sub, agent in (("someone", "acme.made"), ("one", "acme.once")) if asked else ():
            refused(gateway, name, signer.token(sub=sub))
            if "there is no such agent" in reasons(gateway)[-1]:
                found.setdefault(agent, name)
        if len(found) == 2:
            return found
    raise AssertionError(found)


def test_no_name_takes_longer_by_token(gateway, signer):
    """As test_guessing.py measures passwords: whatever token is shown, an agent's name and one that nobody has, asked
    in the same way, take as long until they are asked, and until they are refused."""
    strangers, rounds, allowed_us = neighbours(gateway, signer), 40, 40
    good = signer.token()  # acme.made's
    ways = [(agent, strangers[agent], token) for agent, token in (
        ("acme.made", "nonsense"), ("acme.made", signer.token(sub="x")), ("acme.once", good))]
    ways.append((strangers["acme.once"], strangers["acme.made"], good))  # of whom it would be good, if he were somebody
    found = {}
    for number, (left, right, token) in enumerate(ways):
        spans = {left: ([], []), right: ([], [])}
        for turn in range(rounds):
            for name in sorted(spans, reverse=turn % 2):
                login = RawLogin(gateway, name, settle=0.002)
                assert login.receive()[0] == b"R"
                spans[name][0].append(time.perf_counter_ns() - login.began_ns)
                began = time.perf_counter_ns()
                login.send(login.message(b"p", token.encode() + b"\0"))
                assert login.receive()[0] == b"E"
                spans[name][1].append(time.perf_counter_ns() - began)
                login.close()
        for step, what in enumerate(("offer", "verdict")):
            differences = [(a - b) / 1000 for a, b in zip(spans[left][step], spans[right][step])]
            found[number, what] = tuple(round(value, 1) for value in timing.middle(differences))
    print(found)
    telling = {key: value for key, value in found.items() if value[1] > allowed_us or value[2] < -allowed_us}
    assert not telling, f"median and bounds of the difference in us: {telling}"


def test_staff_ask_what_a_token_would_be(gateway, signer, provider):
    """cofferdam oidc check: by the same judge and rules as a login, without one."""
    path = gateway.folder / "token.jwt"
    path.write_text(provider.job_token() + "\n")
    found = {(row["provider"], row["agent"]): row for row in gateway.cli_json("oidc", "check", str(path))}
    assert found["real", "acme.sync"]["good"] and len(found["real", "acme.sync"]["credential"]) == 32
    assert not found["real", "acme.ann"]["good"] and "sub" in found["real", "acme.ann"]["why"]
    assert "not RS256" not in found["made", None]["why"] and not found["made", None]["good"]
    path.write_text(signer.token(exp=int(time.time()) - 10))
    code, output, errors = gateway.cli("oidc", "check", str(path), check=False)
    assert code == 1 and "expired" in output and "no agent's here" in errors


def judges(gateway):
    """(pid, status) of the gateway's cofferdam-token."""
    children = subprocess.run(["pgrep", "-P", str(gateway.process.pid), "cofferdam-token"], capture_output=True, text=True)
    return [(int(pid), open(f"/proc/{pid}/status").read()) for pid in children.stdout.split()]


def weak_keys():
    """(what, key, how anybody signs for it)."""
    strong = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key().public_numbers()
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    number = lambda value, size: encode(value.to_bytes(size, "big"))
    digest_info = bytes.fromhex("3031300d060960864801650304020105000420")

    def padded(message):
        info = digest_info + hashlib.sha256(message).digest()
        return b"\0\1" + b"\xff" * (253 - len(info)) + b"\0" + info

    def by_short(message):
        return short.sign(message, padding.PKCS1v15(), hashes.SHA256())

    modulus = short.public_key().public_numbers().n
    yield "1 as exponent", "RS256", {"kty": "RSA", "n": number(strong.n, 256), "e": "AQ"}, padded
    yield "1024 bits behind zeros", "RS256", {"kty": "RSA", "n": number(modulus, 256), "e": "AQAB"}, by_short
    yield "1024 bits, and more zeros", "RS256", {"kty": "RSA", "n": number(modulus, 300), "e": "AQAB"}, by_short
    neutral = b"\1" + bytes(31)
    yield "small order", "EdDSA", {"kty": "OKP", "crv": "Ed25519", "x": encode(neutral)}, lambda message: neutral + bytes(32)


def test_keys_that_anybody_can_sign_for_are_none(gateway, signer):
    """However they came into the provider's set; the library takes them."""
    path, keys = gateway.folder / "token", gateway.folder / "jwks.json"
    for what, algorithm, key, sign in weak_keys():
        keys.write_text(json.dumps({"keys": [{"kid": "weak", **key}, signer.key_set()["keys"][1]]}))
        signed = encode(json.dumps({"alg": algorithm, "kid": "weak"}).encode()) + "." + encode(json.dumps(signer.claims()).encode())
        for token, good in ((signed + "." + encode(sign(signed.encode())), False), (signer.token(), True)):
            path.write_text(token)
            code, output, errors = gateway.cli("oidc", "check", str(path), "--json", check=False)
            rows = [row for row in json.loads(output) if row["provider"] == "made"]
            assert any(row["good"] for row in rows) is good, (what, output, errors)
            assert good or all("not one for its algorithm" in row["why"] for row in rows), what
    keys.write_text(json.dumps(signer.key_set()))


def test_the_judge_can_do_nothing_else(gateway, signer):
    """It has no network, no programs and no new rights; if it dies, the next login starts another."""
    assert one(gateway, "acme.made", signer.token()) == [(7,)]
    [(pid, status)] = judges(gateway)
    assert "Seccomp:\t2\n" in status and "NoNewPrivs:\t1\n" in status
    assert {os.readlink(f"/proc/{pid}/fd/{fd}").split(":")[0] for fd in "01"} == {"socket"}
    assert sorted(os.listdir(f"/proc/{pid}/fd")) == ["0", "1", "2"]  # 2 is the log
    with open(f"/proc/{pid}/environ") as environment:
        assert not {"PATH", "HOME", "PGPASSWORD"} & {line.split("=")[0] for line in environment.read().split("\0")}
    os.kill(pid, 9)
    assert one(gateway, "acme.made", signer.token()) == [(7,)]
    [(other, _)] = judges(gateway)
    assert other != pid
    libraries = open(f"/proc/{gateway.process.pid}/maps").read()
    assert "libcrypto" in libraries and "rhonabwy" not in libraries and "libcurl" not in libraries


def test_who_speaks_http_can_do_nothing_else():
    """Before the first byte from outside; what is left to it: tests/unit/base/test_confine.c."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        request = f"GET http://127.0.0.1:{server.getsockname()[1]}/keys\ntimeout 9000\n\n"
        asking = subprocess.Popen([places.binary().with_name("cofferdam-http")], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)
        asking.stdin.write(request)
        asking.stdin.close()
        connection, _ = server.accept()
        with connection, open(f"/proc/{asking.pid}/status") as status:
            text = status.read()
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        assert asking.stdout.read().startswith("200\n") and asking.wait(timeout=10) == 0
    assert "Seccomp:\t2\n" in text and "NoNewPrivs:\t1\n" in text
