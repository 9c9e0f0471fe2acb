/* Tables: rows in order, NULL cells, and a limit that cannot be overlooked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/table.h"

static const char *const columns[] = {"name", "count", NULL};

static void keeps_rows_in_order(void **state)
{
    struct table table;
    table_init(&table, 1 << 20, columns);
    assert_int_equal(table.column_count, 2);
    assert_string_equal(table.columns[1], "count");
    for (int i = 0; i < 1000; i++) {
        struct table_row *row = table_add(&table);
        table_set(&table, row, 0, "row %d", i);
        if (i % 2 == 0)
            table_set(&table, row, 1, "%d", i);
    }
    assert_int_equal(table.row_count, 1000);
    assert_false(table_overflowed(&table));
    int i = 0;
    for (struct table_row *row = table.first; row != NULL; row = row->next, i++) {
        char expected[32];
        snprintf(expected, sizeof expected, "row %d", i);
        assert_string_equal(row->cells[0], expected);
        assert_true((row->cells[1] == NULL) == (i % 2 == 1));
    }
    assert_int_equal(i, 1000);
    table_free(&table);
}

static void long_cells_are_whole(void **state)
{
    struct table table;
    table_init(&table, 1 << 20, columns);
    struct table_row *row = table_add(&table);
    for (int len = 250; len < 260; len++) {
        table_set(&table, row, 0, "%0*d", len, 5);
        assert_int_equal(strlen(row->cells[0]), len);
        assert_int_equal(row->cells[0][len - 1], '5');
    }
    table_free(&table);
}

static void the_limit_shows(void **state)
{
    struct table table;
    table_init(&table, 4096, columns);
    size_t added = 0;
    for (struct table_row *row; (row = table_add(&table)) != NULL; added++)
        table_set(&table, row, 0, "%064d", 1);
    assert_true(added > 10);
    assert_true(table_overflowed(&table));
    table_set(&table, NULL, 0, "no effect");
    assert_null(table_add(&table));
    table_free(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_rows_in_order),
        cmocka_unit_test(long_cells_are_whole),
        cmocka_unit_test(the_limit_shows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
