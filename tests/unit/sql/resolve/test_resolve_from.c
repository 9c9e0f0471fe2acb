#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plan_fixture.h"

static void test_joins(void **state)
{
    plan_accepts(
        "SELECT 1 FROM model a JOIN model b ON a.model_id = b.model_id",
        " AS a JOIN (SELECT t0.model_id AS model_id FROM crm.model AS t0) AS b ON (a.model_id "
        "OPERATOR(=) b.model_id))");
    plan_accepts("SELECT 1 FROM model a CROSS JOIN model b", " AS a CROSS JOIN (SELECT");
    plan_accepts("SELECT 1 FROM model a, model b", " AS a, (SELECT");
    plan_accepts("SELECT name FROM vehicle JOIN model USING (model_id)",
                 "ON (vehicle.model_id OPERATOR(=) model.model_id)");
    plan_accepts("SELECT model_id FROM vehicle JOIN model USING (model_id)",
                 "SELECT vehicle.model_id AS model_id");
    plan_accepts(
        "SELECT 1 FROM vehicle a JOIN vehicle b USING (vehicle_id, model_id)",
        "ON ((a.vehicle_id OPERATOR(=) b.vehicle_id) AND (a.model_id OPERATOR(=) b.model_id))");
}

static void test_joins_refused(void **state)
{
    plan_refused("acme.app", "SELECT 1 FROM model, model", "42712", "more than once");
    plan_refused("acme.app", "SELECT 1 FROM model a, vehicle b JOIN model c ON a.name = c.name",
                 "42P01", "\"a\"");
    plan_refused("acme.app", "SELECT 1 FROM vehicle JOIN model USING (name)", "42703",
                 "left table");
    plan_refused("acme.app", "SELECT 1 FROM customer JOIN enquirer USING (enquirer_id)", "42703",
                 "left table");
    plan_refused("acme.app",
                 "SELECT 1 FROM (model a JOIN model b ON true) JOIN vehicle USING (model_id)",
                 "42702", "more than once");
    plan_refused("acme.app", "SELECT 1 FROM (SELECT 'x' AS model_id) s JOIN model USING (model_id)",
                 "0A000", "different types");
}

static void test_sub_selects(void **state)
{
    plan_accepts("SELECT s.town FROM (SELECT city FROM customer) AS s (town)",
                 "SELECT s.city AS town");
    plan_accepts("SELECT t.b FROM model AS t (a, b)", "SELECT t.name AS b");
    plan_refused("acme.app", "SELECT t.name FROM model AS t (a, b)", "42703", "name");
    plan_refused("acme.app", "SELECT 1 FROM model AS t (a, b, c)", "42P10", "2 columns available");
    plan_refused("acme.app", "SELECT s.balance FROM (SELECT city FROM customer) s", "42703",
                 "balance");
    plan_refused("acme.app", "SELECT 1 FROM customer c, (SELECT c.city) s", "42P01", "\"c\"");
}

/* The vehicles' owners decide which rows of model are found, or none: their groups settle them. */
static void test_a_kept_row_that_changes_finds_other_rows(void **state)
{
    struct plan *plan = plan_accepted(
        "acme.app", "SELECT t.k FROM (SELECT m.name AS k FROM model m RIGHT JOIN (SELECT (SELECT "
                    "min(v.registration) FROM vehicle v WHERE v.model_id = x.model_id) AS k FROM "
                    "model x) q ON q.k = m.name) t GROUP BY t.k HAVING count(*) = 2");
    bool once = false;
    for (size_t i = 0; i < plan->hidden_count; i++)
        once = once || plan->hidden[i].once;
    assert_true(once);
    plan_release(plan);
}

/* (a JOIN b …) AS j is a sub-select of all its columns. */
static void test_an_alias_for_a_join(void **state)
{
    plan_accepts(
        "SELECT j.city FROM (customer c JOIN vehicle v ON v.owner_id = c.customer_id) AS j",
        "SELECT j.city AS city, ");
    plan_accepts("SELECT j.name FROM (vehicle v LEFT JOIN model m USING (model_id)) AS j",
                 "ON (v.model_id OPERATOR(=) m.model_id))) AS j");
    plan_accepts("SELECT j.a FROM (vehicle v JOIN model m USING (model_id)) AS j (a)",
                 "SELECT j.model_id AS a, ");
    plan_accepts(
        "SELECT j.n FROM model a, (vehicle v JOIN LATERAL (SELECT v.mileage + a.model_id AS n) "
        "x ON true) AS j",
        ", LATERAL (SELECT v.vehicle_id");
    plan_refused("acme.app", "SELECT v.mileage FROM (vehicle v JOIN model m USING (model_id)) AS j",
                 "42P01", "\"v\"");
    plan_refused("acme.app", "SELECT j.model_id FROM (vehicle v JOIN model m ON true) AS j",
                 "42702", "ambiguous");
    plan_refused("acme.app", "SELECT j FROM (vehicle v JOIN model m ON true) AS j", "42501",
                 "whole row");
    plan_refused("acme.app",
                 "SELECT 1 FROM (model a JOIN model b USING (model_id)) AS j (a, b, c, d)", "42P10",
                 "3 columns available");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_joins),
        cmocka_unit_test(test_joins_refused),
        cmocka_unit_test(test_sub_selects),
        cmocka_unit_test(test_an_alias_for_a_join),
        cmocka_unit_test(test_a_kept_row_that_changes_finds_other_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
