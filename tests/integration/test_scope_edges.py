"""The edges of a scope: the time and the facts that lie just beside what a phase counts."""
import datetime

import psycopg
import pytest
import yaml

from harness import breach, notices
from harness.mailserver import MailServer


@pytest.fixture
def gateway(make_gateway):
    return make_gateway(policy_yaml=breach.POLICY, contact=False)


def listed(gateway, number=1, *more):
    """Keys of the people in scope."""
    lines = gateway.cli("incident", "scope", str(number), "--list", "-", *more).splitlines()[1:]
    return {line.split(",")[1] for line in lines}


def read(gateway, where):
    return {str(row[0]) for row in gateway.rows("acme.cert", f"SELECT person_id, full_name FROM person WHERE {where}")}


def open_incident(gateway, *more):
    gateway.cli("incident", "open", "--partner", "acme", "--noticed", "now", *more)


def declare(gateway, *keys):
    path = gateway.folder / "keys.txt"
    path.write_text("".join(f"{key}\n" for key in keys))
    path.chmod(0o644)
    gateway.cli("exposure", "declare", "--partner", "acme", "--kind", "person", "--columns", "person.full_name",
                "--keys", path, "--reason", "a disk")


@pytest.mark.parametrize("end", ["today", "second", "now"])
def test_what_was_given_in_the_last_day_second_or_instant_is_in_scope(gateway, end):
    had = read(gateway, "person_id <= 20")
    now = datetime.datetime.now(datetime.timezone.utc)
    word = {"today": now.strftime("%Y-%m-%d"), "second": now.strftime("%Y-%m-%dT%H:%M:%SZ"), "now": "now"}[end]
    open_incident(gateway, "--to", word)
    assert listed(gateway) == had and had


def test_attackers_came_more_than_a_year_ago(gateway):
    had = read(gateway, "person_id <= 20")
    code, _, errors = gateway.cli("incident", "open", "--partner", "acme", "--noticed", "now", "--from",
                                  "2019-03-01", check=False)
    assert code == 0 and "is the year right?" in errors, errors
    assert listed(gateway) == had


def test_a_phase_says_what_it_does_not_count(gateway):
    """Nobody whose data was declared, or read by a partner that was not contained, is forgotten silently."""
    had = read(gateway, "person_id <= 20")
    open_incident(gateway, "--no-contain", "--reason", "they deliver the parts")
    assert listed(gateway) == had
    assert "does not count" not in gateway.cli("incident", "scope", "1", check=False)[2]
    later = read(gateway, "person_id BETWEEN 50 AND 60")
    declare(gateway, 150, 151)
    for verb in (("scope", "1"), ("report", "1", "--authority", "ico")):
        code, _, errors = gateway.cli("incident", *verb, check=False)
        assert code == 0 and "1 declared exports" in errors and "batches of rows" in errors, errors
    assert "more of the partner than the newest phase counts" in gateway.cli("incident", "show", "1")
    assert listed(gateway) == had
    gateway.cli("incident", "scope", "1", "--new-phase", "--reason", "what came since")
    assert listed(gateway) == had | later | {"150", "151"}
    assert "containment: NOT CONTAINED" in gateway.cli("incident", "show", "1")
    gateway.cli("partner", "contain", "acme", "--reason", "enough")
    assert "NOT CONTAINED" not in gateway.cli("incident", "show", "1")
    gateway.cli("partner", "restore", "acme", "--reason", "it is mended")
    read(gateway, "person_id BETWEEN 70 AND 80")
    assert "NOT CONTAINED" not in gateway.cli("incident", "show", "1")  # it was, in time
    assert "does not count" not in gateway.cli("incident", "scope", "1", check=False)[2]


def test_a_list_is_compared_with_what_was_declared_since(gateway):
    had = read(gateway, "person_id <= 20")
    open_incident(gateway)
    assert listed(gateway) == had
    declare(gateway, 150)
    sample = gateway.folder / "sample.csv"
    sample.write_text("person_id\n150\n")
    sample.chmod(0o644)
    code, _, errors = gateway.cli("incident", "scope", "1", "--confirm", sample, check=False)
    assert code == 0 and "1 person confirmed" in errors and "WARNING" not in errors, errors
    assert gateway.cli_json("incident", "scope", "1")["totals"]["confirmed"] == 1


def test_who_acts_is_judged_before_anything_is_done(gateway):
    code, _, errors = gateway.cli("incident", "open", "--partner", "acme", "--noticed", "now", "--by",
                                  "a\nrestore by=b", check=False)
    assert code == 1 and "control characters" in errors, errors
    assert read(gateway, "person_id <= 3")
    assert gateway.cli_json("incident", "list") == []
    name = "O'Neil, \"DPO\"; CONTAIN (Zoë) 'x''"
    gateway.cli("incident", "open", "--partner", "acme", "--noticed", "now", "--by", name)
    gateway.cli("incident", "decide", "1", "--step", "it's \"odd\"", "--why", "line\nbreak 'x'", "--by", name)
    gateway.cli("incident", "verify", "1")
    with pytest.raises(psycopg.OperationalError):
        gateway.connect("acme.cert")


def test_a_policy_with_other_kinds_is_not_read_with_this_ledger(gateway):
    """The gateway refuses such a policy; beside it, people of one kind would be told as another's."""
    read(gateway, "person_id <= 20")
    open_incident(gateway)
    kinds = gateway.state_dir / "kinds"
    ours = kinds.read_text()
    assert ours == "person\n"
    kinds.write_text("visitor\nperson\n")
    code, output, errors = gateway.cli("incident", "scope", "1", check=False)
    assert code == 1 and not output and '"visitor" has gone or stands in another place' in errors, errors
    kinds.write_text(ours)
    assert "person" in gateway.cli("incident", "scope", "1", "--table", "kind")


def test_a_partner_that_the_policy_has_no_longer_can_be_breached(gateway):
    had = read(gateway, "person_id <= 20")
    policy = yaml.safe_load(breach.POLICY)
    del policy["partners"]["acme"]
    gateway.write_policy(yaml.safe_dump(policy, sort_keys=False))
    gateway.cli("reload")
    code, _, errors = gateway.cli("incident", "open", "--partner", "acmee", "--noticed", "now", check=False)
    assert code == 1 and 'the policy has no partner "acmee"' in errors, errors
    open_incident(gateway, "--suspect", "agent:cert", "--from", "2026-01-01")
    assert listed(gateway) == had
    shown = gateway.cli("incident", "show", "1")
    assert "it is no longer in the policy: nobody can log in as it" in shown, shown
    assert "does the gateway have this policy?" in shown and "is being served" not in shown
    gateway.cli("incident", "verify", "1")


def test_two_open_cases_of_one_partner_are_told(gateway):
    code, _, errors = gateway.cli("incident", "open", "--partner", "acme", "--noticed", "now", check=False)
    assert code == 0 and "two messages" not in errors, errors
    code, _, errors = gateway.cli("incident", "open", "--partner", "acme", "--noticed", "now", check=False)
    assert code == 0 and "incident 1 of this partner is open, too" in errors, errors


def test_without_the_gateway_it_says_that_nothing_is_done(gateway):
    read(gateway, "person_id <= 20")
    gateway.stop()
    code, _, errors = gateway.cli("incident", "open", "--partner", "acme", "--noticed", "now", check=False)
    assert code == 1 and "nothing is done, since the gateway does not answer" in errors and "valid:" in errors, errors
    assert gateway.cli_json("incident", "list") == []
    gateway.start()


def test_an_act_whose_decision_was_lost_can_be_accounted_for(gateway):
    """As if the program had been killed between the ledger and the case's log."""
    open_incident(gateway)
    lost = gateway.admin("RECORD ACT 'incident 1: letters; why sha256=00' PARTNER 'acme' BY 'them'")[0]["sequence"]
    code, _, errors = gateway.cli("incident", "verify", "1", check=False)
    step = f"account for entry {lost}"
    assert code == 1 and f'--step "{step}"' in errors, errors
    gateway.cli("incident", "decide", "1", "--step", step, "--why", "the terminal was closed before it was logged")
    gateway.cli("incident", "verify", "1")


def test_a_dry_run_says_whom_it_does_not_count(make_gateway, authority):
    server = MailServer(authority)
    try:
        case = notices.Case(make_gateway, server, customers=12, enquirers=2,
                            statements=("SELECT customer_id, full_name FROM customer WHERE customer_id <= 10",)).open()
        _, _, errors = case.notify("--dry-run", check=False)
        assert "does not count" not in errors, errors
        keys = case.gateway.folder / "keys.txt"
        keys.write_text("11\n12\n")
        keys.chmod(0o644)
        case.gateway.cli("exposure", "declare", "--partner", "north", "--kind", "customer", "--columns",
                         "customer.full_name", "--keys", keys, "--reason", "a disk")
        code, _, errors = case.notify("--dry-run", check=False)
        assert code == 0 and "1 declared exports" in errors, errors
    finally:
        server.close()
