"""Statements that hide whom they are about behind several constructs at once: nobody may be left out of
the ledger, and nobody's values may come as mere influence. Each was left out once."""
import pytest

SQL = """
CREATE SCHEMA e;
CREATE TABLE e.person (person_id bigint PRIMARY KEY, city text NOT NULL, salary integer NOT NULL, bonus integer, weight numeric);
CREATE TABLE e.note (note_id bigint PRIMARY KEY, person_id bigint NOT NULL, city text NOT NULL, val integer NOT NULL);
CREATE TABLE e.article (item text NOT NULL, price integer NOT NULL, pad text NOT NULL);
CREATE INDEX ON e.article (price);
INSERT INTO e.person SELECT n, chr(65 + n % 5), 1000 + n * 7, CASE WHEN n = 5 THEN 77 END,
    CASE n WHEN 3 THEN 1.000 WHEN 4 THEN 1.00 ELSE 1.0 END FROM generate_series(1, 20) n;
INSERT INTO e.note SELECT n, 1 + n * 7 % 20, chr(65 + n % 5), n % 13 FROM generate_series(1, 40) n;
INSERT INTO e.article SELECT 'item ' || n, 5000 - n, repeat('x', 200) FROM generate_series(1, 3000) n;
VACUUM ANALYZE;
"""
PARTNER = """
  {name}:
    contract: {{agreement: A, breach_contact: {{name: B, phone: "1"}}}}
    purposes: [test]
    agents: [{{name: one, identity: {{certificate: "spiffe://{name}/one"}}}}]
    valid: {{from: 2020-01-01, until: 2099-12-31}}
    {mode}
    aggregates: {{min_subjects: 5}}
    grants:
      - {{dataset: person, columns: all}}
      - {{dataset: note, columns: all}}
      - {{dataset: article, columns: all}}
    budget: {{subjects: {{per_day: 100000, total: 100000}}, rows_per_statement: 100000}}
"""
POLICY = """
controller: {name: Edges, dpo: {name: D, email: d@edges.example}}
subjects: {person: {dataset: person, key: person_id}}
datasets:
  person: {table: e.person, subject: {kind: person, key: person_id}, columns: {person_id: {}, city: {}, salary: {}, bonus: {}, weight: {}}}
  note: {table: e.note, subject: {kind: person, key: person_id}, columns: {note_id: {}, person_id: {}, city: {}, val: {}}}
  article: {table: e.article, subject: none, columns: {item: {}, price: {}, pad: {}}}
partners:""" + PARTNER.format(name="rows", mode="mode: rows") + PARTNER.format(name="stats", mode="mode: aggregates")

LATE = "(SELECT max(n.val) FROM note n WHERE n.city = p.city)"  # above p's groups: person 16 has B's and C's highest
COUNTS = "(SELECT city, count(*) AS c FROM person WHERE person_id < 10 AND city <> 'A' GROUP BY city) a"
FIFTH = "(VALUES (9), (1035)) g(s) LEFT JOIN person p ON p.salary = g.s LEFT JOIN article a ON a.price = p.salary + 1000"
# (statement, people who must be in the ledger)
AFFECTED = [
    (f"SELECT (SELECT {LATE} FROM person p WHERE p.person_id = 1 GROUP BY p.city)", {1, 3}),
    (f"SELECT b.note_id, (SELECT {LATE} FROM person p WHERE p.person_id = b.person_id GROUP BY p.city) FROM note b WHERE b.note_id = 5", {3, 16}),
    (f"SELECT a.item FROM article a WHERE a.price = 2004 AND a.price - 1992 IN (SELECT {LATE} FROM person p WHERE p.person_id < 3 GROUP BY p.city)", {1, 2}),
    (f"SELECT l FROM (SELECT p.city, lag({LATE}) OVER (ORDER BY p.city) AS l FROM person p WHERE p.person_id < 3 GROUP BY p.city) w WHERE w.city = 'C'", {1, 2}),
    (f"SELECT count(*) FROM {COUNTS}, LATERAL (WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 5 - a.c) SELECT n FROM r) b WHERE b.n = 4",
     {1, 2, 3, 4, 6, 7, 8, 9}),
    ("SELECT count(*) FROM person p, unnest(ARRAY[p.city]) q(k) WHERE NOT EXISTS (SELECT 1 FROM note n WHERE n.city = q.k AND n.val = 3)", {2, 4, 5}),
    ("WITH q AS MATERIALIZED (SELECT DISTINCT weight FROM person WHERE person_id > 2) SELECT count(*) FROM q WHERE q.weight::text = '1.00'", {3}),
    (f"SELECT count(*) FROM {COUNTS}, LATERAL (WITH q AS (SELECT a.c AS c) SELECT 1 AS one FROM (VALUES (1)) z(k) WHERE EXISTS (SELECT 1 FROM q WHERE q.c = 1)) b",
     {1, 2, 3, 4, 6, 7, 8, 9}),
    ("SELECT count(*) FROM person p WHERE p.person_id NOT IN (SELECT n.person_id FROM note n WHERE n.city = p.city UNION ALL SELECT n.person_id FROM note n WHERE n.note_id < 3)", {1, 3}),
    ("SELECT count(*) FROM (SELECT city, generate_series(1, 4 - count(*)) FROM person GROUP BY city) q", set(range(1, 21))),
    ("SELECT count(*) FROM (SELECT city, generate_series(1, 4 - c) FROM (SELECT city, count(*) AS c FROM person GROUP BY city) g) q", set(range(1, 21))),
    ("SELECT count(*) FROM (SELECT a.item, generate_series(1, 12 - (SELECT max(n.val) FROM note n WHERE n.city = a.item)) FROM (VALUES ('A'), ('B')) a(item)) q",
     {16, 18}),
    # Without person 5 the row that is kept finds another article, or none.
    (f"SELECT count(*) FROM {FIFTH} WHERE a.item IS NULL", {5}),
    # A condition whose sub-select is not computed again over the rows around it.
    (f"SELECT o.s FROM (VALUES (1)) o(s) WHERE (SELECT {LATE} FROM person p WHERE p.person_id = o.s GROUP BY p.city) > 0", {1, 3}),
    ("SELECT p.person_id FROM person p WHERE (SELECT max(q.val) FROM (SELECT n.val FROM note n WHERE n.city = p.city AND n.val < 12) q) > 10", {9, 18, 20}),
    (f"SELECT o.s FROM (VALUES (9)) o(s) WHERE (SELECT g.s FROM {FIFTH} WHERE a.item IS NULL AND g.s >= o.s) < 1000", {5}),
]
# One person's value, 7's key.
SHOWN = [
    "SELECT s FROM (SELECT person_id, sum(c) OVER () AS s FROM (SELECT person_id, CASE WHEN person_id = 5 THEN salary ELSE 0 END AS c FROM person) q) w WHERE person_id = 7",
    "SELECT s FROM (SELECT person_id, sum(salary) FILTER (WHERE person_id = 5) OVER () AS s FROM person) w WHERE person_id = 7",
    "SELECT s FROM (SELECT person_id, count(*) FILTER (WHERE person_id = 5 AND salary > 1000) OVER () AS s FROM person) w WHERE person_id = 7",
    "SELECT s FROM (SELECT person_id, sum(bonus) OVER () AS s FROM person) w WHERE person_id = 7",
    "SELECT (SELECT sum(bonus) FROM person)",
    "SELECT (SELECT sum(q.salary) FROM (SELECT salary FROM person WHERE person_id >= 5 ORDER BY person_id LIMIT 1) q)",
    "SELECT (SELECT sum(q.salary) FROM (SELECT salary FROM person GROUP BY salary HAVING bool_or(person_id = 5)) q)",
    "SELECT s FROM generate_series(1000, 1150) s WHERE s = 1035 AND (EXISTS (SELECT 1 FROM person p WHERE p.salary = s)) IS TRUE",
    "SELECT s FROM generate_series(1000, 1150) s WHERE s = 1035 AND NOT NOT EXISTS (SELECT 1 FROM person p WHERE p.salary = s)",
    "SELECT s FROM generate_series(1000, 1150) s WHERE s = 1035 AND (s IN (SELECT p.salary FROM person p) OR s < 0)",
]


@pytest.fixture(scope="module")
def gateway(make_module_gateway):
    return make_module_gateway(policy_yaml=POLICY, sql=SQL)


def told(gateway, partner, sql):
    """(rows, subject -> grades)"""
    entries = gateway.admin("SHOW LEDGER LAST 1")
    after = int(entries[-1]["sequence"]) if entries else -1
    rows = gateway.rows(f"{partner}.one", sql)
    grades = {}
    for row in gateway.admin(f"SHOW DISCLOSED AFTER {after}"):
        grades.setdefault(int(row["subject"]), set()).add(row["grade"])
    return rows, grades


@pytest.mark.parametrize("sql, affected", AFFECTED)
def test_nobody_is_left_out(gateway, sql, affected):
    assert affected <= set(told(gateway, "rows", sql)[1])


@pytest.mark.parametrize("sql", SHOWN)
def test_a_value_that_shows_is_no_mere_influence(gateway, sql):
    rows, grades = told(gateway, "rows", sql)
    assert len(rows) == 1 and rows[0][0] is not None
    assert grades[5] & {"direct", "witness"}


def test_which_of_nobodys_rows_is_picked_is_not_asked_twice(gateway):
    """The set of keys would be computed over another article, found by another plan."""
    sql = ("SELECT q.pad IS NULL, lag(n.val) OVER (ORDER BY n.note_id) FROM (SELECT price, pad FROM article LIMIT 1) q "
           "JOIN note n ON n.note_id = 5000 - q.price OR n.note_id = q.price - 1990 ORDER BY n.note_id")
    rows, grades = told(gateway, "rows", sql)
    assert len(rows) >= 1 and len(grades) == 20


def test_a_function_in_from_reads_nobody_behind_its_back(gateway):
    assert gateway.refused("rows.one", "WITH q AS (SELECT person_id, salary FROM person) SELECT u.n FROM q, unnest(ARRAY(SELECT r.salary FROM q r)) u(n)"
                           " WHERE q.person_id = 7")[0] == "0A000"


@pytest.mark.parametrize("sql", [
    "SELECT count(*), sum(a.price) FROM person p LEFT JOIN article a ON a.price = p.salary + 1000 AND p.person_id = 5",
    "SELECT count(*), sum(q.price) FROM person p JOIN (SELECT a.price, p.person_id FROM person p LEFT JOIN article a ON a.price = p.salary + 1000 AND p.person_id = 5) q"
    " ON q.person_id = p.person_id"])
def test_an_outer_join_leaves_one_value_among_nulls(gateway, sql):
    state, message, hint = gateway.refused("stats.one", sql)
    assert state == "42501" and "equality" in message and hint


def test_what_an_outer_join_does_not_find_is_no_value(gateway):
    """Statistics join by equality: NULLs where nothing matches are held against the threshold too."""
    rows, recorded = told(gateway, "stats", "SELECT count(*), sum(a.price) FROM person p LEFT JOIN article a ON a.price = p.salary WHERE p.person_id = 5")
    assert rows == [] and recorded in ({}, {5: {"probe"}})


ANTI = ["g LEFT JOIN person p ON p.person_id = g.id AND p.salary <> g.s WHERE p.person_id IS NULL",
        "g WHERE NOT EXISTS (SELECT 1 FROM person p WHERE p.person_id = g.id AND p.salary <> g.s)",
        "g LEFT JOIN person p ON p.person_id = g.id AND p.salary <> g.s GROUP BY g.id, g.s HAVING count(p.person_id) = 0",
        "g LEFT JOIN person p ON p.person_id = g.id AND p.salary <> g.s ORDER BY p.person_id NULLS FIRST LIMIT 3",
        "(SELECT g.id, g.s, coalesce(p.person_id, -1) AS n FROM g LEFT JOIN person p ON p.person_id = g.id AND p.salary <> g.s) g WHERE n = -1",
        "g, LATERAL (SELECT count(*) AS n FROM person p WHERE p.person_id = g.id AND p.salary <> g.s) x WHERE x.n = 0",
        "(SELECT id, s FROM g UNION ALL SELECT g.id, g.s FROM g JOIN person p ON p.person_id = g.id AND p.salary <> g.s) g"
        " GROUP BY g.id, g.s HAVING count(*) = 1",
        "(SELECT g.id, g.s, p.person_id FROM g LEFT JOIN person p ON p.person_id = g.id AND p.salary <> g.s"
        " INTERSECT SELECT id, s, NULL FROM g) g",
        "g WHERE (SELECT 1 FROM person p WHERE p.person_id = g.id AND p.salary <> g.s) IS NULL",
        "g WHERE coalesce((SELECT max(p.salary) FROM person p WHERE p.person_id = g.id AND p.salary <> g.s), 0) = 0",
        "(SELECT g.id, g.s, EXISTS (SELECT 1 FROM person p WHERE p.person_id = g.id AND p.salary <> g.s) AS e FROM g) g WHERE NOT e",
        "g LEFT JOIN person p ON p.person_id = g.id AND p.salary <> g.s, generate_series(1, CASE WHEN p.person_id IS NULL THEN 1 ELSE 0 END) n",
        "g LEFT JOIN person p ON p.person_id = g.id AND p.salary <> g.s, unnest(ARRAY[p.person_id IS NULL]) n(x) WHERE n.x",
        "g LEFT JOIN person p ON p.person_id = g.id AND p.salary <> g.s, LATERAL (VALUES (p.person_id IS NULL)) n(x) WHERE n.x",
        "(SELECT g.id, g.s, generate_series(1, 1 - count(p.person_id)) FROM g LEFT JOIN person p ON p.person_id = g.id AND p.salary <> g.s GROUP BY g.id, g.s) g",
        "g LIMIT (SELECT 0 FROM person p WHERE p.person_id = 5 AND p.salary <> 1035)",
        "g OFFSET (SELECT 3 FROM person p WHERE p.person_id = 5 AND p.salary <> 1035)",
        "g, (WITH RECURSIVE r AS (SELECT 1 AS n, NULL::bigint AS x UNION ALL SELECT n + 1, p.person_id FROM r LEFT JOIN person p ON p.person_id = 5"
        " AND p.salary <> 1035 WHERE n < 2) SELECT n, x FROM r) r WHERE r.x IS NULL AND r.n = 2"]


@pytest.mark.parametrize("rest", ANTI)
def test_whom_absence_tells_of_is_recorded(gateway, rest):
    """Guesses that are there because nobody contradicts them: everybody who could is in the ledger, and charged."""
    _, recorded = told(gateway, "rows", f"WITH g(id, s) AS (VALUES (1, 10), (2, 20), (5, 50)) SELECT g.id, g.s FROM {rest}")
    assert set(recorded) == set(range(1, 21)) and all("witness" in how for how in recorded.values()), recorded


GUESS = "g JOIN person p ON p.person_id = g.id AND p.salary <> g.s OR p.person_id = 7"
FIGURES = [f"SELECT g.id FROM {GUESS} GROUP BY g.id, g.s HAVING count(*) = 1",
           f"SELECT x.id FROM (SELECT g.id, count(*) AS n FROM {GUESS} GROUP BY g.id, g.s) x WHERE x.n = 1"]


@pytest.mark.parametrize("sql", FIGURES)
def test_who_keeps_a_group_out_is_recorded(gateway, sql):
    """Guesses of which one is right: its group has one person less, and only it is shown."""
    returned, recorded = told(gateway, "rows", f"WITH g(id, s) AS (VALUES (1, 1007), (2, 1000), (5, 1000)) {sql}")
    assert [row[0] for row in returned] == [1] and set(recorded) == {2, 5, 7}, recorded


@pytest.mark.parametrize("sql", [
    "WITH RECURSIVE r AS (SELECT person_id, salary, 1 AS n FROM person UNION ALL SELECT r.person_id, r.salary, n + 1 FROM r WHERE n < salary AND person_id = 5) SELECT count(*) FROM r",
    "SELECT count(*), sum(p.salary) FROM person p JOIN (VALUES (1), (2), (3)) v(n) ON v.n = 1 OR p.person_id = 5",
    "SELECT count(*), sum(p.salary) FROM person p JOIN (SELECT 1 AS n UNION ALL SELECT 2 AS n) v ON v.n = 1 OR p.person_id = 5"])
def test_nobody_weighs_more_than_others(gateway, sql):
    assert gateway.refused("stats.one", sql)[0] == "42501"
