"""Several statements in one query behave as PostgreSQL's do; DISCARD and RESET give a session back as it began."""
import pytest

from harness import shop
from harness.rawclient import RawClient, errors, kinds, rows, states, status, tags
from harness.recorded import last, told


@pytest.fixture(scope="module")
def gateway(make_module_gateway):
    return make_module_gateway()


@pytest.fixture
def client(gateway):
    client = RawClient(gateway, "acme.cert")
    yield client
    client.close()


@pytest.mark.parametrize("sql, expected, count", [
    ("SELECT 1; SELECT 2", "TDCTDCZ", 2),
    ("SELECT 1;; ; SELECT 2;", "TDCTDCZ", 2),
    (";;", "IZ", 0),
    ("SELECT ';'; -- a; b\nSELECT E'\\';' /* ; */; SELECT $$;$$", "TDCTDCTDCZ", 3),
    ("SELECT 1; SHOW cofferdam.partner; SET search_path TO public; SHOW TimeZone", "TDCTDCCTDCZ", 3),
    ("PREPARE a AS SELECT 5; EXECUTE a; DEALLOCATE a", "CTDCCZ", 1),
    ("BEGIN; DECLARE c CURSOR FOR SELECT 1; FETCH c; CLOSE c; COMMIT", "CCTDCCCZ", 1),
    ("SELECT 1 AS a; COPY (SELECT 2) TO STDOUT; SELECT 3", "TDCHdcCTDCZ", 2),
])
def test_each_is_answered(client, sql, expected, count):
    messages = client.query(sql)
    assert (kinds(messages), len(rows(messages)), status(messages)) == (expected, count, "I")


def test_each_is_recorded(gateway, client):
    before = last(gateway)
    client.query("SELECT full_name FROM person WHERE person_id = 1; SELECT full_name FROM person WHERE person_id = 2; SELECT town FROM person WHERE person_id = 3")
    assert told(gateway, before) == {1, 2, 3}
    entries = [entry for entry in gateway.admin(f"SHOW LEDGER AFTER {before}") if entry["type"] == "disclosure"]
    assert [entry["outcome"] for entry in entries] == ["complete"] * 3


@pytest.mark.parametrize("bad, state", [("SELECT 1 / 0", "22012"), ("SELECT secret FROM person", "42703"), ("INSERT INTO person VALUES (1)", "42501"), ("FETCH nobody", "34000")])
def test_an_error_ends_the_rest(gateway, client, bad, state):
    before = last(gateway)
    messages = client.query(f"SELECT person_id FROM person WHERE person_id = 1; {bad}; SELECT person_id FROM person WHERE person_id = 2")
    assert (states(messages), rows(messages), status(messages)) == ([state], [[b"1"]], "I")
    assert told(gateway, before) == {1}
    assert rows(client.query("SELECT 1")) == [[b"1"]]
    messages = client.query(f"BEGIN; {bad}; SELECT 1; COMMIT")
    assert (states(messages), tags(messages), status(messages)) == ([state], ["BEGIN"], "E")
    assert states(client.query("SELECT 1")) == ["25P02"]
    assert tags(client.query("COMMIT")) == ["ROLLBACK"]


def test_a_syntax_error_anywhere_stops_all(gateway, client):
    before = last(gateway)
    messages = client.query("SELECT full_name FROM person WHERE person_id = 1; SELEC 2")
    assert (kinds(messages), states(messages)) == ("EZ", ["42601"])
    assert told(gateway, before) == set()


def test_transactions_within(client):
    assert status(client.query("SELECT 1; BEGIN; SELECT 2")) == "T"
    messages = client.query("SELECT 3; COMMIT; SELECT 4")
    assert (tags(messages), status(messages)) == (["SELECT 1", "COMMIT", "SELECT 1"], "I")
    assert tags(client.query("BEGIN; SELECT 1; ROLLBACK; BEGIN; COMMIT")) == ["BEGIN", "SELECT 1", "ROLLBACK", "BEGIN", "COMMIT"]


def test_settings_take_effect_for_the_next(client):
    messages = client.query("SET DateStyle TO German; SELECT born FROM person WHERE person_id = 1; RESET DateStyle; SELECT born FROM person WHERE person_id = 1")
    assert rows(messages) == [[b"11.04.1950"], [b"1950-04-11"]]
    messages = client.query("BEGIN; SET LOCAL DateStyle TO German; SELECT born FROM person WHERE person_id = 1; COMMIT; SELECT born FROM person WHERE person_id = 1")
    assert rows(messages) == [[b"11.04.1950"], [b"1950-04-11"]]


def test_a_prepared_statement_holds_one(client):
    assert states(client.extended("SELECT 1; SELECT 2")) == ["0A000"]


def test_there_is_a_bound(client):
    assert kinds(client.query("SELECT 1;" * 100)) == "TDC" * 100 + "Z"
    assert states(client.query("SELECT 1;" * 101)) == ["54000"]


def test_drivers(gateway):
    with gateway.connect("acme.cert") as connection:
        cursor = connection.execute("SELECT 1; SELECT 2")
        assert cursor.fetchall() == [(1,)] and cursor.nextset() and cursor.fetchall() == [(2,)]
    assert gateway.psql("acme.cert", "SELECT 1; SELECT 2").stdout == "1\n2\n"


# ---- giving a session back ----

def test_discard_all(gateway):
    client = RawClient(gateway, "acme.cert", settings=[("options", "-c DateStyle=German"), ("TimeZone", "Asia/Tokyo")])
    client.query("SET DateStyle TO SQL; SET extra_float_digits TO 0; PREPARE p AS SELECT 1; DECLARE c CURSOR WITH HOLD FOR SELECT 1")
    client.send(client.parse("SELECT 2", name="q"), client.SYNC)
    client.until_ready()
    for again in range(4):
        assert (tags(client.query("DISCARD ALL")), again) == (["DISCARD ALL"], again)
    assert rows(client.query("SHOW DateStyle"))[0][0].startswith(b"German")
    assert rows(client.query("SHOW TimeZone")) == [[b"Asia/Tokyo"]]
    assert rows(client.query("SHOW extra_float_digits")) == [[b"1"]]
    for gone, state in (("EXECUTE p", "26000"), ("FETCH c", "34000"), ("EXECUTE q", "26000")):
        assert states(client.query(gone)) == [state]
    assert kinds(client.extended("SELECT 1")) == "1tT2TDCZ"
    assert kinds(client.extended("DISCARD ALL")) == "1tn2nCZ"
    assert rows(client.query("SHOW DateStyle"))[0][0].startswith(b"German")
    client.close()


def test_discard_all_in_a_transaction(client):
    client.query("PREPARE p AS SELECT 1; BEGIN")
    assert states(client.query("DISCARD ALL")) == ["25001"]
    client.query("ROLLBACK")
    assert rows(client.query("EXECUTE p")) == [[b"1"]]


def test_the_database_keeps_our_settings(gateway, client):
    """What pins the meaning of a planned text is what RESET goes back to."""
    client.query("SET statement_timeout TO 1000; RESET ALL; DISCARD ALL")
    assert rows(client.query("SHOW statement_timeout")) == [[b"10min"]]
    assert states(client.query("SET default_transaction_read_only TO off")) == ["42501"]
    assert rows(client.query("SHOW default_transaction_read_only")) == [[b"on"]]


@pytest.mark.parametrize("sql, tag", [
    ("RESET ALL", "RESET"), ("RESET TimeZone", "RESET"), ("SET TimeZone TO DEFAULT", "SET"), ("DISCARD PLANS", "DISCARD PLANS"), ("DISCARD SEQUENCES", "DISCARD SEQUENCES"), ("DISCARD TEMP", "DISCARD TEMP"),
    ("CLOSE ALL", "CLOSE CURSOR ALL"), ("UNLISTEN *", "UNLISTEN"), ("DEALLOCATE ALL", "DEALLOCATE ALL"), ("SET SESSION AUTHORIZATION DEFAULT", "SET"), ("RESET SESSION AUTHORIZATION", "RESET"),
])
def test_what_poolers_send(gateway, sql, tag):
    client = RawClient(gateway, "acme.cert", settings=[("TimeZone", "Asia/Tokyo")])
    client.query("SET TimeZone TO 'Europe/Rome'")
    for ask in (client.query, client.extended):
        assert tags(ask(sql)) == [tag]
    zone = b"Asia/Tokyo" if "RESET ALL" in sql or "TimeZone" in sql else b"Europe/Rome"
    assert rows(client.query("SHOW TimeZone")) == [[zone]]
    client.close()


@pytest.mark.parametrize("sql", ["LISTEN a", "NOTIFY a", "SET SESSION AUTHORIZATION postgres", "SET ROLE postgres", "SET LOCAL ROLE postgres", "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE"])
def test_refused(gateway, sql):
    state, message, hint = gateway.refused("acme.cert", sql)
    assert state == "42501" and message and hint


def test_limits(make_gateway):
    gateway = make_gateway(config={"limits": {"relations": 2, "targets": 3}})
    client = RawClient(gateway, "acme.cert")
    assert states(client.query("SELECT count(*) FROM person a, person b")) == []
    messages = client.query("SELECT count(*) FROM person a, person b, article c")
    assert states(messages) == ["54000"] and "datasets" in errors(messages)[0]["M"]
    assert states(client.query("SELECT 1, 2, 3")) == []
    assert states(client.query("SELECT 1, 2, 3, 4")) == ["54011"]
    assert states(client.query("SELECT * FROM person")) == ["54011"]
    client.close()


def test_a_budget_in_the_middle(make_gateway):
    gateway = make_gateway(policy_yaml=shop.POLICY.replace("per_day: 100000", "per_day: 2", 1))
    client = RawClient(gateway, "acme.cert")
    messages = client.query("SELECT person_id FROM person WHERE person_id < 6 ORDER BY 1; SELECT item FROM article")
    assert (rows(messages), states(messages)) == ([[b"1"], [b"2"]], ["53400"])
    assert told(gateway, -1) == {1, 2}
    client.close()


# ---- among writes ----

WRITING = shop.POLICY.replace("rows_per_statement: 1000000", "rows_per_statement: 20", 1).replace("      - {dataset: article, columns: all}", "      - {dataset: article, columns: all, write: {insert: [item, maker]}}")


@pytest.fixture
def writing(make_gateway, cluster):
    """Agent and gateway where articles may be written, in a database of its own."""
    gateway = make_gateway(policy_yaml=WRITING, database=cluster.create_database(sql=shop.SQL))
    client = RawClient(gateway, "acme.cert")
    yield gateway, client
    client.close()


def made(gateway):
    return [item for (item,) in gateway.cluster.rows("SELECT item FROM shop.article WHERE maker = 'new' ORDER BY 1", gateway.database)]


def test_writes_of_one_query_stand_or_fall_together(writing):
    gateway, client = writing
    add = "INSERT INTO article (item, maker) VALUES ('{}', 'new')"
    for sql, state, stands in (
            (f"{add.format('0')}; SELECT item FROM purchase WHERE purchase_id < 30", ["53400"], []),
            (f"BEGIN; {add.format('1')}; SELECT item FROM purchase WHERE purchase_id < 30; COMMIT", ["53400"], []),
            (f"{add.format('a')}; {add.format('b')}", [], ["a", "b"]),
            (f"{add.format('c')}; SELECT 1 / 0", ["22012"], []),
            (f"{add.format('d')}; {add.format('d')}", ["23505"], []),
            (f"{add.format('e')}; SELECT secret FROM person", ["42703"], []),
            (f"BEGIN; {add.format('f')}; COMMIT; SELECT 1 / 0", ["22012"], ["f"]),
            (f"BEGIN; {add.format('g')}; ROLLBACK; {add.format('h')}", [], ["h"]),
            (f"PREPARE p AS INSERT INTO article (item, maker) VALUES ($1, 'new'); EXECUTE p('i'); EXECUTE p('j')", [], ["i", "j"])):
        before = made(gateway)
        messages = client.query(sql)
        assert states(messages) == state, sql
        if status(messages) != "I":
            assert (status(messages), tags(client.query("COMMIT"))) == ("E", ["ROLLBACK"]), sql
        assert [item for item in made(gateway) if item not in before] == stands, sql


def test_an_error_of_ours_undoes_what_was_written_before_it(writing):
    """Whether the messages come at once or one by one: the client is told of an error, so nothing stands."""
    gateway, client = writing
    add, much = "INSERT INTO article (item, maker) VALUES ('z', 'new')", "SELECT item FROM purchase WHERE purchase_id < 30"

    def sent(*statements):
        client.send(*(part for sql in statements for part in (client.parse(sql), client.bind(), client.execute())), client.SYNC)
        return client.until_ready()

    messages = sent(add, much)
    assert (states(messages), status(messages), made(gateway)) == (["53400"], "I", [])
    messages = sent("BEGIN", add, much, "COMMIT")
    assert (states(messages), status(messages), made(gateway)) == (["53400"], "E", [])
    client.query("ROLLBACK")
    client.query("BEGIN")
    client.query(add)
    messages = client.query(much)
    assert (states(messages), status(messages)) == (["53400"], "E")
    assert (tags(client.query("COMMIT")), made(gateway)) == (["ROLLBACK"], [])
    messages = sent("BEGIN", add, "SELECT 1", "COMMIT")
    assert (states(messages), status(messages), made(gateway)) == ([], "I", ["z"])
