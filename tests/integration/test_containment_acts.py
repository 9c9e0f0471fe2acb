"""What staff contain and restore, and how: one credential, everybody, by two, through a crowd, with the gateway stopped."""
import json
import sqlite3
import threading
import time

import psycopg
import pytest

from harness import shop
from harness.rawclient import RawClient

POLICY = shop.POLICY.replace("  acme:\n", "  acme:\n    restore: {approvals: 2}\n", 1)
UNTIL = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 7200))


@pytest.fixture(scope="module")
def gateway(make_module_gateway):
    return make_module_gateway(policy_yaml=POLICY)


def contain(gateway, *what):
    return json.loads(gateway.cli("partner", "contain", *what, "--reason", "test", "--json"))[0]


def refusal(gateway, agent):
    """The text of a refused login; None: it was let in."""
    try:
        gateway.connect(agent).close()
    except psycopg.OperationalError as error:
        return str(error)
    return None


def acts(gateway, word):
    return [entry["text"] for entry in gateway.ledger() if entry.get("text", "").split(" ")[0] == word]


def restored(gateway, partner):
    """As two users: the command line is nobody's, the admin database that of the tests."""
    gateway.cli("partner", "restore", partner, "--reason", "over")
    if refusal(gateway, "acme.job"):
        agent = f" AGENT '{partner.split('/')[1]}'" if "/" in partner else ""
        gateway.admin(f"RESTORE PARTNER 'acme'{agent} REASON 'over'")


def test_one_certificate_alone_and_back(gateway):
    client = RawClient(gateway, "acme.cert", timeout=20)
    deadline, shown = time.monotonic() + 10, []
    while not shown and time.monotonic() < deadline:  # what is shown is half a second old
        shown = [row for row in gateway.admin("SHOW SESSIONS") if row["agent"] == "acme.cert"]
    (session,) = shown
    serial = session["credential_id"]
    shown = ":".join(serial.upper().rjust(2 * ((len(serial) + 1) // 2), "0")[at:at + 2] for at in range(0, len(serial), 2))
    told = contain(gateway, "acme", "--certificate", shown)
    assert (told["credential"], told["sessions"], told["cut"], told["recorded"]) == (serial, 1, "yes", "yes")
    assert [kind for kind, _ in client.until_closed()] == [b"E"]
    assert "this certificate of acme.cert is contained" in refusal(gateway, "acme.cert")
    assert refusal(gateway, "acme.job") is None
    (row,) = gateway.cli_json("partner", "list", "--contained")
    assert (row["credential"], row["agent"], row["tries"]) == (serial, None, 1)
    assert gateway.admin("SHOW PARTNERS")[0]["state"] == "active", "the partner itself is not contained"
    code, _, err = gateway.cli("partner", "restore", "acme", "--reason", "x", check=False)
    assert code == 1 and "is not contained" in err
    gateway.cli("partner", "restore", "acme", "--certificate", serial, "--reason", "found")
    gateway.admin(f"RESTORE PARTNER 'acme' CREDENTIAL '{serial}' REASON 'found'")
    assert refusal(gateway, "acme.cert") is None
    assert acts(gateway, "contain-credential")[0].startswith(f"contain-credential id={serial} by=uid ")
    code, _, err = gateway.cli("partner", "contain", "acme", "--certificate", "no hex", "--reason", "x", check=False)
    assert code == 2 and "no serial number" in err


def test_a_reason_makes_no_lines_of_its_own(gateway):
    """What staff write must not pass for what the gateway writes. Containing is not refused for it."""
    reason = "lost\ncontain by=uid 0\x1b[31m"
    gateway.cli("partner", "contain", "rival", "--reason", reason)
    code, _, err = gateway.cli("partner", "restore", "rival", "--reason", reason, check=False)
    assert code != 0 and "control characters" in err
    gateway.cli("partner", "restore", "rival", "--reason", "found")
    texts = [entry["text"] for entry in gateway.ledger() if entry["type"] == "act"]
    [text] = [text for text in texts if "reason=lost" in text]
    assert text.endswith("reason=lost contain by=uid 0 [31m")


def test_restoring_takes_two(gateway):
    contain(gateway, "acme/job")
    for _ in range(2):
        out = gateway.cli("partner", "restore", "acme/job", "--reason", "checked")
        assert "another user must restore it" in out and "agent acme.job is contained" in refusal(gateway, "acme.job")
    gateway.restart()
    (row,) = gateway.admin("SHOW CONTAINMENT")
    assert row["restore_proposed_by"].startswith("uid ") and row["restore_proposed"], row
    (row,) = gateway.admin("RESTORE PARTNER 'acme' AGENT 'job' REASON 'agreed'")
    assert row["state"] == "active" and refusal(gateway, "acme.job") is None
    assert acts(gateway, "restore-proposed") and " proposed-by=uid " in acts(gateway, "restore")[-1]
    for word in ("contain", "contain-credential", "restore-credential", "restore-proposed"):
        with pytest.raises(psycopg.Error) as caught:
            gateway.admin(f"RECORD ACT '{word} by=me' PARTNER 'acme'")
        assert caught.value.sqlstate == "22023"


def test_who_keeps_trying_is_counted_and_recorded_once(gateway):
    contain(gateway, "rival")
    for _ in range(4):
        assert "call " in refusal(gateway, "rival.cert"), "it says whom to call"
    (row,) = gateway.cli_json("partner", "list", "--contained")
    assert row["tries"] == 4
    refused = [entry for entry in gateway.ledger() if entry["type"] == "refusal" and entry["partner"] == "rival"]
    assert [entry["sqlstate"] for entry in refused] == ["57P01"], refused
    gateway.cli("partner", "restore", "rival", "--reason", "over")


def test_what_waits_is_closed_and_a_second_time_changes_nothing(gateway):
    gateway.admin(f"RAISE BUDGET PARTNER 'rival' LIMIT 'per_day' TO '200000' UNTIL '{UNTIL}' REASON 'more'")
    first = contain(gateway, "rival")
    assert first["closed_waiting"] == 1 and gateway.admin("SHOW RAISES") == []
    second = contain(gateway, "rival")
    assert (second["closed_waiting"], second["since"]) == (0, first["since"])
    gateway.cli("partner", "restore", "rival", "--reason", "over")


def test_a_crowd_and_a_hanging_disk_do_not_stop_it(gateway):
    """50 idle administrators stand at the ordinary door, and somebody holds the registry's file."""
    url = f"host={gateway.run_dir} port=5432 dbname=cofferdam"
    crowd = [psycopg.connect(url) for _ in range(50)]
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
    held = sqlite3.connect(gateway.state_dir / "registry.sqlite", isolation_level=None)
    held.execute("BEGIN IMMEDIATE")
    told = []
    thread = threading.Thread(target=lambda: told.append(contain(gateway, "rival")))
    began = time.monotonic()
    thread.start()
    while refusal(gateway, "rival.cert") is None:
        assert time.monotonic() - began < 5
    held.execute("COMMIT")
    held.close()
    thread.join(15)
    assert told[0]["stored"] == "yes"
    with psycopg.connect(f"host={gateway.run_dir}/urgent port=5432 dbname=cofferdam", autocommit=True) as urgent:
        with pytest.raises(psycopg.errors.FeatureNotSupported):
            urgent.execute("SHOW LEDGER")
        assert len(urgent.execute("SHOW CONTAINMENT").fetchall()) == 1
    for connection in crowd:
        connection.close()
    gateway.cli("partner", "restore", "rival", "--reason", "over")


def test_busy_sessions_are_cut_together_and_a_deaf_one_is_reset(gateway):
    deaf = RawClient(gateway, "rival.cert", timeout=20, receive_buffer=4096)
    busy = [RawClient(gateway, "rival.cert", timeout=20) for _ in range(6)]
    for client in (deaf, *busy):
        client.send(client.simple("SELECT a.full_name FROM person a, person b, person c"))
    for client in busy:
        client.until(b"D")
    time.sleep(0.3)
    told = contain(gateway, "rival")
    assert told["cut"] == "yes" and told["cut_ms"] < 1000, told
    assert told["sessions"] == 7 and told["undelivered_bytes"] > 0, told
    gateway.until_backends(0)
    gateway.cli("partner", "restore", "rival", "--reason", "over")
    for client in (deaf, *busy):
        client.close()


def test_everybody_at_once_and_with_the_gateway_stopped(gateway):
    told = contain(gateway, "--all")
    assert told["partner"] == "*" and "partner acme is contained" in refusal(gateway, "acme.job")
    assert refusal(gateway, "rival.cert")
    gateway.cli("partner", "restore", "rival", "--reason", "over")
    restored(gateway, "acme")
    assert refusal(gateway, "acme.job") is None
    gateway.stop()
    code, _, err = gateway.cli("partner", "contain", "rivla", "--reason", "x", check=False)
    assert code == 1 and "hint: did you mean rival?" in err
    code, _, err = gateway.cli("partner", "contain", "nobody", "--reason", "x", check=False)
    assert code == 1 and "the policy has no partner" in err
    told = contain(gateway, "rival/cert")
    assert (told["agent"], told["gateway"]) == ("cert", "stopped")
    out = gateway.cli("partner", "contain", "rival", "--certificate", "0:4F:a1", "--reason", "lost")
    assert out == ("certificate 4fa1 of rival is contained: the gateway does not run, "
                   "and it is in force when it starts\n")
    gateway.start()
    assert "contained" in refusal(gateway, "rival.cert")
    late = [entry for entry in gateway.ledger() if entry.get("text", "").startswith("contain by=uid ")][-1]
    assert (late["partner"], late["agent"]) == ("rival", "cert")
    out = gateway.cli("partner", "restore", "rival/cert", "--reason", "over")
    assert out.splitlines() == ["rival/cert is restored",
                                "still contained: cofferdam partner restore rival --certificate 4fa1 --reason ..."]
    out = gateway.cli("partner", "restore", "rival", "--certificate", "4fa1", "--reason", "over")
    assert out == "certificate 4fa1 of rival is restored\n"
    assert refusal(gateway, "rival.cert") is None
