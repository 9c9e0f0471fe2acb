"""A certificate works while it is good, and not a statement longer: revoked alone, at once, for good."""
import base64
import json
import subprocess
import threading
import time

import psycopg
import pytest

from harness import pki, places, shop

LONG = "SELECT p.full_name FROM person p, purchase a, purchase b, purchase c"


def leaf(authority, tag, identity="spiffe://acme/cert"):
    return authority.leaf("agent", f"URI:{identity}", "clientAuth", tag=tag)


def files(pair):
    return {"sslcert": pair[0], "sslkey": pair[1]}


def turned_away(gateway, agent, **changes):
    with pytest.raises(psycopg.OperationalError) as caught:
        gateway.connect(agent, **changes).close()
    return str(caught.value)


def ended(connection):
    """The message with which an idle session was ended."""
    with pytest.raises(psycopg.Error) as caught:
        connection.execute("SELECT 1")
    return str(caught.value)


def alarms_of(gateway, rule, about):
    """The ledger's acts of the alarms of this rule about that, once there is one."""
    deadline = time.monotonic() + 5
    while True:
        found = [entry["text"] + f"\npartner={entry['partner']}" for entry in gateway.ledger()
                 if entry["text"].startswith("alarm") and rule in entry["text"] and about in entry["text"]]
        if found or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


# ---- renewal ----

def test_without_an_issuer_nothing_is_renewed(shop_gateway):
    """The policy alone renews nothing; `check` says so before an agent finds out."""
    shop_gateway.reload(shop.POLICY.replace('{certificate: "spiffe://acme/cert"}',
                                            '{certificate: {uri: "spiffe://acme/cert", renewal: 30d}}', 1))
    try:
        with shop_gateway.connect("acme.cert") as session:
            for parameters in None, ("x", "y"):
                call = "CALL cofferdam.renew_certificate(%s, %s)" if parameters else \
                    "CALL cofferdam.renew_certificate('x', 'y')"
                with pytest.raises(psycopg.errors.FeatureNotSupported, match="there is no issuer"):
                    session.execute(call, parameters)
            assert session.execute("SELECT 1").fetchone() == (1,)
        assert "agent may renew its certificate, but issuer.socket is not set" in shop_gateway.cli("check")
    finally:
        shop_gateway.reload(shop.POLICY)


# ---- revocation ----

def test_a_revoked_certificate_ends_its_sessions_and_no_others(shop_gateway, authority):
    stolen, other = leaf(authority, "stolen"), leaf(authority, "other")
    idle, kept = (shop_gateway.connect("acme.cert", **files(pair)) for pair in (stolen, other))
    job = shop_gateway.connect("acme.job")
    answer = shop_gateway.cli_json("cert", "revoke", stolen[0], "--reason", "laptop lost")[0]
    assert (answer["sessions"], answer["stored"]) == (1, "yes") and float(answer["cut_ms"]) < 250
    assert "certificate has been revoked" in ended(idle)
    assert kept.execute("SELECT 1").fetchone() == job.execute("SELECT 1").fetchone() == (1,)
    told = turned_away(shop_gateway, "acme.cert", **files(stolen))
    assert "revoked" in told and "laptop" not in told
    with shop_gateway.connect("acme.cert", **files(other)) as fresh:
        assert fresh.execute("SELECT 1").fetchone() == (1,)
    kept.close(), job.close()
    [row] = [row for row in shop_gateway.cli_json("cert", "revoked") if row["id"] == answer["credential_id"]]
    assert row["reason"] == "laptop lost"
    acts = [entry for entry in shop_gateway.ledger() if "revoke-credential" in str(entry)]
    assert answer["credential_id"] in str(acts[-1]) and "laptop lost" in str(acts[-1])


def test_a_running_statement_dies_with_its_certificate(shop_gateway, authority):
    """What left before is in the ledger: the cut is an end like any other."""
    pair = leaf(authority, "running")
    connection = shop_gateway.connect("acme.cert", **files(pair))
    seen = {"rows": 0, "error": None}

    def read():
        try:
            for _ in connection.cursor().stream(LONG):
                seen["rows"] += 1
        except psycopg.Error as error:
            seen["error"] = error

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while seen["rows"] == 0 and time.monotonic() < deadline:
        time.sleep(0.01)
    shop_gateway.cli("cert", "revoke", pair[0], "--reason", "stolen")
    thread.join(30)
    assert seen["error"] is not None and seen["rows"] > 0


def test_a_serial_names_it_too(shop_gateway, authority):
    pair = leaf(authority, "by serial")
    with shop_gateway.connect("acme.cert", **files(pair)):
        pass
    serial = pki.openssl("x509", "-in", pair[0], "-noout", "-serial").strip().split("=")[1]
    slip = serial[:-1] + ("0" if serial[-1] != "0" else "1")
    _, _, errors = shop_gateway.cli("cert", "revoke", slip, "--reason", "a slip", check=False)
    assert "no session has this serial" in errors and slip.lower().lstrip("0") in errors
    shop_gateway.cli("cert", "revoke", serial, "--reason", "as the CA calls it")
    out = shop_gateway.cli("cert", "revoke", serial, "--reason", "once more")
    assert "had been revoked before: 0 sessions" in out
    _, _, errors = shop_gateway.cli("cert", "revoke", "1:2E:4", "--reason", "looks like a number", check=False)
    assert "12e4" in [row["id"] for row in shop_gateway.cli_json("cert", "revoked")]
    code, _, errors = shop_gateway.cli("cert", "revoke", "no-such-file", "--reason", "a slip", check=False)
    assert code == 1 and "hint: give a serial number" in errors
    for _ in range(2):
        assert "revoked" in turned_away(shop_gateway, "acme.cert", **files(pair))
    # Whoever tries it may be the thief. Staff hear of it once, however often it is tried.
    alarms = alarms_of(shop_gateway, "revoked-credential", serial.lower().lstrip("0"))
    assert len(alarms) == 1 and "partner=acme" in alarms[0] and "127.0.0.1" in alarms[0]


def test_who_tries_a_revoked_certificate_may_have_its_agent_contained(shop_gateway, authority):
    """Where the policy says so: its good sessions end, too. Its name alone, or the certificate of another, does nothing."""
    stolen, good, rivals = leaf(authority, "stolen too"), leaf(authority, "good"), leaf(authority, "rivals", "spiffe://rival/cert")
    shop_gateway.reload(shop.POLICY.replace("    budget:", "    alarms: {revoked_credential: contain-agent}\n    budget:", 1))
    for pair in (stolen, rivals):
        shop_gateway.cli("cert", "revoke", pair[0], "--reason", "laptop lost")
    kept, job = shop_gateway.connect("acme.cert", **files(good)), shop_gateway.connect("acme.job")
    assert "authentication failed" in turned_away(shop_gateway, "acme.cert", password="x", **files(rivals))
    assert kept.execute("SELECT 1").fetchone() == (1,)
    assert "revoked" in turned_away(shop_gateway, "acme.cert", **files(stolen))
    assert "contained" in ended(kept) and "contained" in turned_away(shop_gateway, "acme.cert", **files(good))
    assert job.execute("SELECT 1").fetchone() == (1,)
    job.close()
    [row] = [row for row in shop_gateway.admin("SHOW ALARMS") if row["rule"] == "revoked-credential" and row["contained"]]
    assert (row["partner"], row["agent"], row["contained"]) == ("acme", "cert", "agent")
    shop_gateway.cli("partner", "restore", "acme/cert", "--reason", "the thief is out")
    with shop_gateway.connect("acme.cert", **files(good)) as fresh:
        assert fresh.execute("SELECT 1").fetchone() == (1,)
    shop_gateway.reload(shop.POLICY)


def test_it_stays_revoked_over_a_restart(make_gateway, authority):
    gateway, pair = make_gateway(), leaf(authority, "restart")
    gateway.cli("cert", "revoke", pair[0], "--reason", "before it was ever seen")
    gateway.restart()
    assert "revoked" in turned_away(gateway, "acme.cert", **files(pair))
    gateway.rows("acme.job", "SELECT 1")
    code, _, errors = gateway.cli("cert", "revoke", "no-such-file", "--reason", "x", check=False)
    assert code == 1 and "no-such-file" in errors


# ---- our own authority ----

@pytest.fixture(scope="module")
def own(make_module_gateway, tmp_path_factory):
    """A gateway that trusts the test's authority and a sealed one of Cofferdam's own: (gateway, run, folder).

    run(*arguments) is a verb of somebody who has the CA's folder, beside the running gateway."""
    gateway, folder = make_module_gateway(), tmp_path_factory.mktemp("own")
    (folder / "pass").write_text("correct horse battery\n")
    (folder / "pass").chmod(0o600)

    def run(*arguments, sealed=True):
        seal = ["--passphrase-file", folder / "pass"] if sealed else []
        done = subprocess.run([places.binary(), "cert", *map(str, arguments), *map(str, seal)], capture_output=True,
                              text=True, stdin=subprocess.DEVNULL, timeout=60)
        return done.returncode, done.stdout + done.stderr

    assert run("ca", "--out", folder / "ca", "--key-type", "ed25519")[0] == 0
    both = gateway.folder / "ca.crt"
    both.write_text(both.read_text() + (folder / "ca/ca.crt").read_text())
    gateway.restart()
    return gateway, run, folder


def issue(own, name, *arguments, agent="acme/cert"):
    gateway, run, folder = own
    code, said = run("issue", "--ca", folder / "ca", "--agent", agent, "--out", folder / name, "-c", gateway.config,
                     *arguments)
    return code, said, (folder / name / "client.crt", folder / name / "client.key")


def listed(own, *arguments):
    _, run, folder = own
    return json.loads(run("list", "--ca", folder / "ca", "--json", *arguments, sealed=False)[1])


def test_issued_certificates_of_both_kinds_let_the_agent_in(own):
    gateway, run, folder = own
    for kind in ("p256", "ed25519"):
        code, said, pair = issue(own, kind, "--ttl", "10m", "--key-type", kind)
        assert code == 0, said
        done = gateway.psql("acme.cert", "SELECT 1", **files(pair))
        assert done.stdout == "1\n", done.stderr
    issued = listed(own, "--admin", folder / "none")[-1]
    assert (issued["who"], issued["state"]) == ("acme.cert", "unknown"), "no gateway was asked"
    assert listed(own, "-c", gateway.config)[-1]["state"] == "valid"
    acts = [entry for entry in gateway.ledger() if "certificate-issued" in str(entry)]
    assert issued["serial"] in str(acts[-1]) and "acme" in str(acts[-1])
    told = issue(own, "told", "--ttl", "10m", "--json")[1]
    made = json.loads(told[told.index("{"):told.rindex("}") + 1])
    assert made["agent"] == "acme.cert" and made["serial"] == listed(own, "--admin", folder / "none")[-1]["serial"]


def test_a_request_keeps_the_key_at_home(own, authority):
    """With psql: the agent's own key, our certificate; and both old and new one work at once."""
    gateway, run, folder = own
    key, csr = folder / "home.key", folder / "home.csr"
    pki.openssl("req", "-new", "-newkey", "ed25519", "-nodes", "-subj", "/CN=root", "-keyout", key, "-out", csr,
                "-addext", "basicConstraints=critical,CA:true")
    code, said, (certificate, made) = issue(own, "home", "--csr", csr, "--ttl", "1h")
    assert code == 0 and not made.exists(), said
    key.chmod(0o600)
    for pair in ((certificate, key), authority.client("spiffe://acme/cert")):
        with gateway.connect("acme.cert", **files(pair)) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    text = csr.read_text().replace("\n", "")
    forged = folder / "forged.csr"
    body = text[len("-----BEGIN CERTIFICATE REQUEST-----"):-len("-----END CERTIFICATE REQUEST-----")]
    raw = bytearray(base64.b64decode(body))
    raw[-1] ^= 1
    forged.write_bytes(bytes(raw))
    code, said, _ = issue(own, "forged", "--csr", forged)
    assert code == 1 and "not signed with its own key" in said


def test_lifetimes_and_passphrases_are_judged(own):
    gateway, run, folder = own
    for ttl in ("4m", "398d", "24", "h", "-5m", "1e9d"):
        code, said, _ = issue(own, "ttl", "--ttl", ttl)
        assert code == 2 and "5m to 397d" in said, (ttl, said)
    code, said = run("issue", "--ca", folder / "ca", "--agent", "acme/cert", "--out", folder / "x", "-c", gateway.config,
                     sealed=False)
    assert code == 1 and "sealed" in said and "--passphrase-file" in said
    code, said = run("ca", "--out", folder / "other", sealed=False)
    assert code == 1 and "--unsealed" in said and not (folder / "other").exists()


def test_a_crl_for_others(own):
    gateway, run, folder = own
    _, _, (certificate, _) = issue(own, "gone", "--ttl", "10m")
    code, said = run("revoke", certificate, "--reason", "x", "-c", gateway.config, sealed=False)
    assert code == 0 and "warning" not in said, said
    assert listed(own, "-c", gateway.config)[-1]["state"] == "revoked"
    serial = pki.openssl("x509", "-in", certificate, "-noout", "-serial").strip().split("=")[1]
    code, said = run("revoke", serial, "--ca", folder / "ca", "--reason", "again", "-c", gateway.config, sealed=False)
    assert code == 0 and "warning" not in said, said  # no session has it, but issued.csv names it
    code, said = run("crl", "--ca", folder / "ca", "--out", folder / "own.crl", "-c", gateway.config)
    assert code == 0, said
    text = pki.openssl("crl", "-in", folder / "own.crl", "-noout", "-text", "-CAfile", folder / "ca/ca.crt")
    serial = pki.openssl("x509", "-in", certificate, "-noout", "-serial").strip().split("=")[1]
    assert serial in text
    with pytest.raises(RuntimeError, match="revoked"):
        pki.openssl("verify", "-CAfile", folder / "ca/ca.crt", "-CRLfile", folder / "own.crl", "-crl_check", certificate)
