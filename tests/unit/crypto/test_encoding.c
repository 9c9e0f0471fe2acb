/* Hexadecimal and base64: the vectors of RFC 4648, section 10, and what strict decoding refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "crypto/crypto.h"

static void hex_is_lower_case(void **state)
{
    char out[7];
    crypto_hex("\x00\xAf\x19", 3, out);
    assert_string_equal(out, "00af19");
    crypto_hex(NULL, 0, out);
    assert_string_equal(out, "");
}

static void hex_is_read_back_and_nothing_else_is(void **state)
{
    uint8_t bytes[3];
    assert_true(crypto_unhex(slice_of_text("00af19"), bytes, sizeof bytes));
    assert_memory_equal(bytes, "\x00\xAf\x19", 3);
    assert_true(crypto_unhex(slice_of_text(""), bytes, 0));
    assert_false(crypto_unhex(slice_of_text("00af1"), bytes, sizeof bytes));
    assert_false(crypto_unhex(slice_of_text("00af19c"), bytes, sizeof bytes));
    assert_false(crypto_unhex(slice_of_text("00AF19"), bytes, sizeof bytes));
    assert_false(crypto_unhex(slice_of("00af1\0", 6), bytes, sizeof bytes));
}

static void base64_known_answers(void **state)
{
    static const char *const encoded[] = {"",         "Zg==",     "Zm8=",    "Zm9v",
                                          "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    for (size_t len = 0; len <= 6; len++) {
        char text[9];
        crypto_base64_encode("foobar", len, text);
        assert_string_equal(text, encoded[len]);
        uint8_t bytes[6];
        size_t bytes_len;
        assert_int_equal(crypto_base64_decode(text, strlen(text), bytes, &bytes_len), STATUS_OK);
        assert_int_equal(bytes_len, len);
        if (len > 0)
            assert_memory_equal(bytes, "foobar", len);
    }
}

static void base64_covers_the_alphabet(void **state)
{
    uint8_t bytes[48], back[48];
    char text[65];
    for (size_t i = 0; i < 16; i++) {
        size_t group = (4 * i) << 18 | (4 * i + 1) << 12 | (4 * i + 2) << 6 | (4 * i + 3);
        bytes[3 * i] = (uint8_t)(group >> 16);
        bytes[3 * i + 1] = (uint8_t)(group >> 8);
        bytes[3 * i + 2] = (uint8_t)group;
    }
    crypto_base64_encode(bytes, sizeof bytes, text);
    assert_string_equal(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    size_t len;
    assert_int_equal(crypto_base64_decode(text, 64, back, &len), STATUS_OK);
    assert_int_equal(len, 48);
    assert_memory_equal(back, bytes, 48);
}

static void base64_refuses_everything_else(void **state)
{
    static const char *const bad[] = {
        "Z",        "Zg",   "Zg=",  "Zg== ", "Zg==\n", "====",     "Z===",    "=Zg=", "Zg==Zg==",
        "Zm9v====", "Zh==", "Zm9=", "Zm-v",  "Zm_v",   "Zm9v Zg=", "Zm\x80v", "Zg=A", "Zm=v"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint8_t bytes[16];
        size_t len = 77;
        if (crypto_base64_decode(bad[i], strlen(bad[i]), bytes, &len) != STATUS_INVALID)
            fail_msg("\"%s\" was decoded", bad[i]);
        assert_int_equal(len, 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hex_is_lower_case),
        cmocka_unit_test(hex_is_read_back_and_nothing_else_is),
        cmocka_unit_test(base64_known_answers),
        cmocka_unit_test(base64_covers_the_alphabet),
        cmocka_unit_test(base64_refuses_everything_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
