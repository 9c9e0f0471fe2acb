/* Leaked samples: lines, columns and cells of both formats, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "trace/leak.h"

/* "names|cells of each line with its number", or the error. */
static const char *shown(const char *text, enum leak_format format)
{
    static char out[512];
    struct leak leak;
    struct error error = {0};
    size_t len = 0;
    enum status status = leak_parse(slice_of_text(text), format, &leak, &error);
    for (size_t c = 0; c < leak.column_count && status == STATUS_OK; c++)
        len += (size_t)snprintf(out + len, sizeof out - len, "%s%s", c == 0 ? "" : ",",
                                leak.columns[c]);
    for (size_t i = 0; i < leak.line_count && status == STATUS_OK; i++) {
        len += (size_t)snprintf(out + len, sizeof out - len, "|%zu", leak.lines[i].number);
        for (size_t c = 0; c < leak.column_count; c++) {
            const char *cell = leak_cell(&leak, i, c);
            len += (size_t)snprintf(out + len, sizeof out - len, ":%s", cell == NULL ? "-" : cell);
        }
    }
    leak_free(&leak);
    if (status != STATUS_OK)
        snprintf(out, sizeof out, "%s: %s", status_name(status), error.message);
    return out;
}

static void csv(void **state)
{
    assert_string_equal(shown("name;mail\r\n\r\n Ann ;\r\n\"B;C\";b@c.example\n", LEAK_GUESS),
                        "name,mail|3:Ann:-|4:B;C:b@c.example");
    assert_string_equal(shown("a@b.example,Ann\nc@d.example,\n", LEAK_GUESS),
                        "1,2|1:a@b.example:Ann|2:c@d.example:-");
    assert_string_equal(shown("name,,mail\nx,y,z\n", LEAK_CSV), "name,2,mail|2:x:y:z");
    assert_string_equal(shown("a,b\nx\n", LEAK_CSV), "a,b|2:x:-");
}

static void json_lines(void **state)
{
    assert_string_equal(
        shown("{\"a\":\"x\",\"b\":7}\n\n{\"b\":null,\"c\":true,\"a\":\" y \"}\n", LEAK_GUESS),
        "a,b,c|1:x:7:-|3:y:-:true");
    assert_string_equal(shown("{\"a\":{\"b\":[1]}}", LEAK_GUESS), "a|1:{\"b\":[1]}");
    assert_string_equal(shown("\xEF\xBB\xBF{\"a\":1}\r\n", LEAK_GUESS), "a|1:1");
}

static void what_is_refused(void **state)
{
    assert_non_null(strstr(shown("", LEAK_GUESS), "invalid: the file has no line of data"));
    assert_non_null(strstr(shown("name\n", LEAK_GUESS), "no line of data"));
    assert_non_null(strstr(shown("[{}]", LEAK_GUESS), "a JSON array"));
    assert_non_null(strstr(shown("a,b\n1x,2x,3x\n", LEAK_CSV), "line 2 has 3 fields"));
    assert_non_null(strstr(shown("a,a\nx,y\n", LEAK_CSV), "columns 1 and 2 have the same name"));
    assert_non_null(strstr(shown("{\"a\":1,\"a\":2}", LEAK_GUESS), "line 1"));
    assert_non_null(strstr(shown("{\"a\":1}\n7\n", LEAK_GUESS), "line 2: it is not one JSON"));
    assert_non_null(strstr(shown("{\"a\":1} {\"a\":2}\n", LEAK_GUESS), "line 1"));
    /* Never what stood there. */
    assert_null(strstr(shown("{\"secret\": oops}", LEAK_GUESS), "oops"));
}

static void assert_limit(struct buffer *text, const char *message)
{
    const char *told = shown(buffer_text(text), LEAK_GUESS);
    if (strstr(told, "limit: ") == NULL || strstr(told, message) == NULL)
        fail_msg("%s, expected %s", told, message);
    buffer_clear(text);
}

static void limits(void **state)
{
    struct buffer text;
    buffer_init(&text, 16 * 1024 * 1024);
    for (size_t i = 0; i < LEAK_LINES + 2; i++)
        buffer_append_text(&text, "ab\n");
    assert_limit(&text, "more than 200000 lines");
    for (size_t i = 0; i <= LEAK_COLUMNS; i++)
        buffer_printf(&text, "{\"column %zu\":1}\n", i);
    assert_limit(&text, "line 257: there are more than 256 columns");
    for (size_t i = 0; i <= LEAK_NAME_BYTES; i++)
        buffer_append_text(&text, "x");
    buffer_append_text(&text, "\na\n");
    assert_limit(&text, "the name of a column");
    buffer_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv),
        cmocka_unit_test(json_lines),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
