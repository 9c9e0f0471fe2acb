/* Facts answer known questions, in known words where there are such. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "incident/facts.h"

static struct words *questions;

static int load(void **state)
{
    struct config config = {.data_folder = SHARE};
    struct casework casework = {.config = &config};
    return facts_load(&casework, &questions, NULL) != STATUS_OK;
}

static int unload(void **state)
{
    words_free(questions);
    return 0;
}

static void free_texts_are_taken(void **state)
{
    assert_int_equal(facts_check(questions, "what_happened", "anything\nat all", NULL), STATUS_OK);
    assert_int_equal(facts_check(questions, "what_happened", "", NULL), STATUS_INVALID);
    char *large = malloc(FACTS_VALUE_BYTES + 2);
    assert_non_null(large);
    memset(large, 'x', FACTS_VALUE_BYTES + 1);
    large[FACTS_VALUE_BYTES + 1] = '\0';
    assert_int_equal(facts_check(questions, "what_happened", large, NULL), STATUS_INVALID);
    large[FACTS_VALUE_BYTES] = '\0';
    assert_int_equal(facts_check(questions, "what_happened", large, NULL), STATUS_OK);
    free(large);
}

static void choices_are_whole_words(void **state)
{
    static const char *const right[] = {"very unlikely", "likely", "not known"};
    static const char *const wrong[] = {"very", "unlikely |", "known", "Likely", "likely ", "|"};
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++)
        assert_int_equal(facts_check(questions, "likelihood", right[i], NULL), STATUS_OK);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        if (facts_check(questions, "likelihood", wrong[i], NULL) != STATUS_INVALID)
            fail_msg("\"%s\" is taken", wrong[i]);
    }
}

static void unknown_names_have_a_nearest(void **state)
{
    struct error error = {0};
    assert_int_equal(facts_check(questions, "what_hapened", "x", &error), STATUS_NOT_FOUND);
    assert_string_equal(error.hint, "did you mean what_happened?");
    assert_int_equal(facts_check(questions, "qqqqqqqqqqqq", "x", &error), STATUS_NOT_FOUND);
    assert_non_null(strstr(error.hint, "--list"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(free_texts_are_taken),
        cmocka_unit_test(choices_are_whole_words),
        cmocka_unit_test(unknown_names_have_a_nearest),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
