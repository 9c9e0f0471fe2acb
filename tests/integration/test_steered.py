"""Partners of statistics cannot choose for whom a statement fails: an error is recorded with nobody's name."""
import pytest

from test_statistics import POLICY
from test_trackers import ROWS, rows_policy


@pytest.fixture(scope="module")
def gateway(make_module_gateway):
    policy = rows_policy(POLICY).replace("\npartners:", "\n  dated: {table: s.dated, subject: {kind: person, key: person_id}, columns: {person_id: {}, day: {}}}\npartners:")
    policy = policy.replace("- {dataset: factor, columns: all}", "- {dataset: factor, columns: all}\n      - {dataset: dated, columns: {person_id: clear, day: year}}")
    return make_module_gateway(policy_yaml=policy, sql=ROWS + "CREATE TABLE s.dated AS SELECT person_id, DATE '1970-01-01' + height AS day FROM s.person;")


@pytest.mark.parametrize("sql", [
    "SELECT count(*) FROM person WHERE 1 / (CASE WHEN person_id = 7 AND height > 170 THEN 0 ELSE 1 END) > 0",
    "SELECT count(*) FROM person WHERE height + 2147483477 > 0",
    "SELECT count(*) FROM person WHERE person_id = 7 AND height * 999999 > 0",
    "SELECT count(*) FROM person WHERE 1 / (height - 107) IS NULL",
    "SELECT count(*) FROM person WHERE person_id <> 7 OR 1 / (vip * 1) > 0",
    "SELECT count(*) FROM person WHERE (town || height)::int > 0",
    "SELECT 1 / (height - 107), count(*) FROM person GROUP BY 1 / (height - 107)",
    "SELECT count(*) FROM person p JOIN factor f ON f.factor = p.person_id WHERE 1 / (f.factor - 107) > 0",
    "SELECT count(*) FROM person WHERE person_id = 7 AND height > 106 AND now() - interval '300000 years' < now()",
    "SELECT count(*) FROM person WHERE CASE WHEN height > 106 THEN now() - interval '300000 years' ELSE now() END < now()",
    "SELECT count(*) FROM bare WHERE CASE WHEN amount > 6 THEN date_trunc('month', timestamp '4714-11-24 00:00:00 BC') ELSE '2020-01-01' END IS NULL",
    "SELECT count(*) FROM (SELECT CASE WHEN amount > 6 THEN '4714-11-24 00:00:00+00 BC'::timestamptz END AS d FROM bare) s WHERE date_trunc('month', d) IS NULL",
    "SELECT count(*) FROM bare WHERE amount > 6 AND extract(nonsense FROM at) > 0",
    "SELECT count(*) FROM bare WHERE amount > 6 AND date_trunc('dow', at) > now()",
    "SELECT count(*) FROM person WHERE height > 106 AND town ~ '('",
    "SELECT 1 / (sum(height) - 107) FROM person WHERE person_id = 7",
    "SELECT 1 / (CASE WHEN sum(height) > 106 THEN 0 ELSE 1 END) FROM person WHERE person_id = 7",
    "SELECT count(*) FROM person WHERE person_id = 7 HAVING 1 / (sum(height) - 107) > 0",
    "SELECT town, count(*) FROM person GROUP BY town HAVING 1 / (sum(height) - 107) > 0",
    "SELECT town FROM person GROUP BY town ORDER BY 1 / (sum(height) - 107)",
    "SELECT sum(height) / count(*) FROM person WHERE person_id = 7 AND height > 170",
    "SELECT sum(height) * 9223372036854775807 FROM person", "SELECT round(sum(height), 1000000000 * 2) FROM person",
    "SELECT count(*) FROM dated WHERE day = 7 OR 1 / (day - 1970) > 0", "SELECT CASE WHEN day > 3 THEN 1 / (day - 1970) END, count(*) FROM dated GROUP BY 1",
    "SELECT count(*) FROM person WHERE CASE WHEN person_id = 7 AND height > 106 THEN 'x'::text::date ELSE '2020-01-01' END IS NULL",
    "SELECT count(*) FROM person WHERE CASE WHEN height > 106 THEN 'x'::text::timestamptz ELSE now() END IS NULL", "SELECT CASE WHEN sum(height) > 106 THEN 'x'::text::date END FROM person",
    "SELECT sum(height) / nullif(count(*), 1) FROM person", "SELECT sum(height) / (0.0) FROM person", "SELECT height / 0, count(*) FROM person GROUP BY height / 0",
], ids=range(31))
def test_where_it_fails_is_not_the_partners_choice(gateway, sql):
    state, message, hint = gateway.refused("stats.one", sql)
    assert state == "42501" and "statistics only" in message and hint, (state, message)


@pytest.mark.parametrize("sql, rows", [
    ("SELECT date_trunc('day', at)::date, count(*) FROM bare GROUP BY 1 ORDER BY 1", 3), ("SELECT to_char(at, 'YYYY-MM'), sum(amount) FROM bare GROUP BY 1", 1),
    ("SELECT extract(year FROM at), count(*) FROM bare WHERE extract(year FROM at) IN (1970, 1971) GROUP BY 1", 1), ("SELECT extract(month FROM at)::int, count(*) FROM bare GROUP BY 1", 1),
    ("SELECT count(*) FROM bare WHERE at < now() - interval '30 days' AND date_trunc('month', at) BETWEEN '1970-01-01' AND '1970-02-01'", 1),
    ("SELECT count(*) FROM bare WHERE at < CURRENT_DATE - 30 AND at > '1969-01-01'::timestamptz", 1),
    ("SELECT height / 100 * 100, count(*) FROM person GROUP BY 1", 1), ("SELECT round(avg(height), 2), round(100.0 * sum(vip) / nullif(count(*), 0), 1) FROM person", 1),
    ("SELECT 100 * sum(vip) / nullif(count(*), 0) FROM person", 1), ("SELECT sum(height * weight), lower('X') FROM person", 1),
    ("SELECT day, count(*) FROM dated GROUP BY day", 1), ("SELECT y, count(*) FROM (SELECT CASE WHEN day < 1980 THEN 'old' ELSE 'young' END AS y FROM dated) s GROUP BY y", 1),
    ("SELECT coalesce(day, 0) AS d, coalesce(round(avg(day), 1), 0) FROM dated WHERE day IS NOT NULL AND NOT day IN (1, 2) GROUP BY 1", 1),
    ("SELECT band, count(*) FROM (SELECT height / 1000 AS band FROM person) s WHERE band < 3 GROUP BY band", 1), ("SELECT day / 100 * 100, count(day) FROM dated WHERE day > %s GROUP BY 1", 1),
], ids=range(15))
def test_what_nobody_can_steer(gateway, sql, rows):
    assert len(gateway.rows("stats.one", sql, (0,) if "%s" in sql else None)) == rows


@pytest.mark.parametrize("sql", [
    "SELECT count(*) FROM person WHERE CASE WHEN height > 999999 THEN 'x'::date ELSE '2020-01-01' END IS NULL",
    "SELECT count(*) FROM person WHERE CASE WHEN height > 999999 THEN '99999999999'::int ELSE 0 END IS NULL",
], ids=range(2))
def test_a_literal_fails_whoever_is_there(gateway, sql):
    assert gateway.refused("stats.one", sql)[0] in ("22007", "22003")


def test_parameters(gateway):
    assert gateway.rows("stats.one", "SELECT count(*) FROM person WHERE height > %s AND town = %s", (0, "Town 0")) == [(20,)]


def test_partners_of_rows_may(gateway):
    assert gateway.rows("rows.one", "SELECT town FROM person WHERE person_id = 7 AND 1 / (height - 106) > 0") == [("Town 1",)]
