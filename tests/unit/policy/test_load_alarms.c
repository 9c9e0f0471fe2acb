/* alarms: of a partner. Every rule that the program knows either can be made to contain, or the
 * policy that asks for it is refused with the reason; the manual names them all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "fixture.h"

static struct buffer manual, rules; /* cofferdam-policy(5); the header that names the rules */

static int read_texts(void **state)
{
    struct error error = {0};
    buffer_init(&manual, 1024 * 1024);
    buffer_init(&rules, 1024 * 1024);
    if (file_read(MANUAL, &manual, &error) != STATUS_OK ||
        file_read(ALARM_RULES, &rules, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return buffer_text(&manual) == NULL || buffer_text(&rules) == NULL;
}

static int free_texts(void **state)
{
    buffer_free(&manual);
    buffer_free(&rules);
    return 0;
}

static const char *write_policy(const char *key, const char *word)
{
    static char text[4096];
    snprintf(text, sizeof text, PARTNER "    alarms: {%s: %s}\n", key, word);
    return text;
}

static struct policy_alarms load(const char *key, const char *word)
{
    const struct policy *policy = fixture_load(write_policy(key, word));
    struct policy_alarms alarms = policy->partners[0].alarms;
    policy_release(policy);
    return alarms;
}

static unsigned sum(const struct policy_alarms *alarms)
{
    return alarms->canary + alarms->budget_warning + alarms->revoked_credential +
           alarms->token_replayed + alarms->two_holders;
}

static void each_rule_contains_or_says_why_not(void **state)
{
    for (const struct policy_alarm_rule *rule = policy_alarm_rules; rule->key != NULL; rule++) {
        struct policy_alarms told = load(rule->key, "tell");
        assert_int_equal(sum(&told), 3 * POLICY_ALARM_TELL);
        if (rule->never == NULL) {
            struct policy_alarms agent = load(rule->key, "contain-agent");
            struct policy_alarms partner = load(rule->key, "contain");
            assert_int_equal(sum(&agent), POLICY_ALARM_CONTAIN_AGENT);
            assert_int_equal(sum(&partner), POLICY_ALARM_CONTAIN);
        } else {
            assert_true(strlen(rule->hint) > 0);
            fixture_refuse(write_policy(rule->key, "contain"), rule->never, rule->hint);
            fixture_refuse(write_policy(rule->key, "contain-agent"), "cannot contain", NULL);
        }
    }
    fixture_refuse(write_policy("canary", "yes"), "yes", NULL);
    fixture_refuse(write_policy("canaries", "tell"), "canaries", NULL);
}

static void each_anomaly_can_contain(void **state)
{
    char text[4096];
    for (int i = 0; i < POLICY_ANOMALIES; i++) {
        snprintf(text, sizeof text, PARTNER "    anomalies: {%s: {contain: true}}\n",
                 policy_anomaly_names[i]);
        const struct policy *policy = fixture_load(text);
        assert_true(policy->partners[0].anomalies.rules[i].contain);
        policy_release(policy);
    }
}

/* "rule" of each #define ALARM_… "rule", but for the names of acts; false behind the last. */
static bool next_rule(const char **at, char rule[static 64])
{
    static const char define[] = "#define ALARM_";
    while ((*at = strstr(*at, define)) != NULL) {
        *at += sizeof define - 1;
        const char *line = *at;
        if (strncmp(line, "ACT", 3) != 0 && sscanf(line, "%*[A-Z_] \"%63[^\"]\"", rule) == 1)
            return true;
    }
    return false;
}

static bool is_code(const char *rule)
{
    char quoted[80];
    snprintf(quoted, sizeof quoted, "\"%s\"", rule);
    return strstr(buffer_text(&rules), quoted) != NULL;
}

static void the_table_has_the_rules_of_the_code_and_no_others(void **state)
{
    char rule[64];
    const char *at = buffer_text(&rules);
    size_t count = 0, known = 0;
    for (; next_rule(&at, rule); count++)
        if (policy_alarm_rule_of(rule) == NULL)
            fail_msg("the policy does not know the rule %s", rule);
    for (const struct policy_alarm_rule *row = policy_alarm_rules; row->key != NULL; row++, known++)
        if (!is_code(row->rule))
            fail_msg("there is no rule %s", row->rule);
    assert_int_equal(count, known);
    assert_true(count > 5);
    assert_null(policy_alarm_rule_of("anomaly-new-hours"));
}

static void the_manual_names_each(void **state)
{
    char item[80];
    for (const struct policy_alarm_rule *row = policy_alarm_rules; row->key != NULL; row++) {
        snprintf(item, sizeof item, ".It Ic %s\n", row->key);
        bool is_key = strstr(buffer_text(&manual), item) != NULL;
        snprintf(item, sizeof item, ".Li %s", row->rule);
        if (strstr(buffer_text(&manual), item) == NULL || is_key != (row->never == NULL))
            fail_msg("cofferdam-policy(5) is not right about %s", row->rule);
    }
    for (int i = 0; i < POLICY_ANOMALIES; i++)
        assert_non_null(strstr(buffer_text(&manual), policy_anomaly_names[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_contains_or_says_why_not),
        cmocka_unit_test(each_anomaly_can_contain),
        cmocka_unit_test(the_table_has_the_rules_of_the_code_and_no_others),
        cmocka_unit_test(the_manual_names_each),
    };
    return cmocka_run_group_tests(tests, read_texts, free_texts);
}
