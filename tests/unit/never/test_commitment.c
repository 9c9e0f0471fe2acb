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

static const struct never_commitment of_cut = {
    .base = {.from = 1233, .since_ns = INT64_C(1794000000) * 1000000000, .statement = {7, 8}},
    .entries = 1234,
    .as_of_ns = INT64_C(1795000000) * 1000000000,
    .leaves = 77,
    .erased = 3,
    .root = {1, 2, 3},
    .vrf_key = {0xFF, 0xFE},
};

static void check_written(const struct never_commitment *commitment)
{
    struct never_commitment read = {0};
    struct buffer text;
    buffer_init(&text, NEVER_COMMITMENT_BYTES + 64);
    never_commitment_format(commitment, &text);
    assert_int_equal(never_commitment_parse(buffer_slice(&text), &read, NULL), STATUS_OK);
    assert_memory_equal(&read, commitment, sizeof read);
    buffer_append_text(&text, "\nby=uid 0");
    assert_int_equal(never_commitment_parse(buffer_slice(&text), &read, NULL), STATUS_OK);
    buffer_append_text(&text, "\nroot=0");
    assert_int_equal(never_commitment_parse(buffer_slice(&text), &read, NULL), STATUS_INVALID);
    buffer_free(&text);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    check_written(&sample);
    check_written(&of_cut);
}

/* Whatever byte is put wherever: refused, or another commitment that is written just so. */
static void try_spellings(const struct never_commitment *commitment)
{
    struct buffer text, again;
    buffer_init(&text, NEVER_COMMITMENT_BYTES);
    buffer_init(&again, NEVER_COMMITMENT_BYTES);
    never_commitment_format(commitment, &text);
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

static void every_other_spelling_is_refused(void **state)
{
    (void)state;
    try_spellings(&sample);
    try_spellings(&of_cut);
}

static void expect_refused(const struct never_commitment *commitment, const char *form)
{
    struct buffer text;
    struct never_commitment read;
    buffer_init(&text, NEVER_COMMITMENT_BYTES);
    never_commitment_format(commitment, &text);
    memcpy(text.data, form, strlen(form));
    assert_int_equal(never_commitment_parse(buffer_slice(&text), &read, NULL), STATUS_INVALID);
    buffer_free(&text);
}

static void a_part_of_the_log_is_one(void **state)
{
    (void)state;
    struct never_commitment bent = of_cut;
    expect_refused(&of_cut, "index=never@v3");
    bent.entries = bent.base.from; /* nothing is counted */
    expect_refused(&bent, "index=never@v2");
    bent.entries = 1;
    expect_refused(&bent, "index=never@v2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(every_other_spelling_is_refused),
        cmocka_unit_test(a_part_of_the_log_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
