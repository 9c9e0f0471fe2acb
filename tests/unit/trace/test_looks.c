/* What values look like, and what only nearly does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "trace/looks.h"

static const struct {
    const char *text;
    unsigned looks;
} table[] = {
    {"ann@example.org", LOOKS_EMAIL},
    {"ann@b@example.org", 0},
    {"@example.org", 0},
    {"ann@", 0},
    {"a b@example.org", 0},
    {"example.org", LOOKS_DOMAIN},
    {"a..b", 0},
    {"+44 7700 900123", LOOKS_PHONE},
    {"07700900123", LOOKS_PHONE},
    {"(01632) 960123", LOOKS_PHONE},
    {"7700900123", LOOKS_INTEGER},
    {"1234567890123456", LOOKS_INTEGER},
    {"12345678901234567890", 0},
    {"-7", LOOKS_INTEGER},
    {"007", 0},
    {"WVWZZZ1JZXW000001", LOOKS_VIN},
    {"WVWZZZ1JZXW00000I", 0},
    {"12345678901234567", LOOKS_INTEGER},
    {"AB12 CDE", LOOKS_VRM},
    {"AB12CDE", LOOKS_VRM},
    {"AB1 CDE", 0},
    {"2026-11-22", LOOKS_DATE},
    {"2026-11-01", LOOKS_DATE | LOOKS_MONTH},
    {"22/11/2026", LOOKS_DATE},
    {"2026-11-2", 0},
    {"YO1 7HH", LOOKS_POSTCODE},
    {"SW1A 1AA", LOOKS_POSTCODE},
    {"SW1A 1A", 0},
    {"t0123456789abcdef0123456789abcdef", LOOKS_TOKEN},
    {"t0123456789abcdef0123456789abcdeF", 0},
    {"0A1B2C3D-4e5f-4000-8000-000000000007", LOOKS_UUID},
    {"0A1B2C3D-4e5f-4000-8000-00000000000", 0},
    {"***", LOOKS_STARRED},
    {"***0123", LOOKS_STARRED},
    {"***\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9", LOOKS_STARRED},
    {"***01234", 0},
    {"A.", LOOKS_INITIAL},
    {"\xC3\x89.", LOOKS_INITIAL},
    {"AB.", 0},
    {"1987", LOOKS_YEAR | LOOKS_INTEGER},
    {"1799", LOOKS_INTEGER},
    {"YO", LOOKS_AREA},
    {"YOR", 0},
    {"", 0},
};

static void values_have_their_looks(void **state)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (looks_of(table[i].text) != table[i].looks)
            fail_msg("\"%s\": looks %x (%s), expected %x", table[i].text, looks_of(table[i].text),
                     looks_name(looks_of(table[i].text)), table[i].looks);
}

static void looks_have_names(void **state)
{
    assert_string_equal(looks_name(0), "");
    assert_string_equal(looks_name(LOOKS_EMAIL), "email");
    assert_string_equal(looks_name(LOOKS_DOMAIN), "domain");
    assert_string_equal(looks_name(LOOKS_MONTH | LOOKS_DATE), "date");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_have_their_looks),
        cmocka_unit_test(looks_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
