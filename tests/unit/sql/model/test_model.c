#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plan_fixture.h"

#include "base/table.h"

static void binds(const char *grants)
{
    struct model *model = NULL;
    struct error error = {0};
    if (plan_fixture_bind(plan_fixture_policy(grants), &model, &error) != STATUS_OK)
        fail_msg("%s\nrefused: %s (%s)", grants, error.message, error.hint);
    model_release(model);
}

static void refuses(const char *grants, const char *message)
{
    struct model *model = NULL;
    struct error error = {0};
    enum status status = plan_fixture_bind(plan_fixture_policy(grants), &model, &error);
    if (status != STATUS_INVALID || strstr(error.message, message) == NULL)
        fail_msg("%s\nsays %s \"%s\", not \"%s\"", grants, status_name(status), error.message,
                 message);
    assert_null(model);
}

#define ROWS(condition)                                                                            \
    "      - {dataset: customer, rows: \"" condition "\", columns: {city: clear}}\n"

static void test_rows_are_immutable_and_total(void **state)
{
    binds(ROWS("city = 'x' OR balance IS NULL"));
    binds(ROWS("birth_date < '2000-01-31'::date"));
    binds(ROWS("full_name LIKE 'A%' AND balance IN (1, 2)"));
    refuses(ROWS("balance / 2 = 1"), "could fail");
    refuses(ROWS("full_name::int4 = 1"), "could fail");
    refuses(ROWS("birth_date < current_date"), "immutable");
    refuses(ROWS("created_at < now()"), "immutable");
    refuses(ROWS("birth_date < '31/01/2000'::date"), "immutable");
    refuses(ROWS("city = current_user"), "immutable");
    refuses(ROWS("balance + 1"), "boolean");
    refuses(ROWS("nothing = 1"), "\"nothing\" does not exist");
    refuses(ROWS("pg_sleep(1) IS NULL"), "pg_sleep");
    refuses(ROWS("city = $1"), "parameter");
    refuses(ROWS("EXISTS (SELECT 1)"), "");
    refuses(ROWS("city = 'x"), "");
}

static void test_messages_name_partner_dataset_and_line(void **state)
{
    struct model *model = NULL;
    struct error error = {0};
    assert_int_equal(
        plan_fixture_bind(plan_fixture_policy(ROWS("balance / 2 = 1")), &model, &error),
        STATUS_INVALID);
    if (strstr(error.message, "partner acme, dataset customer") == NULL ||
        strchr(error.message, ':') == NULL)
        fail_msg("says \"%s\"", error.message);
}

static void test_agents_and_validity(void **state)
{
    struct model *model = NULL;
    struct error error = {0};
    const char *grants = "      - {dataset: customer, agent: app, columns: {city: clear}}\n"
                         "      - {dataset: customer, agent: other, columns: {full_name: clear}}\n"
                         "      - {dataset: model, columns: all, valid: {from: 2030-01-01}}\n";
    if (plan_fixture_bind(plan_fixture_policy(grants), &model, &error) != STATUS_OK)
        fail_msg("%s (%s)", error.message, error.hint);
    const struct policy_partner *partner;
    struct plan_request request = {
        .model = model,
        .agent = policy_find_agent(model_policy(model), "acme.other", &partner),
        .sql = "SELECT * FROM customer",
        .statement_bytes_limit = 16384,
        .statement_depth_limit = 200,
        .now_ns = 1789000000000000000};
    struct plan *plan = NULL;
    request.partner = partner;
    assert_int_equal(plan_make(&request, &plan, &error), STATUS_OK);
    assert_string_equal(plan->visible_names[0], "full_name");
    assert_true(plan->valid_until_ns == 1893456000000000000);
    plan_release(plan);
    request.agent = policy_find_agent(model_policy(model), "acme.app", &partner);
    assert_int_equal(plan_make(&request, &plan, &error), STATUS_OK);
    assert_string_equal(plan->visible_names[0], "city");
    plan_release(plan);
    request.sql = "SELECT * FROM model";
    assert_int_equal(plan_make(&request, &plan, &error), STATUS_DENIED);
    request.now_ns = 1893456000000000000;
    assert_int_equal(plan_make(&request, &plan, &error), STATUS_OK);
    plan_release(plan);
    model_release(model);
}

static void test_description_lists_every_column(void **state)
{
    struct table table;
    model_describe(plan_fixture_model(), &table);
    size_t hidden = 0, tokens = 0;
    for (struct table_row *row = table.first; row != NULL; row = row->next) {
        hidden += strcmp(row->cells[5], "hidden") == 0;
        tokens += strcmp(row->cells[5], "token") == 0;
    }
    assert_false(table_overflowed(&table));
    assert_true(hidden > 5);
    assert_int_equal(tokens, 9);
    assert_string_equal(table.first->cells[0], "acme");
    assert_string_equal(table.first->cells[2], "customer_id");
    table_free(&table);
}

static void has(const char *text, const char *part, int wanted)
{
    if ((strstr(text, part) != NULL) != wanted)
        fail_msg("%s: %s\nin: %s", wanted ? "missing" : "unexpected", part, text);
}

static void test_grants_are_the_least(void **state)
{
    struct buffer out;
    struct error error = {0};
    struct model *model = NULL;
    const char *grants = "      - {dataset: service_line, rows: \"line_id > 3\", columns: {part: "
                         "clear}}\n";
    char policy[16384];
    snprintf(policy, sizeof policy, "%s", plan_fixture_policy(grants));
    *strstr(policy, "  tokens:\n") = 0;
    assert_int_equal(plan_fixture_bind(policy, &model, &error), STATUS_OK);
    buffer_init(&out, 65536);
    assert_int_equal(model_grants_sql(model, "cofferdam", "meri\"dian", &out, &error), STATUS_OK);
    const char *text = buffer_text(&out);
    has(text, "GRANT CONNECT ON DATABASE \"meri\"\"dian\" TO \"cofferdam\";\n", 1);
    has(text, "GRANT USAGE ON SCHEMA \"crm\" TO \"cofferdam\";\n", 1);
    has(text,
        "GRANT SELECT (\"line_id\", \"visit_id\", \"part\") ON TABLE \"crm\".\"service_line\"", 1);
    has(text, "GRANT SELECT (\"visit_id\", \"vehicle_id\") ON TABLE \"crm\".\"service_visit\"", 1);
    has(text, "GRANT SELECT (\"vehicle_id\", \"owner_id\") ON TABLE \"crm\".\"vehicle\"", 1);
    has(text, "\"customer\"", 0);
    has(text, "default_transaction_read_only = on", 1);
    has(text, "log_parameter_max_length_on_error = 0", 1);
    buffer_free(&out);
    model_release(model);
}

/* A copy of the fixture's policy with one dataset's subject in place of what it says. */
static const char *with_subjects(const char *dataset, const char *subject)
{
    static char policy[16384];
    char head[64];
    const char *text = plan_fixture_policy(NULL);
    snprintf(head, sizeof head, "  %s:\n    table: ", dataset);
    const char *old = strstr(strstr(text, head), "    subject: ");
    snprintf(policy, sizeof policy, "%.*s    subject: %s%s", (int)(old - text), text, subject,
             strchr(old, '\n'));
    return policy;
}

static void judge_path(const char *dataset, const char *subject, struct catalog *catalog,
                       const char *message)
{
    struct model *model = NULL;
    struct error error = {0};
    enum status status =
        plan_fixture_bind_to(with_subjects(dataset, subject), catalog, &model, &error);
    if (message == NULL ? status != STATUS_OK
                        : status != STATUS_INVALID || strstr(error.message, message) == NULL)
        fail_msg("%s: %s says %s \"%s\"", dataset, subject, status_name(status), error.message);
    model_release(model);
}

#define LINE_OWNER                                                                                 \
    "{kind: customer, via: [{dataset: service_visit, on: visit_id}, {dataset: vehicle, on: "       \
    "vehicle_id}]}"
#define LINE_DAY "{kind: enquirer, via: [{dataset: service_visit, on: visit_id}], key: vehicle_id}"

static void test_whoever_is_on_the_way_is_listed_over_that_way(void **state)
{
    const char *also = "over dataset service_visit, which is also about customer";
    judge_path("service_line", LINE_OWNER, plan_fixture_catalog(), NULL);
    judge_path("service_line", LINE_DAY, plan_fixture_catalog(), also);
    judge_path("service_line", "[" LINE_DAY ", " LINE_OWNER "]", plan_fixture_catalog(), NULL);
    /* somebody of that kind, but another person: by a key of its own, by another column of the
     * rows on the way, and over another row */
    judge_path("service_line", "[{kind: customer, key: line_id}, " LINE_DAY "]",
               plan_fixture_catalog(), also);
    judge_path("service_line",
               "{kind: customer, via: [{dataset: service_visit, on: visit_id}, {dataset: vehicle, "
               "on: vehicle_id}], key: model_id}",
               plan_fixture_catalog(), also);
    judge_path("service_line",
               "[{kind: customer, via: [{dataset: service_visit, on: visit_id}, {dataset: vehicle, "
               "on: {pence: vehicle_id}}]}, " LINE_DAY "]",
               plan_fixture_catalog(), also);
    judge_path("service_line",
               "[{kind: customer, via: [{dataset: service_visit, on: {line_id: visit_id}}, "
               "{dataset: vehicle, on: vehicle_id}]}, " LINE_DAY "]",
               plan_fixture_catalog(), also);
    /* another kind, by that very way */
    judge_path("service_line",
               "{kind: enquirer, via: [{dataset: service_visit, on: visit_id}, {dataset: vehicle, "
               "on: vehicle_id}], key: owner_id}",
               plan_fixture_catalog(), also);
    /* a second dataset upon the same table is the same way */
    judge_path("service_line",
               "{kind: customer, via: [{dataset: service_visit, on: visit_id}, {dataset: stock, "
               "on: vehicle_id}]}",
               plan_fixture_catalog(), NULL);
}

/* Where vehicle.owner_id refers to customer.customer_id. */
static struct catalog *catalog_with_reference(void)
{
    static struct catalog_table tables[8];
    static struct catalog_reference reference = {.table = 1, .table_column = "customer_id"};
    struct catalog *catalog = plan_fixture_catalog();
    memcpy(tables, catalog->tables, catalog->table_count * sizeof *tables);
    reference.column = catalog_find_column(&tables[2], "owner_id");
    tables[2].references = &reference;
    tables[2].reference_count = 1;
    catalog->tables = tables;
    return catalog;
}

static void test_a_key_is_the_same_at_both_ends_of_a_hop_that_holds(void **state)
{
    const char *longer = "{kind: customer, via: [{dataset: vehicle, on: vehicle_id}, {dataset: "
                         "customer, on: {owner_id: customer_id}}]}";
    judge_path("service_visit", longer, plan_fixture_catalog(), "also about customer");
    judge_path("service_visit", longer, catalog_with_reference(), NULL);
    judge_path("stock", "{kind: customer, via: [{dataset: customer, on: {owner_id: customer_id}}]}",
               plan_fixture_catalog(), NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_immutable_and_total),
        cmocka_unit_test(test_messages_name_partner_dataset_and_line),
        cmocka_unit_test(test_agents_and_validity),
        cmocka_unit_test(test_description_lists_every_column),
        cmocka_unit_test(test_grants_are_the_least),
        cmocka_unit_test(test_whoever_is_on_the_way_is_listed_over_that_way),
        cmocka_unit_test(test_a_key_is_the_same_at_both_ends_of_a_hop_that_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
