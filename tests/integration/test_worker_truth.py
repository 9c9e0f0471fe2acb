"""What the worker says is true: of people who share a mailbox, of closed cases, of what came after the scope. And no
request, whoever left it, keeps others from being answered."""
import csv
import subprocess
import time

import pytest

from harness import places
from harness.mailserver import MailServer
from harness.notices import CHILD, SQL, text_of
from harness.office import STATEMENTS, Office

NO, YES, NAMED = "Our records say no.", "Yes, it does.", "a plain yes or no."


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


def change(office, sql):
    gateway = office.gateway
    gateway.cluster.rows(sql, gateway.database)


def answers(office):
    """Of one round: (address, "yes" | "no" | "named" | "notice") of each message, sorted."""
    kinds = {"yes": YES, "no": NO, "named": NAMED}
    return sorted((message["to"], next((kind for kind, words in kinds.items() if words in text), "notice"))
                  for message in office.work() for text in [text_of(message)])


def test_who_shares_a_mailbox_with_somebody_affected_is_not_told_no(office):
    """The same person as a customer, whose data was not given away, and as an enquirer, whose data was."""
    change(office, "UPDATE crm.customer SET email = 'e1@mail.example' WHERE customer_id = 59")
    office.ask("e1@mail.example")
    assert answers(office) == [("e1@mail.example", "yes")]
    office.ask("e1@mail.example")
    assert answers(office) == [], "the second request of the day"
    assert office.waiting() == 0


def test_of_many_in_one_mailbox_nobody_affected_is_passed_over(office):
    """Five customers who are not affected stand before the enquirer who is."""
    change(office, "UPDATE crm.customer SET email = 'e2@mail.example' WHERE customer_id BETWEEN 54 AND 58")
    office.ask("e2@mail.example")
    assert answers(office) == [("e2@mail.example", "yes")]


def test_no_forged_request_stops_the_others(office):
    """Whoever has taken the portal over can leave any bytes in the queue."""
    office.ask(b"\xff\xfe@mail.example")
    office.ask(b"a\x01b@mail.example")
    office.ask(b"Person\xc0 x", kind="letter", postcode="BA1 1AA")
    office.ask("Person\nx", kind="letter", postcode="BA1 1AA")
    office.ask("c11@mail.example")
    assert answers(office) == [("c11@mail.example", "yes")]
    assert office.waiting() == 0 and "broken=4" in office.told, office.told


def test_who_was_counted_as_told_by_the_officers_decision_is_told_so_again(make_gateway, server):
    """The officer included a grade that is not told by default."""
    office = Office(make_gateway, server,
                    STATEMENTS + ("SELECT customer_id, full_name FROM enquirer WHERE customer_id = 4 OFFSET 1",))
    office.ask("e4@mail.example")
    assert answers(office) == [("e4@mail.example", "named")], "of grade witness"
    grades = ("--grades", "direct,declared,witness")
    approval = office.case.dry_run(*grades)["hash"]
    office.gateway.cli("incident", "publish", "1", *grades)
    before = len(server.messages())
    office.case.notify("--send", "--approve", approval, *grades)
    assert "e4@mail.example" in [message["to"] for message in server.messages()[before:]]
    office.new_day()
    office.ask("e4@mail.example")
    assert answers(office) == [("e4@mail.example", "notice")]


def declare(office, numbers, columns):
    keys = office.gateway.folder / "keys.csv"
    keys.write_text("customer_id\n" + "".join(f"{number}\n" for number in numbers))
    places.own(keys, office.gateway.user)
    office.gateway.cli("exposure", "declare", "--partner", "north", "--kind", "customer", "--columns", columns,
                       "--keys", keys, "--reason", "a test")


def test_who_is_named_is_not_told_no(make_gateway, server):
    """Whom the ledger names and nobody writes to; whoever is in figures alone is told so."""
    office = Office(make_gateway, server, STATEMENTS + (
        "SELECT customer_id, full_name FROM enquirer WHERE customer_id = 4 OFFSET 1",
        "SELECT count(*) FROM customer"))
    declare(office, [54, 55], "customer.brand")  # a column about nobody
    change(office, "UPDATE crm.customer SET email = 'c55@mail.example' WHERE customer_id = 56")
    office.gateway.cli("incident", "scope", "1", "--new-phase", "--reason", "an export was declared")
    for address in ("c53", "c54", "c55", "e3", "e4"):
        office.ask(f"{address}@mail.example")
    before = len(server.messages())
    assert answers(office) == [("c53@mail.example", "no"), ("c54@mail.example", "named"), ("c55@mail.example", "named"),
                               ("e3@mail.example", "no"), ("e4@mail.example", "named")]
    texts = {message["to"]: text_of(message) for message in server.messages()[before:]}
    figures = "You were counted in figures"
    assert [to for to, text in texts.items() if figures in text] == ["c53@mail.example"], texts
    assert "did not give" not in texts["c54@mail.example"] and "A company that works for us (" in texts["c54@mail.example"]


def test_nobody_is_told_no_while_the_scope_is_behind_the_ledger(make_gateway, server):
    office = Office(make_gateway, server)
    declare(office, [54], "customer.full_name")
    office.ask("c54@mail.example")
    office.ask("c53@mail.example")
    office.ask("c11@mail.example")
    assert answers(office) == [("c11@mail.example", "yes")]
    assert office.waiting() == 2 and "phase" in office.told, office.told
    office.gateway.cli("incident", "scope", "1", "--new-phase", "--reason", "an export was declared")
    assert answers(office) == [("c53@mail.example", "no"), ("c54@mail.example", "yes")]


def test_a_closed_case_is_not_forgotten(make_gateway, server):
    office = Office(make_gateway, server)
    office.gateway.cli("incident", "scope", "1")
    for row in office.gateway.cli_json("incident", "show", "1")["remaining"]:
        office.gateway.cli("incident", "close", "1", "--duty", row["duty"], "--waive", "a test")
    office.gateway.cli("incident", "close", "1", "--why", "a test")
    office.ask("c11@mail.example")
    office.ask("c53@mail.example")
    assert answers(office) == [("c11@mail.example", "yes"), ("c53@mail.example", "no")]


def test_a_child_without_a_name_stops_neither_letters_nor_answers(make_gateway, server):
    office = Office(make_gateway, server)
    portal = office.gateway.settings.pop("portal")  # without one nothing has to be published first
    office.gateway.write_config()
    for name, number in ((None, CHILD), ("Kim 3", 9)):
        change(office, f"UPDATE crm.customer SET birth_date = current_date - 3000, full_name = "
                       f"{'NULL' if name is None else repr(name)} WHERE customer_id = {number}")
    before = len(server.messages())
    office.case.send()
    sent = {message["to"]: text_of(message) for message in server.messages()[before:]}
    for number in (CHILD, 9):
        assert "To the parent or guardian" in sent[f"c{number}@mail.example"], sent.keys()
        assert "None" not in sent[f"c{number}@mail.example"]
    path = office.gateway.folder / "letters.csv"
    office.case.notify("--letters", str(path))
    assert len(list(csv.reader(path.read_text().splitlines()))) > 1
    office.gateway.settings["portal"] = portal
    office.gateway.write_config()
    office.ask(f"c{CHILD}@mail.example")
    office.ask("c11@mail.example")
    assert answers(office) == [("c11@mail.example", "notice"), (f"c{CHILD}@mail.example", "notice")]


def test_what_the_database_cannot_write_is_nobodys_address(make_gateway, cluster, server):
    """Anybody can type characters that the database's encoding lacks."""
    cluster.rows("CREATE DATABASE latin TEMPLATE template0 ENCODING LATIN1 LC_COLLATE 'C' LC_CTYPE 'C'")
    cluster.script("latin", SQL.format(customers=60, enquirers=4))

    def before_latin(sql, **options):
        return make_gateway(database="latin", **options)

    office = Office(before_latin, server)
    office.ask("漢@mail.example")
    office.ask("漢字", kind="letter", postcode="漢")
    office.ask("c11@mail.example")
    assert answers(office) == [("c11@mail.example", "yes")]
    assert office.waiting() == 0 and "unknown=2" in office.told, office.told


def test_two_workers_are_one_too_many(office):
    """Each would answer: what one has sent the other has not seen."""
    log = office.gateway.folder / "worker.log"
    with open(log, "wb") as out:
        process = places.popen_as(office.gateway.user, [office.gateway.program, "worker", "-c", office.gateway.config],
                                  stdout=out, stderr=out, stdin=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while b"worker_started" not in log.read_bytes():
            assert time.monotonic() < deadline and process.poll() is None, log.read_text()
            time.sleep(0.05)
        assert "another worker" in office.work(fails=True)
    finally:
        process.terminate()
        process.wait(timeout=20)
    assert office.work() == []
