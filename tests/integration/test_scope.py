"""Staff are told whose data a breached partner had, and which: exactly what its clients received, and the same
answer for as long as the case is kept."""
import collections
import concurrent.futures
import csv
import datetime
import hashlib
import io
import json
import os
import pwd
import threading
import time

import psycopg
import pytest

SQL = """
CREATE SCHEMA crm;
CREATE TABLE crm.person (id bigint PRIMARY KEY, full_name text, email text, phone text, born date, language text,
                         brand text, country char(2), gone_away boolean, deceased boolean);
CREATE TABLE crm.car (vin text PRIMARY KEY, person_id bigint REFERENCES crm.person, plate text, model text);
CREATE TABLE crm.enquirer (code text PRIMARY KEY, full_name text, email text, iban text);
CREATE INDEX ON crm.car (person_id);
INSERT INTO crm.person SELECT n, 'Person ' || n, 'p' || n || '@example.org', '+44 1632 96' || n,
  CASE WHEN n % 50 = 0 THEN date '2015-05-05' ELSE date '1970-01-01' + n END,
  CASE WHEN n % 3 = 0 THEN 'fr' ELSE 'en' END, CASE WHEN n % 4 = 0 THEN 'blue' ELSE 'red' END,
  CASE WHEN n % 3 = 0 THEN 'FR' ELSE 'GB' END, n % 70 = 0, n % 90 = 0 FROM generate_series(1, 3000) AS n;
INSERT INTO crm.car SELECT 'VIN' || n, 1 + n % 3000, 'AB' || n, 'model ' || n % 9 FROM generate_series(1, 4000) AS n;
INSERT INTO crm.enquirer SELECT 'e' || n, 'Asker ' || n, 'a' || n || '@example.org', 'GB00' || n
  FROM generate_series(1, 500) AS n;
ANALYZE;
"""
POLICY = """
controller:
  name: Shop
  brands: {red: {name: Red}, blue: {name: Blue}}
  jurisdictions: [uk-gdpr]
subjects:
  person:
    dataset: person
    key: id
    contact: {name: full_name, email: email, phone: phone, language: language, brand: brand, country: country,
              birth_date: born, gone_away: gone_away, deceased: deceased}
  enquirer: {dataset: enquirer, key: code, contact: {name: full_name, email: email}}
datasets:
  person:
    table: crm.person
    subject: {kind: person, key: id}
    columns: {id: {}, full_name: {category: name}, email: {category: email}, phone: {category: phone},
              born: {category: date_of_birth}, language: {category: language}, brand: {}, country: {},
              gone_away: {}, deceased: {}}
  car:
    table: crm.car
    subject: {kind: person, key: person_id}
    columns: {vin: {category: vin}, person_id: {}, plate: {category: vrm}, model: {category: vehicle}}
  enquirer:
    table: crm.enquirer
    subject: {kind: enquirer, key: code}
    columns: {code: {}, full_name: {category: name}, email: {category: email}, iban: {category: financial}}
partners:
  acme:
    contract: {agreement: DPA-1, breach_contact: {name: A. Contact, phone: "+44 1632 960001"}}
    purposes: [delivery]
    agents:
      - {name: cert, identity: {certificate: "spiffe://acme/cert"}}
      - {name: job, identity: {certificate: "spiffe://acme/job"}}
    valid: {from: 2020-01-01, until: 2099-12-31}
    grants:
      - dataset: person
        columns: {id: clear, full_name: clear, phone: last4, email: clear, born: year}
      - {dataset: car, columns: {vin: token, person_id: clear, plate: clear, model: clear}}
      - {dataset: enquirer, columns: {code: clear, full_name: clear, email: clear}}
    budget: {subjects: {per_day: 100000, total: 1000000}, rows_per_statement: 1000000}
  rival:
    contract: {agreement: DPA-2, breach_contact: {name: R. Contact, phone: "+44 1632 960002"}}
    purposes: [delivery]
    agents:
      - {name: cert, identity: {certificate: "spiffe://rival/cert"}}
    valid: {from: 2020-01-01, until: 2099-12-31}
    grants:
      - {dataset: person, columns: {id: clear, full_name: clear}}
    budget: {subjects: {per_day: 100000, total: 1000000}, rows_per_statement: 1000000}
"""
# What each statement gives of a person, beside the key: categories in the form of the policy.
ASKED = [
    ("person", "SELECT id, full_name FROM person WHERE id < 400", {"name"}),
    ("person", "SELECT id, phone FROM person WHERE id BETWEEN 300 AND 500", {"phone (masked)"}),
    ("person", "SELECT id, email, born FROM person WHERE id IN (350, 351, 900)", {"email", "date_of_birth (masked)"}),
    ("person", "SELECT person_id, vin, model FROM car WHERE person_id BETWEEN 490 AND 600",
     {"vin (token)", "vehicle"}),
    ("person", "SELECT p.id, p.full_name, c.plate FROM person p, car c WHERE c.person_id = p.id AND p.id > 2950",
     {"name", "vrm"}),
    ("person", "SELECT id FROM person WHERE id BETWEEN 590 AND 610", set()),
    ("enquirer", "SELECT code, email FROM enquirer WHERE code LIKE 'e1%'", {"email"}),
]


def receive(gateway, agent="acme.cert"):
    """(kind, key) -> categories, from the rows that a client was given."""
    had = collections.defaultdict(set)
    with gateway.connect(agent) as connection:
        for kind, statement, categories in ASKED:
            for row in connection.execute(statement).fetchall():
                had[kind, str(row[0])] |= categories
    return had


def listed(text):
    """(kind, key) -> categories, from the list of a scope."""
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len({(row["kind"], row["key"]) for row in rows}) == len(rows)
    return {(row["kind"], row["key"]): set(row["categories"].split(", ")) - {"presence only"} for row in rows}


def scope(gateway, number=1, *more):
    return json.loads(gateway.cli("incident", "scope", str(number), "--json", *more))


def people_list(gateway, number=1, *more):
    return gateway.cli("incident", "scope", str(number), "--list", "-", *more)


def open_incident(gateway, *more, partner="acme"):
    return gateway.cli("incident", "open", "--partner", partner, "--noticed", "now", *more)


def rows_of(found, table, *columns):
    return [tuple(row[column] for column in columns) for row in found["tables"][table]]


def day(distance):
    """The instant so many days from now."""
    now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=distance)
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def gateway(make_gateway):
    return make_gateway(policy_yaml=POLICY, sql=SQL, contact=True)


def test_the_scope_is_what_the_clients_received(gateway):
    had = receive(gateway)
    gateway.rows("rival.cert", "SELECT id, full_name FROM person WHERE id > 700")
    open_incident(gateway)
    found = scope(gateway)
    assert listed(people_list(gateway)) == had
    assert found["totals"]["people"] == len(had)
    persons = [key for kind, key in had if kind == "person"]
    assert rows_of(found, "kind", "kind", "people") == [("person", len(persons)), ("enquirer", len(had) - len(persons))]
    told = collections.Counter(category for categories in had.values() for category in categories)
    counted = collections.Counter()
    for row in found["tables"]["category"]:
        form = "" if row["form"] == "clear" else f" ({row['form']})"
        counted[row["category"] + form] += row["people"]
    assert counted == told
    combinations = collections.Counter((kind, ", ".join(sorted(categories)) or "presence only")
                                       for (kind, _), categories in had.items())
    assert dict(combinations) == {(kind, text): people for kind, text, people in
                                  rows_of(found, "combination", "kind", "categories", "people")}
    never = {row["category"]: row["held"] for row in found["tables"]["never"]}
    assert never["financial"] == "yes" and never["credential"] == "no"
    assert never.keys().isdisjoint({"name", "phone", "email", "date_of_birth", "vin", "vehicle", "vrm"})
    states = dict(rows_of(found, "partners", "partner", "state"))
    assert states == {"acme": "contained", "rival": "active"}


def test_nothing_is_missed_when_it_is_opened_in_the_middle_of_a_theft(gateway):
    received, begun = set(), threading.Event()

    def steal():
        try:
            with gateway.connect("acme.cert") as connection, connection.cursor() as cursor:
                for start in range(1, 3000, 7):
                    for row in cursor.stream(f"SELECT id, full_name FROM person WHERE id BETWEEN {start} AND {start + 60}"):
                        received.add(("person", str(row[0])))
                        begun.set()
        except psycopg.Error:
            pass

    thief = threading.Thread(target=steal)
    thief.start()
    assert begun.wait(20)
    time.sleep(0.2)
    open_incident(gateway)
    thief.join()
    assert len(received) < 3000, "it was over before the partner was contained"
    found = set(listed(people_list(gateway)))
    assert received <= found, received - found
    extra = len(found - received)
    assert extra <= 61, f"{extra} people in scope whom the client was not given"


def test_traits_come_from_the_contact_role_and_are_recorded_first(gateway):
    had = receive(gateway)
    open_incident(gateway)
    found = scope(gateway)
    assert found["without_traits"] is None
    keys = [int(key) for kind, key in had if kind == "person"]
    brands = collections.Counter("blue" if key % 4 == 0 else "red" for key in keys)
    assert {name: people for kind, name, people in rows_of(found, "brand", "kind", "brand", "people")
            if kind == "person"} == brands
    languages = collections.Counter("fr" if key % 3 == 0 else "en" for key in keys)
    assert {name: people for kind, name, people in rows_of(found, "language", "kind", "language", "people")
            if kind == "person"} == languages
    assert found["totals"]["children"] == sum(key % 50 == 0 for key in keys)
    assert found["totals"]["gone"] == 0
    read = [entry for entry in gateway.ledger() if entry["agent"] == "cofferdam.contact"]
    assert read and all(entry["purpose"] == "incident 1 scope" for entry in read)
    before = len(read)
    scope(gateway)
    assert len([entry for entry in gateway.ledger() if entry["agent"] == "cofferdam.contact"]) == before


def test_the_same_phase_gives_the_same_bytes(gateway):
    receive(gateway)
    open_incident(gateway)
    first, people = scope(gateway), people_list(gateway)
    gateway.rows("rival.cert", "SELECT id, full_name FROM person")
    gateway.cluster.script(gateway.database, "UPDATE crm.person SET brand = 'green', language = 'de', born = NULL;"
                                             "DELETE FROM crm.car; DELETE FROM crm.person WHERE id < 200")
    gateway.restart()
    try:
        assert scope(gateway) == first
        assert people_list(gateway) == people
        folder = gateway.folder / "written"
        gateway.cli("incident", "scope", "1", "--csv", folder)
        assert (folder / "list.csv").read_bytes().decode() == people.replace("\n", "\r\n")
        assert (folder / "list.csv").stat().st_mode & 0o777 == 0o600
        assert {path.stem for path in folder.iterdir()} == set(first["tables"]) | {"list"}
        code, _, errors = gateway.cli("incident", "scope", "1", "--csv", folder, check=False)
        assert code == 1 and "exists" in errors
    finally:
        gateway.cluster.script(gateway.database, "DROP SCHEMA crm CASCADE;" + SQL)


def test_a_later_phase_says_what_changed(gateway):
    had = receive(gateway)
    open_incident(gateway)
    first = scope(gateway)
    keys = gateway.folder / "keys.txt"
    keys.write_text("".join(f"{key}\n" for key in (1, 2, 399, 2000, 2001)))
    gateway.cli("exposure", "declare", "--partner", "acme", "--kind", "person", "--columns", "person.full_name,email",
                "--keys", keys, "--reason", "a disk of 2025", "--at", "2025-02-03T00:00:00Z")
    assert scope(gateway) == first
    told = gateway.cli("incident", "scope", "1", "--new-phase", "--reason", "the disk", "--json")
    changes = {(row["what"], row["kind"], row["detail"]): (row["before"], row["after"]) for row in json.loads(told)}
    persons = sum(kind == "person" for kind, _ in had)
    assert changes["people", "person", None] == (persons, persons + 2)
    assert changes["people added", "person", None] == (None, 2)
    assert changes["corrected notice", "person", "more was told of them than before"] == (None, 3)
    assert changes["category", "person", "email (clear)"] == (3, 8)
    assert ("people removed", "person", None) not in changes
    later = scope(gateway)
    assert later["phase"] == 2 and later["totals"]["people"] == first["totals"]["people"] + 2
    assert ("declared", "person", 2) in rows_of(later, "tier", "tier", "kind", "people")
    assert ("2025-02-03", "person", 5) in rows_of(later, "day", "day", "kind", "people")
    assert scope(gateway, 1, "--phase", "1") == first
    again = gateway.cli("incident", "scope", "1", "--diff", "1", "--json")
    assert json.loads(again) == json.loads(told)
    code, _, errors = gateway.cli("incident", "scope", "1", "--new-phase", check=False)
    assert code == 2 and "reason" in errors


def test_a_scope_is_there_without_the_database(make_gateway):
    gateway = make_gateway(policy_yaml=POLICY, sql=SQL, contact=True)
    had = receive(gateway)
    open_incident(gateway)
    gateway.cluster.script("postgres", f"ALTER ROLE {gateway.contact_role} NOLOGIN")
    found = scope(gateway)
    assert found["without_traits"] and listed(people_list(gateway)) == had
    assert rows_of(found, "brand", "kind", "brand", "people") == [
        (kind, "not known", people) for kind, people in rows_of(found, "kind", "kind", "people")]
    page = gateway.cli("incident", "scope", "1")
    assert "--new-phase" in page and "Brands" not in page
    gateway.cluster.script("postgres", f"ALTER ROLE {gateway.contact_role} LOGIN")
    assert scope(gateway) == found
    gateway.cli("incident", "scope", "1", "--new-phase", "--reason", "the database is back")
    assert scope(gateway)["without_traits"] is None


def test_without_a_contact_role_it_says_so(make_gateway):
    gateway = make_gateway(policy_yaml=POLICY, sql=SQL)
    had = receive(gateway)
    open_incident(gateway)
    assert listed(people_list(gateway)) == had
    assert "no role is configured" in scope(gateway)["without_traits"]


def test_the_window_and_what_came_after(gateway):
    gateway.rows("acme.cert", "SELECT id, full_name FROM person WHERE id <= 10")
    gateway.rows("acme.job", "SELECT id, full_name FROM person WHERE id BETWEEN 5 AND 20")
    open_incident(gateway, "--from", day(-30), "--suspect", "agent:job")
    found = scope(gateway)
    assert found["totals"]["people"] == 20 and found["totals"]["in_window"] == 16
    assert rows_of(found, "window", "part", "agent", "statements", "people", "rows") == [("inside", "job", 1, 16, 16)]
    open_incident(gateway, "--from", day(-30), "--to", day(-20))
    found = scope(gateway, 2)
    assert found["totals"]["people"] == 0
    assert rows_of(found, "window", "part", "agent", "people") == [("after", "cert", 10), ("after", "job", 16)]


def test_the_hash_is_fixed_in_case_and_ledger_once_the_gateway_is_there(gateway):
    receive(gateway)
    open_incident(gateway)
    gateway.stop()
    away = scope(gateway)
    assert away["without_traits"] and away == scope(gateway)
    gateway.start()
    here = scope(gateway)
    assert here == away and scope(gateway) == here
    acts = [entry for entry in gateway.ledger() if entry["type"] == "act" and "incident 1: scope;" in entry["text"]]
    totals = here["totals"]
    why = f"phase 1: {totals['people']} people, {totals['notified']} to be notified; sha256 {here['sha256']}"
    assert len(acts) == 1 and hashlib.sha256(why.encode()).hexdigest() in acts[0]["text"]


def test_deletions_count_gross_and_net(gateway):
    gateway.rows("acme.cert", "SELECT id FROM person WHERE id <= 10")
    keys = gateway.folder / "keys.txt"
    keys.write_text("1\n2\n3\n")
    time.sleep(1.1)  # instants are told in seconds
    gateway.cli("exposure", "deletion", "--partner", "acme", "--before", day(0), "--request", "R-7", "--method",
                "wiped", "--kind", "person", "--keys", keys)
    gateway.rows("acme.cert", "SELECT id FROM person WHERE id = 3")
    open_incident(gateway)
    found = scope(gateway)
    assert rows_of(found, "net", "kind", "gross", "deleted", "net") == [("person", 10, 2, 8)]
    assert rows_of(found, "deletion", "request", "people") == [("R-7", "3")]


def test_a_changed_ledger_is_told(gateway):
    receive(gateway)
    open_incident(gateway)
    before = scope(gateway)
    gateway.stop()
    segment = gateway.ledger_dir / "segment-0000000001.log"
    data = bytearray(segment.read_bytes())
    at = data.find(b"person.full_name:clear")
    assert at > 0
    data[at] ^= 1
    with open(segment, "r+b") as file:
        file.write(data)
    code, output, errors = gateway.cli("incident", "scope", "1", check=False)
    assert code == 1 and not output and "segment-0000000001" in errors, errors
    data[at] ^= 1
    with open(segment, "r+b") as file:
        file.write(data)
    gateway.start()
    assert scope(gateway) == before


def test_two_who_open_a_phase_at_once_see_the_same(gateway):
    receive(gateway)
    open_incident(gateway)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: scope(gateway), range(4)))
    assert all(one == found[0] for one in found) and found[0]["without_traits"] is None
    assert scope(gateway) == found[0]


def test_changed_evidence_is_told(gateway):
    receive(gateway)
    open_incident(gateway)
    gateway.cli("incident", "scope", "1", user=pwd.getpwuid(os.getuid()))  # root's files are the service's
    traits = gateway.state_dir / "incidents" / "1" / "traits.1"
    assert traits.stat().st_uid == os.stat(gateway.state_dir).st_uid
    assert "Person" not in traits.read_text() and "@" not in traits.read_text()
    traits.write_text(traits.read_text().replace("brand red", "brand rot"))
    code, _, errors = gateway.cli("incident", "scope", "1", check=False)
    assert code == 1 and "is not the one that was fixed" in errors


def test_usage(gateway):
    for arguments, words in ((("x",), "not the number"), (("1", "--phase", "0"), "phase"), ((), "N")):
        code, _, errors = gateway.cli("incident", "scope", *arguments, check=False)
        assert code == 2 and words in errors, errors
    code, _, errors = gateway.cli("incident", "scope", "9", check=False)
    assert code == 1 and "9" in errors
    receive(gateway)
    open_incident(gateway)
    code, _, errors = gateway.cli("incident", "scope", "1", "--table", "cats", check=False)
    assert code == 1 and "cats" in errors
    assert "person" in gateway.cli("incident", "scope", "1", "--table", "kind")
    with pytest.raises(psycopg.OperationalError):
        gateway.connect("acme.cert")
