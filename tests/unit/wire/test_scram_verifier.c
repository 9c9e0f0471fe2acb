/* Verifiers: PostgreSQL's text form, both ways, and mocks for users that do not exist. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "exact.h"
#include "rfc7677.h"
#include "wire/scram.h"

static void the_published_verifier_is_read_and_printed(void **state)
{
    struct scram_verifier verifier;
    struct buffer text;
    buffer_init(&text, 1000);
    assert_int_equal(scram_verifier_parse(RFC_VERIFIER, &verifier, NULL), STATUS_OK);
    assert_int_equal(verifier.iterations, 4096);
    assert_int_equal(verifier.salt_len, 16);
    scram_verifier_print(&verifier, &text);
    assert_string_equal(buffer_text(&text), RFC_VERIFIER);
    buffer_free(&text);
}

static void other_texts_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "SCRAM-SHA-256",
        "SCRAM-SHA-256$",
        "md5d41d8cd98f00b204e9800998ecf8427e",
        "SCRAM-SHA-1$4096:" RFC_SALT "$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
        "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
        "SCRAM-SHA-256$4095:" RFC_SALT "$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
        "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
        "SCRAM-SHA-256$10000001:" RFC_SALT "$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
        "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
        "SCRAM-SHA-256$4294971392:" RFC_SALT "$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
        "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
        "SCRAM-SHA-256$+4096:" RFC_SALT "$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
        "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
        "SCRAM-SHA-256$4096:$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
        "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
        "SCRAM-SHA-256$4096:" RFC_SALT "$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4g==:"
        "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
        RFC_VERIFIER " ",
        RFC_VERIFIER "\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct scram_verifier verifier = {.iterations = 7};
        struct error error;
        if (scram_verifier_parse(bad[i], &verifier, &error) != STATUS_INVALID)
            fail_msg("accepted: \"%s\"", bad[i]);
        assert_int_equal(verifier.iterations, 7);
        if (strlen(bad[i]) > 3) /* never the secret in a message */
            assert_null(strstr(error.message, "wfPLwc"));
    }
}

static void every_prefix_is_refused(void **state)
{
    char text[] = RFC_VERIFIER;
    struct scram_verifier verifier;
    for (size_t len = sizeof text - 1; len-- > 0;) {
        text[len] = '\0';
        assert_int_equal(scram_verifier_parse(text, &verifier, NULL), STATUS_INVALID);
    }
}

static void salts_up_to_64_bytes(void **state)
{
    for (size_t len = 1; len <= 70; len++) {
        uint8_t salt[70] = {1, 2, 3};
        char encoded[100];
        struct buffer text;
        struct scram_verifier verifier;
        buffer_init(&text, 1000);
        crypto_base64_encode(salt, len, encoded);
        buffer_printf(&text, "SCRAM-SHA-256$4096:%s%s", encoded, strchr(&RFC_VERIFIER[15], '$'));
        assert_int_equal(scram_verifier_parse(buffer_text(&text), &verifier, NULL),
                         len <= 64 ? STATUS_OK : STATUS_INVALID);
        if (len <= 64)
            assert_int_equal(verifier.salt_len, len);
        buffer_free(&text);
    }
}

static void made_verifiers_have_salts_of_their_own(void **state)
{
    struct scram_verifier first, second;
    scram_verifier_make(slice_of_text("pencil"), 4096, &first);
    scram_verifier_make(slice_of_text("pencil"), 4096, &second);
    assert_int_equal(first.salt_len, 16);
    assert_memory_not_equal(first.salt, second.salt, 16);
    assert_memory_not_equal(first.stored_key, second.stored_key, 32);
}

static void mocks_look_the_same_every_time(void **state)
{
    struct scram_verifier first, again, other, elsewhere;
    scram_verifier_mock(slice_of_text("secret"), "nobody", 4096, 16, &first);
    scram_verifier_mock(slice_of_text("secret"), "nobody", 4096, 16, &again);
    scram_verifier_mock(slice_of_text("secret"), "nobody2", 4096, 16, &other);
    scram_verifier_mock(slice_of_text("Secret"), "nobody", 4096, 16, &elsewhere);
    assert_int_equal(first.iterations, SCRAM_DEFAULT_ITERATIONS);
    assert_int_equal(first.salt_len, 16);
    assert_memory_equal(first.salt, again.salt, 16);
    assert_memory_not_equal(first.salt, other.salt, 16);
    assert_memory_not_equal(first.salt, elsewhere.salt, 16);
    assert_memory_not_equal(first.stored_key, other.stored_key, 32);
}

/* The kind is what real ones have; the salt's bytes are the user's own to the last one. */
static void mocks_have_the_kind_of_real_ones(void **state)
{
    struct scram_verifier first, other;
    scram_verifier_mock(slice_of_text("secret"), "nobody", 65536, 64, &first);
    scram_verifier_mock(slice_of_text("secret"), "nobody2", 65536, 64, &other);
    assert_int_equal(first.iterations, 65536);
    assert_int_equal(first.salt_len, 64);
    assert_memory_not_equal(first.salt, first.salt + 32, 32);
    assert_memory_not_equal(first.salt + 56, other.salt + 56, 8);
    scram_verifier_mock(slice_of_text("secret"), "nobody", 65536, 1, &other);
    assert_int_equal(other.salt_len, 1);
    assert_int_equal(other.salt[0], first.salt[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_verifier_is_read_and_printed),
        cmocka_unit_test(other_texts_are_refused),
        cmocka_unit_test(every_prefix_is_refused),
        cmocka_unit_test(salts_up_to_64_bytes),
        cmocka_unit_test(made_verifiers_have_salts_of_their_own),
        cmocka_unit_test(mocks_look_the_same_every_time),
        cmocka_unit_test(mocks_have_the_kind_of_real_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
