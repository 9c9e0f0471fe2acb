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
        cmocka_unit_test(the_secret_is_the_gateways_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
