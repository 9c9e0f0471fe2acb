#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plan_fixture.h"

static void test_rows_carry_a_key_of_each_fence(void **state)
{
    struct plan *plan =
        plan_accepted("acme.app", "SELECT e.city FROM customer c, enquirer e, model m "
                                  "WHERE c.city = e.city");
    assert_int_equal(plan->hidden_count, 2);
    assert_int_equal(plan->hidden[0].kind, 0);
    assert_int_equal(plan->hidden[1].kind, 1);
    assert_int_equal(plan->hidden[0].depth, 0);
    assert_int_equal(plan->hidden[0].grade, PLAN_GRADE_DIRECT);
    /* Nothing of the customer is selected, but the condition read the city. */
    assert_string_equal(plan_hidden_columns(&plan->hidden[0]), "customer.city:clear");
    assert_string_equal(plan_hidden_columns(&plan->hidden[1]), "enquirer.city:clear");
    assert_int_equal(plan->column_count, 2);
    assert_string_equal(plan->columns[0].dataset, "customer");
    assert_string_equal(plan->columns[0].category, "address");
    assert_int_equal(plan->fence_count, 3);
    plan_release(plan);
}

static void test_sub_selects_hand_keys_up(void **state)
{
    struct plan *plan =
        plan_accepted("acme.app", "SELECT s.x FROM (SELECT full_name AS x, phone FROM customer) s");
    plan_has(plan,
             "SELECT s.x AS x, s.h1 AS h1 FROM (SELECT customer.full_name AS x, customer.phone "
             "AS phone, customer.h1 AS h1");
    assert_string_equal(plan_hidden_columns(&plan->hidden[0]),
                        "customer.full_name:clear customer.phone:masked");
    plan_release(plan);
}

static void test_groups_carry_all_members(void **state)
{
    struct plan *plan =
        plan_accepted("acme.app", "SELECT city, max(balance) FROM customer GROUP BY "
                                  "city");
    plan_has(plan,
             "ARRAY(SELECT DISTINCT h1.h1 FROM unnest(array_agg(customer.h2)) AS h1) AS h2 FROM");
    assert_int_equal(plan->hidden[0].depth, 1);
    assert_false(plan->statistic);
    plan_release(plan);
    plan = plan_accepted("acme.app", "SELECT s.m FROM (SELECT max(balance) AS m FROM customer) s");
    assert_int_equal(plan->hidden[0].depth, 1);
    assert_false(plan->statistic);
    plan_release(plan);
    plan = plan_accepted("acme.app", "SELECT max(n) FROM (SELECT count(*) AS n FROM customer GROUP "
                                     "BY city) s");
    plan_has(plan, "array_agg(CAST(s.h1 AS text)) AS h1 FROM");
    assert_int_equal(plan->hidden[0].depth, 2);
    assert_false(plan->has_once);
    plan_release(plan);
}

/* An aggregate whose columns are all of the level around would be computed there. */
static void test_sets_over_levels_around_are_of_their_own_level(void **state)
{
    struct plan *plan = plan_accepted(
        "acme.app", "SELECT m.name FROM model m LEFT JOIN LATERAL (SELECT g.n FROM "
                    "generate_series(1, 2) g(n) WHERE EXISTS (SELECT 1 FROM vehicle v WHERE "
                    "v.model_id = m.model_id) GROUP BY g.n) q ON true");
    plan_has(plan, "FILTER (WHERE (g.n IS NOT NULL) IS NOT UNKNOWN) AS");
    plan_release(plan);
    plan = plan_accepted("acme.app", "SELECT g.n FROM generate_series(1, 2) g(n) WHERE EXISTS "
                                     "(SELECT 1 FROM vehicle v) GROUP BY g.n");
    plan_has_not(plan, "FILTER");
    plan_release(plan);
}

static void test_plain_aggregates_are_statistics(void **state)
{
    static const char *const plain[] = {
        "count(*)",
        "sum(balance)",
        "avg(balance) * 2",
        "count(DISTINCT city)",
        "sum(balance * customer_id)",
        "stddev(balance) - variance(balance)",
    };
    static const char *const others[] = {
        "max(balance)",
        "sum(balance + 1)",
        "sum(DISTINCT balance)",
        "count(coalesce(balance, 1))",
        "sum(CASE WHEN customer_id = 7 THEN balance END)",
        "string_agg(city, ',')",
        "sum(balance::numeric)",
        "count(*) + min(balance)",
    };
    char sql[200];
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        snprintf(sql, sizeof sql, "SELECT %s FROM customer", plain[i]);
        struct plan *plan = plan_accepted("acme.app", sql);
        if (!plan->statistic || plan->suppress_small || plan->min_subjects != 10)
            fail_msg("%s: statistic %d suppress %d least %u", sql, plan->statistic,
                     plan->suppress_small, plan->min_subjects);
        plan_release(plan);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        snprintf(sql, sizeof sql, "SELECT %s FROM customer", others[i]);
        struct plan *plan = plan_accepted("acme.app", sql);
        if (plan->statistic)
            fail_msg("a statistic: %s", sql);
        plan_release(plan);
        snprintf(sql, sizeof sql, "SELECT %s FROM customer", others[i]);
        plan_refused("counts.app", sql, "42501", "statistics only");
    }
}

static void test_bare_columns_are_followed_through_sub_selects(void **state)
{
    struct plan *plan =
        plan_accepted("counts.app", "SELECT avg(b) FROM (SELECT balance AS b FROM customer) s");
    assert_true(plan->statistic);
    assert_true(plan->suppress_small);
    plan_release(plan);
    /* A factor of another dataset could weigh one person with 1 and the others with 0. */
    plan_refused(
        "counts.app",
        "SELECT sum(c.balance * m.model_id) FROM customer c JOIN model m ON m.model_id = CASE "
        "WHEN c.customer_id = 't7' THEN 1 ELSE 0 END",
        "42501", "statistics only");
    plan_refused("counts.app", "SELECT avg(b) FROM (SELECT balance + 0 AS b FROM customer) s",
                 "42501", "statistics only");
}

static void test_aggregates_partners_get_nothing_else(void **state)
{
    plan_refused("counts.app", "SELECT city FROM customer", "42501", "statistics only");
    plan_refused("counts.app", "SELECT n FROM (SELECT count(*) AS n FROM customer GROUP BY city) s",
                 "42501", "sub-selects cannot group");
    plan_release(plan_accepted("counts.app", "SELECT name FROM model"));
    plan_release(plan_accepted("counts.app", "SELECT 1"));
}

static void test_values_among_nulls_need_members_of_their_own(void **state)
{
    struct plan *plan =
        plan_accepted("counts.app", "SELECT sum(balance), avg(balance), count(*) FROM customer");
    plan_has(plan,
             "FROM ROWS FROM (unnest(array_agg(customer.h4)), unnest(array_agg(customer.h5))) "
             "AS h1 (h3, h2) GROUP BY h1.h3) AS h4, ");
    plan_has(plan, "unnest(array_agg(customer.h4) FILTER (WHERE customer.balance IS NOT NULL)), "
                   "unnest(array_agg(customer.h5) FILTER (WHERE customer.balance IS NOT NULL)))");
    assert_int_equal(plan->hidden_count, 2);
    assert_false(plan->hidden[0].threshold_only);
    assert_true(plan->hidden[1].threshold_only);
    plan_release(plan);
    plan = plan_accepted("counts.app", "SELECT count(customer_id) FROM customer");
    assert_int_equal(plan->hidden_count, 1);
    plan_release(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_carry_a_key_of_each_fence),
        cmocka_unit_test(test_sub_selects_hand_keys_up),
        cmocka_unit_test(test_groups_carry_all_members),
        cmocka_unit_test(test_sets_over_levels_around_are_of_their_own_level),
        cmocka_unit_test(test_plain_aggregates_are_statistics),
        cmocka_unit_test(test_bare_columns_are_followed_through_sub_selects),
        cmocka_unit_test(test_aggregates_partners_get_nothing_else),
        cmocka_unit_test(test_values_among_nulls_need_members_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
