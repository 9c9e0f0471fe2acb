"""Partners' tools find the datasets by themselves: they list tables, describe them, read and page.

SQLAlchemy, JDBC's DatabaseMetaData, ODBC, Knex and Kysely; psql is in test_psql.py, Drizzle and Prisma in test_clients_orm.py.
"""
import datetime

import psycopg
import pyodbc
import pytest
import sqlalchemy

from harness import clients

TABLES = ["article", "person", "purchase"]
COLUMNS = ["person_id", "full_name", "phone", "born", "town"]
FIRST = [(1, "Person 1"), (2, "Person 2"), (3, "Person 3")]
NEXT = [(5, "Person 5"), (6, "Person 6"), (7, "Person 7")]


def test_sqlalchemy(shop_gateway):
    engine = sqlalchemy.create_engine("postgresql+psycopg2://", creator=lambda: shop_gateway.connect2("acme.cert"))
    inspector = sqlalchemy.inspect(engine)
    assert sorted(inspector.get_table_names()) == TABLES
    assert inspector.get_view_names() == [] and "shop" not in inspector.get_schema_names()
    assert inspector.get_pk_constraint("person")["constrained_columns"] == ["person_id"]
    assert [(key["constrained_columns"], key["referred_table"]) for key in inspector.get_foreign_keys("purchase")] == [(["person_id"], "person")]
    assert inspector.get_table_comment("person") == {"text": "about person"}
    metadata = sqlalchemy.MetaData()
    metadata.reflect(engine)
    person = metadata.tables["person"]
    assert [column.name for column in person.columns] == COLUMNS
    assert isinstance(person.c.born.type, sqlalchemy.Date) and isinstance(person.c.person_id.type, sqlalchemy.BigInteger)
    page = sqlalchemy.select(person.c.person_id, person.c.full_name).order_by(person.c.person_id).limit(3)
    with engine.connect() as connection:
        assert [tuple(row) for row in connection.execute(page)] == FIRST
        assert [tuple(row) for row in connection.execute(page.offset(3))] == NEXT
        assert connection.execute(sqlalchemy.select(person.c.born).where(person.c.person_id == 1)).scalar() == datetime.date(1950, 4, 11)
    engine.dispose()


@pytest.fixture
def odbc(shop_gateway):
    parameters = shop_gateway.parameters("acme.job")
    connection = pyodbc.connect(
        f"DRIVER={{PostgreSQL Unicode}};Server=localhost;Port={shop_gateway.port};Database={shop_gateway.database};UID=acme.job;"
        f"PWD={parameters['password']};SSLmode=verify-full;pqopt={{sslrootcert={parameters['sslrootcert']}}}", autocommit=True)
    yield connection.cursor()
    connection.close()


def test_odbc(odbc):
    assert [(row[1], row[2], row[3]) for row in odbc.tables()] == [("public", name, "TABLE") for name in TABLES]
    assert [row[3] for row in odbc.columns(table="person")] == COLUMNS
    assert [(row[2], row[3]) for row in odbc.primaryKeys("person")] == [("person", "person_id")]
    assert [(row[2], row[3], row[6], row[7]) for row in odbc.foreignKeys(table="person")] == [("person", "person_id", "purchase", "person_id")]
    assert "person_pkey" in [row[5] for row in odbc.statistics("person")]
    assert len(list(odbc.getTypeInfo())) > 10
    assert [tuple(row) for row in odbc.execute("SELECT person_id, full_name FROM person ORDER BY 1 LIMIT 3")] == FIRST
    assert odbc.execute("SELECT phone FROM person WHERE person_id = ?", 1).fetchone()[0] == "***0001"


def test_jdbc(shop_gateway):
    lines = clients.jdbc(shop_gateway, "acme.cert", "Metadata", "person", "purchase").splitlines()
    told = {}
    for line in lines:
        question, *values = line.split("|")
        told.setdefault(question, []).append(values)
    assert [row[2] for row in told["base-table"]] == TABLES
    assert [row[3] for row in told["column"]] == COLUMNS
    assert [row[11] for row in told["column"]][2] == "phone, masked: last4"
    assert [row[2:5] for row in told["primary-key"]] == [["person", "person_id", "1"]]
    assert [(row[2], row[6], row[7]) for row in told["imported"]] == [("person", "purchase", "person_id")]
    assert told["exported"] == told["imported"] == told["cross"]
    assert [row[5] for row in told["index"]] == ["person_pkey"]
    assert [row[5:7] for row in told["table-privilege"]] == [["SELECT", "YES"]] * 3
    assert [row[0] for row in told["schema"]] == ["information_schema", "pg_catalog", "public"]
    assert told["limits"] == [["32", "63"]] and told["keywords"] == [["true"]]
    assert told["user"][0][0] == "acme.cert" and told["own"] == [[shop_gateway.database, "public"]]
    assert len(told["type"]) > 50 and "function" not in told and "udt" not in told


def test_knex_and_kysely(shop_gateway):
    told = clients.node(shop_gateway, "acme.job", """
        const knex = require('knex')({client: 'pg', connection: config});
        const person = await knex('person').columnInfo();
        const has = [await knex.schema.hasTable('person'), await knex.schema.hasTable('vault'),
                     await knex.schema.hasColumn('person', 'secret')];
        const page = await knex('person').select('person_id', 'full_name').orderBy('person_id').limit(3).offset(3);
        await knex.destroy();
        const {Kysely, PostgresDialect} = require('kysely');
        const db = new Kysely({dialect: new PostgresDialect({pool: new pg.Pool(config)})});
        const tables = await db.introspection.getTables();
        await db.destroy();
        console.log(JSON.stringify({columns: Object.keys(person), born: person.born, has, page,
                                    tables: tables.map(t => [t.schema, t.name, t.columns.map(c => c.name)])}));
    """)
    assert (told["columns"], told["has"]) == (COLUMNS, [True, False, False])
    assert told["born"]["type"] == "date" and told["born"]["nullable"] is True
    assert [(int(row["person_id"]), row["full_name"]) for row in told["page"]] == NEXT
    assert [table[:2] for table in told["tables"]] == [["public", name] for name in TABLES]
    assert told["tables"][1][2] == COLUMNS


LOADING = """SELECT ns.nspname, t.oid, t.typname, t.typtype, t.typnotnull, t.elemtypoid
FROM (
    SELECT typ.oid, typ.typnamespace, typ.typname, typ.typtype, typ.typrelid, typ.typnotnull, typ.relkind, elemtyp.oid AS elemtypoid,
        elemtyp.typname AS elemtypname, elemcls.relkind AS elemrelkind,
        CASE WHEN elemproc.proname='array_recv' THEN 'a' ELSE elemtyp.typtype END AS elemtyptype, typ.typcategory
    FROM (
        SELECT typ.oid, typnamespace, typname, typrelid, typnotnull, relkind, typelem AS elemoid, typcategory,
            CASE WHEN proc.proname='array_recv' THEN 'a' ELSE typ.typtype END AS typtype,
            CASE WHEN proc.proname='array_recv' THEN typ.typelem WHEN typ.typtype='r' THEN rngsubtype
                 WHEN typ.typtype='m' THEN (SELECT rngtypid FROM pg_range WHERE rngmultitypid = typ.oid)
                 WHEN typ.typtype='d' THEN typ.typbasetype END AS elemtypoid
        FROM pg_type AS typ
        LEFT JOIN pg_class AS cls ON (cls.oid = typ.typrelid)
        LEFT JOIN pg_proc AS proc ON proc.oid = typ.typreceive
        LEFT JOIN pg_range ON (pg_range.rngtypid = typ.oid)
    ) AS typ
    LEFT JOIN pg_type AS elemtyp ON elemtyp.oid = elemtypoid
    LEFT JOIN pg_class AS elemcls ON (elemcls.oid = elemtyp.typrelid)
    LEFT JOIN pg_proc AS elemproc ON elemproc.oid = elemtyp.typreceive
) AS t
JOIN pg_namespace AS ns ON (ns.oid = typnamespace)
WHERE typtype IN ('b', 'r', 'm', 'e', 'd') OR (typtype = 'c' AND relkind='c') OR (typtype = 'p' AND typname IN ('record', 'void', 'unknown'))
    OR (typtype = 'a' AND (elemtyptype IN ('b', 'r', 'm', 'e', 'd') OR (elemtyptype = 'p' AND elemtypname IN ('record', 'void'))))
ORDER BY CASE WHEN typtype IN ('b', 'e', 'p') THEN 0 WHEN typtype = 'c' THEN 1 WHEN typtype = 'r' THEN 2 WHEN typtype = 'm' THEN 3
    WHEN typtype = 'd' AND elemtyptype <> 'a' THEN 4 WHEN typtype = 'a' THEN 5 WHEN typtype = 'd' AND elemtyptype = 'a' THEN 6 END"""
PROBES = [  # of Metabase, Grafana, DBeaver, DataGrip; more, with all of their rows, is in test_clients_statements.py
    "SELECT n.nspname AS \"table-schem\", c.relname AS name, CASE c.relkind WHEN 'r' THEN 'TABLE' ELSE 'VIEW' END AS type, d.description, "
    "stat.n_live_tup AS estimated_row_count FROM pg_catalog.pg_class AS c INNER JOIN pg_catalog.pg_namespace AS n ON c.relnamespace = n.oid "
    "LEFT JOIN pg_catalog.pg_description AS d ON c.oid = d.objoid AND d.objsubid = 0 AND d.classoid = 'pg_class'::regclass LEFT JOIN "
    "pg_stat_user_tables AS stat ON n.nspname = stat.schemaname AND c.relname = stat.relname WHERE c.relnamespace = n.oid AND "
    "n.nspname !~ '^information_schema|catalog_history|pg_' AND c.relkind IN ('r', 'p', 'v', 'f', 'm') AND n.nspname IN ('public')",
    "SELECT quote_ident(table_name) AS \"table\" FROM information_schema.tables WHERE quote_ident(table_schema) NOT IN ('information_schema', "
    "'pg_catalog', '_timescaledb_cache') AND quote_ident(table_schema) IN (SELECT CASE WHEN trim(s[i]) = '\"$user\"' THEN user ELSE trim(s[i]) END "
    "FROM generate_series(array_lower(string_to_array(current_setting('search_path'),','),1), "
    "array_upper(string_to_array(current_setting('search_path'),','),1)) AS i, string_to_array(current_setting('search_path'),',') s)",
    "SELECT c.oid,c.*,d.description,pg_catalog.pg_get_expr(c.relpartbound, c.oid) AS partition_expr, pg_catalog.pg_get_partkeydef(c.oid) AS "
    "partition_key FROM pg_catalog.pg_class c LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=c.oid AND d.objsubid=0 AND "
    "d.classoid='pg_class'::regclass WHERE c.relnamespace=2200 AND c.relkind NOT IN ('i','I','c')",
    "SELECT T.relkind AS table_kind, T.relname AS table_name, pg_catalog.pg_get_userbyid(T.relowner) AS \"owner\" FROM pg_catalog.pg_class T "
    "WHERE relnamespace = 2200::oid AND relkind IN ('r', 'm', 'v', 'f', 'p') ORDER BY table_kind, T.oid",
]


def test_loading_of_types(shop_gateway):
    """As Npgsql does it when it connects."""
    types = {name: (oid, kind, element) for _, oid, name, kind, _, element in shop_gateway.rows("acme.cert", LOADING)}
    assert types["int8"] == (20, "b", None) and types["_text"] == (1009, "a", 25) and types["int4range"][1:] == ("r", 23), types
    assert len(types) > 100


@pytest.mark.parametrize("sql", PROBES)
def test_probes(shop_gateway, sql):
    rows = shop_gateway.rows("acme.cert", sql)
    assert len(rows) == 3 and [name for name in TABLES if any(name in row for row in rows)] == TABLES, rows


def test_reading_of_the_partner(shop_gateway):
    with psycopg.connect(shop_gateway.url("acme.cert")) as connection:
        assert connection.execute("SELECT current_user::text, current_database()::text").fetchone() == ("acme.cert", shop_gateway.database)
