/* AES-256-GCM: a published vector, and that nothing altered is ever opened. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "crypto/crypto.h"

/* Test case 16 of McGrew and Viega, "The Galois/Counter Mode of Operation", appendix B. */
static const uint8_t key[32] = {0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65, 0x73, 0x1c, 0x6d, 0x6a, 0x8f,
                                0x94, 0x67, 0x30, 0x83, 0x08, 0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65,
                                0x73, 0x1c, 0x6d, 0x6a, 0x8f, 0x94, 0x67, 0x30, 0x83, 0x08};
static const uint8_t aad[20] = {0xfe, 0xed, 0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef, 0xfe, 0xed,
                                0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef, 0xab, 0xad, 0xda, 0xd2};
static const uint8_t sealed[88] = {
    0xca, 0xfe, 0xba, 0xbe, 0xfa, 0xce, 0xdb, 0xad, 0xde, 0xca, 0xf8, 0x88, 0x52, 0x2d, 0xc1,
    0xf0, 0x99, 0x56, 0x7d, 0x07, 0xf4, 0x7f, 0x37, 0xa3, 0x2a, 0x84, 0x42, 0x7d, 0x64, 0x3a,
    0x8c, 0xdc, 0xbf, 0xe5, 0xc0, 0xc9, 0x75, 0x98, 0xa2, 0xbd, 0x25, 0x55, 0xd1, 0xaa, 0x8c,
    0xb0, 0x8e, 0x48, 0x59, 0x0d, 0xbb, 0x3d, 0xa7, 0xb0, 0x8b, 0x10, 0x56, 0x82, 0x88, 0x38,
    0xc5, 0xf6, 0x1e, 0x63, 0x93, 0xba, 0x7a, 0x0a, 0xbc, 0xc9, 0xf6, 0x62, 0x76, 0xfc, 0x6e,
    0xce, 0x0f, 0x4e, 0x17, 0x68, 0xcd, 0xdf, 0x88, 0x53, 0xbb, 0x2d, 0x55, 0x1b};

static void opens_the_published_vector(void **state)
{
    struct buffer out;
    buffer_init(&out, 1000);
    assert_int_equal(
        crypto_open(key, slice_of(aad, sizeof aad), slice_of(sealed, sizeof sealed), &out),
        STATUS_OK);
    assert_int_equal(out.len, 60);
    char hex[121];
    crypto_hex(out.data, out.len, hex);
    assert_string_equal(hex, "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
                             "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
    buffer_free(&out);
}

static void refuses_every_altered_bit_and_length(void **state)
{
    struct buffer out;
    buffer_init(&out, 1000);
    buffer_append_text(&out, "kept");
    uint8_t copy[sizeof sealed];
    for (size_t bit = 0; bit < 8 * sizeof copy; bit++) {
        memcpy(copy, sealed, sizeof copy);
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(
            crypto_open(key, slice_of(aad, sizeof aad), slice_of(copy, sizeof copy), &out),
            STATUS_CORRUPT);
    }
    for (size_t len = 0; len < sizeof sealed; len++)
        assert_int_equal(crypto_open(key, slice_of(aad, sizeof aad), slice_of(sealed, len), &out),
                         STATUS_CORRUPT);
    assert_int_equal(crypto_open(key, slice_of(NULL, 0), slice_of(sealed, sizeof sealed), &out),
                     STATUS_CORRUPT);
    assert_int_equal(out.len, 4);
    assert_memory_equal(out.data, "kept", 4);
    buffer_free(&out);
}

static void seals_what_it_opens_with_fresh_nonces(void **state)
{
    struct buffer first, second, out;
    buffer_init(&first, 100000);
    buffer_init(&second, 100000);
    buffer_init(&out, 100000);
    static uint8_t plain[70000];
    const size_t lengths[] = {0, 1, 15, 16, 17, sizeof plain};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        buffer_clear(&first);
        buffer_clear(&second);
        buffer_clear(&out);
        crypto_seal(key, slice_of_text("aad"), slice_of(plain, lengths[i]), &first);
        crypto_seal(key, slice_of_text("aad"), slice_of(plain, lengths[i]), &second);
        assert_int_equal(first.len, lengths[i] + CRYPTO_AEAD_OVERHEAD_BYTES);
        assert_memory_not_equal(first.data, second.data, 12);
        assert_int_equal(crypto_open(key, slice_of_text("aad"), buffer_slice(&first), &out),
                         STATUS_OK);
        assert_int_equal(out.len, lengths[i]);
        if (out.len > 0)
            assert_memory_equal(out.data, plain, out.len);
    }
    buffer_free(&first);
    buffer_free(&second);
    buffer_free(&out);
}

static void a_full_buffer_overflows(void **state)
{
    struct buffer small;
    buffer_init(&small, 30);
    crypto_seal(key, slice_of(NULL, 0), slice_of_text("abc"), &small);
    assert_true(small.overflowed);
    buffer_free(&small);
    buffer_init(&small, 59);
    assert_int_equal(
        crypto_open(key, slice_of(aad, sizeof aad), slice_of(sealed, sizeof sealed), &small),
        STATUS_NOMEM);
    assert_int_equal(small.len, 0);
    buffer_free(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_the_published_vector),
        cmocka_unit_test(refuses_every_altered_bit_and_length),
        cmocka_unit_test(seals_what_it_opens_with_fresh_nonces),
        cmocka_unit_test(a_full_buffer_overflows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
