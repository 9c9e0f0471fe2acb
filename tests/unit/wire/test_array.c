/* Array literals, as array_out writes them; anything else is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "exact.h"
#include "wire/wire.h"

/* Walks the literal and writes each element in brackets, NULL as "-"; returns the last status. */
static enum status walk(struct slice text, struct buffer *elements)
{
    struct buffer scratch;
    buffer_init(&scratch, 1000);
    size_t at = 0;
    enum status status;
    buffer_clear(elements);
    for (;;) {
        bool is_null;
        struct slice element;
        status = wire_array_next(text, &at, &scratch, &is_null, &element);
        if (status != STATUS_OK)
            break;
        if (is_null)
            buffer_append_text(elements, "-");
        else
            buffer_printf(elements, "[%.*s]", (int)element.len, (const char *)element.data);
    }
    buffer_free(&scratch);
    return status;
}

static void literals_are_walked(void **state)
{
    static const struct {
        const char *text, *elements;
    } cases[] = {
        {"{}", ""},
        {"{1}", "[1]"},
        {"{1,22,-333}", "[1][22][-333]"},
        {"{NULL,1,NULL}", "-[1]-"},
        {"{null}", "-"},
        {"{NULLS}", "[NULLS]"},
        {"{\"NULL\"}", "[NULL]"},
        {"{\"\"}", "[]"},
        {"{\"\",\"\"}", "[][]"},
        {"{\"a,b\",\"{}\",\"c d\"}", "[a,b][{}][c d]"},
        {"{\"a\\\"b\\\\c\"}", "[a\"b\\c]"},
        {"{\"\\\"\"}", "[\"]"},
        {"{\"a\\bc\"}", "[abc]"},
        {"{é}", "[é]"},
    };
    struct buffer elements;
    buffer_init(&elements, 1000);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct slice text = exact_copy(cases[i].text, strlen(cases[i].text));
        enum status status = walk(text, &elements);
        if (status != STATUS_NOT_FOUND)
            fail_msg("%s: %s", cases[i].text, status_name(status));
        assert_string_equal(buffer_text(&elements), cases[i].elements);
        exact_free(text);
    }
    buffer_free(&elements);
}

static void anything_else_is_refused(void **state)
{
    static const char *const bad[] = {
        "",       "{",      "}",         "1",           "{1",
        "{1,",    "{1,}",   "{,1}",      "{,}",         "{1}x",
        "{}x",    "{{1}}",  "{1,{2}}",   "[0:1]={1,2}", "{ 1}",
        "{1 }",   "{a b}",  "{\"a}",     "{\"a\"x}",    "{x\"a\"}",
        "{a\\b}", "{\"a\\", "{\"a\\\"}", "{\"a\"",      "{\"a\"\"b\"}",
        " {1}",   "{1} ",   "{1,,2}"};
    struct buffer elements;
    buffer_init(&elements, 1000);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct slice text = exact_copy(bad[i], strlen(bad[i]));
        enum status status = walk(text, &elements);
        if (status != STATUS_PEER)
            fail_msg("%s: %s, expected peer", bad[i], status_name(status));
        exact_free(text);
    }
    buffer_free(&elements);
}

static void the_end_stays_the_end(void **state)
{
    struct buffer scratch;
    buffer_init(&scratch, 100);
    size_t at = 0;
    bool is_null;
    struct slice element, text = slice_of_text("{a}");
    assert_int_equal(wire_array_next(text, &at, &scratch, &is_null, &element), STATUS_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(wire_array_next(text, &at, &scratch, &is_null, &element),
                         STATUS_NOT_FOUND);
    buffer_free(&scratch);
}

static void scratch_is_bounded(void **state)
{
    struct buffer scratch;
    buffer_init(&scratch, 3);
    size_t at = 0;
    bool is_null;
    struct slice element;
    assert_int_equal(
        wire_array_next(slice_of_text("{\"\\abcd\",x}"), &at, &scratch, &is_null, &element),
        STATUS_NOMEM);
    assert_int_equal(at, 0);
    buffer_free(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals_are_walked),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(the_end_stays_the_end),
        cmocka_unit_test(scratch_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
