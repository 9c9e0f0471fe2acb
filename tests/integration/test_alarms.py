"""What staff must know reaches them: by a signed webhook that is tried until it is taken, and by mail, over restarts."""
import shutil
import subprocess
import time

import pytest

from harness import mailserver, places, shop
from harness.receiver import Receiver, verify

SECRET = b"0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def mail(authority):
    server = mailserver.MailServer(authority)
    yield server
    server.close()


@pytest.fixture(scope="module")
def receiver():
    with Receiver(SECRET) as made:
        yield made


@pytest.fixture(scope="module")
def gateway(make_module_gateway, receiver, mail):
    made = make_module_gateway(start=False, config={
        "mail": {"host": "localhost", "port": mail.port, "ca": str(mail.ca), "user": mail.user,
                 "password_file": "mail.password", "bounces": "bounces@shop.example"},
        "alarms": {"retry_ms": 20, "webhook": {"url": receiver.url, "secret_file": "webhook.secret"},
                   "mail": {"to": "security@shop.example", "from": "alarms@shop.example"}}})
    made._write_secret("webhook.secret", SECRET.decode() + "\n")
    made._write_secret("mail.password", mail.password_file.read_text())
    shutil.copy(mail.ca, made.folder / "mail-ca.crt")
    made.settings["mail"]["ca"] = "mail-ca.crt"
    made.write_config()
    shutil.copy(places.binary().with_name("cofferdam-http"), made.folder)
    made.grant()
    made.start()
    return made


def test_a_test_alarm_reaches_everybody(gateway, receiver, mail):
    told = {row["receiver"]: row for row in gateway.cli_json("alarm", "test")}
    assert [(name, row["state"], row["attempts"]) for name, row in sorted(told.items())] == [
        ("mail", "taken", 1), ("webhook", "taken", 1)]
    assert told["webhook"]["answer"] == "HTTP 200" and told["mail"]["answer"].startswith("SMTP 250")
    alarm = receiver.until(1)[-1]
    assert (alarm["rule"], alarm["alarm"], alarm["partner"], alarm["contained"]) == ("test", 1, None, None)
    assert alarm["id"] == alarm["header"] and len(alarm["id"]) == 32
    assert alarm["next"] == ['cofferdam alarm acknowledge 1 --note "what was found"']
    letter = mail.messages()[-1]
    assert (letter["from"], letter["to"]) == ("alarms@shop.example", "security@shop.example")
    assert "alarm 1: test" in letter["data"] and "cofferdam alarm acknowledge 1" in letter["data"].replace("=\n", "")


def test_it_is_tried_until_it_is_taken_in_order_and_only_once(gateway, receiver):
    before, taken = len(receiver.seen), len(receiver.taken)
    receiver.answers = [500, 503]
    first = gateway.admin("TEST ALARMS")[0]["alarm"]
    second = gateway.admin("TEST ALARMS")[0]["alarm"]
    alarms = receiver.until(taken + 2)[taken:]
    assert [alarm["alarm"] for alarm in alarms] == [int(first), int(second)]
    seen = receiver.seen[before:]
    assert [code for code, _, _ in seen] == [500, 503, 200, 200] and all(signed for _, _, signed in seen)
    assert len({event for _, event, _ in seen[:3]}) == 1
    assert gateway.log_text().count("event=alarm_delivery_failed") == 2


def test_what_waits_survives_a_crash(gateway, receiver):
    taken = len(receiver.taken)
    receiver.answers = [500] * 1000
    alarm = gateway.admin("TEST ALARMS")[0]["alarm"]
    receiver.until_seen(len(receiver.seen) + 2)
    waiting = gateway.admin(f"SHOW ALARM ID '{alarm}'")
    assert {row["receiver"]: row["state"] for row in waiting}["webhook"] == "waiting"
    gateway.kill9()
    receiver.answers = []
    gateway.start()
    assert receiver.until(taken + 1)[-1]["alarm"] == int(alarm)


def test_a_receiver_that_is_gone_is_left_alone_until_asked_again(gateway, receiver):
    receiver.answers = [410]
    code, output, _ = gateway.cli("alarm", "test", "--json", check=False)
    assert code == 1 and '"given up"' in output
    seen = len(receiver.seen)
    left = gateway.admin("TEST ALARMS")  # asks again
    receiver.until_seen(seen + 1)
    assert receiver.taken[-1]["alarm"] == int(left[0]["alarm"])


def test_acknowledging_takes_a_note_and_is_recorded(gateway):
    alarm = gateway.admin("TEST ALARMS")[0]["alarm"]
    code, _, errors = gateway.cli("alarm", "acknowledge", alarm, check=False)
    assert code == 2 and "--note" in errors
    shown = gateway.cli("alarm", "show", alarm)
    assert shown.startswith(f"alarm: {alarm}\nraised: ") and "\nreceiver  state " in shown, shown
    assert f'\nWhat may come next\n    cofferdam alarm acknowledge {alarm} --note "what was found"\n' in shown, shown
    gateway.cli("alarm", "acknowledge", alarm, "--note", "only a test")
    assert int(alarm) not in [row["alarm"] for row in gateway.cli_json("alarm", "list")]
    listed = {row["alarm"]: row for row in gateway.cli_json("alarm", "list", "--all")}[int(alarm)]
    assert (listed["note"], listed["by"].startswith("uid ")) == ("only a test", True)
    texts = [entry.get("text", "") for entry in gateway.ledger()]
    assert any(text.startswith(f"alarm\nid={alarm}\nrule=test\n") for text in texts)
    assert any(text.startswith(f"alarm-acknowledged\nid={alarm}\n") and "note=only a test" in text for text in texts)
    code, _, errors = gateway.cli("alarm", "acknowledge", alarm, "--note", "again", check=False)
    assert code == 1 and "already" in errors
    shown = gateway.cli("alarm", "show", alarm)
    assert "\nnote: only a test\n" in shown and "\nby: uid " in shown and "may come next" not in shown, shown
    assert gateway.cli("alarm", "show", "4711", check=False)[0] == 1


def test_nobody_can_write_an_alarm_into_the_ledger(gateway):
    with pytest.raises(Exception, match="begin with another word"):
        gateway.admin("RECORD ACT 'alarm id=1'")


def test_the_recipe_for_receivers_refuses_what_is_forged_or_old(gateway, receiver):
    body, now = b'{"id":"x"}', str(int(time.time()))
    openssl = subprocess.run(["openssl", "dgst", "-sha256", "-hmac", SECRET.decode(), "-r"], input=now.encode() + b"." + body,
                             capture_output=True, check=True).stdout.split()[0].decode()
    verify(SECRET, f"t={now},v1={openssl}", body)
    for header, text in [(f"t={now},v1={openssl}", body + b" "), (f"t={int(now) - 301},v1={openssl}", body),
                         (f"t={now},v1={'0' * 64}", body)]:
        with pytest.raises(ValueError):
            verify(SECRET, header, text)


def test_the_policy_may_make_a_budget_warning_contain(gateway, receiver):
    taken = len(receiver.taken)
    gateway.reload(shop.POLICY.replace("per_day: 100000", "per_day: 10", 1)
                   .replace("    budget:", "    alarms: {budget_warning: contain}\n    budget:", 1))
    gateway.psql("acme.cert", "SELECT person_id FROM person LIMIT 8")
    alarm = receiver.until(taken + 1)[-1]
    assert (alarm["rule"], alarm["about"], alarm["contained"]) == ("budget-warning", "per_day", "partner")
    assert alarm["text"].startswith("8 of 10 subjects per day are used")
    assert 'cofferdam partner restore acme --reason "alarm' in " ".join(alarm["next"])
    with pytest.raises(Exception, match="contain"):
        gateway.connect("acme.job")
    texts = [entry.get("text", "") for entry in gateway.ledger()]
    assert any(text.startswith("contain by=alarm reason=alarm ") for text in texts)
    began = time.monotonic()
    gateway.stop()
    assert time.monotonic() - began < 5
