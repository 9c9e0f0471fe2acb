"""A partner that may only look up names one thing at a time and reaches what belongs to it, nothing else."""
import pytest

SQL = """
CREATE SCHEMA l;
CREATE TABLE l.customer (customer_id bigint PRIMARY KEY, name text, city text);
CREATE TABLE l.vehicle (vehicle_id bigint PRIMARY KEY, owner_id bigint REFERENCES l.customer, registration text UNIQUE, model_id integer, km integer);
CREATE TABLE l.visit (visit_id bigint PRIMARY KEY, vehicle_id bigint REFERENCES l.vehicle, pence integer);
CREATE TABLE l.model (model_id integer PRIMARY KEY, title text);
INSERT INTO l.customer SELECT n, 'Name ' || n, 'City ' || n % 3 FROM generate_series(1, 20) n;
INSERT INTO l.model SELECT n, 'Model ' || n FROM generate_series(1, 3) n;
INSERT INTO l.vehicle SELECT n, n, 'REG ' || n, 1 + n % 3, n FROM generate_series(1, 20) n;
INSERT INTO l.visit SELECT n, 1 + n % 20, n FROM generate_series(1, 60) n;
ANALYZE;
"""
PARTNER = """
  {name}:
    contract: {{agreement: A, breach_contact: {{name: B, phone: "1"}}}}
    purposes: [test]
    agents: [{{name: one, identity: {{certificate: "spiffe://{name}/one"}}}}]
    valid: {{from: 2020-01-01, until: 2099-12-31}}
    grants:
      - {{dataset: customer, columns: {{customer_id: {key}, name: clear, city: clear}}}}
      - {{dataset: vehicle, columns: {{vehicle_id: clear, owner_id: {key}, registration: clear, model_id: clear, km: clear}}}}
      - {{dataset: visit, columns: {{visit_id: clear, vehicle_id: clear, pence: clear}}}}
      - {{dataset: model, columns: all}}
    lookup_by: [vehicle.registration]
    budget: {{subjects: {{per_day: 1000, total: 1000}}, rows_per_statement: 1000}}
"""
POLICY = """
controller: {name: Look, dpo: {name: D, email: d@look.example}}
subjects: {customer: {dataset: customer, key: customer_id}}
datasets:
  customer: {table: l.customer, subject: {kind: customer, key: customer_id}, columns: {customer_id: {}, name: {category: name}, city: {}}}
  vehicle: {table: l.vehicle, subject: {kind: customer, key: owner_id}, columns: {vehicle_id: {}, owner_id: {}, registration: {category: vrm}, model_id: {}, km: {}}}
  visit: {table: l.visit, subject: {kind: customer, via: [{dataset: vehicle, on: vehicle_id}], key: owner_id}, columns: {visit_id: {}, vehicle_id: {}, pence: {}}}
  model: {table: l.model, subject: none, columns: {model_id: {}, title: {}}}
partners:""" + PARTNER.format(name="desk", key="clear") + PARTNER.format(name="blind", key="token")

ALLOWED = [
    ("SELECT km FROM vehicle WHERE registration = 'REG 7'", [(7,)]),
    ("SELECT km FROM vehicle WHERE 'REG 7' = registration", [(7,)]),
    ("SELECT km FROM vehicle WHERE registration IN ('REG 7')", [(7,)]),
    ("SELECT km FROM vehicle WHERE registration = upper('reg 7') AND km > 0", [(7,)]),
    ("SELECT c.name FROM vehicle v JOIN customer c ON c.customer_id = v.owner_id WHERE v.registration = 'REG 7'", [("Name 7",)]),
    ("SELECT c.name FROM customer c, vehicle v WHERE v.owner_id = c.customer_id AND v.registration = 'REG 7'", [("Name 7",)]),
    ("SELECT count(*) FROM vehicle v JOIN visit s ON s.vehicle_id = v.vehicle_id WHERE v.registration = 'REG 7'", [(3,)]),
    ("SELECT c.name FROM visit s JOIN vehicle v ON s.vehicle_id = v.vehicle_id JOIN customer c ON c.customer_id = v.owner_id"
     " WHERE v.registration = 'REG 7' GROUP BY c.name", [("Name 7",)]),
    ("SELECT m.title FROM vehicle v JOIN model m ON m.model_id = v.model_id WHERE v.registration = 'REG 7'", [("Model 2",)]),
    ("SELECT c.name FROM (SELECT owner_id FROM vehicle WHERE registration = 'REG 7') v JOIN customer c ON c.customer_id = v.owner_id", [("Name 7",)]),
    ("SELECT x.km FROM (SELECT * FROM (SELECT * FROM vehicle WHERE registration = 'REG 7') y) x", [(7,)]),
    ("SELECT 1", [(1,)]),
    ("SELECT v.km FROM (SELECT 1 AS one) o, vehicle v WHERE v.registration = 'REG 7'", [(7,)]),
]
REFUSED = [
    "SELECT km FROM vehicle", "SELECT count(*) FROM vehicle", "SELECT name FROM customer WHERE customer_id = 7", "SELECT name FROM customer WHERE city = 'City 1'",
    "SELECT km FROM vehicle WHERE registration = registration", "SELECT km FROM vehicle WHERE registration = 'REG 7' OR true", "SELECT km FROM vehicle WHERE registration <> 'REG 7'",
    "SELECT km FROM vehicle WHERE NOT (registration <> 'REG 7')", "SELECT km FROM vehicle WHERE registration IN ('REG 7', 'REG 8')", "SELECT km FROM vehicle WHERE registration LIKE 'REG%'",
    "SELECT km FROM vehicle WHERE registration = ANY ('{REG 7,REG 8}')", "SELECT km FROM vehicle WHERE registration >= 'REG 7'", "SELECT km FROM vehicle WHERE registration BETWEEN 'A' AND 'Z'",
    "SELECT km FROM vehicle WHERE registration IS NOT NULL", "SELECT km FROM vehicle WHERE (registration = 'REG 7') IS NOT NULL", "SELECT km FROM vehicle WHERE coalesce(registration, 'x') = 'REG 7'",
    "SELECT km FROM vehicle WHERE registration || '' = 'REG 7'", "SELECT km FROM vehicle WHERE registration IS NOT DISTINCT FROM 'REG 7'", "SELECT km FROM vehicle WHERE CASE WHEN registration = 'REG 7' THEN true ELSE true END",
    "SELECT km FROM vehicle WHERE registration = (CASE WHEN km > 0 THEN 'REG ' || km END)", "SELECT km FROM vehicle WHERE vehicle_id = 7", "SELECT km FROM vehicle LIMIT 1",
    "SELECT w.km FROM vehicle v, vehicle w WHERE v.registration = 'REG 7'", "SELECT w.km FROM vehicle v JOIN vehicle w ON w.km > v.km WHERE v.registration = 'REG 7'",
    "SELECT w.km FROM vehicle v JOIN vehicle w ON w.registration = w.registration WHERE v.registration = 'REG 7'", "SELECT w.km FROM vehicle v JOIN vehicle w ON w.model_id = v.model_id WHERE v.registration = 'REG 7'",
    "SELECT c.name FROM vehicle v JOIN customer c ON true WHERE v.registration = 'REG 7'", "SELECT c.name FROM vehicle v JOIN customer c ON c.customer_id = v.owner_id + 1 WHERE v.registration = 'REG 7'",
    "SELECT c.name FROM vehicle v JOIN customer c ON c.customer_id = v.owner_id OR true WHERE v.registration = 'REG 7'", "SELECT c.name FROM vehicle v JOIN customer c ON c.customer_id <> v.owner_id WHERE v.registration = 'REG 7'",
    "SELECT d.name FROM customer c JOIN customer d ON c.city = d.city JOIN vehicle v ON v.owner_id = c.customer_id WHERE v.registration = 'REG 7'",
    "SELECT c.name FROM (SELECT 5 AS x) s JOIN customer c ON c.customer_id = s.x", "SELECT c.name FROM (SELECT 5::bigint AS x FROM vehicle WHERE registration = 'REG 7') s JOIN customer c ON c.customer_id = s.x",
    "SELECT c.name FROM (SELECT owner_id + 1 AS x FROM vehicle WHERE registration = 'REG 7') s JOIN customer c ON c.customer_id = s.x",
    "SELECT v.km FROM (SELECT 'REG 7' AS r) s JOIN vehicle v ON v.registration = s.r", "SELECT v.km FROM (SELECT registration AS r, km FROM vehicle) v WHERE v.r = 'REG 7'",
    "SELECT c.name FROM (SELECT max(owner_id) AS x FROM vehicle WHERE registration = 'REG 7') s JOIN customer c ON c.customer_id = s.x", "SELECT title FROM model",
    "SELECT v.km FROM vehicle v JOIN model m ON m.title = v.registration WHERE v.registration = 'REG 7'",
]


@pytest.fixture(scope="module")
def gateway(make_module_gateway):
    return make_module_gateway(policy_yaml=POLICY, sql=SQL)


@pytest.mark.parametrize("sql, rows", ALLOWED)
@pytest.mark.parametrize("agent", ["desk.one", "blind.one"])
def test_what_belongs_to_one_registration_is_reached(gateway, agent, sql, rows):
    assert gateway.rows(agent, sql) == rows


def test_by_a_parameter(gateway):
    assert gateway.rows("desk.one", "SELECT km FROM vehicle WHERE registration = %s", ("REG 9",)) == [(9,)]


@pytest.mark.parametrize("sql", REFUSED)
def test_everything_else_is_refused(gateway, sql):
    state, message, hint = gateway.refused("desk.one", sql)
    assert state == "42501" and "look up" in message and "registration" in hint, (state, message, hint)


def test_a_known_token_is_no_way_in(gateway):
    (token,), = gateway.rows("blind.one", "SELECT owner_id FROM vehicle WHERE registration = 'REG 7'")
    for sql in (f"SELECT name FROM customer WHERE customer_id = '{token}'", f"SELECT c.name FROM (SELECT '{token}' AS t) s JOIN customer c ON c.customer_id = s.t",
                f"SELECT c.name FROM (SELECT '{token}' AS t FROM vehicle WHERE registration = 'REG 8') s JOIN customer c ON c.customer_id = s.t"):
        state, message, _ = gateway.refused("blind.one", sql)
        assert (state, "look up" in message) == ("42501", True), (sql, state, message)
