"""The ledger's folder by itself: anybody who can read it verifies it, and takes it out as a table."""
import csv
import io
import json
import subprocess

import pytest


@pytest.fixture(scope="module")
def gateway(make_module_gateway):
    gateway = make_module_gateway()
    with gateway.connect("acme.cert") as connection:
        for low in range(1, 40, 5):
            connection.execute("SELECT person_id, full_name FROM person WHERE person_id BETWEEN %s AND %s",
                               (low, low + 4)).fetchall()
    return gateway


def alone(gateway, *arguments):
    """As on another machine: no configuration, no gateway."""
    return subprocess.run([gateway.program, "ledger", *arguments], capture_output=True, text=True, timeout=60)


def test_verify_needs_the_folder_alone(gateway):
    whole = json.loads(alone(gateway, "verify", str(gateway.ledger_dir), "--json").stdout)
    entries = gateway.ledger()
    assert whole["verdict"] == "whole"
    assert whole["entries"] >= len(entries) > 8
    assert whole["acknowledged"] <= whole["entries"]


def test_damage_is_told_with_its_place(gateway, tmp_path):
    copy = tmp_path / "ledger"
    copy.mkdir()
    for path in gateway.ledger_dir.iterdir():
        if path.is_file() and path.stat().st_size <= 64 << 20 and not path.name.endswith(".spare"):
            (copy / path.name).write_bytes(path.read_bytes())
    segment = copy / "segment-0000000001.log"
    with segment.open("r+b") as file:
        file.seek(4096 + 200)
        byte = file.read(1)
        file.seek(4096 + 200)
        file.write(bytes([byte[0] ^ 1]))
    told = alone(gateway, "verify", str(copy), "--json")
    damage = json.loads(told.stdout)
    assert told.returncode == 1
    assert (damage["verdict"], damage["check"], damage["byte"]) == ("damaged", "missing", 4096)
    assert damage["file"] == str(segment)
    assert "byte 4096" in told.stderr


def test_export_has_an_item_a_line(gateway):
    lines = [json.loads(line) for line in
             gateway.cli("ledger", "export", "--format", "jsonl", "--partner", "acme").splitlines()]
    table = list(csv.DictReader(io.StringIO(gateway.cli("ledger", "export", "--partner", "acme"))))
    assert len(lines) == len(table) >= 8
    assert {line["partner"] for line in lines} == {"acme"}
    assert sum(line["subjects"] or 0 for line in lines if line["grade"] == "direct") >= 8
    named = [line for line in lines if line["grade"] == "direct"][0]
    assert any(column.startswith("person.full_name:clear") for column in named["columns"])
    assert [row["sequence"] for row in table] == [str(line["sequence"]) for line in lines]


def test_export_names_people(gateway):
    text = gateway.cli("ledger", "export", "--subjects", "--partner", "acme")
    people = {int(row["key"]) for row in csv.DictReader(io.StringIO(text)) if row["grade"] == "direct"}
    told = {int(row["subject"]) for row in gateway.admin("SHOW DISCLOSED AFTER 0") if row["grade"] == "direct"}
    assert people == told and len(people) > 10


def test_export_of_a_range(gateway):
    rows = [json.loads(line) for line in gateway.cli("ledger", "export", "--format", "jsonl", "--from", "2",
                                                     "--to", "5").splitlines()]
    assert {row["sequence"] for row in rows} == {2, 3, 4}
    later = gateway.cli("ledger", "export", "--format", "jsonl", "--from", "2099-01-01")
    assert later == ""
    wrong = gateway.cli("ledger", "export", "--from", "tomorrow", check=False)
    assert wrong[0] == 2 and "instant" in wrong[2]


def test_export_to_a_file_is_whole_or_not_there(gateway):
    path = gateway.folder / "export.csv"
    gateway.cli("ledger", "export", "-o", str(path))
    assert path.stat().st_mode & 0o777 == 0o600
    again = gateway.cli("ledger", "export", "-o", str(path), check=False)
    assert again[0] == 1 and "exists" in again[2]


def test_verify_knows_everybody(gateway):
    whole = json.loads(alone(gateway, "verify", str(gateway.ledger_dir), "--with-data", "--json").stdout)
    assert whole["verdict"] == "whole"
    assert whole["data"]["subjects"] >= 20 and whole["data"]["unfinished"] == 0
    missing = alone(gateway, "verify", str(gateway.ledger_dir), "--with-data", "--subjects", "/nowhere", "--json")
    assert missing.returncode == 1
