"""A small world for oracles: people of two kinds, children one and two hops away, data about nobody.

Partners see it through masks and row filters. `DIRECT` says what they see as plain views, written by
hand and independently of the gateway: what a query gives there is what it must give through the
gateway. Tokens differ by construction, so both sides print them alike (see `normal`).
"""
import re

PEOPLE, STAFF = 14, 6

SCHEMA = """
CREATE SCHEMA w;
CREATE TABLE w.person (person_id bigint PRIMARY KEY, name text, phone text, born date, town text,
                       height integer, hidden boolean NOT NULL);
CREATE TABLE w.staff (staff_code text PRIMARY KEY, name text, grade smallint);
CREATE TABLE w.purchase (purchase_id integer PRIMARY KEY, person_id bigint REFERENCES w.person,
                         item text, pence integer, bought date);
CREATE TABLE w.line (line_id integer PRIMARY KEY, purchase_id integer REFERENCES w.purchase,
                     amount numeric, note text);
CREATE TABLE w.visit (visit_id integer PRIMARY KEY, person_id bigint REFERENCES w.person,
                      staff_code text REFERENCES w.staff, minutes integer);
CREATE TABLE w.article (item text PRIMARY KEY, maker text, weight integer);
"""

POLICY = """
controller: {name: World, dpo: {name: D, email: d@world.example}}
subjects:
  person: {dataset: person, key: person_id}
  staff: {dataset: staff, key: staff_code}
datasets:
  person:
    table: w.person
    subject: {kind: person, key: person_id}
    columns: {person_id: {}, name: {category: name}, phone: {category: phone}, born: {category: date_of_birth},
              town: {category: address}, height: {}, hidden: {}}
  staff:
    table: w.staff
    subject: {kind: staff, key: staff_code}
    columns: {staff_code: {}, name: {category: name}, grade: {}}
  purchase:
    table: w.purchase
    subject: {kind: person, key: person_id, when_null: hide}
    columns: {purchase_id: {}, person_id: {}, item: {}, pence: {}, bought: {}}
  line:
    table: w.line
    subject: {kind: person, via: [{dataset: purchase, on: purchase_id}], key: person_id}
    columns: {line_id: {}, purchase_id: {}, amount: {}, note: {}}
  visit:
    table: w.visit
    subject:
      - {kind: person, key: person_id, when_null: none}
      - {kind: staff, key: staff_code, when_null: none}
    columns: {visit_id: {}, person_id: {}, staff_code: {}, minutes: {}}
  article:
    table: w.article
    subject: none
    columns: {item: {}, maker: {}, weight: {}}
partners:
  rows:
    contract: {agreement: A, breach_contact: {name: B, phone: "1"}}
    purposes: [test]
    agents: [{name: one, identity: {certificate: "spiffe://rows/one"}}]
    valid: {from: 2020-01-01, until: 2099-12-31}
    grants:
      - dataset: person
        rows: "NOT hidden"
        columns: {person_id: clear, name: clear, phone: last4, born: year, town: clear, height: clear}
      - {dataset: staff, columns: {staff_code: token, name: initial, grade: clear}}
      - {dataset: purchase, rows: "pence > 0", columns: {purchase_id: clear, person_id: clear, item: clear, pence: clear, bought: clear}}
      - {dataset: line, columns: {line_id: clear, purchase_id: clear, amount: clear, note: clear}}
      - {dataset: visit, columns: {visit_id: clear, person_id: clear, staff_code: token, minutes: clear}}
      - {dataset: article, columns: all}
    aggregates: {min_subjects: 3}
    budget: {subjects: {per_day: 1000000, total: 1000000}, rows_per_statement: 1000000, errors_per_day: 100000000, probes_per_day: 100000000}
  stats:
    contract: {agreement: A, breach_contact: {name: B, phone: "1"}}
    purposes: [test]
    agents: [{name: one, identity: {certificate: "spiffe://stats/one"}}]
    valid: {from: 2020-01-01, until: 2099-12-31}
    grants:
      - {dataset: person, rows: "NOT hidden", columns: {person_id: clear, town: clear, height: clear, born: clear}}
      - {dataset: purchase, columns: {person_id: clear, item: clear, pence: clear}}
      - {dataset: visit, columns: {visit_id: clear, person_id: clear, minutes: clear}}
      - {dataset: article, columns: all}
    mode: aggregates
    aggregates: {min_subjects: 3}
    budget: {subjects: {per_day: 1000000, total: 1000000}, rows_per_statement: 1000000, errors_per_day: 100000000, probes_per_day: 100000000}
"""

# What each partner sees, as views over the same tables.
DIRECT = {
    "rows": """
CREATE SCHEMA direct_rows;
CREATE VIEW direct_rows.person AS SELECT person_id, name, '***' || right(phone, 4) AS phone,
    {year_of_born} AS born, town, height FROM w.person WHERE NOT hidden;
CREATE VIEW direct_rows.staff AS SELECT 't' || md5(staff_code) AS staff_code,
    left(name, 1) || '.' AS name, grade FROM w.staff;
CREATE VIEW direct_rows.purchase AS SELECT * FROM w.purchase WHERE person_id IS NOT NULL AND pence > 0;
CREATE VIEW direct_rows.line AS SELECT l.* FROM w.line l JOIN w.purchase p USING (purchase_id)
    WHERE p.person_id IS NOT NULL;
CREATE VIEW direct_rows.visit AS SELECT visit_id, person_id, 't' || md5(staff_code) AS staff_code,
    minutes FROM w.visit;
CREATE VIEW direct_rows.article AS SELECT * FROM w.article;
""",
    "stats": """
CREATE SCHEMA direct_stats;
CREATE VIEW direct_stats.person AS SELECT person_id, town, height, born FROM w.person WHERE NOT hidden;
CREATE VIEW direct_stats.purchase AS SELECT person_id, item, pence FROM w.purchase WHERE person_id IS NOT NULL;
CREATE VIEW direct_stats.visit AS SELECT visit_id, person_id, minutes FROM w.visit;
CREATE VIEW direct_stats.article AS SELECT * FROM w.article;
""",
}

TOWNS = ["Bath", "York", "Łódź", None, ""]
ITEMS = ["cup", "hat", "pen", "map"]

# Columns that queries may name: dataset -> column -> type class.
COLUMNS = {
    "rows": {
        "person": {"person_id": "int", "name": "text", "phone": "text", "born": "{born_type}", "town": "text", "height": "int"},
        "staff": {"staff_code": "token", "name": "text", "grade": "int"},
        "purchase": {"purchase_id": "int", "person_id": "int", "item": "text", "pence": "int", "bought": "date"},
        "line": {"line_id": "int", "purchase_id": "int", "amount": "numeric", "note": "text"},
        "visit": {"visit_id": "int", "person_id": "int", "staff_code": "token", "minutes": "int"},
        "article": {"item": "text", "maker": "text", "weight": "int"},
    },
    "stats": {
        "person": {"person_id": "int", "town": "text", "height": "int", "born": "date"},
        "purchase": {"person_id": "int", "item": "text", "pence": "int"},
        "visit": {"visit_id": "int", "person_id": "int", "minutes": "int"},
        "article": {"item": "text", "maker": "text", "weight": "int"},
    },
}

TOKEN = re.compile(r"^t[0-9a-f]{32}$")


def literal(value):
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"


def insert(table, rows):
    values = ",\n".join("(" + ", ".join(map(literal, row)) + ")" for row in rows)
    return f"INSERT INTO w.{table} VALUES {values};\n" if rows else ""


def data(random):
    """SQL that fills the world, from a seeded random.Random."""
    people = [(n, random.choice(["Ann", "Bob", "Cem", "Ann", None]), random.choice([None, f"+44 7700 {n:06}"]),
               random.choice([None, f"19{random.randint(50, 99)}-0{random.randint(1, 9)}-11"]),
               random.choice(TOWNS), random.choice([None, 150, 160, 170, 180, 190]), random.random() < 0.2)
              for n in range(1, PEOPLE + 1)]
    staff = [(f"s{n}", random.choice(["Zoe", "Yan", None]), random.choice([None, 1, 2, 3]))
             for n in range(1, STAFF + 1)]
    purchases = [(n, random.choice([None] + list(range(1, PEOPLE + 1))), random.choice(ITEMS + [None]),
                  random.choice([None, -5, 0, 100, 200, 300]), random.choice([None, "2026-01-02", "2026-03-04"]))
                 for n in range(1, 31)]
    lines = [(n, random.choice([None] + list(range(1, 31))), random.choice([None, 0, 1.5, 2.5, 10]),
              random.choice([None, "a", "b", "12", "x1"])) for n in range(1, 41)]
    visits = [(n, random.choice([None] + list(range(1, PEOPLE + 1))),
               random.choice([None] + [f"s{i}" for i in range(1, STAFF + 1)]), random.choice([None, 0, 5, 10, 60]))
              for n in range(1, 26)]
    articles = [(item, random.choice(["M", "N", None]), random.choice([0, 1, 5])) for item in ITEMS]
    return "".join(insert(*pair) for pair in (("person", people), ("staff", staff), ("purchase", purchases),
                                              ("line", lines), ("visit", visits), ("article", articles)))


# Deletes all rows of one subject; a row about two people goes with either of them.
DELETE = {
    "person": ["DELETE FROM w.line WHERE purchase_id IN (SELECT purchase_id FROM w.purchase WHERE person_id = %s)",
               "DELETE FROM w.purchase WHERE person_id = %s", "DELETE FROM w.visit WHERE person_id = %s",
               "DELETE FROM w.person WHERE person_id = %s"],
    "staff": ["DELETE FROM w.visit WHERE staff_code = %s", "DELETE FROM w.staff WHERE staff_code = %s"],
}


# Values that the column judgement puts into one row: dataset -> (key, whom the row is about, column -> values).
# Not among them: keys, columns that paths lead over, values that a row filter would drop.
CHANGES = {
    "person": ("person_id", "SELECT person_id, person_id, NULL FROM w.person",
               {"name": ["Ann", "Zed", None], "phone": ["+44 1 9999", None], "born": ["1960-05-05", "2001-01-01", None],
                "town": ["Bath", "Rome", None], "height": [150, 200, None]}),
    "staff": ("staff_code", "SELECT staff_code, NULL, staff_code FROM w.staff", {"name": ["Zoe", "Quin", None], "grade": [1, 9, None]}),
    "purchase": ("purchase_id", "SELECT purchase_id, person_id, NULL FROM w.purchase WHERE pence > 0",
                 {"item": ["cup", "fan", None], "pence": [100, 555], "bought": ["2026-01-02", "2027-07-07", None]}),
    "line": ("line_id", "SELECT line_id, person_id, NULL FROM w.line JOIN w.purchase USING (purchase_id)",
             {"amount": [0, 77.5, None], "note": ["a", "12", "other", None]}),
    "visit": ("visit_id", "SELECT visit_id, person_id, staff_code FROM w.visit", {"minutes": [0, 5, 99, None]}),
}

# A value that no row has, by column.
FRESH = {"name": "Fresh", "phone": "+44 1 8642", "born": "1949-09-09", "town": "Fresh", "height": 7777, "grade": 77, "item": "fresh", "pence": 7777,
         "bought": "2031-03-03", "amount": 7777.5, "note": "fresh", "minutes": 7777}


def subjects():
    return [("person", n) for n in range(1, PEOPLE + 1)] + [("staff", f"s{n}") for n in range(1, STAFF + 1)]


def normal(row):
    """A row as it is compared: tokens alike, numbers by value."""
    return tuple("TOKEN" if isinstance(cell, str) and TOKEN.match(cell) else cell for cell in row)
