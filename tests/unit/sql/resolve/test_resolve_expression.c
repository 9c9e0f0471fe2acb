/* Rows, subscripts and collations: what they become, and that each is guarded where some value
 * makes it fail, and only there. customer hides rows; a guard shows as CASE WHEN. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plan_fixture.h"

static struct plan *condition(const char *text)
{
    char sql[400];
    snprintf(sql, sizeof sql, "SELECT c.city FROM customer c WHERE %s", text);
    return plan_accepted("acme.app", sql);
}

static void becomes(const char *text, const char *part)
{
    struct plan *plan = condition(text);
    plan_has(plan, part);
    plan_release(plan);
}

static void is_total(const char *text)
{
    struct plan *plan = condition(text);
    plan_has_not(plan, "CASE WHEN");
    plan_release(plan);
}

static void is_guarded(const char *text)
{
    struct plan *plan = condition(text);
    plan_has(plan, "CASE WHEN");
    plan_release(plan);
}

static void test_rows_are_compared_member_by_member(void **state)
{
    becomes("(c.city, c.balance) = ('a', 1)",
            "WHERE (c.city OPERATOR(=) 'a') AND (c.balance OPERATOR(=) 1)");
    becomes("(c.city, c.balance) <> ('a', 1)",
            "WHERE (c.city OPERATOR(<>) 'a') OR (c.balance OPERATOR(<>) 1)");
    becomes(
        "(c.city, c.balance) IN (('a', 1), ('b', 2))",
        "WHERE ((c.city OPERATOR(=) 'a') AND (c.balance OPERATOR(=) 1)) OR ((c.city OPERATOR(=) "
        "'b') AND (c.balance OPERATOR(=) 2))");
    becomes("(c.city, c.balance) NOT IN (('a', 1), ('b', 2))",
            "WHERE ((c.city OPERATOR(<>) 'a') OR (c.balance OPERATOR(<>) 1)) AND ((c.city "
            "OPERATOR(<>) 'b') OR (c.balance OPERATOR(<>) 2))");
    becomes("(c.city, c.balance) IS DISTINCT FROM ('a', 1)",
            "WHERE (c.city IS DISTINCT FROM 'a') OR (c.balance IS DISTINCT FROM 1)");
    becomes("ROW(c.city) = ROW('a')", "WHERE c.city OPERATOR(=) 'a'");
    /* records within: their NULLs are equal */
    becomes("(c.city, (c.balance, 1)) = ('a', (2, 3))", "IS NOT FALSE) THEN (((c.city, (");
    is_guarded("(c.city, (c.balance, 1)) IN (('a', (2, 3)))");
    is_guarded("(c.city, (c.balance, 1)) IS DISTINCT FROM ('a', (2, 3))");
    plan_refused("acme.app", "SELECT 1 FROM customer c WHERE (c.city, 1) = ('a', 1, 2)", "42601",
                 "unequal number");
    plan_refused("acme.app",
                 "SELECT 1 FROM customer c WHERE (c.city, 1) IN (('a', 1), ('a', 1, 2))", "42601",
                 "unequal number");
}

/* A row inside CASE would compare NULLs in another way: the guard goes around the comparison. */
static void test_rows_in_order_are_judged_by_their_members(void **state)
{
    is_total("(c.city, c.balance) < ('a', 1)");
    is_guarded("(c.city, c.balance) < ('a', $1::float8::numeric)");
    becomes("(c.city, 1 / c.balance) < ('a', 1)",
            "THEN (((c.city, 1 OPERATOR(/) c.balance)) OPERATOR(<) ");
    is_total("ROW(c.city, c.balance) IS NULL");
    is_guarded("ROW(c.city, c.balance) = c.city");
    is_guarded("greatest(ROW(c.city), ROW('a')) IS NULL");
}

static void test_subscripts(void **state)
{
    becomes("(string_to_array('a', 'b'))[1] = 'x'", "string_to_array('a', 'b'))[1]");
    is_total("(ARRAY['a', 'b'])[c.balance] = c.city");
    is_total("(ARRAY['a', 'b'])[1:c.balance] = ARRAY[c.city]");
    is_guarded("(ARRAY['a', 'b'])[c.customer_id] = c.city");
    is_guarded("(ARRAY['a', 'b'])[c.customer_id:2] = ARRAY[c.city]");
    is_guarded("(ARRAY['a', 'b'])[1:c.balance] = c.city");
    is_guarded("(ARRAY[1, 2])[1.0 * c.balance] = 1");
    is_total("('{}'::jsonb)[c.city] IS NULL");
    is_guarded("(ARRAY[1, 2])[1 / c.balance] = 1");
    is_guarded("ARRAY[ARRAY[c.balance], ARRAY[1, 2]] = ARRAY[ARRAY[1]]");
    plan_refused("acme.app", "SELECT (ROW(1, 2)).f1", "0A000", "fields");
    plan_refused("acme.app", "SELECT (ROW(1, 2)).*", "0A000", "");
    plan_refused("acme.app", "SELECT (c).city FROM customer c", "42501", "whole row");
}

static void test_collations(void **state)
{
    becomes("c.city COLLATE \"C\" < 'x'", "(c.city COLLATE C) OPERATOR(<) 'x'");
    struct plan *plan = condition("c.city COLLATE \"C\" < 'x'");
    assert_non_null(strstr(plan->sql, "COLLATE \"pg_catalog\".\"C\""));
    plan_release(plan);
    is_total("c.city COLLATE \"C\" < 'x'");
    is_total("(c.city COLLATE \"C\" < 'x') = (c.full_name COLLATE \"POSIX\" < 'y')");
    is_guarded("(c.city COLLATE \"C\")::int4 = 1");
    plan_refused("acme.app", "SELECT city COLLATE crm.\"C\" FROM customer", "42501", "collation");
    plan_refused("acme.app", "SELECT city COLLATE \"a b\" FROM customer", "42501", "collation");
}

/* What COLLATE gave a column of a sub-select is no COLLATE above it. */
static void test_a_collation_from_below_may_conflict(void **state)
{
    static const char sub[] =
        "SELECT 1 FROM (SELECT city COLLATE \"C\" AS a, full_name COLLATE \"POSIX\" AS b FROM "
        "customer) s WHERE %s";
    char sql[300];
    struct plan *plan;

    snprintf(sql, sizeof sql, sub, "s.a = s.b");
    plan = plan_accepted("acme.app", sql);
    plan_has(plan, "CASE WHEN");
    plan_release(plan);
    snprintf(sql, sizeof sql, sub, "s.a COLLATE \"C\" = s.b");
    plan = plan_accepted("acme.app", sql);
    plan_has_not(plan, "CASE WHEN");
    plan_release(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_compared_member_by_member),
        cmocka_unit_test(test_rows_in_order_are_judged_by_their_members),
        cmocka_unit_test(test_subscripts),
        cmocka_unit_test(test_collations),
        cmocka_unit_test(test_a_collation_from_below_may_conflict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
