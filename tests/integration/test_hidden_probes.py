"""The leak test's probes are fair and sharp: none fails on what a partner may see, many fail where a policy is
only a WHERE that the planner may put after them."""
import random

import psycopg
import pytest

from harness import hidden_probes

ROWS = """
CREATE SCHEMA v;
CREATE TABLE v.person AS SELECT n AS person_id, CASE WHEN n % 3 = 0 THEN 'cAnArY-name-' ELSE 'Name ' END || n AS name, 'cAnArY-phone-' || n AS phone,
  'cAnArY.' || n || '@public.example' AS email, 1970 AS born, CASE WHEN n % 3 = 0 THEN 'cAnArY-town-' || n ELSE 'Town ' || n % 5 END AS town, n % 3 <> 0 AS open
  FROM generate_series(1, 30) AS n;
CREATE TABLE v.item AS SELECT n AS item_id, CASE WHEN n % 4 = 0 THEN 'cAnArY-label-' ELSE 'label ' END || n AS label, n % 7 AS price FROM generate_series(1, 60) AS n;
CREATE TABLE v.shop AS SELECT n AS shop_id, 'Shop ' || n AS title FROM generate_series(1, 4) AS n;
CREATE SCHEMA bare;
CREATE VIEW bare.person AS SELECT person_id::text, name, '***' || right(phone, 2) AS phone, split_part(email, '@', 2) AS email, born, town FROM v.person
  WHERE CASE WHEN open THEN lower(upper(lower(upper(lower(upper(name)))))) END LIKE 'name%';
CREATE VIEW bare.item AS SELECT item_id, label, price FROM v.item
  WHERE CASE WHEN price > 2 THEN lower(upper(lower(upper(lower(upper(label)))))) END LIKE 'label%';
CREATE VIEW bare.shop AS SELECT * FROM v.shop;
CREATE SCHEMA seen;
CREATE TABLE seen.person AS SELECT * FROM bare.person;
CREATE TABLE seen.item AS SELECT * FROM bare.item;
CREATE TABLE seen.shop AS SELECT * FROM bare.shop;
ANALYZE;
"""


@pytest.fixture(scope="module")
def connection(cluster):
    with cluster.connect(cluster.create_database(sql=ROWS)) as connection:
        connection.execute("SET statement_timeout TO '20s'")
        yield connection


def failures(connection, schema, statements):
    connection.execute(f"SET search_path TO {schema}")
    failed = []
    for place, sql in statements:
        try:
            connection.execute(sql)
        except psycopg.Error as error:
            failed.append((place, f"{error.sqlstate} {error}: {sql}"))
    return failed


def filled(seed, times):
    chance = random.Random(seed)
    return [(place, hidden_probes.fill(chance, place)) for place in hidden_probes.PLACES for _ in range(times)]


def test_no_probe_fails_on_what_may_be_seen(connection):
    assert not failures(connection, "seen", filled(1, 3))


def test_wrapping_keeps_a_probe_valid(connection):
    chance = random.Random(2)
    made = hidden_probes.statements(chance)
    assert not failures(connection, "seen", [("wrapped", next(made)) for _ in range(300)])


def test_many_places_tell_where_nothing_guards_them(connection):
    told = {place for place, _ in failures(connection, "bare", filled(3, 8))}
    assert len(told) > 35, f"{len(told)} of {len(hidden_probes.PLACES)} places"
