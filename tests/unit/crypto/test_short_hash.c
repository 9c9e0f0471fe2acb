/* SipHash-2-4: the vector of its paper, appendix A. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crypto/crypto.h"

static void is_what_the_paper_says(void **state)
{
    uint8_t key[CRYPTO_SHORT_HASH_KEY_BYTES], data[15];
    for (uint8_t i = 0; i < sizeof key; i++)
        key[i] = i;
    for (uint8_t i = 0; i < sizeof data; i++)
        data[i] = i;
    assert_int_equal(crypto_short_hash(key, data, sizeof data), UINT64_C(0xe545be4961ca29a1));
    key[0] ^= 1;
    assert_int_not_equal(crypto_short_hash(key, data, sizeof data), UINT64_C(0xe545be4961ca29a1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(is_what_the_paper_says)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
