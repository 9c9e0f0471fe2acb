"""The index of exposure outlives the gateway: it answers from its files, and holds against the ledger byte for byte."""
import json

import pytest

ALL = "SELECT person_id, full_name FROM person ORDER BY person_id"


@pytest.fixture
def gateway(make_gateway):
    return make_gateway()


def shown(gateway):
    return json.loads(gateway.cli("exposure", "show", "--json"))


def told_of(gateway):
    """A table, a letter, and somebody of whom nothing is known."""
    return [gateway.cli("subject", "person", "1"), gateway.cli("subject", "person", "1", "--letter"),
            gateway.cli("subject", "person", "nobody")]


def checked(gateway):
    return json.loads(gateway.cli("exposure", "rebuild", "--check", "--json"))


def test_answers_go_on_after_a_kill_and_the_files_are_what_the_ledger_says(gateway):
    gateway.rows("acme.cert", ALL)
    alive, person = shown(gateway), told_of(gateway)
    assert int(alive["exposure"][0]["subjects"]) > 3
    assert "acme" in person[0] and "acme" in person[1] and "nothing" in person[2]
    gateway.kill9()
    assert shown(gateway) == alive
    assert told_of(gateway) == person
    code, _, errors = gateway.cli("subject", "nokind", "1", check=False)
    assert code == 1 and "no kind of subject" in errors, (code, errors)
    gateway.start()  # what the ledger has acknowledged is in the files from here on
    assert shown(gateway) == alive
    found = checked(gateway)
    assert found["checked"] and found["entries"] > 0 and found["disclosures"] > 0
    gateway.rows("acme.cert", "SELECT person_id FROM person WHERE person_id = 1")
    rebuilt = json.loads(gateway.cli("exposure", "rebuild", "--json"))
    assert rebuilt["disclosures"] > found["disclosures"]
    assert checked(gateway)["entries"] == rebuilt["entries"]
    files = gateway.folder / "state" / "exposure"
    ever = next(files.glob("ever.*.idx"))
    content = bytearray(ever.read_bytes())
    content[4100] ^= 1
    ever.write_bytes(content)
    code, _, errors = gateway.cli("exposure", "rebuild", "--check", check=False)
    assert code == 1 and "damaged" in errors, (code, errors)
    code, output, _ = gateway.cli("exposure", "rebuild", "--check", "--json", check=False)
    told = json.loads(output)
    assert code == 1 and not told["same"] and "damaged" in told["message"], told
    gateway.restart()
    assert shown(gateway) == alive
    checked(gateway)


def test_net_overlap_and_statements_are_told(gateway):
    first = gateway.rows("acme.cert", "SELECT person_id, full_name FROM person WHERE person_id IN (1, 2, 3)")
    second = gateway.rows("acme.cert", "SELECT person_id, full_name FROM person WHERE person_id IN (3, 5, 6)")
    added = len(set(second) - set(first))
    assert len(first) == 3 and 0 < added < len(second)
    whole = json.loads(gateway.cli("exposure", "net", "--partner", "acme", "--json"))["rows"][0]
    assert whole["category"] is None and whole["gross"] == whole["net"] == 3 + added
    both = json.loads(gateway.cli("exposure", "overlap", "acme", "nobody", "--json"))["rows"][0]
    assert (both["both"], both["only_first"], both["only_second"]) == (0, 3 + added, 0)
    statements = json.loads(gateway.cli("exposure", "statements", "-p", "acme", "--json"))["rows"]
    assert sorted((s["new"], s["subjects"]) for s in statements if s["subjects"] > 0) == sorted(
        [(added, len(second)), (3, 3)])
    shown_by_admin = gateway.admin("SHOW STATEMENTS PARTNER 'acme' MOST '1'")
    assert len(shown_by_admin) == 1 and shown_by_admin[0]["statement"] == statements[0]["statement"]
    with pytest.raises(Exception, match="MOST"):
        gateway.admin("SHOW STATEMENTS PARTNER 'acme' MOST '0'")
