/* Two policies: each right that is gained, lost or otherwise is told once, and no other leaf is
 * passed over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"
#include "policy/compare.h"

enum { TOLD = 8192 };

static enum status write_down(void *context, const struct compare_change *change,
                              struct error *error)
{
    static const char signs[] = {
        [COMPARE_GAINS] = '+', [COMPARE_LOSES] = '-', [COMPARE_OTHERWISE] = '~'};
    char *told = context;
    size_t len = strlen(told);
    assert_true((change->before == NULL) == (change->what == COMPARE_GAINS));
    assert_true((change->after == NULL) == (change->what == COMPARE_LOSES));
    snprintf(told + len, TOLD - len, "%c %s.%s[%s] %s.%s: %s > %s\n", signs[change->what],
             change->partner, change->agent, change->purpose == NULL ? "" : change->purpose,
             change->dataset, change->column, change->was, change->now);
    return STATUS_OK;
}

static void expect(const char *before, const char *after, const char *expected)
{
    char told[TOLD] = "";
    struct error error;
    const struct policy *old = fixture_load(before), *fresh = fixture_load(after);
    assert_int_equal(policy_compare(old, fresh, 1700000000000000000, write_down, told, &error),
                     STATUS_OK);
    assert_string_equal(told, expected);
    policy_release(old);
    policy_release(fresh);
}

#define GRANTS AGENT "    grants:\n"

static void columns_are_gained_lost_and_otherwise(void **state)
{
    expect(GRANTS "      - {dataset: customer, columns: {phone: clear, full_name: clear}}\n",
           GRANTS "      - {dataset: customer, columns: {phone: last4, customer_id: token}}\n",
           "+ north-mail.sync[] customer.customer_id:  > token\n"
           "- north-mail.sync[] customer.full_name: clear > \n"
           "~ north-mail.sync[] customer.phone: clear > last4\n"
           "+ north-mail.job[] customer.customer_id:  > token\n"
           "- north-mail.job[] customer.full_name: clear > \n"
           "~ north-mail.job[] customer.phone: clear > last4\n");
}

static void the_same_in_other_words_is_no_change(void **state)
{
    expect(GRANTS "      - {dataset: model, columns: all}\n"
                  "      - {dataset: customer, columns: [phone]}\n",
           GRANTS "      - {dataset: customer, columns: {phone: clear}, agent: sync}\n"
                  "      - dataset: customer\n"
                  "        agent: job\n"
                  "        columns:\n"
                  "          - phone\n"
                  "      - {dataset: model, columns: [name, model_id]}\n",
           /* deliveries without an agent had it */
           "- north-mail.[] customer.phone: clear > \n");
}

static void rows_times_tables_and_masks_count(void **state)
{
    expect(GRANTS "      - {dataset: customer, columns: [phone], agent: job}\n",
           GRANTS "      - {dataset: customer, columns: [phone], agent: job,\n"
                  "         rows: \"phone IS NOT NULL\", valid: {until: 2030-01-01}}\n",
           "~ north-mail.job[] customer.phone: clear > clear, where phone IS NOT NULL, until "
           "2030-01-02T00:00:00Z\n");
    expect("masks: {short: {sql: \"left({column}, 1)\"}}\n" GRANTS
           "      - {dataset: customer, columns: {phone: short}, agent: job}\n",
           "masks: {short: {sql: \"left({column}, 9)\"}}\n" GRANTS
           "      - {dataset: customer, columns: {phone: short}, agent: job}\n",
           "~ north-mail.job[] customer.phone: short as left({column}, 1) > short as "
           "left({column}, 9)\n");
    expect(GRANTS "      - {dataset: model, columns: [name], agent: job}\n",
           GRANTS "      - {dataset: model, columns: [name], agent: job, approval: {for: 8h}}\n",
           "~ north-mail.job[] model.name: clear > clear, approved for 480 min by 1\n");
    expect(GRANTS "      - {dataset: model, columns: [name], agent: job,\n"
                  "         approval: {for: 8h, reason: required}}\n",
           GRANTS "      - {dataset: model, columns: [name], agent: job, approval: {for: 8h}}\n",
           "~ north-mail.job[] model.name: clear, approved for 480 min by 1 with a reason > clear, "
           "approved for 480 min by 1\n");
    /* ended in 2020: there is nothing to lose */
    expect(GRANTS "      - {dataset: model, columns: all, valid: {until: 2020-01-01}}\n", AGENT,
           "");
}

static void what_may_be_written_counts(void **state)
{
    expect(GRANTS "      - {dataset: customer, columns: [full_name, phone], agent: job}\n",
           GRANTS "      - {dataset: customer, columns: [full_name, phone], agent: job,\n"
                  "         write: {update: [phone]}}\n",
           "~ north-mail.job[] customer.phone: clear > clear, UPDATE\n");
    expect(GRANTS "      - {dataset: customer, columns: [full_name, phone], agent: job,\n"
                  "         write: {update: [phone], insert: [full_name]}}\n",
           GRANTS "      - {dataset: customer, columns: [full_name, phone], agent: job,\n"
                  "         write: {insert: [phone, full_name], delete: true}}\n",
           "~ north-mail.job[] customer.full_name: clear, INSERT > clear, INSERT, DELETE of rows\n"
           "~ north-mail.job[] customer.phone: clear, UPDATE > clear, INSERT, DELETE of rows\n");
}

/* Staff make deliveries for a partner without naming an agent: what is bound to one is not theirs.
 */
static void what_only_deliveries_gain_is_told(void **state)
{
#define ALONE                                                                                      \
    PARTNER "    agents:\n      - {name: job, identity: {scram: secrets/job.scram}}\n    "         \
            "grants:\n"
    expect(ALONE "      - {dataset: customer, columns: [phone], agent: job}\n",
           ALONE "      - {dataset: customer, columns: [phone]}\n",
           "+ north-mail.[] customer.phone:  > clear\n");
    expect(ALONE "      - {dataset: customer, columns: [phone]}\n",
           ALONE "      - {dataset: customer, columns: {phone: last4}}\n",
           "~ north-mail.job[] customer.phone: clear > last4\n");
}

/* As many periods one after the other as there may be, each a grant. */
static void many_grants_one_after_the_other_are_all_looked_at(void **state)
{
    enum { PERIODS = 80, LINE = 120 };
    static char before[sizeof GRANTS + PERIODS * LINE], after[sizeof before];
    size_t at = (size_t)snprintf(before, sizeof before, "%s", GRANTS);
    for (int year = 0; year < PERIODS; year++)
        at += (size_t)snprintf(before + at, sizeof before - at,
                               "      - {dataset: model, columns: [name], agent: job, valid: "
                               "{from: %d-01-01, until: %d-12-31}}\n",
                               2024 + year, 2024 + year);
    memcpy(after, before, sizeof before);
    char *last = strstr(after, "[name], agent: job, valid: {from: 2103");
    assert_non_null(last);
    memcpy(last, "all,   ", 7);
    expect(before, after,
           "+ north-mail.job[] model.model_id:  > clear, from 2103-01-01T00:00:00Z, until "
           "2104-01-01T00:00:00Z\n");
}

static void a_long_condition_hides_nothing_behind_it(void **state)
{
    char rows[700], before[sizeof GRANTS + 1000], after[sizeof before], told[1200];
    snprintf(rows, sizeof rows, "name = '%0600d'", 7);
    snprintf(before, sizeof before,
             "%s      - {dataset: model, columns: [name], agent: job, rows: \"%s\"}\n", GRANTS,
             rows);
    snprintf(after, sizeof after,
             "%s      - {dataset: model, columns: [name], agent: job, rows: \"%s\",\n"
             "         valid: {until: 2030-01-01}}\n",
             GRANTS, rows);
    snprintf(told, sizeof told,
             "~ north-mail.job[] model.name: clear, where %.360s… > clear, where %.360s…, until "
             "2030-01-02T00:00:00Z\n",
             rows, rows);
    expect(before, after, told);
}

static void purposes_are_told_apart_where_a_grant_does(void **state)
{
    expect(GRANTS "      - {dataset: customer, columns: [phone], agent: job}\n",
           GRANTS "      - {dataset: customer, columns: [phone], agent: job, purpose: recall}\n",
           "- north-mail.job[survey] customer.phone: clear > \n");
}

static void agents_and_partners_come_and_go(void **state)
{
    static const char none[] = DATASETS "partners:\n  other: {purposes: [x]}\n";
    expect(GRANTS "      - {dataset: vehicle, columns: [vin], agent: sync}\n", none,
           "- north-mail.sync[] vehicle.vin: clear > \n");
    expect(none, GRANTS "      - {dataset: vehicle, columns: [vin], agent: sync}\n",
           "+ north-mail.sync[] vehicle.vin:  > clear\n");
    /* a partner of deliveries alone */
    expect(none,
           DATASETS "partners:\n  other:\n    purposes: [x]\n    grants:\n"
                    "      - {dataset: vehicle, columns: [vin]}\n",
           "+ other.[] vehicle.vin:  > clear\n");
}

static void every_other_leaf_is_compared(void **state)
{
    struct table table;
    struct error error;
    char told[TOLD] = "";
    const struct policy *old =
        fixture_load(AGENT "    budget: {subjects: {total: 10}}\n    grants:\n"
                           "      - {dataset: model, columns: all}\n");
    const struct policy *fresh =
        fixture_load("controller: {name: Example}\n" PARTNER "    agents:\n"
                     "      - {name: job, identity: {scram: secrets/job.scram},\n"
                     "         networks: [10.0.0.0/8, \"::1/128\"]}\n"
                     "      - {name: sync, identity: {certificate: \"spiffe://n/sync\"}}\n"
                     "    budget: {subjects: {total: 11}}\n");
    assert_int_equal(policy_compare_leaves(old, fresh, &table, &error), STATUS_OK);
    for (const struct table_row *row = table.first; row != NULL; row = row->next) {
        size_t len = strlen(told);
        snprintf(told + len, TOLD - len, "%s: %s > %s\n", row->cells[0],
                 row->cells[1] == NULL ? "-" : row->cells[1],
                 row->cells[2] == NULL ? "-" : row->cells[2]);
    }
    assert_string_equal(told, "controller/name: - > Example\n"
                              "partners/north-mail/agents/job/networks: - > [10.0.0.0/8, ::1/128]\n"
                              "partners/north-mail/budget/subjects/total: 10 > 11\n");
    table_free(&table);
    policy_release(old);
    policy_release(fresh);
}

/* A certificate that renews itself for longer, in either form of writing it. */
static void how_long_a_certificate_renews_itself_is_told(void **state)
{
    static const char *const certificates[] = {"\"spiffe://n/sync\"", "{uri: \"spiffe://n/sync\"}",
                                               "{uri: \"spiffe://n/sync\", renewal: 30d}",
                                               "{uri: \"spiffe://n/sync\", renewal: 90d}"};
    static const char told[] = "partners/x/agents/sync/identity/certificate/renewal";
    for (int before = 0; before < 4; before++)
        for (int after = 0; after < 4; after++) {
            const struct policy *policies[2];
            struct table table;
            struct error error;
            for (int side = 0; side < 2; side++) {
                char text[1000];
                snprintf(text, sizeof text,
                         "%spartners:\n  x:\n    purposes: [p]\n    agents:\n"
                         "      - {name: sync, identity: {certificate: %s}}\n",
                         DATASETS, certificates[side == 0 ? before : after]);
                policies[side] = fixture_load(text);
            }
            assert_int_equal(policy_compare_leaves(policies[0], policies[1], &table, &error),
                             STATUS_OK);
            bool found = false;
            for (const struct table_row *row = table.first; row != NULL; row = row->next)
                found = found || strcmp(row->cells[0], told) == 0;
            assert_int_equal(found, before != after && (before > 1 || after > 1));
            table_free(&table);
            policy_release(policies[0]);
            policy_release(policies[1]);
        }
}

static void lists_that_only_look_alike_are_told_apart(void **state)
{
    static const char body[] = "    agents:\n      - {name: job, identity: {scram: s/job.scram}}\n";
    char one[1000], two[1000];
    struct table table;
    struct error error;
    snprintf(one, sizeof one, "%spartners:\n  x:\n    purposes: [\"a, b\"]\n%s", DATASETS, body);
    snprintf(two, sizeof two, "%spartners:\n  x:\n    purposes: [a, b]\n%s", DATASETS, body);
    const struct policy *old = fixture_load(one), *fresh = fixture_load(two);
    assert_int_equal(policy_compare_leaves(old, fresh, &table, &error), STATUS_OK);
    assert_int_equal(table.row_count, 1);
    assert_string_equal(table.first->cells[0], "partners/x/purposes");
    assert_string_equal(table.first->cells[1], "[\"a, b\"]");
    assert_string_equal(table.first->cells[2], "[a, b]");
    table_free(&table);
    policy_release(old);
    policy_release(fresh);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_gained_lost_and_otherwise),
        cmocka_unit_test(the_same_in_other_words_is_no_change),
        cmocka_unit_test(rows_times_tables_and_masks_count),
        cmocka_unit_test(purposes_are_told_apart_where_a_grant_does),
        cmocka_unit_test(agents_and_partners_come_and_go),
        cmocka_unit_test(every_other_leaf_is_compared),
        cmocka_unit_test(what_may_be_written_counts),
        cmocka_unit_test(what_only_deliveries_gain_is_told),
        cmocka_unit_test(many_grants_one_after_the_other_are_all_looked_at),
        cmocka_unit_test(a_long_condition_hides_nothing_behind_it),
        cmocka_unit_test(lists_that_only_look_alike_are_told_apart),
        cmocka_unit_test(how_long_a_certificate_renews_itself_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
