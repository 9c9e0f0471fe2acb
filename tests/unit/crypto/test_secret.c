/* Random bytes, wiping, comparing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "crypto/crypto.h"

static void random_bytes_differ(void **state)
{
    uint8_t first[32] = {0}, second[32] = {0};
    crypto_random(first, sizeof first);
    crypto_random(second, sizeof second);
    assert_memory_not_equal(first, second, sizeof first);
}

static void wiping_leaves_zeros(void **state)
{
    uint8_t secret[40], zeros[40] = {0};
    memset(secret, 7, sizeof secret);
    crypto_wipe(secret, sizeof secret);
    assert_memory_equal(secret, zeros, sizeof zeros);
    crypto_wipe(NULL, 0);
}

static void comparing_sees_every_byte(void **state)
{
    uint8_t a[33] = {1}, b[33] = {1};
    assert_true(crypto_equal(a, b, sizeof a));
    assert_true(crypto_equal(NULL, NULL, 0));
    for (size_t i = 0; i < sizeof a; i++) {
        b[i] ^= 0x80;
        assert_false(crypto_equal(a, b, sizeof a));
        b[i] ^= 0x80;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_bytes_differ),
        cmocka_unit_test(wiping_leaves_zeros),
        cmocka_unit_test(comparing_sees_every_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
