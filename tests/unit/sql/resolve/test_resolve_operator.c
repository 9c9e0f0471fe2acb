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

static void condition(const char *text, bool guarded)
{
    char sql[300];
    snprintf(sql, sizeof sql, "SELECT 1 FROM customer c WHERE %s", text);
    struct plan *plan = plan_accepted("acme.app", sql);
    if ((strstr(plan->sql, "CASE WHEN") != NULL) != guarded)
        fail_msg("%s is %s: %s", text, guarded ? "not guarded" : "guarded", plan_text(plan));
    plan_release(plan);
}

static void test_patterns_are_total_where_they_are_well_formed(void **state)
{
    condition("c.city LIKE 'a%'", false);
    condition("c.city LIKE 'a!%' ESCAPE '!'", false);
    condition("c.city NOT ILIKE 'a\\' ESCAPE '!'", false);
    condition("c.city LIKE 'a\\' ESCAPE ''", false);
    condition("c.city LIKE 'a!' ESCAPE '!'", true);
    condition("c.city LIKE 'a' ESCAPE 'xy'", true);
    condition("c.city LIKE 'a' ESCAPE c.full_name", true);
    condition("c.city LIKE c.full_name", true);
    condition("(1 / c.balance)::text LIKE 'a!%' ESCAPE '!'", true);
    condition("c.city SIMILAR TO 'a'", true);
    condition("c.city NOT SIMILAR TO 'a' ESCAPE '!'", true);
    as("city SIMILAR TO 'a' ESCAPE '!'", "enquirer.city SIMILAR TO 'a' ESCAPE '!' AS x");
}

static void test_what_comes_out_is_known(void **state)
{
    condition("(ARRAY[1] || c.balance) = ARRAY[1]", true);
    condition("c.balance BETWEEN SYMMETRIC 2 AND 1", false);
    condition("c.balance = ANY (ARRAY[1, 2])", false);
    condition("c.balance <> ALL ('{1,2}'::int4[])", false);
    condition("c.city = ANY (ARRAY[ARRAY[c.city], ARRAY['b']])", true);
    condition("date '2000-01-01' <@ daterange('2000-01-01', '2001-01-01')", false);
    condition("date '2000-01-01' <@ '[2000-01-01,2001-01-01)'::daterange", false);
    condition("'{\"a\": 1}'::jsonb @> to_jsonb(c.balance)", true);
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
        cmocka_unit_test(test_patterns_are_total_where_they_are_well_formed),
        cmocka_unit_test(test_what_comes_out_is_known),
        cmocka_unit_test(test_operators_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
