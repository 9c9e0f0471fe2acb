"""Staff write a file for a partner: what is in it, and what is not, is decided and recorded as if the
partner had asked."""
import csv
import hashlib
import json
import re
import subprocess
import time

import pytest

from harness import places, shop

POLICY = shop.POLICY.replace(
    "      - {dataset: article, columns: all}\n",
    "      - {dataset: article, columns: all, agent: job}\n", 1)


@pytest.fixture
def folder():
    made = places.make_folder("export")
    made.chmod(0o777)
    yield made
    places.remove_folder(made)


@pytest.fixture(scope="module")
def gateway(make_module_gateway):
    return make_module_gateway(policy_yaml=POLICY)


def export(gateway, sql, path, *flags, partner="acme"):
    """What the command says, as --json has it."""
    return json.loads(gateway.cli("export", "--partner", partner, *flags, "--json", sql, str(path)))


def entries(gateway, identity):
    """Sequences of the ledger's entries that are part of the delivery."""
    shown = {row["property"]: row["value"] for row in gateway.admin(f"SHOW DELIVERY '{identity}'")}
    return shown


def read_csv(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_a_file_has_what_the_partner_would_get(gateway, folder):
    path = folder / "people.csv"
    sql = "SELECT person_id, full_name, phone, born FROM person ORDER BY person_id"
    told = export(gateway, sql, path)
    assert re.fullmatch(r"D-\d{4}-\d\d-\d\d-[0-9A-Y]{5}", told["delivery"])
    rows = read_csv(path)
    expected = gateway.rows("acme.cert", sql)
    assert rows[0] == ["person_id", "full_name", "phone", "born"]
    assert [tuple(row) for row in rows[1:]] == [tuple(map(str, row)) for row in expected]
    assert told["rows"] == len(expected) == told["people"]
    assert told["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in folder.iterdir()] == ["people.csv"]
    shown = entries(gateway, told["delivery"])
    assert shown["outcome"] == "complete" and shown["file_sha256"] == told["sha256"]
    assert shown["rows_released"] == shown["people_released"] == str(len(expected))
    listed = json.loads(gateway.cli("export", "--list", "--json"))
    assert told["delivery"] in [row["delivery"] for row in listed]


def test_json_lines_keep_types(gateway, folder):
    path = folder / "purchases.jsonl"
    export(gateway, "SELECT purchase_id, item, pence, pence > 50 AS dear, NULL::text AS nothing, "
                    "'a \"b\"\\' || chr(10) || 'c' AS odd FROM purchase WHERE purchase_id = 5", path)
    assert [json.loads(line) for line in path.read_text().splitlines()] == [
        {"purchase_id": 5, "item": "item 5", "pence": 50, "dear": False, "nothing": None,
         "odd": 'a "b"\\\nc'}]


def test_formulas_are_disarmed_where_asked(gateway, folder):
    sql = "SELECT -7 AS n, '=HYPERLINK(\"http://x\")' AS said, '+44 20 7946 0001' AS phone, 'a=b' AS plain"
    export(gateway, sql, folder / "exact.csv")
    assert read_csv(folder / "exact.csv")[1] == ["-7", '=HYPERLINK("http://x")', "+44 20 7946 0001", "a=b"]
    export(gateway, sql, folder / "sheet.csv", "--disarm")
    assert read_csv(folder / "sheet.csv")[1] == ["-7", '\'=HYPERLINK("http://x")', "'+44 20 7946 0001", "a=b"]
    code, _, errors = gateway.cli("export", "--partner", "acme", "--disarm", sql, str(folder / "x.jsonl"), check=False)
    assert code == 2 and "--disarm is for csv" in errors


def test_without_an_agent_only_grants_for_no_agent_count(gateway, folder):
    sql = "SELECT item FROM article"
    code, _, errors = gateway.cli("export", "--partner", "acme", sql, str(folder / "a.csv"), check=False)
    assert code == 1 and "article" in errors
    assert export(gateway, sql, folder / "a.csv", "--agent", "job")["rows"] == 7


def test_each_entry_has_the_delivery(gateway, folder):
    told = export(gateway, "SELECT full_name FROM person", folder / "names.csv")
    acts = [entry for entry in gateway.ledger() if f"sha256={told['sha256']}" in (entry["text"] or "")]
    assert len(acts) == 1 and acts[0]["type"] == "act" and "outcome=complete" in acts[0]["text"]
    shown = entries(gateway, told["delivery"])
    assert int(shown["ledger_entries"]) >= 1
    # The same query of the partner itself is in no delivery.
    gateway.rows("acme.cert", "SELECT full_name FROM person")
    assert entries(gateway, told["delivery"]) == shown


@pytest.mark.parametrize("sql, state", [
    ("UPDATE person SET town = 'x'", "0A000|25006|42501"),
    ("SELECT secret FROM person", "42501|42703"),
    ("SELECT 1; SELECT 2", "42601|0A000"),
    ("COPY (SELECT 1) TO STDOUT", "25006"),
    ("SET timezone TO 'UTC'", "25006"),
])
def test_what_is_refused_leaves_nothing(gateway, folder, sql, state):
    before = len(gateway.admin("SHOW DELIVERIES"))
    code, _, errors = gateway.cli("export", "--partner", "acme", sql, str(folder / "x.csv"), check=False)
    assert code == 1, errors
    assert not list(folder.iterdir())
    assert len(gateway.admin("SHOW DELIVERIES")) == before


def test_a_purpose_is_stated_by_an_option(gateway, folder):
    code, _, errors = gateway.cli("export", "--partner", "acme", "--purpose", "fun", "SELECT 1 AS n", str(folder / "x.csv"), check=False)
    assert code == 1 and "purpose stated is not one of partner acme" in errors and "--purpose" in errors and "they are:" in errors


def test_a_file_that_is_there_stays(gateway, folder):
    path = folder / "there.csv"
    path.write_text("mine")
    places.own(path, gateway.user)
    code, _, errors = gateway.cli("export", "--partner", "acme", "SELECT 1 AS one", str(path), check=False)
    assert code == 1 and "there already" in errors and path.read_text() == "mine"
    export(gateway, "SELECT 1 AS one", path, "--force")
    assert path.read_bytes() == b"one\r\n1\r\n"


def test_a_budget_cuts_it(make_gateway, folder):
    policy = shop.POLICY.replace("per_day: 100000, total: 1000000}, rows", "per_day: 60}, rows", 1)
    assert policy != shop.POLICY
    gateway = make_gateway(policy_yaml=policy)
    path = folder / "people.csv"
    code, _, errors = gateway.cli("export", "--partner", "acme",
                                  "SELECT full_name FROM person", str(path), check=False)
    assert code == 1 and "limit of 60" in errors and not list(folder.iterdir())
    identity = re.search(r"D-[0-9A-Y-]+", errors).group()
    shown = entries(gateway, identity)
    assert shown["outcome"] == "cut by 53400" and shown["people_released"] == "60"
    assert "60 rows about 60 people" in errors


def test_a_contained_partner_gets_none(make_gateway, folder):
    gateway = make_gateway()
    gateway.admin("CONTAIN PARTNER 'acme' REASON 'test'")
    code, _, errors = gateway.cli("export", "--partner", "acme", "SELECT full_name FROM person",
                                  str(folder / "x.csv"), check=False)
    assert code == 1 and "contained" in errors and not list(folder.iterdir())
    (row,) = gateway.admin("SHOW DELIVERIES")
    assert row["outcome"].startswith("cut by")


def test_the_door_leads_nowhere_without_a_delivery(gateway):
    socket = gateway.run_dir / "delivery"
    for options, told in (("", "names none"), ("-c cofferdam.delivery=D-2026-11-22-00000", ""),
                          ("-c cofferdam.purpose=service", "no settings")):
        done = subprocess.run(
            ["psql", "-X", f"host={socket} port=5432 dbname=cofferdam user=acme.cert "
             f"options='{options}'", "-c", "SELECT 1"], capture_output=True, text=True, timeout=30)
        assert done.returncode == 2 and told in done.stderr, done.stderr


SLOW = "SELECT a.full_name, b.pence FROM person a CROSS JOIN purchase b"


def slow_export(gateway, path):
    """An export of many rows, when some of them have been released."""
    known = {row["delivery"] for row in gateway.admin("SHOW DELIVERIES")}
    command = [gateway.program, "export", "--partner", "acme", "-c", gateway.config, SLOW, str(path)]
    process = places.popen_as(gateway.user, command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 20
    while True:
        new = [row["delivery"] for row in gateway.admin("SHOW DELIVERIES")
               if row["delivery"] not in known]
        if new and int(entries(gateway, new[0])["rows_released"]) > 0:
            return process
        assert time.monotonic() < deadline and process.poll() is None, process.communicate()
        time.sleep(0.01)


def test_what_a_kill_left_while_a_file_was_replaced_goes_with_the_next(gateway, folder):
    path, left = folder / "a.csv", folder / ".a.csv.swap"
    left.write_text("people")
    export(gateway, "SELECT person_id FROM person", path)
    assert left.exists()  # nothing was replaced
    export(gateway, "SELECT person_id FROM person", path, "--force")
    assert [file.name for file in folder.iterdir()] == ["a.csv"] and len(read_csv(path)) > 3
    code, _, errors = gateway.cli("export", "--partner", "acme", "SELECT 1", str(path), check=False)
    assert code == 1 and "is there already" in errors


def test_killed_half_way_it_is_in_the_ledger_and_in_no_file(make_gateway, folder):
    gateway = make_gateway()
    process = slow_export(gateway, folder / "a.csv")
    process.kill()
    process.communicate()
    assert not list(folder.iterdir())
    (row,) = gateway.admin("SHOW DELIVERIES")
    assert row["outcome"] == "unfinished"
    gateway.until_sessions(0)
    shown = entries(gateway, row["delivery"])
    assert int(shown["rows_released"]) > 0 and int(shown["people_released"]) > 0

    process = slow_export(gateway, folder / "b.csv")
    gateway.kill9()
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1 and "unfinished" in errors and not list(folder.iterdir())
    gateway.start()
    row = gateway.admin("SHOW DELIVERIES")[0]
    shown = entries(gateway, row["delivery"])
    assert row["outcome"] == "unfinished" and int(shown["people_released"]) > 0
