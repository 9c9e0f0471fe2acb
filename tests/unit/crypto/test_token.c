/* Tokens made here are those that the database makes from the pads: H(outer, H(inner, value)). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "crypto/crypto.h"
#include "crypto/token.h"

static const uint8_t secret[TOKEN_SECRET_BYTES] = {1, 2, 3};

static void tokens_are_what_the_pads_make(void **state)
{
    uint8_t key[32], inner[TOKEN_PAD_BYTES], outer[TOKEN_PAD_BYTES], digest[32];
    const uint8_t value[8] = {0, 0, 0, 0, 0, 0, 0x12, 0x67};
    char token[TOKEN_ROOM], expected[65];
    token_key(secret, "acme", "kind:customer", key);
    token_pad(key, false, inner);
    token_pad(key, true, outer);
    crypto_sha256((const struct slice[]){slice_of(inner, 64), slice_of(value, 8)}, 2, digest);
    crypto_sha256((const struct slice[]){slice_of(outer, 64), slice_of(digest, 32)}, 2, digest);
    crypto_hex(digest, 32, expected);
    token_make(key, slice_of(value, 8), token);
    assert_int_equal(strlen(token), TOKEN_ROOM - 1);
    assert_int_equal(token[0], 't');
    assert_memory_equal(token + 1, expected, 32);
}

static void partners_and_domains_differ(void **state)
{
    const char *const names[][2] = {{"acme", "kind:a"}, {"acme", "kind:b"}, {"acm", "ekind:a"}};
    char tokens[3][TOKEN_ROOM];
    for (size_t i = 0; i < 3; i++) {
        uint8_t key[32];
        token_key(secret, names[i][0], names[i][1], key);
        token_make(key, slice_of_text("1"), tokens[i]);
        for (size_t before = 0; before < i; before++)
            assert_string_not_equal(tokens[before], tokens[i]);
    }
}

/* int8send, uuid_send and the text: which the column's type makes is not known. */
static void a_subject_has_the_tokens_of_each_type(void **state)
{
    static const uint8_t uuid[16] = {0x0a, 0x1b, 0x2c, 0x3d, 0x4e, 0x5f, 0x40, 0x00,
                                     0x80, 0x00, 0,    0,    0,    0,    0,    0x07};
    static const uint8_t minus_two[8] = {255, 255, 255, 255, 255, 255, 255, 254};
    static const char *const texts[] = {"007", "1e3", "9223372036854775808",
                                        "",    "abc", "0A1B2C3D-4E5F-4000-8000-000000000007"};
    uint8_t key[32];
    char made[TOKEN_MOST][TOKEN_ROOM], expected[TOKEN_ROOM];
    token_key(secret, "acme", "kind:customer", key);
    assert_int_equal(token_of_subject(key, "-2", made), 2);
    token_make(key, slice_of(minus_two, 8), expected);
    assert_string_equal(made[0], expected);
    token_make(key, slice_of_text("-2"), expected);
    assert_string_equal(made[1], expected);
    assert_int_equal(token_of_subject(key, "0a1b2c3d-4e5f-4000-8000-000000000007", made), 2);
    token_make(key, slice_of(uuid, 16), expected);
    assert_string_equal(made[0], expected);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(token_of_subject(key, texts[i], made), 1);
        token_make(key, slice_of_text(texts[i]), expected);
        assert_string_equal(made[0], expected);
    }
}

static void the_secret_is_the_gateways_file(void **state)
{
    char path[] = "/tmp/cofferdam-token-XXXXXX";
    uint8_t read[TOKEN_SECRET_BYTES], expected[32];
    struct error error = {0};
    char hex[65];
    memset(hex, 'a', 64);
    int fd = mkstemp(path);
    assert_int_equal(write(fd, hex, 64), 64);
    close(fd);
    assert_int_equal(token_secret_read(path, read, &error), STATUS_OK);
    struct slice content = slice_of(hex, 64);
    crypto_sha256(&content, 1, expected);
    assert_memory_equal(read, expected, sizeof read);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(token_secret_read(path, read, &error), STATUS_INVALID);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(truncate(path, 63), 0);
    assert_int_equal(token_secret_read(path, read, &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, "not a secret of ours"));
    unlink(path);
    assert_int_equal(token_secret_read(path, read, &error), STATUS_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_are_what_the_pads_make),
        cmocka_unit_test(partners_and_domains_differ),
        cmocka_unit_test(a_subject_has_the_tokens_of_each_type),
        cmocka_unit_test(the_secret_is_the_gateways_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
