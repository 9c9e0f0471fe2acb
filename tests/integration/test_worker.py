"""Who asks on the public page is answered by the worker: at the address on file only, with what the scope says."""
import os
import re
import signal
import subprocess
import time

import pytest

from harness import examples, places
from harness.mailserver import MailServer
from harness.notices import Case, parsed, text_of
from harness.office import Office


@pytest.fixture(scope="module")
def server():
    made = MailServer(user=None)
    yield made
    made.close()


@pytest.fixture(scope="module")
def office(make_module_gateway, server):
    return Office(make_module_gateway, server)


@pytest.fixture(autouse=True)
def fresh(request):
    if "office" in request.fixturenames:
        request.getfixturevalue("office").new_day()


def test_who_is_affected_learns_it_at_the_address_on_file(office):
    office.ask(" C11@Mail.example")
    (message,) = office.work()
    text = text_of(message)
    assert message["to"] == "c11@mail.example" and parsed(message)["To"] == "c11@mail.example", message
    assert "Yes, it does. A company that works for us had information about you" in text, text
    assert parsed(message)["Subject"] == "Meridian: your question about the data breach"
    assert "Imogen Hartley" in text and "meridian.example/privacy" in text
    assert "http" not in message["data"] and "Person" not in text
    assert office.waiting() == 0


def test_who_is_not_affected_learns_since_when_we_know(office):
    office.ask("c53@mail.example", language="fr")
    office.ask("c52@mail.example")
    messages = {message["to"]: text_of(message) for message in office.work()}
    english, french = messages["c53@mail.example"], messages["c52@mail.example"]  # the person's own language
    assert "Our records say no." in english and "A company that works for us (1 January 2026)" in english, english
    assert re.search(r"We have kept these records since \d+ \w+ 20\d\d\.", english), english
    assert "D'après nos registres, non." in french.replace("’", "'") and "(1er janvier 2026)" in french, french


def test_the_examples_are_what_is_answered(office):
    """Of the dates, only that of the incident is always the same."""
    for customer in (11, 12, 53, 52):
        office.ask(f"c{customer}@mail.example")
    texts = {message["to"]: text_of(message) for message in office.work()}
    for customer, name in (11, "affected.en"), (12, "affected.fr"), (53, "unaffected.en"), (52, "unaffected.fr"):
        day = "22 November 2026" if name.endswith("en") else "22 novembre 2026"
        text = re.sub(r"\b(?!1 January|1er janvier)\d+(er)?\s\w+\s20\d\d", day, texts[f"c{customer}@mail.example"])
        examples.compare(f"answer-{name}.txt", text)


def test_unknown_addresses_get_nothing(office):
    for value in ("nobody@mail.example", "no address", "%", "' OR 1=1 --", "c11@mail.example\n", "ü@é.example"):
        office.ask(value)
    office.ask("", kind="nothing")
    assert office.work() == [] or [m["to"] for m in office.server.messages()[-1:]] == ["c11@mail.example"]
    assert office.waiting() == 0


def test_nobody_is_answered_twice_a_day(office):
    for _ in range(3):
        office.ask("c12@mail.example")
    assert [message["to"] for message in office.work()] == ["c12@mail.example"]
    office.ask("C12@mail.example")
    assert office.work() == [] and office.waiting() == 0
    office.new_day()
    office.ask("c12@mail.example")
    assert len(office.work()) == 1


def test_the_dead_and_the_old_are_left_alone(office):
    office.ask("c1@mail.example")  # deceased
    office.ask("c13@mail.example", age_s=8 * 86400)
    assert office.work() == [] and office.waiting() == 0
    assert "old=1" in office.told, office.told


def letter_duties(office):
    remaining = office.gateway.cli_json("incident", "show", "1")["remaining"]
    return [row for row in remaining if row["duty"] == "letter-requests"]


def test_letters_are_listed_by_key_and_not_by_address(office):
    office.ask("person  BC", kind="letter", postcode="ba11aa")  # 12
    office.ask("Person e", kind="letter", postcode="BA1 1AA")  # 4 has no postal address
    office.ask("Person f", kind="letter", postcode="BA1 1AA")  # 5 has moved away
    office.ask("Person g", kind="letter", postcode="BA1 1AA")  # 6: a letter could be a danger
    office.ask("Person fg", kind="letter", postcode="BA1 1AA")  # 56, not in scope
    office.ask("Person bc", kind="letter", postcode="ZZ1 1ZZ")
    assert office.work() == []
    path = office.incidents / "letter-requests.csv"
    rows = [line.split(",") for line in path.read_text().splitlines()]
    assert rows[0] == ["asked", "kind", "key", "answer", "listed"]
    assert sorted(row[1:4] for row in rows[1:]) == [["customer", "12", "affected by incident 1"],
                                                   ["customer", "56", "not affected"]], rows
    assert path.stat().st_mode & 0o777 == 0o600
    office.ask("Person bc", kind="letter", postcode="BA1 1AA")
    office.work()
    assert len(path.read_text().splitlines()) == 3
    (duty,) = letter_duties(office)
    assert duty["open"].startswith("2 people asked") and str(path) in duty["do"], duty
    time.sleep(1.1)  # decisions are told to the second
    office.gateway.cli("incident", "decide", "1", "--step", "letter requests", "--why", "a test")
    assert letter_duties(office) == []


def test_what_is_read_is_recorded(office):
    office.ask("c14@mail.example")
    office.ask("c54@mail.example")
    assert len(office.work()) == 2
    entries = office.gateway.ledger()
    reads = [entry for entry in entries if entry["purpose"] == "answer to a request on the public page"]
    assert reads and reads[-1]["partner"] in (None, ""), reads[-1:]
    acts = [entry["text"] for entry in entries if "in no scope" in str(entry["text"])]
    assert acts and acts[-1].startswith("worker: read how 1 of kind customer who are in no scope are reached"), acts


def test_an_outage_of_the_mail_server_loses_nothing(office, server):
    office.ask("c15@mail.example")
    server.stop()
    assert "mail" in office.work(fails=True) and office.waiting() == 1
    server.start()
    assert [message["to"] for message in office.work()] == ["c15@mail.example"]
    assert office.waiting() == 0


def test_an_outage_of_gateway_or_database_loses_nothing(office):
    office.ask("c16@mail.example")
    office.gateway.stop()
    office.work(fails=True)
    assert office.waiting() == 1
    office.gateway.start()
    password = office.gateway.folder / "contact.password"
    good = password.read_text()
    office.gateway._write_secret("contact.password", "wrong")
    assert "password authentication failed" in office.work(fails=True) and office.waiting() == 1
    office.gateway._write_secret("contact.password", good)
    assert [message["to"] for message in office.work()] == ["c16@mail.example"]


def test_answers_that_the_server_puts_off_are_tried_again(office, server):
    office.ask("c17@mail.example")
    server.stop()
    server.start(defer="^c17")
    assert office.work() == [] and office.waiting() == 1
    server.stop()
    server.start(refuse="^c17")
    assert office.work() == [] and office.waiting() == 0
    server.stop()
    server.start()


def test_strangers_files_in_the_queue_are_removed_or_left(office):
    (office.queue / "readme").write_text("x")
    (office.queue / ("0" * 32 + ".request")).write_bytes(os.urandom(1080))
    (office.queue / ("1" * 32 + ".request")).symlink_to("/etc/passwd")
    office.work()
    assert [path.name for path in office.queue.iterdir()] == ["readme"]
    (office.queue / "readme").unlink()


def test_it_runs_until_it_is_stopped(office):
    log = office.gateway.folder / "worker.log"
    with open(log, "wb") as out:
        process = places.popen_as(office.gateway.user, [office.gateway.program, "worker", "-c", office.gateway.config],
                                  stdout=out, stderr=out, stdin=subprocess.DEVNULL)
    try:
        before = len(office.server.messages())
        office.ask("c18@mail.example")
        deadline = time.monotonic() + 20
        while len(office.server.messages()) == before:
            assert time.monotonic() < deadline and process.poll() is None, log.read_text()
            time.sleep(0.1)
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=20)
    assert code == 0, log.read_text()
    assert "event=worker_started" in log.read_text() and "c18@" not in log.read_text()


def test_without_a_portal_or_mail_it_says_what_to_write(make_gateway):
    gateway = make_gateway(start=False)
    code, _, errors = gateway.cli("worker", "--once", check=False)
    assert code == 1 and "nothing for a worker to do" in errors and "portal:" in errors, errors


def test_a_server_that_sends_nothing_on_answers_nobody(make_gateway):
    gateway = make_gateway(start=False, config={"portal": {"folder": "site", "queue": "queue"},
                                                "mail": {"host": "localhost", "sink": True, "bounces": "b@shop.example"}})
    code, _, errors = gateway.cli("worker", "--once", check=False)
    assert code == 1 and "mail.sink" in errors, errors


def test_after_approval_the_persons_own_notice_comes_again(office):
    """Last: it changes the case."""
    portal = office.gateway.settings.pop("portal")  # without one nothing has to be published first
    office.gateway.write_config()
    office.case.send()
    office.gateway.settings["portal"] = portal
    office.gateway.write_config()
    sent = {message["to"]: message for message in office.server.messages()}
    notice = sent["c19@mail.example"]
    office.ask("c19@mail.example")
    (again,) = office.work()
    assert parsed(again)["Subject"] == parsed(notice)["Subject"] != "Meridian: your question about the data breach"
    assert parsed(again)["Message-ID"] != parsed(notice)["Message-ID"]
    reference = re.compile(r"([0-9A-Z]{4}-){5}[0-9A-Z]")
    assert reference.search(text_of(again)).group() == reference.search(text_of(notice)).group()
    office.ask("c55@mail.example")
    assert "Our records say no." in text_of(office.work()[0])
    office.gateway.cli("incident", "fact", "1", "partner_public_name", "North Mailing Ltd")
    office.new_day()
    office.ask("c55@mail.example")
    assert "North Mailing Ltd (1 January 2026)" in text_of(office.work()[0])


def test_delivery_notices_reach_the_outbox(make_gateway):
    """Those that come when nobody sends any more."""
    server = MailServer(user=None)
    try:
        case = Case(make_gateway, server, customers=12, enquirers=1, mail={"bounce_folder": None})
        gateway = case.gateway
        server.stop()
        server.start(notices=case.bounces, fail="^c11@")
        case.open().send()
        assert "bounced" not in case.states(), case.states()
        deadline = time.monotonic() + 10
        while not list((case.bounces / "new").iterdir()):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        gateway.settings["mail"]["bounce_folder"] = "bounces"
        gateway.write_config()
        gateway.cli("worker", "--once")
        assert case.states()["bounced"] == 1, case.states()
    finally:
        server.close()
