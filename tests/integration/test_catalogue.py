"""A partner that asks the system catalogs sees its datasets as ordinary tables, and nothing else.

The database has a table, a view, an enum, a function, a role and a column that nobody is granted;
none of their names may be in any answer, and no real OID may be answered about.
"""
import re

import psycopg
import pytest

from harness import shop

SQL = shop.SQL + """
CREATE TYPE shop.hiddentype AS ENUM ('hiddenlabel');
CREATE TABLE shop.hiddentable (hiddencolumn int PRIMARY KEY CONSTRAINT hiddencheck CHECK (hiddencolumn > 0), kind shop.hiddentype);
CREATE VIEW shop.hiddenview AS SELECT secret FROM shop.person;
CREATE FUNCTION shop.hiddenfunction(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE SCHEMA hiddenschema CREATE TABLE hiddentable (a int);
CREATE FUNCTION public.hiddenpublic(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
COMMENT ON TABLE shop.person IS 'hiddencomment';
COMMENT ON COLUMN shop.person.full_name IS 'hiddenremark';
"""
HIDDEN = re.compile(r"hidden|secret|canary|rival|shop\.|\bshop\b|maker 1|postgres\b", re.IGNORECASE)
PERSON = """\
                Table "public.person"
  Column   |  Type  | Collation | Nullable | Default 
-----------+--------+-----------+----------+---------
 person_id | bigint |           | not null | 
 full_name | text   |           |          | 
 phone     | text   |           |          | 
 born      | date   |           |          | 
 town      | text   |           |          | 
Indexes:
    "person_pkey" PRIMARY KEY, btree (person_id)
Referenced by:
    TABLE "purchase" CONSTRAINT "purchase_person_id_fkey" FOREIGN KEY (person_id) REFERENCES person(person_id)

"""
META = r"""\d \dS \d+ \dt \dt+ \dt+ *.* \d person \d+ person \d+ purchase \d public.* \d person_pkey \dn \dn+ \l \l+ \du \du+ \dg \df \df lower \df+ lower
    \da \dA \db \dc \dC \dd \dD \ddp \dE \des \det \deu \dew \dF \dFd \dFp \dFt \di \di+ \dl \dL \dm \do \dO \dp \dp person \z \dP \drds \dRp \dRs
    \ds \dT \dT+ \dv \dv+ \dx \dX \dy \dconfig \d hiddentable \d shop.person \d shop.* \dT hidden* \df *.hidden* \dt *.hidden*"""
COMMANDS = [" ".join(part.split()) for part in re.split(r"(?=\\)", META) if part.strip()]


@pytest.fixture(scope="module")
def gateway(make_module_gateway):
    return make_module_gateway(sql=SQL)


@pytest.fixture(scope="module")
def real(gateway):
    """OIDs of the database's own objects, by name."""
    with gateway.cluster.connect(gateway.database) as server:
        rows = server.execute("""SELECT relname, oid FROM pg_class WHERE relnamespace = 'shop'::regnamespace
            UNION SELECT proname, oid FROM pg_proc WHERE proname LIKE 'hidden%' UNION SELECT typname, oid FROM pg_type
            WHERE typname LIKE '%hidden%' UNION SELECT rolname, oid FROM pg_roles WHERE oid > 16383""").fetchall()
    return {name: int(oid) for name, oid in rows}


@pytest.fixture(scope="module")
def answers(gateway):
    """Everything that the client gets to see of a statement, as text."""
    def ask(sql):
        try:
            cursor = connection.execute(sql)
            names = [column.name for column in cursor.description]
            return f"{names}\n" + "\n".join(str(row) for row in cursor.fetchall())
        except psycopg.Error as error:
            return f"{error.sqlstate} {error} {error.diag.message_hint}"

    with gateway.connect("acme.cert") as connection:
        yield ask


def test_describing_a_dataset(gateway):
    done = gateway.psql("acme.cert", "\\d person", flags=())
    assert (done.stdout, done.stderr) == (PERSON, "")


def test_listing(gateway):
    tables = gateway.psql("acme.cert", "\\dt").stdout
    assert tables == "".join(f"public|{name}|table|acme.cert\n" for name in ("article", "person", "purchase"))
    assert gateway.psql("rival.cert", "\\dt").stdout == "public|person|table|rival.cert\n"
    assert gateway.psql("acme.cert", "\\dn").stdout == "public|acme.cert\n"
    assert gateway.psql("acme.cert", "\\df").stdout == ""


def test_comments_tell_category_and_form(gateway):
    described = gateway.psql("acme.cert", "\\d+ person").stdout
    assert "phone, masked: last4" in described and "date_of_birth, clear" in described, described
    assert "person_id" in gateway.psql("rival.cert", "\\d person").stdout
    assert "phone" not in gateway.psql("rival.cert", "\\d+ person").stdout


def test_every_command_of_psql(gateway):
    """In one session: none fails, none shows what is not granted."""
    # The name that was asked for may come back.
    shown = []
    for command in COMMANDS:
        shown += ["\\echo == " + command.replace("hidden", "asked").replace("shop", "asked"), command]
    done = gateway.psql("acme.cert", *shown, flags=())
    errors = [line for line in done.stderr.splitlines() if "Did not find" not in line and "does not exist" not in line]
    assert errors == [], done.stderr
    assert HIDDEN.findall(done.stdout) == [], done.stdout


COMPLETIONS = [  # what psql asks when the tabulator key is pressed
    "SELECT pg_catalog.quote_ident(c.relname) FROM pg_catalog.pg_class c WHERE c.relkind IN ('r', 'S', 'v', 'm', 'f', 'p') AND "
    "substring(pg_catalog.quote_ident(c.relname),1,3)='per' AND pg_catalog.pg_table_is_visible(c.oid) AND c.relnamespace <> "
    "(SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = 'pg_catalog')\nUNION\nSELECT pg_catalog.quote_ident(n.nspname) || '.' FROM "
    "pg_catalog.pg_namespace n WHERE substring(pg_catalog.quote_ident(n.nspname) || '.',1,3)='per' LIMIT 1000",
    "SELECT attname FROM pg_catalog.pg_attribute a, pg_catalog.pg_class c WHERE c.oid = a.attrelid AND a.attnum > 0 AND NOT "
    "a.attisdropped AND substring(attname,1,2)='to' AND (c.relname='person') AND pg_catalog.pg_table_is_visible(c.oid) LIMIT 1000",
]


def test_completion(gateway):
    assert [gateway.rows("acme.cert", sql) for sql in COMPLETIONS] == [[("person",)], [("town",)]]


ABOUT = {  # statement: its rows
    "SELECT current_user, session_user, current_schema(), current_schemas(false)": [("acme.cert", "acme.cert", "public", ["public"])],
    "SELECT has_table_privilege('person', 'SELECT'), has_table_privilege('person', 'INSERT'), has_table_privilege('hiddentable', 'SELECT')":
        [(True, False, False)],
    "SELECT has_table_privilege(c.oid, 'SELECT, INSERT') FROM pg_class c WHERE relname = 'person'": [(True,)],
    "SELECT rolname, rolsuper, rolcanlogin FROM pg_roles": [("acme.cert", False, True)],
    "SELECT 'person'::regclass::oid = c.oid, to_regclass('public.person') = c.oid FROM pg_class c WHERE relname = 'person'": [(True, True)],
    "SELECT c.oid::regclass, c.oid::regclass::text FROM pg_class c WHERE c.oid = 'public.\"purchase\"'::regclass": [("purchase", "purchase")],
    "SELECT c.relname FROM pg_class c WHERE c.oid::regclass = 'article'": [("article",)],
    "SELECT attname, atttypid::regtype FROM pg_attribute WHERE attrelid = 'person'::regclass AND attnum = 4": [("born", "date")],
    "SELECT 'int4'::regtype, 'integer'::regtype::oid, 'pg_class'::regclass::oid::int": [("integer", 23, 1259)],
    "SELECT typinput = 'pg_catalog.array_in'::regproc, typinput::regproc FROM pg_type WHERE oid = 1007": [(True, "array_in")],
    "SELECT obj_description('person'::regclass, 'pg_class'), col_description('person'::regclass, 3)": [("about person", "phone, masked: last4")],
    "SELECT format_type(1043, 24), format_type(NULL, NULL)": [("character varying(20)", None)],
    "SELECT column_name, data_type, is_nullable FROM information_schema.columns WHERE table_name = 'purchase' ORDER BY ordinal_position":
        [("purchase_id", "bigint", "NO"), ("person_id", "bigint", "YES"), ("item", "text", "YES"), ("pence", "integer", "YES")],
    "SELECT table_name, constraint_type FROM information_schema.table_constraints ORDER BY 1, 2":
        [("article", "PRIMARY KEY"), ("person", "PRIMARY KEY"), ("purchase", "FOREIGN KEY"), ("purchase", "PRIMARY KEY")],
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 3) SELECT count(*) FROM t, pg_namespace": [(9,)],
    "WITH pg_class AS (SELECT 1 AS mine) SELECT * FROM pg_class, pg_am WHERE amname = 'heap'": [(1, 2, "heap", 3, "t", 2601)],
    "SELECT k.word FROM pg_get_keywords() AS k WHERE k.word = 'select'": [("select",)],
    "SELECT setting FROM pg_settings WHERE name = 'search_path'": [("public",)],
    "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f'": [("FOREIGN KEY (person_id) REFERENCES person(person_id)",)],
    "SELECT pg_get_userbyid(r.relowner) FROM pg_class r WHERE r.relname = 'person'": [("acme.cert",)],
    "SELECT (SELECT r.relname FROM pg_class r WHERE r.oid = d.oid) FROM pg_class d WHERE obj_description(oid) = 'about nobody'": [("article",)],
}


def test_answers(gateway):
    with gateway.connect("acme.cert") as connection:
        told = {sql: connection.execute(sql).fetchall() for sql in ABOUT}
    assert told == ABOUT


def test_a_star_has_all_columns(gateway):
    with gateway.connect("acme.cert") as connection:
        for table in ("pg_class", "pg_attribute", "pg_type", "pg_roles", "pg_trigger", "information_schema.columns"):
            for sql in (f"SELECT * FROM {table}", f"SELECT t.*, 1 AS one FROM {table} AS t JOIN pg_am USING (oid)"
                        if table not in ("pg_attribute", "pg_trigger", "information_schema.columns") else f"SELECT t.* FROM {table} t"):
                cursor = connection.execute(sql)
                cursor.fetchall()
                assert len(cursor.description) > 10, sql


def test_prepared_with_parameters(gateway):
    with gateway.connect("acme.cert") as connection:
        for binary in (False, True):
            rows = connection.execute("SELECT a.attname FROM pg_attribute a WHERE a.attrelid = %s::regclass AND a.attnum = %s",
                                      ("person", 2), binary=binary, prepare=True).fetchall()
            assert rows == [("full_name",)]


def test_numbers_stay(gateway, make_module_gateway):
    sql = "SELECT relname, oid FROM pg_class ORDER BY 1"
    before = gateway.rows("acme.cert", sql)
    gateway = make_module_gateway()
    assert gateway.rows("acme.cert", sql) == before
    assert [row for row in gateway.rows("rival.cert", sql) if row[0] == "person"] == [row for row in before if row[0] == "person"]


NAMES = ["shop.hiddentable", "shop.person", "hiddentable", "shop.hiddenview"]
WITH_NAMES = ["SELECT '{}'::regclass", "SELECT '{}'::regclass::oid", "SELECT '{}'::regclass::text", "SELECT to_regclass('{}')",
              "SELECT has_table_privilege('{}', 'SELECT')", "SELECT pg_relation_size('{}')", "SELECT pg_get_viewdef('{}')",
              "SELECT pg_get_serial_sequence('{}', 'hiddencolumn')", "SELECT obj_description('{}'::regclass)",
              "SELECT has_column_privilege('{}', 'hiddencolumn', 'SELECT')", "SELECT * FROM pg_class WHERE oid = '{}'::regclass",
              "SELECT relname FROM pg_class WHERE oid::regclass = '{}'", "SELECT ('{}' || '')::regclass FROM pg_am LIMIT 1",
              "SELECT to_regtype('{}') FROM pg_am LIMIT 1", "SELECT '{}'::regtype", "SELECT n::regclass::text FROM unnest(ARRAY['{}']) AS n"]
WITH_OIDS = ["SELECT {}::regclass", "SELECT {}::regclass::text", "SELECT {}::oid::regclass", "SELECT o::regclass FROM unnest(ARRAY[{}::oid]) AS o",
             "SELECT format_type({}, NULL)", "SELECT {}::regtype", "SELECT {}::regproc", "SELECT {}::regproc::text", "SELECT {}::regrole",
             "SELECT pg_get_viewdef({})", "SELECT pg_get_viewdef({}::oid, true)", "SELECT pg_get_userbyid({})", "SELECT pg_get_functiondef({})",
             "SELECT pg_get_function_arguments({})", "SELECT pg_get_function_result({})", "SELECT pg_get_indexdef({})",
             "SELECT pg_get_constraintdef({})", "SELECT obj_description({}, 'pg_class')", "SELECT col_description({}, 2)",
             "SELECT pg_relation_size({}::oid)", "SELECT pg_get_expr('x', {})", "SELECT * FROM pg_class WHERE oid = {}",
             "SELECT * FROM pg_attribute WHERE attrelid = {}", "SELECT * FROM pg_type WHERE oid = {}", "SELECT * FROM pg_proc WHERE oid = {}",
             "SELECT q.pg_get_viewdef FROM unnest(ARRAY[{}::oid]) AS q", "SELECT ({}::oid).pg_get_viewdef FROM pg_am",
             "SELECT unnest.regclass FROM unnest(ARRAY[{}::oid])", "SELECT pg_catalog.regclass({}) FROM pg_am", "SELECT {}::oid::regprocedure",
             "SELECT q.pg_get_viewdef FROM unnest(ARRAY[{}::oid]) AS q, (SELECT 1 AS pg_get_viewdef) AS z",
             "SELECT (SELECT q.pg_get_userbyid FROM unnest(ARRAY[{}::oid]) AS q), q.pg_get_userbyid FROM unnest(ARRAY[1]) AS q(pg_get_userbyid)",
             "SELECT ARRAY[{}::oid]::regclass[]", "SELECT '{{{}}}'::regclass[] FROM pg_am", "SELECT max({}::oid)::regrole FROM pg_am",
             "SELECT format('%s', {}::regclass) FROM pg_am", "SELECT CASE WHEN true THEN {}::regclass END FROM pg_am",
             "SELECT coalesce({}::regtype, 'int4'::regtype) FROM pg_am"]
OTHER = ["SELECT * FROM pg_authid", "SELECT * FROM pg_catalog.pg_authid", "SELECT * FROM pg_shadow", "SELECT * FROM pg_catalog.pg_statistic",
         "SELECT * FROM pg_stats", "SELECT * FROM pg_stat_activity", "SELECT * FROM pg_hba_file_rules", "SELECT * FROM pg_file_settings",
         "SELECT * FROM pg_catalog.pg_largeobject", "SELECT * FROM pg_stat_statements", "SELECT * FROM shop.hiddentable, pg_class",
         "SELECT pg_read_file('/etc/passwd') FROM pg_class", "SELECT pg_ls_dir('.') FROM pg_class", "SELECT lo_get(1) FROM pg_class",
         "SELECT query_to_xml('SELECT secret FROM shop.person', true, true, '') FROM pg_class", "SELECT pg_sleep(1) FROM pg_class",
         "SELECT table_to_xml('shop.hiddentable', true, true, '') FROM pg_class", "SELECT set_config('search_path', 'shop', false) FROM pg_class",
         "SELECT q.pg_read_file FROM unnest(ARRAY['/etc/hostname']) AS q", "SELECT ('/etc/passwd'::text).pg_read_file FROM pg_am",
         "SELECT q.current_setting FROM unnest(ARRAY['config_file']) AS q", "SELECT current_setting('config_file')",
         "SELECT * FROM pg_type WHERE typinput = 'shop.hiddenfunction'", "SELECT 'shop.hiddenfunction'::regproc",
         "SELECT typinput::regproc = 'shop.hiddenfunction' FROM pg_type", "SELECT 'hiddenpublic'::regproc",
         "SELECT 'hiddenfunction' IN (typinput::regproc) FROM pg_type LIMIT 1", "SELECT '=r/postgres'::aclitem FROM pg_am",
         "SELECT acldefault('r', 10)", "SELECT 'postgres'::regrole", "SELECT 10::regrole", "SELECT to_regrole('postgres')",
         "SELECT relacl::text FROM pg_class", "SELECT 'shop'::regnamespace", "SELECT to_regnamespace('shop')", "SELECT * FROM pg_namespace",
         "SELECT 'a' COLLATE shop.x FROM pg_am", "SELECT 1 OPERATOR(shop.=) 1 FROM pg_am", "SELECT shop.hiddenfunction(1) FROM pg_am",
         "SELECT NULL::shop.hiddentype FROM pg_am", "SELECT NULL::shop.person FROM pg_am", "SELECT * FROM pg_database", "SELECT * FROM pg_roles",
         "SELECT * FROM ONLY pg_class", "SELECT * FROM postgres.pg_catalog.pg_class", "SELECT * FROM pg_class FOR UPDATE",
         "SELECT * INTO x FROM pg_class", "WITH a AS (DELETE FROM shop.person RETURNING *) SELECT * FROM a, pg_class",
         "SELECT * FROM pg_class TABLESAMPLE SYSTEM (100)", "SELECT c FROM pg_class AS c", "SELECT row_to_json(c) FROM pg_attribute AS c",
         "SELECT (c).* FROM pg_class AS c", "SELECT c.relname.pg_read_file FROM pg_class c", "SELECT * FROM pg_proc",
         "SELECT * FROM pg_settings", "SELECT * FROM pg_type", "SELECT * FROM pg_constraint", "SELECT * FROM pg_description",
         "SELECT * FROM information_schema.columns", "SELECT * FROM information_schema.tables", "SELECT * FROM information_schema.schemata",
         "SELECT * FROM information_schema.routines", "SELECT * FROM pg_collation", "SELECT * FROM pg_language", "SELECT * FROM pg_tablespace",
         "SELECT version(), current_database(), inet_server_addr(), pg_my_temp_schema() FROM pg_am"]


def test_real_names_are_not_known(answers):
    for form in WITH_NAMES:
        for name in NAMES:
            sql = form.format(name)
            # What was asked may come back, as it would of a name that nothing bears.
            told, nothing = answers(sql), answers(form.format("no.such"))
            assert re.sub(re.escape(name), "", told) == re.sub(re.escape("no.such"), "", nothing), sql


def test_real_numbers_are_not_known(answers, real):
    assert {"hiddentable", "hiddenfunction", "hiddentype", "person"} <= set(real), real
    for form in WITH_OIDS:
        for oid in real.values():
            sql = form.format(oid)
            told = answers(sql)
            assert HIDDEN.search(told) is None, (sql, told)
            assert told.replace(str(oid), "") == answers(form.format(999999999)).replace("999999999", ""), sql


@pytest.mark.parametrize("sql", OTHER)
def test_nothing_else_is_told(answers, sql):
    told = answers(sql).replace("IntervalStyle', 'postgres", "").replace("'postgres', 'postgres_verbose", "").replace("'postgres', 'postgres'", "")
    for word in re.findall(r"\w{4,}", sql):  # what was asked may come back
        told = told.replace(word, "")
    assert re.search(HIDDEN.pattern + "|root:|_file", told, re.IGNORECASE) is None, told


def test_nothing_is_recorded(gateway):
    """Rows about nobody: no disclosure, and mistakes do not count as probes."""
    before = len(gateway.ledger())
    gateway.rows("acme.cert", "SELECT * FROM pg_class")
    gateway.refused("acme.cert", "SELECT nosuch FROM pg_class")
    assert [entry for entry in gateway.ledger()[before:] if "disclosure" in str(entry) or "probe" in str(entry)] == []


@pytest.mark.parametrize("sql", ["SELECT to_regtype('{}.hiddentable')", "SELECT '{}.hiddentable'::regtype", "SELECT to_regtype(' \"{}\" . hiddentable[]')"])
def test_no_name_of_a_type_tells_whether_there_is_a_schema(gateway, sql):
    """PostgreSQL itself would say that it may not be looked into."""
    assert gateway.rows("acme.cert", sql.format("hiddenschema")) == gateway.rows("acme.cert", sql.format("nosuchschema")) == [(None,)]
    assert gateway.rows("acme.cert", "SELECT to_regtype('pg_catalog.int4')::oid::int, to_regtype('timestamp(3) with time zone')::oid::int") == [(23, 1184)]
