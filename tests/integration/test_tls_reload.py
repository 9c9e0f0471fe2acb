"""The listener's certificate is renewed under running sessions; one that does not hold changes nothing."""
import os
import hashlib
import shutil
import socket
import ssl
import struct
import time

import psycopg
import pytest

from harness import clock, pki, places, shop


@pytest.fixture(scope="module")
def leaves(authority):
    """(certificate, key) for localhost by kind of key; also one that has ended."""
    made = {}
    for kind, wish in (("rsa", ["rsa:2048"]), ("ed25519", ["ed25519"]),
                       ("p256", ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"])):
        stem = authority.folder / f"renewed-{kind}"
        certificate, key = stem.with_suffix(".crt"), stem.with_suffix(".key")
        request = pki.openssl("req", "-new", "-newkey", *wish, "-nodes", "-subj", f"/CN={kind}", "-keyout", key)
        extensions = stem.with_suffix(".ext")
        extensions.write_text("extendedKeyUsage=serverAuth\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n")
        pki.openssl("x509", "-req", "-CA", authority.certificate, "-CAkey", authority.key, "-CAcreateserial",
                    "-days", 20, "-extfile", extensions, "-out", certificate, text=request)
        made[kind] = (certificate, key)
    made["ended"] = authority.leaf("localhost", "DNS:localhost,IP:127.0.0.1", "serverAuth", days=0, tag="ended")
    return made


def install(gateway, certificate=None, key=None):
    """As a renewal does it: a new file under the old name."""
    for source, name in ((certificate, "server.crt"), (key, "server.key")):
        if source:
            fresh = gateway.folder / (name + ".new")
            shutil.copy(source, fresh)
            fresh.chmod(0o600)
            places.own(fresh, gateway.user)
            os.rename(fresh, gateway.folder / name)


def shown(gateway):
    """SHA-256 of the certificate that a client gets to see."""
    connection = socket.create_connection(("127.0.0.1", gateway.port), timeout=10)
    connection.sendall(struct.pack("!ii", 8, 80877103))
    assert connection.recv(1) == b"S"
    context = ssl.create_default_context(cafile=gateway.authority.certificate)
    with context.wrap_socket(connection, server_hostname="localhost") as secured:
        return hashlib.sha256(secured.getpeercert(True)).hexdigest()


def digest(certificate):
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate.read_text())).hexdigest()


def tls(gateway):
    return {row["property"]: row["value"] for row in gateway.admin("SHOW TLS")}


def until(condition, seconds=5):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_new_files_are_taken_and_sessions_go_on(shop_gateway, leaves):
    with shop_gateway.connect("acme.cert") as old:
        before = old.execute("SELECT count(*) FROM person").fetchone()
        for kind, key in (("rsa", "RSA 2048"), ("ed25519", "ED25519"), ("p256", "P-256")):
            install(shop_gateway, *leaves[kind])
            if kind == "rsa":
                until(lambda: shown(shop_gateway) == digest(leaves["rsa"][0]))
            else:
                shop_gateway.reload()
            assert shown(shop_gateway) == digest(leaves[kind][0]) == tls(shop_gateway)["sha256"]
            assert tls(shop_gateway)["key"] == key and tls(shop_gateway)["days left"] == "19"
            assert old.execute("SELECT count(*) FROM person").fetchone() == before
            assert shop_gateway.rows("acme.cert", "SELECT 1") == [(1,)]
            assert shop_gateway.rows("acme.job", "SELECT 1") == [(1,)]
    acts = [entry["text"] for entry in shop_gateway.ledger() if entry["type"] == "act"]
    for kind in ("rsa", "ed25519", "p256"):
        assert any(act.startswith(f"listener-certificate\nsha256={digest(leaves[kind][0])}\n") for act in acts), acts
    assert "reason" not in shop_gateway.cli("tls") and "P-256" in shop_gateway.cli("tls")


@pytest.mark.parametrize("broken", ["another key", "no certificate", "ended", "missing"])
def test_a_pair_that_does_not_hold_changes_nothing(shop_gateway, leaves, tmp_path, broken):
    install(shop_gateway, *leaves["p256"])
    shop_gateway.reload()
    before = shown(shop_gateway)
    if broken == "another key":
        install(shop_gateway, *leaves["p256"][:1], leaves["rsa"][1])
    elif broken == "no certificate":
        (tmp_path / "text").write_text("-----BEGIN CERTIFICATE-----\n")
        install(shop_gateway, tmp_path / "text")
    elif broken == "ended":
        install(shop_gateway, *leaves["ended"])
    else:
        (shop_gateway.folder / "server.key").unlink()
    said = {"another key": "does not fit", "no certificate": "cannot read a certificate", "ended": "ended on",
            "missing": "server.key"}[broken]
    with pytest.raises(psycopg.Error, match=said):
        shop_gateway.reload()
    assert said in tls(shop_gateway)["refused because"]
    assert shown(shop_gateway) == before == tls(shop_gateway)["sha256"]
    install(shop_gateway, *leaves["p256"])
    until(lambda: "refused because" not in tls(shop_gateway))
    assert shown(shop_gateway) == before


def test_policy_and_certificate_are_taken_together(shop_gateway, leaves):
    before = shown(shop_gateway)
    policy = (shop_gateway.folder / "policy.yaml").read_text()
    install(shop_gateway, *leaves["ended"])
    (shop_gateway.folder / "policy.yaml").write_text(policy.replace("acme", "acne"))
    with pytest.raises(psycopg.Error, match="ended on"):
        shop_gateway.reload()
    assert shown(shop_gateway) == before
    assert shop_gateway.rows("acme.cert", "SELECT 1") == [(1,)]
    install(shop_gateway, *leaves["p256"])
    shop_gateway.reload(policy)


def test_a_refusal_is_told_in_the_log_once(shop_gateway, leaves):
    install(shop_gateway, key=leaves["rsa"][1])
    until(lambda: "certificate_refused" in shop_gateway.log_text())
    time.sleep(0.7)
    assert shop_gateway.log_text().count("event=certificate_refused") == 1
    install(shop_gateway, *leaves["rsa"])
    until(lambda: shown(shop_gateway) == digest(leaves["rsa"][0]))


def test_the_end_is_told_in_time(make_gateway, leaves):
    """And what is in force does not keep a policy out, whatever the clock says of it: only what is new is judged."""
    gateway = make_gateway(start=False)
    library = clock.Clock()
    library.movable(gateway)
    library.move(9.5 * 86400)  # its certificate is made for ten days
    gateway.grant()
    gateway.start()
    until(lambda: "event=certificate_ends_soon" in gateway.log_text())
    assert tls(gateway)["days left"] == "0"
    before, policy = shown(gateway), shop.POLICY
    own = (gateway.folder / "server.crt", gateway.folder / "server.key")
    kept = [file.rename(file.with_suffix(file.suffix + ".kept")) for file in own]
    for days, said, other in ((11, "ended on", "ended"), (-30, "begins on", "p256")):
        library.move(days * 86400)
        install(gateway, *kept)
        policy = policy.replace("name: job", "name: jobs").replace("name: jobss", "name: job")
        gateway.reload(policy)
        assert ("acme.jobs" in gateway.agents) == ("name: jobs" in policy)
        install(gateway, *leaves[other])
        with pytest.raises(psycopg.Error, match=said):
            gateway.reload()
        assert shown(gateway) == before
        until(lambda: "event=certificate_ended" in gateway.log_text())
    gateway.stop()
    library.close()
