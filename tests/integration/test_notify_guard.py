"""What is wrong with us or with the database must not look like something about the people."""
import collections
import contextlib
import sqlite3
import time

import pytest

from harness import notices
from harness.mailserver import MailServer


@pytest.fixture
def make_server(authority):
    made = []

    def make(**options):
        made.append(MailServer(authority, **options))
        return made[-1]
    yield make
    for server in made:
        server.close()


def recipients(server):
    return collections.Counter(message["to"] for message in server.messages())


def test_a_key_that_stands_in_many_rows_is_one_person(make_gateway, make_server):
    case = notices.Case(make_gateway, make_server(), 71, 0).open()
    approved = case.dry_run()["hash"]
    case.gateway.cluster.script(
        case.gateway.database,
        "ALTER TABLE crm.customer DROP CONSTRAINT customer_pkey;"
        "INSERT INTO crm.customer SELECT c.* FROM crm.customer c, generate_series(1, 300) WHERE customer_id IN (12, 13)")
    case.notify("--send", "--approve", approved)
    got = recipients(case.server)
    assert len(got) == 66 and set(got.values()) == {1}, got
    assert case.states() == {"accepted": 66, "letter": 2, "public notice": 2, "silent": 1}


def test_a_database_that_has_lost_its_people_stops_the_sending_and_a_new_phase_reaches_them(make_gateway, make_server):
    case = notices.Case(make_gateway, make_server(), 131, 0, mail={"connections": 1}).open()
    approved = case.dry_run()["hash"]
    script = lambda sql: case.gateway.cluster.script(case.gateway.database, sql)
    script("CREATE TABLE crm.kept AS SELECT * FROM crm.customer; DELETE FROM crm.customer WHERE customer_id >= 9")
    code, _, errors = case.notify("--send", "--approve", approved, check=False)
    assert code == 1 and "missing who were there" in errors, errors
    states = case.states()
    assert states["erased"] == 50 and states["ready"] == 76, states
    script("INSERT INTO crm.customer SELECT * FROM crm.kept WHERE customer_id >= 9")
    case.notify("--resume")
    first = recipients(case.server)
    case.gateway.cli("incident", "scope", "1", "--new-phase", "--reason", "the database is whole again", "--by", "dpo")
    assert case.dry_run()["people"] == 50
    case.send()
    got = recipients(case.server)
    assert len(got) == 126 and set(got.values()) == {1}, (len(first), got)


def test_who_is_refused_after_the_fiftieth_is_not_written_off(make_gateway, make_server):
    case = notices.Case(make_gateway, make_server(refuse="."), 231, 0, mail={"connections": 1}).open()
    code, _, errors = case.notify("--send", "--approve", case.dry_run()["hash"], check=False)
    assert code == 1 and "50 messages in a row were refused" in errors, errors
    assert case.states()["refused"] == 50, case.states()


def change_policy(case, old, new):
    assert old in notices.POLICY
    case.gateway.write_policy(notices.POLICY.replace(old, new))


def test_what_says_where_messages_go_is_approved_too(make_gateway, make_server):
    case = notices.Case(make_gateway, make_server(), 33, 0).open()
    approved = case.dry_run()["hash"]
    change_policy(case, "email: email, phone: phone, post", "email: street, phone: phone, post")
    code, _, errors = case.notify("--send", "--approve", approved, check=False)
    assert code == 1 and "not what was approved" in errors, errors
    assert not recipients(case.server)


def test_a_sender_that_is_no_address_is_told_before_anybody_is_written_off(make_gateway, make_server):
    case = notices.Case(make_gateway, make_server(), 34, 0).open()
    change_policy(case, "sender: privacy@dacre.example", "sender: privacy at dacre")
    code, _, errors = case.notify("--dry-run", check=False)
    assert code == 1 and "is no mail address" in errors, errors


def test_two_who_approve_at_once_begin_one_notice(make_gateway, make_server):
    case = notices.Case(make_gateway, make_server(), 35, 0).open()
    words = ["--send", "--approve", case.dry_run()["hash"]]
    processes = [case.start(*words) for _ in range(4)]
    outputs = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes].count(0) == 1, outputs
    case.notify("--resume")
    got = recipients(case.server)
    assert len(got) == 30 and set(got.values()) == {1}, got


def test_a_phase_whose_people_are_not_known_has_no_notice(make_gateway, make_server):
    """Otherwise everybody would be written to in one language, by no brand."""
    case = notices.Case(make_gateway, make_server(), 36, 0).open()
    contact = case.gateway.settings.pop("contact")
    case.gateway.write_config()
    case.gateway.cli("incident", "scope", "1")
    case.gateway.settings["contact"] = contact
    case.gateway.write_config()
    code, _, errors = case.notify("--dry-run", check=False)
    assert code == 1 and "neither brand nor language is known" in errors, errors
    case.gateway.cli("incident", "scope", "1", "--new-phase", "--reason", "the database is back", "--by", "dpo")
    case.send()
    got = recipients(case.server)
    assert len(got) == 31 and set(got.values()) == {1}, got


def put_off(case):
    """The sending as it is before the last attempt of everybody who was put off."""
    process = case.start("--send", "--approve", case.dry_run()["hash"])
    while case.notify("--status", check=False)[0] != 0 or case.states().get("deferred", 0) < 146:
        time.sleep(0.1)
    process.terminate()
    process.communicate(timeout=30)
    with contextlib.closing(sqlite3.connect(next(case.gateway.folder.rglob("outbox.sqlite")))) as outbox, outbox:
        outbox.execute("UPDATE message SET attempts = 7, retry_ns = 0 WHERE state = 5")


def test_a_server_that_puts_everybody_off_for_hours_stops_the_sending(make_gateway, make_server):
    server = make_server(defer=".", defer_times=9)
    case = notices.Case(make_gateway, server, 151, 0, mail={"connections": 1}).open()
    put_off(case)
    code, _, errors = case.notify("--resume", check=False)
    assert code == 1 and "were put off to the last attempt" in errors, errors
    states = case.states()
    assert states["letter"] == 2 + 50 and states["deferred"] + states["ready"] == 96, states
