/* Pairs get dense numbers in the order in which they first came. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "trace/pairs.h"

static void numbers_are_dense_and_kept(void **state)
{
    struct pairs pairs = {0}, none = {0};
    size_t number;
    bool is_new;
    for (uint32_t round = 0; round < 2; round++)
        for (uint32_t i = 0; i < 5000; i++) {
            assert_int_equal(pairs_number(&pairs, i % 100, i / 100, 5000, &number, &is_new, NULL),
                             STATUS_OK);
            assert_int_equal(number, i);
            assert_int_equal(is_new, round == 0);
        }
    assert_int_equal(pairs.count, 5000);
    assert_false(pairs_find(&none, 0, 0, &number));
    assert_int_equal(pairs_number(&pairs, 100, 0, 5000, &number, &is_new, NULL), STATUS_LIMIT);
    assert_int_equal(pairs_number(&pairs, 0, UINT32_MAX, 5001, &number, &is_new, NULL), STATUS_OK);
    assert_int_equal(number, 5000);
    assert_true(pairs_find(&pairs, 7, 3, &number));
    assert_int_equal(number, 307);
    assert_false(pairs_find(&pairs, 3, 70, &number));
    pairs_free(&pairs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(numbers_are_dense_and_kept)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
