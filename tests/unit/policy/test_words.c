/* Words: texts by section and key, in the file's order; strict about what a file may be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"
#include "policy/words.h"

static struct words *load(const char *path)
{
    struct words *words = NULL;
    struct error error = {0};
    if (words_load(path, &words, &error) != STATUS_OK)
        fail_msg("refused: %s (%s)", error.message, error.hint);
    return words;
}

static void refuse(const char *text, const char *message)
{
    struct words *words = NULL;
    struct error error = {0};
    enum status status = words_load(fixture_write(text), &words, &error);
    if (status != STATUS_INVALID || strstr(error.message, message) == NULL)
        fail_msg("%s: says \"%s\", not \"%s\"", status_name(status), error.message, message);
    assert_null(words);
}

static void gives_texts_in_the_files_order(void **state)
{
    struct words *words = load(fixture_write("people:\n  one: a person\n  many: \"{n} people\"\n"
                                             "lines:\n  b: |\n    two\n    lines\n  a: x\n"));
    assert_string_equal(words_get(words, "people", "many"), "{n} people");
    assert_string_equal(words_get(words, "lines", "b"), "two\nlines\n");
    assert_null(words_get(words, "lines", "one"));
    assert_null(words_get(words, "none", "one"));
    assert_string_equal(words_key(words, "lines", 0), "b");
    assert_string_equal(words_key(words, "lines", 1), "a");
    assert_null(words_key(words, "lines", 2));
    assert_null(words_key(words, "none", 0));
    words_free(words);
    words_free(NULL);
}

static void the_version_is_the_files_hash(void **state)
{
    struct words *words =
        load(fixture_write("a:\n  b: c\n")); /* printf 'a:\n  b: c\n' | sha256sum */
    assert_string_equal(words_version(words),
                        "b9cd06dc35130c41da32585589ec63162678865419f73370e25ddf1811aada06");
    words_free(words);
}

static void refuses_with_line_and_column(void **state)
{
    refuse("a:\n  b: [c]\n", ":2:7: ");
    refuse("a:\n  b: [c]\n", "a text is expected here");
    refuse("a:\n  b:\n", "nothing is written here");
    refuse("a: b\n", ":1:4: ");
    refuse("a:\n  b: c\n  b: d\n", "policy.yaml:3");
    refuse("- a\n", ":1:3: ");
    struct words *words = NULL;
    assert_int_equal(words_load("/nonexistent/en.yaml", &words, NULL), STATUS_NOT_FOUND);
}

/* What is installed loads, and has what the code asks for by name. */
static void our_own_files_load(void **state)
{
    struct words *facts = load(SHARE "/reports/facts.yaml");
    assert_non_null(words_get(facts, "facts", "what_happened"));
    words_free(facts);
    struct words *english = load(SHARE "/words/en.yaml"), *french = load(SHARE "/words/fr.yaml");
    assert_non_null(words_get(english, "categories", "vin"));
    assert_non_null(words_get(french, "categories", "vin"));
    words_free(english);
    words_free(french);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_texts_in_the_files_order),
        cmocka_unit_test(the_version_is_the_files_hash),
        cmocka_unit_test(refuses_with_line_and_column),
        cmocka_unit_test(our_own_files_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
