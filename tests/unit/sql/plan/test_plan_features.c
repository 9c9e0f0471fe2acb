#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plan_fixture.h"

static void test_every_clause_has_its_refusal(void **state)
{
    static const struct {
        const char *sql, *message;
    } cases[] = {
        {"SELECT city INTO x FROM customer", "SELECT INTO"},
        {"SELECT city FROM customer FOR UPDATE", "FOR UPDATE"},
        {"SELECT city FROM customer FOR SHARE", "FOR SHARE"},
        {"SELECT 1 FROM customer TABLESAMPLE system (1)", "TABLESAMPLE"},
        {"SELECT city FROM customer ORDER BY city USING <", "USING"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        plan_refused("acme.app", cases[i].sql, "0A000", cases[i].message);
}

static void test_refused_below_as_above(void **state)
{
    plan_refused("acme.app", "SELECT 1 FROM (SELECT city FROM customer FOR UPDATE) s", "0A000",
                 "FOR UPDATE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_clause_has_its_refusal),
        cmocka_unit_test(test_refused_below_as_above),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
