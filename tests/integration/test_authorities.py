"""A partner's own authority proves that partner's agents and nobody else's, and only while its CRL is fresh."""
import datetime
import threading
import time

import psycopg
import pytest
import yaml
from cryptography import x509

from harness import pki, shop

LONG = "SELECT p.full_name FROM person p, purchase a, purchase b, purchase c"


def files(pair):
    return {"sslcert": pair[0], "sslkey": pair[1]}


def works(gateway, agent, pair):
    with gateway.connect(agent, **files(pair)) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


def turned_away(gateway, agent, pair):
    with pytest.raises(psycopg.OperationalError) as caught:
        gateway.connect(agent, **files(pair)).close()
    return str(caught.value)


def until(condition, seconds=8):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


class World:
    """A gateway with authorities of two partners beside the test's, one of them in its second year."""

    def __init__(self, make_gateway, folder):
        self.acme, self.acme_next = (pki.Authority(folder / name, name="acme CA") for name in ("acme", "acme2"))
        self.rival = pki.Authority(folder / "rival", name="rival CA")
        policy = yaml.safe_load(shop.POLICY)
        policy["partners"]["acme"]["agents"].append(
            {"name": "own", "identity": {"certificate": {"uri": "spiffe://acme/own", "issuer": "acme-ca"}}})
        policy["partners"]["rival"]["agents"].append(
            {"name": "own", "identity": {"certificate": {"common_name": "rival.own", "issuer": "rival-ca"}}})
        self.gateway = make_gateway(policy_yaml=yaml.safe_dump(policy), start=False)
        home = self.gateway.folder
        self.crls = home / "crls"
        self.crls.mkdir()
        self.crls.chmod(0o755)
        (home / "acme.pem").write_text(self.acme.certificate.read_text() + self.acme_next.certificate.read_text())
        (home / "rival.pem").write_text(self.rival.certificate.read_text())
        self.acme.crl(self.crls / "acme.crl")
        self.rival.crl(self.crls / "rival.crl")
        self.gateway.settings["listen"].update(
            authorities={"acme-ca": {"certificates": "acme.pem", "partners": ["acme"]},
                         "rival-ca": {"certificates": "rival.pem", "partners": ["rival"]}},
            crls=["crls"])
        self.gateway.write_config()
        self.gateway.grant()
        self.gateway.start()

    @staticmethod
    def leaf(authority, identity="spiffe://acme/own", tag=""):
        return authority.leaf("agent", f"URI:{identity}", "clientAuth", tag=tag)


@pytest.fixture(scope="module")
def world(make_module_gateway, tmp_path_factory):
    return World(make_module_gateway, tmp_path_factory.mktemp("authorities"))


def test_each_authority_speaks_for_its_partner_alone(world, authority):
    gateway = world.gateway
    assert works(gateway, "acme.own", world.leaf(world.acme))
    assert works(gateway, "rival.own", world.rival.client("rival.own"))
    assert works(gateway, "acme.cert", authority.client("spiffe://acme/cert"))
    told = [turned_away(gateway, "acme.own", world.leaf(world.rival)),         # the other partner's authority
            turned_away(gateway, "acme.own", world.leaf(authority)),           # ours, but the policy names theirs
            turned_away(gateway, "acme.cert", world.leaf(world.rival, "spiffe://acme/cert"))]
    assert all("28P01" in text or "authentication failed" in text or "no password" in text for text in told), told
    # An agent that names no issuer takes its partner's bound authority too.
    assert works(gateway, "acme.cert", world.leaf(world.acme, "spiffe://acme/cert"))


def test_a_second_authority_of_the_same_name_takes_over(world):
    assert works(world.gateway, "acme.own", world.leaf(world.acme))
    assert works(world.gateway, "acme.own", world.leaf(world.acme_next))


def test_an_intermediate_of_the_partners_authority(world, authority, tmp_path):
    """An authority that one partner's authority has made may not speak for another either."""
    lower = pki.Authority.__new__(pki.Authority)
    lower.folder, lower.leaves = tmp_path, {}
    lower.certificate, lower.key = tmp_path / "lower.crt", tmp_path / "lower.key"
    request = pki.openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                          "/CN=lower", "-keyout", lower.key)
    (tmp_path / "ext").write_text("basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign,cRLSign\n")
    pki.openssl("x509", "-req", "-CA", world.rival.certificate, "-CAkey", world.rival.key, "-CAcreateserial", "-days", 5,
                "-extfile", tmp_path / "ext", "-out", lower.certificate, text=request)
    for identity, agent, good in (("rival.own", "rival.own", True), ("spiffe://acme/cert", "acme.cert", False)):
        certificate, key = lower.client(identity)
        chain = certificate.with_suffix(".chain")
        chain.write_text(certificate.read_text() + lower.certificate.read_text())
        if good:
            assert works(world.gateway, agent, (chain, key))
            # The session would have ended with the first certificate of the chain, which is not the agent's.
            end = x509.load_pem_x509_certificate(lower.certificate.read_bytes()).not_valid_after
            opened = [entry["text"] for entry in world.gateway.ledger() if entry["text"].startswith("session-opened")][-1]
            assert f"\nexpires={end:%Y-%m-%dT%H:%M:%SZ}\n" in opened
        else:
            turned_away(world.gateway, agent, (chain, key))


def cross_signed(folder, general, lower, subject):
    """(chain, key) of a leaf for acme.cert from `lower`, whose key the general authority has certified as `subject`.
    The leaf names that very certificate as its issuer's, so that no other one of the key fits."""
    folder.mkdir()
    request = pki.openssl("req", "-new", "-key", lower.key, "-subj", f"/CN={subject}")
    (folder / "ext").write_text("basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign,cRLSign\n")
    pki.openssl("x509", "-req", "-CA", general.certificate, "-CAkey", general.key, "-CAcreateserial", "-days", 5,
                "-extfile", folder / "ext", "-out", folder / "cross.crt", text=request)
    request = pki.openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                          "/CN=agent", "-keyout", folder / "leaf.key")
    (folder / "ext").write_text("authorityKeyIdentifier=issuer:always\nsubjectAltName=URI:spiffe://acme/cert\n")
    pki.openssl("x509", "-req", "-CA", folder / "cross.crt", "-CAkey", lower.key, "-CAcreateserial", "-days", 5,
                "-extfile", folder / "ext", "-out", folder / "leaf.crt", text=request)
    (folder / "chain.crt").write_text((folder / "leaf.crt").read_text() + (folder / "cross.crt").read_text())
    (folder / "leaf.key").chmod(0o600)
    return folder / "chain.crt", folder / "leaf.key"


def test_a_certificate_from_the_general_authority_does_not_free_a_bound_one(world, authority, tmp_path):
    """Rival's authority has its key, or its name, certified by the authority that is bound to nobody."""
    gateway = world.gateway
    turned_away(gateway, "acme.cert", cross_signed(tmp_path / "a", authority, world.rival, "rival CA"))
    turned_away(gateway, "acme.cert", cross_signed(tmp_path / "b", authority, world.rival, "another name"))
    renewed = pki.Authority(tmp_path / "renewed", name="rival CA")  # a key of which nobody here has heard
    turned_away(gateway, "acme.cert", cross_signed(tmp_path / "c", authority, renewed, "rival CA"))
    # It is the binding that refuses them: what acme's own has had certified is acme's.
    assert works(gateway, "acme.cert", cross_signed(tmp_path / "d", authority, world.acme, "another name"))


# ---- CRLs ----

def test_a_fresh_crl_ends_live_sessions_mid_statement(world):
    gateway, gone, kept = world.gateway, world.leaf(world.acme, tag="gone"), world.leaf(world.acme, tag="kept")
    idle, other, busy = (gateway.connect("acme.own", **files(pair)) for pair in (gone, kept, gone))
    seen = {"rows": 0, "error": None}

    def read():
        try:
            for _ in busy.cursor().stream(LONG):
                seen["rows"] += 1
        except psycopg.Error as error:
            seen["error"] = error

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    until(lambda: seen["rows"] > 0)
    world.acme.crl(world.crls / "acme.crl", [gone[0]], number=2)
    thread.join(30)
    assert seen["error"] is not None
    with pytest.raises(psycopg.Error, match="certificate has been revoked"):
        until(lambda: idle.execute("SELECT 1") is None)
    assert "revoked" in turned_away(gateway, "acme.own", gone)
    until(lambda: any("revoked-credential" in entry["text"] for entry in gateway.ledger() if entry["agent"] == "own"))
    assert other.execute("SELECT 1").fetchone() == (1,)
    other.close()
    # Neither an older list nor its absence makes it good again.
    world.acme.crl(world.crls / "acme.crl", number=1)
    gateway.reload()
    assert "revoked" in turned_away(gateway, "acme.own", gone)
    (world.crls / "acme.crl").unlink()
    gateway.reload()
    assert "revoked" in turned_away(gateway, "acme.own", gone)
    assert works(gateway, "acme.own", kept)


def test_what_is_no_good_crl_changes_nothing(world):
    gateway, pair = world.gateway, world.leaf(world.acme, tag="steady")
    bad = world.crls / "bad.crl"
    scope = x509.IssuingDistributionPoint(None, None, True, False, None, False, False)
    other = pki.Authority(world.crls.parent / "stranger", name="acme CA")
    ways = {
        "delta": lambda: world.acme.crl(bad, [pair[0]], 9, extend=lambda b: b.add_extension(x509.DeltaCRLIndicator(2), True)),
        "distribution point": lambda: world.acme.crl(bad, [pair[0]], 9, extend=lambda b: b.add_extension(scope, True)),
        "has signed it": lambda: other.crl(bad, [pair[0]], 9),
        "no CRL": lambda: bad.write_text("nonsense"),
        "none of the authorities": lambda: pki.Authority(world.crls.parent / "x", name="nobody").crl(bad),
    }
    for said, write in ways.items():
        write()
        bad.chmod(0o644)
        gateway.reload()
        assert said in [line for line in gateway.log_text().splitlines() if "crl_refused" in line][-1]
        assert works(gateway, "acme.own", pair)
    bad.unlink()
    gateway.reload()


def test_a_crl_past_its_end_refuses_and_ends(world):
    """What nobody renews ends by itself: fail closed, and told in the log."""
    gateway, pair = world.gateway, world.rival.client("rival.own")
    idle = gateway.connect("rival.own", **files(pair))
    world.rival.crl(world.crls / "rival.crl", number=5, days=2.0 / 86400, made=datetime.datetime.utcnow())
    with pytest.raises(psycopg.Error, match="out of date"):
        until(lambda: idle.execute("SELECT 1") is None)
    assert "out of date" in turned_away(gateway, "rival.own", pair)
    until(lambda: "event=crl_ended" in gateway.log_text())
    world.rival.crl(world.crls / "rival.crl", number=6)
    gateway.reload()
    assert works(gateway, "rival.own", pair)


# ---- signatures of partners ----

def attests(world, pair):
    """What `attest` says to a letter that was signed with this certificate: (exit status, its errors)."""
    folder = world.gateway.folder
    letter, signature = folder / "letter.txt", folder / "letter.p7s"
    letter.write_text("We have deleted everything.\n")
    pki.openssl("cms", "-sign", "-binary", "-outform", "DER", "-signer", pair[0], "-inkey", pair[1], "-in", letter,
                "-out", signature, *(["-certfile", pair[0].with_name("cross.crt")] if pair[0].name == "chain.crt" else []))
    signature.chmod(0o644)
    code, _, errors = world.gateway.cli("attest", "--partner", "acme", "--before", "2020-06-01", "--request", "D-1",
                                        "--method", "wiped", "-d", str(letter), "-s", str(signature), check=False)
    return code, errors


def test_who_may_not_come_in_signs_nothing(world, authority, tmp_path):
    """A signature takes the same authorities, lists and revocations as a login."""
    gateway = world.gateway
    code, errors = attests(world, world.leaf(world.acme))  # from an authority that is not in client_ca
    assert code == 0, errors
    for pair in (world.leaf(world.rival), world.leaf(world.rival, "spiffe://acme/cert"), world.leaf(authority),
                 cross_signed(tmp_path / "a", authority, world.rival, "rival CA")):
        code, errors = attests(world, pair)
        assert code == 1 and "no agent of this partner" in errors, errors
    listed, ended = world.leaf(world.acme, tag="listed"), world.leaf(world.acme, tag="ended by us")
    world.acme.crl(world.crls / "acme.crl", [listed[0]], number=20)
    gateway.reload()
    shown = gateway.folder / "ended.crt"  # where the gateway's user may read it
    shown.write_text(ended[0].read_text())
    gateway.cli("cert", "revoke", shown, "--reason", "x")
    for pair in (listed, ended):
        code, errors = attests(world, pair)
        assert code == 1 and "has been revoked" in errors, errors


# ---- last, for they restart the gateway ----

def crl_of(gateway, issuer):
    [row] = [row for row in gateway.cli_json("cert", "crls") if row["issuer"] == f"/CN={issuer}"]
    return row["number"], row["state"], row["authority"]


def test_no_older_list_counts_after_a_restart(world):
    """Whoever can put an old list into the folder, or take the new one away, must not make a revoked certificate good;
    staff can have an authority's numbers begin again, and the ledger says who did."""
    gateway, gone, kept = world.gateway, world.leaf(world.acme, tag="rolled back"), world.leaf(world.acme, tag="other")
    path = world.crls / "acme.crl"
    world.acme.crl(path, [gone[0]], number=30)
    gateway.reload()
    assert "revoked" in turned_away(gateway, "acme.own", gone)
    for put_back in (lambda: world.acme.crl(path, number=29), path.unlink):
        put_back()
        gateway.kill9()
        gateway.start()
        for pair in gone, kept:
            assert "no revocation list" in turned_away(gateway, "acme.own", pair)
        assert crl_of(gateway, "acme CA")[:2] == ("0x1e", "missing")
    assert "event=crl_older" in gateway.log_text() and "event=crl_missing" in gateway.log_text()
    assert works(gateway, "rival.own", world.rival.client("rival.own"))
    world.acme.crl(path, [gone[0]], number=30)
    gateway.reload()
    assert "revoked" in turned_away(gateway, "acme.own", gone) and works(gateway, "acme.own", kept)
    # The authority is restored from a backup: its numbers begin again at 2.
    name = crl_of(gateway, "acme CA")[2]
    world.acme.crl(path, number=2)
    (world.crls / "broken.crl").write_text("nonsense")
    (world.crls / "broken.crl").chmod(0o644)
    code, _, told = gateway.cli("cert", "reset-crl", name, "--reason", "restored", check=False)
    assert code == 1 and "broken.crl" in told and crl_of(gateway, "acme CA")[:2] == ("0x1e", "in force")
    (world.crls / "broken.crl").unlink()
    code, _, told = gateway.cli("cert", "reset-crl", "0" * 64, "--reason", "restored", check=False)
    assert code == 1 and "no revocation list of this authority has been seen" in told
    assert "revoked" in turned_away(gateway, "acme.own", gone)
    [row] = gateway.cli_json("cert", "reset-crl", name, "--reason", "restored from its backup")
    assert (row["number"], row["state"]) == ("0x2", "in force")
    for _ in range(2):
        assert works(gateway, "acme.own", gone) and works(gateway, "acme.own", kept)
        gateway.restart()
    acts = [entry["text"] for entry in gateway.ledger() if entry["text"].startswith(f"crl-reset\nauthority={name}\n")]
    assert "\nnumber=0x1e\n" in acts[-1] and "\nreason=restored from its backup\n" in acts[-1]


def test_grace_and_required(world, authority):
    """Past its end a list may count for crl_grace_s more; and a CA without any list may be refused."""
    gateway, pair = world.gateway, world.rival.client("rival.own")
    old = datetime.datetime.utcnow() - datetime.timedelta(minutes=5)
    world.rival.crl(world.crls / "rival.crl", number=7, days=2.0 / 1440, made=old)  # ended three minutes ago
    gateway.settings["listen"].update(crl_grace_s=600, crl_required=True)
    gateway.write_config()
    gateway.restart()
    assert works(gateway, "rival.own", pair)
    assert "no revocation list" in turned_away(gateway, "acme.cert", authority.client("spiffe://acme/cert"))
    # A list that is gone over a restart lets nobody in, whom it named least of all.
    (world.crls / "rival.crl").unlink()
    gateway.restart()
    assert "no revocation list" in turned_away(gateway, "rival.own", pair)
