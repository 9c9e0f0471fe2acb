#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plan_fixture.h"

static void test_fence_shows_what_is_read(void **state)
{
    struct plan *plan =
        plan_accepted("acme.app", "SELECT full_name FROM customer WHERE city = 'x'");
    plan_has(plan, "FROM (SELECT t0.full_name AS full_name, t0.city AS city, t0.customer_id AS h1, "
                   "((t0.country OPERATOR(=) 'GB') AND (NOT (t0.gone_away))) IS TRUE AS h2 FROM "
                   "crm.customer AS t0 WHERE (t0.country OPERATOR(=) 'GB') AND (NOT "
                   "(t0.gone_away))) AS customer WHERE customer.city OPERATOR(=) 'x'");
    assert_int_equal(plan->visible_count, 1);
    assert_int_equal(plan->hidden_count, 1);
    assert_int_equal(plan->fence_count, 1);
    assert_string_equal(plan_hidden_columns(&plan->hidden[0]),
                        "customer.city:clear customer.full_name:clear");
    plan_release(plan);
}

static void test_hidden_names_differ_from_plan_to_plan(void **state)
{
    struct plan *one = plan_accepted("acme.app", "SELECT full_name FROM customer");
    struct plan *two = plan_accepted("acme.app", "SELECT full_name FROM customer");
    assert_string_not_equal(one->sql, two->sql);
    char text[65536];
    snprintf(text, sizeof text, "%s", plan_text(one));
    assert_string_equal(text, plan_text(two));
    plan_release(one);
    plan_release(two);
}

static void test_star_means_granted_columns(void **state)
{
    struct plan *plan = plan_accepted("acme.app", "SELECT * FROM customer");
    assert_int_equal(plan->visible_count, 6);
    assert_string_equal(plan->visible_names[0], "customer_id");
    assert_string_equal(plan->visible_names[5], "balance");
    plan_has_not(plan, "email");
    plan_has_not(plan, "postcode");
    plan_release(plan);
}

static void test_hops_join_inside_the_fence(void **state)
{
    struct plan *plan = plan_accepted("acme.app", "SELECT part FROM service_line");
    plan_has(plan, "FROM ((crm.service_line AS t0 JOIN crm.service_visit AS t1 ON (t1.visit_id "
                   "OPERATOR(=) t0.visit_id)) JOIN crm.vehicle AS t2 ON (t2.vehicle_id "
                   "OPERATOR(=) t1.vehicle_id)) WHERE t2.owner_id IS NOT NULL");
    plan_has(plan, "t2.owner_id AS h1, ((t2.owner_id IS NOT NULL) AND (t1.visit_id OPERATOR(=) "
                   "t0.visit_id) AND (t2.vehicle_id OPERATOR(=) t1.vehicle_id)) IS TRUE AS h2");
    plan_release(plan);
}

static void test_rows_about_nobody_stay_where_the_policy_says(void **state)
{
    struct plan *plan = plan_accepted("acme.app", "SELECT registration FROM stock");
    plan_has(plan, "(SELECT t0.registration AS registration, t0.owner_id AS h1 FROM crm.vehicle AS "
                   "t0) AS stock");
    assert_int_equal(plan->hidden[0].when_null, POLICY_NULL_NONE);
    plan_release(plan);
    plan = plan_accepted("acme.app", "SELECT 1 FROM model");
    assert_int_equal(plan->hidden_count, 0);
    assert_int_equal(plan->fence_count, 1);
    plan_has(plan, "(SELECT 1 AS h1 FROM crm.model AS t0) AS model");
    plan_release(plan);
}

static void test_what_is_not_granted_has_one_message(void **state)
{
    plan_refused("acme.app", "SELECT 1 FROM nothing", "42P01",
                 "dataset \"nothing\" is not granted to partner \"acme\"");
    plan_refused("counts.app", "SELECT 1 FROM enquirer", "42P01",
                 "dataset \"enquirer\" is not granted to partner \"counts\"");
    plan_refused("acme.app", "SELECT 1 FROM crm.customer", "42P01", "schema \"crm\"");
    plan_refused("acme.app", "SELECT 1 FROM pg_catalog.pg_statistic", "42501", "not available");
    plan_refused("acme.app", "SELECT 1 FROM pg_authid", "42P01", "not granted");
    plan_refused("acme.app", "SELECT 1 FROM ONLY customer", "0A000", "ONLY");
    plan_refused("acme.app", "SELECT 1 FROM other.public.customer", "0A000", "other databases");
    plan_release(plan_accepted("acme.app", "SELECT 1 FROM public.customer"));
}

static void test_tokens_of_one_domain_join_on_raw_values(void **state)
{
    struct plan *plan = plan_accepted(
        "tokens.app",
        "SELECT c.customer_id FROM customer c JOIN vehicle v ON v.owner_id = c.customer_id");
    plan_has(plan, "ON (v.h3 OPERATOR(=) c.h2)");
    plan_has(plan, "t0.customer_id AS h2");
    assert_int_equal(plan->secret_count, 2);
    assert_string_equal(plan->secrets[0].domain, "kind:customer");
    plan_release(plan);
    /* Through a sub-select, and along a hop. */
    plan = plan_accepted("tokens.app", "SELECT s.o FROM (SELECT owner_id AS o FROM vehicle) s JOIN "
                                       "customer c ON c.customer_id = s.o");
    plan_has(plan, "OPERATOR(=) s.h");
    plan_release(plan);
    plan =
        plan_accepted("tokens.app", "SELECT s.visit_id FROM vehicle v JOIN service_visit s USING "
                                    "(vehicle_id)");
    plan_has(plan, "ON (v.h");
    assert_string_equal(plan->secrets[0].domain, "vehicle.vehicle_id");
    plan_release(plan);
    /* Different domains: texts are compared, and differ. */
    plan =
        plan_accepted("tokens.app", "SELECT 1 FROM customer c JOIN customer d ON c.customer_id = "
                                    "d.full_name");
    plan_has(plan, "ON (c.customer_id OPERATOR(=) d.full_name)");
    plan_release(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fence_shows_what_is_read),
        cmocka_unit_test(test_hidden_names_differ_from_plan_to_plan),
        cmocka_unit_test(test_star_means_granted_columns),
        cmocka_unit_test(test_hops_join_inside_the_fence),
        cmocka_unit_test(test_rows_about_nobody_stay_where_the_policy_says),
        cmocka_unit_test(test_what_is_not_granted_has_one_message),
        cmocka_unit_test(test_tokens_of_one_domain_join_on_raw_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
