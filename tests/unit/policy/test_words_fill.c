/* Texts with names in braces, and the days of the year in two languages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/clock.h"
#include "fixture.h"
#include "policy/words.h"

static void filled_is(const char *text, const char *want)
{
    static const char *const names[] = {"day", "d", "empty", NULL};
    static const char *const values[] = {"12", "{d}", "", NULL};
    struct buffer out;
    buffer_init(&out, 256);
    words_fill(&out, text, names, values);
    const char *got = buffer_text(&out);
    if (strcmp(got, want) != 0)
        fail_msg("\"%s\" became \"%s\", expected \"%s\"", text, got, want);
    buffer_free(&out);
}

static void names_are_filled_in_once(void **state)
{
    filled_is("on {day}.", "on 12.");
    filled_is("{d}{day}{empty}{d}", "{d}12{d}");
    filled_is("{other} {day", "{other} {day");
    filled_is("{{day}} { day } {", "{12} { day } {");
    filled_is("", "");
}

static void day_is(const struct words *words, const char *instant, const char *want)
{
    struct buffer out;
    int64_t time_ns;
    buffer_init(&out, 256);
    assert_int_equal(clock_parse(instant, &time_ns, NULL), STATUS_OK);
    assert_int_equal(words_date(words, time_ns, &out, NULL), STATUS_OK);
    assert_string_equal(buffer_text(&out), want);
    buffer_free(&out);
}

static struct words *load(const char *path)
{
    struct words *words = NULL;
    struct error error = {0};
    if (words_load(path, &words, &error) != STATUS_OK)
        fail_msg("%s: %s", path, error.message);
    return words;
}

static void days_are_those_of_the_languages_zone(void **state)
{
    struct words *english = load(SHARE "/words/en.yaml"), *french = load(SHARE "/words/fr.yaml");
    day_is(english, "2026-08-31T22:30:00Z", "31 August 2026");
    day_is(french, "2026-08-31T22:30:00Z", "1er septembre 2026");
    day_is(english, "2026-08-31T23:00:00Z", "1 September 2026");
    day_is(french, "2026-12-31T22:59:59Z", "31 décembre 2026");
    words_free(english);
    words_free(french);
}

static void words_without_dates_say_so(void **state)
{
    struct words *words = load(fixture_write("a:\n  b: c\n"));
    struct buffer out;
    buffer_init(&out, 256);
    assert_int_equal(words_date(words, 0, &out, NULL), STATUS_INVALID);
    buffer_free(&out);
    words_free(words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_filled_in_once),
        cmocka_unit_test(days_are_those_of_the_languages_zone),
        cmocka_unit_test(words_without_dates_say_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
