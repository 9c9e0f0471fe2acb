/* Anomalies: what counts where nothing is said, and what can be said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"

static void alarms_without_being_asked(void **state)
{
    const struct policy *policy = fixture_load(PARTNER);
    const struct policy_anomalies *anomalies = &policy->partners[0].anomalies;
    assert_int_equal(anomalies->days, 28);
    assert_int_equal(anomalies->learn, 7);
    assert_int_equal(anomalies->walk_step, 8);
    for (int i = 0; i < POLICY_ANOMALIES; i++) {
        assert_false(anomalies->rules[i].off);
        assert_false(anomalies->rules[i].contain);
        assert_int_equal(anomalies->rules[i].factor, 3);
        assert_true((anomalies->rules[i].floor > 0) == policy_anomaly_is_rate(i));
    }
    policy_release(policy);
}

static void reads_rules(void **state)
{
    const struct policy *policy =
        fixture_load(PARTNER "    anomalies:\n"
                             "      days: 14\n"
                             "      learn: 3\n"
                             "      subjects_per_hour: {floor: 9, factor: 2, contain: true}\n"
                             "      walk_per_hour: {step: 100}\n"
                             "      rows_per_hour: off\n"
                             "      new_networks: {contain: true}\n");
    const struct policy_anomalies *anomalies = &policy->partners[0].anomalies;
    const struct policy_anomaly_rule *rules = anomalies->rules;
    assert_int_equal(anomalies->days, 14);
    assert_int_equal(anomalies->learn, 3);
    assert_int_equal(anomalies->walk_step, 100);
    assert_int_equal(rules[POLICY_ANOMALY_SUBJECTS].floor, 9);
    assert_int_equal(rules[POLICY_ANOMALY_SUBJECTS].factor, 2);
    assert_true(rules[POLICY_ANOMALY_SUBJECTS].contain);
    assert_true(rules[POLICY_ANOMALY_ROWS].off);
    assert_true(rules[POLICY_ANOMALY_NETWORKS].contain);
    assert_false(rules[POLICY_ANOMALY_HOURS].contain);
    assert_int_equal(rules[POLICY_ANOMALY_WALK].floor, 100);
    policy_release(policy);
    policy = fixture_load(PARTNER "    anomalies: off\n");
    for (int i = 0; i < POLICY_ANOMALIES; i++)
        assert_true(policy->partners[0].anomalies.rules[i].off);
    policy_release(policy);
}

static void refuses_what_means_nothing(void **state)
{
    static const char *const wrong[][2] = {
        {"anomalies: on\n", "neither off"},
        {"anomalies: {days: 0}\n", "days"},
        {"anomalies: {days: 92}\n", "days"},
        {"anomalies: {new_columns: {floor: 3}}\n", "floor"},
        {"anomalies: {rows_per_hour: {step: 3}}\n", "step"},
        {"anomalies: {rows_per_hour: {floor: 0}}\n", "floor"},
        {"anomalies: {rows_per_hour: 500}\n", "neither off nor a rule"},
        {"anomalies: {row_per_hour: off}\n", "row_per_hour"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char text[2000];
        snprintf(text, sizeof text, "%s    %s", PARTNER, wrong[i][0]);
        fixture_refuse(text, wrong[i][1], NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alarms_without_being_asked),
        cmocka_unit_test(reads_rules),
        cmocka_unit_test(refuses_what_means_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
