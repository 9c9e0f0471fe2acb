"""Statements of somebody who wants more than was granted: each known channel, and endless variations.

The schema is that of tests/long/leak.py. The ideas are those of the literature and of other projects' red
teams: whole rows, casts that fail on a value, conditions before the policy, catalogues, functions that read
elsewhere, shadowed names, cursors, settings, statistics about one person.
"""
from harness.queries import Queries

FIXED = [
    # what is granted, so that answers are looked through as well
    "SELECT * FROM person", "SELECT * FROM item", "SELECT * FROM shop", "SELECT p.*, i.label FROM person p JOIN item i ON i.price > 5",
    "SELECT person_id, phone, email, born FROM person ORDER BY name", "SELECT count(*) FROM person", "TABLE person",
    "SELECT town, count(*), avg(born) FROM person GROUP BY town", "SELECT max(name), min(phone) FROM person",
    "SELECT string_agg(phone, ',') FROM person", "SELECT array_agg(name) FROM person",
    # columns, tables, schemas that are not granted
    "SELECT secret FROM person", "SELECT person.secret FROM person", "SELECT salary FROM person", "SELECT remark FROM item",
    "SELECT * FROM vault", "SELECT * FROM v.person", "SELECT * FROM v.vault", "SELECT * FROM pg_catalog.pg_class",
    "SELECT * FROM information_schema.columns", "SELECT * FROM pg_stats", "SELECT * FROM pg_authid", "SELECT * FROM pg_stat_activity",
    'SELECT "secret" FROM public.person', "SELECT open FROM person", "SELECT * FROM public.vault", "SELECT * FROM person, vault",
    "SELECT ctid, xmin, tableoid FROM person", "SELECT tableoid::regclass FROM person", "SELECT person.ctid FROM person",
    # whole rows
    "SELECT person FROM person", "SELECT p FROM person p", "SELECT row_to_json(p) FROM person p", "SELECT to_jsonb(p) FROM person p",
    "SELECT (p).secret FROM person p", "SELECT (p.*).secret FROM person p", "SELECT secret(p) FROM person p", "SELECT person.person FROM person",
    "SELECT ROW(p.*) FROM person p", "SELECT p::text FROM person p", "SELECT count(p) FROM person p", "SELECT array_agg(p) FROM person p",
    "SELECT json_agg(p) FROM person p", "SELECT p.secret FROM person AS p(secret)", "SELECT x FROM person AS p(x)",
    "SELECT * FROM person NATURAL JOIN item", "SELECT * FROM person p JOIN item i USING (person_id)",
    "SELECT p IS NULL FROM person p", "SELECT p = p FROM person p", "SELECT max(p::text) FROM person p", "SELECT hstore(p) FROM person p",
    # conditions that would run before the policy or fail on one value
    "SELECT name FROM person WHERE 1 / (born - 1970) > 0", "SELECT name FROM person WHERE name::int > 0", "SELECT name::int FROM person",
    "SELECT town::date FROM person", "SELECT label::int FROM item", "SELECT name FROM person WHERE town::int = 1",
    "SELECT 1 / (length(name) - 13) FROM person", "SELECT name FROM person WHERE name LIKE 'x\\'", "SELECT name FROM person WHERE name LIKE town || '\\'",
    "SELECT * FROM (SELECT name::int AS n FROM person) s WHERE n > 0", "SELECT count(*) FROM (SELECT name::int AS n FROM person) s",
    "SELECT * FROM (SELECT label::date AS d, price FROM item) s JOIN shop ON shop_id = price", "SELECT sum(name::int) FROM person",
    "SELECT name FROM person ORDER BY name::int", "SELECT town, count(*) FROM person GROUP BY town, name::int",
    "SELECT p.name FROM person p JOIN item i ON i.label::int = 1 AND p.name = i.label", "SELECT p.name FROM person p JOIN shop ON p.name::int = shop_id",
    "SELECT CASE WHEN name LIKE 'c%' THEN 1 / 0 ELSE 1 END FROM person", "SELECT CASE WHEN price > 0 THEN 1 / (price - 3) END FROM item",
    "SELECT lpad(name, 2000000000) FROM person", "SELECT repeat(name, 1000000000) FROM person", "SELECT 10 ^ length(name) ^ 9 FROM person",
    "SELECT name FROM person WHERE phone LIKE '%cAnArY%'", "SELECT phone FROM person WHERE phone ~ 'cAn'", "SELECT email FROM person WHERE email LIKE 'c%'",
    "SELECT name FROM person WHERE born = 1970 AND 1 / 0 = 1", "SELECT chr(length(name) - 1000) FROM person", "SELECT substr(name, 1, -1) FROM person",
    "SELECT coalesce(name, (1/0)::text) FROM person", "SELECT bool_and(1 / (born - 1970) > 0) FROM person",
    # masks and settings
    "SET TimeZone TO 'Pacific/Kiritimati'", "SELECT born FROM person", "SET DateStyle TO 'German'", "SELECT phone, born FROM person", "SET search_path TO v",
    "SET search_path TO v, public; SELECT 1", "SET row_security TO off", "SET session_authorization TO postgres", "SET ROLE postgres", "RESET ROLE",
    "SELECT set_config('search_path', 'v', false)", "SELECT current_setting('cofferdam.key', true)", "SHOW ALL", "SHOW search_path", "SHOW data_directory",
    "SET client_min_messages TO debug5", "SELECT name FROM person", "SET standard_conforming_strings TO off", "SELECT 'a\\' || name FROM person --'", "RESET ALL",
    "SET client_encoding TO 'SQL_ASCII'", "SET lc_messages TO 'C'", "SET log_statement TO 'all'", "SET default_transaction_read_only TO off",
    # functions
    "SELECT query_to_xml('SELECT * FROM v.person', true, true, '')", "SELECT table_to_xml('v.person', true, true, '')", "SELECT database_to_xml(true, true, '')",
    "SELECT pg_read_file('/etc/passwd')", "SELECT lo_import('/etc/passwd')", "SELECT pg_ls_dir('.')", "SELECT pg_sleep(5)", "SELECT pg_advisory_lock(1)",
    "SELECT v.leak(name) FROM person", "SELECT leak(name) FROM person", "SELECT public.lower(price) FROM item", "SELECT lower(price) FROM item",
    "SELECT 'v.person'::regclass", "SELECT 'v.person'::regclass::oid", "SELECT to_regclass('v.person')", "SELECT has_table_privilege('v.vault', 'SELECT')",
    "SELECT pg_relation_size('v.vault')", "SELECT obj_description(1)", "SELECT pg_get_viewdef(1)", "SELECT dblink('', 'SELECT 1')", "SELECT txid_current()",
    "SELECT nextval('x')", "SELECT pg_notify('a', 'b')", "SELECT current_query()", "SELECT inet_server_addr()", "SELECT pg_backend_pid()", "SELECT version()",
    "SELECT current_user, session_user, current_database(), current_schema()", "SELECT pg_stat_get_activity(NULL)", "SELECT generate_series(1, 3)",
    "SELECT * FROM generate_series(1, 10)", "SELECT unnest(array_agg(name)) FROM person", "SELECT pg_catalog.lower(name) FROM person", "SELECT random()",
    "SELECT OPERATOR(v.=)(name, name) FROM person", "SELECT name OPERATOR(pg_catalog.=) 'a' FROM person", "SELECT name OPERATOR(public.~~) 'a' FROM person",
    "SELECT format('%s', p) FROM person p", "SELECT concat(p.*) FROM person p", "SELECT concat(p) FROM person p", "SELECT md5(p::text) FROM person p",
    # statements
    "EXPLAIN SELECT * FROM person", "EXPLAIN ANALYZE SELECT * FROM person", "COPY person TO STDOUT", "COPY (SELECT * FROM person) TO STDOUT",
    "COPY v.person TO '/tmp/x'", "COPY person FROM STDIN", "DECLARE c CURSOR FOR SELECT secret FROM v.person", "FETCH ALL FROM c", "MOVE 1 FROM c",
    "PREPARE s AS SELECT secret FROM v.person", "EXECUTE s", "DEALLOCATE ALL", "DISCARD ALL", "LISTEN a", "NOTIFY a", "UNLISTEN *", "LOCK TABLE v.person",
    "INSERT INTO person (name) VALUES ('x')", "UPDATE person SET name = 'x'", "DELETE FROM person", "TRUNCATE v.person", "DROP TABLE v.person",
    "CREATE TABLE x AS SELECT * FROM v.person", "CREATE TEMP TABLE x (a int)", "CREATE VIEW x AS SELECT * FROM v.person", "SELECT * INTO x FROM person",
    "MERGE INTO person p USING item i ON true WHEN MATCHED THEN DELETE", "DO $$ BEGIN RAISE NOTICE '%', (SELECT secret FROM v.person LIMIT 1); END $$",
    "CALL x()", "GRANT ALL ON v.person TO PUBLIC", "ALTER ROLE postgres SUPERUSER", "VACUUM", "CHECKPOINT", "CLUSTER", "REINDEX TABLE v.person", "ANALYZE",
    "SELECT * FROM person FOR UPDATE", "SELECT * FROM person; SELECT * FROM v.person", "BEGIN; SELECT * FROM v.person; COMMIT", "BEGIN", "COMMIT", "ROLLBACK",
    "SAVEPOINT a", "RELEASE a", "ROLLBACK TO a", "START TRANSACTION READ WRITE", "BEGIN ISOLATION LEVEL SERIALIZABLE", "PREPARE TRANSACTION 'x'", "ABORT",
    # shapes that come later: refused today, never a leak
    "SELECT * FROM person LEFT JOIN item ON true", "SELECT name FROM person WHERE EXISTS (SELECT FROM item)", "SELECT (SELECT max(secret) FROM v.person)",
    "SELECT name FROM person UNION SELECT secret FROM v.person", "WITH s AS (SELECT secret FROM v.person) SELECT * FROM s", "SELECT DISTINCT name FROM person",
    "SELECT name, rank() OVER (ORDER BY salary) FROM person", "SELECT * FROM person, LATERAL (SELECT secret FROM v.person LIMIT 1) s", "VALUES ((SELECT 1))",
    "SELECT * FROM person TABLESAMPLE SYSTEM (50)", "SELECT * FROM ONLY person", "SELECT name FROM person GROUP BY name HAVING count(*) > 0", "SELECT * FROM (VALUES (1)) v",
    "SELECT count(*) FILTER (WHERE name = 'x') FROM person", "SELECT name FROM person WHERE name = ANY (SELECT secret FROM v.person)",
    "SELECT * FROM ROWS FROM (pg_ls_dir('.')) x", "SELECT * FROM xmltable('/a' PASSING '<a/>' COLUMNS b text)", "SELECT * FROM json_to_recordset('[]') AS x(a int)",
    "SELECT name FROM person WHERE person_id IN (SELECT person_id FROM v.vault)", "SELECT ARRAY(SELECT secret FROM v.person)", "SELECT name[1] FROM person",
    "SELECT name FROM person FETCH FIRST 1 ROWS WITH TIES", "SELECT 1 FROM person LIMIT (SELECT count(*) FROM v.vault)", "SELECT name FROM person OFFSET 2",
    # broken
    "", ";", "SELECT", "SELEC name", "SELECT ' FROM person", "SELECT \"", "SELECT /* FROM person", "SELECT $1", "SELECT $1::int + $2", "SELECT $tag$ x",
    "SELECT name FROM person WHERE", "SELECT name FROM", "SELECT 1 1", "\\d", "SELECT * FROM persn", "SELECT nme FROM person", "SELECT p.nme FROM person p",
    "SELECT q.name FROM person p", "SELECT name FROM person p, person q", "SELECT 1e400", "SELECT 1/0", "SELECT 'x'::int", "SELECT U&'\\0041'", "SELECT E'\\x'",
    "SELECT " + "(" * 300 + "1" + ")" * 300, "SELECT " + "NOT " * 2000 + "true", "SELECT " + "1+" * 4000 + "1", "SELECT " + "-" * 3000 + "1",
    "SELECT * FROM " + "(SELECT * FROM " * 100 + "person" + ") s" * 100, "SELECT '" + "x" * 15000 + "'", "SELECT '" + "x" * 70000 + "'", "SELECT " + "a." * 5000 + "b",
]

COLUMNS = {"person": {"person_id": "token", "name": "text", "phone": "text", "email": "text", "born": "int", "town": "text"},
           "item": {"item_id": "int", "label": "text", "price": "int"}, "shop": {"shop_id": "int", "title": "text"}}
FORBIDDEN = ["secret", "salary", "remark", "open", "ctid", "person", "vault", "v.person", "v.vault", "content", "person_id", "pg_class"]


def mutate(random, sql):
    """A valid statement with a forbidden name, a swapped piece or a missing one."""
    words = sql.split(" ")
    at = random.randrange(len(words))
    choice = random.random()
    if choice < 0.4:
        words[at] = random.choice(FORBIDDEN)
    elif choice < 0.6:
        other = random.randrange(len(words))
        words[at], words[other] = words[other], words[at]
    elif choice < 0.8:
        del words[at]
    else:
        words.insert(at, random.choice(FORBIDDEN + ["*", "(", ")", "::int", "||", "NOT", "1/0", "'", "--", "/*", ";", "NULL", "$1"]))
    return " ".join(words)


def statements(random):
    """Endless: all of FIXED in some order, then generated ones, valid and mutated, with FIXED between."""
    first = list(FIXED)
    random.shuffle(first)
    yield from first
    queries = Queries(random, COLUMNS)
    while True:
        chance = random.random()
        if chance < 0.15:
            yield random.choice(FIXED)
        elif chance < 0.5:
            yield queries.statement()
        else:
            yield mutate(random, queries.statement())
