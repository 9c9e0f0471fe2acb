/* Allow-lists: look-ups, families of types, totality, suggestions, and that what must never be
 * callable is not. tests/integration/test_allow_lists.py holds the tables against a server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "sql/allow/allow.h"

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
    INT4_ARRAY = 1007,
    INT8_ARRAY = 1016,
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
        "setseed",
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
        "factorial",
        "array_fill",
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
    assert_false(allow_operator("==="));
    assert_false(allow_operator(""));
    assert_int_equal(allow_type("regclass"), 0);
    assert_int_equal(allow_type("regproc"), 0);
    assert_int_equal(allow_type("xml"), 0);
    assert_int_equal(allow_type("regtype"), 0);
    assert_int_equal(allow_type("char"), 0);
    assert_int_equal(allow_type("tsvector"), 0);
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

static uint32_t result_of(const char *name, uint32_t first, uint32_t second)
{
    const uint32_t types[] = {first, second};
    const struct allow_signature *signature = allow_find_function(name, types, second == 0 ? 1 : 2);

    return allow_result(signature, types, second == 0 ? 1 : 2);
}

static uint32_t joined(uint32_t left, uint32_t right)
{
    const uint32_t types[] = {left, right};

    return allow_result(allow_find_operator("||", false, left, right), types, 2);
}

/* A type that is derived wrongly makes a cast look safe that is not. */
static void derives_what_comes_out(void **state)
{
    assert_int_equal(result_of("unnest", INT4_ARRAY, 0), INT4);
    assert_int_equal(result_of("unnest", 999999, 0), 0);
    assert_int_equal(result_of("array_agg", INT4, 0), INT4_ARRAY);
    assert_int_equal(result_of("array_agg", INT4_ARRAY, 0), INT4_ARRAY);
    assert_int_equal(result_of("array_agg", UNKNOWN, 0), 0);
    assert_int_equal(result_of("array_append", INT4_ARRAY, INT4), INT4_ARRAY);
    assert_int_equal(result_of("array_append", INT4_ARRAY, UNKNOWN), INT4_ARRAY);
    assert_int_equal(result_of("array_append", INT4_ARRAY, INT8), 0);
    assert_int_equal(result_of("array_append", UNKNOWN, INT4), 0);
    assert_int_equal(result_of("lag", DATE, INT4), DATE);
    assert_int_equal(result_of("mode", INT4, 0), 0);
    assert_int_equal(joined(UNKNOWN, INT4), TEXT);
    assert_int_equal(joined(INT4_ARRAY, INT4), INT4_ARRAY);
    assert_int_equal(joined(INT4, INT4_ARRAY), INT4_ARRAY);
    assert_int_equal(joined(UNKNOWN, INT4_ARRAY), INT4_ARRAY);
    assert_int_equal(joined(INT4_ARRAY, INT8), 0);
    assert_int_equal(joined(UNKNOWN, 869), 0);
    assert_int_equal(allow_result(NULL, NULL, 0), 0);
}

static void knows_kinds_by_name(void **state)
{
    assert_int_equal(allow_function_flags("lower") & (ALLOW_AGGREGATE | ALLOW_WINDOW | ALLOW_SET),
                     0);
    assert_int_equal(allow_function_flags("pg_sleep"), 0);
    assert_true(allow_function_flags("rank") & ALLOW_WINDOW);
    assert_true(allow_function_flags("rank") & ALLOW_ORDERED_SET);
    assert_true(allow_function_flags("mode") & ALLOW_ORDERED_SET);
    assert_true(allow_function_flags("lead") & ALLOW_SHOWS_OTHERS);
    assert_false(allow_function_flags("row_number") & ALLOW_SHOWS_OTHERS);
    assert_true(allow_function_flags("json_to_recordset") & ALLOW_SET);
    assert_true(allow_function_flags("random") & ALLOW_VOLATILE);
    assert_true(allow_function_flags("repeat") & ALLOW_LENGTH);
}

static void says_why_it_refuses(void **state)
{
    static const char *const names[] = {
        "dblink_exec", "pg_read_file",    "lo_get",       "set_config",       "pg_sleep",
        "nextval",     "txid_current",    "query_to_xml", "pg_advisory_lock", "setseed",
        "array_fill",  "clock_timestamp", "xpath"};
    const struct allow_signature *entry;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (allow_refusal(names[i]) == NULL)
            fail_msg("no reason for %s", names[i]);
    }
    assert_null(allow_refusal("lowr"));
    for (size_t i = 0; (entry = allow_function_at(i)) != NULL; i++) {
        if (allow_refusal(entry->name) != NULL)
            fail_msg("%s is both allowed and refused", entry->name);
    }
}

static void takes_names_of_collations(void **state)
{
    assert_true(allow_collation("C"));
    assert_true(allow_collation("en_US.utf8"));
    assert_true(allow_collation("de-x-icu"));
    assert_false(allow_collation(""));
    assert_false(allow_collation("a b"));
    assert_false(allow_collation("\"x"));
    assert_false(allow_collation("1x"));
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
    /* PostgreSQL has one function for all arrays: it does not compute these when it plans. */
    assert_int_equal(allow_cast_flags(INT4_ARRAY, TEXT), ALLOW_TOTAL);
    assert_int_equal(allow_cast_flags(INT4_ARRAY, INT8_ARRAY), safe);
    assert_int_equal(allow_cast_flags(INT8_ARRAY, INT4_ARRAY), ALLOW_IMMUTABLE);
    assert_int_equal(allow_cast_flags(TEXT, INT4_ARRAY), 0);
    assert_int_equal(allow_cast_flags(INT4, INT4_ARRAY), 0);
    assert_int_equal(allow_element_type(INT4_ARRAY), INT4);
    assert_int_equal(allow_element_type(INT4), 0);
    assert_int_equal(allow_element_type(0), 0);
}

static void sees_dangling_escapes(void **state)
{
    assert_true(allow_like_pattern_total("", "\\"));
    assert_true(allow_like_pattern_total("a%_", "\\"));
    assert_true(allow_like_pattern_total("\\%", "\\"));
    assert_true(allow_like_pattern_total("a\\\\", "\\"));
    assert_false(allow_like_pattern_total("\\", "\\"));
    assert_false(allow_like_pattern_total("a%\\", "\\"));
    assert_false(allow_like_pattern_total("\\\\\\", "\\"));
    assert_true(allow_like_pattern_total("\\", "!"));
    assert_true(allow_like_pattern_total("!!", "!"));
    assert_false(allow_like_pattern_total("a!", "!"));
    assert_true(allow_like_pattern_total("a!", ""));
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
        cmocka_unit_test(derives_what_comes_out),
        cmocka_unit_test(knows_kinds_by_name),
        cmocka_unit_test(says_why_it_refuses),
        cmocka_unit_test(takes_names_of_collations),
        cmocka_unit_test(judges_casts),
        cmocka_unit_test(sees_dangling_escapes),
        cmocka_unit_test(suggests_the_nearest_name),
        cmocka_unit_test(gives_a_reason_for_each),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
