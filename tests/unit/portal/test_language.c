/* Browsers' headers choose language and brand; what is none of a header chooses the default. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "portal/language.h"

static const char *const ours[] = {"en", "fr", "de"};

static void chooses(const char *header, const char *expected)
{
    size_t chosen = language_choose(header, ours, 3);
    if (ours[chosen][0] != expected[0])
        fail_msg("%s: %s, not %s", header == NULL ? "(none)" : header, ours[chosen], expected);
}

static void chooses_a_language(void **state)
{
    chooses(NULL, "en");
    chooses("", "en");
    chooses("fr", "fr");
    chooses("FR-ch", "fr");
    chooses("fr-FR,fr;q=0.9,en;q=0.8", "fr");
    chooses("en;q=0.8,fr;q=0.9", "fr");
    chooses("en; q=0.8 , fr ; q=0.9", "fr");
    chooses("it,de;q=0.5,fr;q=0.4", "de");
    chooses("fr;q=0,de;q=0.1", "de");
    chooses("en;q=0.001,fr;q=0.002", "fr");
    chooses("fra,frank", "en");
    chooses("*", "en");
    chooses("it", "en");
    chooses("fr;q=1.000,en;q=1", "fr");
    chooses(",,,;;q=,fr;q,=;,de;q=0.3", "de");
    chooses("fr;q=9", "en");
}

static void knows_hosts(void **state)
{
    assert_true(host_is("meridian.example", "meridian.example"));
    assert_true(host_is("Meridian.EXAMPLE:8443", "meridian.example"));
    assert_false(host_is("meridian.example.evil", "meridian.example"));
    assert_false(host_is("meridian", "meridian.example"));
    assert_false(host_is("", "meridian.example"));
    assert_false(host_is(NULL, "meridian.example"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chooses_a_language),
        cmocka_unit_test(knows_hosts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
