"""A line that stores its customer's key beside its order's. Where a foreign key of both columns keeps it right, what is
about the order and what is about the line are about one person, and nothing is recorded beyond them. Where nothing
keeps it right, or something is loose about the foreign key, everybody who may matter is recorded."""
import pytest

SQL = """
CREATE SCHEMA w;
CREATE TABLE w.person (person_id bigint PRIMARY KEY);
CREATE TABLE w.orders (order_id bigint PRIMARY KEY, person_id bigint NOT NULL REFERENCES w.person, UNIQUE (order_id, person_id));
CREATE TABLE w.kept (n bigint PRIMARY KEY, order_id bigint NOT NULL, person_id bigint NOT NULL, late boolean,
    FOREIGN KEY (order_id, person_id) REFERENCES w.orders (order_id, person_id));
CREATE TABLE w.loose (LIKE w.kept, PRIMARY KEY (n));
CREATE TABLE w.nullable (n bigint PRIMARY KEY, order_id bigint NOT NULL, person_id bigint, late boolean,
    FOREIGN KEY (order_id, person_id) REFERENCES w.orders (order_id, person_id));
CREATE TABLE w.later (LIKE w.kept, PRIMARY KEY (n), FOREIGN KEY (order_id, person_id) REFERENCES w.orders (order_id, person_id) DEFERRABLE);
CREATE TABLE w.unchecked (LIKE w.kept, PRIMARY KEY (n));
INSERT INTO w.person SELECT generate_series(1, 9);
INSERT INTO w.orders SELECT n, 1 + n % 9 FROM generate_series(1, 27) AS n;
INSERT INTO w.kept SELECT n, 1 + n % 27, 1 + (1 + n % 27) % 9, n % 3 = 0 FROM generate_series(1, 60) AS n;
INSERT INTO w.loose SELECT * FROM w.kept;
UPDATE w.loose SET person_id = 9 WHERE n = 30;
INSERT INTO w.nullable SELECT * FROM w.kept;
INSERT INTO w.later SELECT * FROM w.kept;
INSERT INTO w.unchecked SELECT * FROM w.loose;
ALTER TABLE w.unchecked ADD FOREIGN KEY (order_id, person_id) REFERENCES w.orders (order_id, person_id) NOT VALID;
ANALYZE;
"""
LINES = ["kept", "loose", "nullable", "later", "unchecked"]
POLICY = """
controller: {name: Keys, dpo: {name: D, email: d@keys.example}}
subjects: {person: {dataset: person, key: person_id}}
datasets:
  person: {table: w.person, subject: {kind: person, key: person_id}, columns: {person_id: {}}}
  orders: {table: w.orders, subject: {kind: person, key: person_id}, columns: {order_id: {}, person_id: {}}}
""" + "".join(f"""
  {name}: {{table: w.{name}, subject: {{kind: person, key: person_id, when_null: none}}, columns: {{n: {{}}, order_id: {{}}, person_id: {{}}, late: {{}}}}}}
""" for name in LINES) + """
partners:
  p:
    contract: {agreement: A, breach_contact: {name: B, phone: "1"}}
    purposes: [test]
    agents: [{name: one, identity: {certificate: "spiffe://p/one"}}]
    valid: {from: 2020-01-01, until: 2099-12-31}
    grants: [""" + ", ".join(f"{{dataset: {name}, columns: all}}" for name in ["person", "orders", *LINES]) + """]
    budget: {subjects: {per_day: 1000, total: 1000}, rows_per_statement: 1000}
"""
NOT_LATE = "SELECT o.order_id FROM orders o WHERE o.order_id < 9 AND NOT EXISTS (SELECT 1 FROM {0} l WHERE l.order_id = o.order_id AND l.late)"


@pytest.fixture(scope="module")
def gateway(make_module_gateway):
    return make_module_gateway(policy_yaml=POLICY, sql=SQL)


def recorded(gateway, sql):
    after = gateway.admin("SHOW LEDGER LAST 1")[-1]["sequence"]
    rows = gateway.rows("p.one", sql)
    return rows, {int(row["subject"]) for row in gateway.admin(f"SHOW DISCLOSED AFTER {after}") if row["grade"] != "probe"}


@pytest.mark.parametrize("line", LINES)
def test_absence_of_a_line_tells_of_the_orders_person_alone_where_that_is_sure(gateway, line):
    rows, people = recorded(gateway, NOT_LATE.format(line))
    about = {1 + order % 9 for order, in rows}
    assert rows and about != set(range(1, 10))
    assert people == (about if line == "kept" else set(range(1, 10)))


@pytest.mark.parametrize("line", LINES)
def test_who_a_join_is_about_is_found_by_either_column(gateway, line):
    _, people = recorded(gateway, f"SELECT o.order_id, count(*) FROM orders o JOIN {line} l USING (order_id) WHERE l.n = 30 GROUP BY o.order_id")
    assert people == ({5, 9} if line in ("loose", "unchecked") else {5})


@pytest.mark.parametrize("line", LINES)
def test_members_of_groups(gateway, line):
    rows, people = recorded(gateway, f"SELECT late, count(*), array_agg(DISTINCT person_id) FROM {line} WHERE n BETWEEN 1 AND 6 GROUP BY late")
    assert people == {key for _, _, keys in rows for key in keys}
