/* Sealed boxes: the published vector of RFC 9180 opens, and nothing altered ever does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "crypto/crypto.h"
#include "crypto/sealed_box.h"

enum { PLAIN_BYTES = 29, BOX_BYTES = PLAIN_BYTES + SEALED_BOX_OVERHEAD_BYTES };

/* RFC 9180, A.1.1: skRm, pkRm, info; A.1.1.1, sequence number 0: aad, pt; enc and ct together. */
static const char recipient_hex[] =
    "4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8";
static const char recipient_public_hex[] =
    "3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d";
static const char box_hex[] = "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431"
                              "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a9"
                              "6d8770ac83d07bea87e13c512a";
static const char plain_text[] = "Beauty is truth, truth beauty";

static struct slice info, aad, plain;

static void from_hex(const char *hex, uint8_t *out)
{
    for (size_t i = 0; hex[2 * i] != '\0'; i++) {
        const char *digits = "0123456789abcdef";
        out[i] = (uint8_t)((strchr(digits, hex[2 * i]) - digits) << 4 |
                           (strchr(digits, hex[2 * i + 1]) - digits));
    }
}

static int set_up(void **state)
{
    info = slice_of_text("Ode on a Grecian Urn");
    aad = slice_of_text("Count-0");
    plain = slice_of_text(plain_text);
    return 0;
}

static void opens_the_published_box(void **state)
{
    uint8_t key[32], public_key[32], expected[32], box[BOX_BYTES], opened[PLAIN_BYTES];
    from_hex(recipient_hex, key);
    from_hex(recipient_public_hex, expected);
    sealed_box_public_key(key, public_key);
    assert_memory_equal(public_key, expected, 32);
    from_hex(box_hex, box);
    assert_int_equal(sealed_box_open(key, info, aad, slice_of(box, sizeof box), opened), STATUS_OK);
    assert_memory_equal(opened, plain_text, sizeof opened);
}

static void opens_what_it_sealed(void **state)
{
    uint8_t key[32], public_key[32], box[BOX_BYTES], again[BOX_BYTES], opened[PLAIN_BYTES];
    crypto_random(key, sizeof key);
    sealed_box_public_key(key, public_key);
    assert_int_equal(sealed_box_seal(public_key, info, aad, plain, box), STATUS_OK);
    assert_int_equal(sealed_box_open(key, info, aad, slice_of(box, sizeof box), opened), STATUS_OK);
    assert_memory_equal(opened, plain_text, sizeof opened);
    assert_int_equal(sealed_box_seal(public_key, info, aad, plain, again), STATUS_OK);
    assert_memory_not_equal(box, again, 32); /* a key pair of its own */
    assert_memory_not_equal(box + 32, again + 32, sizeof box - 32);
}

static void opens_nothing_altered(void **state)
{
    uint8_t key[32], box[BOX_BYTES], opened[PLAIN_BYTES];
    from_hex(recipient_hex, key);
    from_hex(box_hex, box);
    for (size_t bit = 0; bit < 8 * sizeof box; bit++) {
        box[bit / 8] ^= (uint8_t)(1 << bit % 8);
        enum status status = sealed_box_open(key, info, aad, slice_of(box, sizeof box), opened);
        if (status != STATUS_CORRUPT)
            fail_msg("bit %zu altered: %s", bit, status_name(status));
        box[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_int_equal(
        sealed_box_open(key, slice_of_text("?"), aad, slice_of(box, sizeof box), opened),
        STATUS_CORRUPT);
    assert_int_equal(
        sealed_box_open(key, info, slice_of_text("?"), slice_of(box, sizeof box), opened),
        STATUS_CORRUPT);
    for (size_t len = 0; len < sizeof box; len++)
        assert_int_equal(sealed_box_open(key, info, aad, slice_of(box, len), opened),
                         STATUS_CORRUPT);
    key[5] ^= 1;
    assert_int_equal(sealed_box_open(key, info, aad, slice_of(box, sizeof box), opened),
                     STATUS_CORRUPT);
}

static void refuses_points_of_low_order(void **state)
{
    static const uint8_t zero[BOX_BYTES];
    uint8_t key[32] = {1}, box[BOX_BYTES], opened[PLAIN_BYTES];
    assert_int_equal(sealed_box_seal(zero, info, aad, plain, box), STATUS_INVALID);
    assert_int_equal(sealed_box_open(key, info, aad, slice_of(zero, sizeof zero), opened),
                     STATUS_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_the_published_box),
        cmocka_unit_test(opens_what_it_sealed),
        cmocka_unit_test(opens_nothing_altered),
        cmocka_unit_test(refuses_points_of_low_order),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
