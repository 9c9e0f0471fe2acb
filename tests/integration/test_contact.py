"""How people can be reached is read by a role of its own, which can read nothing else.

contact_probe (tests/unit/contact) calls the module as the breach path does."""
import subprocess

import pytest

from harness import places

SQL = """
CREATE SCHEMA crm;
CREATE DOMAIN crm.person_key AS bigint;
CREATE TABLE crm.person (id crm.person_key PRIMARY KEY, full_name text, email text, phone varchar(30),
                         street text, postcode char(8), language text, brand text, country char(2),
                         born date, gone_away boolean, deceased boolean, safe boolean, iban text);
CREATE TABLE crm.enquirer (code varchar(6) PRIMARY KEY, full_name text, email text);
CREATE TABLE crm.other (id bigint PRIMARY KEY);
INSERT INTO crm.person VALUES
 (1, 'Ann  Lee', 'Ann@Example.org', '+44 1632 960001', '1 Low Road', 'BA1 1AA', 'en', 'red', 'GB',
  '1970-01-11', false, false, true, 'canary'),
 (2, 'Bo "Q" O''Hara', ' ', NULL, NULL, NULL, 'fr', 'blue', 'FR', 'infinity', true, NULL, false, 'canary'),
 (3, 'ann lee', 'ann@example.ORG ', '01632 960001', '  ', 'ba11aa', 'en', 'red', 'GB', NULL, false,
  true, false, 'canary');
INSERT INTO crm.person SELECT n, 'Person ' || n, 'p' || n || '@example.org', NULL, 'Street ' || n, 'YO1',
  'en', 'red', 'GB', '1980-01-01', false, false, false, 'canary' FROM generate_series(10, 15000) AS n;
INSERT INTO crm.person SELECT n, 'Stand-in', NULL, NULL, NULL, NULL, 'en', 'red', 'GB', born, false, false, false, 'canary'
  FROM (VALUES (4, date '1582-10-15'), (5, '9999-12-31'), (6, '1900-01-01')) AS stand_in (n, born);
INSERT INTO crm.enquirer VALUES ('ab"c', 'E One', 'e1@example.org'), ('xyz', 'E Two', NULL);
ANALYZE;
"""
POLICY = """
controller: {name: Shop, brands: {red: {name: Red}, blue: {name: Blue}}}
subjects:
  person:
    dataset: person
    key: id
    contact: {name: full_name, email: email, phone: phone, post: [street, postcode], language: language,
              brand: brand, country: country, birth_date: born, gone_away: gone_away,
              deceased: deceased, safe_contact: safe}
  enquirer: {dataset: enquirer, key: code, contact: {name: full_name, email: email}}
datasets:
  person:
    table: crm.person
    subject: {kind: person, key: id}
    columns: {id: {}, full_name: {}, email: {}, phone: {}, street: {}, postcode: {}, language: {},
              brand: {}, country: {}, born: {}, gone_away: {}, deceased: {}, safe: {}, iban: {category: financial}}
  enquirer:
    table: crm.enquirer
    subject: {kind: enquirer, key: code}
    columns: {code: {}, full_name: {}, email: {}}
"""


@pytest.fixture(scope="module")
def gateway(make_module_gateway):
    made = make_module_gateway(policy_yaml=POLICY, sql=SQL, start=False, contact=True)
    made.grant()
    return made


def probe(gateway, *arguments, fails=False):
    program = places.binary().parent / "tests/unit/contact/contact_probe"
    done = subprocess.run([program, gateway.config, *map(str, arguments)], capture_output=True, text=True,
                          env={"PGOPTIONS": "-c nonsense=1", "PGSERVICE": "nowhere", "PGHOST": "nowhere"})
    assert (done.returncode != 0) == fails, (done.returncode, done.stderr)
    return done.stderr if fails else [line.split("|") for line in done.stdout.splitlines()]


def test_people_come_in_the_order_of_their_keys(gateway):
    assert probe(gateway, "read", "person", 3, 99999, 2, 1) == [
        ["0", "ann lee", "ann@example.ORG ", "01632 960001", "en", "red", "GB", "-2147483648", "010", "ba11aa"],
        ["2", 'Bo "Q" O\'Hara', " ", "-", "fr", "blue", "FR", "-2147483648", "100"],
        ["3", "Ann  Lee", "Ann@Example.org", "+44 1632 960001", "en", "red", "GB", "10", "001", "1 Low Road",
         "BA1 1AA"]]
    assert probe(gateway, "read", "person") == []


def test_dates_that_stand_for_none_are_no_birthdays(gateway):
    assert [line[7] for line in probe(gateway, "read", "person", 4, 5, 6)] == ["-2147483648", "-2147483648", "-25567"]


def test_keys_of_text_find_their_rows(gateway):
    assert [line[:3] for line in probe(gateway, "read", "enquirer", "xyz", 'ab"c')] == [
        ["0", "E Two", "-"], ["1", "E One", "e1@example.org"]]


def test_traits_hold_no_name_or_address(gateway):
    assert probe(gateway, "traits", "person", 1, 2) == [
        ["0", "-", "", "-", "en", "red", "GB", "10", "001"],
        ["1", "-", "-", "-", "fr", "blue", "FR", "-2147483648", "100"]]


def test_columns_for_the_record(gateway):
    assert probe(gateway, "columns", "person") == [
        ["person.full_name,person.email,person.phone,person.language,person.brand,person.country,"
         "person.born,person.gone_away,person.deceased,person.safe,person.street,person.postcode"],
        ["person.email,person.language,person.brand,person.country,person.born,person.gone_away,"
         "person.deceased,person.safe"]]


def test_ten_thousand_at_once_and_no_more(gateway):
    assert len(probe(gateway, "read", "person", *range(10, 10010))) == 10000
    assert "at once" in probe(gateway, "read", "person", *range(10001), fails=True)


def test_finding_forgives_case_spaces_and_punctuation(gateway):
    assert probe(gateway, "find email", "person", " ANN@example.org") == [["2", "1", "3"]]
    assert probe(gateway, "find phone", "person", "(01632) 960-001") == [["1", "3"]]
    assert probe(gateway, "find phone", "person", "none") == [["0"]]
    assert probe(gateway, "find name", "person", "Ann lee ") == [["2", "1", "3"]]
    assert probe(gateway, "find name and postcode", "person", "ANN LEE\nba1 1aa") == [["2", "1", "3"]]
    assert probe(gateway, "find name and postcode", "person", "ANN LEE\nba1 1ab") == [["0"]]
    assert probe(gateway, "email", "person", "x", "p11@example.org", "ann@example.org", "%") == [
        ["1", "11"], ["2", "1"], ["2", "3"]]
    assert probe(gateway, "key", "person", "3", "x", "011", "11") == [["0", "3"], ["3", "11"]]
    assert "no column for the phone of a enquirer" in probe(gateway, "find phone", "enquirer", "1", fails=True)


def test_the_role_reads_nothing_else_and_changes_nothing(gateway):
    import psycopg
    url = gateway.cluster.url(gateway.database, gateway.contact_role) + " password=contact-pw"
    with psycopg.connect(url, autocommit=True) as connection:
        assert connection.execute("SELECT full_name FROM crm.person WHERE id = 1").fetchone() == ("Ann  Lee",)
        for sql in ("SELECT iban FROM crm.person", "SELECT * FROM crm.other", "SELECT count(*) FROM crm.other",
                    "UPDATE crm.person SET email = NULL"):
            with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)):
                connection.execute(sql)


def test_values_stay_out_of_errors(gateway):
    told = probe(gateway, "read", "person", "canary-key", fails=True)
    assert "22P02" in told and "canary" not in told, told


def findings(gateway):
    return [row["finding"] for row in gateway.cli_json("check")["findings"] if row["finding"].startswith("contact:")]


def test_check_finds_nothing_where_all_is_well(gateway):
    assert findings(gateway) == []
    doors = [row["role"] for row in gateway.cli_json("check")["side_doors"]]
    assert gateway.contact_role not in doors, doors


def test_check_tells_what_the_role_can_read_too_much_and_too_little(make_gateway):
    gateway = make_gateway(policy_yaml=POLICY.replace("birth_date: born", "birth_date: language")
                           .replace("gone_away: gone_away", "gone_away: brand").replace(", blue: {name: Blue}", ""),
                           sql=SQL + "-- of its own", start=False, contact=True)
    gateway.cluster.script(gateway.database, gateway.cli("grants"))
    role = gateway.contact_role
    gateway.cluster.script(gateway.database, f"""
        GRANT USAGE ON SCHEMA crm TO {role}; GRANT SELECT ON crm.person, crm.other TO {role};
        GRANT DELETE ON crm.enquirer TO {role};""")
    told = findings(gateway)
    assert told == [
        "contact: the role may change crm.enquirer, which it does not need",
        "contact: the role may read crm.other, which it does not need",
        "contact: person.brand is of type text; boolean is wanted",
        "contact: person.language is of type text; a date is wanted",
        "contact: the role may read crm.person.born, which it does not need",
        "contact: the role may read crm.person.gone_away, which it does not need",
        "contact: the role may read crm.person.iban, which it does not need",
        "contact: person.brand has 1 value(s) that are none of the controller's brands",
        "contact: the role may not read enquirer.code",
        "contact: the role may not read enquirer.full_name",
        "contact: the role may not read enquirer.email"], told


def test_check_tells_of_a_role_that_cannot_log_in(make_gateway):
    gateway = make_gateway(policy_yaml=POLICY, sql=SQL, start=False, contact=True)
    gateway.cluster.script(gateway.database, gateway.cli("grants"))
    gateway._write_secret("contact.password", "wrong")
    (told,) = findings(gateway)
    assert "password authentication failed" in told, told


def test_without_a_role_it_says_what_to_write(make_gateway):
    gateway = make_gateway(policy_yaml=POLICY, sql=SQL, start=False)
    told = probe(gateway, "read", "person", 1, fails=True)
    assert "no role is configured" in told and "cofferdam.yaml" in told, told
    assert 'TO "cofferdam_contact"' in gateway.cli("grants", "--contact")
    assert 'TO "reader"' in gateway.cli("grants", "--contact", "--role", "reader")
