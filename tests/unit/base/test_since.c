/* Since when: the claim never reaches back to a record that was dropped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/since.h"

static const int64_t SECOND = 1000000000;

static void begins_after_what_was_dropped(void **state)
{
    assert_int_equal(since_after(0), SECOND);
    assert_int_equal(since_after(SECOND - 1), SECOND);
    assert_int_equal(since_after(SECOND), 2 * SECOND);
    assert_int_equal(since_after(-1), 0);
    assert_int_equal(since_after(-SECOND), 0);
    assert_true(since_after(INT64_MAX) == INT64_MAX);
}

static void days_are_whole(void **state)
{
    const int64_t day = 86400 * SECOND;
    assert_int_equal(since_day(0), 0);
    assert_int_equal(since_day(1), day);
    assert_int_equal(since_day(day), day);
    assert_int_equal(since_day(-1), 0);
    assert_int_equal(since_day(-day), -day);
    assert_true(since_day(INT64_MAX) == INT64_MAX);
}

static void says_so(void **state)
{
    char text[SINCE_TEXT_ROOM], sentence[SINCE_SENTENCE_ROOM];
    since_format(since_after(1704067199 * SECOND), text);
    assert_string_equal(text, "2024-01-01T00:00:00Z");
    since_sentence(text, sentence);
    assert_string_equal(sentence, "Records before 2024-01-01T00:00:00Z were dropped by retention; "
                                  "this answer does not cover them.");
    since_format(SINCE_EVER, text);
    assert_string_equal(text, "");
    since_sentence(text, sentence);
    assert_string_equal(sentence, "");
}

static void refuses_what_is_gone_alone(void **state)
{
    struct error error = {0};
    assert_int_equal(since_refuse(SINCE_EVER, INT64_MIN, &error), STATUS_OK);
    assert_int_equal(since_refuse(5 * SECOND, INT64_MAX, &error), STATUS_OK);
    assert_int_equal(since_refuse(5 * SECOND, 5 * SECOND + 1, &error), STATUS_OK);
    assert_int_equal(since_refuse(5 * SECOND, 5 * SECOND, &error), STATUS_DENIED);
    assert_string_equal(error.sqlstate, "55000");
    assert_non_null(strstr(error.message, "1970-01-01T00:00:05Z"));
    assert_true(error.hint[0] != '\0');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begins_after_what_was_dropped),
        cmocka_unit_test(days_are_whole),
        cmocka_unit_test(says_so),
        cmocka_unit_test(refuses_what_is_gone_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
