/* How long a courier waits between attempts. What it does over restarts, with receivers that fail,
 * refuse and come back, test_alarms.py shows with real ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "alarm/courier.h"

static const int64_t MS = 1000000, HOUR_NS = INT64_C(3600000000000);

static void the_wait_doubles_up_to_an_hour(void **state)
{
    int64_t before = 0;
    assert_int_equal(courier_wait_ns(1000, 1, 0), 500 * MS);
    assert_int_equal(courier_wait_ns(1000, 2, 0), 1000 * MS);
    assert_int_equal(courier_wait_ns(1000, 5, 0), 8000 * MS);
    for (int64_t failed = 1; failed < 100; failed++) {
        int64_t wait_ns = courier_wait_ns(1000, failed, 0);
        assert_true(wait_ns >= before && wait_ns <= HOUR_NS / 2);
        before = wait_ns;
    }
    assert_int_equal(before, HOUR_NS / 2);
    assert_int_equal(courier_wait_ns(1000, INT64_MAX, 0), HOUR_NS / 2);
}

static void a_short_first_wait_reaches_the_hour_too(void **state)
{
    assert_int_equal(courier_wait_ns(10, 1, 0), 5 * MS);
    assert_int_equal(courier_wait_ns(10, 100, 0), HOUR_NS / 2);
}

static void half_of_it_is_random(void **state)
{
    int64_t least = courier_wait_ns(1000, 3, 0), middle = courier_wait_ns(1000, 3, 1u << 31),
            most = courier_wait_ns(1000, 3, UINT32_MAX);
    assert_int_equal(least, 2000 * MS);
    assert_int_equal(middle, 3000 * MS);
    assert_true(most > 3999 * MS && most < 4000 * MS);
    assert_true(courier_wait_ns(3600000, 100, UINT32_MAX) <= HOUR_NS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_wait_doubles_up_to_an_hour),
        cmocka_unit_test(a_short_first_wait_reaches_the_hour_too),
        cmocka_unit_test(half_of_it_is_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
