/* Reading ease: words, sentences and syllables, against counts made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "incident/reading_ease.h"

static void counts(const char *text, size_t words, size_t sentences, size_t syllables)
{
    struct reading_counts made = {0};
    reading_count(text, &made);
    if (made.words != words || made.sentences != sentences || made.syllables != syllables)
        fail_msg("\"%s\": %zu words, %zu sentences, %zu syllables; by hand %zu, %zu, %zu", text,
                 made.words, made.sentences, made.syllables, words, sentences, syllables);
}

static void counts_english(void **state)
{
    counts("The cat sat.", 3, 1, 3);
    counts("Nobody took your information", 4, 1, 3 + 1 + 1 + 4);
    counts("A table. We came here?", 5, 2, 1 + 2 + 1 + 1 + 1);
    counts("Type meridian.example on 20 November.", 5, 1, 1 + 1 + 1 + 1 + 3);
    counts("He said “stop.” Then he went (home).", 7, 2, 7);
    counts("", 0, 0, 0);
    counts("– – –", 0, 0, 0);
}

static void counts_french(void **state)
{
    counts("Une société a été attaquée.", 5, 1, 1 + 3 + 1 + 2 + 3);
    counts("Appelez-nous\xC2\xA0!", 1, 1, 4);
    counts("Le cœur", 2, 1, 2);
}

static void finds_the_longest_sentence(void **state)
{
    struct reading_counts made = {0};
    reading_count("One two. Three four five six. Seven.", &made);
    assert_int_equal(made.longest, 4);
    assert_int_equal(made.longest_bytes, strlen("Three four five six."));
    assert_memory_equal(made.longest_at, "Three four five six.", made.longest_bytes);
}

/* By hand: 100 words, 10 sentences, 150 syllables. */
static void formulas_are_as_published(void **state)
{
    struct reading_counts made = {.words = 100, .sentences = 10, .syllables = 150};
    assert_int_equal((int)(reading_flesch_kincaid(&made) * 100 + 0.5), 601);
    assert_int_equal((int)(reading_kandel_moles(&made) * 100 + 0.5), 8645);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_english),
        cmocka_unit_test(counts_french),
        cmocka_unit_test(finds_the_longest_sentence),
        cmocka_unit_test(formulas_are_as_published),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
