/* Whatever the order in which probes come, the day has those of its quarters. */
#include "scene.h"

#include "exposure/today.h"

static void counts_what_is_of_the_day(void **state)
{
    struct today today = {0};
    today_count(&today, 100, 2, 1); /* before the day is known */
    assert_int_equal(today.probes, 0);
    today_turn(&today, 96, 192);
    assert_int_equal(today.probes, 2);
    assert_int_equal(today.errors, 1);
    today_count(&today, 95, 8, 8);
    today_count(&today, 191, 1, 0);
    today_count(&today, 192, 8, 8);
    assert_int_equal(today.probes, 3);
    assert_int_equal(today.errors, 1);
    today_turn(&today, 92, 188); /* another zone's day */
    assert_int_equal(today.probes, 10);
    assert_int_equal(today.errors, 9);
}

/* Against an array of all quarters: what is newer than the newest less TODAY_QUARTERS is there. */
static void any_order_gives_the_same(void **state)
{
    enum { SPAN = 400 };
    uint64_t all[SPAN] = {0}, seed = 7;
    struct today today = {0};
    int64_t newest = 0;
    for (int step = 0; step < 20000; step++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        int64_t reach = 1 + step * (SPAN - 1) / 20000;
        int64_t quarter = (int64_t)((seed >> 33) % (uint64_t)(reach < SPAN ? reach : SPAN));
        if (today.quarter_count == 0 || quarter > newest)
            newest = quarter;
        if (quarter > newest - TODAY_QUARTERS) {
            all[quarter] += 1 + (uint64_t)step % 3;
            today_count(&today, quarter, 1 + (uint64_t)step % 3, 0);
        } else {
            today_count(&today, quarter, 1000000, 1000000); /* too old to matter */
        }
        int64_t from = newest - TODAY_QUARTERS + 1 + step % 7, until = newest + 1 - step % 5;
        uint64_t expected = 0;
        for (int64_t q = from < 0 ? 0 : from; q < until; q++)
            expected += all[q];
        today_turn(&today, from, until);
        assert_int_equal(today.probes, expected);
        assert_int_equal(today.errors, 0);
        assert_true(today.quarter_count <= TODAY_QUARTERS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_what_is_of_the_day),
        cmocka_unit_test(any_order_gives_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
