/* The keyed hash: equal inputs agree, and every bit of key, prefix, data and length counts. */
#include "scene.h"

#include <string.h>

#include "exposure/siphash.h"

static void every_input_bit_counts(void **state)
{
    const uint64_t key[2] = {0x0706050403020100, 0x0F0E0D0C0B0A0908};
    uint8_t data[40] = {0};
    for (size_t len = 0; len < sizeof data; len++) {
        uint64_t plain = siphash13(key, 3, data, len);
        assert_true(plain == siphash13(key, 3, data, len));
        assert_true(plain != siphash13(key, 4, data, len));
        const uint64_t other_key[2] = {key[0], key[1] ^ 1ULL << 63};
        assert_true(plain != siphash13(other_key, 3, data, len));
        assert_true(plain != siphash13(key, 3, data, len + 1 < sizeof data ? len + 1 : len - 1));
        for (size_t bit = 0; bit < len * 8; bit++) {
            data[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_true(plain != siphash13(key, 3, data, len));
            data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}

static void bits_are_spread_evenly(void **state)
{
    const uint64_t key[2] = {1, 2};
    unsigned tables[1024] = {0}, most = 0;
    char text[16];
    for (int i = 0; i < 102400; i++) {
        int len = snprintf(text, sizeof text, "%d", i);
        tables[siphash13(key, 0, (const uint8_t *)text, (size_t)len) % 1024]++;
    }
    for (size_t i = 0; i < 1024; i++)
        most = tables[i] > most ? tables[i] : most;
    if (most > 150) /* mean 100, five standard deviations */
        fail_msg("the fullest of 1024 tables holds %u of 102400", most);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_input_bit_counts),
        cmocka_unit_test(bits_are_spread_evenly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
