/* How the members of a group are gathered: hashed where their keys surely fit in memory, sorted
 * where not. The set is the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/check.h"
#include "plan_fixture.h"

enum { LARGE = 5 * 1000 * 1000, HALF = 3 * 1000 * 1000 };

static struct catalog_table tables[6];

/* The usual tables; `customer` has that many rows, `vehicle` half of a large number. */
static void count_customers(double rows)
{
    tables[0].rows = rows;
    tables[2].rows = HALF;
}

static int make_model(void **state)
{
    struct catalog *catalog = plan_fixture_catalog();
    struct model *model;
    struct error error = {0};
    CHECK(catalog->table_count == sizeof tables / sizeof *tables);
    for (size_t t = 0; t < catalog->table_count; t++)
        tables[t] = catalog->tables[t];
    catalog->tables = tables;
    if (plan_fixture_bind_to(plan_fixture_policy(NULL), catalog, &model, &error) != STATUS_OK)
        fail_msg("no model: %s", error.message);
    plan_fixture_use(model);
    return 0;
}

static const char hashed[] = "ARRAY(SELECT DISTINCT", sorted[] = "array_agg(DISTINCT";

static void expect(const char *sql, bool is_hashed)
{
    struct plan *plan = plan_accepted("acme.app", sql);
    plan_has(plan, is_hashed ? hashed : sorted);
    plan_has_not(plan, is_hashed ? sorted : hashed);
    plan_release(plan);
}

static void test_few_rows_are_hashed(void **state)
{
    const char *by_city = "SELECT city, count(*) FROM customer GROUP BY city";
    count_customers(0);
    expect(by_city, true);
    count_customers(LARGE);
    expect(by_city, false);
    count_customers(-1); /* PostgreSQL has never counted them */
    expect(by_city, false);
}

static void test_joins_that_multiply_are_sorted(void **state)
{
    count_customers(1000);
    expect("SELECT m.name, count(*) FROM vehicle v JOIN model m USING (model_id) GROUP BY m.name",
           true);
    expect("SELECT m.name, count(*) FROM vehicle v, model m GROUP BY m.name", false);
    expect("SELECT m.name, count(*) FROM vehicle v JOIN model m ON v.model_id < m.model_id GROUP "
           "BY m.name",
           false);
    expect("SELECT m.name, count(*) FROM vehicle v JOIN model m USING (model_id) CROSS JOIN "
           "generate_series(1, 1000) GROUP BY m.name",
           false);
    count_customers(HALF);
    expect("SELECT v.mileage, count(*) FROM vehicle v JOIN customer c ON c.customer_id = "
           "v.owner_id GROUP BY v.mileage",
           false);
}

static void test_sets_of_sets_are_kept_as_they_come(void **state)
{
    struct plan *plan = plan_accepted(
        "acme.app", "SELECT max(n) FROM (SELECT count(*) AS n FROM customer GROUP BY city) s");
    plan_has(plan, "array_agg(CAST(s.h1 AS text)) AS h1 FROM");
    plan_release(plan);
}

int main(void)
{
    const struct CMUnitTest tests_of_sets[] = {
        cmocka_unit_test(test_few_rows_are_hashed),
        cmocka_unit_test(test_joins_that_multiply_are_sorted),
        cmocka_unit_test(test_sets_of_sets_are_kept_as_they_come),
    };
    return cmocka_run_group_tests(tests_of_sets, make_model, NULL);
}
