/* What was met is known, and what does not fit is new every time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "watch/seen.h"

static void knows_what_it_met(void **state)
{
    struct seen seen = {0};
    for (uint64_t i = 1; i <= 10000; i++) {
        assert_false(seen_has(&seen, i * i));
        assert_true(seen_add(&seen, i * i));
        assert_false(seen_add(&seen, i * i));
    }
    assert_int_equal(seen.count, 10000);
    for (uint64_t i = 1; i <= 10000; i++)
        assert_true(seen_has(&seen, i * i));
    assert_false(seen_has(&seen, 3));
    seen_free(&seen);
    assert_false(seen_has(&seen, 0));
}

static void never_grows_beyond_its_bound(void **state)
{
    struct seen seen = {0};
    for (uint64_t i = 1; i <= SEEN_MOST; i++)
        assert_true(seen_add(&seen, i << 32));
    assert_true(seen_add(&seen, 5));
    assert_true(seen_add(&seen, 5));
    assert_false(seen_add(&seen, (uint64_t)1 << 32));
    assert_int_equal(seen.count, SEEN_MOST);
    seen_free(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_what_it_met),
        cmocka_unit_test(never_grows_beyond_its_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
