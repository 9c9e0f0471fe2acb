/* CSV: what RFC 4180 says, and what spreadsheets and people do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/csv.h"

/* The rows as "line:field|field/" one after the other. The text has no terminator behind it, so
 * that a sanitizer sees what is read too far. */
static const char *read_all(const char *text, size_t len)
{
    static char shown[4096];
    struct csv csv;
    struct csv_row row;
    struct error error = {0};
    uint8_t *exact = malloc(len == 0 ? 1 : len);
    memcpy(exact, text, len);
    shown[0] = '\0';
    enum status status = csv_open(&csv, slice_of(exact, len), &error);
    while (status == STATUS_OK && (status = csv_next(&csv, &row, &error)) == STATUS_OK) {
        size_t at = strlen(shown);
        at += (size_t)snprintf(shown + at, sizeof shown - at, "%zu:", row.line);
        for (size_t i = 0; i < row.count; i++)
            at += (size_t)snprintf(shown + at, sizeof shown - at, "%s%s", i == 0 ? "" : "|",
                                   row.fields[i]);
        snprintf(shown + at, sizeof shown - at, "/");
    }
    if (status != STATUS_NOT_FOUND)
        snprintf(shown, sizeof shown, "%s: %s", status_name(status), error.message);
    csv_close(&csv);
    free(exact);
    return shown;
}

#define READS(text, expected) assert_string_equal(read_all(text, sizeof(text) - 1), expected)

static void rows_end_in_any_way(void **state)
{
    READS("", "");
    READS("a", "1:a/");
    READS("a,b\nc,d\n", "1:a|b/2:c|d/");
    READS("a,b\r\nc,d", "1:a|b/2:c|d/");
    READS("a,b\rc,d\r", "1:a|b/2:c|d/");
    READS("\n\r\n a ,\n\n,b\n", "3: a |/5:|b/");
    READS("a,b,", "1:a|b|/");
}

static void quotes_hold_anything(void **state)
{
    READS("\"a,b\",c\n", "1:a,b|c/");
    READS("\"a \"\"b\"\"\",\"\"\n", "1:a \"b\"|/");
    READS("\"two\r\nlines\",x\ny\n", "1:two\r\nlines|x/3:y/");
    READS("\"old\rmac\",x\ny\n", "1:old\rmac|x/3:y/");
    READS("5\" disk,b\n", "1:5\" disk|b/");
}

static void what_spreadsheets_add_is_forgiven(void **state)
{
    READS("\xEF\xBB\xBF"
          "a,b\n",
          "1:a|b/");
    READS("a;b\n1,5;2\n", "1:a|b/2:1,5|2/");
    READS("a\tb\nc,d\te\n", "1:a|b/2:c,d|e/");
    READS("\"x,y,z\";b\nc;d\n", "1:x,y,z|b/2:c|d/");
}

static void what_is_no_csv_is_refused(void **state)
{
    READS("a\n\"b\nc", "invalid: line 2: a quote is opened and never closed");
    READS("\"a\"b,c\n", "invalid: line 1: text behind a closing quote");
    READS("\"a", "invalid: line 1: a quote is opened and never closed");
    READS("\"", "invalid: line 1: a quote is opened and never closed");
    READS("\xFF\xFE"
          "a\0",
          "invalid: the file is UTF-16 text");
    READS("a\nb\nM\xFCller\n", "invalid: line 3: the file is not UTF-8 text");
    READS("a\0b\n", "invalid: line 1: the file is not UTF-8 text");
}

static void sizes_are_bounded(void **state)
{
    static char fields[CSV_MOST_FIELDS + 2], field[CSV_FIELD_BYTES + 1];
    memset(fields, ',', sizeof fields);
    assert_string_equal(read_all(fields, CSV_MOST_FIELDS), "invalid: line 1: more than 256 fields");
    assert_int_equal(strncmp(read_all(fields, CSV_MOST_FIELDS - 1), "1:|", 3), 0);
    memset(field, 'x', sizeof field);
    assert_string_equal(read_all(field, sizeof field), "invalid: line 1: a field is too long");
}

static void columns_are_found_by_name(void **state)
{
    const char *const fields[] = {"Customer ID", "E-Mail", "full_name"};
    const struct csv_row row = {1, fields, 3};
    assert_int_equal(csv_column(&row, (const char *const[]){"customer_id", NULL}), 0);
    assert_int_equal(csv_column(&row, (const char *const[]){"address", "email", NULL}), 1);
    assert_int_equal(csv_column(&row, (const char *const[]){"FullName", NULL}), 2);
    assert_int_equal(csv_column(&row, (const char *const[]){"full", NULL}), 3);
}

static void what_is_written_is_read_back(void **state)
{
    static const char *const fields[] = {"plain", "a,b", "say \"hi\"", "two\nlines", "", " x "};
    struct buffer out;
    struct csv csv;
    struct csv_row row;
    struct error error;
    buffer_init(&out, 4096);
    for (size_t i = 0; i < 6; i++) {
        buffer_append_text(&out, i == 0 ? "" : ",");
        csv_append(&out, fields[i]);
    }
    assert_int_equal(csv_open(&csv, buffer_slice(&out), &error), STATUS_OK);
    assert_int_equal(csv_next(&csv, &row, &error), STATUS_OK);
    assert_int_equal(row.count, 6);
    for (size_t i = 0; i < 6; i++)
        assert_string_equal(row.fields[i], fields[i]);
    csv_close(&csv);
    buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_end_in_any_way),
        cmocka_unit_test(quotes_hold_anything),
        cmocka_unit_test(what_spreadsheets_add_is_forgiven),
        cmocka_unit_test(what_is_no_csv_is_refused),
        cmocka_unit_test(sizes_are_bounded),
        cmocka_unit_test(columns_are_found_by_name),
        cmocka_unit_test(what_is_written_is_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
