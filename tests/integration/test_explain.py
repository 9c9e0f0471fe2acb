"""`cofferdam explain`: what it prints, whole, for some statements (tests/integration/explain/*.txt), and what it says of
others. COFFERDAM_REGENERATE=1 writes the files anew; look at the difference before it is kept."""
import os
import pathlib
import re

import pytest

from harness import places, shop

FOLDER = pathlib.Path(__file__).with_name("explain")
STATEMENTS = {
    "look-up": ("acme/cert", "SELECT full_name, phone FROM person WHERE town = $1 AND length(full_name) / 2 > 3"),
    "statistic": ("acme/cert", "SELECT town, count(*), avg(pence) FROM person JOIN purchase USING (person_id) GROUP BY town ORDER BY 2 DESC LIMIT 3"),
    "exists": ("acme/cert", "SELECT full_name FROM person p WHERE EXISTS (SELECT 1 FROM purchase q WHERE q.item = p.town) OFFSET 3"),
    "window": ("acme/cert", "SELECT full_name, rank() OVER (ORDER BY born) FROM person"),
    "outer-join": ("acme/cert", "SELECT a.maker, q.pence FROM article a LEFT JOIN purchase q ON q.item = a.item"),
    "column-not-granted": ("acme/cert", "SELECT secret FROM person"),
    "dataset-not-granted": ("rival/cert", "SELECT item FROM purchase"),
    "write": ("acme/cert", "UPDATE person SET full_name = 'x' WHERE person_id = 1 RETURNING town"),
    "several": ("acme/cert", "BEGIN; PREPARE p(int) AS SELECT item FROM article LIMIT $1; DECLARE c CURSOR FOR SELECT town FROM person; FETCH 3 FROM c; COMMIT"),
}


@pytest.fixture(scope="module")
def gateway(make_module_gateway):
    policy = shop.POLICY.replace("columns: {person_id: clear, full_name: clear, phone: last4, born: clear, town: clear}",
                                 "columns: {person_id: clear, full_name: clear, phone: last4, born: clear, town: clear}\n"
                                 "        write: {update: [full_name]}")
    assert policy != shop.POLICY
    return make_module_gateway(policy_yaml=policy)


@pytest.mark.parametrize("name", STATEMENTS)
def test_the_whole_output(gateway, name):
    agent, sql = STATEMENTS[name]
    told, path = gateway.cli("explain", agent, sql), FOLDER / f"{name}.txt"
    if os.environ.get("COFFERDAM_REGENERATE"):
        path.write_text(told)
    assert told == path.read_text()


def test_the_files_are_those_of_the_statements():
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(STATEMENTS)


def explained(gateway, sql, agent="acme/cert"):
    """Topic -> its texts."""
    told = {}
    for row in gateway.cli_json("explain", agent, sql):
        told.setdefault(row["topic"], []).append(row["text"])
    return told


@pytest.mark.parametrize("sql, rule, parts", [
    ("SELECT persn_id FROM person", "column-not-granted", ["person_id"]),
    ("SELECT p.secret FROM person p JOIN article a ON true", "column-not-granted", ["credential", "secret: {form: clear, justification"]),
    ("SELECT * FROM purchse", "dataset-not-granted", ["\"purchase\""]),
    ("SELECT * FROM shop.person", "schema-not-granted", ["public"]),
    ("SELECT pg_sleep(1)", "function-not-allowed", ["no policy"]),
    ("SELECT 1 FROM person WHERE generate_series(1, 2) = 1", "set-misplaced", ["FROM"]),
    ("SELECT person FROM person", "whole-row", ["Name the columns"]),
    ("SET role TO postgres", "setting-not-available", []),
    ("UPDATE person SET town = 'x'", "column-not-writable", ["write: {update: […, town]}"]),
    ("DELETE FROM person", "dataset-not-writable", ["write: {delete: true}"]),
    ("SELEC 1", "syntax", ["character 1"]),
    ("SELECT " + "1+" * 6000 + "1", "statement-too-deep", ["statement_depth"]),
    ("SELECT '" + "x" * 70000 + "'", "statement-limit", ["statement_bytes"]),
])
def test_refusals(gateway, sql, rule, parts):
    told = explained(gateway, sql)
    assert told["rule"] == [rule] and told["verdict"][0].startswith("refused: "), told
    assert told["reason"] and told["change of the query"] and told["change of the policy"], told
    for part in parts:
        assert part in str(told), (part, told)
    assert "rewritten" not in told


def test_the_partner_is_told_less(gateway):
    """What staff read of columns that exist is not in the partner's error."""
    assert "near miss" in explained(gateway, "SELECT secret FROM person")
    known, unknown = (gateway.refused("acme.cert", f"SELECT {name} FROM person") for name in ("secret", "nonsense"))
    assert str(known).replace("secret", "nonsense") == str(unknown)
    assert "exists" not in str(known) and "credential" not in str(known)


def test_raw_is_what_json_has_but_for_the_random_names(gateway):
    sql = "SELECT full_name FROM person"
    (rewritten,) = explained(gateway, sql)["rewritten"]
    raw = " ".join(gateway.cli("explain", "acme/cert", sql, "--raw").split())
    assert re.sub("h[0-9a-f]{16}", "h", rewritten) in re.sub("h[0-9a-f]{16}", "h", raw)
    assert "h[0-9a-f]{16}" not in gateway.cli("explain", "acme/cert", sql)


def test_tokens_and_purposes(demo_gateway):
    told = explained(demo_gateway, "SELECT customer_id, phone FROM customer", "north-mail/service")
    assert any("kind:customer" in text for text in told["token key"]), told
    assert "row filter: brand = 'meridian'" in told["fence"][0]
    told = demo_gateway.cli("explain", "north-mail/service", "SELECT phone FROM customer", "--purpose", "recall mailing")
    assert "is for another purpose" in told and "dataset-not-granted" in told
    code, _, errors = demo_gateway.cli("explain", "north-mail/service", "SELECT 1", "--purpose", "fun", check=False)
    assert code == 1 and "recall mailing" in errors


def refusals():
    """(file, SQLSTATE, hint or None, format) of each refusal in src/sql."""
    for path in sorted((places.ROOT / "src/sql").rglob("plan*.c")) + sorted((places.ROOT / "src/sql").rglob("[eflrv]*.c")):
        text = re.sub(r'"\s*\n\s*"', "", path.read_text())
        for found in re.finditer(r'plan_refuse\(\s*[\w>.()-]+,\s*"(\w{5})",\s*(NULL|"(?:\\.|[^"])*"|[^"]*?),\s*"((?:\\.|[^"])*)"', text):
            yield path.name, *found.groups()


def test_every_refusal_has_a_hint_and_a_rule():
    rules = re.findall(r'\{"(\w{5})", "((?:\\.|[^"])*)", "([a-z-]+)"\}', (places.ROOT / "src/sql/plan/plan_rule.c").read_text())
    found = list(refusals())
    assert len(found) > 100 and len(rules) > 50
    for file, state, hint, format in found:
        assert hint != "NULL", (file, format)
        assert any(state == rule[0] and format.startswith(rule[1]) for rule in rules), (file, state, format)
    manual = " ".join((places.ROOT / "man/cofferdam.1").read_text().split())
    for name in {rule[2] for rule in rules}:
        assert name in manual, f"{name} is not in cofferdam(1)"
