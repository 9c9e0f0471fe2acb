/* "Did you mean": slips are found, other words are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/cli.h"

static const char *const words[] = {"gateway", "check", "partner", "ledger", "cert", "subject"};
enum { COUNT = sizeof words / sizeof words[0] };

static void test_slips_are_found(void **state)
{
    (void)state;
    assert_string_equal(cli_nearest("gatway", words, COUNT), "gateway");   /* left out */
    assert_string_equal(cli_nearest("chekc", words, COUNT), "check");      /* swapped */
    assert_string_equal(cli_nearest("partnner", words, COUNT), "partner"); /* doubled */
    assert_string_equal(cli_nearest("sudject", words, COUNT), "subject");  /* another letter */
    assert_string_equal(cli_nearest("cert", words, COUNT), "cert");
}

static void test_other_words_are_not(void **state)
{
    (void)state;
    assert_null(cli_nearest("banana", words, COUNT));
    assert_null(cli_nearest("x", words, COUNT));
    assert_null(cli_nearest("", words, COUNT));
    assert_null(
        cli_nearest("a word much longer than any of the verbs that there are", words, COUNT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slips_are_found),
        cmocka_unit_test(test_other_words_are_not),
    };
    return cmocka_run_group_tests_name("cli/nearest", tests, NULL, NULL);
}
