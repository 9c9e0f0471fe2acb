"""What a partner changes where its grant says so: inside the row filter, in the ledger before COMMIT and after."""
import threading
import time

import psycopg
import pytest

SQL = """
CREATE SCHEMA s;
CREATE TABLE s.person (person_id bigint PRIMARY KEY, name text NOT NULL, phone varchar(20), born date, town text, secret text,
                       gone boolean NOT NULL DEFAULT false, credit integer NOT NULL DEFAULT 0 CHECK (credit < 1000));
INSERT INTO s.person VALUES (1, 'Ann', '01', '1980-01-01', 'Ayr', 'canary-1', false, 1), (2, 'Bob', '02', NULL, 'Bath', 'canary-2', false, 2),
  (3, 'Cy', '03', NULL, 'Cork', 'canary-3', true, 3), (4, 'Di', '04', NULL, 'Deal', 'canary-4', false, 4);
CREATE TABLE s.note (note_id bigint PRIMARY KEY, person_id bigint REFERENCES s.person DEFERRABLE, body text, kind text DEFAULT 'call', stars integer);
INSERT INTO s.note VALUES (10, 1, 'ten', 'call', 1), (11, 1, 'eleven', 'call', NULL), (12, 2, 'twelve', 'visit', 5), (13, 3, 'hidden', 'call', 2);
CREATE TABLE s.town (town text PRIMARY KEY, region text);
INSERT INTO s.town VALUES ('Ayr', 'west'), ('Bath', 'west');
"""
POLICY = """
controller: {name: Shop, dpo: {name: D, email: d@shop.example}}
subjects: {person: {dataset: person, key: person_id}}
datasets:
  person:
    table: s.person
    subject: {kind: person, key: person_id}
    columns: {person_id: {category: identifier}, name: {category: name}, phone: {category: phone}, born: {category: date_of_birth}, town: {category: address}, gone: {}, credit: {}}
  note:
    table: s.note
    subject: {kind: person, via: [{dataset: person, on: person_id}]}
    columns: {note_id: {}, person_id: {category: identifier}, body: {category: x_note}, kind: {}, stars: {}}
  town: {table: s.town, subject: none, columns: {town: {}, region: {}}}
partners:
  desk:
    contract: {agreement: A, breach_contact: {name: B, phone: "1"}}
    purposes: [support]
    agents: [{name: one, identity: {certificate: "spiffe://desk/one"}}, {name: reader, identity: {certificate: "spiffe://desk/reader"}}]
    valid: {from: 2020-01-01, until: 2099-12-31}
    grants:
      - dataset: person
        agent: one
        rows: "NOT gone"
        columns: {person_id: clear, name: initial, phone: clear, born: clear, town: clear, credit: clear, gone: clear}
        write: {update: [phone, born, town, credit, gone]}
      - dataset: person
        agent: reader
        columns: {person_id: clear, phone: clear}
      - dataset: note
        rows: "kind = 'call'"
        columns: {note_id: clear, person_id: clear, body: clear, kind: clear, stars: clear}
        write: {insert: [note_id, person_id, body, kind, stars], update: [body, kind, stars], delete: true}
      - {dataset: town, columns: all, write: {insert: [town, region]}}
    aggregates: {min_subjects: 2}
    budget: {subjects: {per_day: 1000, total: 1000}, rows_per_statement: 1000, errors_per_day: 1000, probes_per_day: 1000}
"""


@pytest.fixture
def gateway(make_gateway, cluster):
    """A database of its own each time: these tests change it."""
    return make_gateway(policy_yaml=POLICY, database=cluster.create_database(sql=SQL))


def direct(gateway, sql):
    with gateway.cluster.connect(gateway.database) as connection:
        return connection.execute(sql).fetchall()


def entries(gateway, *types):
    """Type, outcome, row count and text of the ledger's entries of these types, oldest first."""
    rows = gateway.admin("SHOW LEDGER")
    return [row for row in rows if row["type"] in types]


def state(call):
    with pytest.raises(psycopg.Error) as error:
        call()
    assert "canary" not in str(error.value) and "s.person" not in str(error.value), error.value
    return error.value.sqlstate


def test_an_update_changes_what_is_granted_and_is_written_down(gateway):
    with gateway.connect("desk.one") as db:
        cursor = db.execute("UPDATE person SET phone = '0555' WHERE person_id = 1")
        assert cursor.statusmessage == "UPDATE 1" and cursor.description is None
        assert db.execute("UPDATE person SET phone = %s, credit = credit + 1, born = %s WHERE person_id = ANY(%s) RETURNING person_id, name, phone, credit",
                          ["07", "1999-09-09", [1, 2]]).fetchall() in ([(1, "A.", "07", 2), (2, "B.", "07", 3)], [(2, "B.", "07", 3), (1, "A.", "07", 2)])
    assert direct(gateway, "SELECT person_id, phone, credit FROM s.person ORDER BY 1") == [(1, "07", 2), (2, "07", 3), (3, "03", 3), (4, "04", 4)]
    print(entries(gateway, "change", "change-end", "disclosure"))
