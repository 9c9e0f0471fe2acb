/* Days, and hours of the week in any zone, across daylight saving and clocks that jump. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "watch/history.h"

static struct history history;
static const int64_t HOUR_NS = 3600LL * 1000000000, DAY_NS = 86400LL * 1000000000;

static int begin(void **state)
{
    history_init(&history);
    return 0;
}

static int64_t instant(const char *text)
{
    int64_t time_ns = 0;
    assert_int_equal(clock_parse(text, &time_ns, NULL), STATUS_OK);
    return time_ns;
}

static void the_greatest_of_the_days_before(void **state)
{
    const enum policy_anomaly rate = POLICY_ANOMALY_ROWS;
    for (int day = 100; day < 140; day++) {
        history_work(&history, day * DAY_NS);
        history_note(&history, day, rate, day == 105 ? 900 : (uint64_t)day);
        history_note(&history, day, rate, 3); /* a quieter hour */
    }
    assert_int_equal(history_greatest(&history, 130, 28)->figure[rate], 900);
    assert_int_equal(history_greatest(&history, 130, 28)->on[rate], 105);
    assert_int_equal(history_greatest(&history, 130, 24)->figure[rate], 129);
    assert_int_equal(history_greatest(&history, 133, 28)->figure[rate], 900);
    assert_int_equal(history_greatest(&history, 134, 28)->figure[rate], 133); /* 105 is too old */
    assert_int_equal(history_greatest(&history, 100, 28)->figure[rate], 0);
    assert_int_equal(history_days_before(&history, 139), 39);
    assert_int_equal(history_days_before(&history, 140), 40);
}

static void an_hour_beside_a_known_one_is_none(void **state)
{
    int64_t monday = instant("2026-11-02T09:10:00Z"), week = 7 * DAY_NS;
    assert_true(history_work(&history, monday));
    assert_false(history_work(&history, monday + HOUR_NS / 60));
    assert_true(history_hour_is_new(&history, NULL, monday)); /* its own week is no history */
    assert_false(history_hour_is_new(&history, NULL, monday + week));
    assert_false(history_hour_is_new(&history, NULL, instant("2026-11-09T08:00:00Z")));
    assert_false(history_hour_is_new(&history, NULL, instant("2026-11-09T10:59:59Z")));
    assert_true(history_hour_is_new(&history, NULL, instant("2026-11-09T11:00:00Z")));
    assert_true(history_hour_is_new(&history, NULL, instant("2026-11-09T07:59:59Z")));
    assert_true(history_hour_is_new(&history, NULL, instant("2026-11-10T09:10:00Z")));
    assert_false(history_hour_is_new(&history, NULL, monday + 13 * week));
    assert_true(history_hour_is_new(&history, NULL, monday + 14 * week));
}

/* In London 09:10 is 08:10 UTC until 25 October 2026, and 09:10 UTC from then on. */
static void daylight_saving_moves_no_hour(void **state)
{
    struct zone *london, *kathmandu;
    assert_int_equal(zone_open("Europe/London", &london, NULL), STATUS_OK);
    assert_int_equal(zone_open("Asia/Kathmandu", &kathmandu, NULL), STATUS_OK);
    history_work(&history, instant("2026-10-19T08:10:00Z")); /* Monday 09:10 */
    assert_false(history_hour_is_new(&history, london, instant("2026-11-02T10:59:00Z")));
    assert_true(history_hour_is_new(&history, london, instant("2026-11-02T11:00:00Z")));
    assert_false(history_hour_is_new(&history, london, instant("2026-11-02T08:00:00Z")));
    assert_true(history_hour_is_new(&history, london, instant("2026-11-02T07:59:00Z")));
    assert_true(history_hour_is_new(&history, NULL, instant("2026-11-02T10:30:00Z")));
    /* Half and quarter hours: 08:10 UTC is 13:55 there; its neighbours end at 15:00. */
    assert_false(history_hour_is_new(&history, kathmandu, instant("2026-10-26T09:14:00Z")));
    assert_true(history_hour_is_new(&history, kathmandu, instant("2026-10-26T09:15:00Z")));
    zone_free(london);
    zone_free(kathmandu);
}

static void clocks_that_jump(void **state)
{
    int64_t now = instant("2026-11-02T09:00:00Z");
    history_work(&history, now);
    history_work(&history, now + 400 * DAY_NS); /* all is out of sight */
    assert_false(history_work(&history, now + DAY_NS));
    assert_true(history_hour_is_new(&history, NULL, now + 7 * DAY_NS));
    assert_int_equal(history_quarters(&history), 1);
    assert_int_equal(history.first_ns, now);
    history_work(&history, now - DAY_NS);
    assert_int_equal(history.first_ns, now - DAY_NS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_greatest_of_the_days_before, begin),
        cmocka_unit_test_setup(an_hour_beside_a_known_one_is_none, begin),
        cmocka_unit_test_setup(daylight_saving_moves_no_hour, begin),
        cmocka_unit_test_setup(clocks_that_jump, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
