#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plan_fixture.h"

static void sees(const char *mask, const char *column, const char *part)
{
    char grants[300];
    struct model *model = NULL;
    struct error error = {0};
    snprintf(grants, sizeof grants, "      - {dataset: customer, columns: {%s: %s}}\n", column,
             mask);
    if (plan_fixture_bind(plan_fixture_policy(grants), &model, &error) != STATUS_OK)
        fail_msg("%s on %s: %s", mask, column, error.message);
    const struct policy_partner *partner;
    const struct policy_agent *agent = policy_find_agent(model_policy(model), "acme.app", &partner);
    struct plan_request request = {.model = model,
                                   .partner = partner,
                                   .agent = agent,
                                   .sql = "SELECT * FROM customer",
                                   .statement_bytes_limit = 16384,
                                   .statement_depth_limit = 200};
    struct plan *plan = NULL;
    if (plan_make(&request, &plan, &error) != STATUS_OK)
        fail_msg("%s on %s: %s", mask, column, error.message);
    plan_has(plan, part);
    plan_release(plan);
    model_release(model);
}

static void refuses(const char *mask, const char *column, const char *message)
{
    char grants[300];
    struct model *model = NULL;
    struct error error = {0};
    snprintf(grants, sizeof grants, "      - {dataset: customer, columns: {%s: %s}}\n", column,
             mask);
    if (plan_fixture_bind(plan_fixture_policy(grants), &model, &error) == STATUS_OK)
        fail_msg("bound: %s on %s", mask, column);
    if (strstr(error.message, message) == NULL || strstr(error.message, column) == NULL)
        fail_msg("%s on %s says \"%s\", not \"%s\"", mask, column, error.message, message);
}

static void test_built_in_masks(void **state)
{
    sees("\"null\"", "email", "CAST(NULL AS text) AS email");
    sees("redact", "created_at", "CAST('***' AS text) AS created_at");
    sees("initial", "full_name", "(left(CAST(t0.full_name AS text), 1)) OPERATOR(||) '.'");
    sees("last4", "balance", "right(CAST(t0.balance AS text), 4)");
    sees("year", "birth_date", "date_part('year', CAST(t0.birth_date AS date))");
    sees("month", "birth_date", "OPERATOR(-) ((CAST((date_part('day'");
    sees("postcode_area", "postcode", "'^ *([A-Za-z]{1,2})[0-9]'");
    sees("domain", "email", "split_part(CAST(t0.email AS text), '@', 2) AS email");
    sees("bucket(100)", "balance", "floor(CAST(t0.balance AS numeric))) OPERATOR(-) (mod(");
}

static void test_own_masks(void **state)
{
    sees("stars", "phone", "'***' OPERATOR(||) (right(t0.phone, 2)) AS phone");
    refuses("stars", "birth_date", "not immutable");
    /* A mask that may fail runs where the policy holds: here there is none. */
    sees("digits", "phone", "(CAST(t0.phone AS int4)) OPERATOR(/) 10");
}

static void test_masks_know_their_types(void **state)
{
    refuses("year", "created_at", "time zone");
    refuses("year", "full_name", "date");
    refuses("initial", "balance", "text only");
    refuses("last4", "birth_date", "whole numbers only");
    refuses("bucket(10)", "full_name", "numbers only");
    refuses("token", "gone_away", "cannot be a token");
    refuses("token", "birth_date", "cannot be a token");
}

static void test_masks_that_may_fail_are_guarded_by_the_policy(void **state)
{
    struct plan *plan = plan_accepted("acme.app", "SELECT birth_date FROM customer");
    plan_has(plan, "CASE WHEN (((t0.country OPERATOR(=) 'GB') AND (NOT (t0.gone_away))) IS TRUE) "
                   "THEN (CASE WHEN (isfinite(t0.birth_date))");
    plan_release(plan);
}

static void test_tokens(void **state)
{
    struct plan *plan =
        plan_accepted("tokens.app", "SELECT customer_id, full_name FROM customer WHERE city = $2");
    plan_has(plan, "(CAST('t' AS text)) OPERATOR(||) (left(encode(sha256((CAST($4 AS bytea)) "
                   "OPERATOR(||) (sha256((CAST($3 AS bytea)) OPERATOR(||) (int8send(CAST("
                   "t0.customer_id AS int8)))))), 'hex'), 32)) AS customer_id");
    plan_has(plan, "convert_to(CAST(t0.full_name AS text), 'UTF8')");
    assert_int_equal(plan->client_parameter_count, 2);
    assert_int_equal(plan->secret_count, 4);
    assert_string_equal(plan->secrets[0].domain, "kind:customer");
    assert_false(plan->secrets[0].outer);
    assert_true(plan->secrets[1].outer);
    assert_string_equal(plan->secrets[2].domain, "customer.full_name");
    assert_string_equal(plan_hidden_columns(&plan->hidden[0]),
                        "customer.city:clear customer.customer_id:token customer.full_name:token");
    plan_release(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_built_in_masks),
        cmocka_unit_test(test_own_masks),
        cmocka_unit_test(test_masks_know_their_types),
        cmocka_unit_test(test_masks_that_may_fail_are_guarded_by_the_policy),
        cmocka_unit_test(test_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
