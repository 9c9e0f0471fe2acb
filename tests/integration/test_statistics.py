"""A partner that gets statistics sees sums and counts of groups that are large enough, and nobody in them."""
import pytest

SQL = """
CREATE SCHEMA s;
CREATE TABLE s.person (person_id bigint PRIMARY KEY, town text, height integer, weight integer, vip integer NOT NULL);
CREATE TABLE s.visit (visit_id bigint PRIMARY KEY, person_id bigint REFERENCES s.person, nurse_id bigint, minutes integer NOT NULL);
CREATE TABLE s.nurse (nurse_id bigint PRIMARY KEY, ward text);
CREATE TABLE s.factor (label text PRIMARY KEY, factor integer);
-- five live in Five, four in Four, ten in Ten, of whom two have a height; nobody in None has one
INSERT INTO s.person SELECT n, 'Five', 100 + n, 50, 0 FROM generate_series(1, 5) n;
INSERT INTO s.person SELECT n, 'Four', 100 + n, 50, 0 FROM generate_series(6, 9) n;
INSERT INTO s.person SELECT n, 'Ten', CASE WHEN n <= 12 THEN 100 + n END, 50, (n = 11)::int FROM generate_series(11, 20) n;
INSERT INTO s.person SELECT n, 'None', NULL, 50, 0 FROM generate_series(21, 30) n;
INSERT INTO s.nurse SELECT n, 'w' FROM generate_series(1, 7) n;
-- everybody is seen once; those of Five by one nurse alone
INSERT INTO s.visit SELECT n, n, CASE WHEN n <= 5 THEN 1 ELSE 1 + n % 7 END, 10 FROM generate_series(1, 30) n WHERE n <> 10;
INSERT INTO s.factor VALUES ('one', 1), ('zero', 0);
ANALYZE;
"""
PARTNER = """
  {name}:
    contract: {{agreement: A, breach_contact: {{name: B, phone: "1"}}}}
    purposes: [test]
    agents: [{{name: one, identity: {{certificate: "spiffe://{name}/one"}}}}]
    valid: {{from: 2020-01-01, until: 2099-12-31}}
    grants:
      - {{dataset: person, columns: all}}
      - {{dataset: visit, columns: all}}
      - {{dataset: factor, columns: all}}
    {mode}
    aggregates: {{min_subjects: 5}}
    budget: {{subjects: {{per_day: 12, total: 100}}, rows_per_statement: 10000}}
"""
POLICY = """
controller: {name: Stats, dpo: {name: D, email: d@stats.example}}
subjects: {person: {dataset: person, key: person_id}, nurse: {dataset: nurse, key: nurse_id}}
datasets:
  person: {table: s.person, subject: {kind: person, key: person_id}, columns: {person_id: {}, town: {}, height: {}, weight: {}, vip: {}}}
  visit:
    table: s.visit
    subject: [{kind: person, key: person_id}, {kind: nurse, key: nurse_id}]
    columns: {visit_id: {}, person_id: {}, nurse_id: {}, minutes: {}}
  nurse: {table: s.nurse, subject: {kind: nurse, key: nurse_id}, columns: {nurse_id: {}, ward: {}}}
  factor: {table: s.factor, subject: none, columns: {label: {}, factor: {}}}
partners:""" + PARTNER.format(name="stats", mode="mode: aggregates") + PARTNER.format(name="rows", mode="mode: rows")


@pytest.fixture(scope="module")
def gateway(make_module_gateway):
    return make_module_gateway(policy_yaml=POLICY, sql=SQL)


@pytest.fixture
def ask(gateway):
    return lambda sql, parameters=None: gateway.rows("stats.one", sql, parameters)


def test_groups_of_enough_people_are_shown_and_no_other(ask):
    assert sorted(ask("SELECT town, count(*) FROM person GROUP BY town")) == [("Five", 5), ("None", 10), ("Ten", 10)]


def test_a_total_over_too_few_is_not_there(ask):
    assert ask("SELECT count(*) FROM person WHERE town = 'Five'") == [(5,)]
    assert ask("SELECT count(*) FROM person WHERE town = 'Four'") == []
    assert ask("SELECT sum(height) FROM person WHERE person_id = %s", (7,)) == []
    assert ask("SELECT count(*) FROM person WHERE town = 'Nowhere'") == []


def test_a_sum_needs_enough_people_who_have_a_value(ask):
    """Two of Ten have a height: their sum, or one of them less the other, would be theirs."""
    for aggregate in ("sum(height)", "avg(height)", "count(height)", "stddev(height)", "variance(height)", "sum(height * weight)",
                      "count(DISTINCT height)", "var_pop(height)"):
        towns = [town for town, _ in ask(f"SELECT town, {aggregate} FROM person GROUP BY town ORDER BY town")]
        assert towns == ["Five", "None"], (aggregate, towns)


def test_a_sum_over_a_column_without_nulls_needs_only_the_group(ask):
    assert ask("SELECT town, sum(vip) FROM person GROUP BY town ORDER BY town") == [("Five", 0), ("None", 0), ("Ten", 1)]


def test_nobody_stands_behind_a_crowd(ask):
    """Each dataset's own people must be enough: one person joined to everybody is still one."""
    for sql in ("SELECT q.height, count(*) FROM person p CROSS JOIN person q WHERE q.person_id = 7 GROUP BY q.height",
                "SELECT sum(q.height) FROM person p JOIN person q ON q.person_id = 7",
                "SELECT count(*) FROM person p JOIN (SELECT height FROM person WHERE person_id = 7) q ON p.height = q.height",
                "SELECT q.town, count(p.person_id) FROM person q JOIN visit p ON q.town = 'Four' GROUP BY q.town"):
        assert ask(sql) == [], sql


def test_people_of_each_kind_must_be_enough(ask):
    assert ask("SELECT sum(v.minutes) FROM visit v JOIN person p ON p.person_id = v.person_id WHERE p.town = 'Five'") == []
    assert ask("SELECT sum(v.minutes) FROM visit v JOIN person p ON p.person_id = v.person_id WHERE p.town = 'Ten'") == [(100,)]


def test_small_groups_do_not_count_for_a_limit(ask):
    assert ask("SELECT town, count(*) FROM person GROUP BY town ORDER BY 2, 1 LIMIT 1") == [("Five", 5)]
    assert ask("SELECT town, count(*) FROM person GROUP BY town ORDER BY 2, 1 LIMIT 1 OFFSET 1") == [("None", 10)]


@pytest.mark.parametrize("sql", [
    "SELECT height FROM person", "SELECT 1 FROM person WHERE person_id = 7", "SELECT * FROM person", "SELECT max(height) FROM person", "SELECT min(town) FROM person",
    "SELECT string_agg(town, ',') FROM person", "SELECT array_agg(height) FROM person", "SELECT bool_or(height > 3) FROM person", "SELECT json_agg(height) FROM person",
    "SELECT sum(CASE WHEN person_id = 7 THEN height ELSE 0 END) FROM person", "SELECT sum(height + 0) FROM person", "SELECT sum(-height) FROM person",
    "SELECT sum(coalesce(height, 0)) FROM person", "SELECT sum(height / 2) FROM person", "SELECT sum((person_id = 7)::int) FROM person", "SELECT count(person_id = 7) FROM person",
    "SELECT sum(1) FROM person", "SELECT sum(DISTINCT height) FROM person", "SELECT avg(DISTINCT height) FROM person", "SELECT sum(nullif(height, 3)) FROM person",
    "SELECT count(CASE WHEN person_id = 7 THEN 1 END) FROM person", "SELECT sum(height * 1) FROM person", "SELECT sum(height * weight * vip) FROM person",
    "SELECT sum(p.height * f.factor) FROM person p JOIN factor f ON (p.person_id = 7) = (f.label = 'one')",
    "SELECT sum(p.height * q.vip) FROM person p JOIN person q ON p.person_id = q.person_id", "SELECT corr(height, weight) FROM person", "SELECT count(*), max(height) FROM person",
    "SELECT town FROM person GROUP BY town ORDER BY max(height)", "SELECT bit_or(height) FROM person", "SELECT every(height > 3) FROM person",
    "SELECT sum(s.h) FROM (SELECT CASE WHEN person_id = 7 THEN height ELSE 0 END AS h FROM person) s", "SELECT sum(s.h) FROM (SELECT height * vip AS h FROM person) s",
    "SELECT s.c FROM (SELECT town, count(*) AS c FROM person GROUP BY town) s", "SELECT sum(s.c) FROM (SELECT count(*) AS c FROM person GROUP BY town) s",
])
def test_what_is_no_statistic_is_refused(gateway, sql):
    state, message, hint = gateway.refused("stats.one", sql)
    assert state in ("42501", "0A000") and "statistic" in message + hint or "group" in message.lower(), (state, message, hint)
    assert hint, (state, message, hint)


@pytest.mark.parametrize("sql", [
    "SELECT count(*) FILTER (WHERE person_id = 7) FROM person", "SELECT sum(height) OVER () FROM person", "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY height) FROM person",
    "SELECT town, count(*) FROM person GROUP BY ROLLUP (town)", "SELECT DISTINCT town FROM person",
    "SELECT sum(s.height) FROM (SELECT height FROM person ORDER BY person_id LIMIT 1) s", "SELECT sum(s.height) FROM (SELECT height FROM person OFFSET 5) s",
])
def test_ways_around_are_refused(gateway, sql):
    state, message, hint = gateway.refused("stats.one", sql)
    assert state in ("42501", "0A000") and message and hint, (state, message, hint)


def disclosed(gateway, after):
    """(kind, key, grade) of what has been recorded since."""
    return {(row["kind"], row["subject"], row["grade"]) for row in gateway.admin(f"SHOW DISCLOSED AFTER {after}")}


def last(gateway):
    return gateway.admin("SHOW LEDGER LAST 1")[-1]["sequence"]


def test_members_of_a_statistic_are_recorded_as_an_aggregate(gateway, ask):
    after = last(gateway)
    ask("SELECT town, count(*) FROM person GROUP BY town")
    told = disclosed(gateway, after)
    assert {grade for _, _, grade in told} == {"aggregate"}, told
    assert {int(key) for _, key, _ in told} == set(range(1, 6)) | set(range(11, 31)), "those of Four were not shown"


def test_statistics_charge_no_budget(gateway, ask):
    """Twelve people a day are this partner's budget; a count of all thirty is none of it."""
    for _ in range(3):
        assert ask("SELECT count(*) FROM person") == [(29,)]


def test_a_partner_of_rows_gets_small_groups_and_they_are_recorded_as_what_they_are(gateway):
    after = last(gateway)
    assert dict(gateway.rows("rows.one", "SELECT town, count(*) FROM person WHERE person_id <= 9 GROUP BY town")) == {"Five": 5, "Four": 4}
    told = disclosed(gateway, after)
    assert {key for _, key, grade in told if grade == "aggregate"} == {str(n) for n in range(1, 6)}, told
    assert {key for _, key, grade in told if grade == "direct"} == {str(n) for n in range(6, 10)}, told
