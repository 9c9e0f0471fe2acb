/* Slips of the hand find their word; other words find none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policy/suggest.h"

static const char *const words[] = {"table", "subject", "columns", "rows_per_statement", NULL};

static void finds_slips(void **state)
{
    static const char *const pairs[][2] = {
        {"colums", "columns"},   {"cloumns", "columns"},         {"Table", "table"},
        {"subjects", "subject"}, {"rows", "rows_per_statement"}, {"tabel", "table"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        const char *found = suggest_nearest(pairs[i][0], words);
        assert_string_equal(found == NULL ? "(none)" : found, pairs[i][1]);
    }
}

static const char *const verbs[] = {"gateway", "check",   "partner",     "ledger",
                                    "cert",    "subject", "acknowledge", NULL};

static void finds_verbs(void **state)
{
    static const char *const pairs[][2] = {
        {"gatway", "gateway"},  {"chekc", "check"}, {"partnner", "partner"},
        {"sudject", "subject"}, {"cert", "cert"},   {"ack", "acknowledge"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        const char *found = suggest_nearest(pairs[i][0], verbs);
        assert_string_equal(found == NULL ? "(none)" : found, pairs[i][1]);
    }
    assert_null(suggest_nearest("banana", verbs));
    assert_null(suggest_nearest("x", verbs));
    assert_null(suggest_nearest("", verbs));
    assert_null(suggest_nearest("a word much longer than any of the verbs that there are", verbs));
}

static void suggests_nothing_far(void **state)
{
    char endless[500];
    memset(endless, 'c', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    static const char *const none[] = {NULL};
    assert_null(suggest_nearest("zebra", words));
    assert_null(suggest_nearest(endless, words));
    assert_null(suggest_nearest("", words));
    assert_null(suggest_nearest("table", none));
}

static void lists_within_room(void **state)
{
    char text[20];
    suggest_list(words, text, sizeof text);
    assert_string_equal(text, "table, subject, …");
    char room[100];
    suggest_list(words, room, sizeof room);
    assert_string_equal(room, "table, subject, columns, rows_per_statement");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_slips),
        cmocka_unit_test(finds_verbs),
        cmocka_unit_test(suggests_nothing_far),
        cmocka_unit_test(lists_within_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
