#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plan_fixture.h"

static void test_nothing(void **state)
{
    static const char *const texts[] = {"", " ; ", "-- only a comment"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct plan *plan = plan_accepted("acme.app", texts[i]);
        assert_int_equal(plan->kind, PLAN_EMPTY);
        assert_null(plan->sql);
        plan_release(plan);
    }
}

static void test_one_statement_a_text(void **state)
{
    plan_refused("acme.app", "SELECT 1; SELECT 2", "0A000", "several statements");
    plan_release(plan_accepted("acme.app", "SELECT 1;"));
}

static void test_parameters_are_counted(void **state)
{
    struct plan *plan = NULL;
    struct error error = {0};
    const uint32_t types[] = {20, 0, 25};
    assert_int_equal(plan_fixture_make("tokens.app",
                                       "SELECT customer_id FROM customer WHERE city = $1", types, 3,
                                       &plan, &error),
                     STATUS_OK);
    assert_int_equal(plan->client_parameter_count, 3);
    plan_has(plan, "CAST($4 AS bytea)");
    plan_release(plan);
    plan = plan_accepted("acme.app", "SELECT $2::int4");
    assert_int_equal(plan->client_parameter_count, 2);
    plan_release(plan);
    plan_refused("acme.app", "SELECT $1001", "54000", "at most 1000");
}

static void test_limits(void **state)
{
    static char text[20000];
    memset(text, ' ', sizeof text - 1);
    memcpy(text, "SELECT 1", 8);
    plan_refused("acme.app", text, "54000", "longer than");
    size_t len = (size_t)snprintf(text, sizeof text, "SELECT ");
    for (size_t i = 0; i < 300; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "- ");
    (void)snprintf(text + len, sizeof text - len, "$1");
    plan_refused("acme.app", text, "54001", "deeper");
    len = (size_t)snprintf(text, sizeof text, "SELECT 1 FROM model m0");
    for (int i = 1; i <= 64; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, ", model m%d", i);
    plan_refused("acme.app", text, "54000", "more than 64");
}

static void test_the_gateway_answers_what_tells_of_it(void **state)
{
    struct plan *plan = plan_accepted("acme.app", "SELECT version(), current_user, session_user, "
                                                  "current_database(), current_schema(), "
                                                  "pg_is_in_recovery(), pg_catalog.version()");
    assert_string_equal(
        plan_text(plan),
        "SELECT CAST('PostgreSQL 15.18' AS text) AS version, CAST('acme.app' AS name) AS "
        "current_user, CAST('acme.app' AS name) AS session_user, CAST('cofferdam' AS name) AS "
        "current_database, CAST('public' AS name) AS current_schema, FALSE AS pg_is_in_recovery, "
        "CAST('PostgreSQL 15.18' AS text) AS version");
    assert_int_equal(plan->fence_count, 0);
    plan_release(plan);
    plan_refused("acme.app", "SELECT pg_backend_pid()", "42501", "pg_backend_pid");
    plan_refused("acme.app", "SELECT set_config('a', 'b', true)", "42501", "set_config");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_one_statement_a_text),
        cmocka_unit_test(test_parameters_are_counted),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_the_gateway_answers_what_tells_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
