"""A closed case is not changed unseen: it takes nothing more until somebody opens it again and says why."""
import datetime

import pytest

from harness import shop

POLICY = shop.POLICY.replace("controller: {name: Shop,", "controller: {name: Shop, jurisdictions: [uk-gdpr],")
DUTIES = ("scope", "file-ico", "notices", "statement")


@pytest.fixture(scope="module")
def closed(make_module_gateway):
    gateway = make_module_gateway(policy_yaml=POLICY)
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    gateway.cli("incident", "open", "--partner", "acme", "--noticed", now)
    for duty in DUTIES:
        gateway.cli("incident", "close", "1", "--duty", duty, "--waive", "not needed here")
    gateway.cli("incident", "close", "1", "--why", "over")
    return gateway


@pytest.mark.parametrize("arguments", [
    ("fact", "1", "harm", "no"),
    ("decide", "1", "--step", "letters", "--why", "posted"),
    ("scope", "1", "--new-phase", "--reason", "more was found"),
    ("reported", "1", "--authority", "ico", "--reference", "IC-1"),
    ("notify", "1", "--send", "--approve", "0" * 64),
    ("notify", "1", "--resume"),
    ("notify", "1", "--letters", "/tmp/never-written.csv"),
    ("notify", "1", "--doubt", "letter", "--why", "x"),
], ids=lambda words: " ".join(words[:1] + words[2:3]))
def test_a_closed_case_takes_nothing(closed, arguments):
    before = closed.cli("incident", "show", "1", "--json")
    code, _, errors = closed.cli("incident", *arguments, check=False)
    assert (code, "incident 1 is closed" in errors, "reopen" in errors) == (1, True, True), errors
    assert closed.cli("incident", "show", "1", "--json") == before


def test_the_list_tells_the_clock_that_runs_out_next(make_gateway):
    gateway = make_gateway(policy_yaml=POLICY)
    now = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=90)
    gateway.cli("incident", "open", "--partner", "acme", "--noticed", now.strftime("%Y-%m-%dT%H:%M:%SZ"))
    [listed] = gateway.cli_json("incident", "list")
    assert listed["containment"].startswith("contained 1 h 30 min after the notice"), listed
    assert listed["next"].startswith("Notify the ICO: 70 h"), listed
    gateway.cli("incident", "reported", "1", "--authority", "ico", "--reference", "IC-1")
    [listed] = gateway.cli_json("incident", "list")
    assert listed["next"].startswith("Tell the people affected: open for 1 h"), listed


def test_reopened_it_goes_on_and_closes_again(closed):
    code, _, errors = closed.cli("incident", "reopen", "1", check=False)
    assert (code, "--why" in errors) == (2, True), errors
    assert "is open again" in closed.cli("incident", "reopen", "1", "--why", "another export was found", "--by", "dpo")
    code, _, errors = closed.cli("incident", "reopen", "1", "--why", "again", check=False)
    assert (code, "incident 1 is open" in errors) == (1, True), errors
    closed.cli("incident", "fact", "1", "harm", "no")
    steps = [(row["step"], row["by"]) for row in closed.cli_json("incident", "log", "1")]
    assert ("reopen", "dpo") in steps, steps
    code, _, errors = closed.cli("incident", "close", "1", "--why", "over for good", check=False)
    assert (code, f"open: {', '.join(DUTIES)}" in errors) == (1, True), errors  # what was waived is asked again
    for duty in DUTIES:
        closed.cli("incident", "close", "1", "--duty", duty, "--waive", "nor is it now")
    closed.cli("incident", "close", "1", "--why", "over for good")
    closed.cli("incident", "verify", "1")
