/* alarms: of a partner: which of them contain, and why some cannot. */
#include "policy/loader.h"

#include <string.h>

/* One and the same key may stand for several rules: what is said of one holds for all. */
const struct policy_alarm_rule policy_alarm_rules[] = {
    {.rule = "canary-looked-up", .key = "canary"},
    {.rule = "canary-crossed", .key = "canary"},
    {.rule = "budget-warning", .key = "budget_warning"},
    {.rule = "revoked-credential", .key = "revoked_credential"},
    {.rule = "token-replayed", .key = "token_replayed"},
    {.rule = "certificate-two-holders", .key = "two_holders"},
    {.rule = "login-failures",
     .key = "login_failures",
     .never = "whoever knows an agent's name could have it cut off, since a login that fails "
              "proves nothing",
     .hint =
         "write tell: who fails waits longer each time, and `cofferdam agent backoff` shows it"},
    {.rule = "canary-mailed",
     .key = "canary_mailed",
     .never = "whoever has one of the addresses could have the partner cut off, since anybody may "
              "send mail in any name",
     .hint = "write tell, and look at what came before `cofferdam partner contain`"},
    {.rule = "alarms-lost",
     .key = "alarms_lost",
     .never = "it is about no partner",
     .hint = "leave it out: what the lost ones were to contain is contained"},
    {.rule = "test",
     .key = "test",
     .never = "it is about no partner",
     .hint = "leave it out: `cofferdam alarm test` raises it"},
    {.key = NULL},
};

const struct policy_alarm_rule *policy_alarm_rule_of(const char *rule)
{
    for (const struct policy_alarm_rule *at = policy_alarm_rules; at->key != NULL; at++)
        if (strcmp(at->rule, rule) == 0)
            return at;
    return NULL;
}

static enum policy_alarm load_one(struct yaml *yaml, struct fy_node *map, const char *key)
{
    static const char *const words[] = {[POLICY_ALARM_TELL] = "tell",
                                        [POLICY_ALARM_CONTAIN_AGENT] = "contain-agent",
                                        [POLICY_ALARM_CONTAIN] = "contain",
                                        NULL};
    struct fy_node *node = yaml_get(yaml, map, key);
    if (node == NULL)
        return POLICY_ALARM_TELL;
    const char *text = yaml_text(yaml, node);
    for (size_t i = 0; words[i] != NULL; i++)
        if (strcmp(words[i], text) == 0)
            return (enum policy_alarm)i;
    yaml_fail_word(yaml, node, "choice", text, words);
    return POLICY_ALARM_TELL;
}

/* Rules by which a stranger could have a partner locked out tell, and nothing else. */
static void refuse_never(struct yaml *yaml, struct fy_node *map)
{
    for (const struct policy_alarm_rule *rule = policy_alarm_rules; rule->key != NULL; rule++)
        if (rule->never != NULL && load_one(yaml, map, rule->key) != POLICY_ALARM_TELL)
            yaml_fail(yaml, yaml_get(yaml, map, rule->key), rule->hint, "%s cannot contain: %s",
                      rule->key, rule->never);
}

void load_alarms(struct loader *loader, struct fy_node *node, struct policy_alarms *alarms)
{
    const char *keys[sizeof policy_alarm_rules / sizeof policy_alarm_rules[0]];
    struct yaml *yaml = &loader->yaml;
    size_t count = 0;
    if (node == NULL)
        return;
    for (const struct policy_alarm_rule *rule = policy_alarm_rules; rule->key != NULL; rule++)
        keys[count++] = rule->key;
    keys[count] = NULL;
    yaml_keys(yaml, node, keys);
    alarms->canary = load_one(yaml, node, "canary");
    alarms->budget_warning = load_one(yaml, node, "budget_warning");
    alarms->revoked_credential = load_one(yaml, node, "revoked_credential");
    alarms->token_replayed = load_one(yaml, node, "token_replayed");
    alarms->two_holders = load_one(yaml, node, "two_holders");
    refuse_never(yaml, node);
}
