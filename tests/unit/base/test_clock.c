/* Clocks: RFC 3339 in and out, and local calendar days across daylight saving. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

static int64_t instant(const char *text)
{
    int64_t time_ns;
    struct error error = {0};
    if (clock_parse(text, &time_ns, &error) != STATUS_OK)
        fail_msg("%s: %s", text, error.message);
    return time_ns;
}

static void instants_format_back(void **state)
{
    static const char *const texts[] = {"2026-11-22T11:18:48Z", "1970-01-01T00:00:00Z",
                                        "1969-12-31T23:59:59Z", "2000-02-29T12:00:00Z",
                                        "1900-03-01T00:00:01Z", "2261-12-31T23:59:59Z"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char text[21];
        clock_format_utc(instant(texts[i]), text);
        assert_string_equal(text, texts[i]);
    }
    char text[21];
    clock_format_utc(-1, text);
    assert_string_equal(text, "1969-12-31T23:59:59Z");
    clock_format_utc(INT64_MIN, text);
    assert_string_equal(text, "1677-09-21T00:12:43Z");
    clock_format_utc(INT64_MAX, text);
    assert_string_equal(text, "2262-04-11T23:47:16Z");
}

static void offsets_dates_and_fractions_are_understood(void **state)
{
    assert_int_equal(instant("2026-11-22T12:18:48+01:00"), instant("2026-11-22T11:18:48Z"));
    assert_int_equal(instant("2026-11-22T05:48:48-05:30"), instant("2026-11-22T11:18:48Z"));
    assert_int_equal(instant("2026-11-22"), instant("2026-11-22T00:00:00Z"));
    assert_int_equal(instant("1970-01-01T00:00:01.25Z"), 1250000000);
    assert_int_equal(instant("1970-01-01T00:00:00Z"), 0);
}

static void anything_else_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "now",
        "2026-11-2",
        "2026/11/22",
        "2026-13-01",
        "2026-02-29",
        "20261122T111848Z",
        "2026-W47-7T11:18:48Z",
        "2026-11-22T11:18:48",
        "2026-11-22 11:18",
        "2026-11-22T24:00:01Z",
        "2026-11-22T11:18:48Z ",
        "2026-11-22T11:18:48Zx",
        "2026-11-22T11:61:00Z",
        "2026-W47-7",
        "2026-11-22T11:18:48.00000000000000000000000000000000000000000000000000Z",
        "9999-12-31",
        "1600-01-01T00:00:00Z",
        "2026-11-22T11:18:48+0100"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int64_t time_ns = 42;
        struct error error = {0};
        enum status status = clock_parse(texts[i], &time_ns, &error);
        if (status != STATUS_INVALID)
            fail_msg("\"%s\" was read as %lld", texts[i], (long long)time_ns);
        assert_int_equal(time_ns, 42);
        assert_true(error.message[0] != '\0');
    }
}

static struct zone_time local(const char *name, const char *text)
{
    struct zone *zone;
    struct error error = {0};
    if (zone_open(name, &zone, &error) != STATUS_OK)
        fail_msg("%s: %s", name, error.message);
    struct zone_time time = zone_local(zone, instant(text));
    zone_free(zone);
    return time;
}

static void assert_local(const char *zone, const char *text, const char *expected)
{
    struct zone_time t = local(zone, text);
    char got[64];
    snprintf(got, sizeof got, "%04d-%02d-%02d %02d:%02d:%02d wd%d", t.year, t.month, t.day, t.hour,
             t.minute, t.second, t.weekday);
    assert_string_equal(got, expected);
}

static void zones_apply_daylight_saving(void **state)
{
    assert_local("Europe/London", "2026-03-29T00:59:59Z", "2026-03-29 00:59:59 wd7");
    assert_local("Europe/London", "2026-03-29T01:00:00Z", "2026-03-29 02:00:00 wd7");
    assert_local("Europe/London", "2026-06-30T23:30:00Z", "2026-07-01 00:30:00 wd3");
    assert_local("Europe/London", "2026-10-25T00:59:59Z", "2026-10-25 01:59:59 wd7");
    assert_local("Europe/London", "2026-10-25T01:00:00Z", "2026-10-25 01:00:00 wd7");
    assert_local("America/New_York", "2026-11-22T04:59:59Z", "2026-11-21 23:59:59 wd6");
    assert_local("Asia/Kathmandu", "2026-11-22T18:15:00Z", "2026-11-23 00:00:00 wd1");
}

static void day_numbers_change_at_local_midnight(void **state)
{
    int32_t day = local("Europe/London", "2026-06-30T22:59:59Z").day_number;
    assert_int_equal(local("Europe/London", "2026-06-30T23:00:00Z").day_number, day + 1);
    assert_int_equal(local("Europe/London", "2026-07-01T22:59:59Z").day_number, day + 1);
    struct zone_time utc = zone_local(NULL, instant("1970-01-02T00:00:00Z"));
    assert_int_equal(utc.day_number, 1);
    assert_int_equal(zone_local(NULL, -1).day_number, -1);
    assert_int_equal(zone_local(NULL, -1).day, 31);
    assert_int_equal(zone_local(NULL, instant("1969-12-31T00:00:00Z")).day_number, -1);
    assert_int_equal(zone_local(NULL, instant("1969-12-30T23:59:59Z")).day_number, -2);
}

static void unknown_zones_are_refused(void **state)
{
    static const char *const names[] = {"Europe/Atlantis", "", "../../../etc/passwd",
                                        "/etc/passwd"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct zone *zone = NULL;
        struct error error = {0};
        if (zone_open(names[i], &zone, &error) != STATUS_INVALID)
            fail_msg("zone \"%s\" was opened", names[i]);
        assert_null(zone);
    }
}

static void clocks_advance(void **state)
{
    int64_t before = clock_monotonic_ns();
    assert_true(clock_monotonic_ns() >= before);
    assert_true(clock_now_ns() > instant("2020-01-01"));
}

/* A line drawn while the clock was an hour ahead: as if the clock had been set back since. */
static void a_line_holds_when_the_clock_is_behind(void **state)
{
    static const int64_t hour_ns = 3600LL * 1000000000;
    int64_t line = clock_line(INT64_MIN), now_ns = clock_now_ns();
    int64_t by_line_ns = clock_by_line_ns(line);
    assert_true(by_line_ns >= now_ns && by_line_ns < now_ns + hour_ns);
    by_line_ns = clock_by_line_ns(line + hour_ns);
    assert_true(by_line_ns >= now_ns + hour_ns);
    assert_true(clock_by_line_ns(line + hour_ns) >= by_line_ns);
    /* And one that was drawn while it was behind does not hold it back. */
    assert_true(clock_by_line_ns(line - hour_ns) >= now_ns);
    assert_true(clock_line(line + hour_ns) == line + hour_ns);
}

static void spans_are_as_people_type_them(void **state)
{
    static const struct {
        int64_t minutes;
        const char *text;
    } spans[] = {{1, "1m"}, {90, "90m"}, {480, "8h"}, {2880, "2d"}, {1500, "25h"}, {0, "0m"}};
    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++) {
        char text[21];
        clock_format_span(spans[i].minutes * INT64_C(60000000000), text);
        assert_string_equal(text, spans[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_are_as_people_type_them),
        cmocka_unit_test(instants_format_back),
        cmocka_unit_test(offsets_dates_and_fractions_are_understood),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(zones_apply_daylight_saving),
        cmocka_unit_test(day_numbers_change_at_local_midnight),
        cmocka_unit_test(unknown_zones_are_refused),
        cmocka_unit_test(clocks_advance),
        cmocka_unit_test(a_line_holds_when_the_clock_is_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
