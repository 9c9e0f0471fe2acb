/* Which grants a plan stands on, and what becomes of it when the policy is another one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "plan_fixture.h"

static const int64_t now_ns = 1790000000LL * 1000000000;

#define CUSTOMER                                                                                   \
    "      - {dataset: customer, rows: \"country = 'GB'\", columns: {customer_id: clear, "
#define VEHICLE "      - {dataset: vehicle, columns: all}\n"
#define USUAL   CUSTOMER "full_name: clear}}\n" VEHICLE

static struct model *bind_grants(const char *grants)
{
    struct model *model = NULL;
    struct error error = {0};
    if (plan_fixture_bind(plan_fixture_policy(grants), &model, &error) != STATUS_OK)
        fail_msg("%s (%s)", error.message, error.hint);
    return model;
}

static struct plan_request request_of(struct model *model, const char *sql)
{
    struct plan_request request = {.model = model,
                                   .sql = sql,
                                   .statement_bytes_limit = 16384,
                                   .statement_depth_limit = 200,
                                   .now_ns = now_ns};
    request.agent = policy_find_agent(model_policy(model), "acme.app", &request.partner);
    assert_non_null(request.agent);
    return request;
}

/* A statement that was planned on the usual grants: does it stand on those? */
static bool stands_on(const char *sql, size_t grants_used, const char *grants)
{
    struct model *was = bind_grants(USUAL), *is = bind_grants(grants);
    struct plan_request request = request_of(was, sql), then = request_of(is, sql);
    struct plan *plan = NULL;
    struct error error = {0};
    if (plan_make(&request, &plan, &error) != STATUS_OK)
        fail_msg("%s: %s (%s)", sql, error.message, error.hint);
    assert_int_equal(plan->grant_count, grants_used);
    bool stands = plan_stands(plan, &then);
    plan_release(plan);
    model_release(was);
    model_release(is);
    return stands;
}

static const char people[] = "SELECT full_name FROM customer",
                  both[] = "SELECT c.full_name FROM customer c, vehicle v, customer d "
                           "WHERE v.owner_id = c.customer_id";

static void stands_on_what_it_reads(void **state)
{
    assert_true(stands_on(people, 1, USUAL));
    assert_true(stands_on(both, 2, USUAL));
    assert_true(stands_on("SELECT 1", 0, VEHICLE));
    assert_true(stands_on(people, 1, CUSTOMER "full_name: clear}}\n"));
    assert_false(stands_on(both, 2, CUSTOMER "full_name: clear}}\n"));
    assert_false(stands_on(people, 1, VEHICLE));
}

static void counts_what_stands_in_with_and_in_conditions(void **state)
{
    static const char with[] = "WITH w AS (SELECT owner_id FROM vehicle) SELECT full_name FROM "
                               "customer WHERE customer_id IN (SELECT owner_id FROM w)";
    static const char exists[] = "SELECT full_name FROM customer c WHERE EXISTS (SELECT 1 FROM "
                                 "vehicle v WHERE v.owner_id = c.customer_id)";
    assert_false(stands_on(with, 2, CUSTOMER "full_name: clear}}\n"));
    assert_false(stands_on(exists, 2, CUSTOMER "full_name: clear}}\n"));
    assert_false(stands_on("DECLARE c CURSOR FOR SELECT registration FROM vehicle", 1,
                           CUSTOMER "full_name: clear}}\n"));
    assert_false(stands_on("COPY (SELECT registration FROM vehicle) TO STDOUT", 1,
                           CUSTOMER "full_name: clear}}\n"));
}

static void falls_with_any_change_of_its_grant(void **state)
{
    assert_false(stands_on(people, 1, CUSTOMER "full_name: initial}}\n" VEHICLE));
    assert_false(stands_on(people, 1, CUSTOMER "full_name: clear, city: clear}}\n" VEHICLE));
    assert_false(stands_on(people, 1,
                           "      - {dataset: customer, columns: {customer_id: clear, full_name: "
                           "clear}}\n" VEHICLE));
}

static void falls_when_its_grant_is_not_in_force(void **state)
{
#define TERMS(terms)                                                                               \
    "      - {dataset: customer, " terms ", rows: \"country = 'GB'\", columns: {customer_id: "     \
    "clear, full_name: clear}}\n"
    assert_true(stands_on(people, 1, TERMS("valid: {until: 2099-01-01}")));
    assert_false(stands_on(people, 1, TERMS("valid: {until: 2020-01-01}")));
    assert_false(stands_on(people, 1, TERMS("valid: {from: 2099-01-01}")));
    assert_true(stands_on(people, 1, TERMS("agent: app")));
    assert_false(stands_on(people, 1, TERMS("agent: other")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stands_on_what_it_reads),
        cmocka_unit_test(counts_what_stands_in_with_and_in_conditions),
        cmocka_unit_test(falls_with_any_change_of_its_grant),
        cmocka_unit_test(falls_when_its_grant_is_not_in_force),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
