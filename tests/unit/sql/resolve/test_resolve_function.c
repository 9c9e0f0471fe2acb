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

static void says(const char *call, const char *hint)
{
    char sql[300];
    struct plan *plan;
    struct error error = {0};
    snprintf(sql, sizeof sql, "SELECT %s", call);
    assert_int_not_equal(plan_fixture_make("acme.app", sql, NULL, 0, &plan, &error), STATUS_OK);
    if (strstr(error.hint, hint) == NULL)
        fail_msg("%s: \"%s\", not \"%s\"", call, error.hint, hint);
}

static void test_refusals_say_why(void **state)
{
    says("dblink('a')", "another server");
    says("pg_read_file('a')", "files");
    says("pg_sleep(1)", "busy");
    says("setseed(1)", "random() is allowed");
    says("clock_timestamp()", "now()");
    says("lowr('a')", "Did you mean lower?");
}

static void test_lengths_are_small_literals(void **state)
{
    has("repeat(city, 3)", "repeat(enquirer.city, 3)");
    has("lpad(city, 10, '0')", "lpad(enquirer.city, 10, '0')");
    has("format('%s-%10s', city, 1)", "format('%s-%10s', enquirer.city, 1)");
    refused("repeat(city, 100000)", "42501", "not bounded");
    refused("repeat(city, enquirer_id::int4)", "42501", "not bounded");
    refused("rpad(city, 1000 * 1000)", "42501", "not bounded");
    refused("format('%1000s', city)", "42501", "not bounded");
    refused("format('%*s', 1000, city)", "42501", "not bounded");
    refused("format(city)", "42501", "not bounded");
    refused("format(VARIADIC ARRAY['%s'])", "42501", "not bounded");
}

/* A set of keys that is computed beside the query must not roll the dice again. */
static void test_random_stands_on_top_alone(void **state)
{
    has("random()", "random()");
    has("gen_random_uuid() AS id, city", "gen_random_uuid() AS id");
    struct plan *plan =
        plan_accepted("acme.app", "SELECT city FROM enquirer ORDER BY random() LIMIT 5");
    plan_has(plan, "ORDER BY (random()) LIMIT 5");
    plan_release(plan);
    plan_refused("acme.app", "SELECT city FROM enquirer WHERE random() < 0.5", "0A000",
                 "disclosed");
    plan_refused("acme.app", "SELECT 1 FROM enquirer a JOIN enquirer b ON random() < 0.5", "0A000",
                 "disclosed");
    plan_refused("acme.app", "SELECT 1 FROM (SELECT city FROM enquirer ORDER BY random()) s",
                 "0A000", "disclosed");
    plan_refused("acme.app", "SELECT random(), count(*) FROM enquirer GROUP BY 1", "0A000",
                 "disclosed");
    plan_refused("acme.app", "SELECT (SELECT city FROM enquirer ORDER BY random() LIMIT 1)",
                 "0A000", "disclosed");
    plan_refused("acme.app", "SELECT random() IN (SELECT enquirer_id FROM enquirer)", "0A000",
                 "disclosed");
}

static void test_sets_of_rows(void **state)
{
    has("unnest(string_to_array(city, ','))", "unnest(string_to_array(enquirer.city, ','))");
    has("generate_series(1, 3)::text", "generate_series(1, 3)");
    struct plan *plan = plan_accepted(
        "acme.app", "SELECT unnest(string_to_array(city, ',')), count(*) FROM customer GROUP BY 1");
    plan_has(plan, "unnest(CASE WHEN (customer.h");
    assert_false(plan->statistic);
    plan_release(plan);
    plan = plan_accepted("acme.app", "SELECT count(*) FROM (SELECT generate_series(1, 3 * "
                                     "mileage) FROM vehicle) s");
    assert_false(plan->statistic);
    plan_release(plan);
    plan = plan_accepted("acme.app", "SELECT generate_series(1, balance) FROM customer");
    plan_has_not(plan, "CASE WHEN");
    plan_release(plan);
    plan_refused("acme.app", "SELECT unnest(string_to_array(city, ','))::int4 FROM customer",
                 "0A000", "may fail");
    refused("count(generate_series(1, 2))", "0A000", "set of rows");
    refused("coalesce(generate_series(1, 2), 1)", "0A000", "set of rows");
    refused("CASE WHEN true THEN generate_series(1, 2) END", "0A000", "set of rows");
    plan_refused("acme.app", "SELECT 1 FROM enquirer WHERE generate_series(1, 2) = 1", "0A000",
                 "set of rows");
}

static void test_arguments_by_name(void **state)
{
    has("make_interval(days => 10)", "make_interval(days => 10)");
    has("concat_ws(',', VARIADIC ARRAY[city])", "concat_ws(',', VARIADIC ARRAY[enquirer.city])");
    struct plan *plan = plan_accepted(
        "acme.app", "SELECT 1 FROM customer WHERE make_interval(days => balance) > '1 day'");
    plan_has(plan, "CASE WHEN");
    plan_release(plan);
    refused("max(x => city)", "0A000", "arguments");
}

static void test_literals_fail_before_any_row(void **state)
{
    struct plan *plan = plan_accepted(
        "acme.app", "SELECT 1 FROM customer WHERE INTERVAL '1' YEAR > interval(3) '1 day'");
    plan_has(plan, "(CAST('1' AS interval(4))) OPERATOR(>) (CAST('1 day' AS interval(32767, 3)))");
    plan_release(plan);
    plan = plan_accepted("acme.app", "SELECT 1 FROM customer WHERE balance::numeric(4, 1) < 1");
    plan_has(plan, "CASE WHEN");
    plan_release(plan);
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
    refused("1.5::numeric(length(city))", "42601", "constants");
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
        cmocka_unit_test(test_refusals_say_why),
        cmocka_unit_test(test_lengths_are_small_literals),
        cmocka_unit_test(test_random_stands_on_top_alone),
        cmocka_unit_test(test_sets_of_rows),
        cmocka_unit_test(test_arguments_by_name),
        cmocka_unit_test(test_literals_fail_before_any_row),
        cmocka_unit_test(test_casts),
        cmocka_unit_test(test_aggregates_where_they_may_stand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
