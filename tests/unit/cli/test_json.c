/* JSON: types come from columns, not from values; every text comes out as valid JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "cli/json.h"

static char *dump(json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_PRESERVE_ORDER);
    json_decref(value);
    assert_non_null(text);
    return text;
}

static void expect(json_t *value, const char *wanted)
{
    char *text = dump(value);
    assert_string_equal(text, wanted);
    free(text);
}

static void test_kinds(void **state)
{
    (void)state;
    static const char *const columns[] = {"key", "count", "ms", "on", "none", NULL};
    static const enum cli_json_kind kinds[] = {CLI_JSON_TEXT, CLI_JSON_NUMBER, CLI_JSON_NUMBER,
                                               CLI_JSON_BOOLEAN, CLI_JSON_NUMBER};
    struct table table;
    table_init(&table, 65536, columns);
    struct table_row *row = table_add(&table);
    table_set(&table, row, 0, "00123");
    table_set(&table, row, 1, "9007199254740993"); /* a double would round it */
    table_set(&table, row, 2, "12.5");
    table_set(&table, row, 3, "t");
    expect(cli_json_table(&table, kinds), "[{\"key\":\"00123\",\"count\":9007199254740993,"
                                          "\"ms\":12.5,\"on\":true,\"none\":null}]");
    expect(cli_json_table(&table, NULL), "[{\"key\":\"00123\",\"count\":\"9007199254740993\","
                                         "\"ms\":\"12.5\",\"on\":\"t\",\"none\":null}]");
    table_free(&table);
}

static void test_empty_table(void **state)
{
    (void)state;
    static const char *const columns[] = {"key", NULL};
    struct table table;
    table_init(&table, 65536, columns);
    expect(cli_json_table(&table, NULL), "[]");
    table_free(&table);
}

static void test_numbers_that_are_none(void **state)
{
    (void)state;
    static const char *const columns[] = {"n", NULL};
    static const enum cli_json_kind kinds[] = {CLI_JSON_NUMBER};
    static const char *const texts[] = {"NaN", "Infinity", "", "12x", "99999999999999999999999"};
    static const char *const wanted[] = {"{\"n\":\"NaN\"}", "{\"n\":\"Infinity\"}", "{\"n\":\"\"}",
                                         "{\"n\":\"12x\"}", "{\"n\":1e23}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct table table;
        table_init(&table, 65536, columns);
        table_set(&table, table_add(&table), 0, "%s", texts[i]);
        char *text = dump(cli_json_row(&table, table.first, kinds));
        if (i < 4) {
            assert_string_equal(text, wanted[i]);
        } else { /* jansson's way to write a real is its own */
            assert_int_equal(strncmp(text, "{\"n\":", 5), 0);
            assert_null(strchr(text + 5, '"'));
        }
        free(text);
        table_free(&table);
    }
}

static void test_escapes(void **state)
{
    (void)state;
    expect(cli_json_text("a\"b\\c\n\t\x01"), "\"a\\\"b\\\\c\\n\\t\\u0001\"");
    expect(cli_json_text("J\xc3\xbcrgen"), "\"J\xc3\xbcrgen\"");
}

/* RFC 3629: overlong forms, surrogates, what is beyond U+10FFFF, and cut characters. */
static void test_bytes_that_are_no_utf8(void **state)
{
    (void)state;
    expect(cli_json_text("a\xffz"), "\"a\xef\xbf\xbdz\"");
    expect(cli_json_text("\xc0\xaf"), "\"\xef\xbf\xbd\xef\xbf\xbd\"");
    expect(cli_json_text("\xed\xa0\x80!"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd!\"");
    expect(cli_json_text("\xf4\x90\x80\x80"),
           "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    expect(cli_json_text("\xe6\x97"), "\"\xef\xbf\xbd\xef\xbf\xbd\"");
    expect(cli_json_text("\xff\xf0\x9f\x98\x80"), "\"\xef\xbf\xbd\xf0\x9f\x98\x80\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_empty_table),
        cmocka_unit_test(test_numbers_that_are_none),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_bytes_that_are_no_utf8),
    };
    return cmocka_run_group_tests_name("cli/json", tests, NULL, NULL);
}
