/* Rights are taken out of the text, everything else stays as it was written, byte for byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"
#include "policy/shrink.h"

/* What goes, by name; each list ends with NULL. */
struct gone {
    const struct policy *policy;
    const char *agents[8], *columns[8]; /* of any grant */
};

static bool listed(const char *const *names, const char *name)
{
    for (; *names != NULL; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

static bool agent_goes(void *context, size_t partner, size_t agent)
{
    const struct gone *gone = context;
    return listed(gone->agents, gone->policy->partners[partner].agents[agent].name);
}

static bool column_goes(void *context, size_t partner, size_t grant, size_t column)
{
    const struct gone *gone = context;
    const struct policy_grant *of = &gone->policy->partners[partner].grants[grant];
    const struct policy_dataset *dataset = &gone->policy->datasets[of->dataset];
    return listed(gone->columns, dataset->columns[of->columns[column].column].name);
}

static enum status shrink(const char *text, struct gone gone, char *out, size_t room)
{
    struct error error = {0};
    struct buffer made;
    gone.policy = fixture_load(text);
    buffer_init(&made, 1024 * 1024);
    struct shrink_choice choice = {&gone, agent_goes, column_goes};
    enum status status = policy_shrink(gone.policy, &choice, &made, &error);
    snprintf(out, room, "%.*s", status == STATUS_OK ? (int)made.len : 0, (const char *)made.data);
    if (status != STATUS_OK) {
        assert_int_equal(status, STATUS_DENIED);
        assert_string_equal(error.sqlstate, "55000");
        snprintf(out, room, "%s", error.message);
    }
    buffer_free(&made);
    policy_release(gone.policy);
    return status;
}

#define HEAD AGENT "    grants:\n"

static void expect(const char *before, struct gone gone, const char *after)
{
    char text[8192], whole[8192], expected[8192];
    snprintf(whole, sizeof whole, "%s%s", HEAD, before);
    snprintf(expected, sizeof expected, "%s%s", HEAD, after);
    if (shrink(whole, gone, text, sizeof text) != STATUS_OK)
        fail_msg("refused: %s", text);
    assert_string_equal(text, expected);
}

static void columns_go_from_a_mapping_in_brackets(void **state)
{
    static const char all[] =
        "      - {dataset: customer, columns: {customer_id: token, full_name: clear, phone: "
        "\"last4\"}} # why\n";
    expect(all, (struct gone){.columns = {"full_name"}},
           "      - {dataset: customer, columns: {customer_id: token, phone: \"last4\"}} # why\n");
    expect(all, (struct gone){.columns = {"customer_id"}},
           "      - {dataset: customer, columns: {full_name: clear, phone: \"last4\"}} # why\n");
    expect(all, (struct gone){.columns = {"phone"}},
           "      - {dataset: customer, columns: {customer_id: token, full_name: clear}} # why\n");
    expect(all, (struct gone){.columns = {"full_name", "phone"}},
           "      - {dataset: customer, columns: {customer_id: token}} # why\n");
    expect(all, (struct gone){.columns = {"customer_id", "phone"}},
           "      - {dataset: customer, columns: {full_name: clear}} # why\n");
}

static void columns_go_with_their_lines(void **state)
{
    expect("      # what they send\n"
           "      - dataset: customer\n"
           "        rows: |\n"
           "          phone IS NOT NULL\n"
           "        columns:\n"
           "          customer_id: token # always\n"
           "          # the name\n"
           "          full_name: {form: clear, justification: \"it's agreed\"} # for letters\n"
           "          phone: clear\n"
           "        write: {update: [phone, full_name], insert: [phone]}\n"
           "      - {dataset: model, columns: [model_id, name]}\n",
           (struct gone){.columns = {"full_name", "model_id"}},
           "      # what they send\n"
           "      - dataset: customer\n"
           "        rows: |\n"
           "          phone IS NOT NULL\n"
           "        columns:\n"
           "          customer_id: token # always\n"
           "          # the name\n"
           "          phone: clear\n"
           "        write: {update: [phone], insert: [phone]}\n"
           "      - {dataset: model, columns: [name]}\n");
}

static void a_grant_goes_with_its_last_column(void **state)
{
    expect("      - dataset: customer\n"
           "        columns:\n"
           "          - phone\n"
           "          - full_name\n"
           "      - {dataset: model,\n"
           "         columns: all}\n"
           "      - {dataset: vehicle, columns: [vin]}\n",
           (struct gone){.columns = {"phone", "model_id", "name"}},
           "      - dataset: customer\n"
           "        columns:\n"
           "          - full_name\n"
           "      - {dataset: vehicle, columns: [vin]}\n");
    char text[8192];
    assert_int_equal(shrink(HEAD "      - {dataset: vehicle, columns: [vin]}\n    mode: rows\n",
                            (struct gone){.columns = {"vin"}}, text, sizeof text),
                     STATUS_OK);
    assert_string_equal(text, AGENT "    mode: rows\n");
}

static void all_is_written_out(void **state)
{
    expect("      - {dataset: model, columns: all}\n", (struct gone){.columns = {"model_id"}},
           "      - {dataset: model, columns: [name]}\n");
}

static void what_writes_goes_with_the_column(void **state)
{
    expect("      - {dataset: customer, columns: [phone, full_name], write: {update: [phone]}}\n",
           (struct gone){.columns = {"phone"}},
           "      - {dataset: customer, columns: [full_name]}\n");
    expect("      - dataset: customer\n"
           "        columns: [phone, full_name]\n"
           "        write: {update: [phone], delete: true}\n",
           (struct gone){.columns = {"phone"}},
           "      - dataset: customer\n"
           "        columns: [full_name]\n"
           "        write: {delete: true}\n");
}

static void an_agent_goes(void **state)
{
    char text[8192];
    assert_int_equal(shrink(AGENT, (struct gone){.agents = {"job"}}, text, sizeof text), STATUS_OK);
    assert_string_equal(text, PARTNER "    agents:\n      - {name: sync, identity: {certificate: "
                                      "\"spiffe://n/sync\"}}\n");
    assert_int_equal(shrink(AGENT, (struct gone){.agents = {"job", "sync"}}, text, sizeof text),
                     STATUS_OK);
    assert_string_equal(text, PARTNER);
}

static void what_would_be_no_policy_is_refused(void **state)
{
    char text[8192];
    static const char bound[] = HEAD "      - {dataset: vehicle, columns: [vin], agent: job}\n"
                                     "      - {dataset: customer, columns: [phone, full_name]}\n"
                                     "    lookup_by: [customer.phone]\n";
    assert_int_equal(shrink(bound, (struct gone){.agents = {"job"}}, text, sizeof text),
                     STATUS_DENIED);
    assert_non_null(strstr(text, "would not be one"));
    assert_int_equal(shrink(bound, (struct gone){.columns = {"phone"}}, text, sizeof text),
                     STATUS_DENIED);
    assert_int_equal(
        shrink(bound, (struct gone){.columns = {"vin"}, .agents = {"job"}}, text, sizeof text),
        STATUS_OK);
    /* a comment between the bracket and what it holds */
    assert_int_equal(shrink(HEAD "      - {dataset: customer, columns: { # these\n"
                                 "          phone: clear, full_name: clear}}\n",
                            (struct gone){.columns = {"phone"}}, text, sizeof text),
                     STATUS_DENIED);
    assert_non_null(strstr(text, "not written so"));
}

static void nothing_asked_for_changes_nothing(void **state)
{
    expect("      - {dataset: model, columns: all}\n", (struct gone){.columns = {NULL}},
           "      - {dataset: model, columns: all}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_go_from_a_mapping_in_brackets),
        cmocka_unit_test(columns_go_with_their_lines),
        cmocka_unit_test(a_grant_goes_with_its_last_column),
        cmocka_unit_test(all_is_written_out),
        cmocka_unit_test(what_writes_goes_with_the_column),
        cmocka_unit_test(an_agent_goes),
        cmocka_unit_test(what_would_be_no_policy_is_refused),
        cmocka_unit_test(nothing_asked_for_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
