"""A list of what was taken is compared with the scope: who is recognised, and what the ledger does not explain."""
import hashlib

import pytest

from harness import shop

SQL = shop.SQL.replace("town text, secret text", "town text, postcode text, email text, secret text").replace(
    "ELSE 'York' END,", "ELSE 'York' END, 'YO' || n || ' 1AB', 'p' || n || '@example.org',").replace(
    "ANALYZE;", """
UPDATE shop.person SET email = 'twins@example.org' WHERE person_id IN (51, 53, 57);
CREATE TABLE shop.visitor (visitor_id uuid PRIMARY KEY, full_name text, email text);
INSERT INTO shop.visitor
SELECT ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'Visitor ' || n, 'v' || n || '@example.org'
  FROM generate_series(1, 20) AS n;
ANALYZE;""")
POLICY = shop.POLICY.replace(
    "  person: {dataset: person, key: person_id}\n",
    "  person: {dataset: person, key: person_id, contact: {name: full_name, email: email, phone: phone,"
    " post: [town, postcode]}}\n"
    "  visitor: {dataset: visitor, key: visitor_id, contact: {name: full_name, email: email}}\n").replace(
    "      town: {category: address}\n",
    "      town: {category: address}\n      postcode: {category: address}\n      email: {category: email}\n").replace(
    "  article:\n    table",
    "  visitor:\n    table: shop.visitor\n    subject: {kind: visitor, key: visitor_id}\n"
    "    columns: {visitor_id: {}, full_name: {category: name}, email: {category: email}}\n"
    "  article:\n    table", 1).replace(
    "      - {dataset: article, columns: all}\n    budget: {subjects: {per_day: 100000, total: 1000000}, rows",
    "      - {dataset: visitor, columns: {visitor_id: token, full_name: clear}}\n"
    "      - {dataset: article, columns: all}\n    budget: {subjects: {per_day: 100000, total: 1000000}, rows", 1)


@pytest.fixture(scope="module")
def case(make_module_gateway):
    """acme has had people 1 to 99 who are not of Bath, and visitors 1 to 10 by token; then it was breached."""
    gateway = make_module_gateway(policy_yaml=POLICY, sql=SQL, contact=True)
    people = gateway.rows("acme.cert", "SELECT person_id, full_name FROM person WHERE person_id < 100")
    assert len(people) == 75
    gateway.tokens = dict(gateway.rows("acme.cert", "SELECT full_name, visitor_id FROM visitor"
                                                    " WHERE full_name < 'Visitor 2' ORDER BY 1"))
    assert "Visitor 10" in gateway.tokens, gateway.tokens
    gateway.cli("incident", "open", "--partner", "acme", "--noticed", "now")
    return gateway


def confirm(gateway, text, fails=False):
    """(people confirmed, what it said) for a list with this text."""
    path = gateway.folder / "sample.csv"
    path.write_bytes(text.encode())
    path.chmod(0o644)
    code, output, errors = gateway.cli("incident", "scope", "1", "--confirm", path, "--by", "D. Officer", check=False)
    assert (code != 0) == fails, (code, output, errors)
    if fails:
        return errors
    phase = gateway.cli_json("incident", "scope", "1")
    assert hashlib.sha256(path.read_bytes()).hexdigest() in errors
    return phase["totals"]["confirmed"], errors


def test_keys_and_tokens_and_addresses(case):
    """Each list adds to those who were confirmed before."""
    count, told = confirm(case, "person_id,anything\r\n1,x\r\n2,y\r\n2,again\r\n")
    assert count == 2 and "3 lines compared with phase 1" in told and "2 people confirmed as taken: phase 2" in told, told
    count, told = confirm(case, "﻿token\n" + case.tokens["Visitor 1"] + "\n" + case.tokens["Visitor 10"] + "\nt" + "0" * 32 + "\n")
    assert count == 4 and "1 line fit nobody: 4" in told, told
    count, told = confirm(case, "P5@Example.org\n\n 6 \nnobody@example.org\n")
    assert count == 6 and "1 line fit nobody: 4" in told, told
    count, told = confirm(case, 'full_name;postcode\n"PERSON  7";yo71ab\nPerson 9;YO9 9ZZ\n')
    assert count == 7 and "1 line fit nobody: 3" in told, told
    count, told = confirm(case, "Telephone,note\n+44 7700 900010,\n")
    assert count == 8, told


def test_people_whom_the_ledger_does_not_explain_are_told_loudly(case):
    before = case.cli_json("incident", "scope", "1")["totals"]["confirmed"]
    count, told = confirm(case, "person_id\n150\n1\n4\n99999\nnot-a-key\n")
    assert count == before, told
    assert "WARNING" in told and "2 lines of people of yours who are not in scope: 2, 4" in told, told
    assert "2 lines fit nobody: 5, 6" in told, told


def test_lines_that_fit_several_people_confirm_nobody(case):
    before = case.cli_json("incident", "scope", "1")["totals"]["confirmed"]
    count, told = confirm(case, "email\ntwins@example.org\n")
    assert count == before and "1 line fit more than one person, and confirm nobody: 2" in told, told


def test_what_was_read_and_decided_is_in_the_ledger(case):
    confirm(case, "email\np11@example.org\n")
    reads = [entry for entry in case.ledger() if entry["purpose"] == "incident 1 confirm"]
    assert reads and all(entry["partner"] in (None, "") for entry in reads), reads
    log = case.cli("incident", "log", "1")
    assert "compared with a list of what was taken" in log and "p11@" not in log, log
    everything = b"".join(path.read_bytes() for path in case.folder.rglob("*") if path.is_file() and path.name != "sample.csv")
    assert b"p11@example.org" not in everything


def test_everybody_found_is_recorded_also_behind_thousands(case):
    """Three people fit each of 4,000 lines, and stand in the record before the one who comes last."""
    last = max(int(entry["sequence"]) for entry in case.ledger())
    confirm(case, "email\n" + "twins@example.org\n" * 4000 + "p61@example.org\n")
    ours = {str(entry["sequence"]) for entry in case.ledger() if entry["purpose"] == "incident 1 confirm"}
    read = {row["subject"] for row in case.admin(f"SHOW DISCLOSED AFTER {last}") if str(row["sequence"]) in ours}
    assert read == {"51", "53", "57", "61"}, read


def test_lists_that_cannot_be_read_change_nothing(case):
    phase = case.cli_json("incident", "scope", "1")["phase"]
    assert "names no column" in confirm(case, "colour,size\nred,1\n", fails=True)
    assert "line 2: a quote is opened" in confirm(case, 'person_id\n"1\n', fails=True)
    assert "empty" in confirm(case, "\n", fails=True)
    assert "no such kind" in confirm(case, "kind,key\ndog,1\n", fails=True)
    code, _, errors = case.cli("incident", "scope", "1", "--confirm", "/nonexistent", check=False)
    assert code == 1 and "/nonexistent" in errors, errors
    assert case.cli_json("incident", "scope", "1")["phase"] == phase


def test_without_a_contact_role_keys_and_tokens_are_compared(make_gateway):
    gateway = make_gateway(policy_yaml=POLICY, sql=SQL)
    gateway.rows("acme.cert", "SELECT person_id FROM person WHERE person_id < 10")
    gateway.cli("incident", "open", "--partner", "acme", "--noticed", "now")
    count, told = confirm(gateway, "person_id,email\n1,x\n150,y\n")
    assert count == 1 and "Only keys and tokens" in told and "1 line fit nobody: 3" in told, told


def test_a_kind_without_contact_columns_is_compared_by_keys_alone(make_gateway):
    """People of whom the policy says no way to reach them are no reason to refuse a list."""
    policy = POLICY.replace(", contact: {name: full_name, email: email}}", "}")
    assert policy != POLICY
    gateway = make_gateway(policy_yaml=policy, sql=SQL, contact=True)
    gateway.rows("acme.cert", "SELECT person_id FROM person WHERE person_id < 10")
    gateway.cli("incident", "open", "--partner", "acme", "--noticed", "now")
    count, told = confirm(gateway, "key\n1\n150\nnobody\n")
    assert count == 1 and "1 line fit nobody: 4" in told, told
