/* CRC-32C: the vectors of RFC 3720, and both implementations against each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "crypto/crc32c.h"
#include "crypto/crypto.h"

/* RFC 3720, appendix B.4 (shown there as bytes on the wire), and the usual check value. */
static void known_answers(void **state)
{
    uint8_t data[32];
    memset(data, 0, sizeof data);
    assert_int_equal(crypto_crc32c(0, data, 32), 0x8a9136aa);
    memset(data, 0xff, sizeof data);
    assert_int_equal(crypto_crc32c(0, data, 32), 0x62a8ab43);
    for (size_t i = 0; i < 32; i++)
        data[i] = (uint8_t)i;
    assert_int_equal(crypto_crc32c(0, data, 32), 0x46dd794e);
    for (size_t i = 0; i < 32; i++)
        data[i] = (uint8_t)(31 - i);
    assert_int_equal(crypto_crc32c(0, data, 32), 0x113fdb5c);
    assert_int_equal(crypto_crc32c(0, "123456789", 9), 0xe3069283);
    assert_int_equal(crc32c_by_table(0, "123456789", 9), 0xe3069283);
    assert_int_equal(crypto_crc32c(0, NULL, 0), 0);
}

static void both_ways_agree_at_every_length_and_alignment(void **state)
{
    uint8_t data[96];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 167 + 13);
    for (size_t start = 0; start < 9; start++)
        for (size_t len = 0; len + start <= sizeof data; len++)
            assert_int_equal(crypto_crc32c(0x12345678, data + start, len),
                             crc32c_by_table(0x12345678, data + start, len));
}

/* Long enough that runs of bytes are taken side by side, once and several times. */
static void both_ways_agree_on_long_data(void **state)
{
    static uint8_t data[3 * 4096];
    uint32_t mixed = 4711;
    for (size_t i = 0; i < sizeof data; i++) {
        mixed = mixed * 1664525 + 1013904223;
        data[i] = (uint8_t)(mixed >> 24);
    }
    for (size_t len = 1300; len < 1400; len++)
        assert_int_equal(crypto_crc32c(0xdeadbeef, data + len % 9, len),
                         crc32c_by_table(0xdeadbeef, data + len % 9, len));
    for (size_t len = 0; len <= sizeof data; len += 509)
        assert_int_equal(crypto_crc32c(0, data + sizeof data - len, len),
                         crc32c_by_table(0, data + sizeof data - len, len));
    for (size_t bit = 0; bit < 4096 * 8; bit += 61) { /* each place counts */
        uint32_t before = crypto_crc32c(0, data, 4096);
        data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_not_equal(crypto_crc32c(0, data, 4096), before);
    }
}

static void continues_where_it_stopped(void **state)
{
    const char text[] = "the quick brown fox jumps over the lazy dog";
    uint32_t whole = crypto_crc32c(0, text, sizeof text);
    for (size_t cut = 0; cut <= sizeof text; cut++)
        assert_int_equal(crypto_crc32c(crypto_crc32c(0, text, cut), text + cut, sizeof text - cut),
                         whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
        cmocka_unit_test(both_ways_agree_at_every_length_and_alignment),
        cmocka_unit_test(both_ways_agree_on_long_data),
        cmocka_unit_test(continues_where_it_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
