"""What a partner may not do is refused by its name, with what to write instead, and the session goes on."""
import psycopg
import pytest

from harness.rawclient import RawClient

NAMES = "42P01 42703 42702 42712 42P10"  # SQLSTATEs of names that do not mean anything here
# what -> (statement, SQLSTATEs, a word of the reason)
STATEMENTS = {
    "insert": ("INSERT INTO person (full_name) VALUES ('x')", "42501", "INSERT"), "update": ("UPDATE person SET full_name = 'x'", "42501", "UPDATE"),
    "delete": ("DELETE FROM person", "42501", "DELETE"), "truncate": ("TRUNCATE person", "42501", "TRUNCATE"),
    "merge": ("MERGE INTO person p USING article a ON true WHEN MATCHED THEN DELETE", "42501", "MERGE"),
    "copy from": ("COPY person (person_id) FROM STDIN", "42501", "INSERT"), "copy program": ("COPY person TO PROGRAM 'cat'", "42501", "COPY"),
    "create": ("CREATE TABLE x (a int)", "42501", "CREATE"), "create as": ("CREATE TABLE x AS SELECT 1", "42501", "CREATE"), "temporary": ("CREATE TEMP TABLE x (a int)", "42501", "CREATE"),
    "view": ("CREATE VIEW x AS SELECT 1", "42501", "CREATE VIEW"), "function": ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "42501", "not allowed"),
    "drop": ("DROP TABLE person", "42501", "DROP"), "alter": ("ALTER TABLE person ADD x int", "42501", "ALTER"), "role": ("ALTER ROLE postgres SUPERUSER", "42501", "not allowed"),
    "grant": ("GRANT SELECT ON person TO PUBLIC", "42501", "GRANT"), "explain": ("EXPLAIN SELECT 1", "42501", "EXPLAIN"), "explain analyze": ("EXPLAIN ANALYZE SELECT * FROM person", "42501", "EXPLAIN"),
    "prepare": ("PREPARE p AS DELETE FROM person", "42501", "DELETE"), "declare": ("DECLARE c SCROLL CURSOR FOR SELECT 1", "0A000", "go back"), "fetch": ("FETCH BACKWARD 1 FROM c", "0A000", "forward"),
    "listen": ("LISTEN a", "42501", "LISTEN"), "notify": ("NOTIFY a", "42501", "NOTIFY"), "do": ("DO 'BEGIN END'", "42501", "DO"),
    "call": ("CALL f()", "42501", "CALL"), "lock": ("LOCK TABLE person", "42501", "LOCK"), "vacuum": ("VACUUM", "42501", "VACUUM"), "analyze": ("ANALYZE person", "42501", "ANALYZE"), "checkpoint": ("CHECKPOINT", "42501", "not allowed"),
    "two-phase": ("PREPARE TRANSACTION 'x'", "0A000", "two-phase"), "chain": ("COMMIT AND CHAIN", "0A000", "CHAIN"),
    "read write": ("BEGIN READ WRITE", "42501", "written"), "comment": ("COMMENT ON TABLE person IS 'x'", "42501", "not allowed"), "security label": ("SECURITY LABEL ON TABLE person IS 'x'", "42501", "not allowed"),
    "import": ("IMPORT FOREIGN SCHEMA a FROM SERVER b INTO c", "42501", "not allowed"), "load": ("LOAD 'x'", "42501", "not allowed"), "reindex": ("REINDEX TABLE person", "42501", "not allowed"),
}
CLAUSES = {
    "into": ("SELECT 1 INTO x", "INTO"),
    "for update": ("SELECT * FROM person FOR UPDATE", "FOR UPDATE"), "for share": ("SELECT * FROM person FOR KEY SHARE", "FOR SHARE"), "sample": ("SELECT * FROM person TABLESAMPLE SYSTEM (1)", "TABLESAMPLE"), "only": ("SELECT * FROM ONLY person", "ONLY"),
    "recursive union": ("WITH RECURSIVE r AS (SELECT 1 AS n UNION SELECT n + 1 FROM r WHERE n < 3) SELECT * FROM r", "recursive"), "recursive groups": ("WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r GROUP BY n) SELECT * FROM r", "recursive"),
    "recursive search": ("WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SEARCH DEPTH FIRST BY n SET o SELECT * FROM r", "SEARCH"), "with a change": ("WITH a AS (DELETE FROM person RETURNING 1) SELECT * FROM a", "only SELECT"),
    "sub-select in values": ("VALUES ((SELECT max(town) FROM person))", "VALUES"), "sub-select of a function": ("SELECT * FROM generate_series(1, (SELECT count(*) FROM person))", "function in FROM"), "xmltable": ("SELECT * FROM xmltable('/a' PASSING '<a/>' COLUMNS b text)", "FROM"),
    "aggregate of an outer query": ("SELECT (SELECT max(p.town)) FROM person p", "outer query"), "frame by column": ("SELECT sum(1) OVER (ORDER BY town ROWS length(town) PRECEDING) FROM person", "frame"), "distinct window": ("SELECT count(DISTINCT town) OVER () FROM person", "DISTINCT"),
    "field": ("SELECT (ROW(1, 2)).f1", "fields"), "set in where": ("SELECT 1 FROM person WHERE generate_series(1, 2) = 1", "set of rows"), "set in an aggregate": ("SELECT count(generate_series(1, 2)) FROM person", "set of rows"),
    "random below": ("SELECT * FROM (SELECT town FROM person ORDER BY random()) s", "disclosed"), "random where": ("SELECT town FROM person WHERE random() < 0.5", "disclosed"), "order using": ("SELECT town FROM person ORDER BY town USING <", "USING"), "limit by a column": ("SELECT town FROM person LIMIT length(town)", "LIMIT"), "limit by an outer column": ("SELECT (SELECT item FROM article LIMIT length(p.town)) FROM person p", "LIMIT"),
    "join of types": ("SELECT 1 FROM person JOIN (SELECT 1 AS town) AS x USING (town)", "types"), "xml": ("SELECT xmlelement(NAME a)", "XML"),
}
ACCESS = {
    "ungranted column": ("SELECT secret FROM person", "42703", "secret"), "unknown column": ("SELECT nonsense FROM person", "42703", "nonsense"), "qualified": ("SELECT person.secret FROM person", "42703", "secret"), "system column": ("SELECT ctid FROM person", "42703", "ctid"),
    "tableoid": ("SELECT tableoid FROM person", "42703", "tableoid"), "whole row": ("SELECT person FROM person", "42501", "whole row"), "whole row as argument": ("SELECT to_json(p) FROM person p", "42501", "whole row"), "whole row compared": ("SELECT 1 FROM person p WHERE p = p", "42501", "whole row"),
    "whole row is null": ("SELECT 1 FROM person p WHERE p IS NULL", "42501", "whole row"), "counted row": ("SELECT count(p) FROM person p", "42501", "whole row"), "unknown table": ("SELECT * FROM persons", "42P01", "persons"), "real table": ("SELECT * FROM shop.person", "42P01", "shop"),
    "other dataset": ("SELECT * FROM vault", "42P01", "vault"), "catalogue": ("SELECT * FROM pg_catalog.pg_authid", "42501", "pg_authid"), "catalogue unqualified": ("SELECT * FROM pg_authid", "42P01", "pg_authid"), "information schema": ("SELECT * FROM information_schema.sql_features", "42501", "sql_features"),
    "database": ("SELECT * FROM postgres.public.person", "0A000", "databases"), "ambiguous": ("SELECT item FROM purchase CROSS JOIN article", "42702", "ambiguous"), "twice": ("SELECT 1 FROM person CROSS JOIN person", "42712", "more than once"), "no entry": ("SELECT q.town FROM person p", "42P01", "\"q\""),
    "hidden by alias": ("SELECT person.town FROM person p", "42P01", "\"person\""), "ungrouped": ("SELECT town, count(*) FROM person", "42803", "GROUP BY"), "ordinal": ("SELECT town FROM person ORDER BY 3", "42P10", "position 3"), "aggregate in where": ("SELECT 1 FROM person WHERE count(*) > 1", "42803", "not allowed"),
    "nested aggregate": ("SELECT sum(count(*)) FROM person", "42803", "not allowed"), "regclass": ("SELECT item::regclass FROM article", "42501", "regclass"), "field of a dataset": ("SELECT (p).town FROM person p", "42501", "whole row"), "own collation": ("SELECT town COLLATE public.\"x\" FROM person", "42501", "collation"), "long": ("SELECT repeat(town, 100000) FROM person", "42501", "not bounded"), "long by row": ("SELECT lpad(town, length(town)) FROM person", "42501", "not bounded"), "long format": ("SELECT format('%1000s', town) FROM person", "42501", "not bounded"), "xml type": ("SELECT '<a/>'::xml", "42501", "xml"),
    "own operator": ("SELECT 1 OPERATOR(public.=) 1", "42501", "operator"), "range operator": ("SELECT town @@ town FROM person", "42501", "operator"), "own type": ("SELECT 1::public.x", "42501", "x"),
}
FUNCTIONS = """pg_sleep(1) pg_read_file('/etc/passwd') pg_ls_dir('.') lo_import('x') set_config('a.b','c',false) query_to_xml('x',true,true,'')
    dblink('','') pg_advisory_lock(1) pg_backend_pid() txid_current() nextval('x') pg_terminate_backend(1) inet_server_addr() current_query()
    clock_timestamp() pg_typeof(1) public.length('a')
    shop.length('a') currval('x') pg_notify('a','b') cursor_to_xml('a',1,true,true,'') pg_stat_file('x') version(1) setseed(0) loread(1,1)
    database_to_xml(true,true,'') row_to_json(1) json_populate_record(1,'{}') pg_cancel_backend(1) pg_reload_conf() pg_logical_emit_message(true,'a','b') ts_stat('x') binary_upgrade()""".split()
SETTINGS = ["search_path TO shop", "session_authorization TO postgres", "role TO postgres", "row_security TO off", "default_transaction_read_only TO off", "transaction_read_only TO off", "statement_timeout TO 0",
            "standard_conforming_strings TO off", "client_encoding TO 'LATIN1'", "log_statement TO 'all'", "enable_seqscan TO off", "cofferdam.partner TO 'rival'", "plpgsql.x TO 1", "local_preload_libraries TO 'x'", "lc_messages TO 'C'"]
LIMITS = {
    "text": ("SELECT '" + "x" * 70000 + "'", "54000 54001"), "depth": ("SELECT " + "(" * 400 + "1" + ")" * 400 + " + 1", "54000 54001"), "operators": ("SELECT " + "- " * 3000 + "x FROM (SELECT 1 AS x) s", "54000 54001"), "sum": ("SELECT " + "1+" * 6000 + "1", "54000 54001"),
    "relations": ("SELECT 1 FROM " + ", ".join(f"article a{n}" for n in range(70)), "54000"), "targets": ("SELECT " + ", ".join(["item"] * 600) + " FROM article", "54011"), "parameters": ("SELECT $1001", "54000"), "no parameter": ("SELECT $0", "42P02"),
    "sub-selects": ("SELECT 1 FROM " + "(SELECT 1 FROM " * 300 + "article" + ") s" * 300, "54000 54001"), "and": ("SELECT 1 WHERE " + "NOT " * 3000 + "true", "54000 54001"),
}


def told(gateway, sql):
    state, message, hint = gateway.refused("acme.cert", sql)
    assert message and "shop." not in message + str(hint), (state, message, hint)
    return state, message, hint


@pytest.mark.parametrize("what", STATEMENTS)
def test_statements(shop_gateway, what):
    sql, states, word = STATEMENTS[what]
    state, message, hint = told(shop_gateway, sql)
    assert state in states.split() and word in message and hint, (state, message, hint)


@pytest.mark.parametrize("what", CLAUSES)
def test_clauses(shop_gateway, what):
    sql, word = CLAUSES[what]
    state, message, hint = told(shop_gateway, sql)
    assert state in ("0A000", "42501", "42P10") and word in message and hint, (state, message, hint)


@pytest.mark.parametrize("what", ACCESS)
def test_names_and_types(shop_gateway, what):
    sql, states, word = ACCESS[what]
    state, message, hint = told(shop_gateway, sql)
    assert state in states.split() and word in message, (state, message, hint)
    assert hint or state in ("42P10", "42803"), (state, message, hint)


@pytest.mark.parametrize("call", FUNCTIONS)
def test_functions(shop_gateway, call):
    for sql in (f"SELECT {call}", f"SELECT 1 FROM person WHERE {call} IS NULL", f"SELECT town FROM person ORDER BY {call}"):
        state, message, hint = told(shop_gateway, sql)
        assert state in ("42501", "0A000") and hint, (state, message, hint)


@pytest.mark.parametrize("setting", SETTINGS)
def test_settings(shop_gateway, setting):
    for scope in ("", "LOCAL ", "SESSION "):
        state, message, hint = told(shop_gateway, f"SET {scope}{setting}")
        assert state == "42501" and hint, (state, message, hint)
    name = setting.split(" ")[0]
    if name in ("log_statement", "enable_seqscan", "row_security", "plpgsql.x", "lc_messages"):
        assert told(shop_gateway, f"SHOW {name}")[0] == "42501"


@pytest.mark.parametrize("what", LIMITS)
def test_limits(shop_gateway, what):
    sql, states = LIMITS[what]
    state, message, hint = shop_gateway.refused("acme.cert", sql)
    assert state in states.split() and message, (state, message, hint)


def test_a_hint_names_what_is_granted(shop_gateway):
    assert "person, purchase, article" in told(shop_gateway, "SELECT * FROM vault")[2]
    assert "full_name" in told(shop_gateway, "SELECT secret FROM person")[2]
    assert "lower" in told(shop_gateway, "SELECT lowr(town) FROM person")[2]


def test_a_refusal_in_a_transaction_fails_it_as_any_error_does(shop_gateway):
    with shop_gateway.connect("acme.cert", autocommit=False) as connection:
        connection.execute("SELECT 1")
        with pytest.raises(psycopg.Error) as refusal:
            connection.execute("SELECT secret FROM person")
        assert refusal.value.sqlstate == "42703"
        with pytest.raises(psycopg.errors.InFailedSqlTransaction):
            connection.execute("SELECT 1")
        connection.rollback()
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_savepoint_survives_a_refusal(shop_gateway):
    with shop_gateway.connect("acme.cert", autocommit=False) as connection:
        connection.execute("SAVEPOINT a")
        with pytest.raises(psycopg.Error):
            connection.execute("DELETE FROM person")
        connection.execute("ROLLBACK TO a")
        assert connection.execute("SELECT count(*) FROM article").fetchone() == (7,)


def test_the_extended_protocol_refuses_at_parse_and_goes_on_after_sync(shop_gateway):
    client = RawClient(shop_gateway, "acme.cert")
    messages = client.extended("SELECT secret FROM person")
    assert [kind for kind, _ in messages] == [b"E", b"Z"], messages
    assert [kind for kind, _ in client.extended("SELECT 1")][-2:] == [b"C", b"Z"]
    client.close()


def test_refusals_are_in_the_ledger_without_the_statement(shop_gateway):
    shop_gateway.refused("acme.cert", "SELECT 'a-literal-of-mine' FROM vault")
    entries = [entry for entry in shop_gateway.ledger(30) if entry["type"] == "refusal"]
    assert entries and "a-literal-of-mine" not in str(entries), entries
    assert "42P01" in str(entries[-1]), entries[-1]


@pytest.mark.parametrize("text", ["SELECT \x01", "SELECT '\\", "SELECT $$", "SELECT /* /*", "SELECT \"\"", "SELECT U&'\\+FFFFFF'", "SELECT 'a' UESCAPE 'x'", "\\copy person to 'x'", "SELECT 1 FROM", "SELECT E'\\xff'"])
def test_what_does_not_parse_is_a_syntax_error(shop_gateway, text):
    state, message, _ = shop_gateway.refused("acme.cert", text)
    assert state.startswith("42") or state in ("22021", "22025", "22P02", "0A000"), (state, message)
