/* Cells of CSV: quoting, and formulas that must not run in a spreadsheet. */
#include "scope_scene.h"

#include <stdlib.h>
#include <string.h>

#include "incident/scope_csv.h"

static void assert_cell(const char *text, const char *want)
{
    char *got = NULL;
    size_t len;
    FILE *out = open_memstream(&got, &len);
    assert_non_null(out);
    scope_csv_cell(out, text, false);
    fclose(out);
    if (strcmp(got, want) != 0)
        fail_msg("\"%s\" is written %s, expected %s", text == NULL ? "NULL" : text, got, want);
    free(got);
}

static void cells_are_quoted_where_they_must_be(void **state)
{
    assert_cell(NULL, ",");
    assert_cell("", ",");
    assert_cell("plain", "plain,");
    assert_cell("a,b", "\"a,b\",");
    assert_cell("a\"b", "\"a\"\"b\",");
    assert_cell("a\r\nb", "\"a\r\nb\",");
}

static void formulas_are_disarmed_and_numbers_are_not(void **state)
{
    assert_cell("=1+1", "'=1+1,");
    assert_cell("@sum", "'@sum,");
    assert_cell("-x", "'-x,");
    assert_cell("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0,");
    assert_cell("\t=1", "'\t=1,");
    assert_cell("\r=1", "\"'\r=1\",");
    assert_cell("=a,b", "\"'=a,b\",");
    assert_cell("-17", "-17,");
    assert_cell("+44", "+44,");
    assert_cell("-", "'-,");
    assert_cell("a=b", "a=b,");
}

static void a_table_begins_with_its_columns(void **state)
{
    static const char *const columns[] = {"kind", "people", NULL};
    struct table table;
    char *got = NULL;
    size_t len;
    table_init(&table, 4096, columns);
    struct table_row *row = table_add(&table);
    table_set(&table, row, 0, "customer");
    FILE *out = open_memstream(&got, &len);
    assert_non_null(out);
    scope_csv_table(out, &table);
    fclose(out);
    assert_string_equal(got, "kind,people\r\ncustomer,\r\n");
    free(got);
    table_free(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_are_quoted_where_they_must_be),
        cmocka_unit_test(formulas_are_disarmed_and_numbers_are_not),
        cmocka_unit_test(a_table_begins_with_its_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
