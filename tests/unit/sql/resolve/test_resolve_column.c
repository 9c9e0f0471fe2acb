#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plan_fixture.h"

static void test_names(void **state)
{
    plan_release(plan_accepted("acme.app", "SELECT city FROM customer"));
    plan_release(plan_accepted("acme.app", "SELECT c.city FROM customer c"));
    plan_release(plan_accepted("acme.app", "SELECT public.customer.city FROM customer"));
    plan_refused("acme.app", "SELECT customer.city FROM customer c", "42P01", "\"customer\"");
    plan_refused("acme.app", "SELECT public.c.city FROM customer c", "42P01", "\"c\"");
    plan_refused("acme.app", "SELECT crm.customer.city FROM customer", "42P01", "\"customer\"");
    plan_refused("acme.app", "SELECT city FROM customer, enquirer", "42702", "ambiguous");
    plan_refused("acme.app", "SELECT a.b.c.d.e", "42703", "three parts");
}

/* What is not granted and what does not exist read the same. */
static void test_unknown_and_ungranted(void **state)
{
    struct plan *plan = NULL;
    struct error error = {0};
    static const char *const columns[] = {"email", "nothing",  "ctid",
                                          "xmin",  "tableoid", "country"};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        char sql[100], message[100];
        snprintf(sql, sizeof sql, "SELECT %s FROM customer", columns[i]);
        snprintf(message, sizeof message, "column \"%s\" does not exist or is not granted",
                 columns[i]);
        plan_refused("acme.app", sql, "42703", message);
        (void)plan_fixture_make("acme.app", sql, NULL, 0, &plan, &error);
        assert_string_equal(error.hint,
                            "There are: customer_id, full_name, phone, birth_date, city, balance");
    }
}

static void test_whole_rows(void **state)
{
    static const char *const refused[] = {
        "SELECT customer FROM customer",
        "SELECT c FROM customer AS c",
        "SELECT count(c) FROM customer AS c",
        "SELECT c::text FROM customer AS c",
        "SELECT 1 FROM customer AS c WHERE c IS NOT NULL",
        "SELECT 1 FROM customer AS c ORDER BY c",
        "SELECT s FROM (SELECT city FROM customer) s",
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        plan_refused("acme.app", refused[i], "42501", "whole row");
    plan_refused("acme.app", "SELECT row_to_json(c) FROM customer c", "42501", "");
    plan_refused("acme.app", "SELECT (c).city FROM customer c", "42501", "whole row");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_unknown_and_ungranted),
        cmocka_unit_test(test_whole_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
