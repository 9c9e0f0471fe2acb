"""Invented people in a delivery: they look like the others, are nobody, are in no count, and are known
by the copy that they were put into."""
import contextlib
import csv
import hashlib
import json
import re
import shutil
import sqlite3
import struct

import pytest

from harness import places

SQL = """
CREATE SCHEMA crm;
CREATE TABLE crm.person (id bigint PRIMARY KEY, full_name text, email text, phone text, street text, postcode text,
                         born date, town text);
INSERT INTO crm.person
SELECT 7 * n, 'Real Person' || chr(64 + n % 26), 'p' || n || '@mail.example', '+44 7123 4' || lpad(n::text, 5, '0'),
       n || ' Real Street', 'BS' || n % 9 + 1 || ' 4QT', date '1950-01-01' + n * 37,
       CASE WHEN n % 3 = 0 THEN 'Bath' ELSE 'York' END
  FROM generate_series(1, 300) AS n;
CREATE TABLE crm.member (id int PRIMARY KEY, full_name text);
INSERT INTO crm.member SELECT n, 'Member ' || n FROM generate_series(1, 20000) AS n;
CREATE TABLE crm.caller (code uuid PRIMARY KEY, full_name text, born date);
INSERT INTO crm.caller SELECT md5(n::text)::uuid, 'Caller ' || n, date '1960-01-01' + n FROM generate_series(1, 60) AS n;
ANALYZE;
"""
POLICY = """
controller: {name: Shop, dpo: {name: D. Officer, email: dpo@shop.example}}
subjects:
  person: {dataset: person, key: id}
  caller: {dataset: caller, key: code}
  member: {dataset: member, key: id}
datasets:
  person:
    table: crm.person
    subject: {kind: person, key: id}
    columns: {id: {}, full_name: {category: name}, email: {category: email}, phone: {category: phone},
              street: {category: address}, postcode: {category: address}, born: {category: date_of_birth},
              town: {category: address}}
  caller:
    table: crm.caller
    subject: {kind: caller, key: code}
    columns: {code: {}, full_name: {category: name}, born: {category: date_of_birth}}
  member:
    table: crm.member
    subject: {kind: member, key: id}
    columns: {id: {}, full_name: {category: name}}
partners:
  acme:
    contract: {agreement: DPA-1, breach_contact: {name: A. Contact, phone: "+44 1632 960001"}}
    purposes: [delivery]
    agents: [{name: cert, identity: {certificate: "spiffe://acme/cert"}}]
    valid: {from: 2020-01-01, until: 2099-12-31}
    grants:
      - {dataset: person, columns: {id: clear, full_name: clear, email: clear, phone: clear, street: clear,
         postcode: clear, born: clear, town: clear}}
      - {dataset: caller, columns: {code: clear, full_name: clear, born: clear}}
      - {dataset: member, columns: {id: clear, full_name: clear}}
    budget: {subjects: {per_day: 100000, total: 1000000}, rows_per_statement: 1000000}
  mask:
    contract: {agreement: DPA-2, breach_contact: {name: M. Contact, phone: "+44 1632 960002"}}
    purposes: [delivery]
    agents: [{name: cert, identity: {certificate: "spiffe://mask/cert"}}]
    valid: {from: 2020-01-01, until: 2099-12-31}
    grants:
      - {dataset: person, columns: {id: token, full_name: initial, phone: last4, born: year, town: clear}}
    budget: {subjects: {per_day: 100000, total: 1000000}, rows_per_statement: 1000000}
"""
DOMAIN = "post-box.example"


@pytest.fixture
def folder():
    made = places.make_folder("canaries")
    made.chmod(0o777)
    yield made
    places.remove_folder(made)


@pytest.fixture(scope="module")
def gateway(make_module_gateway):
    return make_module_gateway(policy_yaml=POLICY, sql=SQL, config={"canaries": {"mailbox_domain": DOMAIN}})


def export(gateway, sql, path, count, partner="acme"):
    return json.loads(gateway.cli("export", "--partner", partner, "--canaries", str(count), "--json", sql, str(path)))


def stored(gateway, delivery):
    """Cells of the canaries: a list of dicts, in order."""
    with contextlib.closing(sqlite3.connect(f"file:{gateway.state_dir}/deliveries.sqlite?mode=ro", uri=True)) as file:
        file.row_factory = sqlite3.Row
        return [dict(row) for row in file.execute(
            "SELECT * FROM canary WHERE delivery = ? ORDER BY row, canary_id", (delivery,))]


def rows_of(cells):
    """{row: {column: value}}"""
    rows = {}
    for cell in cells:
        rows.setdefault(cell["row"], {})[cell["column"]] = cell["value"]
    return rows


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_they_stand_among_the_rows_and_in_no_count(gateway, folder):
    path = folder / "people.csv"
    told = export(gateway, "SELECT * FROM person ORDER BY id", path, 20)
    assert (told["rows"], told["people"], told["canaries"]) == (300, 300, 20)
    rows = read(path)
    assert len(rows) == 320
    canaries = rows_of(stored(gateway, told["delivery"]))
    keys = {canary["id"] for canary in canaries.values()}
    assert len(keys) == 20
    found = [row for row in rows if row["id"] in keys]
    assert sorted(found, key=str) == sorted(canaries.values(), key=str)
    # In order of the key, they stand where their keys belong; and none is the database's.
    assert [int(row["id"]) for row in rows] == sorted(int(row["id"]) for row in rows)
    assert {row["id"] for row in rows} - keys == {str(7 * n) for n in range(1, 301)}
    for row in canaries.values():
        assert re.fullmatch(r"\+44 7700 900\d{3}", row["phone"]), row
        assert row["email"].endswith("@" + DOMAIN)
        assert re.fullmatch(r"\d+ [A-Z]\w+ \w+", row["street"]) and "Real" not in row["street"]
        assert re.fullmatch(r"BS\d \d[A-Z]{2}", row["postcode"])
        assert "1950-02-07" <= row["born"] <= "1980-05-30" and row["town"] in ("Bath", "York")
    # No subject of theirs is anywhere in the gateway.
    shown = {row["property"]: row["value"] for row in gateway.admin(f"SHOW DELIVERY '{told['delivery']}'")}
    assert shown["people_released"] == "300" and shown["canaries"] == "20"
    for key in list(keys)[:3]:
        assert "nothing has been disclosed" in gateway.cli("subject", "person", key)


def test_what_is_committed_to_is_what_is_stored(gateway, folder):
    told = export(gateway, "SELECT full_name, id FROM person", folder / "a.csv", 3)
    cells = stored(gateway, told["delivery"])
    text = lambda value: struct.pack(">I", len(value.encode())) + value.encode()
    content = b"cofferdam canaries v1\n" + text(told["delivery"])
    for cell in cells:
        content += struct.pack(">Q", cell["row"])
        content += b"".join(text(cell[name]) for name in ("column", "source", "kind", "key", "form", "value"))
        content += bytes([cell["invented"]])
    (act,) = [entry["text"] for entry in gateway.ledger() if told["sha256"] in (entry["text"] or "")]
    assert f"commitment={hashlib.sha256(content).hexdigest()}" in act
    assert {(cell["source"], cell["kind"], cell["form"]) for cell in cells} == {
        ("person.full_name", "person", "clear"), ("person.id", "person", "clear")}


def test_verifying_the_ledger_compares_them(gateway, folder):
    told = export(gateway, "SELECT id, full_name FROM person", folder / "people.csv", 2)
    shutil.copytree(gateway.state_dir / "subjects", folder / "subjects")
    for file in gateway.state_dir.glob("deliveries.sqlite*"):
        shutil.copy(file, folder)
    for path in [folder / "subjects", *folder.glob("subjects/*"), *folder.glob("deliveries*")]:
        places.own(path, gateway.user)
    check = ("ledger", "verify", str(gateway.ledger_dir), "--with-data", "--subjects", str(folder / "subjects"))
    assert "each as it was committed to" in gateway.cli(*check)
    with contextlib.closing(sqlite3.connect(folder / "deliveries.sqlite")) as file:
        changed = file.execute("UPDATE canary SET value = 'Ada Other' WHERE delivery = ? AND row = 2 AND source = 'person.full_name'",
                               (told["delivery"],))
        assert changed.rowcount == 1
        file.commit()
    code, said, _ = gateway.cli(*check, "--json", check=False)
    damaged = json.loads(said)
    assert code == 1 and damaged["check"] == "canaries" and told["delivery"] in damaged["message"], damaged
    for path in folder.glob("deliveries*"):
        path.unlink()
    assert "not compared" in gateway.cli(*check), "an auditor may have been given less"


def test_another_name_hides_nobody(gateway, folder):
    """A column is known for what it is, not by what the statement calls it."""
    told = export(gateway, "SELECT full_name AS town, q.town AS full_name, id AS phone, 'x' AS email "
                           "FROM (SELECT town, id, full_name FROM person) AS q", folder / "n.csv", 15)
    cells = stored(gateway, told["delivery"])
    names = {row["town"] for row in rows_of(cells).values()}
    assert not any(name.startswith("Real") for name in names) and len(names) > 5
    assert {(cell["column"], cell["source"]) for cell in cells} == {
        ("town", "person.full_name"), ("full_name", "person.town"), ("phone", "person.id"), ("email", "")}
    real = {f"{7 * n}" for n in range(1, 301)}
    assert not real & {row["phone"] for row in rows_of(cells).values()}


@pytest.mark.parametrize("sql", [
    "SELECT id, upper(full_name) AS full_name FROM person",
    "SELECT id, full_name || '' AS n FROM person",
    "SELECT id, full_name FROM person UNION ALL SELECT id, phone FROM person",
])
def test_what_is_computed_is_refused_before_anything_is_released(gateway, folder, sql):
    before = gateway.ledger()
    code, _, errors = gateway.cli("export", "--partner", "acme", "--canaries", "2", sql, str(folder / "x.csv"),
                                  check=False)
    assert code == 1 and "is computed" in errors and "leave the canaries out" in errors
    assert not list(folder.iterdir()) and len(gateway.ledger()) == len(before)


def test_a_table_without_gaps(gateway, folder):
    """No key below the greatest is free, and the file has the least of them only."""
    delivered = []
    for name in ("a", "b"):
        told = export(gateway, "SELECT id, full_name FROM member WHERE id <= 2000", folder / f"{name}.csv", 40)
        delivered.append({int(row["id"]) for row in rows_of(stored(gateway, told["delivery"])).values()})
    assert len(delivered[0]) == len(delivered[1]) == 40 and not delivered[0] & delivered[1]
    assert min(delivered[0] | delivered[1]) > 20000
    given = lambda: {row["property"]: row["value"] for row in gateway.admin(
        f"SHOW DELIVERY '{told['delivery']}'")}["canary_keys_given_since"]
    assert given() == "0"
    gateway.cluster.script(gateway.database, f"INSERT INTO crm.member VALUES ({max(delivered[1])}, 'New Member')")
    assert given() == "1"


def test_two_copies_have_none_in_common(gateway, folder):
    sql = "SELECT id, full_name, phone FROM person"
    first, second = (export(gateway, sql, folder / name, 30)["delivery"] for name in ("a.csv", "b.csv"))
    keys = [{row["id"] for row in rows_of(stored(gateway, delivery)).values()} for delivery in (first, second)]
    assert len(keys[0]) == len(keys[1]) == 30 and not keys[0] & keys[1]


def test_they_are_in_the_forms_of_the_partner(gateway, folder):
    told = export(gateway, "SELECT id, full_name, phone, born, town FROM person", folder / "m.csv", 10, "mask")
    cells = stored(gateway, told["delivery"])
    rows = read(folder / "m.csv")
    canaries = rows_of(cells)
    tokens = {row["id"] for row in canaries.values()}
    real = [row for row in rows if row["id"] not in tokens]
    assert len(tokens) == 10 and len(real) == 300
    shape = lambda value: re.sub(r"[a-z]", "a", re.sub(r"[A-Z]", "A", re.sub(r"\d", "9", value)))
    for column in ("full_name", "phone"):
        shapes = {shape(row[column]) for row in real}
        assert {shape(row[column]) for row in canaries.values()} <= shapes, column
    assert all(len(token) == len(real[0]["id"]) for token in tokens)
    assert {cell["form"] for cell in cells if cell["column"] == "id"} == {"token"}
    assert {cell["form"] for cell in cells if cell["column"] == "phone"} == {"masked"}
    assert {cell["key"] for cell in cells} == {""}


def test_uuids_and_json_lines(gateway, folder):
    told = export(gateway, "SELECT code, born FROM caller", folder / "c.jsonl", 5)
    keys = {row["code"] for row in rows_of(stored(gateway, told["delivery"])).values()}
    lines = [json.loads(line) for line in (folder / "c.jsonl").read_text().splitlines()]
    assert len(lines) == 65 and keys < {line["code"] for line in lines}


@pytest.mark.parametrize("sql, told", [
    ("SELECT count(*) FROM person", "are not people"),
    ("SELECT id, full_name FROM person WHERE id < 0", "no row"),
])
def test_no_canary_without_people(gateway, folder, sql, told):
    code, _, errors = gateway.cli("export", "--partner", "acme", "--canaries", "1", sql, str(folder / "x.csv"),
                                  check=False)
    assert code == 1 and told in errors and not list(folder.iterdir())


def test_no_mailbox_no_canary(make_gateway, folder):
    gateway = make_gateway(policy_yaml=POLICY, sql=SQL)
    before = len(gateway.ledger())
    code, _, errors = gateway.cli("export", "--partner", "acme", "--canaries", "1",
                                  "SELECT id, email AS town FROM person", str(folder / "x.csv"), check=False)
    assert code == 1 and "mailbox_domain" in errors and not list(folder.iterdir())
    assert len(gateway.ledger()) == before and not gateway.admin("SHOW DELIVERIES")


def test_keys_that_are_somebodys_are_told(gateway):
    answer = gateway.admin("DELIVERY OPEN PARTNER 'acme' FILE '/x' FORMAT 'csv' STATEMENT 'SELECT id FROM person'")
    delivery = answer[0]["delivery"]
    cells = lambda *keys: "".join(f"{row}\tid\tperson.id\tperson\t{key}\tclear\t1\t{key}\n"
                                  for row, key in enumerate(keys, 1))
    assert gateway.admin(f"DELIVERY CANARIES '{delivery}' CELLS '{cells(5, 14, 6, 21)}'") == [
        {"taken": "2", "kind": "person", "greatest": "2100"}, {"taken": "4", "kind": "person", "greatest": "2100"}]
    assert stored(gateway, delivery) == []
    assert gateway.admin(f"DELIVERY CANARIES '{delivery}' CELLS '{cells(5, 6)}'") == []
    assert len(stored(gateway, delivery)) == 2
    gateway.admin(f"DELIVERY CLOSE '{delivery}' OUTCOME 'given up'")
    with pytest.raises(Exception, match="closed"):
        gateway.admin(f"DELIVERY CANARIES '{delivery}' CELLS '{cells(8)}'")


def test_an_incident_of_one_delivery_is_of_its_people(make_gateway, folder):
    gateway = make_gateway(policy_yaml=POLICY, sql=SQL)
    gateway.rows("acme.cert", "SELECT id, full_name FROM person WHERE id <= 700")
    told = export(gateway, "SELECT id, full_name FROM person WHERE id > 350 AND id <= 1400", folder / "a.csv", 25)
    assert told["people"] == 150
    export(gateway, "SELECT id FROM person WHERE id > 1400", folder / "b.csv", 5)
    gateway.cli("incident", "open", "--partner", "acme", "--noticed", "now", "--from", "2026-01-01",
                "--suspect", f"delivery:{told['delivery']}")
    found = json.loads(gateway.cli("incident", "scope", "1", "--json"))
    assert found["totals"]["in_window"] == 150 and found["totals"]["people"] == 300
    assert [(row["part"], row["people"]) for row in found["tables"]["window"]][0] == ("inside", 150)
