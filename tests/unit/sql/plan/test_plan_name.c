#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plan_fixture.h"

static void named(const char *expression, const char *name)
{
    char sql[200];
    snprintf(sql, sizeof sql, "SELECT %s FROM customer", expression);
    struct plan *plan = plan_accepted("acme.app", sql);
    if (strcmp(plan->visible_names[0], name) != 0)
        fail_msg("%s is called %s, not %s", expression, plan->visible_names[0], name);
    plan_release(plan);
}

/* As PostgreSQL 15 answers. */
static void test_names(void **state)
{
    named("city", "city");
    named("customer.city", "city");
    named("city AS town", "town");
    named("1", "?column?");
    named("balance + 1", "?column?");
    named("upper(city)", "upper");
    named("balance::text", "balance");
    named("'5'::int", "int4");
    named("(1 + 1)::bigint", "int8");
    named("CASE WHEN true THEN 1 END", "case");
    named("CASE WHEN true THEN 1 ELSE balance END", "balance");
    named("coalesce(city, 'x')", "coalesce");
    named("greatest(balance, 1)", "greatest");
    named("least(balance, 1)", "least");
    named("nullif(balance, 1)", "nullif");
    named("extract(year FROM now())", "extract");
    named("trim(city)", "btrim");
    named("ARRAY[1]", "array");
    named("current_date", "current_date");
    named("current_user", "current_user");
    named("version()", "version");
    named("true", "?column?");
    named("NULL", "?column?");
    named("city IS NULL", "?column?");
    named("city = 'x' AND true", "?column?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
