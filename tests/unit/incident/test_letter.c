/* Letters: each person's own categories and no other's; the kept examples are what is made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "incident/document.h"
#include "incident/lint_file.h"
#include "incident/sample.h"
#include "policy/policy.h"

static const char *const languages[] = {"en", "fr"};
static struct arena arena;
static struct words *words[2];
static struct template *templates[2];

static int set_up(void **state)
{
    struct error error = {0};
    arena_init(&arena, 64 * 1024 * 1024);
    for (int i = 0; i < 2; i++) {
        char path[400];
        snprintf(path, sizeof path, SHARE "/words/%s.yaml", languages[i]);
        if (words_load(path, &words[i], &error) != STATUS_OK)
            fail_msg("%s", error.message);
        snprintf(path, sizeof path, SHARE "/notices/default.%s.txt", languages[i]);
        if (template_load(path, &letter_schema, &templates[i], &error) != STATUS_OK)
            fail_msg("%s", error.message);
    }
    return 0;
}

static int tear_down(void **state)
{
    for (int i = 0; i < 2; i++) {
        words_free(words[i]);
        template_free(templates[i]);
    }
    arena_free(&arena);
    return 0;
}

static const char *write_body(int language, const struct letter_person *person)
{
    struct letter_case about;
    struct document body;
    struct error error = {0};
    struct buffer out;
    if (sample_case(words[language], &arena, &about, &error) != STATUS_OK ||
        letter_body(templates[language], words[language], &about, person, &arena, &body, &error) !=
            STATUS_OK)
        fail_msg("%s", error.message);
    buffer_init(&out, 256 * 1024);
    for (size_t i = 0; i < body.count; i++) { /* unwrapped, to be searched */
        buffer_append_text(&out, body.blocks[i].text);
        buffer_append_text(&out, "\n");
    }
    const char *text = arena_strdup(&arena, buffer_text(&out));
    buffer_free(&out);
    return text;
}

static void every_category_has_words(void **state)
{
    static const char *const needed[] = {"categories", "masked", "public", "advice"};
    for (int language = 0; language < 2; language++)
        for (size_t i = 0; policy_categories[i] != NULL; i++)
            for (size_t j = 0; j < 4; j++)
                if (words_get(words[language], needed[j], policy_categories[i]) == NULL)
                    fail_msg("%s: no %s for %s", languages[language], needed[j],
                             policy_categories[i]);
}

/* With one category alone the letter has this phrase, and that of no other. */
static void tells_only_the_persons_own(void **state)
{
    for (int language = 0; language < 2; language++) {
        for (size_t i = 0; policy_categories[i] != NULL; i++) {
            struct letter_category taken = {policy_categories[i], false};
            struct letter_person person = {
                .name = "Alex", .reference = "R", .date = "D", .taken = &taken, .taken_count = 1};
            const char *text = write_body(language, &person);
            for (size_t j = 0; policy_categories[j] != NULL; j++) {
                const char *phrase = words_get(words[language], "categories", policy_categories[j]);
                const char *line = arena_printf(&arena, "\n%s\n", phrase);
                if ((strstr(text, line) != NULL) != (i == j))
                    fail_msg("%s: a letter about %s %s \"%s\"", languages[language],
                             policy_categories[i], i == j ? "does not say" : "says", phrase);
            }
        }
    }
}

static void a_category_without_words_is_an_error(void **state)
{
    struct letter_category taken = {"x_star_sign", false};
    struct letter_person person = {
        .reference = "R", .date = "D", .taken = &taken, .taken_count = 1};
    struct letter_case about;
    struct document body;
    struct error error = {0};
    assert_int_equal(sample_case(words[0], &arena, &about, &error), STATUS_OK);
    assert_int_equal(letter_body(templates[0], words[0], &about, &person, &arena, &body, &error),
                     STATUS_INVALID);
    assert_non_null(strstr(error.message, "x_star_sign"));
}

static void speaks_to_the_right_person(void **state)
{
    struct letter_category taken = {"name", false};
    struct letter_person person = {
        .name = "Alex", .reference = "REF-1", .date = "D", .taken = &taken, .taken_count = 1};
    assert_non_null(strstr(write_body(0, &person), "Dear Alex,\n"));
    assert_non_null(strstr(write_body(0, &person), "\nREF-1\n"));
    person.name = NULL;
    assert_non_null(strstr(write_body(0, &person), "Hello,\n"));
    person.name = "Alex";
    person.child = true;
    assert_non_null(strstr(write_body(0, &person), "To the parent or guardian of Alex,\n"));
    assert_non_null(strstr(write_body(1, &person),
                           "Ce message concerne Alex. Il s'adresse à ses parents ou tuteurs."));
    person.replaces_date = "3 May 2026";
    assert_non_null(strstr(write_body(0, &person), "We wrote to you about this on 3 May 2026."));
}

/* What a partner did not get is said as far back as the ledger goes; what could happen is always
 * said. */
static void says_since_when_it_is_known(void **state)
{
    static const char *const spared[] = {"phone"};
    struct letter_category taken = {"name", false};
    struct letter_person person = {.reference = "R",
                                   .date = "D",
                                   .taken = &taken,
                                   .taken_count = 1,
                                   .elsewhere = spared,
                                   .elsewhere_count = 1};
    assert_non_null(
        strstr(write_body(0, &person), "our records show, which begin on 1 October 2025"));
    assert_non_null(
        strstr(write_body(1, &person), "registres, qui commencent le 1er octobre 2025"));
    assert_non_null(strstr(write_body(0, &person), "What could happen: "));
    assert_non_null(strstr(write_body(1, &person), "Ce qui peut arriver\u00a0: "));
}

/* Confirmed or not is said plainly, and never both. */
static void says_whether_it_was_taken(void **state)
{
    struct letter_category taken = {"name", false};
    struct letter_person person = {
        .reference = "R", .date = "D", .taken = &taken, .taken_count = 1};
    const char *known = "We know that some of your information was taken.";
    const char *unknown = "We do not know yet whether your information was taken.";
    assert_non_null(strstr(write_body(0, &person), unknown));
    assert_null(strstr(write_body(0, &person), known));
    person.confirmed = true;
    assert_non_null(strstr(write_body(0, &person), known));
    assert_null(strstr(write_body(0, &person), unknown));
}

static void help_is_the_countrys(void **state)
{
    struct letter_category taken = {"name", false};
    struct letter_person person = {
        .reference = "R", .date = "D", .country = "GB", .taken = &taken, .taken_count = 1};
    assert_non_null(strstr(write_body(0, &person), "7726"));
    person.country = "DE";
    assert_null(strstr(write_body(0, &person), "7726"));
    person.country = "FR";
    assert_non_null(strstr(write_body(1, &person), "33700"));
}

static void dates_are_the_languages(void **state)
{
    const char *date = NULL;
    struct error error = {0};
    const int64_t last_second_of_november = INT64_C(1796083199) * 1000000000;
    assert_int_equal(letter_date(words[0], last_second_of_november, &arena, &date, &error),
                     STATUS_OK);
    assert_string_equal(date, "30 November 2026");
    /* In Paris it is December already. */
    assert_int_equal(letter_date(words[1], last_second_of_november, &arena, &date, &error),
                     STATUS_OK);
    assert_string_equal(date, "1er décembre 2026");
}

/* ---- docs/examples ---- */

static void read_text(const char *path, struct buffer *text)
{
    struct error error = {0};
    buffer_init(text, 1024 * 1024);
    if (file_read(path, text, &error) != STATUS_OK)
        fail_msg("%s (COFFERDAM_WRITE_EXAMPLES=1 writes it)", error.message);
}

static void compare_example(const char *made_in, const char *name)
{
    char kept_path[500], made_path[500];
    struct buffer kept, made;
    snprintf(kept_path, sizeof kept_path, EXAMPLES "/%s", name);
    snprintf(made_path, sizeof made_path, "%s/%s", made_in, name);
    read_text(made_path, &made);
    read_text(kept_path, &kept);
    if (!slice_equal(buffer_slice(&made), buffer_slice(&kept)))
        fail_msg("docs/examples/%s is not what is made now:\n%s\n--- kept:\n%s", name,
                 buffer_text(&made), buffer_text(&kept));
    buffer_free(&made);
    buffer_free(&kept);
    remove(made_path);
}

static void examples_are_what_is_made(void **state)
{
    char folder[] = "/tmp/cofferdam-letter-XXXXXX";
    bool writes = getenv("COFFERDAM_WRITE_EXAMPLES") != NULL;
    const char *into = writes ? EXAMPLES : mkdtemp(folder);
    const struct sample *samples;
    size_t count = sample_people(&samples);
    for (int language = 0; language < 2; language++) {
        char path[400], name[200];
        struct error error = {0};
        snprintf(path, sizeof path, SHARE "/notices/default.%s.txt", languages[language]);
        if (lint_file_samples(SHARE, path, into, &error) != STATUS_OK)
            fail_msg("%s", error.message);
        for (size_t i = 0; i < count && !writes; i++) {
            snprintf(name, sizeof name, "notice-%s.%s.txt", samples[i].name, languages[language]);
            compare_example(into, name);
        }
        snprintf(name, sizeof name, "notice-%s.%s.html", samples[0].name, languages[language]);
        if (!writes)
            compare_example(into, name);
    }
    if (!writes)
        assert_int_equal(remove(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_category_has_words),
        cmocka_unit_test(tells_only_the_persons_own),
        cmocka_unit_test(a_category_without_words_is_an_error),
        cmocka_unit_test(speaks_to_the_right_person),
        cmocka_unit_test(says_since_when_it_is_known),
        cmocka_unit_test(says_whether_it_was_taken),
        cmocka_unit_test(help_is_the_countrys),
        cmocka_unit_test(dates_are_the_languages),
        cmocka_unit_test(examples_are_what_is_made),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
