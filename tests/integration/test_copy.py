"""COPY … TO STDOUT gives the bytes that PostgreSQL's own COPY of the same rows gives, and is recorded like a SELECT."""
import psycopg
import pytest

from harness.rawclient import RawClient, kinds, states, tags
from harness.recorded import last, told

NASTY = [None, "", " ", "\\", "\\.", "\\N", "NULL", "a\tb", "a\nb", "a\rb", "a\r\nb", "\b\f\v\x01\x7f", 'say "hi"', '"', "'", "a,b", "a|b", "a;b", "ü€𝄞", "x\\ty", "\\\\",
         "end\\", "{1,2}", "-1", "e" * 5000]
SQL = f"""
CREATE SCHEMA c;
CREATE TABLE c.person (person_id integer PRIMARY KEY, note text, other text, amount numeric(9,2), seen timestamptz, raw bytea, flag boolean, doc jsonb, list integer[]);
CREATE TABLE c.plain (n integer, t text);
INSERT INTO c.plain SELECT n, 'plain ' || n FROM generate_series(1, 3) n;
"""
for number, note in enumerate(NASTY, 1):
    def literal(text):
        return "NULL" if text is None else "convert_from('\\x" + text.encode().hex() + "', 'UTF8')"
    SQL += (f"INSERT INTO c.person VALUES ({number}, {literal(note)}, {literal(NASTY[-number])}, {number}.25, CASE WHEN {number} % 3 = 0 THEN NULL ELSE timestamptz '2024-01-01' + {number} * "
            f"interval '1 day' END, '\\x00ff{number:02d}', {number} % 2 = 0, '{{\"a\": \"b\\\\n{number}\"}}', ARRAY[{number}, NULL]);\n")
MEANINGFUL = "\\\\.N,\"'\n\r\ta;"
SQL += "CREATE TABLE c.noise (n integer, a text);\n"
for number, (first, second) in enumerate((a, b) for a in MEANINGFUL for b in [*MEANINGFUL, ""]):
    SQL += f"INSERT INTO c.noise VALUES ({number}, convert_from('\\x{(first + second).encode().hex()}', 'UTF8'));\n"
POLICY = """
controller: {name: Copy, dpo: {name: D, email: d@copy.example}}
subjects: {person: {dataset: person, key: person_id}}
datasets:
  person:
    table: c.person
    subject: {kind: person, key: person_id}
    columns: {person_id: {}, note: {category: name}, other: {}, amount: {}, seen: {}, raw: {}, flag: {}, doc: {}, list: {}}
  plain: {table: c.plain, subject: none, columns: {n: {}, t: {}}}
  noise: {table: c.noise, subject: none, columns: {n: {}, a: {}}}
partners:
  acme:
    contract: {agreement: A, breach_contact: {name: B, phone: "1"}}
    purposes: [test]
    agents: [{name: cert, identity: {certificate: "spiffe://acme/cert"}}]
    valid: {from: 2020-01-01, until: 2099-12-31}
    grants:
      - {dataset: person, columns: all}
      - {dataset: plain, columns: {n: clear, t: clear}}
      - {dataset: noise, columns: {n: clear, a: clear}}
    budget: {subjects: {per_day: 10000, total: 10000}, rows_per_statement: 100000}
"""


@pytest.fixture(scope="module")
def gateway(make_module_gateway):
    return make_module_gateway(policy_yaml=POLICY, sql=SQL)


@pytest.fixture
def client(gateway):
    client = RawClient(gateway, "acme.cert")
    yield client
    client.close()


def copied(connection, sql):
    with connection.cursor() as cursor, cursor.copy(sql) as copy:
        return b"".join(bytes(part) for part in copy)


def direct(gateway, sql):
    """What PostgreSQL itself answers to it."""
    with psycopg.connect(gateway.cluster.url(gateway.database), autocommit=True) as connection:
        connection.execute("SET search_path TO c; SET TimeZone TO 'Etc/UTC'")
        return copied(connection, sql)


QUERY = 'SELECT *, amount / 2 AS "odd ""name,", note || other AS "\\." FROM person ORDER BY person_id'
OPTIONS = ["", "(FORMAT text)", "(HEADER)", "(DELIMITER '|', NULL 'nothing')", "(DELIMITER E'\\x01')", "(NULL '')", "(FORMAT csv)", "(FORMAT csv, HEADER true)", "CSV HEADER", "(FORMAT csv, DELIMITER ';')",
           "(FORMAT csv, NULL 'NULL')", "(FORMAT csv, QUOTE '''', ESCAPE E'\\\\')", "(FORMAT csv, ESCAPE '!')", "(FORMAT csv, FORCE_QUOTE *)", "(FORMAT csv, FORCE_QUOTE (note))",
           "(FORMAT csv, DELIMITER E'\\t', HEADER, NULL '\\N', ENCODING 'UTF8')", "(FORMAT binary)", "WITH BINARY", "DELIMITER ',' NULL AS '-'"]


@pytest.mark.parametrize("options", OPTIONS)
def test_the_bytes_are_those_of_postgresql(gateway, options):
    with gateway.connect("acme.cert") as connection:
        for source in (f"({QUERY})", "(SELECT note FROM person ORDER BY person_id)", "(SELECT note FROM person WHERE person_id < 0)", "plain", "plain (t)"):
            if "FORCE_QUOTE (note" in options and source.startswith("plain"):
                continue
            sql = f"COPY {source} TO STDOUT {options}"
            assert copied(connection, sql) == direct(gateway, sql), sql


@pytest.mark.parametrize("options", ["", "(DELIMITER ',', NULL '')", "(FORMAT csv)", "(FORMAT csv, QUOTE '''', ESCAPE E'\\\\', DELIMITER '.')"])
def test_every_pair_of_meaningful_characters(gateway, options):
    with gateway.connect("acme.cert") as connection:
        sql = f"COPY (SELECT n, a FROM noise ORDER BY n) TO STDOUT {options}"
        alone = f"COPY (SELECT a FROM noise ORDER BY n) TO STDOUT {options}"
        assert copied(connection, sql) == direct(gateway, sql)
        assert copied(connection, alone) == direct(gateway, alone)


@pytest.mark.parametrize("ask", ["query", "extended"])
def test_the_messages_are_those_of_the_protocol(client, ask):
    messages = getattr(client, ask)("COPY (SELECT person_id FROM person WHERE person_id < 4) TO STDOUT")
    assert kinds(messages).replace("1tn2n", "") == "HdddcCZ"
    assert tags(messages) == ["COPY 3"]
    assert dict(messages)[b"H"] == b"\0\0\1\0\0"


def test_who_is_copied_is_recorded(gateway, client):
    for sql in ("COPY (SELECT note FROM person WHERE person_id BETWEEN 3 AND 6) TO STDOUT", "COPY (SELECT person_id FROM person WHERE person_id BETWEEN 3 AND 6) TO STDOUT (FORMAT binary)"):
        before = last(gateway)
        assert tags(client.query(sql)) == ["COPY 4"]
        assert told(gateway, before) == {3, 4, 5, 6}
        entry = gateway.admin(f"SHOW LEDGER AFTER {before}")[-1]
        assert (entry["outcome"], entry["rows"]) == ("complete", "4")


def test_a_budget_ends_it(make_gateway):
    gateway = make_gateway(policy_yaml=POLICY.replace("per_day: 10000", "per_day: 5"), sql=SQL)
    client = RawClient(gateway, "acme.cert")
    messages = client.query("COPY (SELECT person_id FROM person ORDER BY person_id) TO STDOUT")
    assert states(messages) == ["53400"]
    assert kinds(messages).count("d") == 5 and "c" not in kinds(messages) and tags(messages) == []
    assert told(gateway, -1) == {1, 2, 3, 4, 5}
    client.close()


def test_an_error_in_the_middle(client):
    messages = client.query("COPY (SELECT 1 / (person_id - 9) FROM person ORDER BY person_id) TO STDOUT")
    assert states(messages) == ["22012"] and "c" not in kinds(messages)


def test_psql(gateway):
    done = gateway.psql("acme.cert", "COPY plain TO STDOUT CSV HEADER", "\\copy (select t from plain order by n) to stdout")
    assert done.stdout == "n,t\n1,plain 1\n2,plain 2\n3,plain 3\nplain 1\nplain 2\nplain 3\n", done.stderr


@pytest.mark.parametrize("sql, state, word", [
    ("COPY person FROM STDIN", "0A000", "COPY FROM"),
    ("COPY person TO '/tmp/x'", "42501", "file"),
    ("COPY person TO PROGRAM 'cat'", "42501", "program"),
    ("COPY c.person TO STDOUT", "42P01", ""),
    ("COPY (SELECT secret FROM person) TO STDOUT", "42703", ""),
    ("COPY person (secret) TO STDOUT", "42703", ""),
    ("COPY (INSERT INTO plain VALUES (1) RETURNING 1) TO STDOUT", "42501", "INSERT"),
    ("COPY (SELECT $1::int) TO STDOUT", "42P02", "parameters"),
    ("COPY plain TO STDOUT (FORMAT xml)", "22023", "formats"),
    ("COPY plain TO STDOUT (DELIMITER 'ab')", "0A000", "one-byte"),
    ("COPY plain TO STDOUT (DELIMITER 'ü')", "0A000", "one-byte"),
    ("COPY plain TO STDOUT (DELIMITER 'a')", "22023", "DELIMITER"),
    ("COPY plain TO STDOUT (DELIMITER E'\\n')", "22023", "newline"),
    ("COPY plain TO STDOUT (DELIMITER ',', NULL 'a,b')", "22023", "NULL"),
    ("COPY plain TO STDOUT (FORMAT csv, QUOTE ',')", "22023", "differ"),
    ("COPY plain TO STDOUT (QUOTE 'x')", "0A000", "csv"),
    ("COPY plain TO STDOUT (FORMAT binary, HEADER)", "0A000", "binary"),
    ("COPY plain TO STDOUT (FORMAT csv, FORCE_QUOTE (x))", "42P10", "not copied"),
    ("COPY plain TO STDOUT (ENCODING 'LATIN1')", "22023", "UTF8"),
    ("COPY plain TO STDOUT (FREEZE)", "42601", "freeze"),
    ("COPY plain TO STDOUT (FORMAT csv, FORMAT text)", "42601", "twice"),
])
def test_refused(gateway, sql, state, word):
    told = gateway.refused("acme.cert", sql)
    assert told[0] == state and word in told[1], told
