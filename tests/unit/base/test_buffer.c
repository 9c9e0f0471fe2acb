/* Buffers: bytes up to a limit, overflow that sticks, consuming from the front, byte order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"

static void holds_exactly_its_limit(void **state)
{
    for (size_t limit = 0; limit < 1000; limit += 37) {
        struct buffer buffer;
        buffer_init(&buffer, limit);
        for (size_t i = 0; i < limit; i++)
            buffer_append_u8(&buffer, (uint8_t)i);
        assert_false(buffer.overflowed);
        assert_int_equal(buffer.len, limit);
        assert_true(buffer.capacity <= limit);
        for (size_t i = 0; i < limit; i++)
            assert_int_equal(buffer.data[i], (uint8_t)i);
        buffer_append_u8(&buffer, 0);
        assert_true(buffer.overflowed);
        assert_int_equal(buffer.len, limit);
        buffer_free(&buffer);
    }
}

static void overflow_sticks_until_cleared(void **state)
{
    struct buffer buffer;
    buffer_init(&buffer, 8);
    buffer_append(&buffer, "0123456789", 10);
    assert_true(buffer.overflowed);
    assert_int_equal(buffer.len, 0);
    buffer_append(&buffer, "ab", 2); /* would fit, but the whole is already incomplete */
    assert_int_equal(buffer.len, 0);
    assert_null(buffer_reserve(&buffer, 1));
    buffer_clear(&buffer);
    buffer_append(&buffer, "ab", 2);
    assert_int_equal(buffer.len, 2);
    buffer_free(&buffer);
    assert_int_equal(buffer.limit, 8);
}

static void huge_requests_do_not_wrap(void **state)
{
    struct buffer buffer;
    buffer_init(&buffer, 100);
    buffer_append(&buffer, "abc", 3);
    assert_null(buffer_reserve(&buffer, SIZE_MAX));
    assert_true(buffer.overflowed);
    assert_int_equal(buffer.len, 3);
    buffer_free(&buffer);
}

static void consume_drops_from_the_front(void **state)
{
    struct buffer buffer;
    buffer_init(&buffer, 64);
    buffer_append_text(&buffer, "hello world");
    buffer_consume(&buffer, 0);
    buffer_consume(&buffer, 6);
    assert_string_equal(buffer_text(&buffer), "world");
    buffer_consume(&buffer, 5);
    assert_int_equal(buffer.len, 0);
    buffer_append_text(&buffer, "again");
    assert_string_equal(buffer_text(&buffer), "again");
    buffer_free(&buffer);
}

static void numbers_are_big_endian_and_come_back(void **state)
{
    struct buffer buffer;
    buffer_init(&buffer, 64);
    buffer_append_u16be(&buffer, 0x0102);
    buffer_append_u32be(&buffer, 0xF3040506);
    buffer_append_u64be(&buffer, 0xF708090A0B0C0D0E);
    const uint8_t expected[] = {1, 2, 0xF3, 4, 5, 6, 0xF7, 8, 9, 10, 11, 12, 13, 14};
    assert_int_equal(buffer.len, sizeof expected);
    assert_memory_equal(buffer.data, expected, sizeof expected);
    assert_int_equal(load_u16be(buffer.data), 0x0102);
    assert_int_equal(load_u32be(buffer.data + 2), 0xF3040506);
    assert_true(load_u64be(buffer.data + 6) == 0xF708090A0B0C0D0E);
    buffer_free(&buffer);
}

static void printf_appends_without_the_nul(void **state)
{
    struct buffer buffer;
    buffer_init(&buffer, 2000);
    buffer_printf(&buffer, "%s=%d", "a", 1);
    buffer_printf(&buffer, ";%0*d", 600, 2);
    assert_int_equal(buffer.len, 3 + 601);
    assert_memory_equal(buffer.data, "a=1;000", 7);
    buffer_printf(&buffer, "%0*d", 3000, 2);
    assert_true(buffer.overflowed);
    assert_int_equal(buffer.len, 604);
    assert_null(buffer_text(&buffer));
    buffer_free(&buffer);
}

static void slices_compare_by_content(void **state)
{
    assert_true(slice_equal(slice_of_text("abc"), slice_of("abcd", 3)));
    assert_false(slice_equal(slice_of_text("abc"), slice_of_text("abd")));
    assert_false(slice_equal(slice_of_text("abc"), slice_of_text("ab")));
    assert_true(slice_equal(slice_of(NULL, 0), slice_of_text("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_exactly_its_limit),
        cmocka_unit_test(overflow_sticks_until_cleared),
        cmocka_unit_test(huge_requests_do_not_wrap),
        cmocka_unit_test(consume_drops_from_the_front),
        cmocka_unit_test(numbers_are_big_endian_and_come_back),
        cmocka_unit_test(printf_appends_without_the_nul),
        cmocka_unit_test(slices_compare_by_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
