#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plan_fixture.h"

static const char intersect[] =
    "SELECT city FROM customer INTERSECT ALL SELECT registration FROM vehicle";
static const char except[] =
    "SELECT city FROM customer EXCEPT ALL SELECT registration FROM vehicle";

/* Groups as without ALL, and how often each is on either side. */
static void test_all_counts_the_sides(void **state)
{
    plan_accepts(intersect, "LEAST(count(*) FILTER (WHERE ");
    plan_accepts(intersect, "JOIN LATERAL generate_series(1, h");
    plan_accepts(intersect, "HAVING (bool_or(");
    plan_accepts(except, "HAVING (count(*) FILTER (WHERE ");
    plan_accepts(except, "JOIN LATERAL generate_series(1, h");
    plan_accepts_without("SELECT city FROM customer INTERSECT SELECT registration FROM vehicle",
                         "generate_series");
    plan_accepts_without("SELECT city FROM customer EXCEPT SELECT registration FROM vehicle",
                         "generate_series");
}

/* Each copy carries everybody who has the value, of both sides; the right side of EXCEPT comes
 * once, as witness. */
static void test_each_copy_carries_the_people_of_its_group(void **state)
{
    struct plan *plan = plan_accepted("acme.app", intersect);
    assert_int_equal(plan->hidden_count, 2);
    for (size_t i = 0; i < plan->hidden_count; i++) {
        assert_int_equal(plan->hidden[i].depth, 1);
        assert_false(plan->hidden[i].once);
        assert_int_equal(plan->hidden[i].grade, PLAN_GRADE_DIRECT);
    }
    plan_release(plan);
    plan = plan_accepted("acme.app", except);
    assert_int_equal(plan->hidden_count, 2);
    assert_false(plan->hidden[0].once);
    assert_true(plan->hidden[1].once);
    assert_int_equal(plan->hidden[1].grade, PLAN_GRADE_WITNESS);
    plan_release(plan);
}

static void test_order_and_limit_are_of_the_copies(void **state)
{
    plan_accepts(
        "SELECT city FROM customer EXCEPT ALL SELECT name FROM model ORDER BY city LIMIT 3",
        " ON (TRUE)) ORDER BY 1 LIMIT 3");
    plan_refused("counts.app",
                 "SELECT count(*) FROM customer INTERSECT ALL SELECT count(*) FROM customer",
                 "42501", "statistics only");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_counts_the_sides),
        cmocka_unit_test(test_each_copy_carries_the_people_of_its_group),
        cmocka_unit_test(test_order_and_limit_are_of_the_copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
