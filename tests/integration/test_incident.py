"""A partner telephones: it was breached. From that minute the case leads: contained first, clocks
running, every decision twice, and closed only when nothing is open."""
import datetime
import hashlib
import os
import pathlib
import pwd
import re
import sqlite3
import time

import psycopg
import pytest

from harness import places, shop
from harness.notes import Key, Note

POLICY = shop.POLICY.replace("controller: {name: Shop,", "controller: {name: Shop, jurisdictions: [uk-gdpr, eu-gdpr],")
assert POLICY != shop.POLICY


def stamp(seconds_ago=0):
    at = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=seconds_ago)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def gateway(make_gateway):
    return make_gateway(policy_yaml=POLICY)


@pytest.fixture
def shared(make_module_gateway):
    return make_module_gateway(policy_yaml=POLICY)


def write(gateway, name, text):
    path = gateway.folder / name
    path.write_text(text)
    path.chmod(0o644)
    return path


def open_incident(gateway, *more, noticed=None):
    return gateway.cli_json("incident", "open", "--partner", "acme", "--noticed",
                            noticed or stamp(120), "--by", "dpo", *more)


def case(sections):
    return {row["what"]: row["value"] for row in sections["case"]}


def steps(sections):
    return [row["step"] for row in sections["decisions"]]


def refusal(gateway, *arguments):
    code, _, errors = gateway.cli("incident", *arguments, check=False)
    assert code != 0, f"not refused: {arguments}"
    return errors


def contained(gateway):
    return [row["partner"] for row in gateway.admin("SHOW CONTAINMENT")]


def database(gateway):
    return gateway.state_dir / "incidents" / "incidents.sqlite"


def tamper(gateway, sql, *values):
    with sqlite3.connect(database(gateway)) as connection:
        changed = connection.execute(sql, values).rowcount
    connection.close()
    assert changed == 1, f"{changed} rows changed by {sql}"


# ---- opening ----

def test_opening_contains_fixes_and_starts_the_clocks(gateway):
    session = gateway.connect("acme.cert")
    session.execute("SELECT full_name FROM person").fetchall()
    report = write(gateway, "their notice.txt", "we have been hacked\n")
    sections = open_incident(gateway, "--report", str(report), "--suspect", "agent:cert",
                             "--from", stamp(86400), "--what", "ransomware at the provider")
    with pytest.raises(psycopg.Error):
        session.execute("SELECT 1")
    assert contained(gateway) == ["acme"]
    told = case(sections)
    assert told["call back"] == "A. Contact, +44 1632 960001"
    assert told["suspect"] == "agent:cert"
    assert re.fullmatch(r"contained 2 min \d\d s after the notice", told["containment"]), told
    assert told["its SHA-256"] == hashlib.sha256(b"we have been hacked\n").hexdigest()
    clocks = {(row["law"], row["source"]): row for row in sections["clocks"]}
    ico = clocks["uk-gdpr", "UK GDPR Art. 33(1)"]
    assert re.fullmatch(r"71 h 57 min left", ico["state"]), ico
    assert clocks["eu-gdpr", "GDPR Art. 34(1)"]["due"] == "without undue delay"
    assert steps(sections) == ["open", "contain", "receive notice"]
    assert "sessions ended: 1, in" in sections["decisions"][1]["why"]
    assert sections["facts"][0]["value"] == "ransomware at the provider"
    kept = gateway.state_dir / "incidents" / "1" / "notice-their_notice.txt"
    assert kept.read_text() == "we have been hacked\n"
    assert {row["duty"] for row in sections["remaining"]} == {"scope", "file-ico", "file-eu", "notices", "statement"}


def test_the_cutoff_is_the_ledgers(gateway):
    gateway.rows("acme.cert", "SELECT full_name FROM person")
    phase = open_incident(gateway)["phases"][0]
    acts = [entry for entry in gateway.ledger() if "incident 1: open" in (entry.get("text") or "")]
    assert len(acts) == 1
    assert phase["cutoff"] == acts[0]["sequence"], "everything before the first decision counts"
    assert gateway.cli("incident", "verify", "1").startswith("incident 1: 2 decisions and 1 phases agree")


@pytest.mark.parametrize("arguments, message", [
    (["--partner", "acm", "--noticed", "now"], "did you mean acme?"),
    (["--partner", "acme", "--noticed", "2199-01-01"], "--noticed: 2199-01-01 is in the future"),
    (["--partner", "acme", "--noticed", "2020-01-01"], "more than a year ago"),
    (["--partner", "acme", "--noticed", "yesterday"], "is not a time"),
    (["--partner", "acme", "--noticed", "now", "--suspect", "agent:crt"], "did you mean cert?"),
    (["--partner", "acme", "--noticed", "now", "--suspect", "certificate:xyz"], "is none"),
    (["--partner", "acme", "--noticed", "now", "--report", "/nonexistent"], "/nonexistent"),
    (["--partner", "acme", "--noticed", "now", "--no-contain"], "--reason"),
    (["--partner", "acme", "--noticed", "now", "--reason", "x"], "--no-contain"),
    (["--partner", "acme"], "--noticed is needed"),
    (["--partner", "acme", "--noticed", "now", "--from", "now", "--to", "HOUR"], "--from is later than --to"),
])
def test_wrong_arguments_do_nothing(shared, arguments, message):
    arguments = [stamp(3600) if word == "HOUR" else word for word in arguments]
    assert message in refusal(shared, "open", *arguments)
    assert contained(shared) == []
    assert shared.cli_json("incident", "list") == []


def test_a_contained_partner_keeps_its_time(gateway):
    gateway.cli("partner", "contain", "acme", "--reason", "odd traffic")
    since = gateway.admin("SHOW CONTAINMENT")[0]["since"]
    time.sleep(1.1)
    sections = open_incident(gateway, noticed="now")
    told = case(sections)
    assert told["contained"] == since
    assert "BEFORE the notice" in told["containment"]
    assert sections["decisions"][1]["why"] == f"it was contained already, since {since}"


def test_not_containing_is_a_decision(gateway):
    sections = open_incident(gateway, "--no-contain", "--reason", "the notice may be forged")
    assert contained(gateway) == []
    assert gateway.rows("acme.cert", "SELECT 1") == [(1,)]
    assert case(sections)["containment"] == "NOT CONTAINED"
    assert sections["decisions"][1]["step"] == "do not contain"
    assert sections["decisions"][1]["why"] == "the notice may be forged"
    assert "containment" in [row["duty"] for row in sections["remaining"]]


def test_containment_does_not_wait_for_the_case_file(gateway):
    database(gateway).parent.mkdir()
    database(gateway).write_bytes(b"this is no database, and longer than a header of one is " * 20)
    places.own(database(gateway).parent, gateway.user)
    places.own(database(gateway), gateway.user)
    database(gateway).chmod(0o600)
    errors = refusal(gateway, "open", "--partner", "acme", "--noticed", "now")
    assert "acme IS CONTAINED, but" in errors
    assert contained(gateway) == ["acme"]


def test_what_root_makes_is_the_services(gateway):
    gateway.cli("incident", "open", "--partner", "acme", "--noticed", "now",
                user=pwd.getpwuid(os.getuid()))
    made = [gateway.state_dir / "incidents", database(gateway)]
    assert {path.owner() for path in made} == {(gateway.state_dir).owner()}
    gateway.cli("incident", "list")


# ---- following a case ----

def test_facts_answer_known_questions(gateway):
    open_incident(gateway)
    gateway.cli("incident", "fact", "1", "likelihood", "likely")
    gateway.cli("incident", "fact", "1", "likelihood", "very likely")
    gateway.cli("incident", "fact", "1", "how", "--file", str(write(gateway, "how", "by\nmail\n")))
    facts = {row["name"]: row["value"] for row in gateway.cli_json("incident", "show", "1")["facts"]}
    assert facts == {"likelihood": "very likely", "how": "by\nmail"}
    assert "did you mean likelihood?" in refusal(gateway, "fact", "1", "likelyhood", "likely")
    assert "very unlikely | unlikely" in refusal(gateway, "fact", "1", "likelihood", "perhaps")
    assert "there are: 1" in refusal(gateway, "fact", "7", "how", "x")
    listed = {row["name"]: row for row in gateway.cli_json("incident", "fact", "1", "--list")}
    assert listed["how"]["value"] == "by\nmail"
    assert listed["cyber"]["answers"] == "yes | no | not known"


def test_a_filing_stops_its_authoritys_clock(gateway):
    open_incident(gateway, noticed=stamp(7200))
    sheet = write(gateway, "sheet.txt", "What happened: …\n")
    gateway.cli("incident", "reported", "1", "--authority", "ico", "--reference", "IC-1",
                "--at", stamp(3600), "--sheet", str(sheet))
    gateway.cli("incident", "reported", "1", "--authority", "ico", "--reference", "IC-1 follow-up")
    sections = gateway.cli_json("incident", "show", "1")
    states = {row["source"]: row["state"] for row in sections["clocks"]}
    assert states["UK GDPR Art. 33(1)"] in [f"done, {time} before it was due" for time in ("71 h 00 min", "70 h 59 min")]
    assert states["GDPR Art. 33(1)"].endswith("left")
    assert [row["reference"] for row in sections["filings"]] == ["IC-1", "IC-1 follow-up"]
    assert sections["filings"][0]["sheet_sha256"] == hashlib.sha256(sheet.read_bytes()).hexdigest()
    assert sections["evidence"][0]["name"] == "filed-ico-1-sheet.txt"
    assert "file-ico" not in [row["duty"] for row in sections["remaining"]]
    assert "ico, eu" in refusal(gateway, "reported", "1", "--authority", "cnil", "--reference", "x")
    assert "before the breach" in refusal(gateway, "reported", "1", "--authority", "eu", "--reference", "x",
                                          "--at", stamp(86400))


def test_a_late_filing_is_late(gateway):
    open_incident(gateway, noticed=stamp(80 * 3600))
    sections = gateway.cli_json("incident", "show", "1")
    assert sections["clocks"][0]["state"].startswith("OVERDUE by 8 h 0")
    gateway.cli("incident", "reported", "1", "--authority", "ico", "--reference", "IC-1")
    state = gateway.cli_json("incident", "show", "1")["clocks"][0]["state"]
    assert re.fullmatch(r"done 8 h 0\d min late", state), state


def test_decisions_stand_in_the_ledger(gateway):
    open_incident(gateway)
    gateway.cli("incident", "decide", "1", "--step", "restore", "--why", "clean again", "--by", "dpo")
    entry = gateway.cli_json("incident", "log", "1")[-1]
    digest = hashlib.sha256(b"clean again").hexdigest()
    act = [act for act in gateway.ledger() if act["sequence"] == entry["sequence"]][0]
    assert act["text"].startswith(f"incident 1: restore; why sha256={digest} by=")
    assert act["text"].endswith(" (dpo)")
    assert (entry["by"], entry["step"], entry["why"]) == ("dpo", "restore", "clean again")


# ---- verifying ----

@pytest.mark.parametrize("sql, message", [
    ("UPDATE decision SET why = 'because' WHERE step = 'contain'", "decision 2 of incident 1 is not what entry"),
    ("UPDATE decision SET by = 'nobody' WHERE step = 'contain'", "decision 2 of incident 1 is not what entry"),
    ("DELETE FROM decision WHERE step = 'contain'", "the log lacks the decision of entry"),
    ("UPDATE phase SET root = zeroblob(32)", "are not those of phase 1"),
    ("UPDATE phase SET cutoff = 1000000", "a cut-off that the ledger does not have"),
    ("INSERT INTO decision (incident, at_ns, by, step, why, sequence) VALUES (1, 1, 'dpo', 'x', 'y', 99999)",
     "of 4 decisions only 3"),
    ("UPDATE evidence SET sha256 = 'ab'", "has SHA-256"),
])
def test_a_rewritten_case_is_found_out(gateway, sql, message):
    open_incident(gateway, "--report", str(write(gateway, "n.txt", "hacked")))
    assert "1 files with their hashes" in gateway.cli("incident", "verify", "1")
    tamper(gateway, sql)
    assert message in refusal(gateway, "verify", "1")


def test_changed_evidence_is_found_out(gateway):
    open_incident(gateway, "--report", str(write(gateway, "n.txt", "hacked")))
    kept = gateway.state_dir / "incidents" / "1" / "notice-n.txt"
    kept.write_text("not hacked")
    assert "evidence notice-n.txt has SHA-256" in refusal(gateway, "verify", "1")
    kept.unlink()
    assert "evidence notice-n.txt is gone" in refusal(gateway, "verify", "1")


# ---- closing ----

def waive_all(gateway):
    for duty in [row["duty"] for row in gateway.cli_json("incident", "show", "1")["remaining"]]:
        gateway.cli("incident", "close", "1", "--duty", duty, "--waive", f"{duty} is not needed here")


def dossier(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(pathlib.Path(folder).rglob("*"))
            if path.is_file()}


def test_open_duties_refuse_the_closing(gateway):
    open_incident(gateway)
    code, output, errors = gateway.cli("incident", "close", "1", "--why", "over", check=False)
    assert code == 1
    assert "5 duties are open: scope, file-ico, file-eu, notices, statement" in errors
    assert "who is affected has not been computed" in output
    assert "no open duty" in refusal(gateway, "close", "1", "--duty", "file-cnil", "--waive", "x")
    assert "go together" in refusal(gateway, "close", "1", "--duty", "scope")
    gateway.cli("incident", "decide", "1", "--step", "statement", "--why", "published")
    gateway.cli("incident", "close", "1", "--duty", "file-eu", "--waive", "nobody there", "--by", "dpo")
    states = {row["source"]: row["state"] for row in gateway.cli_json("incident", "show", "1")["clocks"]}
    assert states["GDPR Art. 33(1)"] == "waived: see the decisions"
    assert states["UK GDPR Art. 33(1)"].endswith("left")
    assert "3 duties are open: scope, file-ico, notices" in refusal(gateway, "close", "1", "--why", "over")
    gateway.cli("partner", "restore", "acme", "--reason", "test")
    assert "containment, scope" in refusal(gateway, "close", "1", "--why", "over")


def test_the_dossier_replays(gateway):
    open_incident(gateway, "--report", str(write(gateway, "n.txt", "<b>hacked</b>")), "--what", "<script>")
    waive_all(gateway)
    assert "needs a reason" in refusal(gateway, "close", "1")
    told = gateway.cli("incident", "close", "1", "--why", "a test")
    folder = gateway.state_dir / "incidents" / "1" / "dossier"
    assert told.strip() == f"incident 1 is closed; dossier: {folder}"
    first = dossier(folder)
    assert set(first) == {"MANIFEST", "dossier.txt", "index.html", "evidence/notice-n.txt", "checkpoint-1.txt"}
    signed, [phase] = Note(first["checkpoint-1.txt"].decode()), gateway.cli_json("incident", "show", "1")["phases"]
    assert signed.signed_by(Key((gateway.ledger_dir / "log.vkey").read_text()))
    assert (signed.checkpoint()[1], signed.checkpoint()[2].hex()) == (int(phase["cutoff"]), phase["root"])
    for line in first["MANIFEST"].decode().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256(first[name]).hexdigest() == digest
    assert b"<script>" not in first["index.html"] and b"&lt;script&gt;" in first["index.html"]
    assert b"scope is not needed here" in first["dossier.txt"]
    time.sleep(1.1)
    again = gateway.folder / "again"
    again.mkdir()
    places.own(again, gateway.user)
    gateway.cli("incident", "close", "1", "--out", str(again))
    assert dossier(again) == first
    [listed] = gateway.cli_json("incident", "list")
    assert (bool(listed["closed"]), listed["next"]) == (True, None)
    gateway.cli("incident", "verify", "1")


def test_the_dossier_tells_the_effects(gateway):
    gateway.rows("acme.cert", "SELECT full_name FROM person")
    open_incident(gateway)
    gateway.cli("incident", "scope", "1")
    people = gateway.state_dir / "people.csv"
    gateway.cli("incident", "scope", "1", "--list", str(people))
    waive_all(gateway)
    gateway.cli("incident", "close", "1", "--why", "a test")
    folder = gateway.state_dir / "incidents" / "1" / "dossier"
    text = (folder / "dossier.txt").read_text()
    assert f"SHA-256 of the list as CSV: {hashlib.sha256(people.read_bytes()).hexdigest()}" in text
    assert "incident: 1\npartner: acme\n" in text
    assert "person,name,clear,150,150,150," in (folder / "scope-category.csv").read_text()
    before = dossier(folder)
    gateway.cli("incident", "close", "1")
    assert dossier(folder) == before


def test_works_while_the_gateway_is_down(gateway):
    open_incident(gateway)
    gateway.stop()
    sections = gateway.cli_json("incident", "show", "1")
    assert case(sections)["partner now"] == "not known: the gateway is silent"
    assert "containment" in [row["duty"] for row in sections["remaining"]]
    assert refusal(gateway, "decide", "1", "--step", "x", "--why", "y")
    assert steps(gateway.cli_json("incident", "show", "1")) == ["open", "contain"]
