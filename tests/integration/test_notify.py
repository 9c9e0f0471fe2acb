"""Each person affected gets one message, with that person's own categories, through a real mail server."""
import csv
import io
import re
import time

import pytest

from harness import notices
from harness.mailserver import MailServer
from harness.notices import BAD_EMAIL, CHILD, DECEASED, GONE_AWAY, GONE_NO_EMAIL, NO_EMAIL, NOWHERE, SAFE

CUSTOMERS, ENQUIRERS = 40, 4
UNREACHED = {DECEASED, NO_EMAIL, NOWHERE, GONE_NO_EMAIL, BAD_EMAIL}


def expected_recipients(customers=CUSTOMERS, enquirers=ENQUIRERS):
    return sorted([f"c{n}@mail.example" for n in range(1, customers + 1) if n not in UNREACHED]
                  + [f"e{n}@mail.example" for n in range(1, enquirers + 1)])


def recipients(server):
    return sorted(message["to"] for message in server.messages())


@pytest.fixture
def make_server(authority):
    made = []

    def make(**options):
        made.append(MailServer(authority, **options))
        return made[-1]
    yield make
    for server in made:
        server.close()


@pytest.fixture(scope="module")
def sent(make_module_gateway, authority):
    """(case, messages by recipient) of a notice that went out without trouble; to be looked at."""
    server = MailServer(authority)
    case = notices.Case(make_module_gateway, server, CUSTOMERS, ENQUIRERS).open()
    case.send("--why", "looked at every text")
    yield case, {message["to"]: message for message in server.messages()}
    server.close()


def test_everybody_who_can_be_reached_has_one_message(sent):
    case, by_recipient = sent
    assert recipients(case.server) == expected_recipients()
    assert case.states() == {"accepted": len(expected_recipients()), "letter": 2, "public notice": 2, "silent": 1}


def test_messages_name_the_persons_own_categories_and_no_others(sent):
    _, by_recipient = sent
    with_birth = notices.text_of(by_recipient["c10@mail.example"])
    without = notices.text_of(by_recipient["c30@mail.example"])
    taken = lambda text: text.split("What we are doing")[0].split("As far as our records show")[0]
    assert "your date of birth" in taken(with_birth)
    assert "your date of birth" not in taken(without) and "your date of birth" in without
    enquirer = notices.text_of(by_recipient["e1@mail.example"])
    assert "your email address" not in taken(enquirer) and "your name" in taken(enquirer)


def test_brand_language_and_kind_are_the_persons_own(sent):
    _, by_recipient = sent
    french_dacre, english = by_recipient["c12@mail.example"], by_recipient["c10@mail.example"]
    assert notices.parsed(french_dacre)["From"].addresses[0].addr_spec == "privacy@dacre.example"
    assert notices.parsed(french_dacre)["Content-Language"] == "fr"
    assert "Bonjour" in notices.text_of(french_dacre) or "Madame" in notices.text_of(french_dacre)
    assert notices.parsed(english)["From"].addresses[0].addr_spec == "privacy@meridian.example"
    assert notices.parsed(english)["Content-Language"] == "en"
    assert "guardian" in notices.text_of(by_recipient[f"c{CHILD}@mail.example"])


def test_each_message_has_its_own_envelope_and_asks_for_delivery_notices(sent):
    _, by_recipient = sent
    envelopes = set()
    for message in by_recipient.values():
        assert re.fullmatch(r"[0-9a-f]{32}", message["envid"]), message["envid"]
        assert message["from"] == f"bounces+{message['envid']}@meridian.example"
        assert message["notify"] == "SUCCESS,FAILURE,DELAY"
        envelopes.add(message["envid"])
    assert len(envelopes) == len(by_recipient)


def test_messages_carry_no_link_attachment_or_name_of_another(sent):
    _, by_recipient = sent
    for message in by_recipient.values():
        body = parsed = notices.parsed(message)
        assert parsed.get_content_type() == "multipart/alternative"
        assert [part.get_content_type() for part in body.iter_parts()] == ["text/plain", "text/html"]
        whole = "".join(part.get_content() for part in body.iter_parts())
        assert not re.search(r"https?://|<a |<img|src=|url\(", whole)
        assert parsed["Auto-Submitted"] == "auto-generated" and parsed["List-Unsubscribe"] is None
        assert max(map(len, message["data"].split("\r\n"))) <= 998


def test_reading_contact_data_is_in_the_ledger_before_sending(sent):
    case, _ = sent
    entries = [entry for entry in case.gateway.ledger() if "notice" in str(entry) and "incident 1" in str(entry)]
    assert entries, "no entry for what was read"


def test_the_decision_is_in_the_log(sent):
    case, _ = sent
    log = case.log()
    assert "approve notice 1" in log and "looked at every text" in log


def test_proof_of_dispatch_names_nobody(sent):
    case, by_recipient = sent
    rows = list(csv.DictReader(io.StringIO(case.proof())))
    assert len(rows) == CUSTOMERS + ENQUIRERS
    accepted = [row for row in rows if row["state"] == "accepted"]
    assert {row["envelope_id"] for row in accepted} == {message["envid"] for message in by_recipient.values()}
    assert all(re.fullmatch(r"[0-9a-f]{64}", row["sha256"]) for row in accepted)
    assert all(row["answer"].startswith("250 ") for row in accepted)
    assert "@mail.example" not in str(rows) and "Person" not in str(rows)


def test_letters_are_for_those_with_a_postal_address_only(sent):
    case, _ = sent
    path = case.gateway.folder / "state" / "letters.csv"
    printed = case.notify("--letters", str(path))
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    assert sorted(row["line1"] for row in rows) == [f"{NO_EMAIL} Low Road", f"{BAD_EMAIL} Low Road"]
    assert all(row["name"].startswith("Person ") and len(row["text"]) > 500 for row in rows)
    assert "2 letters" in printed and path.stat().st_mode & 0o77 == 0
    assert "write letters for print" in case.log()


def test_samples_are_of_an_invented_person(sent):
    case, _ = sent
    folder = case.gateway.folder / "state" / "texts"
    summary = case.notify("--dry-run", "--sample", str(folder))
    names = {path.name for path in folder.iterdir()}
    assert {"customer-dacre-fr-full.eml", "customer-meridian-en-common.txt", "enquirer-meridian-en-full.txt"} <= names
    for path in folder.glob("*.txt"):
        assert not re.search(r"\b(Person|Asker) [a-j]|@mail.example", path.read_text()), path
    assert case.dry_run()["hash"] in summary and "deceased" in summary


def test_sending_again_is_refused(sent):
    case, by_recipient = sent
    code, _, errors = case.notify("--send", "--approve", case.dry_run()["hash"], check=False)
    assert code == 1 and "approved already" in errors, errors
    assert len(case.server.messages()) == len(by_recipient)


def test_a_test_goes_to_one_address_with_invented_data(sent):
    case, by_recipient = sent
    case.server.forget()
    case.notify("--test", "dpo@meridian.example")
    tests = case.server.messages()
    assert len(tests) >= 4 and {message["to"] for message in tests} == {"dpo@meridian.example"}
    for message in tests:
        assert notices.parsed(message)["Subject"].startswith("[TEST] ")
        assert not re.search(r"\b(Person|Asker) [a-j]", notices.text_of(message))


def test_a_changed_fact_changes_the_hash_and_is_named(make_gateway, make_server):
    case = notices.Case(make_gateway, make_server(), 12, 0).open()
    old = case.dry_run()["hash"]
    case.gateway.cli("incident", "fact", "1", "partner_service", "keeps our lists")
    code, _, errors = case.notify("--send", "--approve", old, check=False)
    assert code == 1 and "not what was approved" in errors and "keeps our lists" in errors, errors
    code, _, errors = case.notify("--send", "--approve", "0" * 64, check=False)
    assert code == 1 and "no dry run of this incident had that hash" in errors, errors
    code, _, errors = case.notify("--send", check=False)
    assert code == 2, errors
    assert recipients(case.server) == []


def test_bounces_and_refusals_become_letters(make_gateway, make_server):
    server = make_server()
    case = notices.Case(make_gateway, server, 30, 0)
    server.stop()
    server.start(refuse=r"^c(10|11)@", fail=r"^c12@", notices=case.bounces)
    case.open().send()
    states = case.states()
    assert states["refused"] == 2 and states["bounced"] == 1, states
    rows = {row["key"]: row for row in csv.DictReader(io.StringIO(case.proof()))}
    assert rows["10"]["answer"] == "550 5.1.1 <…> no such mailbox"
    assert rows["12"]["notice"] == "failed 5.1.1" and rows["13"]["notice"] == "relayed 2.0.0"
    path = case.gateway.folder / "state" / "letters.csv"
    case.notify("--letters", str(path))
    lines = {row["line1"] for row in csv.DictReader(io.StringIO(path.read_text()))}
    assert lines == {f"{n} Low Road" for n in (NO_EMAIL, BAD_EMAIL, 10, 11, 12)}
    assert not list((case.bounces / "new").iterdir())


def test_deferred_messages_are_sent_later(make_gateway, make_server):
    case = notices.Case(make_gateway, make_server(defer=r"^c(10|11)@"), 14, 0).open()
    case.send()
    assert recipients(case.server) == expected_recipients(14, 0)
    rows = {row["key"]: row for row in csv.DictReader(io.StringIO(case.proof()))}
    assert [rows[key]["attempts"] for key in ("10", "12")] == ["2", "1"]


def test_a_pause_is_seen_and_resume_goes_on(make_gateway, make_server):
    case = notices.Case(make_gateway, make_server(slow=0.05), 60, 0, mail={"connections": 1, "per_minute": 1200}).open()
    process = case.start("--send", "--approve", case.dry_run()["hash"])
    while not case.server.messages():
        time.sleep(0.01)
    case.notify("--pause", "--why", "the call centre is full")
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 0 and "paused" in output, output
    before = len(case.server.messages())
    assert 0 < before < len(expected_recipients(60, 0))
    case.server.hurry()
    case.configure()
    case.notify("--resume")
    assert recipients(case.server) == expected_recipients(60, 0)
    assert "the call centre is full" in case.log()


def test_a_stop_ends_after_the_message_on_its_way(make_gateway, make_server):
    case = notices.Case(make_gateway, make_server(slow=0.05), 60, 0).open()
    process = case.start("--send", "--approve", case.dry_run()["hash"])
    while not case.server.messages():
        time.sleep(0.01)
    process.terminate()
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 1 and "--resume" in output, output
    assert "in doubt" not in case.states()
    case.server.hurry()
    case.notify("--resume")
    assert recipients(case.server) == expected_recipients(60, 0)


def test_two_senders_at_once_are_refused(make_gateway, make_server):
    case = notices.Case(make_gateway, make_server(slow=0.1), 60, 0).open()
    process = case.start("--send", "--approve", case.dry_run()["hash"])
    while not case.server.messages():
        time.sleep(0.01)
    code, _, errors = case.notify("--resume", check=False)
    assert code == 1 and "another process is sending" in errors, errors
    case.server.hurry()
    assert process.communicate(timeout=60) and process.returncode == 0
    assert recipients(case.server) == expected_recipients(60, 0)


def test_no_record_in_the_ledger_no_reading_no_sending(make_gateway, make_server):
    case = notices.Case(make_gateway, make_server(), 12, 0).open()
    approved = case.dry_run()["hash"]
    case.gateway.stop()
    code, _, errors = case.notify("--send", "--approve", approved, check=False)
    assert code == 1, errors
    assert recipients(case.server) == []
    case.gateway.start()
    case.notify("--send", "--approve", approved)
    assert recipients(case.server) == expected_recipients(12, 0)


def test_a_server_that_refuses_everybody_stops_the_sending(make_gateway, make_server):
    case = notices.Case(make_gateway, make_server(reject="."), 150, 0).open()
    code, _, errors = case.notify("--send", "--approve", case.dry_run()["hash"], check=False)
    assert code == 1 and "50 messages in a row were refused" in errors, errors
    assert case.states()["ready"] > 0


def test_a_person_erased_after_approval_is_not_written_to(make_gateway, make_server):
    case = notices.Case(make_gateway, make_server(), 14, 0).open()
    approved = case.dry_run()["hash"]
    case.gateway.cluster.script(case.gateway.database, "DELETE FROM crm.customer WHERE customer_id = 12")
    try:
        case.notify("--send", "--approve", approved)
        assert "c12@mail.example" not in recipients(case.server)
        assert case.states()["erased"] == 1
    finally:
        case.gateway.cluster.script(case.gateway.database,
                                    "INSERT INTO crm.customer (customer_id) VALUES (12)")


def test_without_delivery_notices_doubt_is_left_to_staff(make_gateway, make_server):
    case = notices.Case(make_gateway, make_server(swallow=r"^c10@", lose=r"^c11@", no_dsn=True), 14, 0).open()
    code, _, errors = case.notify("--send", "--approve", case.dry_run()["hash"], check=False)
    assert code == 1 and "2 people are in doubt" in errors, errors
    assert case.states()["in doubt"] == 2
    case.notify("--doubt", "letter", "--why", "cannot be told apart")
    assert "in doubt" not in case.states()
    case.notify("--resume")
    assert recipients(case.server).count("c10@mail.example") == 1
    assert "cannot be told apart" in case.log()


def test_a_delivery_notice_resolves_doubt_and_its_absence_sends_again(make_gateway, make_server):
    server = make_server()
    case = notices.Case(make_gateway, server, 14, 0)
    server.stop()
    server.start(swallow=r"^c10@", lose=r"^c11@", notices=case.bounces)
    case.open().send()
    assert recipients(server) == expected_recipients(14, 0)
    assert "send again those in doubt" in case.log()


def test_who_is_refused_and_has_no_postal_address_needs_a_public_notice(make_gateway, make_server):
    only = (f"SELECT customer_id, full_name, email, street FROM customer WHERE customer_id IN ({notices.GONE_AWAY}, 10)",)
    case = notices.Case(make_gateway, make_server(refuse=rf"^c({notices.GONE_AWAY}|10)@"), 12, 0, statements=only).open()
    case.send()
    assert case.states() == {"refused": 2}
    told = case.notify("--letters", str(case.gateway.folder / "state" / "letters.csv"))
    assert "1 letters" in told and "1 people have no usable postal address" in told, told
    assert case.states() == {"refused": 1, "public notice": 1}
    remaining = {row["duty"] for row in case.gateway.cli_json("incident", "show", "1")["remaining"]}
    assert {"letters", "public-notice"} <= remaining, remaining


def test_a_later_notice_forgets_no_letter_of_an_earlier_one(make_gateway, make_server):
    only = ("SELECT customer_id, full_name, email, street FROM customer WHERE customer_id <= 8",)
    case = notices.Case(make_gateway, make_server(), 12, 0, statements=only).open()
    case.send()
    keys = case.gateway.folder / "keys"
    keys.write_text("11\n")
    case.gateway.cli("exposure", "declare", "--partner", "north", "--columns", "customer.email", "--keys", str(keys),
                     "--kind", "customer", "--reason", "a file of May")
    case.gateway.cli("incident", "scope", "1", "--new-phase", "--reason", "a file of May")
    case.send()
    assert case.states() == {"accepted": 1}
    sections = case.gateway.cli_json("incident", "show", "1")
    assert {row["state"]: row["people"] for row in sections["messages"]}["letter"] == 2, sections["messages"]
    assert {"letters", "public-notice"} <= {row["duty"] for row in sections["remaining"]}
    path = case.gateway.folder / "state" / "letters.csv"
    assert "2 letters" in case.notify("--letters", str(path))
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    assert sorted(row["line1"] for row in rows) == [f"{NO_EMAIL} Low Road", f"{BAD_EMAIL} Low Road"]
    statement = case.gateway.cli("incident", "statement", "1")
    assert "We are writing letters to" in statement and "We have written to the people" not in statement, statement


def test_an_exercise_writes_to_a_server_that_sends_nothing_on_alone(make_gateway, make_server):
    case = notices.Case(make_gateway, make_server(), 12, 0)
    for statement in case.statements[:1]:
        case.gateway.psql(case.agent, statement)
    case.gateway.settings["portal"] = {"folder": "site", "queue": "queue"}
    case.gateway.write_config()
    case.gateway.cli("incident", "open", "--partner", "north", "--noticed", "now", "--drill")
    code, _, errors = case.gateway.cli("incident", "publish", "1", check=False)
    assert code == 1 and "is an exercise" in errors and "--out DIR" in errors, errors
    case.gateway.cli("incident", "publish", "1", "--out", str(case.gateway.folder / "site"))
    code, _, errors = case.notify("--send", "--approve", case.dry_run()["hash"], check=False)
    assert code == 1 and "is an exercise" in errors and "does not say mail.sink: true" in errors, errors
    assert recipients(case.server) == []
    case.configure(sink=True)
    case.notify("--resume")
    assert recipients(case.server) == expected_recipients(12, 0)
    assert case.gateway.cli("incident", "statement", "1").startswith("AN EXERCISE, NOT TO BE PUBLISHED.")
    assert "AN EXERCISE, NOT TO BE FILED." in case.gateway.cli("incident", "report", "1", "--authority", "ico")


def test_nobody_is_told_by_a_server_that_sends_nothing_on(make_gateway, make_server):
    case = notices.Case(make_gateway, make_server(), 4, 0, mail={"sink": True})
    case.open()
    code, _, errors = case.notify("--send", "--approve", case.dry_run()["hash"], check=False)
    assert code == 1 and "is no exercise" in errors and "nobody would get a message" in errors, errors
    assert recipients(case.server) == []
    case.configure()
    case.notify("--resume")
    assert recipients(case.server) == expected_recipients(4, 0)
