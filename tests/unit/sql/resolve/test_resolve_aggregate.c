#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plan_fixture.h"

/* Over columns of the groups around alone: theirs, wherever it stands. */
static void test_an_aggregate_is_of_the_level_that_it_reads(void **state)
{
    plan_accepts("SELECT city, (SELECT max(c.balance)) FROM customer c GROUP BY city",
                 "(SELECT max(c.balance) AS max)");
    plan_accepts(
        "SELECT city, (SELECT m.name FROM model m WHERE m.model_id = count(c.balance)) FROM "
        "customer c GROUP BY city",
        "FROM crm.model AS t0) AS m WHERE m.model_id OPERATOR(=) (count(c.balance))");
    plan_accepts(
        "SELECT city, (SELECT max(c.balance) FROM model m LIMIT 1) FROM customer c GROUP BY "
        "city",
        " AS max FROM (SELECT 1 AS h2 FROM crm.model AS t0) AS m LIMIT 1)");
}

/* What it reads is guarded by the policy around, row by row; what it gives, by that of the group.
 */
static void test_it_is_guarded_where_its_rows_are(void **state)
{
    plan_accepts("SELECT city, (SELECT max(10 / c.balance)) FROM customer c GROUP BY city",
                 "(SELECT max(CASE WHEN (c.h");
    plan_accepts("SELECT city, (SELECT 10 / max(c.balance)) FROM customer c GROUP BY city",
                 "(SELECT CASE WHEN ((bool_and(c.h");
}

static void test_where_it_cannot_be(void **state)
{
    plan_refused("acme.app", "SELECT (SELECT max(c.balance)) FROM customer c", "0A000",
                 "columns of an outer query alone");
    plan_refused("acme.app",
                 "SELECT city FROM customer c WHERE EXISTS (SELECT 1 FROM model m WHERE m.model_id "
                 "= max(c.balance)) GROUP BY city",
                 "0A000", "columns of an outer query alone");
    plan_refused("acme.app", "SELECT sum((SELECT max(c.balance))) FROM customer c", "42803",
                 "an aggregate's argument");
    plan_refused("acme.app",
                 "SELECT city, (SELECT 1 FROM model m WHERE m.model_id = max(m.model_id)) FROM "
                 "customer c GROUP BY city",
                 "42803", "not allowed in WHERE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_aggregate_is_of_the_level_that_it_reads),
        cmocka_unit_test(test_it_is_guarded_where_its_rows_are),
        cmocka_unit_test(test_where_it_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
