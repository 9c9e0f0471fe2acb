"""A token stands for a key: the same for one partner, another for the next, and the key itself is nowhere."""
import re

import pytest

from harness.rawclient import RawClient, errors, rows

BASE = 770000000000  # keys that are easily seen in any byte
SQL = f"""
CREATE SCHEMA k;
CREATE TABLE k.person (person_id bigint PRIMARY KEY, code text NOT NULL UNIQUE, ref uuid NOT NULL UNIQUE, name text, open boolean NOT NULL);
CREATE TABLE k.visit (visit_id integer PRIMARY KEY, person_id bigint REFERENCES k.person, by_code varchar(20) REFERENCES k.person (code), minutes integer);
CREATE TABLE k.shop (shop_id integer PRIMARY KEY, code text UNIQUE);
INSERT INTO k.person SELECT {BASE} + n, 'code-' || n, ('77777777-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, 'Name ' || n, n <= 40 FROM generate_series(1, 60) n;
INSERT INTO k.visit SELECT n, CASE WHEN n <= 90 THEN {BASE} + 1 + n % 60 END, CASE WHEN n % 2 = 0 THEN 'code-' || 1 + n % 60 END, n FROM generate_series(1, 100) n;
INSERT INTO k.shop SELECT n, 'code-' || n FROM generate_series(1, 60) n;
CREATE INDEX ON k.visit (person_id);
ANALYZE;
"""
PARTNER = """
  {name}:
    contract: {{agreement: A, breach_contact: {{name: B, phone: "1"}}}}
    purposes: [test]
    agents: [{{name: one, identity: {{certificate: "spiffe://{name}/one"}}}}, {{name: two, identity: {{certificate: "spiffe://{name}/two"}}}}]
    valid: {{from: 2020-01-01, until: 2099-12-31}}
    grants:
      - {{dataset: person, rows: "open", columns: {{person_id: token, code: token, ref: token, name: clear}}}}
      - {{dataset: visit, columns: {{visit_id: clear, person_id: token, by_code: token, minutes: clear}}}}
      - {{dataset: shop, columns: {{shop_id: clear, code: token}}}}
    budget: {{subjects: {{per_day: 10000, total: 10000}}, rows_per_statement: 100000}}
"""
POLICY = """
controller: {name: Token, dpo: {name: D, email: d@token.example}}
subjects: {person: {dataset: person, key: person_id}}
datasets:
  person: {table: k.person, subject: {kind: person, key: person_id}, columns: {person_id: {}, code: {}, ref: {}, name: {category: name}, open: {}}}
  visit: {table: k.visit, subject: {kind: person, key: person_id, when_null: none}, columns: {visit_id: {}, person_id: {}, by_code: {}, minutes: {}}}
  shop: {table: k.shop, subject: none, columns: {shop_id: {}, code: {}}}
partners:""" + PARTNER.format(name="left") + PARTNER.format(name="right")
TOKEN = re.compile(r"t[0-9a-f]{32}")


@pytest.fixture(scope="module")
def gateway(make_module_gateway):
    return make_module_gateway(policy_yaml=POLICY, sql=SQL)


@pytest.fixture
def ask(gateway):
    return lambda sql, parameters=None: gateway.rows("left.one", sql, parameters)


def test_a_token_is_a_text_of_one_form(ask):
    for row in ask("SELECT person_id, code, ref FROM person"):
        assert all(TOKEN.fullmatch(token) for token in row), row
    assert len(set(ask("SELECT person_id FROM person"))) == 40


def test_it_stays_the_same_over_sessions_agents_and_restarts(gateway, ask):
    sql = "SELECT name, person_id FROM person ORDER BY name"
    first = ask(sql)
    assert ask(sql) == first
    assert gateway.rows("left.two", sql) == first
    gateway.restart()
    assert ask(sql) == first


def test_partners_have_tokens_of_their_own(gateway):
    sql = "SELECT person_id FROM person"
    left, right = set(gateway.rows("left.one", sql)), set(gateway.rows("right.one", sql))
    assert len(left) == len(right) == 40 and not left & right


def test_columns_of_different_domains_have_tokens_of_their_own(ask):
    """person.code and shop.code hold equal texts, but nothing says that they mean the same."""
    assert not set(ask("SELECT code FROM person")) & set(ask("SELECT code FROM shop"))
    assert ask("SELECT count(*) FROM person p JOIN shop s ON p.code = s.code") == [(0,)]
    assert ask("SELECT count(*) FROM person p JOIN shop s USING (code)") == [(0,)]


def test_copies_of_a_key_have_the_same_token(ask):
    tokens = dict(ask("SELECT name, person_id FROM person"))
    for name, token in ask("SELECT p.name, v.person_id FROM person p JOIN visit v ON v.person_id = p.person_id"):
        assert tokens[name] == token


def test_joins_and_groups_work_on_tokens(ask, cluster, gateway):
    sql = "SELECT p.name, count(*), sum(v.minutes) FROM {0}person p JOIN {0}visit v ON v.person_id = p.person_id {1} GROUP BY p.name ORDER BY p.name"
    assert ask(sql.format("", "")) == cluster.rows(sql.format("k.", "WHERE p.open"), gateway.database)
    by_token = ask("SELECT person_id, count(*) FROM visit GROUP BY person_id")
    real = cluster.rows("SELECT person_id, count(*) FROM k.visit GROUP BY person_id", gateway.database)
    assert sorted(count for _, count in by_token) == sorted(count for _, count in real)


@pytest.mark.parametrize("sql", [
    "SELECT count(*) FROM person p JOIN visit v USING (person_id)", "SELECT count(*) FROM person p, visit v WHERE p.person_id = v.person_id",
    "SELECT count(*) FROM person p JOIN (SELECT person_id AS x FROM visit) v ON v.x = p.person_id",
    "SELECT count(*) FROM (SELECT s.a FROM (SELECT person_id AS a FROM person) s) p JOIN (SELECT person_id AS x FROM visit) v ON v.x = p.a",
    "SELECT count(*) FROM person p JOIN visit v ON v.person_id || '' = p.person_id", "SELECT count(*) FROM person p JOIN visit v ON lower(v.person_id) = p.person_id",
    "SELECT count(*) FROM person p JOIN visit v ON NOT v.person_id <> p.person_id", "SELECT count(*) FROM person p JOIN visit v ON v.person_id IN (p.person_id)",
    "SELECT count(*) FROM person p JOIN visit v ON v.person_id IS NOT DISTINCT FROM p.person_id",
    "SELECT count(*) FROM person p JOIN visit v ON v.person_id BETWEEN p.person_id AND p.person_id",
])
def test_an_equality_of_tokens_is_one_of_keys_however_it_is_written(ask, cluster, gateway, sql):
    real, = cluster.rows("SELECT count(*) FROM k.person JOIN k.visit USING (person_id) WHERE open", gateway.database)
    assert ask(sql) == [real]


def test_a_null_has_no_token(ask):
    assert ask("SELECT count(*), count(person_id) FROM visit") == [(100, 90)]
    assert ask("SELECT visit_id FROM visit WHERE by_code IS NULL AND visit_id < 4 ORDER BY 1") == [(1,), (3,)]


def test_a_token_finds_its_rows(ask):
    (name, token), *_ = ask("SELECT name, person_id FROM person ORDER BY name")
    assert ask("SELECT name FROM person WHERE person_id = %s", (token,)) == [(name,)]
    assert ask(f"SELECT name FROM person WHERE person_id IN ('{token}', 'x')") == [(name,)]
    assert ask("SELECT name FROM person WHERE person_id = %s", (str(BASE + 1),)) == []


def test_a_token_cannot_be_read_as_its_key(gateway, ask):
    assert ask("SELECT count(*) FROM person WHERE person_id < 't8'")[0][0] in range(5, 36)  # ordered by nothing that means anything
    assert gateway.refused("left.one", f"SELECT name FROM person WHERE person_id = {BASE + 1}")[0] == "42883"
    assert gateway.refused("left.one", "SELECT person_id::bigint FROM person")[0] == "22P02"
    assert gateway.refused("left.one", "SELECT sum(person_id) FROM person")[0] == "42883"


@pytest.mark.parametrize("sql", [
    "SELECT * FROM person", "SELECT * FROM visit", "SELECT p.*, v.* FROM person p JOIN visit v ON p.person_id = v.person_id", "SELECT person_id FROM visit GROUP BY person_id",
    "SELECT array_agg(person_id) FROM person", "SELECT string_agg(code, ',') FROM person", "SELECT max(person_id), min(ref) FROM person", "SELECT count(DISTINCT person_id) FROM visit",
    "SELECT person_id::bigint FROM person", "SELECT person_id FROM person ORDER BY person_id LIMIT 5 OFFSET 5", "SELECT md5(person_id), reverse(code), length(ref) FROM person",
    "SELECT json_build_object('a', person_id) FROM person", "SELECT s.x FROM (SELECT concat(person_id, code, ref) AS x FROM person) s",
])
def test_no_byte_of_a_key_leaves(gateway, sql):
    client = RawClient(gateway, "left.one")
    client.take()
    for ask in (lambda: client.query(sql), lambda: client.extended(sql), lambda: client.extended(sql, result_formats=(1,))):
        messages = ask()
        assert rows(messages) or errors(messages)
        seen = client.take()
        for key in (b"770000000", (BASE).to_bytes(8, "big")[:6], b"code-", b"77777777-0000", b"\x77\x77\x77\x77\x00\x00"):
            assert key not in seen, (sql, seen[max(0, seen.find(key) - 60):][:200])
    client.close()


def test_no_secret_of_a_token_is_in_a_statement_or_told_to_the_client(gateway):
    told = {line["topic"]: line["text"] for line in gateway.cli_json("explain", "left/one", "SELECT person_id FROM person WHERE name = $1")}
    assert "sha256" in told["rewritten"] and not re.search(r"\\x[0-9a-f]{32}", told["rewritten"]), told
    client = RawClient(gateway, "left.one")
    client.send(client.parse("SELECT person_id FROM person WHERE name = $1"), client.describe("S"), client.SYNC)
    (description,) = [body for kind, body in client.until_ready() if kind == b"t"]
    client.close()
    assert int.from_bytes(description[:2], "big") == 1, "the gateway's own parameters are not the client's"


@pytest.mark.parametrize("sql, index", [
    ("SELECT p.name FROM visit v JOIN person p ON p.person_id = v.person_id WHERE v.visit_id = 7", "person_pkey"),
    ("SELECT v.minutes FROM person p JOIN visit v USING (person_id) WHERE p.name = 'Name 7'", "visit_person_id_idx"),
    ("SELECT p.name FROM (SELECT person_id AS x FROM visit WHERE visit_id = 7) v JOIN (SELECT * FROM person) p ON p.person_id = v.x", "person_pkey"),
])
def test_joins_on_tokens_use_the_indexes_of_their_keys(gateway, cluster, sql, index):
    rewritten = next(line["text"] for line in gateway.cli_json("explain", "left/one", sql) if line["topic"] == "rewritten")
    with cluster.connect(gateway.database) as connection:
        connection.execute("SET enable_seqscan = off")  # the tables are small
        connection.execute("SET enable_hashjoin = off")
        connection.execute("SET enable_mergejoin = off")
        types = ", ".join(["bytea"] * len(set(re.findall(r"\$\d+", rewritten))))
        connection.execute(f"PREPARE joined {f'({types})' if types else ''} AS {rewritten}")
        values = ", ".join(["''"] * (types.count("bytea")))
        plan = "\n".join(line for line, in connection.execute(f"EXPLAIN EXECUTE joined {f'({values})' if types else ''}").fetchall())
    assert re.search(rf"using {index} on[^\n]*\n\s+Index Cond", plan), plan
