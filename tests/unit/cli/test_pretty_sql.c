#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cli/pretty_sql.h"

static void lays_out(const char *sql, const char *wanted)
{
    struct pretty_names names = {.count = 0};
    struct buffer out;
    buffer_init(&out, 10000);
    pretty_sql(&names, sql, &out);
    assert_string_equal(buffer_text(&out), wanted);
    buffer_free(&out);
}

static void test_clauses(void **state)
{
    lays_out(
        "SELECT \"a\" AS \"B c\" FROM \"t\" WHERE \"a\" OPERATOR(\"pg_catalog\".>=) 1 ORDER BY 1",
        "SELECT a AS \"B c\"\nFROM t\nWHERE a >= 1\nORDER BY 1");
    lays_out("SELECT 1 UNION ALL SELECT 2", "SELECT 1\nUNION ALL\nSELECT 2");
    lays_out("SELECT 1 FROM (\"a\" LEFT OUTER JOIN \"b\" ON (TRUE))",
             "SELECT 1\nFROM (a\nLEFT OUTER JOIN b ON (TRUE))");
}

static void test_sub_selects(void **state)
{
    lays_out("SELECT \"x\" FROM (SELECT 1 AS \"x\" FROM \"t\") AS \"s\" LIMIT 1",
             "SELECT x\nFROM (\n  SELECT 1 AS x\n  FROM t\n) AS s\nLIMIT 1");
}

static void test_what_begins_no_clause(void **state)
{
    lays_out("SELECT \"a\" IS DISTINCT FROM 1, \"f\"(1 ORDER BY 2), \"g\"() OVER ( ORDER BY 3)",
             "SELECT a IS DISTINCT FROM 1, f(1 ORDER BY 2), g() OVER (ORDER BY 3)");
    lays_out("DELETE FROM \"t\" WHERE TRUE", "DELETE FROM t\nWHERE TRUE");
}

static void test_texts_stay(void **state)
{
    lays_out("SELECT ' FROM  (SELECT ''\"a\" WHERE', \"from \"\"x\"",
             "SELECT ' FROM  (SELECT ''\"a\" WHERE', \"from \"\"x\"");
    lays_out("SELECT '", "SELECT '");
    lays_out(")", ")");
}

static void test_hidden_names(void **state)
{
    struct pretty_names names = {.count = 0};
    struct buffer out;
    buffer_init(&out, 10000);
    pretty_sql(&names, "\"h0123456789abcdef\" \"h0000000000000000\" \"h0123456789abcdef\"", &out);
    assert_string_equal(buffer_text(&out), "h1 h2 h1");
    buffer_clear(&out);
    pretty_text(&names, "it's h0000000000000000: \"h0123456789ABCDEF\"", &out);
    assert_string_equal(buffer_text(&out), "it's h2: \"h0123456789ABCDEF\"");
    buffer_free(&out);
}

static void test_more_depth_than_is_kept(void **state)
{
    char sql[601] = "";
    struct pretty_names names = {.count = 0};
    struct buffer out;
    memset(sql, '(', 300);
    memset(sql + 300, ')', 300);
    buffer_init(&out, 10000);
    pretty_sql(&names, sql, &out);
    assert_string_equal(buffer_text(&out), sql);
    buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clauses),
        cmocka_unit_test(test_sub_selects),
        cmocka_unit_test(test_what_begins_no_clause),
        cmocka_unit_test(test_texts_stay),
        cmocka_unit_test(test_hidden_names),
        cmocka_unit_test(test_more_depth_than_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
