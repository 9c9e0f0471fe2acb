"""Who a partner was given, by name; that staff read this is in the ledger first. And whom it only wrote."""
import json

import pytest

from harness import shop

POLICY = shop.POLICY.replace(
    "phone: last4, born: clear, town: clear}",
    "phone: last4, born: clear, town: clear}\n        write: {insert: [person_id, full_name, town]}")
WRITTEN = [301, 302]  # a statement that writes tells that they are there
GIVEN = [1, 2, 3, 5, 6, 7, 9, 10, *WRITTEN]


@pytest.fixture(scope="module")
def world(make_module_gateway):
    """acme has had names of 1 to 10 (of York), telephones of 1 to 3; 12 was asked about, 301 and 302 were written."""
    gateway = make_module_gateway(policy_yaml=POLICY)
    gateway.rows("acme.cert", "SELECT full_name FROM person WHERE person_id <= 10 ORDER BY person_id")
    gateway.rows("acme.cert", "SELECT full_name, phone FROM person WHERE person_id <= 3")
    gateway.rows("acme.cert", "SELECT full_name FROM person WHERE person_id = 12")
    with gateway.connect("acme.cert") as db:
        for n in WRITTEN:
            db.execute(f"INSERT INTO person (person_id, full_name, town) VALUES ({n}, 'New', 'York')")
    return gateway


def listed(gateway, *options):
    *lines, end = map(json.loads, gateway.cli("exposure", "show", "-p", "acme", "--list", "--json", *options).splitlines())
    return lines, end


def readings(gateway, after=-1):
    return [entry for entry in gateway.ledger() if entry["purpose"] == "exposure list acme" and int(entry["sequence"]) > after]


def last(gateway):
    return max(int(entry["sequence"]) for entry in gateway.ledger())


def test_people_are_named_with_categories_and_hours_and_the_reading_is_recorded(world):
    before = last(world)
    people, end = listed(world)
    found = {int(line["key"]): line for line in people}
    assert set(found) == set(GIVEN) and end == {"since": None, "people": 10, "erased": 0}, (people, end)
    assert found[1]["categories"] == ["name", "phone (masked)"] and found[5]["categories"] == ["name"] and found[301]["categories"] == [], people
    assert all(line["kind"] == "person" and line["first"] <= line["last"] and line["first"].endswith(":00:00Z") for line in people)
    ours = readings(world, before)
    assert ours and not ours[0]["partner"] and sum(int(entry["subjects"]) for entry in ours) == 10, ours
    read = {int(row["subject"]) for row in world.admin(f"SHOW DISCLOSED AFTER {before}")}
    assert read == set(GIVEN), read
    shown = world.cli_json("exposure", "show", "-p", "acme")
    assert shown["exposure"][0]["subjects"] == 10, shown


def test_text_and_periods(world):
    text = world.cli("exposure", "show", "-p", "acme", "--list")
    rows = [line.split() for line in text.splitlines() if line.startswith("20")]
    assert sorted(int(row[3]) for row in rows) == GIVEN and "10 people were given to acme." in text, text
    before = last(world)
    people, end = listed(world, "--to", "2020-01-01")
    assert people == [] and end["people"] == 0 and readings(world, before) == []
    assert listed(world, "--from", "2020-01-01")[1]["people"] == 10


def test_nobody_is_named_where_it_cannot_be_recorded(world):
    code, output, errors = world.cli("exposure", "show", "--list", check=False)
    assert code == 2 and "--partner" in errors and output == ""
    code, output, errors = world.cli("exposure", "show", "-p", "nobody", "--list", check=False)
    assert code == 1 and 'partner "nobody"' in errors
    before = len(readings(world))
    world.stop()
    try:
        code, output, errors = world.cli("exposure", "show", "-p", "acme", "--list", "--json", check=False)
        assert code == 1 and output == "" and "nobody is listed, since that cannot be recorded" in errors, errors
    finally:
        world.start()
    assert len(readings(world)) == before


def test_who_was_only_written_is_said(world):
    shown = world.cli_json("exposure", "show")
    assert shown["only_written"] == [{"partner": "acme", "kind": "person", "subjects": 2}], shown
    assert "acme: 2 people (person) only written: their data came from the partner" in world.cli("exposure", "show")
    world.rows("acme.cert", "SELECT full_name FROM person WHERE person_id = 301")
    assert world.cli_json("exposure", "show", "-p", "acme")["only_written"][0]["subjects"] == 1
    assert world.cli_json("exposure", "show", "-p", "rival")["only_written"] == []


def test_who_was_erased_is_counted_without_a_name(world):
    world.cli("erase", "person", "5", "--reason", "asked")
    people, end = listed(world)
    assert "5" not in {line["key"] for line in people} and end["erased"] == 1 and end["people"] == len(people) + 1, end
    assert "1 of whom were erased here" in world.cli("exposure", "show", "-p", "acme", "--list")
