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
