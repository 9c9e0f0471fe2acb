/* What somebody is told who asked whether a breach affects him: that records say no, and since when
 * they do. After a retention "no" must not be said of what is in no record any more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/text.h"
#include "incident/desk_private.h"

static const int64_t day_ns = 86400LL * 1000000000;

/* The text, with blanks for line ends. */
static const char *told(const char *language, int64_t since_ns, struct arena *arena)
{
    static const char *const senders[] = {"privacy@shop.example"};
    const struct config config = {.data_folder = SHARE};
    const struct policy policy = {
        .controller = {.name = "Shop", .senders = senders, .sender_count = 1}};
    struct casework casework = {.config = &config, .policy = &policy};
    struct scope scope = {.incident = {.noticed_ns = 20800 * day_ns},
                          .ledger_first_ns = 20000 * day_ns,
                          .since_ns = since_ns};
    const struct contact_person person = {.email = "c1@mail.example", .language = language};
    struct desk_cases *cases = calloc(1, sizeof *cases);
    struct desk_texts *texts = NULL;
    struct mail_message message;
    struct error error = {0};
    assert_non_null(cases);
    cases->casework = &casework;
    cases->cases[0] = (struct desk_case){.number = 1, .scope = &scope, .partner = "Post House"};
    cases->count = 1;
    if (desk_texts_open(&casework, &texts, &error) != STATUS_OK ||
        desk_text(texts, cases, NULL, (struct desk_presence){0}, &person, language, arena, &message,
                  &error) != STATUS_OK)
        fail_msg("%s", error.message);
    char *text = arena_strdup(arena, message.text);
    assert_non_null(text);
    for (char *at = text; (at = strpbrk(at, "\r\n")) != NULL;)
        *at = ' ';
    desk_texts_close(texts);
    free(cases);
    return text;
}

static bool says(const char *text, const char *sentence)
{
    return strstr(text, sentence) != NULL;
}

static void no_is_said_since_records_begin(void **state)
{
    struct arena arena;
    arena_init(&arena, 1024 * 1024);
    const char *english = told("en", SINCE_EVER, &arena), *french = told("fr", SINCE_EVER, &arena);
    assert_true(says(english, "We have kept these records since 4 October 2024."));
    assert_true(says(french, "Nous tenons ces registres depuis le 4 octobre 2024."));
    assert_false(says(english, "no longer") || says(french, "existent plus"));
    arena_free(&arena);
}

static void of_what_was_dropped_nothing_is_said(void **state)
{
    struct arena arena;
    arena_init(&arena, 1024 * 1024);
    const int64_t cut_ns = 20000 * day_ns;
    const char *english = told("en", cut_ns, &arena), *french = told("fr", cut_ns, &arena);
    assert_true(says(english, "We no longer have records from before 4 October 2024"));
    assert_true(says(english, "cannot say from them what this company got before that day"));
    assert_true(says(french, "avant le 4 octobre 2024 n"));
    assert_true(says(french, "ne pouvons donc plus dire ce que cette"));
    assert_false(says(english, "We have kept these records") || says(french, "Nous tenons ces"));
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_is_said_since_records_begin),
        cmocka_unit_test(of_what_was_dropped_nothing_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
