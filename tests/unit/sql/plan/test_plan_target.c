#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plan_fixture.h"

static void test_order_by_prefers_output_names(void **state)
{
    plan_accepts("SELECT balance AS city FROM customer ORDER BY city", "ORDER BY 1");
    plan_accepts("SELECT full_name FROM customer ORDER BY city", "ORDER BY customer.city");
    plan_accepts("SELECT full_name, city FROM customer ORDER BY 2 DESC NULLS LAST, 1",
                 "ORDER BY 2 DESC NULLS LAST, 1");
    plan_accepts("SELECT balance AS city FROM customer ORDER BY city || 'x'",
                 "(customer.city OPERATOR(||) 'x')");
    plan_refused("acme.app", "SELECT city AS a, full_name AS a FROM customer ORDER BY a", "42702",
                 "ambiguous");
    plan_accepts("SELECT city AS a, city AS a FROM customer ORDER BY a", "ORDER BY 1");
    plan_refused("acme.app", "SELECT city FROM customer ORDER BY 2", "42P10", "position 2");
    plan_refused("acme.app", "SELECT city FROM customer ORDER BY 'x'", "42601", "non-integer");
}

static void test_group_by_prefers_input_columns(void **state)
{
    plan_accepts("SELECT count(*) AS city FROM customer GROUP BY city", "GROUP BY customer.city");
    plan_accepts("SELECT upper(city) AS town, count(*) FROM customer GROUP BY town", "GROUP BY 1");
    plan_accepts("SELECT city, count(*) FROM customer GROUP BY 1", "GROUP BY 1");
    plan_accepts("SELECT upper(city) FROM customer GROUP BY city", "SELECT upper(customer.city)");
    plan_accepts("SELECT count(*) FROM customer GROUP BY upper(city) ORDER BY upper(city)",
                 "ORDER BY (upper(customer.city))");
    plan_refused("acme.app", "SELECT full_name FROM customer GROUP BY city", "42803",
                 "\"full_name\" must appear");
    plan_refused("acme.app", "SELECT *, count(*) FROM customer", "42803", "must appear");
    plan_refused("acme.app", "SELECT city FROM customer GROUP BY city ORDER BY balance", "42803",
                 "\"balance\" must appear");
    plan_refused("acme.app", "SELECT count(*) FROM customer GROUP BY 1", "42803", "not allowed");
    struct plan *plan = plan_accepted(
        "acme.app", "SELECT city, grouping(city), count(*) FROM customer GROUP BY ROLLUP (1, "
                    "(birth_date, balance))");
    plan_has(plan, "GROUP BY ROLLUP (1, (customer.birth_date, customer.balance))");
    plan_release(plan);
    plan_refused("acme.app", "SELECT city FROM customer GROUP BY CUBE (balance)", "42803",
                 "\"city\" must appear");
    plan_refused("acme.app", "SELECT grouping(city) FROM customer GROUP BY balance", "42803",
                 "GROUPING");
}

/* What each visible column is, whatever it is called. "": a constant, "?": computed. */
static void shows(const char *sql, const char *const *expected)
{
    char text[128];
    struct plan *plan = plan_accepted("acme.app", sql);
    assert_non_null(plan->visible);
    for (size_t i = 0; i < plan->visible_count; i++) {
        const struct plan_visible *visible = &plan->visible[i];
        snprintf(text, sizeof text, "%s.%s", visible->of.dataset, visible->of.column);
        if (visible->of.dataset == NULL)
            snprintf(text, sizeof text, "%s", visible->constant ? "" : "?");
        if (strcmp(text, expected[i]) != 0)
            fail_msg("column %zu of %s is \"%s\", not \"%s\"", i + 1, sql, text, expected[i]);
    }
    plan_release(plan);
}

static void test_what_a_column_shows(void **state)
{
    static const char *const renamed[] = {"customer.full_name", "customer.city", "?", "", "?"};
    shows("SELECT full_name AS n, city AS full_name, upper(city) AS city, 'x'::text AS full_name, "
          "(SELECT min(name) FROM model) AS m FROM customer",
          renamed);
    static const char *const below[] = {"customer.full_name", "?"};
    shows("SELECT a, b FROM (SELECT full_name AS a, city || '' AS b FROM customer) AS q (a, b)",
          below);
    shows("WITH w AS (SELECT full_name, coalesce(city, '') AS c FROM customer) "
          "SELECT DISTINCT w.full_name AS x, c FROM w",
          below);
    static const char *const both[] = {"?"};
    shows("SELECT city AS full_name FROM customer UNION ALL SELECT full_name FROM customer", both);
    shows("SELECT CASE WHEN city = 'x' THEN full_name END AS full_name FROM customer", both);
}

static void test_stars(void **state)
{
    struct plan *plan = plan_accepted(
        "acme.app", "SELECT m.*, v.model_id FROM vehicle v JOIN model m USING (model_id)");
    assert_int_equal(plan->visible_count, 3);
    assert_string_equal(plan->visible_names[1], "name");
    plan_release(plan);
    plan = plan_accepted("acme.app", "SELECT * FROM vehicle JOIN model USING (model_id)");
    assert_int_equal(plan->visible_count, 6);
    assert_string_equal(plan->visible_names[0], "model_id");
    assert_string_equal(plan->visible_names[1], "vehicle_id");
    assert_string_equal(plan->visible_names[5], "name");
    plan_release(plan);
    plan_refused("acme.app", "SELECT *", "42601", "no tables");
    plan_refused("acme.app", "SELECT x.* FROM model", "42P01", "\"x\"");
    plan_refused("acme.app", "SELECT count(model.*) FROM model", "0A000", "\"*\"");
}

static void test_outputs_of_one_name_stay_apart(void **state)
{
    struct plan *plan = plan_accepted(
        "acme.app", "SELECT s.* FROM (SELECT city AS a, full_name AS a FROM customer) s");
    plan_has(plan, "SELECT s.h1 AS a, s.h2 AS a");
    plan_release(plan);
    plan_refused("acme.app", "SELECT s.a FROM (SELECT city AS a, full_name AS a FROM customer) s",
                 "42702", "ambiguous");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_by_prefers_output_names),
        cmocka_unit_test(test_group_by_prefers_input_columns),
        cmocka_unit_test(test_what_a_column_shows),
        cmocka_unit_test(test_stars),
        cmocka_unit_test(test_outputs_of_one_name_stay_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
