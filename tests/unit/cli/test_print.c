/* Tables for people: alignment, widths of wide characters, and that no cell can command the
 * terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

static const char *const columns[] = {"name", "count", NULL};

static void add(struct table *table, const char *name, const char *count)
{
    struct table_row *row = table_add(table);
    if (name != NULL)
        table_set(table, row, 0, "%s", name);
    if (count != NULL)
        table_set(table, row, 1, "%s", count);
}

/* The table as printed; to be freed. */
static char *printed(const struct table *table,
                     bool (*marked)(const struct table *, const struct table_row *), bool colour)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    assert_non_null(out);
    cli_print_marked(out, table, marked, colour);
    fclose(out);
    return text;
}

static void test_numbers_stand_right(void **state)
{
    (void)state;
    struct table table;
    table_init(&table, 65536, columns);
    add(&table, "north-mail", "7");
    add(&table, NULL, "1200000");
    add(&table, "x", NULL);
    char *text = printed(&table, NULL, false);
    assert_string_equal(text, "name          count\n"
                              "north-mail        7\n"
                              "            1200000\n"
                              "x\n");
    free(text);
    table_free(&table);
}

static void test_wide_characters_keep_columns_straight(void **state)
{
    (void)state;
    struct table table;
    table_init(&table, 65536, columns);
    add(&table, "\xe6\x97\xa5\xe6\x9c\xac", "one"); /* two characters, four columns */
    add(&table, "J\xc3\xbcrgen", "two");
    char *text = printed(&table, NULL, false);
    assert_string_equal(text, "name    count\n"
                              "\xe6\x97\xa5\xe6\x9c\xac    one\n"
                              "J\xc3\xbcrgen  two\n");
    free(text);
    table_free(&table);
}

static void test_control_characters_are_escaped(void **state)
{
    (void)state;
    struct table table;
    table_init(&table, 65536, columns);
    add(&table, "a\033[2Jb\nc\x9b\x7f", "x"); /* ESC, newline, a lone C1 byte, DEL */
    char *text = printed(&table, NULL, false);
    assert_non_null(strstr(text, "a\\x1b[2Jb\\nc\\x9b\\x7f  x"));
    assert_null(strchr(text, '\033'));
    free(text);
    table_free(&table);
}

static bool has_two(const struct table *table, const struct table_row *row)
{
    return strcmp(cli_cell(table, row, "count"), "2") == 0;
}

static void test_marked_rows_are_red(void **state)
{
    (void)state;
    struct table table;
    table_init(&table, 65536, columns);
    add(&table, "a", "1");
    add(&table, "b", "2");
    char *text = printed(&table, has_two, true);
    assert_non_null(strstr(text, "\033[31;1mb"));
    assert_null(strstr(text, "\033[31;1ma"));
    free(text);
    text = printed(&table, has_two, false);
    assert_null(strchr(text, '\033'));
    free(text);
    table_free(&table);
}

static void test_cells_by_name(void **state)
{
    (void)state;
    struct table table;
    table_init(&table, 65536, columns);
    add(&table, NULL, "5");
    assert_string_equal(cli_cell(&table, table.first, "count"), "5");
    assert_string_equal(cli_cell(&table, table.first, "name"), "");
    assert_string_equal(cli_cell(&table, table.first, "no such"), "");
    assert_int_equal(cli_column(&table, "no such"), 2);
    table_free(&table);
}

static void test_pairs_indent_lines(void **state)
{
    (void)state;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    cli_print_pair(out, "rewritten", "SELECT 1\n  FROM x");
    cli_print_pair(out, "hint", "a\033b");
    fclose(out);
    assert_string_equal(text, "rewritten:\n    SELECT 1\n      FROM x\nhint: a\\x1bb\n");
    free(text);
}

/* No line is wider than a page, no word is broken or lost, and a short table stays as it is. */
static void test_long_texts_go_on_below(void **state)
{
    (void)state;
    static const char *const three[] = {"name", "why", "count", NULL};
    char why[400] = "", *text = NULL;
    size_t len = 0;
    for (size_t i = 0, used = 0; i < 40; i++)
        used += (size_t)snprintf(why + used, sizeof why - used, "%sword%zu", i == 0 ? "" : " ", i);
    struct table table;
    table_init(&table, 65536, three);
    struct table_row *row = table_add(&table);
    table_set(&table, row, 0, "north-mail");
    table_set(&table, row, 1, "%s", why);
    table_set(&table, row, 2, "7");
    FILE *out = open_memstream(&text, &len);
    cli_print_wrapped(out, &table);
    fclose(out);
    size_t lines = 0, words = 0;
    for (const char *line = text; *line != '\0'; lines++) {
        size_t width = strcspn(line, "\n");
        assert_true(width <= CLI_PAGE_COLUMNS);
        line += width + 1;
    }
    for (const char *at = text; (at = strstr(at, "word")) != NULL; at++)
        words++;
    assert_int_equal(lines, 4);
    assert_int_equal(words, 40);
    free(text);
    table_free(&table);
}

static void test_what_has_no_blank_is_not_broken(void **state)
{
    (void)state;
    char hash[201], *text = NULL;
    size_t len = 0;
    memset(hash, 'a', 200);
    hash[200] = '\0';
    struct table table;
    table_init(&table, 65536, columns);
    add(&table, hash, "7");
    FILE *out = open_memstream(&text, &len);
    cli_print_wrapped(out, &table);
    cli_print_text(out, "one two\nthree", 2);
    fclose(out);
    assert_non_null(strstr(text, hash));
    assert_non_null(strstr(text, "\n  one two\n  three\n"));
    free(text);
    table_free(&table);
}

int main(void)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_stand_right),
        cmocka_unit_test(test_wide_characters_keep_columns_straight),
        cmocka_unit_test(test_control_characters_are_escaped),
        cmocka_unit_test(test_long_texts_go_on_below),
        cmocka_unit_test(test_what_has_no_blank_is_not_broken),
        cmocka_unit_test(test_marked_rows_are_red),
        cmocka_unit_test(test_cells_by_name),
        cmocka_unit_test(test_pairs_indent_lines),
    };
    return cmocka_run_group_tests_name("cli/print", tests, NULL, NULL);
}
