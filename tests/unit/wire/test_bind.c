/* Bind: what a client may send, and what goes upstream with parameters and columns of ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "exact.h"
#include "wire/wire.h"

/* Two parameters, "ab" binary and NULL; results: one format, binary. */
#define BIND                                                                                       \
    "portal\0statement\0\0\1\0\1\0\2\0\0\0\2"                                                      \
    "ab\xff\xff\xff\xff\0\1\0\1"

static struct wire_bind parsed(struct slice body)
{
    struct wire_bind bind;
    struct error error = {0};
    if (wire_parse_bind(body, &bind, &error) != STATUS_OK)
        fail_msg("refused: %s", error.message);
    return bind;
}

static void bind_is_read_field_by_field(void **state)
{
    struct wire_bind bind = parsed(slice_of_literal(BIND));
    assert_string_equal(bind.portal, "portal");
    assert_string_equal(bind.statement, "statement");
    assert_int_equal(bind.format_count, 1);
    assert_int_equal(bind.formats.len, 2);
    assert_int_equal(bind.parameter_count, 2);
    assert_int_equal(bind.parameters.len, 10);
    assert_memory_equal(bind.parameters.data, "\0\0\0\2ab\xff\xff\xff\xff", 10);
    assert_int_equal(bind.result_format_count, 1);
    assert_memory_equal(bind.result_formats.data, "\0\1", 2);
}

static void every_truncation_and_addition_is_refused(void **state)
{
    char longer[sizeof BIND] = BIND;
    struct wire_bind bind;
    for (size_t len = 0; len <= sizeof BIND; len++) {
        struct slice body = exact_copy(longer, len);
        enum status expected = len == sizeof BIND - 1 ? STATUS_OK : STATUS_PEER;
        assert_int_equal(wire_parse_bind(body, &bind, NULL), expected);
        exact_free(body);
    }
}

static void lengths_that_lie_are_refused(void **state)
{
    static const char *const lengths[] = {"\xff\xff\xff\xfe", "\x80\0\0\0", "\x7f\xff\xff\xff",
                                          "\0\0\0\3"};
    for (size_t i = 0; i < 4; i++) {
        char bytes[] = "\0\0\0\0\0\1....ab\0\0";
        memcpy(bytes + 6, lengths[i], 4);
        struct slice body = exact_copy(bytes, sizeof bytes - 1);
        struct wire_bind bind;
        assert_int_equal(wire_parse_bind(body, &bind, NULL), STATUS_PEER);
        exact_free(body);
    }
}

static void wrong_formats_leave_the_session_alive(void **state)
{
    struct wire_bind bind;
    struct error error;
    assert_int_equal(wire_parse_bind(slice_of_literal("\0\0\0\2\0\0\0\0\0\1\xff\xff\xff\xff\0\0"),
                                     &bind, &error),
                     STATUS_DENIED);
    assert_string_equal(error.sqlstate, "08P01");
    assert_int_equal(
        wire_parse_bind(slice_of_literal("\0\0\0\1\0\2\0\1\xff\xff\xff\xff\0\0"), &bind, &error),
        STATUS_DENIED);
    assert_string_equal(error.sqlstate, "22023");
    assert_int_equal(wire_parse_bind(slice_of_literal("\0\0\0\0\0\0\0\1\1\0"), &bind, &error),
                     STATUS_DENIED);
    assert_string_equal(error.sqlstate, "22023");
}

static void parameters_are_bounded(void **state)
{
    struct buffer body;
    struct wire_bind bind;
    struct error error = {0};
    buffer_init(&body, 1000000);
    for (size_t count = LIMIT_PARAMETERS; count <= LIMIT_PARAMETERS + 1; count++) {
        buffer_clear(&body);
        buffer_append(&body, "\0\0\0", 4);
        buffer_append_u16be(&body, (uint16_t)count);
        for (size_t i = 0; i < count; i++)
            buffer_append_u32be(&body, UINT32_MAX);
        buffer_append_u16be(&body, 0);
        assert_int_equal(wire_parse_bind(buffer_slice(&body), &bind, &error),
                         count <= LIMIT_PARAMETERS ? STATUS_OK : STATUS_LIMIT);
    }
    assert_string_equal(error.sqlstate, "54000");
    buffer_free(&body);
}

static void without_additions_it_is_sent_as_it_came(void **state)
{
    struct wire_bind bind = parsed(slice_of_literal(BIND));
    struct buffer out;
    buffer_init(&out, 1000);
    wire_put_bind(&out, "p", "s", &bind, NULL, 0, 3, 0);
    assert_literal(&out, "B\0\0\0\x1c"
                         "p\0s\0\0\1\0\1\0\2\0\0\0\2"
                         "ab\xff\xff\xff\xff\0\1\0\1");
    buffer_free(&out);
}

/* Own formats by the 0 / 1 / n rule, extra parameters binary, hidden columns text. */
static void additions_expand_the_formats(void **state)
{
    static const struct {
        const char *formats, *results; /* count and codes, as on the wire */
        size_t formats_len, results_len;
        const char *formats_sent, *results_sent;
        size_t formats_sent_len, results_sent_len;
    } cases[] = {
        {"\0\0", "\0\0", 2, 2, "\0\3\0\0\0\0\0\1", "\0\0", 8, 2},
        {"\0\1\0\0", "\0\1\0\0", 4, 4, "\0\3\0\0\0\0\0\1", "\0\4\0\0\0\0\0\0\0\0", 8, 10},
        {"\0\1\0\1", "\0\1\0\1", 4, 4, "\0\3\0\1\0\1\0\1", "\0\4\0\1\0\1\0\0\0\0", 8, 10},
        {"\0\2\0\0\0\1", "\0\2\0\0\0\1", 6, 6, "\0\3\0\0\0\1\0\1", "\0\4\0\0\0\1\0\0\0\0", 8, 10},
        {"\0\2\0\1\0\0", "\0\2\0\1\0\0", 6, 6, "\0\3\0\1\0\0\0\1", "\0\4\0\1\0\0\0\0\0\0", 8, 10},
    };
    struct slice extra = slice_of_text("KEY");
    struct buffer body, out, expected;
    buffer_init(&body, 1000);
    buffer_init(&out, 1000);
    buffer_init(&expected, 1000);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        buffer_clear(&body);
        buffer_append(&body, "\0", 2);
        buffer_append(&body, cases[i].formats, cases[i].formats_len);
        buffer_append(&body, "\0\2\0\0\0\0\0\0\0\1x", 11);
        buffer_append(&body, cases[i].results, cases[i].results_len);
        struct wire_bind bind = parsed(buffer_slice(&body));
        buffer_clear(&out);
        wire_put_bind(&out, "p", "s", &bind, &extra, 1, 2, 2);

        buffer_clear(&expected);
        size_t start = wire_begin(&expected, 'B');
        buffer_append(&expected, "p\0s", 4);
        buffer_append(&expected, cases[i].formats_sent, cases[i].formats_sent_len);
        buffer_append(&expected, "\0\3\0\0\0\0\0\0\0\1x\0\0\0\3KEY", 18);
        buffer_append(&expected, cases[i].results_sent, cases[i].results_sent_len);
        wire_end(&expected, start);
        assert_bytes(&out, expected.data, expected.len);
    }
    buffer_free(&body);
    buffer_free(&out);
    buffer_free(&expected);
}

static void additions_to_nothing(void **state)
{
    struct wire_bind bind = parsed(slice_of_literal("\0\0\0\0\0\0\0\1\0\1"));
    struct slice extra[] = {slice_of("", 0), slice_of(NULL, 0)};
    struct buffer out;
    buffer_init(&out, 1000);
    wire_put_bind(&out, "", "", &bind, extra, 2, 0, 1);
    assert_literal(&out, "B\0\0\0\x1a\0\0\0\2\0\1\0\1\0\2\0\0\0\0\xff\xff\xff\xff\0\1\0\0");
    buffer_free(&out);
}

static void one_too_many_for_the_buffer(void **state)
{
    struct wire_bind bind = parsed(slice_of_literal(BIND));
    struct buffer out;
    for (size_t limit = 0; limit < 29; limit++) {
        buffer_init(&out, limit);
        wire_put_bind(&out, "p", "s", &bind, NULL, 0, 3, 0);
        assert_true(out.overflowed);
        buffer_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bind_is_read_field_by_field),
        cmocka_unit_test(every_truncation_and_addition_is_refused),
        cmocka_unit_test(lengths_that_lie_are_refused),
        cmocka_unit_test(wrong_formats_leave_the_session_alive),
        cmocka_unit_test(parameters_are_bounded),
        cmocka_unit_test(without_additions_it_is_sent_as_it_came),
        cmocka_unit_test(additions_expand_the_formats),
        cmocka_unit_test(additions_to_nothing),
        cmocka_unit_test(one_too_many_for_the_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
