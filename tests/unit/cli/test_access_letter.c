/* The letter to somebody who asks: every recipient, every category, every purpose, and nothing that
 * the ledger does not say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "cli/access_letter.h"

enum { LETTER_BYTES = 65536, WIDTH = 76 };

static const char *const columns[] = {"partner", "dataset", "column", "category", "form",
                                      "grade",   "first",   "last",   "purpose",  NULL};
static const char *const processors[] = {"Print House", "Post Ltd"};
static const struct policy_partner partners[] = {{.name = "north-mail",
                                                  .agreement = "DPA-7",
                                                  .sub_processors = processors,
                                                  .sub_processor_count = 2}};
static const struct policy policy = {.controller = {.name = "Meridian Motors",
                                                    .dpo_name = "D. Officer",
                                                    .dpo_email = "dpo@m.example"},
                                     .partners = partners,
                                     .partner_count = 1};

static struct words *load(const char *path)
{
    struct words *words = NULL;
    struct error error = {0};
    if (words_load(path, &words, &error) != STATUS_OK)
        fail_msg("%s: %s", path, error.message);
    return words;
}

static bool is_cut; /* the oldest records were dropped */

/* The letter in a language; static. rows of as many texts as columns. */
static const char *letter_of(const char *language, const char *const (*rows)[9], size_t count)
{
    static char text[LETTER_BYTES];
    char path[512];
    struct table facts;
    struct buffer out;
    struct error error = {0};
    table_init(&facts, 1 << 20, columns);
    for (size_t r = 0; r < count; r++) {
        struct table_row *row = table_add(&facts);
        for (size_t c = 0; c < 9; c++)
            if (rows[r][c] != NULL)
                table_set(&facts, row, c, "%s", rows[r][c]);
    }
    snprintf(path, sizeof path, SHARE "/words/%s.yaml", language);
    struct words *words = load(path);
    snprintf(path, sizeof path, SHARE "/letters/access.%s.yaml", language);
    struct words *phrases = load(path);
    const struct access_letter letter = {.policy = &policy,
                                         .words = words,
                                         .phrases = phrases,
                                         .kind = "customer",
                                         .key = "4711",
                                         .facts = &facts,
                                         .since_ns = 1767225600000000000, /* 2026-01-01 */
                                         .is_cut = is_cut};
    buffer_init(&out, LETTER_BYTES - 1);
    if (access_letter_write(&letter, &out, &error) != STATUS_OK)
        fail_msg("letter: %s", error.message);
    memcpy(text, out.data, out.len);
    text[out.len] = '\0';
    buffer_free(&out);
    words_free(phrases);
    words_free(words);
    table_free(&facts);
    return text;
}

static void judge(const char *letter, const char *part, bool wanted)
{
    bool found = strstr(letter, part) != NULL;
    if (found != wanted)
        print_error("%s\n", letter);
    if (found != wanted)
        fail_msg("that letter %s \"%s\"", found ? "has" : "lacks", part);
}

static void has(const char *letter, const char *part)
{
    judge(letter, part, true);
}

static void lacks(const char *letter, const char *part)
{
    judge(letter, part, false);
}

static const char *const facts[][9] = {
    {"north-mail", "customer", "full_name", "name", "clear", "direct", "2026-03-02T10:00:00Z",
     "2026-03-02T10:00:00Z", "service-mail"},
    {"north-mail", "customer", "phone", "phone", "masked", "direct", "2026-03-02T10:00:00Z",
     "2026-05-04T10:00:00Z", "service-mail"},
    {"north-mail", "customer", "phone", "phone", "masked", "direct", "2026-06-01T10:00:00Z",
     "2026-06-01T10:00:00Z", "recall"},
    {"north-mail", "customer", "shoe", "x_shoe size", "token", "direct", "2026-06-01T10:00:00Z",
     "2026-06-01T10:00:00Z", "recall"},
    {"north-mail", "customer", "town", "address", "clear", "aggregate", "2026-06-01T10:00:00Z",
     "2026-06-01T10:00:00Z", "recall"},
    {"north-mail", "customer", "town", "address", "clear", "witness", "2026-07-01T10:00:00Z",
     "2026-07-01T10:00:00Z", "recall"},
    {"old-partner", "customer", "customer_id", NULL, "clear", "declared", "2025-12-24T10:00:00Z",
     "2025-12-24T10:00:00Z", NULL},
    {"old-partner", "order", "order_id", NULL, "clear", "declared", "2025-12-24T10:00:00Z",
     "2025-12-24T10:00:00Z", NULL},
    {"statlab", NULL, NULL, NULL, NULL, "direct", "2026-03-02T23:00:00Z", "2026-03-02T23:00:00Z",
     NULL},
};

static void tells_who_what_when_and_why(void **state)
{
    const char *letter = letter_of("en", facts, sizeof facts / sizeof facts[0]);
    has(letter, "Meridian Motors\n\n");
    has(letter, "4711 (customer)");
    has(letter, "since 1\nJanuary 2026.");
    has(letter, "1. north-mail\n   Contract: DPA-7\n   Companies that it may use for its work: "
                "Print House, Post Ltd\n\n"
                "   It received this about you from 2 March 2026 to 4 May 2026.\n"
                "   Purpose: service-mail\n   - your name\n   - part of your telephone number\n\n"
                "   It received this about you on 1 June 2026.\n   Purpose: recall\n"
                "   - part of your telephone number\n   - a code that stands for shoe size\n\n"
                "   Your information was counted in totals about groups of people on 1 June\n"
                "   2026. It was not shown itself.\n   Purpose: recall\n"
                "   - your postal address\n\n"
                "   Your information had a part in what it was shown about others on 1 July\n"
                "   2026. It was not shown itself.\n");
    has(letter, "2. old-partner\n\n   We gave it this about you in another way than through our "
                "system on 24\n   December 2025, as our staff have recorded.\n"
                "   Purpose: not recorded\n   - other details, by their names in our records: "
                "customer_id, order_id\n");
    has(letter, "3. statlab\n\n   It received this about you on 2 March 2026.\n"
                "   Purpose: not recorded\n   - that you are in our records\n");
    has(letter, "D. Officer: email dpo@m.example.");
}

/* To be looked up is told, and is not to be disclosed. */
static void tells_who_asked(void **state)
{
    static const char *const asked[][9] = {
        {"north-mail", "customer", "full_name", "name", "clear", "direct", "2026-03-02T10:00:00Z",
         "2026-03-02T10:00:00Z", "recall"},
        {"north-mail", "customer", "customer_id", "name", "clear", "probe", "2026-03-02T10:00:00Z",
         "2026-03-04T10:00:00Z", "recall"},
        {"statlab", "customer", "customer_id", "name", "clear", "probe", "2026-04-02T10:00:00Z",
         "2026-04-02T10:00:00Z", NULL},
    };
    const char *letter = letter_of("en", asked, 3);
    has(letter, "Information about you went to:\n\n1. north-mail\n");
    has(letter, "It was done by:\n\n1. north-mail\n");
    has(letter, "   It looked you up from 2 March 2026 to 4 March 2026.\n   Purpose: recall\n\n"
                "2. statlab\n\n   It looked you up on 2 April 2026.\n   Purpose: not recorded\n\n");
    letter = letter_of("en", asked + 1, 2);
    has(letter, "Nobody has received information about you");
    has(letter, "1. north-mail\n");
    lacks(letter, "your name");
    lacks(letter, "Information about you went to");
    has(letter_of("fr", asked + 2, 1), "Cet organisme vous a recherché(e) le 2 avril 2026.");
    lacks(letter_of("en", facts, sizeof facts / sizeof facts[0]), "look");
}

static void is_in_the_persons_language(void **state)
{
    const char *letter = letter_of("fr", facts, 3);
    has(letter, "1. north-mail\n   Contrat\u00a0: DPA-7\n");
    has(letter, "du 2 mars 2026 au 4 mai 2026.\n   But\u00a0: service-mail\n   - votre nom\n");
    has(letter, "le 1er juin 2026.");
    has(letter, "Adressez-vous à D. Officer, en charge de la protection"); /* no service */
    lacks(letter, "your");
}

static void nobody_is_an_answer(void **state)
{
    const char *letter = letter_of("en", NULL, 0);
    has(letter, "Nobody has received information about you");
    lacks(letter, "went to");
    lacks(letter, "1. ");
}

static void no_line_is_wider_than_a_page(void **state)
{
    static const char *const languages[] = {"en", "fr"};
    for (size_t i = 0; i < 2; i++) {
        const char *letter = letter_of(languages[i], facts, sizeof facts / sizeof facts[0]);
        for (const char *line = letter; *line != '\0'; line += strcspn(line, "\n") + 1) {
            size_t len = strcspn(line, "\n"), width = 0;
            for (size_t at = 0; at < len; at++)
                width += ((unsigned char)line[at] & 0xC0) != 0x80;
            if (width > WIDTH || (len > 0 && line[len - 1] == ' '))
                fail_msg("%zu wide: \"%.*s\"", width, (int)len, line);
        }
    }
}

static void what_was_dropped_is_said(void **state)
{
    is_cut = true;
    const char *letter = letter_of("en", NULL, 0);
    has(letter, "Nobody has received");
    has(letter, "Records from before 1 January 2026 are no longer there");
    has(letter_of("fr", NULL, 0), "avant le 1er janvier 2026 n'existent plus");
    is_cut = false;
    lacks(letter_of("en", NULL, 0), "no longer there");
}

static void phrases_that_lack_something_are_refused(void **state)
{
    struct words *words = load(SHARE "/words/en.yaml");
    struct table none;
    struct buffer out;
    struct error error = {0};
    table_init(&none, 1 << 20, columns);
    const struct access_letter letter = {
        .policy = &policy, .words = words, .phrases = words, .facts = &none};
    buffer_init(&out, LETTER_BYTES);
    assert_int_equal(access_letter_write(&letter, &out, &error), STATUS_INVALID);
    assert_string_equal(error.message, "the letter's phrases lack letter.title");
    buffer_free(&out);
    table_free(&none);
    words_free(words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_who_what_when_and_why),
        cmocka_unit_test(tells_who_asked),
        cmocka_unit_test(is_in_the_persons_language),
        cmocka_unit_test(nobody_is_an_answer),
        cmocka_unit_test(what_was_dropped_is_said),
        cmocka_unit_test(no_line_is_wider_than_a_page),
        cmocka_unit_test(phrases_that_lack_something_are_refused),
    };
    return cmocka_run_group_tests_name("cli/access_letter", tests, NULL, NULL);
}
