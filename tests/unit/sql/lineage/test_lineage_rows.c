/* Which rows of each person a statistic is made of: marks of rows, and the sums beside the keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/limits.h"
#include "plan_fixture.h"

/* How many tables' rows are told apart in the statement of a partner of statistics. */
static size_t sources(const char *sql)
{
    struct plan *plan = plan_accepted("counts.app", sql);
    size_t count = plan->source_count;
    assert_true(plan->statistic);
    for (size_t h = 0; h < plan->hidden_count; h++)
        assert_true(plan->hidden[h].marked);
    plan_release(plan);
    return count;
}

static void keys_come_with_sums(void **state)
{
    struct plan *plan = plan_accepted("counts.app", "SELECT count(*) FROM customer");
    plan_has(plan, "ARRAY(SELECT ((CAST((COALESCE(sum(h1.h2), 0)) AS text)) OPERATOR(||) ':') "
                   "OPERATOR(||) (CAST(h1.h3 AS text)) FROM ROWS FROM "
                   "(unnest(array_agg(customer.h4)), unnest(array_agg(customer.h5))) AS h1 (h3, "
                   "h2) GROUP BY h1.h3) AS h4");
    assert_int_equal(plan->secret_count, 1);
    plan_release(plan);
}

static void each_reading_of_a_table_counts(void **state)
{
    assert_int_equal(sources("SELECT count(*) FROM customer"), 1);
    assert_int_equal(sources("SELECT count(*) FROM customer c, vehicle v"), 2);
    assert_int_equal(sources("SELECT count(*) FROM vehicle v JOIN vehicle w ON w.model_id = "
                             "v.model_id JOIN model m ON m.model_id = v.model_id"),
                     3);
    struct plan *plan = plan_accepted("counts.app", "SELECT count(*) FROM vehicle v JOIN vehicle w "
                                                    "ON w.model_id = v.model_id");
    assert_true(plan->sources[0] == plan->sources[1]);
    plan_release(plan);
}

static void sub_selects_hand_them_up(void **state)
{
    assert_int_equal(sources("SELECT count(*) FROM (SELECT * FROM (SELECT city AS c FROM customer "
                             "WHERE balance > 1) a) b"),
                     1);
    assert_int_equal(
        sources("WITH a AS (SELECT city AS c FROM customer) SELECT count(x.c) FROM a x, a y"), 2);
    /* about nobody: the same rows whoever they are joined with */
    assert_int_equal(
        sources("SELECT count(*) FROM customer c, (SELECT DISTINCT name FROM model) m"), 1);
}

static void no_more_than_an_item_has_room_for(void **state)
{
    char sql[4000];
    int len = snprintf(sql, sizeof sql,
                       "WITH a AS (SELECT c.city FROM customer c, vehicle v"
                       ") SELECT count(*) FROM a AS x0");
    for (int i = 1; i < 33; i++)
        len += snprintf(sql + len, sizeof sql - (size_t)len, ", a AS x%d", i);
    plan_refused("counts.app", sql, "54000", "more than 64 datasets");
}

static void partners_of_rows_do_not_pay(void **state)
{
    struct plan *plan = plan_accepted("acme.app", "SELECT count(*) FROM customer");
    assert_true(plan->statistic);
    assert_int_equal(plan->source_count, 0);
    assert_false(plan->hidden[0].marked);
    plan_has_not(plan, "record_send");
    plan_release(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_come_with_sums),
        cmocka_unit_test(each_reading_of_a_table_counts),
        cmocka_unit_test(sub_selects_hand_them_up),
        cmocka_unit_test(no_more_than_an_item_has_room_for),
        cmocka_unit_test(partners_of_rows_do_not_pay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
