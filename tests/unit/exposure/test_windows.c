/* Windows of the calendar begin and end at local midnight; rolling ones never begin too late. */
#include "scene.h"

#include "base/clock.h"
#include "exposure/windows.h"

static void expect(enum policy_window window, const char *zone_name, const char *at,
                   const char *from, const char *until)
{
    struct zone *zone = NULL;
    if (zone_name != NULL)
        assert_status(zone_open(zone_name, &zone, NULL), STATUS_OK);
    struct window got = window_at(window, zone, window_quarter(instant(at)));
    char begun[21], ended[21];
    clock_format_utc(window_instant(got.from), begun);
    clock_format_utc(window_instant(got.until), ended);
    assert_string_equal(begun, from);
    assert_string_equal(ended, until);
    zone_free(zone);
}

static void days_weeks_and_months_are_local(void **state)
{
    expect(POLICY_PER_DAY, NULL, "2026-11-22T11:18:48Z", "2026-11-22T00:00:00Z",
           "2026-11-23T00:00:00Z");
    expect(POLICY_PER_DAY, "Europe/London", "2026-10-25T12:00:00Z", "2026-10-24T23:00:00Z",
           "2026-10-26T00:00:00Z"); /* 25 hours */
    expect(POLICY_PER_WEEK, NULL, "2026-11-22T23:59:59Z", "2026-11-16T00:00:00Z",
           "2026-11-23T00:00:00Z"); /* a Sunday */
    expect(POLICY_PER_WEEK, "Asia/Kathmandu", "2026-11-22T18:15:00Z", "2026-11-22T18:15:00Z",
           "2026-11-29T18:15:00Z");
    expect(POLICY_PER_MONTH, NULL, "2024-02-29T10:00:00Z", "2024-02-01T00:00:00Z",
           "2024-03-01T00:00:00Z");
    expect(POLICY_PER_MONTH, "Europe/London", "2026-10-31T23:59:59Z", "2026-09-30T23:00:00Z",
           "2026-11-01T00:00:00Z"); /* 31 days and an hour */
    expect(POLICY_PER_MONTH, NULL, "1969-12-31T23:59:59Z", "1969-12-01T00:00:00Z",
           "1970-01-01T00:00:00Z");
    expect(POLICY_PER_WEEK, NULL, "1969-12-31T23:59:59Z", "1969-12-29T00:00:00Z",
           "1970-01-05T00:00:00Z");
}

static void rolling_windows_move_in_steps(void **state)
{
    expect(POLICY_PER_24H, NULL, "2026-11-22T11:18:48Z", "2026-11-21T11:15:00Z",
           "2026-11-22T11:30:00Z");
    expect(POLICY_PER_7D, NULL, "2026-11-22T11:59:59Z", "2026-11-15T11:00:00Z",
           "2026-11-22T12:00:00Z");
    expect(POLICY_PER_30D, "Asia/Kathmandu", "2026-11-22T00:00:00Z", "2026-10-23T00:00:00Z",
           "2026-11-22T01:00:00Z");
}

static void all_time_has_no_ends(void **state)
{
    struct window ever = window_at(POLICY_EVER, NULL, 12345);
    assert_int_equal(ever.from, INT64_MIN);
    assert_int_equal(ever.until, INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_weeks_and_months_are_local),
        cmocka_unit_test(rolling_windows_move_in_steps),
        cmocka_unit_test(all_time_has_no_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
