/* Writes: what may be written, what goes upstream for it, and what the gateway is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plan_fixture.h"

#define WRITER "writer.app"

static void an_update_goes_by_the_place_of_rows(void **state)
{
    struct plan *plan = plan_accepted(
        WRITER, "UPDATE customer SET city = 'x', balance = balance + 1 WHERE customer_id = 7");
    plan_has(plan,
             "AS MATERIALIZED (SELECT CAST('x' AS text) AS h2, "
             "CASE WHEN (customer.h7 IS NOT FALSE) THEN (customer.balance OPERATOR(+) 1) END");
    plan_has(plan, "t0.ctid AS h4, t0.tableoid AS h5");
    plan_has(plan, "(UPDATE crm.customer AS t0 SET city = h1.h2, balance = h1.h3 FROM h1 WHERE "
                   "(t0.ctid OPERATOR(=) h1.h4) AND (t0.tableoid OPERATOR(=) h1.h5) AND "
                   "(t0.ctid IS NOT DISTINCT FROM h1.h4) RETURNING");
    /* What was written is read again through the row filter. */
    plan_has(plan, "FROM h9 AS t0 WHERE (t0.country OPERATOR(=) 'GB') AND (NOT (t0.gone_away))");
    assert_int_equal(plan->visible_count, 0);
    assert_int_equal(plan->hidden_count, 1);
    assert_string_equal(plan_hidden_columns(&plan->hidden[0]),
                        "customer.balance:clear customer.customer_id:clear");
    assert_int_equal(plan_write_columns(plan), 2);
    const struct plan_write *write = plan->write;
    assert_int_equal(write->change, PLAN_CHANGE_UPDATE);
    assert_string_equal(write->dataset, "customer");
    assert_int_equal(write->column_count, 2);
    assert_string_equal(write->columns[0].column, "balance");
    assert_string_equal(write->columns[1].column, "city");
    assert_false(write->returning);
    assert_string_equal(plan->command, "UPDATE");
    plan_release(plan);
}

static void what_returning_reads_is_read(void **state)
{
    struct plan *plan =
        plan_accepted(WRITER, "UPDATE customer c SET city = $1 RETURNING c.city AS there, phone");
    assert_int_equal(plan->visible_count, 2);
    assert_string_equal(plan->visible_names[0], "there");
    assert_string_equal(plan->visible_names[1], "phone");
    assert_true(plan->write->returning);
    assert_string_equal(plan_hidden_columns(&plan->hidden[0]),
                        "customer.city:clear customer.phone:masked");
    plan_has(plan, "CAST($1 AS text)");
    plan_release(plan);
    plan = plan_accepted(WRITER, "DELETE FROM vehicle WHERE vehicle_id = 3 RETURNING *");
    assert_int_equal(plan->visible_count, 5);
    assert_int_equal(plan->write->column_count, 0);
    plan_has(plan, "(DELETE FROM crm.vehicle AS t0 USING h1 WHERE");
    plan_release(plan);
}

static void rows_of_from_carry_their_people(void **state)
{
    struct plan *plan = plan_accepted(
        WRITER,
        "UPDATE customer SET city = registration FROM vehicle WHERE owner_id = customer_id");
    assert_int_equal(plan->hidden_count, 2);
    assert_int_equal(plan->write->kind_count, 1);
    plan_has(plan, "(count(*) OVER ( PARTITION BY");
    plan_release(plan);
}

static void rows_are_inserted_through_the_fence(void **state)
{
    struct plan *plan = plan_accepted(
        WRITER,
        "INSERT INTO service_visit (visit_id, vehicle_id) VALUES (1, 2) RETURNING visit_id");
    plan_has(plan,
             "(INSERT INTO crm.service_visit AS t0 (visit_id, vehicle_id) SELECT h1.h2, h1.h3 "
             "FROM h1 RETURNING t0.ctid");
    /* Whose visit it is follows from the car. */
    plan_has(plan, "JOIN crm.vehicle AS t1 ON (t1.vehicle_id OPERATOR(=) t0.vehicle_id)");
    assert_int_equal(plan->hidden_count, 1);
    assert_false(plan->write->lineage_of_given);
    plan_release(plan);
    plan = plan_accepted(WRITER, "INSERT INTO vehicle (vehicle_id, owner_id, registration) VALUES "
                                 "(1, 2, DEFAULT), ($1, 3, DEFAULT)");
    plan_has(plan, "VALUES (1, 2), (CAST($1 AS int8), 3)");
    plan_has(plan, "(INSERT INTO crm.vehicle AS t0 (vehicle_id, owner_id) SELECT");
    plan_release(plan);
    plan = plan_accepted(WRITER, "INSERT INTO vehicle (vehicle_id, owner_id, registration) SELECT "
                                 "customer_id, customer_id, 'x' FROM customer");
    assert_true(plan->write->lineage_of_given);
    assert_string_equal(plan_hidden_columns(&plan->hidden[0]), "customer.customer_id:clear");
    plan_has(plan, "FULL JOIN");
    plan_release(plan);
}

#define INSERT "INSERT INTO vehicle (vehicle_id, owner_id, registration) VALUES (1, 2, 'x') "

static void conflicts_are_met_with_what_was_given(void **state)
{
    struct plan *plan =
        plan_accepted(WRITER, INSERT "ON CONFLICT (vehicle_id) DO UPDATE SET registration = "
                                     "excluded.registration");
    plan_has(plan, "ON CONFLICT (vehicle_id) DO UPDATE SET registration = excluded.registration "
                   "WHERE t0.owner_id IS NOT NULL");
    assert_true(plan->write->may_skip);
    assert_true(plan->write->skip_fails);
    plan_release(plan);
    plan = plan_accepted(WRITER, INSERT "ON CONFLICT (vehicle_id) DO NOTHING");
    assert_true(plan->write->may_skip);
    assert_false(plan->write->skip_fails);
    plan_release(plan);
    plan =
        plan_accepted(WRITER, "INSERT INTO service_visit (visit_id, vehicle_id) VALUES (1, 2) ON "
                              "CONFLICT (visit_id) DO UPDATE SET pence = 1");
    plan_has(plan, "DO UPDATE SET pence = 1 WHERE EXISTS (SELECT 1 FROM crm.vehicle AS p0 WHERE "
                   "(p0.vehicle_id OPERATOR(=) t0.vehicle_id) AND (p0.owner_id IS NOT NULL))");
    plan_release(plan);
}

static void nothing_else_is_written(void **state)
{
    static const struct {
        const char *sql, *sqlstate, *message;
    } cases[] = {
        {"UPDATE customer SET phone = 'x'", "42501", "column \"phone\""},
        {"UPDATE customer SET full_name = 'x'", "42501", "column \"full_name\""},
        {"UPDATE customer SET email = 'x'", "42501", "column \"email\""},
        {"UPDATE vehicle SET owner_id = 1", "42501", "column \"owner_id\""},
        {"DELETE FROM customer", "42501", "DELETE on dataset \"customer\" is not granted"},
        {"UPDATE model SET name = 'x'", "42501", "UPDATE on dataset \"model\""},
        {"UPDATE nothing SET name = 'x'", "42P01", "not granted"},
        {"UPDATE crm.customer SET city = 'x'", "42P01", "schema \"crm\""},
        {"UPDATE ONLY customer SET city = 'x'", "0A000", "ONLY"},
        {"UPDATE customer SET city = 'x', city = 'y'", "42701", "more than once"},
        {"UPDATE customer SET (city, balance) = ('x', 1)", "0A000", "several columns"},
        {"UPDATE customer SET city[1] = 'x'", "0A000", "part of a column"},
        {"UPDATE customer SET city = count(*)", "42803", "not allowed in SET"},
        {"UPDATE customer SET balance = row_number() OVER ()", "42803", "not allowed in SET"},
        {"UPDATE customer SET city = 'x' WHERE email = 'x'", "42703", "email"},
        {"UPDATE customer SET city = 'x' WHERE CURRENT OF c", "0A000", ""},
        {"UPDATE customer SET city = 'x' RETURNING count(*)", "0A000", "RETURNING"},
        {"UPDATE customer SET city = 'x' RETURNING (SELECT 1)", "0A000", "RETURNING"},
        {"UPDATE customer SET city = 'x' RETURNING ctid", "42703", "ctid"},
        {"UPDATE customer SET city = 'x' RETURNING customer", "42501", "whole row"},
        {"INSERT INTO vehicle VALUES (1)", "0A000", "without a list"},
        {"INSERT INTO vehicle DEFAULT VALUES", "0A000", "without a list"},
        {"INSERT INTO vehicle (vehicle_id) DEFAULT VALUES", "42601", ""},
        {"INSERT INTO vehicle (vehicle_id, owner_id) VALUES (1)", "42601", "2 columns"},
        {"INSERT INTO vehicle (vehicle_id) VALUES (DEFAULT)", "0A000", "defaults alone"},
        {"INSERT INTO vehicle (vehicle_id, owner_id) VALUES (1, DEFAULT), (2, 3)", "0A000", "some"},
        {"INSERT INTO vehicle (mileage) VALUES (1)", "42501", "column \"mileage\""},
        {"INSERT INTO vehicle (vehicle_id, owner_id) OVERRIDING USER VALUE VALUES (1, 2)", "0A000",
         "OVERRIDING"},
        {"INSERT INTO vehicle (vehicle_id) SELECT customer_id FROM customer RETURNING *", "0A000",
         "takes its rows from a dataset"},
        {INSERT "ON CONFLICT DO NOTHING", "0A000", "ON CONFLICT"},
        {INSERT "ON CONFLICT ON CONSTRAINT vehicle_pkey DO NOTHING", "0A000", "ON CONFLICT"},
        {INSERT "ON CONFLICT (model_id) DO NOTHING", "0A000", "ON CONFLICT"},
        {INSERT "ON CONFLICT (vehicle_id) DO UPDATE SET owner_id = 1", "42501", "owner_id"},
        {INSERT "ON CONFLICT (vehicle_id) DO UPDATE SET registration = vehicle.registration",
         "0A000", "expression"},
        {INSERT "ON CONFLICT (vehicle_id) DO UPDATE SET registration = 'x' WHERE true", "0A000",
         "WHERE"},
        {"WITH customer AS (SELECT 1 AS city) UPDATE customer SET city = 'x'", "42P01",
         "is not the dataset here"},
        {"WITH vehicle AS (SELECT 1 AS a) DELETE FROM vehicle", "42P01", "is not the dataset"},
        {"UPDATE pg_catalog.customer SET city = 'x'", "42501", "system catalogs"},
        {"DELETE FROM information_schema.tables", "42501", "system catalogs"},
        {"INSERT INTO pg_catalog.vehicle (vehicle_id) VALUES (1)", "42501", "system catalogs"},
        {"WITH x AS (DELETE FROM vehicle RETURNING *) SELECT * FROM x", "0A000", "SELECT"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        plan_refused(WRITER, cases[i].sql, cases[i].sqlstate, cases[i].message);
}

static void a_policy_is_held_against_the_tables(void **state)
{
    static const struct {
        const char *grant, *message;
    } cases[] = {
        {"      - {dataset: vehicle, columns: all, write: {update: [vehicle_id]}}\n",
         "rows lead to people by it"},
        /* Visits lead to people by the vehicle's number, which this dataset shows, too. */
        {"      - {dataset: stock, columns: all, write: {update: [vehicle_id]}}\n",
         "rows lead to people by it"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct model *model = NULL;
        struct error error = {0};
        enum status status = plan_fixture_bind(plan_fixture_policy(cases[i].grant), &model, &error);
        assert_int_equal(status, STATUS_INVALID);
        if (strstr(error.message, cases[i].message) == NULL)
            fail_msg("says \"%s\", not \"%s\"", error.message, cases[i].message);
    }
}

static void a_copy_names_the_insert_that_its_rows_go_into(void **state)
{
    (void)state;
    struct plan *plan =
        plan_accepted(WRITER, "COPY vehicle (vehicle_id, owner_id, registration) FROM "
                              "STDIN (FORMAT csv, HEADER match, FORCE_NULL "
                              "(registration), FORCE_NOT_NULL *)");
    assert_int_equal(plan->kind, PLAN_COPY_IN);
    assert_null(plan->sql);
    assert_string_equal(plan->preparation.sql, "INSERT INTO \"vehicle\" (\"vehicle_id\", "
                                               "\"owner_id\", \"registration\") VALUES ");
    assert_int_equal(plan->visible_count, 3);
    assert_int_equal(plan->client_parameter_count, 0);
    assert_true(plan->copy->header && plan->copy->header_match);
    assert_true(plan->copy->force_null[2] && !plan->copy->force_null[0]);
    plan_release(plan);
    plan_refused(WRITER, "COPY vehicle (vehicle_id) FROM STDIN WHERE vehicle_id > 1", "0A000",
                 "WHERE");
    plan_refused(WRITER, "COPY vehicle (vehicle_id) FROM STDIN (FREEZE)", "0A000", "FREEZE");
    plan_refused(WRITER, "COPY vehicle (vehicle_id) FROM '/tmp/x'", "42501", "file");
}

static void statements_that_compute_are_told(void **state)
{
    static const struct {
        const char *sql;
        bool aggregates;
    } cases[] = {
        {"SELECT city FROM customer", false},
        {"SELECT count(*) FROM customer", true},
        {"SELECT city FROM customer GROUP BY city", true},
        {"SELECT DISTINCT city FROM customer", true},
        {"SELECT 1", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct plan *plan = plan_accepted(WRITER, cases[i].sql);
        if (plan_aggregates(plan) != cases[i].aggregates)
            fail_msg("%s", cases[i].sql);
        plan_release(plan);
    }
}

static void hints(const char *sql, const char *hint)
{
    struct plan *plan = NULL;
    struct error error = {0};
    assert_int_equal(plan_fixture_make(WRITER, sql, NULL, 0, &plan, &error), STATUS_DENIED);
    if (strcmp(error.hint, hint) != 0)
        fail_msg("%s\nhints \"%s\", not \"%s\"", sql, error.hint, hint);
}

static void test_the_columns_that_may_be_written_are_ready_to_be_pasted(void **state)
{
    hints("COPY vehicle FROM STDIN",
          "COPY vehicle (vehicle_id, owner_id, registration) FROM STDIN");
    hints("COPY customer FROM STDIN", "COPY dataset (column, …) FROM STDIN");
    hints("COPY nowhere FROM STDIN", "COPY dataset (column, …) FROM STDIN");
    hints("INSERT INTO vehicle VALUES (1)",
          "INSERT INTO vehicle (vehicle_id, owner_id, registration) …");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_update_goes_by_the_place_of_rows),
        cmocka_unit_test(what_returning_reads_is_read),
        cmocka_unit_test(rows_of_from_carry_their_people),
        cmocka_unit_test(rows_are_inserted_through_the_fence),
        cmocka_unit_test(conflicts_are_met_with_what_was_given),
        cmocka_unit_test(nothing_else_is_written),
        cmocka_unit_test(a_policy_is_held_against_the_tables),
        cmocka_unit_test(a_copy_names_the_insert_that_its_rows_go_into),
        cmocka_unit_test(statements_that_compute_are_told),
        cmocka_unit_test(test_the_columns_that_may_be_written_are_ready_to_be_pasted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
