/* When a limit is used up at the pace of the last days, or that it is not. */
#include "scene.h"

#include "exposure/forecast.h"

static struct series_list list;
static struct gauge gauge;
static const struct gauge_texts texts;
static int64_t now_ns, quarter;

static int set_up(void **state)
{
    now_ns = instant("2026-11-22T12:00:00Z"); /* a Sunday */
    quarter = window_quarter(now_ns);
    return 0;
}

static int tear_down(void **state)
{
    gauge_free(&gauge);
    series_free(&list);
    return 0;
}

static void charged(int64_t days_ago, uint32_t from, uint32_t until)
{
    uint32_t ids[1000];
    const struct series_name name = {.agent = slice_of_text("a"), .purpose = slice_of_text("p")};
    for (uint32_t id = from; id < until; id++)
        ids[id - from] = id;
    series_add(series_at(&list, &name), quarter - days_ago * WINDOW_QUARTERS_A_DAY, ids,
               until - from);
}

static double pace_of(enum policy_window window)
{
    gauge_init(&gauge, &(struct policy_limit){.name = "x", .window = window});
    gauge_turn(&gauge, &texts, &list, NULL, quarter);
    return forecast_pace(&gauge, &texts, &list, quarter);
}

static void expect_end(uint64_t bound, double pace, const char *expected)
{
    int64_t end = forecast_end(&gauge, bound, pace, now_ns);
    assert_true(expected == NULL ? end == INT64_MAX : end == instant(expected));
}

static void a_day_has_its_own_pace(void **state)
{
    charged(3, 100, 200);
    charged(0, 0, 10);
    assert_float_equal(pace_of(POLICY_PER_DAY), 10, 0.01);
    expect_end(12, 10, "2026-11-22T16:48:00Z"); /* two more: a fifth of a day */
    expect_end(16, 10, NULL);                   /* midnight comes first */
    expect_end(10, 10, "2026-11-22T12:00:00Z"); /* used up */
    expect_end(11, 0, NULL);
}

static void longer_windows_have_that_of_a_week(void **state)
{
    charged(6, 0, 30);
    charged(3, 30, 60);
    charged(0, 60, 70);
    double pace = pace_of(POLICY_PER_30D);
    assert_float_equal(pace, 70.0 / (6 + 1.0 / WINDOW_QUARTERS_A_DAY), 0.01);
    expect_end(90, 10, "2026-11-24T12:00:00Z");
    expect_end(300, 10, NULL); /* as many leave the window as come */
    expect_end(299, 10, "2026-12-15T09:36:00Z");
}

static void of_all_time_only_who_is_new_counts(void **state)
{
    charged(20, 0, 100);
    charged(6, 0, 100);
    charged(0, 0, 107);
    assert_float_equal(pace_of(POLICY_EVER), 1, 0.01); /* seven in seven days */
    expect_end(121, 7, "2026-11-24T12:00:00Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_day_has_its_own_pace, set_up, tear_down),
        cmocka_unit_test_setup_teardown(longer_windows_have_that_of_a_week, set_up, tear_down),
        cmocka_unit_test_setup_teardown(of_all_time_only_who_is_new_counts, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
