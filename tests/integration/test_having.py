"""That a statistic is left out by HAVING is told of its people as the figure would be: they are in the ledger, and held against others."""
import psycopg
import pytest

from test_statistics import POLICY
from test_trackers import ROWS, refused

SQL = ROWS + "INSERT INTO s.person SELECT n, 'Small ' || n, 100 + n, 50, 0 FROM generate_series(41, 60) n;"
LARGE = "SELECT town, sum(height) FROM person GROUP BY town HAVING sum(height) {} ORDER BY town"


@pytest.fixture(scope="module")
def gateway(make_module_gateway):
    return make_module_gateway(policy_yaml=POLICY, sql=SQL)


def asked(gateway, partner, sql, parameters=None):
    """The rows, and whom the ledger holds of it, by grade."""
    after = gateway.admin("SHOW LEDGER LAST 1")[-1]["sequence"]
    rows = gateway.rows(partner, sql, parameters)
    told = {}
    for row in gateway.admin(f"SHOW DISCLOSED AFTER {after}"):
        told.setdefault(row["grade"], set()).add(int(row["subject"]))
    return rows, told


def test_groups_that_are_left_out_are_in_the_ledger(gateway):
    rows, told = asked(gateway, "stats.one", LARGE.format("> 1000000"))
    assert rows == [] and told == {"aggregate": set(range(1, 41))}, "those of small groups are told nothing about either way"
    rows, told = asked(gateway, "stats.one", LARGE.format("> 2410"))
    assert rows == [("Town 0", 2420)] and told == {"aggregate": set(range(1, 41))}


def test_limits_count_what_is_sent(gateway):
    towns = "SELECT town FROM person GROUP BY town HAVING sum(height) > 2410 ORDER BY {} LIMIT 1 OFFSET {}"
    assert gateway.rows("stats.one", towns.format("town DESC", 0)) == [("Town 0",)]
    assert gateway.rows("stats.one", towns.format("sum(height)", 0)) == [("Town 0",)]
    assert gateway.rows("stats.one", towns.format("town", 1)) == []


@pytest.mark.parametrize("having", ["sum(height) < 1", "sum(height) > 1", "count(*) = 0", "NOT sum(height) < 170 OR town = ''", "sum(height) IS NULL"])
def test_scanning_meets_the_tracker_at_its_first_step(gateway, having):
    """Nothing of it is ever shown: each step told whether the sum without that person is less."""
    assert len(gateway.rows("stats.one", "SELECT town, sum(height) FROM person WHERE town = 'Town 0' GROUP BY town")) == 1
    assert refused(gateway, f"SELECT 1 FROM person WHERE town = 'Town 0' AND person_id <> 8 GROUP BY town HAVING {having}")


def test_scanning_charges_partners_of_rows(gateway):
    gateway.rows("rows.one", "SELECT town, sum(height) FROM person WHERE town = 'Town 0' GROUP BY town")
    rows, told = asked(gateway, "rows.one", "SELECT 1 FROM person WHERE town = 'Town 0' AND person_id <> 8 GROUP BY town HAVING sum(height) < 1")
    assert rows == [] and told["direct"] == {8}


def test_what_having_keeps_from_failing(gateway):
    assert gateway.rows("rows.one", "SELECT town, 100 / (count(*) - 1) FROM person GROUP BY town HAVING count(*) > 1 ORDER BY 1") == [("Town 0", 5), ("Town 1", 5)]
    assert gateway.rows("rows.one", "SELECT town FROM person GROUP BY town HAVING count(*) > 1 ORDER BY 100 / (count(*) - 1), town") == [("Town 0",), ("Town 1",)]


def test_small_groups_that_are_left_out_are_told_of_together(gateway):
    rows, told = asked(gateway, "rows.one", "SELECT town FROM person GROUP BY town HAVING count(*) > 1 ORDER BY 1")
    assert rows == [("Town 0",), ("Town 1",)]
    assert told == {"aggregate": set(range(1, 41)), "influence": set(range(41, 61))}
    rows, told = asked(gateway, "rows.one", "SELECT 1 FROM person WHERE person_id = 50 GROUP BY town HAVING sum(height) < 1")
    assert rows == [] and told["influence"] == {50}
    used = [row["used"] for row in gateway.admin("SHOW BUDGET PARTNER 'rows'") if (row["limit"], row["window"]) == ("subjects", "day")]
    assert used == ["2"], "that one, as of one person; the twenty of small towns are no charge"


def test_a_limit_that_is_a_parameter(gateway):
    few = "SELECT town FROM person WHERE person_id IN (1, 50) GROUP BY town HAVING sum(height) < 140 ORDER BY town LIMIT %s"
    rows, told = asked(gateway, "rows.one", few, (1,))
    assert rows == [("Town 1",)] and told["influence"] == set(range(1, 61)), "PostgreSQL limits: all who could change which come once"


def test_fetching_by_count(gateway):
    with gateway.connect("rows.one") as connection:
        connection.execute("BEGIN")
        connection.execute("DECLARE c CURSOR FOR SELECT town FROM person GROUP BY town HAVING count(*) > 1 ORDER BY 1")
        with pytest.raises(psycopg.Error) as cut:
            connection.execute("FETCH 1 FROM c")
        assert cut.value.diag.message_hint
        connection.rollback()
        connection.execute("BEGIN")
        connection.execute("DECLARE c CURSOR FOR SELECT town FROM person GROUP BY town HAVING count(*) > 1 ORDER BY 1")
        assert connection.execute("FETCH ALL FROM c").fetchall() == [("Town 0",), ("Town 1",)]


def test_scanning_by_what_comes_first(gateway):
    """All of Town 1, and all but one, as groups of one statement: the one that is not sent is compared too."""
    gateway.cluster.script(gateway.database, "INSERT INTO s.factor SELECT 'all ' || n, n FROM generate_series(1, 39, 2) n; "
                                             "INSERT INTO s.factor SELECT 'but ' || n, n FROM generate_series(1, 39, 2) n WHERE n <> 7")
    assert gateway.rows("stats.one", "SELECT sum(height) FROM person WHERE town = 'Town 1'") == [(2400,)]
    assert refused(gateway, "SELECT left(label, 3) AS g FROM person p JOIN factor f ON f.factor = p.person_id GROUP BY g ORDER BY sum(height) > 2300 DESC, g LIMIT 1")
