#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plan_fixture.h"

static void accepts(const char *sql, const char *part, int64_t limit, int64_t offset)
{
    struct plan *plan = plan_accepted("acme.app", sql);
    const char *text = plan_text(plan), *tail = strstr(text, part);
    if (tail == NULL || plan->relay_limit != limit || plan->relay_offset != offset)
        fail_msg("%s\nas %s\nrelay %ld after %ld, not %ld after %ld, or no %s", sql, text,
                 (long)plan->relay_limit, (long)plan->relay_offset, (long)limit, (long)offset,
                 part);
    plan_release(plan);
}

static void test_rows_are_limited_upstream(void **state)
{
    accepts("SELECT city FROM customer LIMIT 5", ") AS customer LIMIT 5", -1, 0);
    accepts("SELECT city FROM customer LIMIT 5 OFFSET 3", ") AS customer LIMIT 8", -1, 3);
    accepts("SELECT city FROM customer OFFSET 3", ") AS customer", -1, 3);
    accepts("SELECT city FROM customer LIMIT $1", "LIMIT (CAST($1 AS int8))", -1, 0);
    accepts("SELECT city FROM customer LIMIT $1 OFFSET 2",
            "LIMIT ((SELECT CASE WHEN ((h3.h3 OPERATOR(>=) 0) AND (h3.h3 OPERATOR(<=) "
            "(CAST('9223372036854775805' AS int8)))) THEN (h3.h3 OPERATOR(+) 2) ELSE h3.h3 END "
            "FROM (SELECT CAST($1 AS int8) AS h3) AS h3))",
            -1, 2);
    accepts("SELECT city FROM customer LIMIT 9223372036854775807 OFFSET 5",
            "LIMIT (CAST('9223372036854775807' AS int8))", -1, 5);
    struct plan *plan = plan_accepted("acme.app", "SELECT city FROM customer LIMIT ALL");
    plan_has_not(plan, "LIMIT");
    plan_release(plan);
}

static void test_groups_are_limited_by_the_gateway(void **state)
{
    accepts("SELECT city, count(*) FROM customer GROUP BY city ORDER BY 2 LIMIT 3 OFFSET 1",
            "GROUP BY customer.city ORDER BY 2", 3, 1);
    accepts("SELECT n FROM (SELECT city, count(*) AS n FROM customer GROUP BY city) s ORDER BY n "
            "LIMIT 2",
            "AS s ORDER BY 1", 2, 0);
    struct plan *plan =
        plan_accepted("acme.app", "SELECT count(*) FROM customer GROUP BY city LIMIT 3");
    plan_has_not(plan, "LIMIT");
    plan_release(plan);
}

static void test_nobody_needs_no_gateway(void **state)
{
    accepts("SELECT name FROM model LIMIT 2 OFFSET 1", "OFFSET 1 LIMIT 2", -1, 0);
    accepts("SELECT name, count(*) FROM model GROUP BY name LIMIT $1", "LIMIT (CAST($1 AS int8))",
            -1, 0);
}

static void test_inside_a_sub_select(void **state)
{
    accepts(
        "SELECT c FROM (SELECT city AS c FROM customer ORDER BY balance LIMIT 3) s WHERE c = 'x'",
        "LIMIT 3) AS s WHERE", -1, 0);
}

/* What PostgreSQL limits by more than the rows of plain joins: all who could matter come once. */
static void test_the_input_is_recorded_where_limits_depend_on_it(void **state)
{
    static const char *const inputs[] = {
        "SELECT c FROM (SELECT city AS c FROM customer LIMIT 3) s LIMIT 1",
        "SELECT c FROM (SELECT city AS c FROM customer OFFSET 3) s",
        "SELECT n FROM (SELECT count(*) AS n FROM customer GROUP BY city LIMIT 3) s",
        "SELECT n FROM (SELECT count(*) AS n FROM customer GROUP BY city) s WHERE n > 1 LIMIT 3",
        "SELECT x FROM (SELECT n AS x FROM (SELECT count(*) AS n FROM customer GROUP BY city) s "
        "WHERE n > 1) t LIMIT 3",
        "SELECT city FROM customer OFFSET $1",
        "SELECT count(*) FROM customer GROUP BY city LIMIT $1",
        "SELECT city FROM customer ORDER BY 1 FETCH FIRST 1 ROWS WITH TIES",
        "SELECT city, count(*) FROM (SELECT city FROM customer LIMIT 3) s GROUP BY city",
    };
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        struct plan *plan = plan_accepted("acme.app", inputs[i]);
        const struct plan_hidden *last = &plan->hidden[plan->hidden_count - 1];
        if (!plan->has_once || !last->once || last->depth != 1 ||
            last->grade != PLAN_GRADE_INFLUENCE)
            fail_msg("not recorded once: %s\nas %s", inputs[i], plan_text(plan));
        plan_release(plan);
    }
    struct plan *plan = plan_accepted("acme.app", "SELECT count(*) FROM (SELECT city FROM customer "
                                                  "ORDER BY city LIMIT 3) s");
    assert_false(plan->has_once); /* who comes in does so for somebody in the set */
    plan_release(plan);
}

static void test_constants_are_computed(void **state)
{
    accepts("SELECT city FROM customer LIMIT 10 * 2 - 5 OFFSET 1 + 1", ") AS customer LIMIT 17", -1,
            2);
    accepts("SELECT city FROM customer LIMIT 5::bigint", ") AS customer LIMIT 5", -1, 0);
    accepts("SELECT city FROM customer LIMIT '5'", ") AS customer LIMIT 5", -1, 0);
    accepts("SELECT city, count(*) FROM customer GROUP BY city LIMIT 2 * 3 OFFSET (4 - 1)",
            "GROUP BY customer.city", 6, 3);
    accepts("SELECT city FROM customer LIMIT 2147483647 + 1",
            "LIMIT (CAST((2147483647 OPERATOR(+) 1) AS int8))", -1, 0);
    accepts("SELECT city FROM customer LIMIT 100000::smallint",
            "LIMIT (CAST((CAST(100000 AS int2)) AS int8))", -1, 0);
    struct plan *plan = plan_accepted("acme.app", "SELECT city FROM customer LIMIT NULL::int");
    plan_has_not(plan, "LIMIT");
    plan_release(plan);
}

static void test_what_reads_no_rows_is_left_to_the_database(void **state)
{
    accepts("SELECT city FROM customer LIMIT $1::int", "LIMIT (CAST((CAST($1 AS int4)) AS int8))",
            -1, 0);
    accepts("SELECT city FROM customer LIMIT $1::int * 2 OFFSET 3",
            "THEN (h3.h3 OPERATOR(+) 3) ELSE h3.h3 END "
            "FROM (SELECT CAST(((CAST($1 AS int4)) OPERATOR(*) 2) AS int8) AS h3) AS h3))",
            -1, 3);
    accepts("SELECT city FROM customer LIMIT (SELECT 5)", "LIMIT (CAST(((SELECT 5 AS ", -1, 0);
    accepts("SELECT city FROM customer ORDER BY 1 FETCH FIRST ($1 + 1) ROWS WITH TIES",
            "FETCH FIRST (CAST(($1 OPERATOR(+) 1) AS int8)) ROWS WITH TIES", -1, 0);
    /* No guard of what is inside may name the rows that are limited. */
    accepts("SELECT city FROM customer LIMIT (SELECT count(*) FROM model WHERE 1 / $1 = 1)",
            "WHERE (1 OPERATOR(/) $1) OPERATOR(=) 1)", -1, 0);
    struct plan *plan = plan_accepted("acme.app", "SELECT name FROM model LIMIT (SELECT 5)");
    assert_int_equal(plan->hidden_count, 0);
    plan_release(plan);
}

/* Whoever is counted decides which rows there are. */
static void test_what_a_limit_counts_is_recorded(void **state)
{
    struct plan *plan = plan_accepted(
        "acme.app",
        "SELECT name FROM model LIMIT (SELECT count(*) FROM customer WHERE city = 'x')");
    assert_int_equal(plan->hidden_count, 1);
    assert_true(plan->hidden[0].once);
    assert_int_equal(plan->hidden[0].grade, PLAN_GRADE_WITNESS);
    plan_release(plan);
    plan = plan_accepted("acme.app",
                         "SELECT name FROM model OFFSET (SELECT max(balance) FROM customer)");
    /* Of nobody it is NULL, and skips no row: whoever is not found is told of by that. */
    assert_int_equal(plan->hidden_count, 2);
    assert_int_equal(plan->hidden[0].grade, PLAN_GRADE_WITNESS);
    assert_int_equal(plan->hidden[1].grade, PLAN_GRADE_WITNESS);
    plan_release(plan);
}

static void test_what_cannot_be_told(void **state)
{
    plan_refused("acme.app", "SELECT city FROM customer LIMIT -1", "2201W", "negative");
    plan_refused("acme.app", "SELECT city FROM customer LIMIT 1 - 2", "2201W", "negative");
    plan_refused("acme.app", "SELECT city FROM customer OFFSET -1", "2201X", "negative");
    plan_refused("acme.app", "SELECT city FROM customer LIMIT balance", "42P10",
                 "argument of LIMIT must not contain variables");
    plan_refused("acme.app", "SELECT city FROM customer c LIMIT (SELECT balance)", "42P10",
                 "argument of LIMIT must not contain variables");
    plan_refused("acme.app", "SELECT city FROM customer c LIMIT c.balance", "42P01", "\"c\"");
    plan_refused("acme.app", "SELECT (SELECT name FROM model LIMIT c.balance) FROM customer c",
                 "0A000", "columns of an outer query are not supported in LIMIT");
    plan_refused("acme.app", "SELECT city FROM customer LIMIT count(*)", "42803",
                 "aggregate functions are not allowed in LIMIT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_limited_upstream),
        cmocka_unit_test(test_groups_are_limited_by_the_gateway),
        cmocka_unit_test(test_nobody_needs_no_gateway),
        cmocka_unit_test(test_inside_a_sub_select),
        cmocka_unit_test(test_the_input_is_recorded_where_limits_depend_on_it),
        cmocka_unit_test(test_constants_are_computed),
        cmocka_unit_test(test_what_reads_no_rows_is_left_to_the_database),
        cmocka_unit_test(test_what_a_limit_counts_is_recorded),
        cmocka_unit_test(test_what_cannot_be_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
