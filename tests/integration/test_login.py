"""Nobody comes in without TLS, a known agent and its proof; who is turned away is told why, not what exists."""
import re
import subprocess
import time

import psycopg
import pytest

from harness import pki


def turned_away(gateway, agent, **changes):
    with pytest.raises(psycopg.OperationalError) as caught:
        gateway.connect(agent, **changes).close()
    return str(caught.value)


def test_without_tls(shop_gateway):
    assert "TLS" in turned_away(shop_gateway, "acme.job", sslmode="disable")


def test_tls_is_at_least_1_2(shop_gateway):
    with shop_gateway.connect("acme.job", ssl_min_protocol_version="TLSv1.2",
                              ssl_max_protocol_version="TLSv1.2") as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_wrong_password_and_an_unknown_agent_look_alike(shop_gateway):
    wrong = turned_away(shop_gateway, "acme.job", password="wrong")
    unknown = turned_away(shop_gateway, "acme.nobody", password="wrong")
    other = turned_away(shop_gateway, "nobody.at-all", password="wrong")
    assert wrong.replace("acme.job", "X") == unknown.replace("acme.nobody", "X") == other.replace("nobody.at-all", "X")


def test_a_certificate_agent_needs_its_certificate(shop_gateway, authority):
    turned_away(shop_gateway, "acme.cert", sslcert="/nonexistent", sslkey="/nonexistent")
    certificate, key = authority.client("spiffe://rival/cert")
    turned_away(shop_gateway, "acme.cert", sslcert=certificate, sslkey=key)


def test_a_certificate_of_another_authority(shop_gateway, tmp_path):
    stranger = pki.Authority(tmp_path, name="somebody else's CA")
    certificate, key = stranger.client("spiffe://acme/cert")
    turned_away(shop_gateway, "acme.cert", sslcert=certificate, sslkey=key)


def test_a_server_certificate_is_no_clients(shop_gateway, authority):
    certificate, key = authority.leaf("agent", "URI:spiffe://acme/cert", "serverAuth")
    turned_away(shop_gateway, "acme.cert", sslcert=certificate, sslkey=key)


def test_settings_at_startup_pass_the_same_gate_as_set(shop_gateway):
    with shop_gateway.connect("acme.cert", options="-c DateStyle=German") as connection:
        assert connection.execute("SHOW DateStyle").fetchone()[0].startswith("German")
    for setting in ("search_path=crm", "session_replication_role=replica", "role=postgres", "nonsense=1"):
        turned_away(shop_gateway, "acme.cert", options=f"-c {setting}")


def test_who_am_i(shop_gateway):
    assert shop_gateway.rows("acme.cert", "SHOW cofferdam.partner") == [("acme",)]
    assert shop_gateway.rows("acme.cert", "SHOW cofferdam.purpose") == [("delivery",)]


def test_shown_settings_are_the_sessions_own(shop_gateway):
    assert shop_gateway.rows("acme.cert", "SHOW search_path") == [("public",)]
    assert shop_gateway.rows("acme.cert", "SHOW session_authorization") == [("acme.cert",)]
    assert shop_gateway.rows("acme.cert", "SHOW is_superuser") == [("off",)]


def test_what_proved_an_identity_is_told_and_written_down(shop_gateway, authority):
    certificate, _ = authority.client("spiffe://acme/cert")
    serial = subprocess.run(["openssl", "x509", "-noout", "-serial", "-in", certificate], check=True,
                            capture_output=True, text=True).stdout.strip().removeprefix("serial=").lower().lstrip("0")
    with shop_gateway.connect("acme.cert") as one, shop_gateway.connect("acme.job") as other:
        told, deadline = {}, time.monotonic() + 5
        while {row["credential"] for row in told.values()} != {"certificate", "password"}:  # not those that are ending
            assert time.monotonic() < deadline, told
            time.sleep(0.05)
            told = {row["agent"]: row for row in shop_gateway.admin("SHOW SESSIONS")}
        one.execute("SELECT 1")
        other.execute("SELECT 1")
    assert (told["acme.cert"]["credential"], told["acme.cert"]["credential_id"]) == ("certificate", serial)
    assert told["acme.cert"]["expires"] > "2026"
    assert told["acme.job"]["credential"] == "password"
    assert re.fullmatch("[0-9a-f]{32}", told["acme.job"]["credential_id"])  # which one: it has a new name when it is changed
    [opened] = [entry["text"] for entry in shop_gateway.ledger() if entry["type"] == "act" and entry["text"].startswith(
        f"session-opened\nsession={told['acme.cert']['session']}\n")]
    assert f"credential=certificate\nid={serial}\n" in opened and "address=127.0.0.1\n" in opened
