/* Ed25519: the vectors of RFC 8032, 7.1, and that every changed bit is noticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <string.h>

#include "crypto/crypto.h"

static const struct vector {
    const char *seed, *public_key, *message, *signature;
} vectors[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b"
     "4"
     "6bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11"
     "d"
     "8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc"
     "6"
     "594a7c15e9716ed28dc027beceea1ec40a"},
};

static size_t unhex(const char *text, uint8_t *out)
{
    size_t len = strlen(text) / 2;
    for (size_t i = 0; i < len; i++) {
        unsigned byte = 0;
        assert_int_equal(sscanf(text + 2 * i, "%2x", &byte), 1);
        out[i] = (uint8_t)byte;
    }
    return len;
}

static void known_answers(void **state)
{
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        uint8_t seed[32], want_public[32], want[64], message[8], public_key[32], signature[64];
        unhex(vectors[i].seed, seed);
        unhex(vectors[i].public_key, want_public);
        unhex(vectors[i].signature, want);
        struct slice text = slice_of(message, unhex(vectors[i].message, message));
        crypto_ed25519_public(seed, public_key);
        assert_memory_equal(public_key, want_public, 32);
        crypto_ed25519_sign(seed, text, signature);
        assert_memory_equal(signature, want, 64);
        assert_true(crypto_ed25519_verify(public_key, text, signature));
    }
}

static void every_bit_counts(void **state)
{
    uint8_t seed[32] = {1}, public_key[32], signature[64], message[3] = {1, 2, 3};
    struct slice text = slice_of(message, sizeof message);
    crypto_ed25519_public(seed, public_key);
    crypto_ed25519_sign(seed, text, signature);
    for (size_t bit = 0; bit < 8 * sizeof signature; bit++) {
        signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (crypto_ed25519_verify(public_key, text, signature))
            fail_msg("bit %zu of the signature does not count", bit);
        signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * sizeof message; bit++) {
        message[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(crypto_ed25519_verify(public_key, text, signature));
        message[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_false(crypto_ed25519_verify(public_key, slice_of(message, 2), signature));
    assert_true(crypto_ed25519_verify(public_key, text, signature));
}

static void a_key_off_the_curve_verifies_nothing(void **state)
{
    uint8_t public_key[32], signature[64] = {0};
    memset(public_key, 0x02, sizeof public_key);
    public_key[31] = 0x7f;
    assert_false(crypto_ed25519_verify(public_key, slice_of("x", 1), signature));
}

/* Whoever has such a key as another's can sign for it: the signature (R = key, s = 0) holds. */
static void a_key_of_small_order_is_none(void **state)
{
    uint8_t neutral[32] = {1}, order_two[32], seed[32] = {7}, honest[32];
    memset(order_two, 0xff, sizeof order_two); /* y = -1 = p - 1 */
    order_two[0] = 0xec;
    order_two[31] = 0x7f;
    assert_false(crypto_ed25519_is_key(neutral));
    assert_false(crypto_ed25519_is_key(order_two));
    crypto_ed25519_public(seed, honest);
    assert_true(crypto_ed25519_is_key(honest));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
        cmocka_unit_test(every_bit_counts),
        cmocka_unit_test(a_key_off_the_curve_verifies_nothing),
        cmocka_unit_test(a_key_of_small_order_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
