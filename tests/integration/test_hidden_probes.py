"""The leak test's probes are fair and sharp: none fails on what a partner may see, many fail where a policy is
only a WHERE that the planner may put after them."""
import random

import psycopg
import pytest

from harness import hidden_probes, hidden_writes

ROWS = """
CREATE SCHEMA v;
CREATE TABLE v.person AS SELECT n AS person_id, CASE WHEN n % 3 = 0 THEN 'cAnArY-name-' ELSE 'Name ' END || n AS name, 'cAnArY-phone-' || n AS phone,
  'cAnArY.' || n || '@public.example' AS email, 1970 AS born, CASE WHEN n % 3 = 0 THEN 'cAnArY-town-' || n ELSE 'Town ' || n % 5 END AS town, n % 3 <> 0 AS open
  FROM generate_series(1, 30) AS n;
CREATE TABLE v.item AS SELECT n AS item_id, CASE WHEN n % 4 = 0 THEN 'cAnArY-label-' ELSE 'label ' END || n AS label, n % 7 AS price FROM generate_series(1, 60) AS n;
CREATE TABLE v.shop AS SELECT n AS shop_id, 'Shop ' || n AS title FROM generate_series(1, 4) AS n;
CREATE TABLE v.memo AS SELECT n AS memo_id, CASE WHEN n % 3 = 0 THEN 'cAnArY-body-' ELSE 'memo ' END || n AS body, n % 7 AS kind FROM generate_series(1, 40) AS n;
CREATE SCHEMA bare;
CREATE VIEW bare.person AS SELECT person_id::text, name, '***' || right(phone, 2) AS phone, split_part(email, '@', 2) AS email, born, town FROM v.person
  WHERE CASE WHEN open THEN lower(upper(lower(upper(lower(upper(name)))))) END LIKE 'name%';
CREATE VIEW bare.item AS SELECT item_id, label, price FROM v.item
  WHERE CASE WHEN price > 2 THEN lower(upper(lower(upper(lower(upper(label)))))) END LIKE 'label%';
CREATE VIEW bare.memo AS SELECT * FROM v.memo WHERE CASE WHEN kind > 2 THEN lower(upper(lower(upper(body)))) END LIKE 'memo%';
CREATE VIEW bare.shop AS SELECT * FROM v.shop;
CREATE SCHEMA seen;
CREATE TABLE seen.person AS SELECT * FROM bare.person;
CREATE TABLE seen.item AS SELECT * FROM bare.item;
CREATE TABLE seen.shop AS SELECT * FROM bare.shop;
CREATE TABLE seen.memo AS SELECT * FROM bare.memo;
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
            with connection.transaction(force_rollback=True):
                connection.execute(sql)
        except psycopg.Error as error:
            failed.append((place, f"{error.sqlstate} {error}: {sql}"))
    return failed


def filled(seed, times, probes=hidden_probes):
    chance = random.Random(seed)
    return [(place, probes.fill(chance, place)) for place in probes.PLACES for _ in range(times)]


def telling(failed):
    """Of failures of writes: not what is no SQL of PostgreSQL's at all."""
    return [(place, text) for place, text in failed if text[:2] in ("21", "22")]


def test_no_probe_fails_on_what_may_be_seen(connection):
    assert not failures(connection, "seen", filled(1, 3))


def test_wrapping_keeps_a_probe_valid(connection):
    chance = random.Random(2)
    made = hidden_probes.statements(chance)
    assert not failures(connection, "seen", [("wrapped", next(made)) for _ in range(300)])


def test_many_places_tell_where_nothing_guards_them(connection):
    told = {place for place, _ in failures(connection, "bare", filled(3, 8))}
    assert len(told) > 35, f"{len(told)} of {len(hidden_probes.PLACES)} places"


def test_no_write_fails_on_what_may_be_seen(connection):
    failed = failures(connection, "seen", filled(4, 4, hidden_writes))
    assert not telling(failed)
    assert {text[:5] for _, text in failed} <= {"42601", "42703", "0A000"}, failed


def test_many_writes_tell_where_nothing_guards_them(connection):
    told = {place for place, _ in telling(failures(connection, "bare", filled(5, 8, hidden_writes)))}
    assert len(told) > 8, f"{len(told)} of {len(hidden_writes.PLACES)} places"
