/* Allow-lists: look-ups, families of types, totality, suggestions, and that what must never be
 * callable is not. tests/integration/test_allow_lists.py holds the tables against a server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "sql/allow.h"

enum {
    BOOL = 16,
    INT8 = 20,
    INT4 = 23,
    TEXT = 25,
    JSON = 114,
    FLOAT8 = 701,
    UNKNOWN = 705,
    BPCHAR = 1042,
    VARCHAR = 1043,
    DATE = 1082,
    TIMESTAMP = 1114,
    TIMESTAMPTZ = 1184,
    NUMERIC = 1700,
    JSONB = 3802
};

static void never_allows_what_reaches_out(void **state)
{
    static const char *const names[] = {
        "pg_read_file",
        "pg_read_binary_file",
        "pg_ls_dir",
        "pg_stat_file",
        "lo_import",
        "lo_export",
        "lo_get",
        "lo_create",
        "set_config",
        "current_setting",
        "pg_sleep",
        "pg_sleep_for",
        "pg_advisory_lock",
        "pg_advisory_xact_lock",
        "pg_try_advisory_lock",
        "pg_terminate_backend",
        "pg_cancel_backend",
        "query_to_xml",
        "table_to_xml",
        "database_to_xml",
        "cursor_to_xml",
        "xmlparse",
        "xpath",
        "xmlagg",
        "nextval",
        "currval",
        "setval",
        "lastval",
        "random",
        "setseed",
        "gen_random_uuid",
        "clock_timestamp",
        "timeofday",
        "current_user",
        "session_user",
        "current_database",
        "current_schema",
        "current_schemas",
        "version",
        "inet_client_addr",
        "inet_server_addr",
        "pg_backend_pid",
        "txid_current",
        "pg_current_xact_id",
        "pg_export_snapshot",
        "dblink",
        "dblink_connect",
        "repeat",
        "lpad",
        "rpad",
        "format",
        "factorial",
        "array_fill",
        "generate_series",
        "unnest",
        "generate_subscripts",
        "to_regclass",
        "regclass",
        "regclassin",
        "pg_typeof",
        "pg_get_viewdef",
        "has_table_privilege",
        "pg_table_size",
        "pg_relation_size",
        "pg_column_size",
        "col_description",
        "obj_description",
        "row_to_json",
        "ts_stat",
        "pg_notify",
        "pg_logical_emit_message",
        "pg_stat_get_activity",
        "pg_show_all_settings",
        "pg_rotate_logfile",
        "pg_reload_conf",
        "convert_from",
        "convert_to",
        "quote_ident",
        "",
        "Lower",
        "LOWER",
        "pg_catalog.lower",
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (allow_function(names[i]))
            fail_msg("%s is on the list", names[i]);
    }
    assert_false(allow_operator("@@"));
    assert_false(allow_operator("@?"));
    assert_false(allow_operator("==="));
    assert_false(allow_operator(""));
    assert_int_equal(allow_type("regclass"), 0);
    assert_int_equal(allow_type("regproc"), 0);
    assert_int_equal(allow_type("xml"), 0);
    assert_int_equal(allow_type("oid"), 0);
    assert_int_equal(allow_type("name"), 0);
    assert_int_equal(allow_type("INT4"), 0);
}

static unsigned flags_of(const char *name, bool prefix, uint32_t left, uint32_t right)
{
    const struct allow_signature *signature = allow_find_operator(name, prefix, left, right);

    return signature == NULL ? 1000 : signature->flags;
}

static void judges_operators_by_their_types(void **state)
{
    const unsigned safe = ALLOW_TOTAL | ALLOW_IMMUTABLE;

    assert_int_equal(flags_of("=", false, INT4, INT8), safe);
    assert_int_equal(flags_of("=", false, VARCHAR, BPCHAR), safe);
    assert_int_equal(flags_of("=", false, DATE, UNKNOWN), safe);
    assert_int_equal(flags_of("<", false, DATE, TIMESTAMP), safe);
    assert_int_equal(flags_of("<", false, TIMESTAMP, TIMESTAMPTZ), ALLOW_TOTAL);
    assert_int_equal(flags_of("<", false, NUMERIC, FLOAT8), ALLOW_IMMUTABLE);
    assert_int_equal(flags_of("=", false, TEXT, INT4), 1000);
    assert_int_equal(flags_of("=", false, JSON, JSON), 1000);
    assert_int_equal(flags_of("=", false, 0, INT4), 1000);
    assert_int_equal(flags_of("+", false, INT4, INT4), ALLOW_IMMUTABLE);
    assert_int_equal(flags_of("-", true, 0, INT4), ALLOW_IMMUTABLE);
    assert_int_equal(flags_of("-", true, 0, NUMERIC), safe);
    assert_int_equal(flags_of("~~", false, TEXT, UNKNOWN), ALLOW_IMMUTABLE);
    assert_int_equal(flags_of("->>", false, JSONB, UNKNOWN), safe);
    assert_int_equal(flags_of("->>", false, JSON, UNKNOWN), ALLOW_IMMUTABLE);
    assert_int_equal(allow_find_operator("+", false, INT4, INT8)->result, INT8);
    assert_int_equal(allow_find_operator("-", false, DATE, DATE)->result, INT4);
    assert_int_equal(allow_find_operator("||", false, VARCHAR, UNKNOWN)->result, TEXT);
}

static void judges_functions_by_their_types(void **state)
{
    const uint32_t bpchar[] = {BPCHAR}, three[] = {TEXT, INT4, INT4}, any[] = {999999};
    const struct allow_signature *signature;

    signature = allow_find_function("lower", bpchar, 1);
    assert_non_null(signature);
    assert_int_equal(signature->flags, ALLOW_TOTAL | ALLOW_IMMUTABLE);
    assert_int_equal(signature->result, TEXT);
    assert_int_equal(allow_find_function("substr", three, 2)->flags, ALLOW_TOTAL | ALLOW_IMMUTABLE);
    assert_int_equal(allow_find_function("substr", three, 3)->flags, ALLOW_IMMUTABLE);
    assert_int_equal(allow_find_function("count", any, 1)->result, INT8);
    assert_int_equal(allow_find_function("count", NULL, 0)->flags,
                     ALLOW_AGGREGATE | ALLOW_STATISTIC | ALLOW_TOTAL | ALLOW_IMMUTABLE);
    assert_null(allow_find_function("lower", any, 1));
    assert_null(allow_find_function("lower", three, 2));
    assert_null(allow_find_function("pg_sleep", NULL, 0));
    assert_int_equal(allow_find_function("now", NULL, 0)->flags, ALLOW_TOTAL);
    assert_false(allow_find_function("max", three, 1)->flags & ALLOW_STATISTIC);
}

static void judges_casts(void **state)
{
    const unsigned safe = ALLOW_TOTAL | ALLOW_IMMUTABLE;

    assert_int_equal(allow_cast_flags(INT4, INT8), safe);
    assert_int_equal(allow_cast_flags(INT8, INT4), ALLOW_IMMUTABLE);
    assert_int_equal(allow_cast_flags(TEXT, INT4), ALLOW_IMMUTABLE);
    assert_int_equal(allow_cast_flags(TEXT, DATE), 0);
    assert_int_equal(allow_cast_flags(UNKNOWN, DATE), ALLOW_TOTAL);
    assert_int_equal(allow_cast_flags(UNKNOWN, INT4), safe);
    assert_int_equal(allow_cast_flags(INT4, TEXT), safe);
    assert_int_equal(allow_cast_flags(DATE, TEXT), ALLOW_TOTAL);
    assert_int_equal(allow_cast_flags(VARCHAR, BPCHAR), safe);
    assert_int_equal(allow_cast_flags(DATE, TIMESTAMP), ALLOW_IMMUTABLE);
    assert_int_equal(allow_cast_flags(BOOL, JSONB), 0);
    assert_int_equal(allow_cast_flags(0, TEXT), 0);
    assert_int_equal(allow_cast_flags(999999, TEXT), 0);
}

static void sees_dangling_escapes(void **state)
{
    assert_true(allow_like_pattern_total(""));
    assert_true(allow_like_pattern_total("a%_"));
    assert_true(allow_like_pattern_total("\\%"));
    assert_true(allow_like_pattern_total("a\\\\"));
    assert_false(allow_like_pattern_total("\\"));
    assert_false(allow_like_pattern_total("a%\\"));
    assert_false(allow_like_pattern_total("\\\\\\"));
}

static void suggests_the_nearest_name(void **state)
{
    char long_name[200];

    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = 0;
    assert_string_equal(allow_suggestion("lowr"), "lower");
    assert_string_equal(allow_suggestion("sums"), "sum");
    assert_string_equal(allow_suggestion("jsonb_extract_pth"), "jsonb_extract_path");
    assert_null(allow_suggestion("pg_read_file"));
    assert_null(allow_suggestion(""));
    assert_null(allow_suggestion("x"));
    assert_null(allow_suggestion(long_name));
}

static void gives_a_reason_for_each(void **state)
{
    const struct allow_signature *signature;

    for (size_t i = 0; (signature = allow_function_at(i)) != NULL; i++)
        assert_true(strlen(signature->reason) > 10);
    for (size_t i = 0; (signature = allow_operator_at(i)) != NULL; i++)
        assert_true(strlen(signature->reason) > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(never_allows_what_reaches_out),
        cmocka_unit_test(judges_operators_by_their_types),
        cmocka_unit_test(judges_functions_by_their_types),
        cmocka_unit_test(judges_casts),
        cmocka_unit_test(sees_dangling_escapes),
        cmocka_unit_test(suggests_the_nearest_name),
        cmocka_unit_test(gives_a_reason_for_each),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
