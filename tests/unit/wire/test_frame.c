/* Fields and frames: nothing is read that is not there, whatever the lengths claim. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "exact.h"
#include "wire/wire.h"

static void fields_are_read_in_turn(void **state)
{
    struct wire_reader reader = wire_reader_of(slice_of_literal("\x07\x01\x02\xff\xfe\xfd\xfc"
                                                                "abc\0"
                                                                "xy"));
    assert_int_equal(wire_read_u8(&reader), 7);
    assert_int_equal(wire_read_u16(&reader), 0x0102);
    assert_int_equal(wire_read_u32(&reader), 0xfffefdfc);
    assert_string_equal(wire_read_text(&reader), "abc");
    assert_false(wire_reader_done(&reader));
    struct slice rest = wire_read_bytes(&reader, 2);
    assert_int_equal(rest.len, 2);
    assert_memory_equal(rest.data, "xy", 2);
    assert_true(wire_reader_done(&reader));
}

static void a_missing_field_fails_for_good(void **state)
{
    struct slice body = exact_copy("\x01\x02\x03", 3);
    struct wire_reader reader = wire_reader_of(body);
    assert_int_equal(wire_read_u32(&reader), 0);
    assert_true(reader.failed);
    assert_int_equal(wire_read_u8(&reader), 0);
    assert_int_equal(wire_read_u16(&reader), 0);
    assert_string_equal(wire_read_text(&reader), "");
    assert_int_equal(wire_read_bytes(&reader, 1).len, 0);
    assert_false(wire_reader_done(&reader));

    reader = wire_reader_of(body);
    assert_int_equal(wire_read_bytes(&reader, SIZE_MAX).len, 0);
    assert_true(reader.failed);
    exact_free(body);
}

static void a_text_wants_its_nul(void **state)
{
    struct slice body = exact_copy("abc", 3);
    struct wire_reader reader = wire_reader_of(body);
    assert_string_equal(wire_read_text(&reader), "");
    assert_true(reader.failed);
    reader = wire_reader_of(slice_of(NULL, 0));
    assert_true(wire_reader_done(&reader));
    assert_string_equal(wire_read_text(&reader), "");
    assert_true(reader.failed);
    exact_free(body);
}

static void a_message_is_cut_at_every_boundary(void **state)
{
    static const char stream[] = "Q\0\0\0\x09"
                                 "text\0"
                                 "S\0\0\0\x04";
    struct error error;
    for (size_t len = 0; len <= sizeof stream - 1; len++) {
        struct slice bytes = exact_copy(stream, len);
        struct wire_message message = {0};
        size_t needed = 77;
        enum status status = wire_next_message(bytes, 1000, &message, &needed, &error);
        if (len < 10) {
            assert_int_equal(status, STATUS_AGAIN);
            assert_int_equal(needed, len < 5 ? 0 : 10);
            assert_int_equal(message.size, 0);
        } else {
            assert_int_equal(status, STATUS_OK);
            assert_int_equal(message.type, 'Q');
            assert_int_equal(message.size, 10);
            assert_int_equal(message.body.len, 5);
            assert_memory_equal(message.body.data, "text", 5);
        }
        exact_free(bytes);
    }
}

static void a_message_length_is_judged_before_its_bytes_come(void **state)
{
    static const struct {
        const char *header;
        enum status status;
    } cases[] = {
        {"Q\0\0\0\0", STATUS_PEER},         {"Q\0\0\0\x03", STATUS_PEER},
        {"S\0\0\0\x04", STATUS_OK},         {"Q\0\0\x03\xe8", STATUS_AGAIN},
        {"Q\0\0\x03\xe9", STATUS_PEER},     {"Q\x7f\xff\xff\xff", STATUS_PEER},
        {"Q\x80\0\0\0", STATUS_PEER},       {"Q\xff\xff\xff\xff", STATUS_PEER},
        {"Q\xff\xff\xff\xfb", STATUS_PEER},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct slice bytes = exact_copy(cases[i].header, 5);
        struct wire_message message;
        struct error error = {0};
        size_t needed;
        assert_int_equal(wire_next_message(bytes, 1000, &message, &needed, &error),
                         cases[i].status);
        if (cases[i].status == STATUS_PEER)
            assert_string_equal(error.sqlstate, "08P01");
        exact_free(bytes);
    }
}

/* The largest length there is, with a bound that lets it pass: no sum may overflow. */
static void the_largest_length_does_not_overflow(void **state)
{
    struct slice bytes = exact_copy("Q\xff\xff\xff\xff"
                                    "abc",
                                    8);
    struct wire_message message;
    size_t needed = 0;
    assert_int_equal(wire_next_message(bytes, SIZE_MAX, &message, &needed, NULL), STATUS_AGAIN);
    assert_int_equal(needed, (size_t)UINT32_MAX + 1);
    exact_free(bytes);
}

static void a_startup_packet_is_cut_at_every_boundary(void **state)
{
    static const char stream[] = "\0\0\0\x08\x04\xd2\x16\x2f"
                                 "next";
    for (size_t len = 0; len <= sizeof stream - 1; len++) {
        struct slice bytes = exact_copy(stream, len);
        struct wire_message message = {0};
        enum status status = wire_next_startup(bytes, &message, NULL);
        assert_int_equal(status, len < 8 ? STATUS_AGAIN : STATUS_OK);
        if (status == STATUS_OK) {
            assert_int_equal(message.type, 0);
            assert_int_equal(message.size, 8);
            assert_int_equal(message.body.len, 4);
        }
        exact_free(bytes);
    }
}

static void a_startup_length_is_judged_at_once(void **state)
{
    static const struct {
        const char *length;
        enum status status;
    } cases[] = {
        {"\0\0\0\0", STATUS_PEER},
        {"\0\0\0\x07", STATUS_PEER},
        {"\0\0\0\x08", STATUS_AGAIN},
        {"\0\0\x27\x10", STATUS_AGAIN}, /* 10,000 */
        {"\0\0\x27\x11", STATUS_PEER},
        {"\0\x20\0\0", STATUS_PEER}, /* 2 MB */
        {"\xff\xff\xff\xff", STATUS_PEER},
        {"\x80\0\0\0", STATUS_PEER},
        {"GET ", STATUS_PEER},
        {"\x16\x03\x01\x02", STATUS_PEER}, /* bare TLS */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct slice bytes = exact_copy(cases[i].length, 4);
        struct wire_message message;
        assert_int_equal(wire_next_startup(bytes, &message, NULL), cases[i].status);
        exact_free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_read_in_turn),
        cmocka_unit_test(a_missing_field_fails_for_good),
        cmocka_unit_test(a_text_wants_its_nul),
        cmocka_unit_test(a_message_is_cut_at_every_boundary),
        cmocka_unit_test(a_message_length_is_judged_before_its_bytes_come),
        cmocka_unit_test(the_largest_length_does_not_overflow),
        cmocka_unit_test(a_startup_packet_is_cut_at_every_boundary),
        cmocka_unit_test(a_startup_length_is_judged_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
