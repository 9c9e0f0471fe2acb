/* A commitment has one spelling. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "never/commitment.h"

static const struct never_commitment sample = {
    .entries = 1234,
    .as_of_ns = INT64_C(1795000000) * 1000000000,
    .leaves = 77,
    .erased = 0,
    .root = {1, 2, 3},
    .vrf_key = {0xFF, 0xFE},
};

static void what_is_written_is_read(void **state)
{
    (void)state;
    struct never_commitment read = {0};
    struct buffer text;
    buffer_init(&text, NEVER_COMMITMENT_BYTES + 64);
    never_commitment_format(&sample, &text);
    assert_int_equal(never_commitment_parse(buffer_slice(&text), &read, NULL), STATUS_OK);
    assert_memory_equal(&read, &sample, sizeof read);
    buffer_append_text(&text, "\nby=uid 0");
    assert_int_equal(never_commitment_parse(buffer_slice(&text), &read, NULL), STATUS_OK);
    buffer_append_text(&text, "\nroot=0");
    assert_int_equal(never_commitment_parse(buffer_slice(&text), &read, NULL), STATUS_INVALID);
    buffer_free(&text);
}

/* Whatever byte is put wherever: refused, or another commitment that is written just so. */
static void every_other_spelling_is_refused(void **state)
{
    (void)state;
    struct buffer text, again;
    buffer_init(&text, NEVER_COMMITMENT_BYTES);
    buffer_init(&again, NEVER_COMMITMENT_BYTES);
    never_commitment_format(&sample, &text);
    static const uint8_t others[] = {'0', '1', 'A', 'f', ' ', '\n', '=', 0, 0xFF};
    for (size_t i = 0; i < text.len; i++) {
        uint8_t kept = text.data[i];
        for (size_t j = 0; j < sizeof others; j++) {
            struct never_commitment read;
            text.data[i] = others[j];
            if (never_commitment_parse(buffer_slice(&text), &read, NULL) != STATUS_OK)
                continue;
            buffer_clear(&again);
            never_commitment_format(&read, &again);
            assert_int_equal(again.len, text.len);
            assert_memory_equal(again.data, text.data, text.len);
        }
        text.data[i] = kept;
    }
    buffer_free(&text);
    buffer_free(&again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(every_other_spelling_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
