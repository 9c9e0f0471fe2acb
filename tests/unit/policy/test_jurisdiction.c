/* Jurisdictions: clocks and authorities, and what a file must not leave open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"
#include "policy/jurisdiction.h"

#define HEAD        "name: x\ntitle: X\nchild_below_years: 13\n"
#define AUTHORITIES "authorities: {ico: {title: I, where: W, form: F}}\n"
#define CLOCK(more) "clocks: {one: {duty: D, source: S, " more "}}\n"

static struct jurisdiction *load(const char *path)
{
    struct jurisdiction *jurisdiction = NULL;
    struct error error = {0};
    if (jurisdiction_load(path, &jurisdiction, &error) != STATUS_OK)
        fail_msg("refused: %s (%s)", error.message, error.hint);
    return jurisdiction;
}

static void refuse(const char *text, const char *message)
{
    struct jurisdiction *jurisdiction = NULL;
    struct error error = {0};
    enum status status = jurisdiction_load(fixture_write(text), &jurisdiction, &error);
    if (status != STATUS_INVALID || strstr(error.message, message) == NULL)
        fail_msg("%s: says \"%s\", not \"%s\"\n%s", status_name(status), error.message, message,
                 text);
    assert_null(jurisdiction);
}

static void reads_clocks_and_authorities(void **state)
{
    struct jurisdiction *read = load(fixture_write(
        HEAD AUTHORITIES CLOCK("stopped_by: filing, authority: ico, limit: 4 hours")));
    assert_string_equal(read->name, "x");
    assert_int_equal(read->child_below_years, 13);
    assert_int_equal(read->authority_count, 1);
    assert_string_equal(read->authorities[0].form, "F");
    assert_int_equal(read->clock_count, 1);
    assert_string_equal(read->clocks[0].name, "one");
    assert_string_equal(read->clocks[0].authority, "ico");
    assert_int_equal(read->clocks[0].stop, JURISDICTION_STOP_FILING);
    assert_int_equal(read->clocks[0].limit_ns, 4 * 3600 * 1000000000LL);
    assert_null(read->clocks[0].note);
    assert_int_equal(strlen(read->version), 64);
    jurisdiction_free(read);
    jurisdiction_free(NULL);
}

static void limits_are_written_in_one_way(void **state)
{
    struct jurisdiction *read =
        load(fixture_write(HEAD AUTHORITIES CLOCK("stopped_by: notices, limit: 30 days")));
    assert_int_equal(read->clocks[0].limit_ns, 30 * 86400 * 1000000000LL);
    jurisdiction_free(read);
    read = load(
        fixture_write(HEAD AUTHORITIES CLOCK("stopped_by: dossier, limit: without undue delay")));
    assert_true(read->clocks[0].limit_ns == INT64_MAX);
    assert_int_equal(read->clocks[0].stop, JURISDICTION_STOP_DOSSIER);
    jurisdiction_free(read);
    static const char *const wrong[] = {"72", "72h", "0 hours", "-1 hours", "10001 days", "soon"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char text[300];
        snprintf(text, sizeof text, HEAD AUTHORITIES CLOCK("stopped_by: notices, limit: \"%s\""),
                 wrong[i]);
        refuse(text, "is not a time limit");
    }
}

static void refuses_what_is_left_open(void **state)
{
    refuse(HEAD AUTHORITIES CLOCK("stopped_by: filing, limit: 72 hours"),
           "key \"authority\" is missing");
    refuse(HEAD AUTHORITIES CLOCK("stopped_by: notices, authority: ico, limit: 72 hours"),
           "belongs to clocks that a filing stops");
    refuse(HEAD AUTHORITIES CLOCK("stopped_by: filing, authority: cnil, limit: 72 hours"),
           "there is no authority \"cnil\"");
    refuse(HEAD AUTHORITIES CLOCK("stopped_by: prayer, limit: 72 hours"), "prayer");
    refuse(HEAD AUTHORITIES CLOCK("limit: 72 hours"), "stopped_by");
    refuse(HEAD AUTHORITIES "clock: {}\n", ":5:1: ");
    refuse("name: x\n" AUTHORITIES, "title");
}

/* The two that are installed: 72 hours to the authority, no number for people. */
static void our_own_files_load(void **state)
{
    static const char *const paths[] = {SHARE "/jurisdictions/uk-gdpr.yaml",
                                        SHARE "/jurisdictions/eu-gdpr.yaml"};
    static const char *const authorities[] = {"ico", "eu"};
    for (size_t i = 0; i < 2; i++) {
        struct jurisdiction *read = load(paths[i]);
        const struct jurisdiction_clock *filing = NULL, *people = NULL;
        for (size_t c = 0; c < read->clock_count; c++) {
            if (read->clocks[c].stop == JURISDICTION_STOP_FILING)
                filing = &read->clocks[c];
            if (read->clocks[c].stop == JURISDICTION_STOP_NOTICES)
                people = &read->clocks[c];
        }
        assert_non_null(filing);
        assert_non_null(people);
        assert_string_equal(filing->authority, authorities[i]);
        assert_int_equal(filing->limit_ns, 72 * 3600 * 1000000000LL);
        assert_true(people->limit_ns == INT64_MAX);
        jurisdiction_free(read);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_clocks_and_authorities),
        cmocka_unit_test(limits_are_written_in_one_way),
        cmocka_unit_test(refuses_what_is_left_open),
        cmocka_unit_test(our_own_files_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
