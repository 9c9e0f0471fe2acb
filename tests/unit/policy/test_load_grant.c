/* Grants: forms of columns, sensitive ones, and that one grant counts at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"

#define GRANT(body)  AGENT "    grants:\n      - {dataset: customer, " body "}\n"
#define COLUMNS(map) GRANT("columns: " map)

static void reads_every_form(void **state)
{
    const struct policy *policy =
        fixture_load("masks: {mine: {sql: \"left({column}, 1)\"}}\n" COLUMNS(
            "{customer_id: token, full_name: {form: clear, justification: agreed}, phone: last4,"
            " iban: mine}"));
    const struct policy_grant *grant = policy->partners[0].grants;
    assert_int_equal(grant->column_count, 4);
    assert_int_equal(grant->columns[0].form, POLICY_FORM_TOKEN);
    assert_null(grant->columns[0].mask);
    assert_int_equal(grant->columns[1].form, POLICY_FORM_CLEAR);
    assert_string_equal(grant->columns[1].justification, "agreed");
    assert_int_equal(grant->columns[2].form, POLICY_FORM_MASKED);
    assert_string_equal(grant->columns[2].mask, "last4");
    assert_string_equal(grant->columns[3].mask, "mine");
    assert_int_equal(grant->line, 17);
    policy_release(policy);
    policy = fixture_load(COLUMNS("{phone: null, customer_id: bucket(1000)}"));
    grant = policy->partners[0].grants;
    assert_string_equal(grant->columns[0].mask, "null");
    assert_string_equal(grant->columns[1].mask, "bucket");
    assert_int_equal(grant->columns[1].bucket, 1000);
    assert_int_equal(grant->columns[1].column, 0);
    policy_release(policy);
}

static void reads_lists_and_all(void **state)
{
    const struct policy *policy =
        fixture_load(AGENT "    grants:\n      - {dataset: model, columns: all}\n"
                           "      - {dataset: customer, columns: [phone, full_name]}\n");
    const struct policy_grant *grants = policy->partners[0].grants;
    assert_int_equal(grants[0].column_count, 2);
    assert_int_equal(grants[0].columns[1].column, 1);
    assert_int_equal(grants[0].columns[1].form, POLICY_FORM_CLEAR);
    assert_int_equal(grants[1].columns[0].column, 2);
    policy_release(policy);
    fixture_refuse(COLUMNS("[phone, phone]"), "listed twice", NULL);
    fixture_refuse(COLUMNS("[phne]"), "did you mean \"phone\"?", NULL);
    fixture_refuse(COLUMNS("some"), "write {column: form}", NULL);
    fixture_refuse(COLUMNS("[]"), "a grant of no columns", NULL);
    fixture_refuse(COLUMNS("{}"), "a grant of no columns", NULL);
}

static void sensitive_columns_want_a_reason(void **state)
{
    static const char *const told = "iban is financial data: not in clear without a justification";
    fixture_refuse(COLUMNS("{iban: clear}"), told, "justification");
    fixture_refuse(COLUMNS("[iban]"), told, NULL);
    fixture_refuse(COLUMNS("all"), told, NULL);
    fixture_refuse(COLUMNS("{iban: {form: clear}}"), told, NULL);
    fixture_refuse(COLUMNS("{iban: {form: clear, justification: ''}}"), "nothing is written", NULL);
    policy_release(fixture_load(COLUMNS("{iban: last4}")));
    policy_release(fixture_load(COLUMNS("{iban: {form: clear, justification: direct debit}}")));
}

static void refuses_unknown_forms(void **state)
{
    fixture_refuse(COLUMNS("{phone: last5}"), "did you mean \"last4\"?", "clear, token, null");
    fixture_refuse(COLUMNS("{phone: Clear}"), "did you mean \"clear\"?", NULL);
    fixture_refuse(COLUMNS("{phone: bucket}"), "how wide", "bucket(10)");
    fixture_refuse(COLUMNS("{phone: bucket(1)}"), "how wide", NULL);
    fixture_refuse(COLUMNS("{phone: bucket(x)}"), "how wide", NULL);
    fixture_refuse(COLUMNS("{phone: bucket(10) }x"), "", NULL);
    fixture_refuse(COLUMNS("{phone: bucket(9999999999)}"), "how wide", NULL);
    fixture_refuse(COLUMNS("{phone: }"), "nothing is written here", NULL);
    fixture_refuse(COLUMNS("{phone: [clear]}"), "a text is expected", NULL);
}

static void resolves_names(void **state)
{
    const struct policy *policy = fixture_load(
        GRANT("agent: job, purpose: survey, rows: \"x = 1\", columns: [phone], valid: {from:"
              " 2026-01-01, until: 2026-01-31}"));
    const struct policy_grant *grant = policy->partners[0].grants;
    assert_string_equal(grant->agent, "job");
    assert_string_equal(grant->purpose, "survey");
    assert_string_equal(grant->rows, "x = 1");
    assert_int_equal(grant->valid_until_ns - grant->valid_from_ns, 31 * 86400 * 1000000000L);
    policy_release(policy);
    fixture_refuse(GRANT("agent: jb, columns: [phone]"), "did you mean \"job\"?", "sync, job");
    fixture_refuse(GRANT("purpose: surwey, columns: [phone]"), "did you mean \"survey\"?",
                   "recall, survey");
    fixture_refuse(AGENT "    grants: [{dataset: modle, columns: all}]\n",
                   "did you mean \"model\"?", NULL);
    fixture_refuse(GRANT("column: [phone]"), "did you mean \"columns\"?", NULL);
}

#define TWO(first, second)                                                                         \
    AGENT "    grants:\n      - {dataset: customer, columns: [phone]" first "}\n"                  \
          "      - {dataset: customer, columns: [full_name]" second "}\n"

static void one_grant_counts_at_a_time(void **state)
{
    fixture_refuse(TWO("", ""), "ambiguous", "its own agent or purpose");
    fixture_refuse(TWO(", agent: job", ""), "line 16 both give dataset customer to agent job",
                   NULL);
    fixture_refuse(TWO("", ", purpose: survey"), "ambiguous", NULL);
    fixture_refuse(TWO(", agent: job", ", purpose: survey"), "ambiguous", NULL);
    fixture_refuse(TWO(", agent: job", ", agent: job"), "ambiguous", NULL);
    fixture_refuse(TWO(", valid: {until: 2026-06-30}", ", valid: {from: 2026-06-30}"), "ambiguous",
                   NULL);
    policy_release(fixture_load(TWO(", agent: job", ", agent: sync")));
    policy_release(fixture_load(TWO(", purpose: survey", ", purpose: recall")));
    policy_release(
        fixture_load(TWO(", agent: job, purpose: survey", ", agent: job, purpose: recall")));
    policy_release(
        fixture_load(TWO(", valid: {until: 2026-06-30}", ", valid: {from: 2026-07-01}")));
}

#define WRITE(text) COLUMNS("{customer_id: clear, phone: clear, full_name: initial}, write: " text)

static void reads_what_may_be_written(void **state)
{
    const struct policy *policy = fixture_load(WRITE("{update: [phone], delete: true}"));
    const struct policy_grant *grant = policy->partners[0].grants;
    assert_true(policy_writes(grant));
    assert_int_equal(grant->write.update_count, 1);
    assert_int_equal(grant->write.update[0], 2);
    assert_int_equal(grant->write.insert_count, 0);
    assert_true(grant->write.deletes);
    policy_release(policy);
    policy = fixture_load(WRITE("{insert: [customer_id, phone]}"));
    grant = policy->partners[0].grants;
    assert_int_equal(grant->write.insert_count, 2);
    assert_int_equal(grant->write.update_count, 0);
    assert_false(grant->write.deletes);
    policy_release(policy);
    policy = fixture_load(COLUMNS("[phone]"));
    assert_false(policy_writes(policy->partners[0].grants));
    policy_release(policy);
}

static void writes_what_is_clear_and_leads_to_nobody(void **state)
{
    fixture_refuse(WRITE("{update: [full_name]}"), "only be written if it is granted in clear",
                   "grant it as clear");
    fixture_refuse(WRITE("{insert: [iban]}"), "only be written if it is granted in clear", NULL);
    fixture_refuse(WRITE("{update: [customer_id]}"), "it cannot be updated", "insert another");
    fixture_refuse(WRITE("{update: [phone, phone]}"), "listed twice", NULL);
    fixture_refuse(WRITE("{update: [phne]}"), "did you mean \"phone\"?", NULL);
    fixture_refuse(WRITE("{}"), "a grant to write nothing", NULL);
    fixture_refuse(WRITE("{delete: false}"), "a grant to write nothing", NULL);
    fixture_refuse(WRITE("{truncate: true}"), "truncate", NULL);
    fixture_refuse(WRITE("{delete: true}") "    mode: aggregates\n", "statistics only cannot write",
                   NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_form),
        cmocka_unit_test(reads_lists_and_all),
        cmocka_unit_test(sensitive_columns_want_a_reason),
        cmocka_unit_test(refuses_unknown_forms),
        cmocka_unit_test(resolves_names),
        cmocka_unit_test(one_grant_counts_at_a_time),
        cmocka_unit_test(reads_what_may_be_written),
        cmocka_unit_test(writes_what_is_clear_and_leads_to_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
