"""A partner can call only what is on the lists, and what the lists say of each entry is true.

The lists' claims are held against a live PostgreSQL: every overload that an allowed name reaches is
harmless, IMMUTABLE entries are immutable to the server, TOTAL ones survive the nastiest values.
"""
import collections
import itertools
import subprocess

import psycopg
import pytest

from harness import places

Entry = collections.namedtuple("Entry", "kind name arguments count result flags reason")

TEXT = 25
ANY_COUNT = 255
ANY_ARRAY, ANY_ELEMENT = 2277, 2283
# Flags as list_allow prints them.
TOTAL, IMMUTABLE, AGGREGATE, WINDOW, SET, ORDERED, VOLATILE = "tiawrov"
# On the list, and in PostgreSQL since.
SINCE = {"any_value": 16}
# Entries that take "any type" are tried with these.
ANY_TYPES = ["integer[]", "integer", "text"]

NASTY = {
    "boolean": ["true", "false", None],
    "smallint": ["0", "1", "-1", "32767", "-32768", None],
    "integer": ["0", "1", "-1", "2147483647", "-2147483648", "64", None],
    "bigint": ["0", "1", "-1", "9223372036854775807", "-9223372036854775808", None],
    "numeric": ["0", "1", "-1", "0.5", "NaN", "Infinity", "-Infinity", "9" * 131072, "-" + "9" * 131072,
                "1e131071", "1e-16383", "9" * 100 + "." + "9" * 16383, None],
    "real": ["0", "-0", "1", "-1", "NaN", "Infinity", "-Infinity", "3.4028235e38", "-3.4028235e38", "1e-45", None],
    "double precision": ["0", "-0", "1", "-1", "NaN", "Infinity", "-Infinity", "1.7976931348623157e308",
                         "-1.7976931348623157e308", "5e-324", "0.5", "2147483648", None],
    "text": ["", " ", "a", "\\", "%", "\\%", "ß", "İ", "é" * 2000, "\U0001f600", "x" * 3000, "1", "NaN",
             "{}", "'", "\x01", "\uffff", "a\u0301", None],
    "date": ["-infinity", "infinity", "4713-11-24 BC", "5874897-12-31", "2000-01-01", "294277-01-01", None],
    "time": ["00:00", "24:00", "23:59:59.999999", None],
    "timetz": ["00:00+00", "24:00-15:59:59", "00:00+15:59:59", "23:59:59.999999+01", None],
    "timestamp": ["-infinity", "infinity", "4713-11-24 00:00:00 BC", "294276-12-31 23:59:59.999999", "2000-01-01", None],
    "timestamptz": ["-infinity", "infinity", "4713-11-24 00:00:00+00 BC", "294276-12-31 23:59:59.999999+00",
                    "2000-01-01+00", None],
    "interval": ["0", "-178000000 years", "178000000 years", "2147483647 days", "-2147483648 days",
                 "2147483647 months 2147483647 days 2562047788 hours", "1 microsecond", "-2562047788 hours", None],
    "uuid": ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", None],
    "bytea": ["", "\\x00", "\\xff00ff", "\\x" + "00" * 3000, None],
    "json": ["null", "1", '"a"', '{"a": 1, "a": 2}', "[1, [2]]", '{"a": {"b": null}}', None],
    "jsonb": ["null", "1", '"a"', '{"a": 1}', "[1, [2], {}]", '{"a": {"b": null}, "1": 2}', "[]", "{}",
              "1e1000", "-1e-100", None],
    "jsonpath": ["$", "$.a", "strict $.a[*]", '$.a ? (@ > 1)', None],
    "name": ["", "a", "x" * 63, None],
    "oid": ["0", "1", "4294967295", None],
    "bit": ["0", "1", None],
    "varbit": ["", "1", "0" * 65, "1" * 3000, None],
    "inet": ["0.0.0.0/0", "192.168.0.1", "192.168.0.1/24", "255.255.255.255", "::/0", "::1", "fe80::1/64", None],
    "cidr": ["0.0.0.0/0", "192.168.0.0/24", "::/0", "fe80::/64", None],
    "int4range": ["empty", "(,)", "[-2147483648,2147483647)", "[1,1]", None],
    "int8range": ["empty", "(,)", "[-9223372036854775808,9223372036854775807)", None],
    "numrange": ["empty", "(,)", "[-Infinity,Infinity]", "[NaN,NaN]", "(0.5,1]", None],
    "daterange": ["empty", "(,)", "[-infinity,infinity]", "[4713-11-24 BC,5874897-12-31)", None],
    "tsrange": ["empty", "(,)", "[-infinity,infinity]", None],
    "tstzrange": ["empty", "(,)", "[-infinity,infinity]", None],
}
NASTY["varchar"] = NASTY["bpchar"] = NASTY["text"]
ODD_ARRAYS = {
    "text": ["{{a,b},{c,d}}", "{a,1,-1,999999999999999999999}", '{""}'],
    "integer": ["{{1,2},{3,4}}", "[-2147483647:-2147483646]={1,2}", "[2147483645:2147483646]={1,2}"],
}


def list_allow():
    program = places.binary().parent / "tests/unit/sql/list_allow"
    output = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    return [line.split("\t") for line in output.splitlines()]


@pytest.fixture(scope="module")
def entries():
    rows = [row for row in list_allow() if row[0] in ("function", "operator")]
    assert len(rows) > 500
    return [Entry(kind, name, [int(oid) for oid in arguments.split(",")] if arguments else [], int(count),
                  int(result), flags, reason) for kind, name, arguments, count, result, flags, reason in rows]


@pytest.fixture(scope="module")
def casts():
    return [(int(row[1]), int(row[2]), row[3]) for row in list_allow() if row[0] == "cast"]


@pytest.fixture(scope="module")
def server(cluster):
    """A connection to a database with a table of nasty values for each type."""
    with cluster.connect(cluster.create_database()) as connection:
        for name, values in NASTY.items():
            connection.execute(f'CREATE TABLE "nasty {name}" (v {name})')
            for value in values:
                connection.execute(f'INSERT INTO "nasty {name}" VALUES (%s)', [value])
            # An array of all of them, or what of it is not too long to print.
            connection.execute(f'CREATE TABLE "nasty {name}[]" (v {name}[])')
            connection.execute(f"""INSERT INTO "nasty {name}[]" VALUES ('{{}}'), ('{{NULL}}'), (NULL), ((
                SELECT array_agg(v) FROM "nasty {name}" WHERE octet_length(v::text) < 200 OR v IS NULL))""")
            for value in ODD_ARRAYS.get(name, []):
                connection.execute(f'INSERT INTO "nasty {name}[]" VALUES (%s)', [value])
        yield connection


@pytest.fixture(scope="module")
def type_names(server):
    return dict(server.execute("SELECT oid::int, format_type(oid, NULL) FROM pg_type").fetchall())


SHORT = {"timestamp without time zone": "timestamp", "timestamp with time zone": "timestamptz",
         "time without time zone": "time", "time with time zone": "timetz", "bit varying": "varbit",
         "character varying": "varchar", "character": "bpchar"}


def short(name):
    """The name without what format_type() says at length; that of an array's element alike."""
    element = name.removesuffix("[]")
    return SHORT.get(element, element) + name[len(element):]


def quote(name):
    return '"' + name.replace('"', '""') + '"'


def written(entry, values):
    """The call or operation on these operands."""
    if entry.kind == "function":
        call = f"pg_catalog.{quote(entry.name)}({', '.join(values) or ('*' if entry.name == 'count' else '')})"
        return call + (" OVER ()" if WINDOW in entry.flags else "")
    return f" OPERATOR(pg_catalog.{entry.name}) ".join(values) if len(values) == 2 \
        else f"OPERATOR(pg_catalog.{entry.name}) {values[0]}"


def combinations(entry, type_names):
    """The operand types to try: text also as its kin, any type as a few, integers in polymorphic ones."""
    polymorphic = {ANY_ARRAY: "integer[]", ANY_ELEMENT: "integer"}
    choices = [polymorphic.get(oid) or (short(type_names[oid]) if oid else None) for oid in entry.arguments]
    if None in choices:
        for kind in ANY_TYPES:
            yield [choice or kind for choice in choices]
        return
    yield choices


def first_that_runs(server, entry, type_names, expression):
    """expression(types) for the first combination that PostgreSQL knows."""
    errors = []
    for types in combinations(entry, type_names):
        try:
            with server.transaction():
                return server.execute(expression(types))
        except psycopg.errors.UndefinedFunction as error:
            errors.append(str(error))
        except psycopg.errors.FeatureNotSupported as error:
            errors.append(str(error))
        except psycopg.errors.UndefinedObject as error:
            errors.append(str(error))
    pytest.fail(f"{entry}: {errors}")


Routine = collections.namedtuple(
    "Routine", "kind name signature volatility language definer set record strict routine_kind")


@pytest.fixture(scope="module")
def routines(server, entries):
    """What PostgreSQL knows of every overload that an allowed name reaches."""
    functions = sorted({entry.name for entry in entries if entry.kind == "function"})
    operators = sorted({entry.name for entry in entries if entry.kind == "operator"})
    of_routine = "p.provolatile, l.lanname, p.prosecdef, p.proretset, p.prorettype = 'record'::regtype, " \
                 "p.proisstrict, p.prokind"
    return [Routine(*row) for row in server.execute(f"""
        SELECT 'function', p.proname, p.oid::regprocedure::text, {of_routine}
        FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
        WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proname = ANY (%s)
        UNION ALL
        SELECT 'operator', o.oprname, o.oid::regoperator::text, {of_routine}
        FROM pg_operator o JOIN pg_proc p ON p.oid = o.oprcode JOIN pg_language l ON l.oid = p.prolang
        WHERE o.oprnamespace = 'pg_catalog'::regnamespace AND o.oprname = ANY (%s)""", [functions, operators])]


def flags_by_name(entries):
    flags = collections.defaultdict(str)
    for entry in entries:
        flags[entry.kind, entry.name] += entry.flags
    return flags


def test_every_name_is_there(server, entries, routines):
    version = server.info.server_version // 10000
    expected = {(entry.kind, entry.name) for entry in entries if SINCE.get(entry.name, 0) <= version}
    assert {(routine.kind, routine.name) for routine in routines} == expected


def harm(routine, flags):
    """Why this overload must not be reached by a name with these flags; None if it may."""
    if routine.language not in ("internal", "sql") or routine.definer:
        return "runs something else, or as someone else"
    if (routine.volatility == "v") != (VOLATILE in flags):
        return "its volatility is not what the list says"
    if routine.set and SET not in flags or SET in flags and not (routine.set or routine.record):
        return "whether it returns a set is not what the list says"
    if routine.routine_kind == "p":
        return "a procedure"
    if routine.routine_kind == "a" and AGGREGATE not in flags or routine.routine_kind == "w" and WINDOW not in flags:
        return "an aggregate or window function that the list does not know as one"
    if routine.routine_kind == "f" and (AGGREGATE in flags or WINDOW in flags):
        return "the list takes it for an aggregate or window function"
    return None


def test_every_reachable_overload_is_harmless(entries, routines):
    flags = flags_by_name(entries)
    bad = [(harm(routine, flags[routine.kind, routine.name]), routine) for routine in routines]
    assert [pair for pair in bad if pair[0]] == []
    assert harm(routines[0]._replace(volatility="v"), IMMUTABLE)
    assert harm(routines[0]._replace(language="c"), flags[routines[0].kind, routines[0].name])


def test_operators_are_no_side_door(entries):
    flags = "".join(entry.flags for entry in entries if entry.kind == "operator")
    assert set(flags) <= {TOTAL, IMMUTABLE}


def test_guarded_sets_return_nothing_for_null(entries, routines):
    """A guard makes arguments NULL: the function must not go on then, or never fail. A NULL document
    of json_to_recordset is tried below."""
    flags = flags_by_name(entries)
    bad = {routine.name for routine in routines
           if SET in flags[routine.kind, routine.name] and not routine.strict}
    assert bad <= {"string_to_table", "json_to_recordset", "jsonb_to_recordset"}


def test_null_documents_have_no_records(server):
    for kind in ("json", "jsonb"):
        assert server.execute(f"SELECT * FROM {kind}_to_recordset(NULL) AS t(a integer)").fetchall() == []


def test_ordered_sets_need_within_group(server, entries):
    names = {entry.name for entry in entries if ORDERED in entry.flags}
    rows = server.execute("""SELECT DISTINCT p.proname FROM pg_aggregate a JOIN pg_proc p ON p.oid = a.aggfnoid
        WHERE a.aggkind <> 'n' AND p.pronamespace = 'pg_catalog'::regnamespace""").fetchall()
    assert names == {name for name, in rows}


def test_all_collations_of_the_catalogue_are_deterministic(server):
    assert server.execute("""SELECT collname FROM pg_collation WHERE NOT collisdeterministic
        AND collnamespace = 'pg_catalog'::regnamespace""").fetchall() == []


def result_of(server, entry, type_names):
    cursor = first_that_runs(
        server, entry, type_names,
        lambda types: "SELECT " + written(entry, [f"NULL::{t}" for t in types]) + " WHERE false")
    return cursor.description[0].type_code


def test_results_have_the_types_that_the_lists_say(server, entries, type_names):
    wrong = []
    integers = {ANY_ARRAY: 1007, ANY_ELEMENT: 23}
    version = server.info.server_version // 10000
    for entry in entries:
        if entry.count == ANY_COUNT or entry.result == 0 or SINCE.get(entry.name, 0) > version:
            continue
        result = result_of(server, entry, type_names)
        if result != integers.get(entry.result, entry.result):
            wrong.append((entry, type_names[result]))
    assert wrong == []


def test_any_number_of_arguments_gives_one_type(server, entries, routines, type_names):
    """Where the list gives a result without looking at the arguments, it must be that of all overloads."""
    wrong = []
    for entry in entries:
        if entry.kind == "function" and entry.count == ANY_COUNT and entry.result and ORDERED not in entry.flags:
            rows = server.execute("""SELECT DISTINCT prorettype::int FROM pg_proc
                WHERE pronamespace = 'pg_catalog'::regnamespace AND proname = %s""", [entry.name]).fetchall()
            if {result for result, in rows} != {entry.result}:
                wrong.append((entry, [type_names[result] for result, in rows]))
    assert wrong == []


def is_immutable(server, types, expression, result):
    """Whether PostgreSQL takes the expression for a generated column."""
    columns = ", ".join(f"c{i} {t}" for i, t in enumerate(types))
    with server.transaction(force_rollback=True):
        try:
            with server.transaction():
                server.execute(f"CREATE TABLE generated ({columns}{', ' if columns else ''}"
                               f"g {result} GENERATED ALWAYS AS ({expression}) STORED)")
            return True
        except psycopg.errors.InvalidObjectDefinition:
            return False


def test_immutable_entries_are_immutable_to_the_server(server, entries, type_names):
    wrong = []
    for entry in entries:
        if IMMUTABLE not in entry.flags or set(entry.flags) & {AGGREGATE, WINDOW, SET} \
                or entry.count == ANY_COUNT or not entry.result:
            continue
        types = next(combinations(entry, type_names))
        expression = written(entry, [f"c{i}" for i in range(len(types))])
        result = "integer[]" if entry.result == ANY_ARRAY else type_names[entry.result]
        if not is_immutable(server, types, expression, result):
            wrong.append(entry)
    assert wrong == []


def test_immutable_names_are_immutable_to_the_server(entries, routines):
    """With any number of arguments: all overloads are. Sets, aggregates and windows as well."""
    wrong = []
    for entry in entries:
        loose = entry.count == ANY_COUNT or set(entry.flags) & {AGGREGATE, WINDOW, SET}
        if IMMUTABLE in entry.flags and loose:
            found = {routine.volatility for routine in routines
                     if (routine.kind, routine.name) == (entry.kind, entry.name)}
            if entry.count == ANY_COUNT and found - {"i"} or not found - {"s", "v"} and found:
                wrong.append((entry, found))
    assert wrong == []


def test_immutable_casts_are_immutable_to_the_server(server, casts, type_names):
    wrong = [(type_names[source], type_names[target]) for source, target, flags in casts
             if IMMUTABLE in flags and source != target and not
             # a cast by way of text is "stable" to PostgreSQL, whatever the types
             ({type_names[source].removesuffix("[]"), type_names[target].removesuffix("[]")} & {
                 "text", "character varying", "character", "name", "json"}
              or type_names[source] == "jsonb" and type_names[target] == "jsonpath")
             and not is_immutable(server, [type_names[source]], f"c0::{type_names[target]}", type_names[target])]
    assert wrong == []


def failure(server, sql):
    try:
        with server.transaction(force_rollback=True):
            server.execute(sql)
        return None
    except psycopg.Error as error:
        return f"{sql}: {error}"


def total_statements(entry, type_names):
    for types in combinations(entry, type_names):
        for kin in (["text", "varchar", "char(3)"] if "text" in types else [""]):
            operands = [f"v{i}.v" + (f"::{kin}" if t == "text" and kin else "") for i, t in enumerate(types)]
            tables = ", ".join(f'"nasty {t}" v{i}' for i, t in enumerate(types))
            value = written(entry, operands)
            source = f" FROM {tables}" if tables else ""
            if AGGREGATE in entry.flags:
                yield f"SELECT {value} FROM {tables or '(SELECT) t'}"
            elif entry.name == "generate_series":  # endless, but no error at its first rows
                yield f"SELECT count(f) FROM (SELECT {value} LIMIT 3) AS s(f)" if not tables else \
                    f"SELECT count(f) FROM {tables}, LATERAL (SELECT {value} LIMIT 3) AS s(f)"
            else:
                yield f"SELECT count(f) FROM (SELECT {value}{source}) AS s(f)"


def test_total_entries_survive_nasty_values(server, entries, type_names):
    problems = []
    for entry in entries:
        if TOTAL in entry.flags and SINCE.get(entry.name, 0) * 10000 <= server.info.server_version:
            failures = [failure(server, sql) for sql in total_statements(entry, type_names)]
            if 0 in entry.arguments:  # any type: tried with types that it may not exist for
                failures = [text for text in failures if text and "does not exist" not in text]
            problems += [text for text in failures if text]
    assert "\n".join(problems) == ""


def test_total_casts_survive_nasty_values(server, casts, type_names):
    problems = []
    for source, target, flags in casts:
        if TOTAL not in flags:
            continue
        name = short(type_names[source])
        problems.append(failure(server, f'SELECT count(v::{short(type_names[target])}) FROM "nasty {name}"'))
    assert [text for text in problems if text] == []


def test_what_is_not_total_can_fail(server, entries):
    """The test above can fail: these are not on the list as total, and here is why."""
    for sql in ["SELECT max(v + 1) FROM \"nasty integer\"",
                "SELECT count(v::timestamp) FROM \"nasty date\"",
                "SELECT count(v::float8) FROM \"nasty numeric\"",
                "SELECT count(substr(v, 1, -1)) FROM \"nasty text\"",
                "SELECT count('x' LIKE v) FROM \"nasty text\""]:
        assert failure(server, sql), sql
    assert failure(server, "SELECT '{\"a\": \"\\u0000\"}'::json ->> 'a'")
    assert next(entry for entry in entries if entry.name == "~~").flags == "i"
    assert list(itertools.islice((entry for entry in entries if entry.name == "pg_sleep"), 1)) == []
