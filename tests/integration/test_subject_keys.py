"""Whoever a row is about is recorded by the very key that the database has, whatever that key looks like."""
import pytest

KEYS = ["plain", "NULL", "null", "", " ", "a,b", "{x}", 'quo"te', "back\\slash", "it's", "line\nbreak", "tab\t", "Łódź", "日本", "x" * 200, "{", "}", '"', "\\", "NULL,NULL", "ünïcode", "e\u0301", "\u00e9", "0", "-1"]
LITERALS = ", ".join("($k${}$k$)".format(key) for key in KEYS)
SQL = f"""
CREATE SCHEMA y;
CREATE TABLE y.person (code text PRIMARY KEY, n integer NOT NULL DEFAULT 1);
CREATE TABLE y.note (note_id serial PRIMARY KEY, code text, other text);
INSERT INTO y.person (code) VALUES {LITERALS};
INSERT INTO y.note (code, other) SELECT code, code FROM y.person;
INSERT INTO y.note (code, other) VALUES (NULL, 'plain'), ('plain', NULL), (NULL, NULL), ('nobody', 'nobody');
"""
POLICY = """
controller: {{name: Keys, dpo: {{name: D, email: d@keys.example}}}}
subjects: {{person: {{dataset: person, key: code}}}}
datasets:
  person: {{table: y.person, subject: {{kind: person, key: code}}, columns: {{code: {{}}, n: {{}}}}}}
  note: {{table: y.note, subject: [{{kind: person, key: code, when_null: {when}}}, {{kind: person, key: other, when_null: none}}], columns: {{note_id: {{}}, code: {{}}, other: {{}}}}}}
partners:
  p:
    contract: {{agreement: A, breach_contact: {{name: B, phone: "1"}}}}
    purposes: [test]
    agents: [{{name: one, identity: {{certificate: "spiffe://p/one"}}}}]
    valid: {{from: 2020-01-01, until: 2099-12-31}}
    grants: [{{dataset: person, columns: all}}, {{dataset: note, columns: all}}]
    budget: {{subjects: {{per_day: 1000, total: 1000}}, rows_per_statement: 1000}}
"""


@pytest.fixture(scope="module")
def gateway(make_module_gateway):
    return make_module_gateway(policy_yaml=POLICY.format(when="none"), sql=SQL)


def recorded(gateway, sql):
    """Keys of everybody recorded for the statement."""
    after = gateway.admin("SHOW LEDGER LAST 1")[-1]["sequence"]
    gateway.rows("p.one", sql)
    return {row["subject"] for row in gateway.admin(f"SHOW DISCLOSED AFTER {after}")}


@pytest.mark.parametrize("sql", ["SELECT n FROM person", "SELECT count(*) FROM person", "SELECT n, max(code) FROM person GROUP BY n", "SELECT s.c FROM (SELECT count(*) AS c FROM person) s",
                                 "SELECT p.n FROM person p JOIN note q ON q.code = p.code", "SELECT code FROM person ORDER BY code OFFSET 3"])
def test_each_is_recorded_in_rows_and_in_groups(gateway, sql):
    assert recorded(gateway, sql) == set(KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_one_alone(gateway, key):
    literal = f"$k${key}$k$"
    assert recorded(gateway, f"SELECT n FROM person WHERE code = {literal}") == {key}
    assert recorded(gateway, f"SELECT sum(n) FROM person WHERE code = {literal}") == {key}


@pytest.mark.parametrize("when, rows, people", [("none", len(KEYS) + 4, set(KEYS) | {"nobody"}), ("hide", len(KEYS) + 2, set(KEYS) | {"nobody"})])
def test_a_row_without_a_key_is_about_nobody_or_not_there(gateway, when, rows, people):
    gateway.reload(POLICY.format(when=when))
    assert gateway.rows("p.one", "SELECT count(*) FROM note") == [(rows,)]
    assert len(gateway.rows("p.one", "SELECT note_id FROM note")) == rows
    for sql in ("SELECT note_id FROM note", "SELECT count(*) FROM note", "SELECT code IS NULL, count(*) FROM note GROUP BY 1"):
        assert recorded(gateway, sql) == people


def test_a_row_without_a_key_ends_the_statement_where_policy_says_so(gateway):
    gateway.reload(POLICY.format(when="refuse"))
    for sql in ("SELECT note_id FROM note", "SELECT count(*) FROM note", "SELECT note_id FROM note WHERE code IS NULL"):
        state, message, _ = gateway.refused("p.one", sql)
        assert state == "42501" and "subject" in message, (state, message)
    assert gateway.rows("p.one", "SELECT other FROM note WHERE code = 'nobody'") == [("nobody",)]
