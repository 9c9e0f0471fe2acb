"""A certificate works while it is good, and not a statement longer: revoked alone, at once, for good."""
import threading
import time

import psycopg
import pytest

from harness import pki

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
    shop_gateway.cli("cert", "revoke", serial, "--reason", "as the CA calls it")
    assert "revoked" in turned_away(shop_gateway, "acme.cert", **files(pair))


def test_it_stays_revoked_over_a_restart(make_gateway, authority):
    gateway, pair = make_gateway(), leaf(authority, "restart")
    gateway.cli("cert", "revoke", pair[0], "--reason", "before it was ever seen")
    gateway.restart()
    assert "revoked" in turned_away(gateway, "acme.cert", **files(pair))
    gateway.rows("acme.job", "SELECT 1")
    code, _, errors = gateway.cli("cert", "revoke", "no-such-file", "--reason", "x", check=False)
    assert code == 1 and "no-such-file" in errors
