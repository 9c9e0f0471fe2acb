"""Forms of SELECT that analysts write give what the database gives, and the ledger holds whom they depend on."""
import collections

import psycopg
import pytest

from harness import shop

PEOPLE = range(1, 13)
# Twelve people, of whom three live in Bath and are hidden; keys of several types; values that repeat.
SQL = """
CREATE SCHEMA shop;
CREATE TABLE shop.person (person_id bigint PRIMARY KEY, full_name text, phone text, born date, town text, secret text);
CREATE TABLE shop.purchase (purchase_id bigint PRIMARY KEY, person_id bigint REFERENCES shop.person, item text, pence integer);
CREATE TABLE shop.article (item text PRIMARY KEY, maker text);
INSERT INTO shop.person SELECT n, 'Person ' || n % 5, '+44 ' || n, date '1990-01-01' + n % 3, CASE WHEN n % 4 = 0 THEN 'Bath' ELSE 'York' END, 'x'
  FROM generate_series(1, 12) AS n;
INSERT INTO shop.purchase SELECT n, 1 + n * 5 % 12, 'item ' || n % 4, n % 7 FROM generate_series(1, 40) AS n;
INSERT INTO shop.article SELECT 'item ' || n, 'maker ' || n % 2 FROM generate_series(0, 5) AS n;
ANALYZE;
"""
# What the partner may see, said by hand.
VIEWS = """
CREATE SCHEMA seen;
CREATE VIEW seen.person AS SELECT person_id, full_name, born, town FROM shop.person WHERE town = 'York';
CREATE VIEW seen.purchase AS SELECT purchase_id, person_id, item, pence FROM shop.purchase;
CREATE VIEW seen.article AS SELECT item, maker FROM shop.article;
SET search_path = seen;
"""
INTS = "(SELECT person_id::int AS k, full_name FROM person) AS a"
BIG = "(SELECT person_id AS k, pence FROM purchase WHERE pence > 4) AS b"
FORMS = {
    "USING of different types": [f"SELECT k, full_name, pence FROM {INTS} {kind} JOIN {BIG} USING (k)" for kind in ("INNER", "LEFT", "RIGHT", "FULL")]
    + [f"SELECT * FROM {INTS} NATURAL {kind} JOIN {BIG}" for kind in ("INNER", "FULL")]
    + ["SELECT k, count(*) FROM (SELECT pence::numeric(6, 2) AS k FROM purchase) AS a LEFT JOIN (SELECT person_id::float8 AS k FROM person) AS b USING (k) GROUP BY k"],
    "USING of types that only the database knows": [
        f"SELECT k / 2 AS half, z FROM (SELECT item AS z, mode() WITHIN GROUP (ORDER BY pence) AS k FROM purchase GROUP BY item) AS a {kind} JOIN "
        "(SELECT maker, mode() WITHIN GROUP (ORDER BY length(item) - 5.0) AS k FROM article GROUP BY maker, item) AS b USING (k)" for kind in ("INNER", "LEFT", "RIGHT", "FULL")],
    "an alias for a join": [f"SELECT j.full_name, j.item FROM (person p {kind} JOIN purchase q ON q.person_id = p.person_id AND q.pence = 6) AS j" for kind in ("INNER", "LEFT", "FULL")]
    + ["SELECT j.k, j.item FROM (person JOIN purchase USING (person_id)) AS j (k) WHERE j.pence = 3",
       "SELECT j.maker, count(*) FROM (purchase LEFT JOIN article USING (item)) AS j GROUP BY j.maker HAVING count(*) > 19",
       "SELECT u.person_id, full_name FROM person JOIN purchase USING (person_id) AS u WHERE pence = 2",
       "SELECT u.item, a.maker FROM purchase RIGHT JOIN article a USING (item) AS u WHERE pence = 2 OR pence IS NULL"],
    "LIMIT and OFFSET by expressions": [
        "SELECT purchase_id, person_id FROM purchase ORDER BY purchase_id LIMIT 2 * 3 OFFSET 1 + 1",
        "SELECT purchase_id, person_id FROM purchase ORDER BY purchase_id LIMIT (SELECT 5)",
        "SELECT purchase_id FROM purchase ORDER BY purchase_id LIMIT (SELECT count(*) FROM person WHERE born > '1990-01-01')",
        "SELECT item, count(*) FROM purchase GROUP BY item ORDER BY item LIMIT (SELECT max(pence) - 4 FROM purchase)",
        "SELECT count(*) FROM (SELECT pence FROM purchase ORDER BY purchase_id LIMIT (SELECT count(*) FROM person)) AS q",
        "SELECT item FROM article ORDER BY item OFFSET (SELECT 12 - count(*) FROM person)",
        "SELECT pence FROM purchase ORDER BY pence FETCH FIRST (SELECT count(*) FROM person WHERE person_id < 3) ROWS WITH TIES"],
    "a FILTER that may fail, in a window above groups": [
        "SELECT pence, sum(count(*)) FILTER (WHERE 10 / (pence + 1) > 2) OVER () FROM purchase GROUP BY pence",
        "SELECT town, count(*) FILTER (WHERE 1 / (length(full_name) - 9) = -1) OVER (ORDER BY town) FROM person GROUP BY town, full_name HAVING full_name <> 'Person 0'",
        "SELECT town, sum(count(*)) FILTER (WHERE 1 / (strpos(town, 'Ba') - 1) < 9) OVER () FROM person GROUP BY town",
        "SELECT p.person_id, x.n FROM person p, LATERAL (SELECT sum(count(*)) FILTER (WHERE 1 / (strpos(p.town, 'Ba') - 1) < 9) OVER () AS n FROM purchase q WHERE q.person_id = p.person_id GROUP BY q.item) x"],
    "INTERSECT ALL and EXCEPT ALL": [
        "SELECT item FROM purchase WHERE pence > 1 INTERSECT ALL SELECT item FROM purchase WHERE pence < 5",
        "SELECT pence FROM purchase EXCEPT ALL SELECT person_id FROM person",
        "SELECT item, pence FROM purchase WHERE person_id < 7 EXCEPT ALL SELECT item, pence FROM purchase WHERE person_id > 3",
        "SELECT count(*) FROM (SELECT item FROM purchase INTERSECT ALL SELECT item FROM purchase WHERE pence = 3) AS q",
        "SELECT item FROM purchase WHERE pence = 2 EXCEPT ALL SELECT item FROM article ORDER BY 1 LIMIT 5",
        "SELECT a.maker, b.item FROM article a JOIN (SELECT item FROM purchase WHERE pence = 2 INTERSECT ALL SELECT item FROM purchase WHERE pence = 5) AS b USING (item)",
        "(SELECT pence FROM purchase WHERE person_id < 9 INTERSECT ALL SELECT pence FROM purchase) EXCEPT ALL SELECT pence FROM purchase WHERE item = 'item 1'"],
    "aggregates of an outer query's groups": [
        "SELECT item, (SELECT max(q.pence)) FROM purchase q GROUP BY item",
        "SELECT q.item, (SELECT count(*) FROM person p WHERE p.person_id > max(q.person_id) - 3) FROM purchase q WHERE q.pence < 2 GROUP BY q.item",
        "SELECT q.item, (SELECT string_agg(p.full_name, ',' ORDER BY p.person_id) FROM person p WHERE p.person_id = min(q.person_id)) FROM purchase q WHERE q.pence = 3 GROUP BY q.item",
        "SELECT item FROM purchase q GROUP BY item HAVING EXISTS (SELECT 1 FROM article a WHERE a.item = q.item AND sum(q.pence) > 30)",
        "SELECT item, count(*) FROM purchase q GROUP BY item ORDER BY (SELECT 10 / (sum(q.pence) + 1)), item",
        "SELECT item, (SELECT x.n FROM (SELECT p.born, count(*) AS n FROM person p GROUP BY p.born HAVING count(*) >= min(q.pence)) AS x ORDER BY x.born LIMIT 1) FROM purchase q GROUP BY item"],
    "FULL JOIN by values of a type that only the database knows": [
        "SELECT x.m, y.item FROM (SELECT item, mode() WITHIN GROUP (ORDER BY pence) AS m FROM purchase GROUP BY item) AS x FULL JOIN (SELECT item, pence FROM purchase WHERE pence < 2) AS y ON x.m = y.pence"],
}


@pytest.fixture(scope="module")
def world(make_module_gateway):
    gateway = make_module_gateway(policy_yaml=shop.POLICY, sql=SQL)
    with gateway.connect("acme.cert") as through, gateway.cluster.connect(gateway.database) as direct:
        direct.execute(VIEWS)
        yield gateway, through, direct


def answer(connection, sql, values=None):
    cursor = connection.execute(sql, values)
    return [(column.name, column.type_code) for column in cursor.description], collections.Counter(cursor.fetchall())


def affected(direct, sql, before):
    """Whoever's removal takes a row away, or changes one."""
    people = set()
    for key in PEOPLE:
        with direct.transaction(force_rollback=True):
            direct.execute("DELETE FROM shop.purchase WHERE person_id = %s", [key])
            direct.execute("DELETE FROM shop.person WHERE person_id = %s", [key])
            if before - answer(direct, sql)[1]:
                people.add(key)
    return people


def told(gateway, after):
    return {int(row["subject"]) for row in gateway.admin(f"SHOW DISCLOSED AFTER {after}") if row["grade"] != "probe"}


def test_parameters_may_be_computed_with(world):
    _, through, direct = world
    for sql in ("SELECT item FROM article ORDER BY item LIMIT %s::int * 2 OFFSET %s", "SELECT item, count(*) FROM purchase GROUP BY item ORDER BY item OFFSET %s LIMIT coalesce(%s::int, 1)",
                "SELECT purchase_id FROM purchase ORDER BY 1 LIMIT nullif(%s, 2) OFFSET greatest(%s - 1, 0)"):
        for values in ((1, 2), (2, None), (None, 1)):
            assert answer(through, sql, values) == answer(direct, sql, values), (sql, values)
    for value in (0, 3, None, 2**63 - 1, 2**63 - 5):  # what is skipped comes on top
        sql = "SELECT purchase_id FROM purchase ORDER BY 1 LIMIT %s OFFSET 4"
        assert answer(through, sql, (value,)) == answer(direct, sql, (value,)), value


def test_what_a_limit_may_not_be_is_told(world):
    gateway, _, _ = world
    assert gateway.refused("acme.cert", "SELECT item FROM purchase LIMIT pence")[0] == "42P10"
    assert gateway.refused("acme.cert", "SELECT item FROM article LIMIT (SELECT -1)")[0] == "2201W"
    assert gateway.refused("acme.cert", "SELECT item FROM purchase LIMIT (SELECT -1) OFFSET 3")[0] == "2201W"


@pytest.mark.parametrize("form", FORMS)
def test_gives_the_same_and_records_whoever_matters(world, form):
    gateway, through, direct = world
    wrong = []
    for sql in FORMS[form]:
        after = int(gateway.admin("SHOW LEDGER LAST 1")[-1]["sequence"])
        expected = answer(direct, sql)
        try:
            actual = answer(through, sql)
        except psycopg.Error as error:
            wrong.append(f"{sql}\n  {error}")
            continue
        people = affected(direct, sql, expected[1])
        if actual != expected or not people:
            wrong.append(f"{sql}\n  {actual}\n  {expected}\n  {people}")
        elif not people <= told(gateway, after):
            wrong.append(f"{sql}\n  not recorded: {people - told(gateway, after)}")
    assert not wrong, "\n".join(wrong)
