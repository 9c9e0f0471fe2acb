"""The catalogue shows keys of one or several columns, and foreign keys, where a partner sees all of their columns."""
import pytest
import sqlalchemy

from harness import clients, mill


@pytest.fixture(scope="module")
def gateway(make_module_gateway):
    return make_module_gateway(policy_yaml=mill.POLICY, sql=mill.SQL)


LINE = """\
                 Table "public.line"
  Column   |  Type   | Collation | Nullable | Default 
-----------+---------+-----------+----------+---------
 person_id | bigint  |           | not null | 
 number    | integer |           | not null | 
 line      | integer |           | not null | 
 article   | text    |           |          | 
 pieces    | integer |           |          | 
Indexes:
    "line_pkey" PRIMARY KEY, btree (person_id, number, line)
Foreign-key constraints:
    "line_article_fkey" FOREIGN KEY (article) REFERENCES article(article)
    "line_number_person_id_fkey" FOREIGN KEY (number, person_id) REFERENCES invoice(number, person_id)
    "line_person_id_fkey" FOREIGN KEY (person_id) REFERENCES person(person_id)

"""
INDEX = """\
        Index "public.line_pkey"
  Column   |  Type   | Key? | Definition 
-----------+---------+------+------------
 person_id | bigint  | yes  | person_id
 number    | integer | yes  | number
 line      | integer | yes  | line
primary key, btree, for table "public.line"

"""


def test_psql_describes_them(gateway):
    assert gateway.psql("books.cert", "\\d line", flags=()).stdout == LINE
    assert gateway.psql("books.cert", "\\d line_pkey", flags=()).stdout == INDEX
    told = gateway.psql("books.cert", "\\d invoice", flags=()).stdout.splitlines()
    # The owner's choice, though another key stands before it and is always filled, too.
    assert '    "invoice_pkey" PRIMARY KEY, btree (person_id, number)' in told, told
    assert '    "invoice_invoice_code_key" UNIQUE CONSTRAINT, btree (invoice_code)' in told, told


def test_information_schema(gateway):
    usage = gateway.rows("books.cert", "SELECT constraint_name, column_name, ordinal_position, position_in_unique_constraint "
                         "FROM information_schema.key_column_usage WHERE table_name = 'line' ORDER BY 1, 3")
    assert usage == [("line_article_fkey", "article", 1, 1), ("line_number_person_id_fkey", "number", 1, 2),
                     ("line_number_person_id_fkey", "person_id", 2, 1), ("line_person_id_fkey", "person_id", 1, 1),
                     ("line_pkey", "person_id", 1, None), ("line_pkey", "number", 2, None), ("line_pkey", "line", 3, None)]
    assert gateway.rows("books.cert", "SELECT c.column_name, r.unique_constraint_name FROM information_schema.constraint_column_usage c "
                        "JOIN information_schema.referential_constraints r USING (constraint_name) WHERE c.table_name = 'invoice' "
                        "ORDER BY 1") == [("number", "invoice_pkey"), ("person_id", "invoice_pkey")]


def test_pg_catalog(gateway):
    assert gateway.rows("books.cert", "SELECT i.indkey::text, i.indnatts, c.relnatts, array_length(i.indclass, 1), i.indisprimary, "
                        "pg_get_indexdef(c.oid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relname = 'line_pkey'") == [
        ("1 2 3", 3, 3, 3, True, "CREATE UNIQUE INDEX line_pkey ON public.line USING btree (person_id, number, line)")]
    assert gateway.rows("books.cert", "SELECT a.attname, a.attnum FROM pg_attribute a WHERE a.attrelid = 'line_pkey'::regclass "
                        "ORDER BY 2") == [("person_id", 1), ("number", 2), ("line", 3)]
    assert gateway.rows("books.cert", "SELECT conkey, confkey, confrelid::regclass::text FROM pg_constraint "
                        "WHERE conname = 'line_number_person_id_fkey'") == [([2, 1], [3, 2], "invoice")]


def test_sqlalchemy_reflects_them(gateway):
    engine = sqlalchemy.create_engine("postgresql+psycopg2://", creator=lambda: gateway.connect2("books.cert"))
    inspector = sqlalchemy.inspect(engine)
    assert inspector.get_pk_constraint("line") == {"constrained_columns": ["person_id", "number", "line"], "name": "line_pkey"}
    keys = {tuple(key["constrained_columns"]): (key["referred_table"], key["referred_columns"]) for key in inspector.get_foreign_keys("line")}
    assert keys == {("person_id",): ("person", ["person_id"]), ("article",): ("article", ["article"]),
                    ("number", "person_id"): ("invoice", ["number", "person_id"])}
    assert [(key["name"], key["column_names"]) for key in inspector.get_unique_constraints("invoice")] == [
        ("invoice_invoice_code_key", ["invoice_code"])]
    engine.dispose()


def test_jdbc_reads_them(gateway):
    lines = [line.split("|") for line in clients.jdbc(gateway, "books.cert", "Metadata", "invoice", "line").splitlines()]
    assert [row[4:7] for row in lines if row[0] == "primary-key"] == [["person_id", "1", "invoice_pkey"], ["number", "2", "invoice_pkey"]]
    imported = {(row[3], row[4], row[8], row[9]) for row in lines if row[0] == "imported"}
    assert imported == {("article", "article", "article", "1"), ("invoice", "number", "number", "1"), ("invoice", "person_id", "person_id", "2"),
                        ("person", "person_id", "person_id", "1")}
    assert [row[0] for row in lines if row[0] == "udt-after"] == [] and ["after", "types"] in lines


def test_none_with_a_column_that_is_not_shown(gateway):
    """line has a unique key over its secret, and person one of the secret alone; part sees tokens and less."""
    definitions = gateway.rows("books.cert", "SELECT pg_get_constraintdef(oid) FROM pg_constraint")
    assert "secret" not in str(definitions) and len(definitions) == 9, definitions
    assert gateway.rows("part.cert", "SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint ORDER BY 1") == [
        ("invoice", "PRIMARY KEY (person_id, number)"), ("line", "PRIMARY KEY (person_id, number, line)")]
