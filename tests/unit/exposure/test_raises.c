/* Raises and warnings as acts tell of them. */
#include "scene.h"

#include <string.h>

#include "exposure/raises.h"

static struct raises raises;

static int tear_down(void **state)
{
    raises_free(&raises);
    return 0;
}

static void take(uint64_t sequence, const char *time, const char *text)
{
    raises_take(&raises, sequence, instant(time), slice_of_text(text));
}

static void propose(uint64_t sequence, const char *to)
{
    char text[300];
    snprintf(text, sizeof text,
             "budget-raise-proposed\nlimit=phones\nto=%s\nuntil=2026-12-01T00:00:00Z\nby=uid 1\n"
             "reason=why\n",
             to);
    take(sequence, "2026-11-22T10:00:00Z", text);
}

static uint64_t bound_at(const char *time)
{
    int64_t until_ns = 0;
    return raises_bound(&raises, "phones", 500, instant(time), &until_ns);
}

static void a_raise_holds_from_its_approval_to_its_end(void **state)
{
    propose(7, "900");
    assert_int_equal(bound_at("2026-11-22T11:00:00Z"), 500);
    take(8, "2026-11-22T11:00:00Z", "budget-raised\nid=6\nby=uid 2\n"); /* of no proposal */
    assert_int_equal(bound_at("2026-11-22T11:00:00Z"), 500);
    take(9, "2026-11-22T11:00:00Z", "budget-raised\nid=7\nby=uid 2\n");
    assert_int_equal(bound_at("2026-11-22T11:00:00Z"), 900);
    assert_int_equal(bound_at("2026-11-30T23:59:59Z"), 900);
    assert_int_equal(bound_at("2026-12-01T00:00:00Z"), 500);
    assert_string_equal(raises.all[0].by, "uid 1");
    assert_string_equal(raises.all[0].approved_by, "uid 2");
    int64_t until_ns = 0;
    assert_int_equal(raises_bound(&raises, "other", 500, 0, &until_ns), 500);
    assert_int_equal(raises_bound(&raises, "phones", 0, 0, &until_ns), 0); /* no bound at all */
    assert_int_equal(raises_bound(&raises, "phones", 1000, 0, &until_ns), 1000);
}

static void the_highest_holds_until_it_is_revoked(void **state)
{
    propose(7, "900");
    propose(8, "700");
    take(9, "2026-11-22T11:00:00Z", "budget-raised\nid=7\nby=uid 2\n");
    take(10, "2026-11-22T11:00:00Z", "budget-raised\nid=8\nby=uid 2\n");
    assert_int_equal(bound_at("2026-11-23T00:00:00Z"), 900);
    take(11, "2026-11-22T11:00:00Z", "budget-raise-revoked\nid=7\nby=uid 3\nreason=x\n");
    assert_int_equal(bound_at("2026-11-23T00:00:00Z"), 700);
    take(12, "2026-11-22T11:00:00Z", "budget-raised\nid=7\nby=uid 2\n"); /* too late */
    assert_int_equal(bound_at("2026-11-23T00:00:00Z"), 700);
}

static void ended_ones_are_forgotten(void **state)
{
    for (uint64_t i = 0; i < 1000; i++)
        take(i, i % 2 == 0 ? "2027-01-01T00:00:00Z" : "2026-11-22T10:00:00Z",
             "budget-raise-proposed\nlimit=a\nto=9\nuntil=2026-12-01T00:00:00Z\nby=uid 1\n");
    assert_in_range(raises.count, 1, 2);
}

static void what_is_not_whole_is_passed_over(void **state)
{
    static const char *const texts[] = {
        "budget-raise-proposed by=uid 0",
        "budget-raise-proposed\nlimit=a\nto=x\nuntil=2026-12-01T00:00:00Z\nby=u\n",
        "budget-raise-proposed\nlimit=a\nto=9\nuntil=never\nby=u\n",
        "budget-raise-proposed\nto=9\nuntil=2026-12-01T00:00:00Z\nby=u\n",
        "contain by=uid 0 reason=budget-raise-proposed\nlimit=a\n",
        "",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        take(i, "2026-11-22T10:00:00Z", texts[i]);
    assert_int_equal(raises.count, 0);
}

static void warnings_are_given_once_a_window(void **state)
{
    struct gauge gauge;
    int64_t quarter = window_quarter(instant("2026-11-22T10:00:00Z"));
    gauge_init(&gauge, &(struct policy_limit){.name = "phones", .window = POLICY_PER_DAY});
    gauge.at = window_at(POLICY_PER_DAY, NULL, quarter);
    assert_false(raises_warned(&raises, &gauge, 500, quarter));
    take(1, "2026-11-22T09:00:00Z",
         "budget-warning\nlimit=phones\nused=400\nof=500\nfrom=2026-11-22T00:00:00Z\n");
    assert_true(raises_warned(&raises, &gauge, 500, quarter));
    assert_false(raises_warned(&raises, &gauge, 900, quarter)); /* another bound */
    gauge.at = window_at(POLICY_PER_DAY, NULL, quarter + WINDOW_QUARTERS_A_DAY);
    assert_false(raises_warned(&raises, &gauge, 500, quarter + WINDOW_QUARTERS_A_DAY));
    gauge.window = POLICY_PER_24H;
    gauge.at = window_at(POLICY_PER_24H, NULL, quarter + 50);
    assert_true(raises_warned(&raises, &gauge, 500, quarter + 50));
    assert_false(raises_warned(&raises, &gauge, 500, quarter + WINDOW_QUARTERS_A_DAY));
    gauge_free(&gauge);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_raise_holds_from_its_approval_to_its_end, tear_down),
        cmocka_unit_test_teardown(the_highest_holds_until_it_is_revoked, tear_down),
        cmocka_unit_test_teardown(ended_ones_are_forgotten, tear_down),
        cmocka_unit_test_teardown(what_is_not_whole_is_passed_over, tear_down),
        cmocka_unit_test_teardown(warnings_are_given_once_a_window, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
