"""Tools that cannot run here, by the statements that they send first: the same rows as a database of just the partner's tables gives.

They are in statements/, a file a tool; "drizzle-kit pull" is recorded whole. The mirror has the granted columns as its tables;
rows are compared but for what cannot be equal: numbers and owners of objects, comments, and the names of databases.
"""
import pathlib
import re

import psycopg
import pytest

from harness import mill

STATEMENTS = pathlib.Path(__file__).resolve().parent / "statements"
MIRROR = """
CREATE TABLE person (person_id bigint PRIMARY KEY, full_name text NOT NULL, phone text, born date, town text);
CREATE TABLE article (article text PRIMARY KEY, maker text);
CREATE TABLE invoice (invoice_code text NOT NULL UNIQUE, person_id bigint NOT NULL REFERENCES person, number integer NOT NULL, issued date,
                      pence integer, PRIMARY KEY (person_id, number));
CREATE TABLE line (person_id bigint NOT NULL REFERENCES person, number integer NOT NULL, line integer NOT NULL, article text REFERENCES article,
                   pieces integer, PRIMARY KEY (person_id, number, line), FOREIGN KEY (number, person_id) REFERENCES invoice (number, person_id));
"""


def statements(name):
    """Each ends in a semicolon at a line's end, before an empty line."""
    return [part for part in re.split(r";\n\s*", (STATEMENTS / f"{name}.sql").read_text()) if part.strip()]


CASES = [pytest.param(sql, id=f"{path.stem}-{number}") for path in sorted(STATEMENTS.glob("*.sql"))
         for number, sql in enumerate(statements(path.stem), 1)]


@pytest.fixture(scope="module")
def gateway(make_module_gateway):
    return make_module_gateway(policy_yaml=mill.POLICY, sql=mill.SQL)


@pytest.fixture(scope="module")
def ask(gateway):
    with gateway.connect("books.cert") as connection:
        yield connection


@pytest.fixture(scope="module")
def mirror(cluster):
    with cluster.connect(cluster.create_database(sql=MIRROR)) as connection:
        yield connection


def comparable(value, own):
    if isinstance(value, (list, tuple)):
        return tuple(comparable(each, own) for each in value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 16384 or str(value).isdigit() and int(value) >= 16384:
        return "number"
    return "own" if value in own else value


def told(connection, sql, own):
    """Names and types of the columns, and the rows. Here regclass and its like are text, and * has tableoid as a last column."""
    cursor = connection.execute(sql)
    columns = [(column.name, 25 if column.type_code in (24, 2205, 2206) else column.type_code) for column in cursor.description]
    kept = [number for number, (name, _) in enumerate(columns) if name not in ("description", "Comment", "nspacl", "nspowner", "tableoid")]
    rows = [tuple(comparable(row[number], own) for number in kept) for row in cursor.fetchall()]
    return [columns[number] for number in kept], sorted(rows, key=str)


ABOUT_THE_SERVER = {  # statement: what a partner is told instead
    "SELECT rolname, rolinherit, rolcreatedb, rolcreaterole FROM pg_roles": [("own", True, False, False)],
}


@pytest.mark.parametrize("sql", CASES)
def test_same_rows_as_of_a_database_of_its_own(gateway, ask, mirror, sql):
    columns, rows = told(ask, sql, {"books.cert", gateway.database})
    direct_columns, direct_rows = told(mirror, sql, {mirror.info.user, mirror.info.dbname})
    assert columns == direct_columns
    if sql == "SELECT version()":
        assert direct_rows[0][0].startswith(rows[0][0]) and rows[0][0].startswith("PostgreSQL 1"), rows
    else:
        assert rows == ABOUT_THE_SERVER.get(sql, direct_rows)


def test_enough_statements_have_rows(ask):
    """What is empty on both sides says little: most are not."""
    assert sum(ask.execute(case.values[0]).fetchone() is not None for case in CASES) > 2 * len(CASES) / 3
