"""Two statistics whose people differ by few tell of those few: the second is refused, or they are charged for."""
import psycopg
import pytest

from test_statistics import POLICY as STATISTICS

SQL = """
CREATE SCHEMA s;
CREATE TABLE s.person (person_id bigint PRIMARY KEY, town text, height integer, weight integer, vip integer NOT NULL);
CREATE TABLE s.visit (visit_id bigint PRIMARY KEY, person_id bigint REFERENCES s.person, nurse_id bigint, minutes integer NOT NULL);
CREATE TABLE s.nurse (nurse_id bigint PRIMARY KEY, ward text);
CREATE TABLE s.factor (label text PRIMARY KEY, factor integer);
INSERT INTO s.person SELECT n, 'Town ' || n % 4, 100 + n, 50, 0 FROM generate_series(1, 100) n;
ANALYZE;
"""
CHARGED = STATISTICS.replace("aggregates: {min_subjects: 5}", "aggregates: {min_subjects: 5, differencing: charge}")
TOWNS = "SELECT town, sum(height) FROM person GROUP BY town ORDER BY town"
VICTIM = 42


@pytest.fixture
def gateway(make_gateway):
    return make_gateway(policy_yaml=STATISTICS, sql=SQL)


def told(gateway, grade):
    return {int(row["subject"]) for row in gateway.admin("SHOW DISCLOSED AFTER 0") if row["grade"] == grade}


def refused(gateway, sql):
    state, message, hint = gateway.refused("stats.one", sql)
    return state == "42501" and "fewer than 5 people" in message and "differencing: charge" in hint


def test_everybody_and_everybody_but_one(gateway):
    everybody = "SELECT sum(height) FROM person"
    but_one = f"SELECT sum(height) FROM person WHERE person_id <> {VICTIM}"
    assert gateway.rows("stats.one", everybody) == [(15050,)]
    assert refused(gateway, but_one)
    assert told(gateway, "witness") == {VICTIM}, "that it was refused tells of this one"
    assert gateway.rows("stats.one", everybody) == [(15050,)], "the same statistic is free"
    gateway.kill9()
    gateway.start()
    assert refused(gateway, but_one), "the sets follow from the ledger"


def test_a_tracker_that_pads_a_small_set(gateway):
    """Denning's: count(C) = count(A) - count(A and not B), where C = A and B is too small to be asked for."""
    assert gateway.rows("stats.one", f"SELECT count(*) FROM person WHERE town = 'Town 2' AND height = {100 + VICTIM}") == []
    assert gateway.rows("stats.one", "SELECT sum(height) FROM person WHERE town = 'Town 2'") == [(3750,)]
    assert refused(gateway, f"SELECT sum(height) FROM person WHERE town = 'Town 2' AND height <> {100 + VICTIM}")


def test_a_whole_and_its_two_parts(gateway):
    assert gateway.rows("stats.one", "SELECT count(*) FROM person") == [(100,)]
    assert gateway.rows("stats.one", "SELECT count(*) FROM person WHERE height > 150") == [(50,)]
    assert refused(gateway, f"SELECT count(*) FROM person WHERE height <= 150 AND person_id <> {VICTIM}")
    assert gateway.rows("stats.one", "SELECT count(*) FROM person WHERE height <= 150") == [(50,)]


def test_refusals_are_data_errors_and_bounded(gateway):
    gateway.rows("stats.one", "SELECT sum(height) FROM person")
    refused(gateway, f"SELECT sum(height) FROM person WHERE person_id <> {VICTIM}")
    errors = {row["limit"]: row["used"] for row in gateway.admin("SHOW BUDGET PARTNER 'stats'")}
    assert errors["errors"] == "1", errors


def test_a_dashboard_moves_by_enough_people_at_a_time(gateway):
    first = gateway.rows("stats.one", TOWNS)
    assert len(first) == 4 and gateway.rows("stats.one", TOWNS) == first
    gateway.cluster.script(gateway.database, "INSERT INTO s.person VALUES (1004, 'Town 0', 1, 1, 0)")
    assert refused(gateway, TOWNS), "one has come: the difference would be that person's height"
    gateway.cluster.script(gateway.database, "INSERT INTO s.person SELECT 1000 + 4 * n, 'Town 0', 1, 1, 0 FROM generate_series(2, 5) n")
    assert dict(gateway.rows("stats.one", TOWNS))["Town 0"] == dict(first)["Town 0"] + 5


def test_charged_instead(make_gateway):
    gateway = make_gateway(policy_yaml=CHARGED, sql=SQL)
    before = dict(gateway.rows("stats.one", TOWNS))
    gateway.cluster.script(gateway.database, "INSERT INTO s.person VALUES (1004, 'Town 0', 1, 1, 0)")
    assert dict(gateway.rows("stats.one", TOWNS))["Town 0"] == before["Town 0"] + 1
    assert told(gateway, "direct") == {1004}
    used = gateway.admin("SHOW BUDGET PARTNER 'stats'")
    assert [row["used"] for row in used if (row["limit"], row["window"]) == ("subjects", "day")] == ["1"]


def test_charging_ends_at_the_budget(make_gateway):
    """Twelve people a day: the thirteenth difference is not sent."""
    gateway = make_gateway(policy_yaml=CHARGED, sql=SQL)
    gateway.rows("stats.one", "SELECT sum(height) FROM person")
    answered = 0
    for victim in range(1, 20):
        try:
            gateway.rows("stats.one", f"SELECT sum(height) FROM person WHERE person_id <> {victim}")
            answered += 1
        except psycopg.Error as error:
            assert error.sqlstate == "53400", error
            break
    assert answered == 12
    for victim in (13, 14):
        state, message, _ = gateway.refused("stats.one", f"SELECT sum(height) FROM person WHERE person_id <> {victim}")
        assert state == "53400", "asked again it is no less new: it was never given"
    assert told(gateway, "direct") == set(range(1, 13))
    assert len(gateway.rows("stats.one", "SELECT sum(height) FROM person WHERE person_id <> 12")) == 1, "given, and so free"


def test_those_who_have_no_value_do_not_pad_the_difference(gateway):
    """The groups differ by six, the sums by one: five of the six have no height."""
    gateway.cluster.script(gateway.database, "INSERT INTO s.person SELECT n, 'Tall', NULL, 1, 0 FROM generate_series(201, 210) n")
    assert gateway.rows("stats.one", "SELECT sum(height) FROM person") == [(15050,)]
    but_one = f"SELECT sum(height) FROM person WHERE person_id NOT IN ({VICTIM}, 201, 202, 203, 204, 205)"
    assert refused(gateway, but_one)
    assert told(gateway, "witness") == {VICTIM}
    gateway.kill9()
    gateway.start()
    assert refused(gateway, but_one)
    assert gateway.rows("stats.one", "SELECT count(*) FROM person WHERE person_id NOT IN (201, 202, 203, 204, 205)") == [(105,)]


RULER = "SELECT g FROM generate_series(100, 20000) g WHERE g = "


@pytest.mark.parametrize("shown, values", [
    ("SELECT (SELECT sum(vip) FROM person WHERE person_id <> {n})", 1), ("SELECT ARRAY(SELECT sum(weight * vip) FROM person WHERE person_id <> {n})", 1),
    ("SELECT label, (SELECT sum(vip) FROM person WHERE person_id <> {n} + 0 * factor) FROM factor", 2),
    ("SELECT label FROM factor WHERE factor < (SELECT sum(height) FROM person WHERE person_id <> {n})", 2), (RULER + "(SELECT max(height) FROM person WHERE person_id IN ({n}, 201, 202, 203, 204))", 1)])
def test_a_sub_select_hides_nobody(gateway, shown, values):
    """A partner of rows is charged for whom it learns of, also where the figure stands in a sub-select."""
    gateway.cluster.script(gateway.database, "INSERT INTO s.factor VALUES ('a', 1), ('b', 2); "
                                             "INSERT INTO s.person SELECT n, 'Tall', NULL, 1, 0 FROM generate_series(201, 210) n")
    gateway.rows("rows.one", "SELECT sum(height), sum(vip) FROM person")
    assert len(gateway.rows("rows.one", shown.format(n=VICTIM))) == values
    assert VICTIM in told(gateway, "direct") | told(gateway, "witness")
    with pytest.raises(psycopg.Error) as cut:
        for n in range(1, 14):
            gateway.rows("rows.one", shown.format(n=n))
    assert cut.value.sqlstate == "53400", "twelve people a day"


ROWS = """
CREATE SCHEMA s;
CREATE TABLE s.person (person_id bigint PRIMARY KEY, town text, height integer, weight integer, vip integer NOT NULL);
CREATE TABLE s.visit (visit_id bigint PRIMARY KEY, person_id bigint REFERENCES s.person, nurse_id bigint, minutes integer NOT NULL);
CREATE TABLE s.nurse (nurse_id bigint PRIMARY KEY, ward text);
CREATE TABLE s.factor (label text PRIMARY KEY, factor integer);
CREATE TABLE s.gap (gap_id bigint PRIMARY KEY, person_id bigint NOT NULL, amount numeric);
CREATE TABLE s.two (a bigint, b bigint, person_id bigint NOT NULL, amount integer, PRIMARY KEY (a, b));
CREATE TABLE s.bare (person_id bigint NOT NULL, at timestamptz, amount numeric);
-- visits 1 to 40, 101 to 140, 201 to 240 are those of the people 1 to 40
INSERT INTO s.person SELECT n, 'Town ' || n % 2, 100 + n, 50, 0 FROM generate_series(1, 40) n;
INSERT INTO s.visit SELECT 100 * part + n, n, 1000 + n % 7, 10 * part + n FROM generate_series(1, 40) n, generate_series(0, 2) part;
INSERT INTO s.gap SELECT 100 * part + n, 1 + n % 40, CASE WHEN part = 0 THEN n END FROM generate_series(1, 40) n, generate_series(0, 1) part;
INSERT INTO s.two SELECT n, part, n, 100 * n + part FROM generate_series(1, 40) n, generate_series(1, 2) part;
INSERT INTO s.bare SELECT n, to_timestamp(86400 * day), n FROM generate_series(1, 40) n, generate_series(1, 3) day;
INSERT INTO s.factor VALUES ('one', 107), ('two', 107);
ANALYZE;
"""
WITH_BARE = """
  gap: {table: s.gap, subject: {kind: person, key: person_id}, columns: {gap_id: {}, person_id: {}, amount: {}}}
  two: {table: s.two, subject: {kind: person, key: person_id}, columns: {person_id: {}, a: {}, amount: {}}}
  bare: {table: s.bare, subject: {kind: person, key: person_id}, columns: {person_id: {}, at: {}, amount: {}}}
partners:"""
ALL = "SELECT sum(minutes) FROM visit"
BUT_ONE = "SELECT sum(minutes) FROM visit WHERE visit_id <> 107"  # whose person has two others


def rows_policy(policy):
    policy = policy.replace("\npartners:", WITH_BARE)
    return policy.replace("- {dataset: factor, columns: all}", "- {dataset: factor, columns: all}\n      - {dataset: bare, columns: all}\n      - {dataset: two, columns: all}\n      - {dataset: gap, columns: all}")


@pytest.fixture(scope="module")
def rows(make_module_gateway):
    """Nothing that is refused is given, so that these tests do not see each other's but for what the first asks for."""
    gateway = make_module_gateway(policy_yaml=rows_policy(STATISTICS), sql=ROWS)
    assert gateway.rows("stats.one", ALL) == [(3660,)]
    return gateway


@pytest.mark.parametrize("sql", [
    BUT_ONE,
    "SELECT avg(minutes) FROM visit WHERE visit_id <> 107",
    "SELECT count(*) FROM visit WHERE visit_id <> 107",
    "SELECT sum(minutes) FROM (SELECT * FROM visit WHERE visit_id <> 107) v",
    "WITH v AS (SELECT minutes AS m FROM visit WHERE visit_id <> 107) SELECT sum(m) FROM v",
    "SELECT sum(v.minutes) FROM visit v JOIN person p ON p.person_id = v.person_id WHERE v.visit_id <> 107",
    "SELECT sum(v.minutes), sum(p.height) FROM person p JOIN visit v ON p.person_id = v.person_id WHERE v.visit_id <> 107",
    # each row twice: half of it, less the first, is that visit's
    "SELECT sum(v.minutes) FROM visit v, factor f WHERE v.visit_id <> 107",
    # none is left out, and one counts twice
    "SELECT sum(v.minutes) FROM visit v LEFT JOIN factor f ON f.factor = v.visit_id",
    # all are there once, but one finds no row to be joined with
    "SELECT count(w.minutes) FROM visit v LEFT JOIN (SELECT * FROM visit WHERE visit_id <> 107) w ON w.visit_id = v.visit_id",
], ids=range(10))
def test_all_rows_of_a_person_but_one(rows, sql):
    assert refused(rows, sql)
    assert told(rows, "witness") == {7, 1000}, "that person and the nurse"


def test_two_groups_and_all_rows_but_one(rows):
    towns = "SELECT town, sum(minutes) FROM visit v JOIN person p ON p.person_id = v.person_id{} GROUP BY town ORDER BY town"
    assert len(rows.rows("stats.one", towns.format(""))) == 2
    assert refused(rows, towns.format(" WHERE v.visit_id <> 107"))
    assert rows.rows("stats.one", ALL) == [(3660,)]


def test_rows_of_enough_people(rows):
    """The same people, other rows: as the same dashboard of another month has."""
    assert rows.rows("stats.one", "SELECT sum(minutes) FROM visit WHERE visit_id < 100") == [(820,)]
    assert rows.rows("stats.one", "SELECT sum(minutes) FROM visit WHERE visit_id BETWEEN 100 AND 199") == [(1220,)]
    assert refused(rows, "SELECT sum(minutes) FROM visit WHERE visit_id < 100 OR visit_id = 107")
    assert rows.rows("stats.one", "SELECT count(*) FROM visit v, factor f") == [(240,)], "twice as much is nothing new"


def test_without_a_primary_key(rows):
    assert rows.rows("stats.one", "SELECT sum(amount) FROM bare") == [(2460,)]
    attack = "SELECT sum(amount) FROM bare WHERE amount <> 7 OR at > '1970-01-03'"
    assert refused(rows, attack)
    with rows.connect("stats.one") as connection:
        connection.execute("SET DateStyle = 'German'")
        connection.execute("SET TimeZone = 'Asia/Tokyo'")
        with pytest.raises(psycopg.Error, match="fewer than 5 people"):
            connection.execute(attack)


def test_a_primary_key_that_no_dataset_declares(rows):
    """Column b is granted to nobody; the gateway may read it, to tell rows apart."""
    assert rows.rows("stats.one", "SELECT sum(amount) FROM two") == [(164120,)] and refused(rows, "SELECT sum(amount) FROM two WHERE amount <> 701")


def test_rows_without_a_value_do_not_pad_the_difference(rows):
    """Six rows of six people are left out, of which five have no amount: each of these people has rows with one."""
    assert rows.rows("stats.one", "SELECT sum(amount) FROM gap") == [(820,)]
    assert refused(rows, "SELECT sum(amount) FROM gap WHERE gap_id NOT IN (7, 101, 102, 103, 104, 105)")


def test_rows_follow_from_the_ledger(make_gateway):
    gateway = make_gateway(policy_yaml=rows_policy(CHARGED), sql=ROWS)
    assert gateway.rows("stats.one", ALL) == [(3660,)]
    gateway.kill9()
    gateway.start()
    assert gateway.rows("stats.one", BUT_ONE) == [(3643,)]
    assert told(gateway, "direct") == {7, 1000}, "charged instead"
    gateway.kill9()
    gateway.start()
    assert gateway.rows("stats.one", BUT_ONE) == [(3643,)] and gateway.rows("stats.one", ALL) == [(3660,)]
    used = gateway.admin("SHOW BUDGET PARTNER 'stats'")
    assert [row["used"] for row in used if (row["limit"], row["window"]) == ("subjects", "day")] == ["2"], "once, and then free"
