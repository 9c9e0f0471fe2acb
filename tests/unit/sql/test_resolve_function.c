#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plan_fixture.h"

static void has(const char *expression, const char *text)
{
    char sql[300];
    snprintf(sql, sizeof sql, "SELECT %s FROM enquirer", expression);
    struct plan *plan = plan_accepted("acme.app", sql);
    plan_has(plan, text);
    plan_release(plan);
}

static void refused(const char *expression, const char *sqlstate, const char *message)
{
    char sql[300];
    snprintf(sql, sizeof sql, "SELECT %s FROM enquirer", expression);
    plan_refused("acme.app", sql, sqlstate, message);
}

static void test_functions_leave_qualified(void **state)
{
    struct plan *plan =
        plan_accepted("acme.app", "SELECT upper(city), count(*) FROM enquirer GROUP BY 1");
    assert_non_null(strstr(plan->sql, "\"pg_catalog\".\"upper\"("));
    assert_non_null(strstr(plan->sql, "\"pg_catalog\".\"count\"(*)"));
    plan_release(plan);
    has("pg_catalog.upper(city)", "upper(enquirer.city)");
    has("extract(year FROM now())", "extract('year', now())");
    has("substring(city FROM 2 FOR 1)", "substring(enquirer.city, 2, 1)");
    has("trim(both 'x' FROM city)", "btrim(enquirer.city, 'x')");
    has("current_date", "CURRENT_DATE");
}

static void test_functions_refused(void **state)
{
    refused("pg_sleep(1)", "42501", "pg_sleep");
    refused("public.upper(city)", "42501", "upper");
    refused("query_to_xml('x', true, true, '')", "42501", "query_to_xml");
    refused("set_config('a', 'b', false)", "42501", "set_config");
    refused("nextval('x')", "42501", "nextval");
    refused("lo_get(1)", "42501", "lo_get");
    refused("upper(DISTINCT city)", "42809", "not an aggregate");
    refused("count(max(city))", "42803", "aggregate's argument");
}

static void test_casts(void **state)
{
    struct plan *plan = plan_accepted("acme.app", "SELECT enquirer_id::text FROM enquirer");
    assert_non_null(
        strstr(plan->sql, "CAST(\"enquirer\".\"enquirer_id\" AS \"pg_catalog\".\"text\")"));
    plan_release(plan);
    has("enquirer_id::numeric(4, 1)", "AS numeric(4, 1))");
    has("city::varchar(3)", "AS varchar(3))");
    has("date '2020-01-01'", "CAST('2020-01-01' AS date)");
    has("$1::int[]", "CAST($1 AS int4[])");
    refused("city::regclass", "42501", "regclass");
    refused("city::xml", "42501", "xml");
    refused("city::public.text", "42501", "text");
    refused("city::crm.customer", "42501", "customer");
}

static void test_aggregates_where_they_may_stand(void **state)
{
    plan_refused("acme.app", "SELECT 1 FROM enquirer WHERE count(*) > 1", "42803", "WHERE");
    plan_refused("acme.app", "SELECT 1 FROM enquirer a JOIN enquirer b ON count(*) > 1", "42803",
                 "join condition");
    has("string_agg(city, ',' ORDER BY full_name DESC)",
        "string_agg(enquirer.city, ',' ORDER BY enquirer.full_name DESC)");
    has("count(DISTINCT city)", "count(DISTINCT enquirer.city)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_functions_leave_qualified),
        cmocka_unit_test(test_functions_refused),
        cmocka_unit_test(test_casts),
        cmocka_unit_test(test_aggregates_where_they_may_stand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
