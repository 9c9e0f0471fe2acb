/* Lines of an export: the same columns in CSV and JSON, and nothing in a cell that leaves it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/csv.h"
#include "cli/export_line.h"

static const struct ledger_item item = {.kind = 1, .grade = 3, .k = 7, .column_set = 1};

static struct ledger_entry make_entry(const char *text)
{
    struct ledger_entry entry = {.type = LEDGER_DISCLOSURE,
                                 .flags = LEDGER_FLAG_OPENING,
                                 .uuid = {0xab, 0xcd},
                                 .time_ns = 1790000000000000007,
                                 .partner = slice_of_text("north-mail"),
                                 .purpose = slice_of_text(text),
                                 .row_count = 25,
                                 .outcome = LEDGER_OUTCOME_COMPLETE,
                                 .items = &item,
                                 .item_count = 1};
    return entry;
}

static void make_line(const struct export_format *format, const char *text, struct buffer *out)
{
    struct ledger_entry entry = make_entry(text);
    const struct export_line line = {.sequence = 4711,
                                     .entry = &entry,
                                     .item = &item,
                                     .read = "person.name:clear:name\n",
                                     .columns =
                                         "person.mail:masked:email\nperson.name:clear:name\n",
                                     .kind_name = "person",
                                     .subjects = 2,
                                     .subject = 12,
                                     .key = "@home"};
    buffer_init(out, EXPORT_LINE_BYTES);
    export_head(format, out);
    export_append(format, &line, out);
    assert_false(out->overflowed);
}

/* Reads the second row back and gives the named field of it. */
static const char *field(const struct export_format *format, const char *text, const char *name)
{
    static char found[256];
    struct buffer out;
    struct csv csv;
    struct csv_row row;
    const char *const names[] = {name, NULL};
    make_line(format, text, &out);
    assert_int_equal(csv_open(&csv, buffer_slice(&out), NULL), STATUS_OK);
    assert_int_equal(csv_next(&csv, &row, NULL), STATUS_OK);
    size_t column = csv_column(&row, names), count = row.count;
    assert_true(column < count);
    assert_int_equal(csv_next(&csv, &row, NULL), STATUS_OK);
    assert_int_equal(row.count, count);
    snprintf(found, sizeof found, "%s", row.fields[column]);
    assert_int_equal(csv_next(&csv, &row, NULL), STATUS_NOT_FOUND);
    csv_close(&csv);
    buffer_free(&out);
    return found;
}

static void csv_holds_each_column(void **state)
{
    const struct export_format format = {.subjects = true};
    assert_string_equal(field(&format, "recall", "sequence"), "4711");
    assert_string_equal(field(&format, "recall", "time"), "2026-09-21T14:13:20.000000007Z");
    assert_string_equal(field(&format, "recall", "statement"), "abcd0000000000000000000000000000");
    assert_string_equal(field(&format, "recall", "opening"), "true");
    assert_string_equal(field(&format, "recall", "purpose"), "recall");
    assert_string_equal(field(&format, "recall", "grade"), "witness");
    assert_string_equal(field(&format, "recall", "columns"),
                        "person.mail:masked:email;person.name:clear:name");
    assert_string_equal(field(&format, "recall", "subjects"), "2");
    assert_string_equal(field(&format, "recall", "subject"), "12");
    assert_string_equal(field(&format, "recall", "policy"), "");
}

static void csv_survives_separators_quotes_and_line_ends(void **state)
{
    static const char *const texts[] = {"a,b", "a\"b\"", "two\nlines", "two\r\nlines", "\"", ","};
    const struct export_format format = {0};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_string_equal(field(&format, texts[i], "purpose"), texts[i]);
}

static void csv_disarms_formulas(void **state)
{
    static const char *const texts[] = {"=1+1", "+44 20", "-2", "@SUM(A1)", "\tx", "=\"a\",b"};
    const struct export_format guarded = {.subjects = true};
    const struct export_format exact = {.subjects = true, .exact = true};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char want[64];
        snprintf(want, sizeof want, "'%s", texts[i]);
        assert_string_equal(field(&guarded, texts[i], "purpose"), want);
        assert_string_equal(field(&exact, texts[i], "purpose"), texts[i]);
    }
    assert_string_equal(field(&guarded, "x", "key"), "'@home");
    assert_string_equal(field(&exact, "x", "key"), "@home");
    assert_string_equal(field(&guarded, "a=b", "purpose"), "a=b");
}

static void json_holds_the_same(void **state)
{
    const struct export_format format = {.json = true, .subjects = true};
    struct buffer out;
    make_line(&format, "=a \"b\"\\\n\x01 \xff \xc3\xa9", &out);
    assert_int_equal(out.data[out.len - 1], '\n');
    assert_null(memchr(out.data, '\n', out.len - 1));
    json_t *line = json_loadb((const char *)out.data, out.len, 0, NULL);
    assert_non_null(line);
    assert_int_equal(json_integer_value(json_object_get(line, "sequence")), 4711);
    assert_string_equal(json_string_value(json_object_get(line, "purpose")),
                        "=a \"b\"\\\n\x01 \xef\xbf\xbd \xc3\xa9");
    assert_int_equal(json_array_size(json_object_get(line, "columns")), 2);
    assert_string_equal(json_string_value(json_object_get(line, "key")), "@home");
    assert_true(json_is_true(json_object_get(line, "opening")));
    assert_true(json_is_null(json_object_get(line, "policy")));
    assert_int_equal(json_object_size(line), 31);
    json_decref(line);
    buffer_free(&out);
}

static void people_have_columns_only_where_they_are_named(void **state)
{
    const struct export_format counted = {.json = true};
    struct buffer out;
    make_line(&counted, "x", &out);
    json_t *line = json_loadb((const char *)out.data, out.len, 0, NULL);
    assert_non_null(line);
    assert_null(json_object_get(line, "key"));
    assert_null(json_object_get(line, "subject"));
    assert_int_equal(json_integer_value(json_object_get(line, "subjects")), 2);
    json_decref(line);
    buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_holds_each_column),
        cmocka_unit_test(csv_survives_separators_quotes_and_line_ends),
        cmocka_unit_test(csv_disarms_formulas),
        cmocka_unit_test(json_holds_the_same),
        cmocka_unit_test(people_have_columns_only_where_they_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
