/* Walks along keys are told from look-ups at random, whatever is mixed with them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "watch/walk.h"

static struct walk walk;
static uint64_t seed;

static int begin(void **state)
{
    memset(&walk, 0, sizeof walk);
    seed = 20261123;
    return 0;
}

static uint64_t random_below(uint64_t bound)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (seed >> 33) % bound;
}

static uint32_t look(uint64_t session, int64_t low, int64_t high)
{
    return walk_take(
        &walk,
        &(struct walk_step){
            .family = 7, .low = low, .high = high, .session = session, .hour = 100, .reach = 8});
}

static void ten_on_end_are_a_walk(void **state)
{
    for (int key = 1; key < WALK_LEAST; key++)
        assert_int_equal(look(1, key, key), 0);
    assert_int_equal(look(1, WALK_LEAST, WALK_LEAST), WALK_LEAST);
    assert_int_equal(look(1, WALK_LEAST + 1, WALK_LEAST + 1), 1);
    assert_int_equal(look(1, WALK_LEAST + 1, WALK_LEAST + 1), 0); /* again */
    assert_int_equal(look(1, 3, 3), 0);
}

static void down_with_gaps_and_by_ranges(void **state)
{
    uint32_t all = 0;
    for (int64_t key = 1000000, i = 0; i < 50; i++, key -= 1 + (int64_t)random_below(8))
        all += look(1, key, key);
    assert_int_equal(all, 50);
    all = 0;
    for (int64_t low = 5000000, i = 0; i < 20; i++, low += 100)
        all += look(2, low, low + 99);
    assert_int_equal(all, 20);
    all = 0; /* to and fro: each other one lies within */
    for (int64_t key = 9000000, i = 0; i < 40; i++)
        all += look(1, key + (i % 2 == 0 ? i : i - 2), key + (i % 2 == 0 ? i : i - 2));
    assert_true(all >= 20);
}

static void strides_of_one_session(void **state)
{
    uint32_t all = 0;
    for (int64_t i = 0; i < 40; i++) {
        all += look(1, i * 1000, i * 1000);
        all += look(2, 500000000 - i * 777, 500000000 - i * 777);
    }
    assert_int_equal(all, 80);
}

/* Five sessions, each at its own place, and between any two steps a look-up at random. */
static void interleaved_with_others_and_noise(void **state)
{
    uint32_t all = 0;
    for (int64_t i = 0; i < 30; i++)
        for (uint64_t session = 1; session <= 5; session++) {
            int64_t key = (int64_t)session * 1000000 + i;
            all += look(session, key, key);
            int64_t noise = 50000000 + (int64_t)random_below(1000000);
            (void)look(session, noise, noise);
        }
    assert_int_equal(all, 150);
}

static void a_call_centre_is_none(void **state)
{
    static const uint64_t people[] = {1000, 10000, 1000000};
    for (size_t p = 0; p < 3; p++) {
        uint32_t all = 0;
        memset(&walk, 0, sizeof walk);
        for (int i = 0; i < 5000; i++) {
            int64_t key = (int64_t)random_below(people[p]);
            all += look(1 + random_below(20), key, key);
        }
        if (all > 20)
            fail_msg("of 5000 look-ups among %d people %u are called a walk", (int)people[p], all);
    }
}

static void an_hour_of_rest_ends_it(void **state)
{
    struct walk_step step = {.family = 7, .session = 1, .hour = 5, .reach = 8};
    for (int i = 0; i < 9; i++, step.low++, step.high++)
        assert_int_equal(walk_take(&walk, &step), 0);
    step.hour += WALK_IDLE_HOURS + 1;
    assert_int_equal(walk_take(&walk, &step), 0);
}

static void numbers_in_keys(void **state)
{
    uint64_t family, other;
    int64_t number;
    assert_true(walk_key(0, "1234", &family, &number));
    assert_int_equal(number, 1234);
    assert_true(walk_key(0, "999999", &other, &number));
    assert_true(family == other);
    assert_true(walk_key(1, "1234", &other, &number));
    assert_false(family == other);
    assert_true(walk_key(0, "C-2026-000017/b", &family, &number));
    assert_int_equal(number, 17);
    assert_true(walk_key(0, "C-2025-000018/b", &other, &number));
    assert_int_equal(number, 18);
    assert_false(family == other);
    assert_true(walk_key(0, "98765432109876543210", &family, &number));
    assert_int_equal(number, 765432109876543210);
    assert_false(walk_key(0, "nobody", &family, &number));
    assert_false(walk_key(0, "", &family, &number));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(ten_on_end_are_a_walk, begin),
        cmocka_unit_test_setup(down_with_gaps_and_by_ranges, begin),
        cmocka_unit_test_setup(strides_of_one_session, begin),
        cmocka_unit_test_setup(interleaved_with_others_and_noise, begin),
        cmocka_unit_test_setup(a_call_centre_is_none, begin),
        cmocka_unit_test_setup(an_hour_of_rest_ends_it, begin),
        cmocka_unit_test(numbers_in_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
