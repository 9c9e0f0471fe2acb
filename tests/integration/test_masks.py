"""Each mask shows what its name says, of every type it is for, and nothing else of the value, in every format."""
import datetime
import decimal

import pytest

from harness.rawclient import RawClient, rows

SQL = """
CREATE SCHEMA m;
CREATE TABLE m.person (person_id integer PRIMARY KEY, t text, v varchar(40), c char(8), small smallint, n integer, big bigint, num numeric, f float8, d date, ts timestamp,
    tz timestamptz, b boolean, u uuid, j jsonb, arr text[], post text, mail text);
INSERT INTO m.person VALUES
  (1, 'Chloé Ünal', '+44 7700 900123', 'abcdefgh', -17, 1234567, -98765432109, 1234.5678, 2.5, '1987-06-15', '1987-06-15 23:59:59', '1987-06-15 23:59:59+00', true,
   '11111111-2222-3333-4444-555555555555', '{"a": 1}', ARRAY['x'], 'SW1A 1AA', 'ann@public.example'),
  (2, 'ab', '', 'ab', 5, 12, 3, -0.5, 0, '2000-02-29', '2000-02-29 00:00:00', '2000-02-29 00:00:00+00', false,
   '11111111-2222-3333-4444-555555555556', '[]', '{}', ' b3 2ee', 'no-at-sign'),
  (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (4, '', 'wxyz', '', 32767, -2147483648, -9223372036854775808, 'NaN', 'Infinity', 'infinity', '-infinity', 'infinity', true,
   '11111111-2222-3333-4444-555555555557', 'null', ARRAY[NULL], '75001', 'a@b@c'),
  (5, '日本語テキスト', '日本語テ', '日本', -32768, 2147483647, 9223372036854775807, 1e30, 1e308, '4713-01-01 BC', '0001-01-01', '0001-01-01 00:00:00+00', NULL, NULL, NULL, NULL, 'x', '@');
"""
COLUMNS = "t v c small n big num f d ts tz b u j arr post mail".split()


def policy(masks):
    """One partner that sees each column of `masks` ({column: mask}) under that mask."""
    columns = ", ".join(f"{column}: {mask}" for column, mask in masks.items())
    names = ", ".join(f"{column}: {{}}" for column in ["person_id"] + COLUMNS)
    return f"""
controller: {{name: Mask, dpo: {{name: D, email: d@mask.example}}}}
subjects: {{person: {{dataset: person, key: person_id}}}}
datasets: {{person: {{table: m.person, subject: {{kind: person, key: person_id}}, columns: {{{names}}}}}}}
masks:
  half: {{form: masked, sql: "left({{column}}, length({{column}}) / 2) || '…'"}}
  risky: {{form: masked, sql: "100 / {{column}}"}}
partners:
  see:
    contract: {{agreement: A, breach_contact: {{name: B, phone: "1"}}}}
    purposes: [test]
    agents: [{{name: one, identity: {{certificate: "spiffe://see/one"}}}}]
    valid: {{from: 2020-01-01, until: 2099-12-31}}
    grants: [{{dataset: person, columns: {{person_id: clear, {columns}}}}}]
    budget: {{subjects: {{per_day: 1000, total: 1000}}, rows_per_statement: 1000}}
"""


D, M = datetime.date, decimal.Decimal
# mask -> column -> what rows 1 to 5 show
SHOWN = {
    "null": {column: [None] * 5 for column in COLUMNS},
    "redact": {column: ["***"] * 5 for column in COLUMNS},
    "last4": {"t": ["***Ünal", "***", None, "***", "***テキスト"], "v": ["***0123", "***", None, "***", "***"], "c": ["***efgh", "***", None, "***", "***"],
              "small": ["***", "***", None, "***2767", "***2768"], "n": ["***4567", "***", None, "***3648", "***3647"],
              "big": ["***2109", "***", None, "***5808", "***5807"]},
    "initial": {"t": ["C.", "a.", None, ".", "日."], "v": ["+.", ".", None, "w.", "日."], "c": ["a.", "a.", None, ".", "日."]},
    "year": {"d": [1987, 2000, None, None, -4713], "ts": [1987, 2000, None, None, 1]},
    "month": {"d": [D(1987, 6, 1), D(2000, 2, 1), None, None, None], "ts": [D(1987, 6, 1), D(2000, 2, 1), None, None, None]},
    "postcode_area": {"post": ["SW", "B", None, "75", "x"]},
    "domain": {"mail": ["public.example", "", None, "b", ""]},
    "bucket(10)": {"small": [-20, 0, None, 32760, -32770], "n": [1234560, 10, None, -2147483650, 2147483640],
                   "big": [M(-98765432110), M(0), None, M("-9223372036854775810"), M("9223372036854775800")],
                   "num": [M(1230), M(-10), None, M("NaN"), M(10 ** 30)]},
}
TYPES_REFUSED = {"last4": ["num", "f", "d", "ts", "tz", "b", "u", "j", "arr"], "initial": ["n", "d", "b", "u", "j"], "year": ["t", "n", "tz", "num"],
                 "month": ["t", "tz", "n"], "postcode_area": ["n", "d"], "domain": ["n", "d"], "bucket(10)": ["t", "d", "f", "u"], "bucket(0)": ["n"], "token": ["d", "num", "f", "c", "b", "j"]}


@pytest.fixture(scope="module")
def gateway(make_module_gateway):
    return make_module_gateway(policy_yaml=policy({"t": "redact"}), sql=SQL)


def masked(gateway, mask, columns):
    gateway.reload(policy({column: mask for column in columns}))
    gateway.grant()


@pytest.mark.parametrize("mask", SHOWN)
def test_what_it_shows(gateway, mask):
    columns = list(SHOWN[mask])
    masked(gateway, mask, columns)
    sql = f"SELECT {', '.join(columns)} FROM person ORDER BY person_id"
    for binary in (False, True):
        with gateway.connect("see.one") as connection:
            seen = connection.cursor(binary=binary).execute(sql).fetchall()
        for at, column in enumerate(columns):
            shown = [row[at] for row in seen]
            assert str(shown) == str(SHOWN[mask][column]), (mask, column, binary)


def test_text_and_binary_are_the_same_rows(gateway):
    masked(gateway, "last4", ["t", "v", "c", "n"])
    client = RawClient(gateway, "see.one")
    sql = "SELECT t, v, c, n FROM person ORDER BY person_id"
    text, binary, simple = client.extended(sql), client.extended(sql, result_formats=(1,)), client.query(sql)
    client.close()
    assert rows(text) == rows(binary) == rows(simple)


@pytest.mark.parametrize("sql", [
    "SELECT * FROM person", "SELECT p.* FROM person p", "SELECT t AS x FROM person", "SELECT lower(t) FROM person", "SELECT max(t), min(t), string_agg(t, ',') FROM person",
    "SELECT t, count(*) FROM person GROUP BY t", "SELECT x.y FROM (SELECT t AS y FROM person) x", "SELECT p.t FROM person p JOIN person q USING (t)", "SELECT a.b FROM (SELECT * FROM person) a(i, b)",
    "SELECT CASE WHEN true THEN t END, coalesce(t, ''), greatest(t, '') FROM person", "SELECT json_build_object('t', t) FROM person", "SELECT array_agg(t) FROM person",
    "SELECT t FROM person ORDER BY t LIMIT 2 OFFSET 1", "SELECT t::varchar(100) FROM person", "SELECT concat(t, t), t || t FROM person",
])
def test_no_expression_sees_behind_it(gateway, sql):
    masked(gateway, "last4", ["t"])
    client = RawClient(gateway, "see.one")
    client.take()
    for messages in (client.query(sql), client.extended(sql, result_formats=(1,))):
        assert rows(messages), sql
        assert "Chlo".encode() not in client.take().title(), sql
    client.close()


def test_conditions_and_order_see_the_mask(gateway):
    masked(gateway, "initial", ["t"])
    ask = lambda sql: gateway.rows("see.one", sql)
    assert ask("SELECT person_id FROM person WHERE t = 'Chloé Ünal'") == []
    assert ask("SELECT person_id FROM person WHERE t LIKE 'Chl%'") == []
    assert ask("SELECT person_id FROM person WHERE t = 'C.'") == [(1,)]
    assert ask("SELECT person_id FROM person WHERE length(t) > 2") == []


def test_settings_do_not_change_it(gateway):
    masked(gateway, "month", ["d"])
    sql = "SELECT d::text FROM person WHERE person_id = 1"
    with gateway.connect("see.one") as connection:
        for setting in ("TimeZone = 'Pacific/Kiritimati'", "DateStyle = 'German, DMY'", "IntervalStyle = 'sql_standard'", "bytea_output = 'escape'"):
            connection.execute(f"SET {setting}")
        assert connection.execute(sql).fetchall()[0][0] in ("1987-06-01", "01.06.1987")


@pytest.mark.parametrize("mask, column", [(mask, column) for mask, columns in TYPES_REFUSED.items() for column in columns])
def test_a_type_it_is_not_for_is_refused_and_the_old_policy_stays(gateway, mask, column):
    masked(gateway, "redact", ["t"])
    with pytest.raises(Exception) as refusal:
        gateway.reload(policy({column: mask}))
    told = str(refusal.value)
    assert "policy.yaml:" in told and (column in told or mask.split("(")[0] in told), told
    assert gateway.rows("see.one", "SELECT t FROM person WHERE person_id = 1") == [("***",)]
    gateway.write_policy(policy({"t": "redact"}))


def test_a_mask_of_ones_own(gateway):
    masked(gateway, "half", ["t"])
    assert gateway.rows("see.one", "SELECT t FROM person ORDER BY person_id") == [("Chloé…",), ("a…",), (None,), ("…",), ("日本語…",)]


def test_a_mask_that_fails_on_a_value_says_only_that(gateway):
    masked(gateway, "risky", ["small"])
    assert gateway.rows("see.one", "SELECT small FROM person WHERE person_id = 2") == [(20,)]


def test_a_column_in_clear_is_the_value(gateway, cluster):
    masked(gateway, "clear", [column for column in COLUMNS if column not in ("d", "ts", "tz")])
    columns = ", ".join(column for column in COLUMNS if column not in ("d", "ts", "tz"))
    assert str(gateway.rows("see.one", f"SELECT {columns} FROM person ORDER BY person_id")) == \
        str(cluster.rows(f"SELECT {columns} FROM m.person ORDER BY person_id", gateway.database))


MOVED = ["d > '01/02/2003'", "tz > '2026-01-01'", "d < 'today'", "d IN ('2003-01-01', '01/02/2003')", "d BETWEEN '2000-01-01' AND 'tomorrow'", "coalesce(d, '01/02/2003') > date '2000-01-01'",
         "tz IS DISTINCT FROM '2026-01-01'", "d = ANY ('{01/02/2003}')", "CASE d WHEN '01/02/2003' THEN true ELSE false END", "greatest(d, '01/02/2003') = d", "nullif(d, '01/02/2003') IS NULL",
         "ts > '01/02/2003 10:00'", "d > '01/02/2003'::date", "'01/02/2003' < d", "(ts, ts) OVERLAPS ('01/02/2003', '01/03/2003')", "d < current_date", "tz < now()", "d::text = '1987-06-15'",
         "tz::date = '1987-06-15'", "ts > tz", "tz > timestamp '2026-01-01 00:00'", "CASE WHEN b THEN d ELSE '01/02/2003' END = d", "d IS NOT DISTINCT FROM 'now'"]
STILL = ["d > '2003-02-01'", "d > date '2003-02-01'", "ts >= '2003-02-01 10:00'", "tz > '2026-01-01 00:00+00'", "n > '5'", "t = '01/02/2003'", "t IN ('today', 'now')", "num < '1.5'", "d BETWEEN '2000-01-01' AND '2001-01-01'"]


def filtered(condition):
    return policy({"t": "redact"}).replace("{dataset: person, columns: {person_id", f'{{dataset: person, rows: "{condition}", columns: {{person_id')


@pytest.mark.parametrize("condition", MOVED)
def test_a_row_filter_that_a_setting_or_the_clock_would_move_is_refused(gateway, condition):
    with pytest.raises(Exception) as refusal:
        gateway.reload(filtered(condition))
    assert "not an immutable condition" in str(refusal.value), refusal.value
    gateway.write_policy(policy({"t": "redact"}))


@pytest.mark.parametrize("condition", STILL)
def test_a_row_filter_means_the_same_under_all_settings(gateway, cluster, condition):
    gateway.reload(filtered(condition))
    gateway.grant()
    real = cluster.rows(f"SELECT person_id FROM m.person WHERE {condition} ORDER BY 1", gateway.database)
    with gateway.connect("see.one") as connection:
        for setting in ("TimeZone = 'Pacific/Kiritimati'", "DateStyle = 'German, DMY'", "DateStyle = 'SQL, YMD'", "IntervalStyle = 'sql_standard'", "TimeZone = 'America/Adak'"):
            connection.execute(f"SET {setting}")
            assert connection.execute("SELECT person_id FROM person ORDER BY 1").fetchall() == real, setting
