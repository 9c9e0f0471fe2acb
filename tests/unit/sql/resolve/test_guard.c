#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plan_fixture.h"

static void test_total_conditions_are_not_guarded(void **state)
{
    static const char *const conditions[] = {
        "customer_id = 5",          "customer_id = $1",         "city LIKE 'a%'",
        "balance IS NULL",          "city IN ('a', 'b')",       "customer_id = ANY ($1)",
        "NOT (balance > 3)",        "balance BETWEEN 1 AND $1", "city IS DISTINCT FROM full_name",
        "coalesce(balance, 0) = 1",
    };
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++) {
        char sql[200];
        snprintf(sql, sizeof sql, "SELECT city FROM customer WHERE %s", conditions[i]);
        plan_accepts_without(sql, "IS NOT FALSE");
    }
}

static void test_what_may_fail_is_guarded_where_it_is_written(void **state)
{
    plan_accepts(
        "SELECT 1 / balance FROM customer",
        "SELECT CASE WHEN (customer.h1 IS NOT FALSE) THEN (1 OPERATOR(/) customer.balance) END");
    plan_accepts(
        "SELECT city FROM customer WHERE phone::int4 > 3",
        "WHERE (CASE WHEN (customer.h2 IS NOT FALSE) THEN (CAST(customer.phone AS int4)) END) "
        "OPERATOR(>) 3");
    plan_accepts(
        "SELECT city FROM customer ORDER BY balance + 1",
        "ORDER BY (CASE WHEN (customer.h2 IS NOT FALSE) THEN (customer.balance OPERATOR(+) 1) "
        "END)");
    plan_accepts(
        "SELECT sum(balance + 1) FROM customer",
        "sum(CASE WHEN (customer.h1 IS NOT FALSE) THEN (customer.balance OPERATOR(+) 1) END)");
    plan_accepts(
        "SELECT city FROM customer WHERE city LIKE $1",
        "WHERE CASE WHEN (customer.h2 IS NOT FALSE) THEN (customer.city OPERATOR(~~) $1) END");
    plan_accepts("SELECT city FROM customer WHERE city LIKE 'a\\'",
                 "WHERE CASE WHEN (customer.h2 IS NOT FALSE) THEN");
}

static void test_join_operands_are_guarded_apart(void **state)
{
    plan_accepts(
        "SELECT 1 FROM customer a JOIN vehicle b ON a.balance + 1 = b.mileage - 1",
        "ON ((CASE WHEN (a.h3 IS NOT FALSE) THEN (a.balance OPERATOR(+) 1) END) OPERATOR(=) "
        "(CASE WHEN (b.h4 IS NOT FALSE) THEN (b.mileage OPERATOR(-) 1) END))");
}

/* Guarded as a whole it would be nothing that FULL JOIN can join by. */
static void test_an_equality_of_unknown_types_is_guarded_on_both_sides(void **state)
{
    static const char join[] =
        "SELECT 1 FROM (SELECT mode() WITHIN GROUP (ORDER BY balance) AS m FROM customer GROUP BY "
        "city) a FULL JOIN vehicle b ON a.m = b.mileage";
    plan_accepts(join, " IS NOT FALSE) THEN a.m END) OPERATOR(=) (CASE WHEN (b.h");
    plan_accepts(join, " IS NOT FALSE) THEN b.mileage END))");
    plan_accepts(
        "SELECT 1 FROM (SELECT mode() WITHIN GROUP (ORDER BY balance) AS m, min(city) AS c "
        "FROM customer GROUP BY city) a WHERE a.m = length(a.c)",
        " IS NOT FALSE) THEN (a.m OPERATOR(=) (length(a.c))) END");
}

static void test_under_or_a_guard_takes_the_policies_of_all(void **state)
{
    plan_accepts("SELECT 1 FROM customer a, vehicle b WHERE a.city = 'x' OR 1 / b.mileage = 1",
                 "OR ((CASE WHEN ((a.h3 IS NOT FALSE) AND (b.h4 IS NOT FALSE)) THEN (1 OPERATOR(/) "
                 "b.mileage) END) OPERATOR(=) 1)");
    plan_accepts("SELECT 1 FROM customer a WHERE a.city = 'x' OR 1 / $1 = 1",
                 "OR ((CASE WHEN (a.h2 IS NOT FALSE) THEN (1 OPERATOR(/) $1) END) OPERATOR(=) 1)");
    plan_accepts("SELECT 1 FROM customer a, vehicle b WHERE a.city = 'x' AND 1 / b.mileage = 1",
                 "AND ((CASE WHEN (b.h4 IS NOT FALSE) THEN (1 OPERATOR(/) b.mileage) END)");
}

static void test_sub_selects_carry_the_policy(void **state)
{
    plan_accepts("SELECT s.x / 2 FROM (SELECT balance AS x FROM customer) s",
                 "SELECT CASE WHEN (s.h1 IS NOT FALSE) THEN (s.x OPERATOR(/) 2) END");
    plan_accepts("SELECT s.x / 2 FROM (SELECT balance AS x FROM customer) s",
                 "customer.h3 IS NOT FALSE AS h1 FROM");
    plan_accepts(
        "SELECT s.x / 2 FROM (SELECT city, max(balance) AS x FROM customer GROUP BY city) s",
        "(bool_and(customer.h4)) IS NOT FALSE AS h1 FROM");
}

static void test_groups_stay_equal_and_what_is_above_is_guarded(void **state)
{
    plan_accepts(
        "SELECT balance / 10, count(*) FROM customer GROUP BY balance / 10",
        "GROUP BY CASE WHEN (customer.h1 IS NOT FALSE) THEN (customer.balance OPERATOR(/) 10) "
        "END");
    plan_accepts(
        "SELECT balance / 10 + 1 FROM customer GROUP BY balance / 10",
        "SELECT CASE WHEN ((bool_and(customer.h1)) IS NOT FALSE) THEN ((CASE WHEN (customer.h1 "
        "IS NOT FALSE) THEN (customer.balance OPERATOR(/) 10) END) OPERATOR(+) 1) END");
}

static void test_fences_that_hide_nothing_need_no_guard(void **state)
{
    plan_accepts_without("SELECT length(name) / 2 FROM model", "IS NOT FALSE");
    plan_accepts_without("SELECT enquirer_id / 2 FROM enquirer", "IS NOT FALSE");
}

/* It sees groups of visible rows; only for which rows around it runs may be a secret. */
static void test_a_filter_of_a_window_above_groups(void **state)
{
    plan_accepts(
        "SELECT city, sum(count(*)) FILTER (WHERE 10 / length(city) > 1) OVER () FROM customer "
        "GROUP BY city",
        "FILTER (WHERE (10 OPERATOR(/) (length(customer.city))) OPERATOR(>) 1) OVER ()");
    plan_accepts(
        "SELECT a.city, x.n FROM customer a, LATERAL (SELECT b.model_id, count(*) FILTER (WHERE "
        "10 / b.model_id > a.balance) OVER () AS n FROM vehicle b GROUP BY b.model_id) x",
        "FILTER (WHERE CASE WHEN (a.h");
    plan_accepts("SELECT city, count(*) FILTER (WHERE 10 / balance > 1) OVER () FROM customer",
                 "FILTER (WHERE (CASE WHEN (customer.h");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_total_conditions_are_not_guarded),
        cmocka_unit_test(test_what_may_fail_is_guarded_where_it_is_written),
        cmocka_unit_test(test_join_operands_are_guarded_apart),
        cmocka_unit_test(test_an_equality_of_unknown_types_is_guarded_on_both_sides),
        cmocka_unit_test(test_a_filter_of_a_window_above_groups),
        cmocka_unit_test(test_under_or_a_guard_takes_the_policies_of_all),
        cmocka_unit_test(test_sub_selects_carry_the_policy),
        cmocka_unit_test(test_groups_stay_equal_and_what_is_above_is_guarded),
        cmocka_unit_test(test_fences_that_hide_nothing_need_no_guard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
