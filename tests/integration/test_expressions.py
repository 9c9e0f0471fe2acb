"""What analysts, BI tools and ORMs write in expressions gives through the gateway what it gives in PostgreSQL."""
import pytest

# Over t: a row of constants, so that nothing is folded away as one literal.
SOURCE = """(SELECT 7 AS n, 2.5 AS x, 'Ann,Bob' AS s, 'a.b' AS p, date '2024-02-29' AS d, timestamp '2024-02-29 13:14:15.5' AS ts,
    timestamptz '2024-02-29 13:14:15+00' AS tz, interval '26 hours 3 minutes' AS i, time '13:14' AS c, ARRAY[3, 1, 2] AS a, ARRAY['x', 'y'] AS b,
    '{"a": {"b": [1, 2, null]}, "c": "x", "d": true}'::jsonb AS j, '[{"k": 1}, {"k": 2}]'::json AS k, '\\xdeadbeef'::bytea AS y,
    inet '10.1.2.3/8' AS h, int4range(1, 5) AS r, true AS t)"""
EXPRESSIONS = {
    "text": ["lpad(n::text, 5, '0')", "repeat('ab', 3)", "format('%s-%I', s, p)", "initcap(s)", "split_part(s, ',', 2)", "s || n", "n || s", "concat_ws('/', s, n, x)", "left(s, -2)",
             "translate(s, 'AB', 'ab')", "overlay(s PLACING 'x' FROM 2 FOR 1)", "position('B' IN s)", "substring(s FROM 2 FOR 3)", "substring(s FROM '[a-z]+')", "trim(both 'A' FROM s)",
             "s LIKE 'A!%' ESCAPE '!'", "s NOT ILIKE 'a%'", "s SIMILAR TO '%(Ann|Eve)%'", "s NOT SIMILAR TO 'a!%' ESCAPE '!'", "s ~* 'ann'", "s !~ '^B'", "regexp_replace(s, '[aeiou]', '', 'g')",
             "regexp_match(s, '(\\w+),(\\w+)')", "regexp_split_to_array(s, ',')", "s COLLATE \"C\" < 'B'", "s COLLATE pg_catalog.\"C\"", "s IS NFC NORMALIZED", "normalize(s, NFD)", "md5(s)",
             "encode(sha256(y), 'hex')", "decode('aGk=', 'base64')", "get_byte(y, 1)", "octet_length(y)", "U&'\\0041'", "E'a\\nb'", "B'101'", "X'1F'", "'abc'::char(2)", "s::name", "starts_with(s, 'A')"],
    "numbers": ["round(x, 1)", "n % 4", "n ^ 2", "|/ x", "@ (-n)", "width_bucket(x, 0, 10, 5)", "trunc(x * 100 / 3, 2)", "greatest(n, x, 1)", "least(n, 3)", "n::float8 / 3", "to_char(x, 'FM999.00')",
                "to_hex(255)", "gcd(12, n)", "scale(x)", "sind(30)", "n & 3 | 8", "n BETWEEN SYMMETRIC 9 AND 1", "n IS DISTINCT FROM x", "nullif(n, 7)", "n::oid", "n::bit(8)"],
    "times": ["date_trunc('month', ts)", "date_part('dow', d)", "extract(epoch FROM i)", "age(ts, timestamp '2000-01-01')", "to_char(ts, 'YYYY-MM-DD HH24:MI')", "to_date('2024-03', 'YYYY-MM')",
              "make_interval(days => 10, hours => n)", "make_date(2024, 2, 1)", "make_timestamptz(2024, 1, 1, 0, 0, 0)", "justify_hours(i)", "d + 1", "d - date '2024-01-01'", "ts + interval '1' month", "i * 2",
              "c + i", "tz AT TIME ZONE 'UTC'", "ts AT TIME ZONE 'Europe/London'", "tz AT TIME ZONE interval '01:00'", "(d, i) OVERLAPS (d, d)", "interval '1-2' YEAR TO MONTH", "interval(0) '1.7 seconds'",
              "timestamp(0) '2024-01-01 00:00:00.6'", "date_bin('15 minutes', ts, timestamp '2000-01-01')", "isfinite(d)", "ts::date", "ts::time(0)", "to_timestamp(0) AT TIME ZONE 'UTC'"],
    "arrays": ["a[1]", "a[2:]", "a[:2]", "(ARRAY[[1,2],[3,4]])[2][1]", "ARRAY[[1,2],[3,4]]", "a || 4", "0 || a", "a || a", "a @> ARRAY[1]", "a && ARRAY[9]", "ARRAY[1] <@ a", "n = ANY (a)", "3 = ANY ('{1,3}')",
               "n <> ALL (a)", "s LIKE ANY (ARRAY['A%', 'C%'])", "array_length(a, 1)", "cardinality(a)", "array_position(b, 'y')", "array_to_string(a, '-', '*')", "string_to_array(s, ',')", "array_remove(a, 1)",
               "array_append(b, 'z')", "a::text[]", "a::text", "'{1,2}'::int[]", "'{{1},{2}}'::int[][]", "array_cat(a, ARRAY[9])", "trim_array(a, 1)", "ARRAY[]::text[]", "array_dims(a)", "array_to_json(a)"],
    "documents": ["j -> 'a' -> 'b' -> 0", "j ->> 'c'", "j #> '{a,b}'", "j #>> '{a,b,1}'", "j @> '{\"c\": \"x\"}'", "j ? 'c'", "j ?| ARRAY['z', 'd']", "j ?& ARRAY['a', 'z']", "j - 'a'", "j #- '{a,b}'", "j || '{\"e\": 1}'",
                  "j['a']['b'][1]", "j @? '$.a.b[*]'", "jsonb_path_query_first(j, '$.a.b[0]')", "jsonb_path_exists(j, '$.z')", "jsonb_set(j, '{c}', '5')", "jsonb_insert(j, '{a,b,0}', '9')", "jsonb_typeof(j)",
                  "jsonb_array_length(j #> '{a,b}')", "jsonb_pretty(j)", "json_build_object('n', n, 's', s)", "jsonb_build_array(n, s, NULL)", "to_json(s)", "to_jsonb(a)", "json_object('{a,1}')", "k -> 0 ->> 'k'",
                  "json_array_length(k)", "jsonb_extract_path_text(j, 'a', 'b')", "jsonb_extract_path(j, VARIADIC ARRAY['a', 'b'])", "(j ->> 'd')::boolean", "(j #> '{a,b,0}')::int", "jsonb_strip_nulls(j)"],
    "rows": ["(n, s) = (7, 'Ann,Bob')", "(n, s) <> (7, 'x')", "(n, s) < (7, 'B')", "(n, s) IN ((1, 'x'), (7, 'Ann,Bob'))", "(n, s) NOT IN ((1, 'x'), (7, NULL))", "(n, NULL) IS NULL", "ROW(n, s) IS NOT NULL",
             "(n, s) IS DISTINCT FROM (7, NULL)", "(n, s) IS NOT DISTINCT FROM (7, 'Ann,Bob')", "(n, NULL::text) = (8, NULL)", "(n, NULL::text) = (7, NULL)", "ROW(n, s)::text", "to_json(ROW(n, s))",
             "(1, n) BETWEEN (1, 2) AND (1, 9)", "(n, (n, s)) = (7, (7, 'z'::text))",
             "(n, (n, NULL::text)) = (7, (7, NULL::text))", "(n, (n, NULL::text)) IN ((7, (7, NULL::text)))", "(n, (n, NULL::text)) IS NOT DISTINCT FROM (7, (7, NULL::text))"],
    "networks and ranges": ["host(h)", "h << inet '10.0.0.0/8'", "network(h)", "masklen(h)", "n <@ int4range(1, 9)", "r @> 3", "r && int4range(4, 8)", "lower(r)", "upper_inc(r)", "daterange(d, d + 7)", "'[1,3)'::int4range = r"],
    "sub-selects": ["(SELECT 1)", "(SELECT 1 AS x)", "EXISTS (SELECT 1)", "ARRAY(SELECT 1 UNION ALL SELECT 2)", "(SELECT count(*) FROM generate_series(1, 3))", "n IN (SELECT 7)", "(VALUES (1))"],
    "choices": ["CASE WHEN n > 5 THEN 'big' ELSE 'small' END", "CASE n WHEN 7 THEN x ELSE n END", "coalesce(NULL, n, 1)", "t IS NOT FALSE", "(n > 3) IS UNKNOWN", "NOT t AND n = 7 OR x > 2", "t::int", "n::boolean"],
    "sets": ["generate_series(1, 3)", "unnest(a)", "unnest(b) || 'x'", "regexp_split_to_table(s, ',')", "string_to_table(s, ',')", "(regexp_matches(s, '(\\w)', 'g'))[1]", "jsonb_array_elements(j #> '{a,b}')",
             "jsonb_object_keys(j)", "json_array_elements(k) ->> 'k'", "jsonb_path_query(j, '$.a.b[*]')", "generate_series(d, d + 2, interval '1 day')", "generate_subscripts(a, 1)", "jsonb_each_text(j)"],
}


@pytest.fixture(scope="module")
def sessions(shop_gateway):
    with shop_gateway.connect("acme.cert") as through, shop_gateway.cluster.connect(shop_gateway.database) as direct:
        yield through, direct


def answer(connection, sql):
    cursor = connection.execute(sql)
    return [(column.name, column.type_code) for column in cursor.description], cursor.fetchall()


@pytest.mark.parametrize("kind", EXPRESSIONS)
def test_the_same_as_without_a_gateway(sessions, kind):
    wrong = []
    for expression in EXPRESSIONS[kind]:
        sql = f"SELECT {expression} FROM {SOURCE} AS q"
        expected = answer(sessions[1], sql)
        try:
            actual = answer(sessions[0], sql)
        except Exception as error:
            actual = f"{error} {getattr(error, 'sqlstate', '')}"
        if actual != expected:
            wrong.append(f"{expression}: {actual}, not {expected}")
    assert not wrong, "\n".join(wrong)


def test_random_values_are_random(sessions):
    ((first, second),) = sessions[0].execute("SELECT gen_random_uuid(), gen_random_uuid()").fetchall()
    assert first != second
    assert all(0 <= value < 1 for value, in sessions[0].execute("SELECT random() FROM generate_series(1, 3)"))
    rows = sessions[0].execute("SELECT n FROM generate_series(1, 50) AS n ORDER BY random() LIMIT 50").fetchall()
    assert sorted(n for n, in rows) == list(range(1, 51)) != [n for n, in rows]
