/* The demo's own policy loads, and promises what the demo shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policy/policy.h"

static const struct policy *policy;

static int load(void **state)
{
    struct error error = {0};
    if (policy_load(DEMO_POLICY, &policy, &error) != STATUS_OK)
        fail_msg("%s (%s)", error.message, error.hint);
    return 0;
}

static int release(void **state)
{
    policy_release(policy);
    return 0;
}

static void has_the_four_partners(void **state)
{
    static const char *const names[] = {"north-mail", "ringway", "statlab", "brightwash"};
    assert_int_equal(policy->partner_count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_non_null(policy_find_partner(policy, names[i]));
    assert_int_equal(policy_find_partner(policy, "north-mail")->agent_count, 3);
    assert_int_equal(policy_find_partner(policy, "statlab")->mode, POLICY_MODE_AGGREGATES);
    assert_int_equal(policy_find_partner(policy, "ringway")->lookup_count, 1);
}

static void nobody_gets_money_or_secrets(void **state)
{
    for (size_t p = 0; p < policy->partner_count; p++)
        for (size_t g = 0; g < policy->partners[p].grant_count; g++) {
            const struct policy_grant *grant = &policy->partners[p].grants[g];
            const struct policy_dataset *dataset = &policy->datasets[grant->dataset];
            for (size_t c = 0; c < grant->column_count; c++) {
                const struct policy_column *column = &dataset->columns[grant->columns[c].column];
                if (policy_category_sensitive(column->category))
                    fail_msg("%s gets %s.%s", policy->partners[p].name, dataset->name,
                             column->name);
            }
        }
}

/* One column, for one agent. */
static void the_call_centre_corrects_a_number(void **state)
{
    size_t writes = 0;
    for (size_t p = 0; p < policy->partner_count; p++)
        for (size_t g = 0; g < policy->partners[p].grant_count; g++) {
            const struct policy_grant *grant = &policy->partners[p].grants[g];
            if (!policy_writes(grant))
                continue;
            writes++;
            assert_string_equal(grant->agent, "corrections");
            assert_int_equal(grant->write.update_count, 1);
            assert_int_equal(grant->write.insert_count, 0);
            assert_false(grant->write.deletes);
            assert_string_equal(
                policy->datasets[grant->dataset].columns[grant->write.update[0]].name, "phone");
        }
    assert_int_equal(writes, 1);
    const struct policy_partner *ringway = policy_find_partner(policy, "ringway");
    assert_false(policy_agent_writes(ringway, &ringway->agents[0]));
    assert_true(policy_agent_writes(ringway, &ringway->agents[1]));
}

/* An agent whose grants are all bound to purposes must not have to choose among several. */
static void agents_have_one_purpose(void **state)
{
    for (size_t p = 0; p < policy->partner_count; p++) {
        const struct policy_partner *partner = &policy->partners[p];
        for (size_t a = 0; a < partner->agent_count; a++) {
            const char *purpose = NULL;
            for (size_t g = 0; g < partner->grant_count; g++) {
                const struct policy_grant *grant = &partner->grants[g];
                bool other =
                    grant->agent != NULL && strcmp(grant->agent, partner->agents[a].name) != 0;
                if (other || grant->purpose == NULL)
                    continue;
                if (purpose != NULL)
                    assert_string_equal(grant->purpose, purpose);
                purpose = grant->purpose;
            }
        }
    }
}

static void service_lines_lead_to_owners(void **state)
{
    const struct policy_dataset *line = policy_find_dataset(policy, "service_line");
    assert_int_equal(line->subjects[0].hop_count, 2);
    assert_string_equal(line->subjects[0].key, "owner_id");
    assert_string_equal(policy->datasets[line->subjects[0].hops[1].dataset].name, "vehicle");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_the_four_partners),
        cmocka_unit_test(nobody_gets_money_or_secrets),
        cmocka_unit_test(the_call_centre_corrects_a_number),
        cmocka_unit_test(agents_have_one_purpose),
        cmocka_unit_test(service_lines_lead_to_owners),
    };
    return cmocka_run_group_tests(tests, load, release);
}
