#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "oidc/question.h"

static void what_is_read_is_what_was_put(void **state)
{
    const struct question question = {.kind = QUESTION_TOKEN,
                                      .now_s = 1800000000,
                                      .skew_s = 30,
                                      .max_lifetime_s = 3600,
                                      .issuer = slice_of_text("https://id"),
                                      .audience = slice_of_text("us"),
                                      .token = slice_of("a\0b", 3),
                                      .document = slice_of_text("{}"),
                                      .claims = {{"sub", "x", false}, {"roles", "", true}},
                                      .claim_count = 2};
    struct question read;
    struct buffer frame;
    buffer_init(&frame, QUESTION_BYTES);
    question_put(&question, &frame);
    assert_int_equal(load_u32be(frame.data), frame.len - 4);
    for (size_t len = 0; len < frame.len - 4; len++)
        if (question_read(slice_of(frame.data + 4, len), &read) == STATUS_OK)
            fail_msg("the first %zu of %zu bytes were taken", len, frame.len - 4);
    assert_int_equal(question_read(slice_of(frame.data + 4, frame.len - 4), &read), STATUS_OK);
    assert_int_equal(read.now_s, 1800000000);
    assert_int_equal(read.skew_s, 30);
    assert_int_equal(read.max_lifetime_s, 3600);
    assert_true(slice_equal(read.issuer, question.issuer));
    assert_true(slice_equal(read.token, question.token));
    assert_true(slice_equal(read.document, question.document));
    assert_int_equal(read.typ.len, 0);
    assert_int_equal(read.claim_count, 2);
    assert_string_equal(read.claims[1].name, "roles");
    assert_true(read.claims[1].contains && !read.claims[0].contains);
    buffer_free(&frame);
}

static void a_verdict_is_read_as_it_was_put(void **state)
{
    const struct verdict verdict = {
        .kind = VERDICT_OTHER, .expires_s = -1, .id = {1, 2}, .text = "why"};
    struct verdict read;
    struct buffer frame;
    buffer_init(&frame, QUESTION_TEXT_ROOM + 64);
    verdict_put(&verdict, &frame);
    for (size_t len = 0; len < frame.len - 4; len++)
        assert_int_equal(verdict_read(slice_of(frame.data + 4, len), &read), STATUS_INVALID);
    assert_int_equal(verdict_read(slice_of(frame.data + 4, frame.len - 4), &read), STATUS_OK);
    assert_memory_equal(&read, &verdict, sizeof read);
    frame.data[4] = 0; /* no kind of verdict: not admitted */
    assert_int_equal(verdict_read(slice_of(frame.data + 4, frame.len - 4), &read), STATUS_INVALID);
    buffer_free(&frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_read_is_what_was_put),
                                       cmocka_unit_test(a_verdict_is_read_as_it_was_put)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
