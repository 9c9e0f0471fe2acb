"""Whatever a partner writes, a row that its policy hides never shows, not even by an error."""
import psycopg
import pytest

from harness.rawclient import RawClient, errors, rows

SCHEMA = """
CREATE SCHEMA g;
CREATE TABLE g.person (person_id bigint PRIMARY KEY, name text, code varchar(40), fixed char(6), n integer, small smallint,
    big bigint, amount numeric, ratio float8, real4 float4, born date, seen timestamp, zoned timestamptz, span interval,
    clock time, doc jsonb, raw json, tags text[], numbers integer[], pattern text, flag boolean, bytes bytea, id uuid,
    hidden boolean NOT NULL, latin text COLLATE "C" DEFAULT 'a', posix text COLLATE "POSIX" DEFAULT 'a');
CREATE TABLE g.purchase (purchase_id integer PRIMARY KEY, person_id bigint REFERENCES g.person, label text, qty integer);
CREATE TABLE g.line (line_id integer PRIMARY KEY, purchase_id integer REFERENCES g.purchase, note text, amount integer);
CREATE TABLE g.shop (shop_id integer PRIMARY KEY, title text, n integer, doc text);
CREATE VIEW g.ratios AS SELECT person_id, name, 100 / n AS share, code::integer AS number, hidden FROM g.person;
INSERT INTO g.person SELECT i, i::text, i::text, i::text, i, i, i, i, i, i, date '2000-01-01' + i, timestamp '2000-01-01' + i * interval '1 day',
    timestamptz '2000-01-01 00:00+00' + i * interval '1 day', i * interval '1 day', time '01:00', jsonb_build_array(i), '[1]', ARRAY['a', 'b'],
    ARRAY[1, 2], 'a%', true, '\\x01', ('00000000-0000-0000-0000-00000000000' || i)::uuid, false FROM generate_series(1, 4) i;
INSERT INTO g.purchase SELECT i, i, i::text, i FROM generate_series(1, 4) i;
INSERT INTO g.line SELECT i, i, i::text, i FROM generate_series(1, 4) i;
-- One row about nobody, visible, on which statements may fail.
INSERT INTO g.shop VALUES (1, '1', 1, '1'), (2, 'poison', 0, 'poison');
"""
# What differs between the two databases: rows that the partner may not see. Almost every partial
# function fails on one of their values.
HIDDEN = """
INSERT INTO g.person VALUES (99, 'poison', 'poison', 'poison', 0, 0, 9223372036854775807, 'NaN', 1e308, 'infinity', '5874897-12-31',
    '294276-12-31', '294276-12-31 00:00+00', interval '178000000 years', '23:59', '{"a": 1}', '"\\u0000"', ARRAY['a', 'b', 'c'],
    ARRAY[1, 2, 3], E'\\\\', NULL, '\\xff', '00000000-0000-0000-0000-000000000099', true),
  (98, '((', '((', '((', -2147483648, -32768, -9223372036854775808, 1e400::numeric, -1e308, 'NaN', 'infinity', 'infinity', 'infinity',
    interval '-178000000 years', '00:00', 'null', '{}', ARRAY[['a']], '{}', '[', NULL, '', NULL, true);
INSERT INTO g.purchase VALUES (99, NULL, 'poison', 0), (98, 99, 'poison', 0);
INSERT INTO g.line VALUES (99, 99, 'poison', 0), (98, NULL, 'poison', 0);
"""
POLICY = """
controller: {name: Guard, dpo: {name: D, email: d@guard.example}}
subjects: {person: {dataset: person, key: person_id}}
datasets:
  person:
    table: g.person
    subject: {kind: person, key: person_id}
    columns: {person_id: {}, name: {category: name}, code: {}, fixed: {}, n: {}, small: {}, big: {}, amount: {}, ratio: {}, real4: {}, born: {}, seen: {},
              zoned: {}, span: {}, clock: {}, doc: {}, raw: {}, tags: {}, numbers: {}, pattern: {}, flag: {}, bytes: {}, id: {}, hidden: {}, latin: {}, posix: {}}
  purchase:
    table: g.purchase
    subject: {kind: person, via: [{dataset: person, on: person_id}], key: person_id}
    columns: {purchase_id: {}, person_id: {}, label: {}, qty: {}}
  line:
    table: g.line
    subject: {kind: person, via: [{dataset: purchase, on: purchase_id}], key: person_id}
    columns: {line_id: {}, purchase_id: {}, note: {}, amount: {}}
  ratios: {table: g.ratios, subject: {kind: person, key: person_id}, columns: {person_id: {}, name: {}, share: {}, number: {}, hidden: {}}}
  shop: {table: g.shop, subject: none, columns: {shop_id: {}, title: {}, n: {}, doc: {}}}
partners:
  nosy:
    contract: {agreement: A, breach_contact: {name: B, phone: "1"}}
    purposes: [test]
    agents: [{name: one, identity: {certificate: "spiffe://nosy/one"}}]
    valid: {from: 2020-01-01, until: 2099-12-31}
    grants:
      - dataset: person
        # dear, so that the planner would rather run anything else first
        rows: "lower(upper(lower(upper(lower(upper(lower(upper(hidden::text)))))))) = 'false'"
        columns: {person_id: clear, name: clear, code: clear, fixed: clear, n: clear, small: clear, big: clear, amount: clear, ratio: clear, real4: clear,
                  born: clear, seen: clear, zoned: clear, span: clear, clock: clear, doc: clear, raw: clear, tags: clear, numbers: clear,
                  pattern: clear, flag: clear, bytes: clear, id: clear, latin: clear, posix: clear}
      - {dataset: purchase, rows: "lower(upper(lower(upper(lower(upper(purchase_id::text)))))) <> '98'", columns: {purchase_id: clear, person_id: clear, label: clear, qty: clear}}
      - {dataset: line, columns: {line_id: clear, purchase_id: clear, note: clear, amount: clear}}
      - dataset: ratios
        rows: "lower(upper(lower(upper(lower(upper(lower(upper(hidden::text)))))))) = 'false'"
        columns: {person_id: clear, name: clear, share: clear, number: clear}
      - {dataset: shop, columns: all}
    budget: {subjects: {per_day: 1000000, total: 1000000}, rows_per_statement: 1000000, errors_per_day: 100000000, probes_per_day: 100000000}
"""

# Expressions that fail on a hidden row's value, over person p. Each is tried in every place below.
EXPRESSIONS = [
    "1 / p.n", "p.n % p.small", "p.name::integer", "p.code::numeric", "p.fixed::date", "p.big + 1", "p.big - 2", "p.big * 2", "-p.n", "@ p.n", "abs(p.n)",
    "-p.small", "abs(p.small)", "p.n - 1", "p.small::integer - 2147483647 - 2", "p.big::integer", "p.n::smallint", "p.amount::integer", "p.amount::float8",
    "p.amount::float4", "p.ratio * 10", "p.ratio::integer", "p.ratio::float4", "p.real4::bigint", "p.amount = p.ratio", "p.ratio < p.amount", "p.amount::numeric(3)",
    "p.born + 1", "p.born::timestamp", "p.born::timestamptz", "p.seen + interval '1 day'", "p.zoned + interval '1 day'", "p.span * 2", "p.span + p.span", 
    "p.seen - p.span", "date_part('epoch', p.born)", 
    "to_char(p.born, 'YYYY')", "p.raw::jsonb", "p.raw ->> 'a'", "jsonb_array_length(p.doc)", "json_array_length(p.raw)", "p.name LIKE p.pattern",
    "p.name ILIKE p.pattern", "'a' LIKE p.pattern", "p.name NOT LIKE p.pattern", "'ab' LIKE 'a' || p.pattern", "p.name LIKE 'a' ESCAPE p.name", "p.name ~ p.pattern", "'a' ~ p.name",
    "regexp_replace('a', p.name, '')", "substring('a' FROM p.name)", "substr(p.name, 1, p.n)", "substring(p.name FROM 1 FOR p.n)", "chr(p.n)", "split_part(p.name, 'a', p.n)",
    "overlay(p.name PLACING 'x' FROM p.n)", "decode(p.name, 'hex')", "p.name::bytea", "p.name::uuid", "p.name::boolean", "p.name::jsonb", "convert_from(p.bytes, 'UTF8')", "sqrt(p.n)",
    "ln(p.n)", "power(p.ratio, 2)", "exp(p.ratio)", "p.n ^ 0.5", "mod(5, p.n)", "div(5, p.n)", "gcd(p.n, 0)", "make_date(2000, p.n, 1)",
    "make_time(p.n, 0, 0)", "to_date(p.name, 'YYYY')", "to_number(p.name, '9')", "to_timestamp(p.ratio)", "width_bucket(p.n, 0, 0, p.n)", "ARRAY[p.tags, ARRAY['x', 'y']]",
    "ARRAY[p.numbers, ARRAY[1, 2]]", "string_to_array(p.name, ',')::integer[]", "array_append(p.tags, 'x')", "array_position(p.tags, 'x')", 
    # a literal's type that is decided above it
    "(CASE WHEN p.name = 'poison' THEN 'x' ELSE '1' END)::integer", "coalesce(CASE WHEN p.flag THEN '1' END, 'x')::integer", "(CASE p.n WHEN 0 THEN 'x' ELSE '1' END)::date",
    "nullif('x', p.name || 'x')::integer", "nullif('1', CASE WHEN p.flag THEN '' ELSE '1' END)::integer IS NULL", "greatest('1', CASE WHEN p.n = 0 THEN 'x' ELSE '0' END)::integer",
    "(ARRAY['1', CASE WHEN p.n = 0 THEN 'x' ELSE '1' END])::integer[]", "least('x', CASE WHEN p.flag THEN '1' ELSE 'x' END)::numeric", "CASE WHEN p.n = 0 THEN 1 / p.n ELSE 1 END",
    "CASE WHEN p.flag THEN 1 ELSE 1 / 0 * p.n END", "coalesce(p.flag, (1 / p.n)::text::boolean)", "p.n IN (1, 1 / p.small)", "p.n BETWEEN 0 AND 1 / p.n", "p.n = ANY (ARRAY[1 / p.small])",
    "p.name = ANY (string_to_array(p.pattern, NULL)::varchar(1)[])", "nullif(1 / p.n, 1)", "(1 / p.n) IS NULL", "(1 / p.n = 1) IS TRUE", "(p.name::integer) IS DISTINCT FROM 1",
    "p.flag OR 1 / p.n > 0", "p.flag AND 1 / p.n > 0", "NOT (p.n = 0 AND 1 / p.n > 0)", "p.name = 'poison' AND 1 / (p.n + 0) > 0", "p.name <> 'poison' OR p.name::integer > 0",
    "p.name::integer + 1", "length(p.name::integer::text)", "concat(p.name::integer)", "lower(p.name)::integer", "p.zoned::date - p.born", "p.seen::time", "p.span::time", "timezone('UTC', p.zoned)",
    "date_bin(p.span, p.seen, '2000-01-01')", "isfinite(p.seen + p.span)", "(p.doc ->> 0)::integer",
    "json_build_object(p.name, 1, p.pattern::jsonb, 2)", "jsonb_build_object(CASE WHEN p.flag THEN 'a' END, 1)", "p.numbers[1] / 0",
    # rows, subscripts, collations, documents, ranges
    "(p.n, 1 / p.n) = (1, 1)", "(p.n, p.small) < (1, 1 / p.n)", "(p.name, 1 / p.n) IN (('1', 1), ('2', 0))", "(p.name, p.n) NOT IN (('poison', 1 / p.n))", "ROW(p.n, 1 / p.n) IS NULL",
    "(p.name, 1 / p.n) IS DISTINCT FROM ('1', 1)", "(p.name, p.code::integer) >= ('1', 1)", "ROW(p.name = '1', p.name::integer) = ROW(p.flag, 1)",
    "p.numbers[p.big]", "p.numbers[p.amount::bigint]", "p.numbers[p.big:]", "p.numbers[1:p.amount]", "(ARRAY[1, 2])[p.big]", "p.numbers[p.n - 1]", "(p.numbers[1:2])[1 / p.n]", "p.doc['a']::integer",
    "(p.name COLLATE \"C\")::integer", "lower(p.name COLLATE \"C\")::numeric > 0", "p.name SIMILAR TO p.pattern", "p.name NOT SIMILAR TO '%' ESCAPE p.name", "p.name LIKE p.pattern ESCAPE '!'",
    "p.doc - 'a'", "p.doc #- '{a}'", "p.doc::integer", "jsonb_set(p.doc, '{a}', '1')", "jsonb_insert(p.doc, '{0}', '1')", "p.name::jsonpath", "jsonb_path_query_first(p.doc, p.name::jsonpath)",
    "p.tags || 'x'", "p.tags || ARRAY['x']", "trim_array(p.tags, 2)", "int4range(1, p.n)", "p.name::inet", "p.name::oid", "p.name::bit(3)", "p.name::daterange", "p.n::bit(8)::text::integer",
    "make_interval(secs => p.ratio)", "make_date(year => 2000, month => p.n, day => 1)", "format('%s', p.name::integer)", "format(p.name)", "lpad(p.name, 6)::integer", "repeat(p.name, 1)::integer",
    "concat(VARIADIC ARRAY[p.name::integer])", "regexp_split_to_array('a', p.name)", "p.name || 1 / p.n", "get_byte(p.bytes, 0)", "factorial(p.n)", "interval '1' year * p.ratio",
]
# Where an expression e over person p may stand. {b}: as a boolean.
PLACES = {
    "target": "SELECT p.person_id, {e} AS e FROM person p ORDER BY p.person_id",
    "where": "SELECT p.person_id FROM person p WHERE {b} ORDER BY p.person_id",
    "sort": "SELECT p.person_id FROM person p ORDER BY ({e})::text, p.person_id",
    "group": "SELECT {e} AS e, count(*) FROM person p GROUP BY {e} ORDER BY 2",
    "group-ordinal": "SELECT {e} AS e, count(*) FROM person p GROUP BY 1 ORDER BY 2",
    "argument": "SELECT count({e}) FROM person p",
    "distinct-argument": "SELECT count(DISTINCT ({e})::text) FROM person p",
    "sorted-argument": "SELECT string_agg(p.name, ',' ORDER BY ({e})::text, p.name) FROM person p",
    "join": "SELECT p.person_id, s.shop_id FROM shop s JOIN person p ON {b} ORDER BY 1, 2",
    "join-equality": "SELECT p.person_id, s.shop_id FROM person p JOIN shop s ON ({e})::text = s.title ORDER BY 1, 2",
    "join-key-of-people": "SELECT p.person_id FROM person p JOIN purchase q ON ({e})::text = q.label AND q.person_id = p.person_id ORDER BY 1",
    "self-join": "SELECT p.person_id FROM person p JOIN person o ON o.person_id = p.person_id AND {b} ORDER BY 1",
    "sub-target": "SELECT s.person_id FROM (SELECT p.person_id, {e} AS e FROM person p) s WHERE s.e IS NOT NULL ORDER BY 1",
    "sub-target-joined": "SELECT s.person_id FROM (SELECT p.person_id, ({e})::text AS e FROM person p) s JOIN shop ON s.e = shop.title ORDER BY 1",
    "sub-where": "SELECT s.person_id FROM (SELECT p.person_id FROM person p WHERE {b}) s ORDER BY 1",
    "sub-sub": "SELECT s.e FROM (SELECT t.e FROM (SELECT ({e})::text AS e FROM person p) t) s WHERE s.e <> '' ORDER BY 1",
    "above-group": "SELECT p.e FROM (SELECT p.*, count(*) AS many FROM person p GROUP BY {all}) p JOIN (SELECT 1 AS e) o ON true WHERE {b}",
    "limited": "SELECT s.e FROM (SELECT ({e})::text AS e FROM person p ORDER BY 1 LIMIT 3) s WHERE s.e <> '' ORDER BY 1",
    "or": "SELECT p.person_id FROM person p WHERE p.person_id = 1 OR {b} ORDER BY 1",
    "and-exact": "SELECT p.person_id FROM person p WHERE p.name = 'poison' AND {b}",
    "exact-key": "SELECT p.person_id FROM person p WHERE p.person_id = 99 AND {b}",
    "lateral": "SELECT q.person_id FROM person q, LATERAL (SELECT {aside}) p WHERE {b} ORDER BY 1",
    "lateral-values": "SELECT q.person_id FROM person q, LATERAL (VALUES ({outer})) p ({names}) WHERE {b} ORDER BY 1",
    "exists": "SELECT q.person_id FROM person q WHERE EXISTS (SELECT 1 FROM (SELECT {aside}) p WHERE {b}) ORDER BY 1",
    "exists-direct": "SELECT p.person_id FROM person p WHERE NOT EXISTS (SELECT 1 FROM shop s WHERE s.n = 0 AND {b}) ORDER BY 1",
    "array-of": "SELECT p.person_id FROM person p WHERE ARRAY(SELECT ({e})::text FROM shop s) <> '{{}}' ORDER BY 1",
    "case": "SELECT p.person_id FROM person p WHERE CASE WHEN p.person_id > 50 THEN {b} ELSE true END ORDER BY 1",
}
ALL = "person_id name code fixed n small big amount ratio real4 born seen zoned span clock doc tags numbers pattern flag bytes id".split()

OUTER = [*ALL, "raw", "latin", "posix"]

# Statements over datasets whose rows are hidden by a path that leads nowhere (a NULL key), and joins between them.
STATEMENTS = [
    # a view's columns are expressions
    "SELECT name FROM ratios WHERE share > 0 ORDER BY 1", "SELECT name FROM ratios WHERE name = 'poison' AND number IS NOT NULL", "SELECT name FROM ratios ORDER BY share", "SELECT sum(share), max(number) FROM ratios",
    "SELECT s.name FROM (SELECT name, number AS n FROM ratios) s WHERE s.n = 1", "SELECT r.name FROM ratios r JOIN shop s ON r.number = s.n", "SELECT share, count(*) FROM ratios GROUP BY share ORDER BY 1", "SELECT * FROM ratios WHERE number IN (1, 2) ORDER BY 1",
    "SELECT r.name FROM ratios r JOIN person p ON p.n = r.number OR r.share = 7 ORDER BY 1",
    # sets of rows
    "SELECT generate_series(1, 3, p.n) FROM person p ORDER BY 1", "SELECT person_id, jsonb_array_elements(p.doc) FROM person p ORDER BY 1", "SELECT person_id, regexp_matches('a', p.name) FROM person p ORDER BY 1",
    "SELECT s.e FROM (SELECT p.name, jsonb_array_elements_text(p.doc) AS e FROM person p) s WHERE s.name = 'poison' OR s.e <> ''", "SELECT unnest(string_to_array(p.name, NULL)::integer[]), count(*) FROM person p GROUP BY 1 ORDER BY 1",
    "SELECT s.e FROM (SELECT json_array_elements_text(p.raw) AS e, p.name FROM person p) s JOIN shop ON shop.doc = s.name", "SELECT jsonb_path_query(p.doc, '$.a') FROM person p ORDER BY p.person_id",
    "SELECT s.e FROM (SELECT unnest(p.tags) AS e, p.name FROM person p) s WHERE s.name = 'poison' AND s.e::integer = 1", "SELECT unnest(array_agg(p.name::integer ORDER BY p.name)) FROM person p GROUP BY p.flag",
    # COLLATE
    "SELECT 1 FROM person p WHERE p.name = 'poison' AND (p.latin COLLATE \"C\" = 'x') = (p.latin = p.posix)", "SELECT 1 FROM person p WHERE p.name = 'poison' AND p.latin COLLATE \"C\" = p.posix",
    "SELECT 1 FROM (SELECT p.name, p.latin COLLATE \"POSIX\" AS l, p.posix, p.latin FROM person p) p WHERE p.name = 'poison' AND p.l < p.latin",
    # texts of two collations cannot be compared, which the first row that gets there tells
    "SELECT 1 FROM person p WHERE p.name = 'poison' AND p.latin = p.posix", "SELECT 1 FROM person p WHERE p.name = 'poison' AND upper(p.latin || p.posix) <> ''",
    "SELECT 1 FROM person p WHERE p.name = 'poison' AND p.latin IN (p.posix, 'x')", "SELECT 1 FROM person p WHERE p.name = 'poison' AND greatest(p.latin, p.posix) = 'x'",
    "SELECT 1 FROM (SELECT p.name, p.latin, lower(p.posix) AS low FROM person p) p WHERE p.name = 'poison' AND p.latin < p.low", "SELECT 1 FROM person p JOIN person o ON p.name = 'poison' AND p.latin = o.posix",
    "SELECT 1 FROM person p WHERE CASE WHEN p.name = 'poison' THEN p.latin BETWEEN p.posix AND 'x' ELSE true END", "SELECT count(*) FROM person p WHERE p.name <> 'poison' OR nullif(p.latin, p.posix) IS NULL",
    "SELECT 1 / q.qty FROM purchase q", "SELECT q.label::integer FROM purchase q ORDER BY 1", "SELECT q.purchase_id FROM purchase q WHERE 1 / q.qty > 0 ORDER BY 1",
    "SELECT l.note::integer FROM line l ORDER BY 1", "SELECT l.line_id FROM line l WHERE 10 / l.amount > 0 ORDER BY 1", "SELECT sum(1 / l.amount) FROM line l",
    "SELECT count(*) FROM line l JOIN purchase q ON q.purchase_id = l.purchase_id AND 1 / q.qty + 1 / l.amount > 0",
    "SELECT 1 FROM line l JOIN shop s ON l.note = s.doc WHERE s.title::integer > 0 AND s.n = 0", "SELECT 1 FROM line l JOIN shop s ON l.note = s.doc AND 1 / s.n > 0 AND s.n = 0",
    "SELECT 1 FROM purchase q JOIN shop s ON q.label = s.doc AND s.n = 0 WHERE q.label::integer + 1 / s.n > 0", "SELECT 1 FROM purchase q JOIN shop s ON q.label = s.title WHERE s.n = 0 AND 1 / s.n > 0",
    "SELECT x.e FROM (SELECT 1 / s.n AS e, s.title AS t FROM shop s WHERE s.n = 0) x JOIN purchase q ON q.label = x.t WHERE x.e > 0",
    "SELECT x.e FROM (SELECT s.title::integer AS e, s.title AS t FROM shop s WHERE s.n = 0) x JOIN line l ON l.note = x.t WHERE x.e > 0",
    "SELECT 1 FROM purchase q JOIN shop s ON 1 / s.n = q.qty AND q.label = s.title WHERE s.n = 0", "SELECT count(1 / s.n) FROM purchase q JOIN shop s ON q.label = s.title WHERE s.n = 0",
    "SELECT 1 FROM purchase q WHERE q.label = 'poison' AND 1 / 0 = 1", "SELECT 1 FROM line l, purchase q WHERE l.note = 'poison' AND 1 / (l.amount * q.qty) = 1",
    "SELECT 1 FROM shop s JOIN (SELECT q.label FROM purchase q) x ON x.label = s.title AND s.n = 0 AND s.title::integer = 1",
    "SELECT x.label FROM (SELECT q.label, sum(q.qty) AS c FROM purchase q GROUP BY q.label) x WHERE 1 / x.c > 0 ORDER BY 1",
    "SELECT x.label FROM (SELECT q.label, sum(q.qty) AS c FROM purchase q GROUP BY q.label) x WHERE x.label::integer > 0 ORDER BY 1",
    "SELECT q.label, 1 / sum(q.qty) FROM purchase q GROUP BY q.label ORDER BY 1", "SELECT max(1 / q.qty) FROM purchase q", "SELECT q.label FROM purchase q ORDER BY 1 / q.qty, q.label LIMIT 2",
    "SELECT q.label FROM purchase q LIMIT 1 / (SELECT 0)", "SELECT person_id FROM purchase JOIN person USING (person_id) WHERE 1 / qty > 0 ORDER BY 1",
    "SELECT p.person_id FROM person p JOIN line l ON p.name = l.note AND 1 / l.amount > 0 ORDER BY 1", "SELECT p.person_id FROM person p JOIN line l ON p.name::integer = l.note::integer ORDER BY 1",
    "SELECT o.n FROM (SELECT p.name::integer AS n, p.person_id FROM person p) o JOIN purchase q ON q.person_id = o.person_id AND o.n = q.qty ORDER BY 1",
    "SELECT o.n FROM (SELECT p.name::integer AS n FROM person p WHERE p.name = 'poison') o", "SELECT p.name FROM person p, shop s WHERE p.name = s.title AND s.n = 0 AND 1 / s.n = 1",
    "SELECT p.name FROM person p JOIN shop s ON p.name = s.title WHERE p.n = 0 AND s.doc::integer = 1",
]
# Sub-selects run for each row around them: whether they run at all, and over what, would tell of it. What fails on
# constants fails when it is planned, or not at all.
SUB_SELECTS = [
    "SELECT 1 FROM person p, LATERAL (SELECT p.n AS c) x WHERE 1/x.c > 0",
    "SELECT 1 FROM person p, LATERAL (VALUES (p.n)) x(c) WHERE 1/x.c > 0",
    "SELECT 1 FROM person p, generate_series(p.n, p.n) x(c) WHERE 1/x.c > 0",
    "SELECT 1 FROM person p, unnest(ARRAY[p.n]) x(c) WHERE 1/x.c > 0",
    "SELECT 1 FROM line p, unnest(ARRAY[p.amount]) x(c) WHERE 1/x.c > 0",
    "SELECT 1 FROM person p WHERE EXISTS (SELECT 1 FROM (SELECT p.n AS c) x WHERE 1/x.c > 0)",
    "SELECT 1 FROM person p WHERE NOT EXISTS (SELECT 1 FROM (SELECT p.n AS c) x WHERE 1/x.c > 0)",
    "SELECT 1 FROM person p WHERE EXISTS (SELECT 1 FROM shop s, LATERAL (SELECT p.n AS c) x WHERE 1/x.c > 0)",
    "SELECT 1 FROM person p WHERE EXISTS (WITH x AS (SELECT p.n AS c) SELECT 1 FROM x WHERE 1/x.c > 0)",
    "SELECT 1 FROM person p WHERE EXISTS (WITH x AS MATERIALIZED (SELECT p.n AS c) SELECT 1 FROM x WHERE 1/x.c > 0)",
    "SELECT 1 FROM person p WHERE 1 IN (SELECT 1/x.c FROM (SELECT p.n AS c) x)",
    "SELECT 1 FROM person p WHERE ARRAY(SELECT 1/x.c FROM (SELECT p.n AS c) x) IS NOT NULL",
    "SELECT 1 FROM person p WHERE (SELECT 1/x.c FROM (SELECT p.n AS c) x) > 0",
    "SELECT ARRAY(SELECT 1/x.c FROM (SELECT p.n AS c) x) FROM person p",
    "SELECT s.z FROM (SELECT ARRAY(SELECT 1/x.c FROM (SELECT p.n AS c) x) AS z FROM person p) s WHERE s.z <> '{7}'",
    "SELECT 1 FROM person p LEFT JOIN LATERAL (SELECT p.n AS c) x ON 1/x.c > 0",
    "SELECT 1 FROM person p JOIN LATERAL (SELECT p.name AS c) x ON x.c::int > 0",
    "SELECT 1 FROM person p JOIN LATERAL (SELECT p.name AS c UNION ALL SELECT '1') x ON x.c::int > 0",
    "SELECT 1 FROM person p JOIN LATERAL (SELECT DISTINCT p.name AS c) x ON x.c::int > 0",
    "SELECT 1 FROM person p, LATERAL (SELECT p.n AS c FROM shop) x WHERE 1/x.c > 0",
    "SELECT 1 FROM person p, LATERAL (SELECT x.c/0 AS c FROM (SELECT p.n AS c) x) y WHERE p.name = 'poison'",
    "SELECT 1 FROM person p WHERE EXISTS (SELECT 1 FROM unnest(ARRAY[p.n]) x(c) WHERE 1/x.c > 0)",
    "SELECT 1 FROM person p WHERE EXISTS (SELECT 1 FROM (VALUES (p.n)) x(c) WHERE 1/x.c > 0)",
    "SELECT 1 FROM person p WHERE EXISTS (SELECT 1 WHERE 1/p.n > 0)",
    "SELECT 1 FROM person p WHERE EXISTS (SELECT 1 WHERE p.name = 'poison' AND 1/0 > 0)",
    "SELECT 1 FROM person p WHERE EXISTS (SELECT 1 FROM (SELECT p.name AS c) x WHERE x.c = 'poison' AND x.c::int > 0)",
    "SELECT 1 FROM person p WHERE EXISTS (SELECT 1/p.n HAVING 1/p.n > 0)",
    "SELECT 1 FROM person p WHERE EXISTS (SELECT max(1/x.c) FROM (SELECT p.n AS c) x HAVING max(1/x.c) > 0)",
    "SELECT 1 FROM person p WHERE EXISTS (SELECT max(1/x.c) FROM (SELECT p.n AS c) x GROUP BY 1/x.c HAVING max(1/x.c) > 0)",
    "SELECT 1 FROM person p WHERE 1 = ANY (SELECT 1/x.c FROM (SELECT p.n AS c) x ORDER BY 1/x.c LIMIT 1)",
    "SELECT 1 FROM person p WHERE EXISTS (SELECT 1 FROM shop s WHERE s.n = p.n AND 1/s.n > 0)",
    "SELECT 1 FROM person p WHERE NOT EXISTS (SELECT 1 FROM shop s WHERE s.title = p.name AND 1/s.n > 0)",
    "SELECT 1 FROM person p WHERE EXISTS (SELECT 1 FROM shop s WHERE s.title = p.name AND 1/s.n > 0) OR p.n < 0",
    "SELECT 1 FROM person p WHERE EXISTS (SELECT 1 FROM (VALUES (1),(0)) s(n) WHERE s.n = p.n AND 1/s.n > 0) OR p.n < 0",
    "SELECT 1 FROM person p WHERE p.n IN (SELECT s.n FROM (VALUES (1),(0)) s(n) WHERE 1/s.n > 0) OR p.n < 0",
    "SELECT 1 FROM person p WHERE EXISTS (SELECT 1 FROM (VALUES (1),(0)) s(n) WHERE s.n >= p.n AND s.n <= p.n AND 1/s.n > 0) OR p.n < 0",
    "SELECT 1 FROM person p WHERE NOT EXISTS (SELECT 1 FROM (VALUES (1),(0)) s(n) WHERE s.n >= p.n AND s.n <= p.n AND 1/s.n > 0)",
    "SELECT 1 FROM person p WHERE EXISTS (SELECT 1 FROM (VALUES (1),(0)) s(n) WHERE s.n >= p.n AND s.n <= p.n AND 1/s.n > 0)",
    "SELECT 1 FROM person p WHERE EXISTS (SELECT 1 FROM (VALUES (0)) s(n) WHERE p.name = 'poison' AND 1/s.n > 0 LIMIT 1)",
    "SELECT 1 FROM person p WHERE EXISTS (SELECT 1 FROM (SELECT 1 AS n UNION ALL SELECT 0) s WHERE p.name = 'poison' AND 1/s.n > 0 LIMIT 1)",
    "SELECT 1 FROM person p WHERE EXISTS (SELECT 1 FROM generate_series(0,1) s(n) WHERE p.name = 'poison' AND 1/s.n > 0 LIMIT 1)",
    "SELECT 1 FROM person p WHERE p.name = 'poison' AND EXISTS (SELECT 1 FROM generate_series(0,0) s(n) WHERE p.n = s.n AND 1/s.n > 0 LIMIT 1)",
    "SELECT 1 FROM person p WHERE ARRAY(SELECT 1/s.n FROM generate_series(0,0) s(n) WHERE p.n = s.n) = '{}'",
    "SELECT 1 FROM person p WHERE 1 <> ALL (SELECT 1/s.n FROM generate_series(0,0) s(n) WHERE p.n >= s.n AND p.n <= s.n)",
    "SELECT 1 FROM line l, LATERAL (SELECT 1/s.n AS z FROM generate_series(0,0) s(n) WHERE l.amount = s.n LIMIT 1) x",
    "SELECT 1 FROM line l, LATERAL (SELECT 1/s.n AS z FROM generate_series(0,0) s(n) WHERE l.note = 'poison' LIMIT 1) x WHERE l.note = 'poison'",
    "SELECT 1 FROM line l, LATERAL (SELECT 1/s.n AS z FROM shop s WHERE s.doc = l.note ORDER BY s.doc LIMIT 1) x WHERE x.z = 100",
    "SELECT 1 FROM person p WHERE p.name <> 'poison' OR (ARRAY[1]::text)::int > 0",
    "SELECT 1 FROM person p WHERE p.name <> 'poison' OR (('{x'::text||'}')::int[]) IS NULL",
    "SELECT 1 FROM person p WHERE p.name <> 'poison' OR (('[2,1'::text||']')::int4range) IS NULL",
    "SELECT 1 FROM person p WHERE p.name <> 'poison' OR int4range(1,2)::text::int > 0",
    "SELECT 1 FROM person p WHERE p.name <> 'poison' OR (('{x'::text||'}')::json) IS NULL",
    "SELECT 1 FROM person p WHERE p.name <> 'poison' OR (('{x'::text||'}')::jsonb) IS NULL",
    "SELECT 1 FROM person p WHERE p.name <> 'poison' OR (('{x'::text||'}')::date[]) IS NULL",
    "SELECT 1 FROM person p WHERE p.name <> 'poison' OR (CASE WHEN true THEN 'x' ELSE 'y' END)::int > 0",
    "SELECT 1 FROM person p WHERE p.name <> 'poison' OR 1/0 > 0",
    "SELECT 1 FROM person p WHERE p.name <> 'poison' OR (ROW(1,2) < ROW(1,1/0))",
    "SELECT 1 FROM person p WHERE p.name <> 'poison' OR (ARRAY[[1],[2,3]])[1][1] > 0",
    "SELECT 1 FROM person p WHERE p.name <> 'poison' OR nullif(1, 1.0) > 1",
    "SELECT 1 FROM person p WHERE p.name <> 'poison' OR (json_build_object(NULL::text, 1)::text) IS NULL",
    "SELECT 1 FROM person p WHERE p.name <> 'poison' OR EXISTS (SELECT 1/0)",
    "SELECT 1 FROM person p WHERE p.name <> 'poison' OR EXISTS (SELECT 1 FROM shop s WHERE 1/s.n > 0)",
    "SELECT 1 FROM person p WHERE p.name <> 'poison' OR EXISTS (SELECT 1 FROM shop s HAVING sum(9223372036854775807::numeric * 2 * s.n)::bigint > 0)",
    "SELECT 1 FROM person p WHERE p.name <> 'poison' OR 1 IN (SELECT 1/s.n FROM shop s)",
    "SELECT 1 FROM person p WHERE p.name <> 'poison' OR ARRAY(SELECT 1/s.n FROM shop s) IS NULL",
    "SELECT 1 FROM person p WHERE p.name <> 'poison' OR (SELECT 1/s.n FROM shop s LIMIT 1) IS NULL",
    "SELECT 1 FROM person p WHERE EXISTS (SELECT 1 FROM (VALUES (p.amount),(p.ratio)) x(c))",
    "SELECT 1 FROM person p WHERE EXISTS (SELECT 1 FROM (VALUES (p.amount),(p.ratio)) x(c) WHERE x.c IS NULL) OR p.n < 0",
    "SELECT 1 FROM person p, LATERAL (VALUES (p.amount),(p.ratio)) x(c) WHERE x.c > 0",
    "SELECT 1 FROM person p, LATERAL (SELECT p.amount UNION ALL SELECT p.ratio) x(c) WHERE x.c > 0",
    "SELECT 1 FROM person p, upper(p.name) x(c) WHERE x.c::int > 0",
    "SELECT 1 FROM person p WHERE EXISTS (SELECT ntile(p.n) OVER () FROM shop s)",
    "SELECT 1 FROM person p WHERE EXISTS (SELECT 1 FROM (SELECT ntile(p.n) OVER () AS t FROM shop s) x WHERE x.t > 0)",
    "SELECT 1 FROM person p WHERE p.name <> 'poison' OR p.latin IN (SELECT o.posix FROM person o)",
    "SELECT 1 FROM person p WHERE p.name = 'poison' AND p.latin NOT IN (SELECT o.posix FROM person o)",
    "SELECT 1 FROM person p WHERE p.name <> 'poison' OR p.latin < ANY (SELECT o.posix FROM person o)",
    "SELECT 1 FROM person p WHERE p.name <> 'poison' OR ARRAY(SELECT p.latin) = ARRAY(SELECT p.posix)",
    "SELECT 1 FROM person p WHERE p.name <> 'poison' OR ARRAY(SELECT o.latin FROM person o) = ARRAY(SELECT o.posix FROM person o)",
    "SELECT 1 FROM person p, unnest(ARRAY[p.latin]) x(c) WHERE p.name = 'poison' AND x.c = p.posix",
    "SELECT 1 FROM person p, string_to_table(p.latin, 'x') x(c) WHERE p.name = 'poison' AND x.c = p.posix",
    "SELECT 1 FROM person p WHERE p.name = 'poison' AND EXISTS (SELECT 1 FROM unnest(ARRAY[p.latin]) x(c) WHERE x.c = p.posix)",
    "SELECT 1 FROM person p WHERE p.name = 'poison' AND EXISTS (SELECT 1 FROM regexp_split_to_table(p.latin, 'x') x(c) WHERE x.c = p.posix)",
    "SELECT 1 FROM person p WHERE p.name = 'poison' AND EXISTS (SELECT 1 FROM (VALUES (p.latin)) x(c) WHERE x.c = p.posix)",
    "SELECT 1 FROM person p WHERE p.name = 'poison' AND (coalesce(p.latin, p.posix))[1:1] IS NULL",
    "SELECT 1 FROM person p, LATERAL unnest(ARRAY[p.n]) x(c) JOIN shop s ON 1/x.c > 0",
    "SELECT 1 FROM person p, (unnest(ARRAY[p.n]) x(c) JOIN shop s ON 1/x.c > 0)",
    "SELECT 1 FROM line l, (unnest(ARRAY[l.amount]) x(c) LEFT JOIN shop s ON 1/x.c > 0)",
    "SELECT 1 FROM line l, (LATERAL (SELECT l.amount AS c) x LEFT JOIN shop s ON 1/x.c > 0)",
    "SELECT 1 FROM line l CROSS JOIN LATERAL (SELECT l.amount AS c) x LEFT JOIN shop s ON 1/x.c = s.n",
    "SELECT 1 FROM line l LEFT JOIN LATERAL (SELECT l.amount AS c, l.note AS t) x ON x.t = 'poison' AND 1/x.c > 0",
    "SELECT 1 FROM line l LEFT JOIN unnest(ARRAY[l.amount]) x(c) ON true WHERE 1/coalesce(x.c, 0) > 0",
    "SELECT 1 FROM line l LEFT JOIN LATERAL (SELECT 1 AS k FROM shop s WHERE s.n = l.amount + 100) x ON true WHERE l.note='poison' AND 1/coalesce(x.k, 0) > 0",
    "SELECT x.c, count(*) FROM person p, LATERAL (SELECT p.n AS c) x GROUP BY x.c HAVING 1/x.c > 0",
    "SELECT 1/x.c, count(*) FROM person p, LATERAL (SELECT p.n AS c) x GROUP BY 1",
    "SELECT 1/x.c FROM (SELECT DISTINCT y.c FROM person p, LATERAL (SELECT p.n AS c) y) x",
    "SELECT p.n FROM person p GROUP BY p.n HAVING EXISTS (SELECT 1 FROM (SELECT p.n AS c) x WHERE 1/x.c > 0)",
    "SELECT p.n, (SELECT 1/x.c FROM (SELECT p.n AS c) x) FROM person p GROUP BY p.n",
    "SELECT p.n, ARRAY(SELECT 1/x.c FROM (VALUES (p.n)) x(c)) FROM person p GROUP BY p.n",
    "SELECT p.n, ARRAY(SELECT 1/x.c FROM unnest(ARRAY[p.n]) x(c)) FROM person p GROUP BY p.n",
    "SELECT p.n FROM person p GROUP BY p.n HAVING p.n IN (SELECT 1/x.c FROM unnest(ARRAY[p.n]) x(c))",
    "SELECT p.n FROM person p WHERE p.n IN (SELECT 1/s.n FROM shop s WHERE s.n > 0)",
    "SELECT p.n FROM person p WHERE (p.n, p.small) IN (SELECT 1/s.n, 1 FROM shop s)",
    "SELECT p.n FROM person p WHERE p.n NOT IN (SELECT 1/s.n FROM shop s WHERE s.title = p.name)",
    "SELECT p.n FROM person p WHERE EXISTS (SELECT 1 FROM purchase q WHERE q.person_id = p.person_id AND EXISTS (SELECT 1 FROM (SELECT p.n + q.qty AS c) x WHERE 1/x.c > 0))",
    "SELECT p.n FROM person p WHERE EXISTS (SELECT 1 FROM (SELECT * FROM (SELECT p.n AS c) y) x WHERE 1/x.c > 0)",
    "SELECT p.n FROM person p WHERE EXISTS (SELECT 1 FROM (SELECT c FROM (VALUES (p.n)) y(c) UNION ALL SELECT 1) x WHERE 1/x.c > 0)",
    "SELECT p.n FROM person p WHERE EXISTS (SELECT 1 FROM (SELECT max(c) AS c FROM (VALUES (p.n)) y(c)) x WHERE 1/x.c > 0)",
    "SELECT p.n FROM person p WHERE EXISTS (SELECT 1 FROM (SELECT row_number() OVER (ORDER BY 1/c) AS c FROM (VALUES (p.n)) y(c)) x WHERE x.c > 0)",
    "SELECT p.n FROM person p WHERE EXISTS (WITH RECURSIVE x(c) AS (SELECT p.n UNION ALL SELECT 1/c FROM x WHERE c < 0) SELECT 1 FROM x WHERE 1/c > 0)",
    "SELECT p.n FROM person p WHERE EXISTS (WITH RECURSIVE x(c, d) AS (SELECT p.n, 1 UNION ALL SELECT 1/c, 2 FROM x WHERE d < 2) SELECT 1 FROM x)",
    "SELECT c FROM (SELECT p.n AS c FROM person p UNION SELECT 5) x WHERE 1/c > 0",
    "SELECT c FROM (SELECT p.amount AS c FROM person p UNION ALL SELECT p.ratio FROM person p) x WHERE c > 3",
    "SELECT c FROM (SELECT p.amount AS c FROM person p INTERSECT SELECT p.ratio FROM person p) x",
    "SELECT c FROM (SELECT p.name AS c FROM person p EXCEPT SELECT 'x') x WHERE c::int > 0",
]
PLANS = {"as-is": [], "nested-loops": ["enable_hashjoin = off", "enable_mergejoin = off"], "merge": ["enable_hashjoin = off", "enable_nestloop = off"],
         "no-statistics-hash": ["enable_nestloop = off", "enable_mergejoin = off", "join_collapse_limit = 1"]}


@pytest.fixture(scope="module")
def sides(make_module_gateway, cluster):
    """Two gateways that differ by the hidden rows alone, and the role of each."""
    without = make_module_gateway(policy_yaml=POLICY, sql=SCHEMA + "ANALYZE;")
    with_them = make_module_gateway(policy_yaml=POLICY, sql=SCHEMA + HIDDEN + "ANALYZE;")
    return without, with_them


def outcome(connection, sql, parameters=None):
    """Rows, or what the client was told."""
    try:
        return sorted(map(repr, connection.execute(sql, parameters).fetchall()))
    except psycopg.Error as error:
        return error.sqlstate, error.diag.message_primary


def sessions(sides, settings=()):
    for gateway in sides:
        gateway.cluster.rows(f'ALTER ROLE "{gateway.role}" RESET ALL')
        for setting in settings:
            gateway.cluster.rows(f'ALTER ROLE "{gateway.role}" SET {setting}')
    return [gateway.connect("nosy.one") for gateway in sides]


def differences(sides, statements, settings=()):
    """(what differs, how many statements were answered by rows)."""
    pair = sessions(sides, settings)
    wrong, answered = [], 0
    try:
        for sql in statements:
            without, with_them = (outcome(connection, sql) for connection in pair)
            answered += isinstance(without, list)
            if without != with_them:
                wrong.append(f"{sql}\n    without: {str(without)[:200]}\n    with:    {str(with_them)[:200]}")
    finally:
        for connection in pair:
            connection.close()
    return wrong, answered


def statement(place, expression):
    return PLACES[place].format(e=expression, b=f"({expression}) IS NOT NULL", all=", ".join(f"p.{column}" for column in ALL),
                                aside=", ".join(f"q.{column} AS {column}" for column in OUTER), outer=", ".join(f"q.{column}" for column in OUTER),
                                names=", ".join(OUTER))


@pytest.mark.parametrize("place", PLACES)
def test_an_expression_that_fails_on_a_hidden_row_fails_or_not_alike_without_it(sides, place):
    wrong, answered = differences(sides, [statement(place, expression) for expression in EXPRESSIONS])
    assert not wrong, "\n".join([f"{len(wrong)} of {len(EXPRESSIONS)}:"] + wrong)


@pytest.mark.parametrize("plan", PLANS)
def test_no_join_order_lets_a_hidden_row_speak(sides, plan):
    wrong, answered = differences(sides, STATEMENTS, PLANS[plan])
    assert not wrong, "\n".join([f"{len(wrong)} of {len(STATEMENTS)}:"] + wrong)


@pytest.mark.parametrize("plan", PLANS)
def test_no_sub_select_tells_of_the_hidden_row_that_it_runs_for(sides, plan):
    wrong, answered = differences(sides, SUB_SELECTS, PLANS[plan])
    assert not wrong, "\n".join([f"{len(wrong)} of {len(SUB_SELECTS)}:"] + wrong)
    assert answered > len(SUB_SELECTS) / 2, answered


def test_the_expressions_do_fail_on_the_hidden_rows(sides, cluster):
    """Otherwise the tests above would prove nothing."""
    database, failing = sides[1].database, 0
    with cluster.connect(database) as connection:
        for expression in EXPRESSIONS:
            try:
                connection.execute(f"SELECT {expression} FROM g.person p")
            except psycopg.Error:
                failing += 1
    assert failing > 0.85 * len(EXPRESSIONS), f"{failing} of {len(EXPRESSIONS)} fail"


def test_an_error_on_a_visible_row_is_recorded_as_a_probe(sides):
    """Whether it comes may depend on the join order, and that on anything: so each is written down."""
    gateway = sides[0]
    before = gateway.ledger(1)[-1]["sequence"]
    state, message, hint = gateway.refused("nosy.one", "SELECT 1 / s.n FROM shop s JOIN purchase q ON q.qty = 1")
    assert (state, message) == ("22012", "division by zero"), (state, message)
    entries = [entry for entry in gateway.ledger(20) if int(entry["sequence"]) > int(before)]
    assert [entry["sqlstate"] for entry in entries if entry["type"] == "probe"] == ["22012"], entries


@pytest.mark.parametrize("declared", [0, 25, 1043], ids=["open", "text", "varchar"])
@pytest.mark.parametrize("sql", [
    "SELECT p.person_id FROM person p WHERE p.name <> $1 AND (p.name <> 'poison' OR $1::date > '2000-01-01')",
    "SELECT p.person_id FROM person p WHERE p.name <> $1 AND CASE WHEN p.name = 'poison' THEN $1::timestamp IS NULL ELSE true END",
    "SELECT p.person_id FROM (SELECT * FROM person WHERE name <> $1) p WHERE p.name <> 'poison' OR $1::interval > '1 day'",
])
def test_a_parameter_that_is_cast_fails_on_no_hidden_row(sides, sql, declared):
    pair = [RawClient(gateway, "nosy.one") for gateway in sides]
    answers = [client.extended(sql, ["1x"], types=(declared,)) for client in pair]
    told = [[error["C"] for error in errors(answer)] or sorted(rows(answer)) for answer in answers]
    for client in pair:
        client.close()
    assert told[0] == told[1], told


@pytest.mark.parametrize("oid", [2205, 2206, 24, 28, 27, 2249, 16385, 32, 3734, 142])
def test_a_parameter_of_a_type_that_reads_the_catalogue_is_refused(sides, oid):
    client = RawClient(sides[0], "nosy.one")
    (error,) = errors(client.extended("SELECT $1", ["g.person"], types=(oid,)))
    client.close()
    assert error["C"] == "42501" and "not allowed" in error["M"] and error.get("H"), error
