/* Rewriting the upstream's answers: hidden columns never reach a client, and bytes that are not
 * exactly what was asked for reach nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "exact.h"
#include "wire/wire.h"

/* Columns a (table 1.2, int8, binary) and hidden (text). */
#define COLUMN_A      "a\0\0\0\0\1\0\2\0\0\0\x14\0\x08\xff\xff\xff\xff\0\1"
#define COLUMN_HIDDEN "hidden\0\0\0\0\1\0\3\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0"
#define DESCRIPTION   "\0\2" COLUMN_A COLUMN_HIDDEN

/* Visible: "abc", NULL, "". Hidden: "k1", NULL, "". */
#define VISIBLE                                                                                    \
    "\0\0\0\3"                                                                                     \
    "abc\xff\xff\xff\xff\0\0\0\0"
#define HIDDEN "\0\0\0\2k1\xff\xff\xff\xff\0\0\0\0"
#define ROW    "\0\6" VISIBLE HIDDEN

static void fields_of_reports(void **state)
{
    struct wire_fields fields;
    assert_int_equal(
        wire_parse_fields(slice_of_literal("SFEHLER\0VERROR\0C42501\0Mx\0\0"), &fields, NULL),
        STATUS_OK);
    assert_string_equal(fields.severity, "ERROR");
    assert_string_equal(fields.sqlstate, "42501");
    assert_int_equal(wire_parse_fields(slice_of_literal("SFATAL\0\0"), &fields, NULL), STATUS_OK);
    assert_string_equal(fields.severity, "FATAL");
    assert_string_equal(fields.sqlstate, "");
    assert_int_equal(
        wire_parse_fields(slice_of_literal("Vlonger than sixteen\0C1234567\0\0"), &fields, NULL),
        STATUS_OK);
    assert_string_equal(fields.severity, "longer than six");
    assert_string_equal(fields.sqlstate, "12345");
}

static void broken_reports_are_refused(void **state)
{
    static const char report[] = "SERROR\0C42501\0\0x";
    struct wire_fields fields;
    for (size_t len = 0; len <= sizeof report - 1; len++) {
        struct slice body = exact_copy(report, len);
        assert_int_equal(wire_parse_fields(body, &fields, NULL),
                         len == sizeof report - 2 ? STATUS_OK : STATUS_PEER);
        exact_free(body);
    }
}

static void a_description_loses_hidden_columns_and_tables(void **state)
{
    struct buffer out;
    buffer_init(&out, 1000);
    assert_int_equal(wire_put_visible_description(&out, slice_of_literal(DESCRIPTION), 1, 2, NULL),
                     STATUS_OK);
    assert_literal(&out, "T\0\0\0\x1a\0\1"
                         "a\0\0\0\0\0\0\0\0\0\0\x14\0\x08\xff\xff\xff\xff\0\1");
    buffer_clear(&out);
    assert_int_equal(wire_put_visible_description(&out, slice_of_literal(DESCRIPTION), 0, 2, NULL),
                     STATUS_OK);
    assert_literal(&out, "T\0\0\0\6\0\0");
    buffer_free(&out);
}

static void a_broken_description_leaves_nothing_behind(void **state)
{
    static const char longer[] = DESCRIPTION;
    struct buffer out;
    buffer_init(&out, 1000);
    buffer_append_text(&out, "before");
    for (size_t len = 0; len <= sizeof longer; len++) {
        if (len == sizeof longer - 1)
            continue;
        struct slice body = exact_copy(longer, len);
        assert_int_equal(wire_put_visible_description(&out, body, 1, 2, NULL), STATUS_PEER);
        assert_literal(&out, "before");
        exact_free(body);
    }
    for (size_t total = 0; total <= 3; total++)
        if (total != 2)
            assert_int_equal(
                wire_put_visible_description(&out, slice_of_literal(DESCRIPTION), 0, total, NULL),
                STATUS_PEER);
    assert_literal(&out, "before");
    buffer_free(&out);
}

static void parameter_descriptions_lose_extra_parameters(void **state)
{
    static const char body[] = "\0\2\0\0\0\x14\0\0\0\x11";
    struct buffer out;
    buffer_init(&out, 1000);
    assert_int_equal(wire_put_visible_parameters(&out, slice_of(body, 10), 1, NULL), STATUS_OK);
    assert_int_equal(wire_put_visible_parameters(&out, slice_of(body, 10), 0, NULL), STATUS_OK);
    assert_literal(&out, "t\0\0\0\x0a\0\1\0\0\0\x14"
                         "t\0\0\0\6\0\0");
    buffer_clear(&out);
    assert_int_equal(wire_put_visible_parameters(&out, slice_of(body, 10), 3, NULL), STATUS_PEER);
    for (size_t len = 0; len <= 11; len++) {
        struct slice copy = exact_copy(body, len);
        if (len != 10)
            assert_int_equal(wire_put_visible_parameters(&out, copy, 1, NULL), STATUS_PEER);
        exact_free(copy);
    }
    assert_int_equal(out.len, 0);
    buffer_free(&out);
}

static void a_row_is_split_and_passed_on(void **state)
{
    struct slice hidden[3], body = exact_copy(ROW, sizeof ROW - 1);
    size_t visible_bytes;
    assert_int_equal(wire_split_row(body, 3, 3, &visible_bytes, hidden, NULL), STATUS_OK);
    assert_int_equal(visible_bytes, sizeof VISIBLE - 1);
    assert_int_equal(hidden[0].len, 2);
    assert_memory_equal(hidden[0].data, "k1", 2);
    assert_null(hidden[1].data);
    assert_int_equal(hidden[1].len, 0);
    assert_non_null(hidden[2].data);
    assert_int_equal(hidden[2].len, 0);

    struct buffer out;
    buffer_init(&out, 1000);
    wire_put_visible_row(&out, body, 3, visible_bytes);
    assert_literal(&out, "D\0\0\0\x15\0\3" VISIBLE);
    buffer_free(&out);
    exact_free(body);
}

static void any_division_of_the_columns_works(void **state)
{
    struct slice hidden[6];
    struct buffer out;
    buffer_init(&out, 1000);
    static const size_t bytes_of[] = {0, 7, 11, 15, 21, 25, 29};
    for (size_t visible = 0; visible <= 6; visible++) {
        size_t visible_bytes;
        assert_int_equal(wire_split_row(slice_of_literal(ROW), visible, 6 - visible, &visible_bytes,
                                        hidden, NULL),
                         STATUS_OK);
        assert_int_equal(visible_bytes, bytes_of[visible]);
        buffer_clear(&out);
        wire_put_visible_row(&out, slice_of_literal(ROW), visible, visible_bytes);
        assert_int_equal(out.len, 7 + visible_bytes);
        assert_int_equal(load_u32be(out.data + 1), 6 + visible_bytes);
        assert_int_equal(load_u16be(out.data + 5), visible);
    }
    buffer_free(&out);
}

static void a_row_of_no_columns(void **state)
{
    size_t visible_bytes = 77;
    struct buffer out;
    buffer_init(&out, 1000);
    assert_int_equal(wire_split_row(slice_of_literal("\0\0"), 0, 0, &visible_bytes, NULL, NULL),
                     STATUS_OK);
    assert_int_equal(visible_bytes, 0);
    wire_put_visible_row(&out, slice_of_literal("\0\0"), 0, 0);
    assert_literal(&out, "D\0\0\0\6\0\0");
    buffer_free(&out);
}

static void a_broken_row_is_refused(void **state)
{
    static const char longer[] = ROW;
    struct slice hidden[6];
    size_t visible_bytes = 77;
    struct error error;
    for (size_t visible = 0; visible <= 6; visible++) {
        for (size_t len = 0; len <= sizeof longer; len++) {
            if (len == sizeof longer - 1)
                continue;
            struct slice body = exact_copy(longer, len);
            assert_int_equal(
                wire_split_row(body, visible, 6 - visible, &visible_bytes, hidden, &error),
                STATUS_PEER);
            assert_string_equal(error.sqlstate, "08P01");
            exact_free(body);
        }
    }
    assert_int_equal(wire_split_row(slice_of_literal(ROW), 3, 2, &visible_bytes, hidden, NULL),
                     STATUS_PEER);
    assert_int_equal(wire_split_row(slice_of_literal(ROW), 3, 4, &visible_bytes, hidden, NULL),
                     STATUS_PEER);
    assert_int_equal(visible_bytes, 77);
}

static void value_lengths_that_lie_are_refused(void **state)
{
    static const char *const lengths[] = {"\xff\xff\xff\xfe", "\x80\0\0\0", "\x7f\xff\xff\xff",
                                          "\0\0\0\3", "\0\0\0\1"};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        char bytes[] = "\0\1....ab";
        memcpy(bytes + 2, lengths[i], 4);
        struct slice hidden, body = exact_copy(bytes, 8);
        size_t visible_bytes;
        assert_int_equal(wire_split_row(body, 1, 0, &visible_bytes, NULL, NULL), STATUS_PEER);
        assert_int_equal(wire_split_row(body, 0, 1, &visible_bytes, &hidden, NULL), STATUS_PEER);
        exact_free(body);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_of_reports),
        cmocka_unit_test(broken_reports_are_refused),
        cmocka_unit_test(a_description_loses_hidden_columns_and_tables),
        cmocka_unit_test(a_broken_description_leaves_nothing_behind),
        cmocka_unit_test(parameter_descriptions_lose_extra_parameters),
        cmocka_unit_test(a_row_is_split_and_passed_on),
        cmocka_unit_test(any_division_of_the_columns_works),
        cmocka_unit_test(a_row_of_no_columns),
        cmocka_unit_test(a_broken_row_is_refused),
        cmocka_unit_test(value_lengths_that_lie_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
