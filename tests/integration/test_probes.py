"""Who names a subject key learns of its absence, too: what does not come back is in the ledger, counted, and bounded."""
import time

import psycopg
import pytest

from harness import shop
from harness.rawclient import RawClient
from harness.recorded import last

UNBOUND = shop.POLICY.replace("rows_per_statement: 1000000}", "rows_per_statement: 1000000, probes_per_day: 100000}", 1)
BOUND = UNBOUND.replace("probes_per_day: 100000", "probes_per_day: 5")
WRITES = UNBOUND.replace("item: clear, pence: clear}}", "item: clear, pence: clear}, write: {update: [item]}}", 1)


@pytest.fixture(scope="module")
def gateway(make_module_gateway):
    return make_module_gateway(policy_yaml=UNBOUND)


def told(gateway, after, grade="probe"):
    """Each key once an entry."""
    return sorted(int(row["subject"]) for row in gateway.admin(f"SHOW DISCLOSED AFTER {after}") if row["grade"] == grade)


def asked(gateway, sql, parameters=None):
    """(keys that were recorded as asked about, keys as disclosed)."""
    before = last(gateway)
    gateway.rows("acme.cert", sql, parameters)
    return told(gateway, before), told(gateway, before, "direct")


def until_abandoned(gateway, after):
    """No answer waits for the end of what a client gave up: the ledger has it a moment later."""
    deadline = time.monotonic() + 5
    while "abandoned" not in [entry["outcome"] for entry in gateway.admin(f"SHOW LEDGER AFTER {after}")]:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def used(gateway):
    return next(int(row[1]) for row in gateway.rows("acme.cert", "SHOW cofferdam.budget") if row[0] == "probes")


# Multiples of 4 live in Bath and are hidden; above 200 there is nobody.
@pytest.mark.parametrize("where, probes, direct", [
    ("person_id = 7", [], [7]),
    ("person_id = 8", [8], []),
    ("9001 = person_id", [9001], []),
    ("person_id = -3", [-3], []),
    ("person_id = '9001'", [9001], []),
    ("person_id = ' 09001 '", [9001], []),
    ("person_id = '+9001'::int", [9001], []),
    ("person_id = 9001.0", [9001], []),
    ("person_id = 9000.5", [], []),
    ("person_id = 9000.5::int", [9001], []),
    ("person_id = NULL", [], []),
    ("person_id = 7 AND full_name = 'x'", [7], []),
    ("person_id IN (7, 8, 9001, 9001, NULL)", [8, 9001], [7]),
    ("person_id = ANY('{7,8,NULL,\"9001\"}')", [8, 9001], [7]),
    ("person_id = ANY(ARRAY[7, 8, 9001])", [8, 9001], [7]),
    ("person_id = ANY(ARRAY[7, 8]::int[])", [8], [7]),
    ("(person_id, town) = (9001, 'York')", [9001], []),
    ("(person_id, town) IN ((7, 'York'), (9, 'Bath'))", [9], [7]),
    ("person_id IS NOT DISTINCT FROM 9001", [9001], []),
    ("person_id = 7 OR person_id = 8", [8], [7]),
    ("person_id = 8 AND (full_name = 'x' OR person_id = 9001)", [8, 9001], []),
    # Not pinned: nothing is said of one key more than of the others.
    ("person_id > 9000", [], []),
    ("NOT (person_id = 8) AND person_id < 3", [], [1, 2]),
    ("person_id <> 8 AND person_id < 3", [], [1, 2]),
])
def test_conditions(gateway, where, probes, direct):
    assert asked(gateway, f"SELECT full_name FROM person WHERE {where}") == (probes, direct)


@pytest.mark.parametrize("sql, probes, direct", [
    ("SELECT item FROM purchase WHERE person_id = 9001", [9001], []),
    ("SELECT item FROM purchase WHERE person_id = 8 AND pence < 100", [], [8]),
    ("SELECT full_name FROM (SELECT person_id AS p, full_name FROM person) x WHERE p = 9001", [9001], []),
    ("WITH x AS (SELECT * FROM person) SELECT full_name FROM x WHERE person_id = 9001", [9001], []),
    ("SELECT p.full_name FROM person p JOIN purchase o ON o.person_id = p.person_id AND o.person_id = 9001", [9001], []),
    ("SELECT p.full_name FROM person p JOIN purchase o USING (person_id) WHERE person_id = 7 AND o.pence < 100", [], [7]),
    ("SELECT a.item FROM article a LEFT JOIN purchase o ON o.item = a.item AND o.person_id = 9001", [9001], []),
    ("SELECT count(*) FROM person WHERE person_id = 9001", [9001], []),
    ("SELECT 1 FROM person WHERE person_id = 7 UNION SELECT 2 FROM person WHERE person_id = 9001", [9001], [7]),
    ("SELECT maker FROM article WHERE EXISTS (SELECT 1 FROM purchase WHERE person_id = 9001)", [9001], []),
    ("SELECT maker FROM article WHERE item = '9001'", [], []),
])
def test_statements(gateway, sql, probes, direct):
    assert asked(gateway, sql) == (probes, direct)


def test_parameters(gateway):
    sql = "SELECT full_name FROM person WHERE person_id = %s"
    for value in (9001, "9001"):
        assert asked(gateway, sql, [value]) == ([9001], [])
    assert asked(gateway, sql, [7]) == ([], [7])
    assert asked(gateway, sql, [None]) == ([], [])
    for size, value in ((2, 9001), (4, 90001), (8, 9000000000)):
        assert asked(gateway, sql.replace("%s", "%b"), [value]) == ([value], []), size
    assert asked(gateway, sql.replace("%s", "%s::int"), ["9001"]) == ([9001], [])
    several = "SELECT full_name FROM person WHERE person_id = ANY(%s)"
    assert asked(gateway, several, [[7, 8, None, 9001]]) == ([8, 9001], [7])
    assert asked(gateway, several.replace("%s", "%b"), [[7, 8, None, 9001]]) == ([8, 9001], [7])
    assert asked(gateway, several, ["{7, 8,9001}"]) == ([8, 9001], [7])
    assert asked(gateway, several, [[]]) == ([], [])


def test_a_binary_parameter_of_open_type(gateway):
    client = RawClient(gateway, "acme.cert")
    before = last(gateway)
    sql = "SELECT full_name FROM person WHERE person_id = $1"
    body = b"\0\0" + b"\0\1\0\1" + b"\0\1" + (8).to_bytes(4, "big") + (9001).to_bytes(8, "big") + b"\0\0"
    client.send(client.parse(sql), client.message(b"B", body), client.execute(), client.SYNC)
    client.until_ready()
    client.close()
    assert told(gateway, before) == [9001]


def test_a_binary_form_that_cannot_be_read_is_refused(gateway):
    with gateway.connect("acme.cert") as connection:
        with pytest.raises(psycopg.Error) as caught:
            connection.execute("SELECT full_name FROM person WHERE person_id = %b", [9001.0])
    assert caught.value.sqlstate == "0A000"


def test_prepared_in_sql_and_cursors(gateway):
    with gateway.connect("acme.cert") as connection:
        before = last(gateway)
        connection.execute("PREPARE one AS SELECT full_name FROM person WHERE person_id = $1")
        connection.execute("EXECUTE one(7)")
        assert told(gateway, before) == []
        connection.execute("EXECUTE one(9001)")
        assert told(gateway, before) == [9001]
        connection.execute("BEGIN")
        before = last(gateway)
        connection.execute("DECLARE found CURSOR FOR SELECT full_name FROM person WHERE person_id IN (7, 8, 9001)")
        connection.execute("FETCH 1 FROM found")
        assert told(gateway, before) == []
        connection.execute("FETCH ALL FROM found")
        assert told(gateway, before) == [8, 9001]
        connection.execute("COMMIT")


def test_copy(gateway):
    with gateway.connect("acme.cert") as connection:
        before = last(gateway)
        with connection.cursor().copy("COPY (SELECT full_name FROM person WHERE person_id IN (7, 9001)) TO STDOUT") as copy:
            assert len(list(copy)) == 1
    assert told(gateway, before) == [9001]


def test_an_error_upstream_is_an_answer_too(gateway):
    with gateway.connect("acme.cert") as connection:
        before = last(gateway)
        with pytest.raises(psycopg.errors.DivisionByZero):
            connection.execute("SELECT 1 / (person_id - 7) FROM person WHERE person_id IN (7, 9001)")
    assert told(gateway, before) == [7, 9001]


def test_too_many_keys(gateway):
    sql = "SELECT full_name FROM person WHERE person_id = ANY(%s)"
    assert len(asked(gateway, sql, [list(range(10000, 20000))])[0]) == 10000
    with gateway.connect("acme.cert") as connection:
        with pytest.raises(psycopg.Error) as caught:
            connection.execute(sql, [list(range(10001))])
    assert caught.value.sqlstate == "54000"


def test_writes(make_gateway):
    gateway = make_gateway(policy_yaml=WRITES)
    assert asked(gateway, "UPDATE purchase SET item = 'item 1' WHERE person_id = 7 RETURNING 1")[0] == []
    assert asked(gateway, "UPDATE purchase SET item = 'item 1' WHERE person_id = 9001 RETURNING 1")[0] == [9001]
    assert used(gateway) == 1


def test_the_budget_counts_misses_alone(make_gateway):
    gateway = make_gateway(policy_yaml=BOUND)
    find = "SELECT full_name FROM person WHERE person_id = %s"
    with gateway.connect("acme.cert") as connection:
        for key in range(1, 100):
            assert key % 4 == 0 or connection.execute(find, [key]).fetchall() == [(f"Person {key}",)]
    assert used(gateway) == 0
    for key in range(9001, 9004):
        gateway.rows("acme.cert", find, [key])
    assert used(gateway) == 3
    # More than is left: neither the rows nor the end are told; that it was asked is recorded.
    before = last(gateway)
    assert gateway.refused("acme.cert", "SELECT full_name FROM person WHERE person_id IN (7, 9004, 9005, 9006)")[0] == "53400"
    assert (told(gateway, before), told(gateway, before, "direct")) == ([7, 9004, 9005, 9006], [])
    assert used(gateway) == 7
    assert gateway.refused("acme.cert", find, [7])[0] == "53400"
    gateway.restart()
    assert used(gateway) == 7
    assert gateway.refused("acme.cert", find, [7])[0] == "53400"


def test_at_the_bound_nothing_that_names_a_key_goes_upstream(make_gateway):
    gateway = make_gateway(policy_yaml=BOUND)
    find = "SELECT full_name FROM person WHERE person_id = ANY(%s)"
    assert gateway.rows("acme.cert", find, [list(range(9001, 9006))]) == []
    before = last(gateway)
    assert gateway.refused("acme.cert", find, [[7]])[0] == "53400"
    assert gateway.refused("acme.cert", "SELECT full_name FROM person WHERE person_id = 7")[0] == "53400"
    assert gateway.admin(f"SHOW DISCLOSED AFTER {before}") == []
    assert gateway.rows("acme.cert", "SELECT count(*) FROM article") == [(7,)]
    assert len(gateway.rows("acme.cert", "SELECT full_name FROM person WHERE person_id < 8")) == 6
    assert gateway.rows("acme.cert", find, [[]]) == []


def test_what_is_given_up_is_recorded(gateway):
    """Who reads a part only may know the rest: it counts."""
    with gateway.connect("acme.cert") as connection:
        before = last(gateway)
        connection.execute("BEGIN")
        connection.execute("DECLARE found CURSOR FOR SELECT full_name FROM person WHERE person_id IN (7, 9, 9001) ORDER BY person_id")
        assert connection.execute("FETCH 1 FROM found").fetchall() == [("Person 7",)]
        connection.execute("ROLLBACK")
    until_abandoned(gateway, before)
    assert (told(gateway, before), told(gateway, before, "direct")) == ([9, 9001], [7])
