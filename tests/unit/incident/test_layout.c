/* Numbers, instants, durations and lines of documents. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "incident/layout.h"

static struct arena arena;

static void wraps_to(const char *text, size_t indent, size_t columns, const char *wanted)
{
    struct buffer out;
    buffer_init(&out, 4096);
    layout_wrap(text, indent, columns, &out);
    assert_string_equal(buffer_text(&out), wanted);
    buffer_free(&out);
}

static void lines_end_between_words(void **state)
{
    wraps_to("one two three", 0, 7, "one two\nthree\n");
    wraps_to("one two three", 2, 7, "  one\n  two\n  three\n");
    wraps_to("a longestwordofall b", 0, 6, "a\nlongestwordofall\nb\n");
    wraps_to("kept\nline breaks", 0, 40, "kept\nline breaks\n");
    wraps_to("  spaces   are  one ", 0, 40, "spaces are one\n");
}

static void characters_count_not_bytes(void **state)
{
    wraps_to("été été", 0, 7, "été été\n");
    wraps_to("été été", 0, 6, "été\nété\n");
    assert_int_equal(layout_characters("Données"), 7);
}

static void numbers_are_grouped(void **state)
{
    assert_string_equal(layout_number(0, ",", &arena), "0");
    assert_string_equal(layout_number(999, ",", &arena), "999");
    assert_string_equal(layout_number(1000, ",", &arena), "1,000");
    assert_string_equal(layout_number(240000, "\u202f", &arena), "240\u202f000");
    assert_string_equal(layout_number(UINT64_MAX, ",", &arena), "18,446,744,073,709,551,615");
}

static void durations_have_two_units(void **state)
{
    static const int64_t second = 1000000000;
    assert_string_equal(layout_duration(0, &arena), "less than a second");
    assert_string_equal(layout_duration(second, &arena), "1 second");
    assert_string_equal(layout_duration(61 * second, &arena), "1 minute 1 second");
    assert_string_equal(layout_duration(3600 * second, &arena), "1 hour");
    assert_string_equal(layout_duration(3601 * second, &arena), "1 hour");
    assert_string_equal(layout_duration(58 * 3600 * second, &arena), "2 days 10 hours");
}

static void instants_are_told_in_utc(void **state)
{
    int64_t time_ns = 0;
    assert_int_equal(clock_parse("2026-03-05T08:04:59+02:00", &time_ns, NULL), STATUS_OK);
    assert_string_equal(layout_instant(time_ns, &arena), "5 March 2026, 06:04 UTC");
    assert_string_equal(layout_instant(INT64_MIN, &arena), "not known");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_end_between_words),  cmocka_unit_test(characters_count_not_bytes),
        cmocka_unit_test(numbers_are_grouped),      cmocka_unit_test(durations_have_two_units),
        cmocka_unit_test(instants_are_told_in_utc),
    };
    arena_init(&arena, 1024 * 1024);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&arena);
    return failed;
}
