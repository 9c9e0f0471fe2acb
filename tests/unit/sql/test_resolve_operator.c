#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plan_fixture.h"

static void as(const char *expression, const char *text)
{
    char sql[300];
    snprintf(sql, sizeof sql, "SELECT %s AS x FROM enquirer", expression);
    struct plan *plan = plan_accepted("acme.app", sql);
    const char *actual = plan_text(plan);
    if (strncmp(actual + strlen("SELECT "), text, strlen(text)) != 0)
        fail_msg("%s becomes %s, not %s", expression, actual, text);
    plan_release(plan);
}

/* enquirer hides nothing, so that no guard stands around anything. */
static void test_operators_leave_qualified(void **state)
{
    struct plan *plan = plan_accepted("acme.app", "SELECT enquirer_id + 1 FROM enquirer");
    assert_non_null(strstr(plan->sql, "OPERATOR(\"pg_catalog\".+)"));
    plan_release(plan);
    as("enquirer_id + 1", "enquirer.enquirer_id OPERATOR(+) 1 AS x");
    as("- enquirer_id", "OPERATOR(-) enquirer.enquirer_id AS x");
    as("city LIKE 'a%'", "enquirer.city OPERATOR(~~) 'a%' AS x");
    as("city NOT ILIKE 'a%'", "enquirer.city OPERATOR(!~~*) 'a%' AS x");
    as("city LIKE 'a%' ESCAPE '!'", "enquirer.city OPERATOR(~~) (like_escape('a%', '!')) AS x");
    as("city OPERATOR(pg_catalog.=) 'a'", "enquirer.city OPERATOR(=) 'a' AS x");
    as("enquirer_id BETWEEN 1 AND 2", "enquirer.enquirer_id BETWEEN 1 AND 2 AS x");
    as("city IN ('a')", "enquirer.city IN ('a') AS x");
    as("NOT city = 'a'", "NOT (enquirer.city OPERATOR(=) 'a') AS x");
}

static void test_operators_refused(void **state)
{
    plan_refused("acme.app", "SELECT enquirer_id <<< 1 FROM enquirer", "42501", "<<<");
    plan_refused("acme.app", "SELECT 1 OPERATOR(public.+) 1", "42501", "+");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_operators_leave_qualified),
        cmocka_unit_test(test_operators_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
