/* Letters between gateway and issuer: what is written is read, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "issuer/letter.h"

static struct buffer letter;
static struct issuer_answer answer;
static struct error error;

static int setup(void **state)
{
    buffer_init(&letter, 128 * 1024);
    answer = (struct issuer_answer){.again = false};
    buffer_init(&answer.certificate, ISSUER_PEM_BYTES);
    return 0;
}

static int teardown(void **state)
{
    buffer_free(&letter);
    buffer_free(&answer.certificate);
    return 0;
}

/* Without its length, which must be right. */
static struct slice content(void)
{
    assert_false(letter.overflowed);
    assert_int_equal(load_u32be(letter.data), letter.len - 4);
    return slice_of(letter.data + 4, letter.len - 4);
}

static void a_question_comes_as_it_was_put(void **state)
{
    const struct issuer_question put = {.certificate = slice_of_text("der"),
                                        .request = slice_of_text("-----BEGIN"),
                                        .signature = slice_of_text("c2ln"),
                                        .human_most_ns = INT64_MAX};
    struct issuer_question got;
    assert_int_equal(letter_put_question(&put, &letter, &error), STATUS_OK);
    assert_int_equal(letter_read_question(content(), &got), STATUS_OK);
    assert_true(slice_equal(got.certificate, put.certificate));
    assert_true(slice_equal(got.request, put.request));
    assert_true(slice_equal(got.signature, put.signature));
    assert_int_equal(got.human_most_ns, INT64_MAX);
    for (size_t cut = 0; cut < letter.len - 4; cut++)
        assert_int_equal(letter_read_question(slice_of(letter.data + 4, cut), &got),
                         STATUS_INVALID);
    buffer_append_u8(&letter, 0);
    assert_int_equal(letter_read_question(slice_of(letter.data + 4, letter.len - 4), &got),
                     STATUS_INVALID);
}

static void what_is_too_long_is_not_asked(void **state)
{
    static uint8_t many[ISSUER_REQUEST_BYTES + 1];
    const struct issuer_question put = {.request = slice_of(many, sizeof many)};
    assert_int_equal(letter_put_question(&put, &letter, &error), STATUS_LIMIT);
    assert_string_equal(error.sqlstate, "54000");
}

static void no_negative_time_is_taken(void **state)
{
    struct issuer_question got;
    const struct issuer_question put = {.human_most_ns = -1};
    assert_int_equal(letter_put_question(&put, &letter, &error), STATUS_OK);
    assert_int_equal(letter_read_question(content(), &got), STATUS_INVALID);
}

static void an_answer_comes_as_it_was_put(void **state)
{
    struct issuer_answer put = {.renews = "5f3a", .origin = "90c1", .until_ns = 7, .again = true};
    enum status decision = STATUS_IO;
    buffer_init(&put.certificate, 100);
    buffer_append_text(&put.certificate, "-----BEGIN\n");
    letter_put_answer(&put, NULL, &letter);
    assert_int_equal(letter_read_answer(content(), &answer, &decision, &error), STATUS_OK);
    assert_int_equal(decision, STATUS_OK);
    assert_string_equal(answer.renews, "5f3a");
    assert_string_equal(answer.origin, "90c1");
    assert_int_equal(answer.until_ns, 7);
    assert_true(answer.again);
    assert_true(slice_equal(buffer_slice(&answer.certificate), buffer_slice(&put.certificate)));
    for (size_t cut = 0; cut < letter.len - 4; cut++)
        assert_int_equal(
            letter_read_answer(slice_of(letter.data + 4, cut), &answer, &decision, &error),
            STATUS_INVALID);
    buffer_free(&put.certificate);
}

static void a_refusal_is_one_line(void **state)
{
    struct error put = {.status = STATUS_DENIED}, got = {0};
    enum status decision = STATUS_OK;
    error_set(&put, STATUS_DENIED, "42710", "a hint", "two\nlines");
    letter_put_answer(&answer, &put, &letter);
    assert_int_equal(letter_read_answer(content(), &answer, &decision, &got), STATUS_OK);
    assert_int_equal(decision, STATUS_DENIED);
    assert_int_equal(got.status, STATUS_DENIED);
    assert_string_equal(got.sqlstate, "42710");
    assert_string_equal(got.message, "two lines");
    assert_string_equal(got.hint, "a hint");
    letter.data[6] = 'x'; /* of the SQLSTATE */
    assert_int_equal(letter_read_answer(content(), &answer, &decision, &got), STATUS_INVALID);
    letter.data[6] = '4';
    letter.data[5] = STATUS_NOMEM + 1;
    assert_int_equal(letter_read_answer(content(), &answer, &decision, &got), STATUS_INVALID);
}

#define case_of(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        case_of(a_question_comes_as_it_was_put), case_of(what_is_too_long_is_not_asked),
        case_of(no_negative_time_is_taken),      case_of(an_answer_comes_as_it_was_put),
        case_of(a_refusal_is_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
