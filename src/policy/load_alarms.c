/* alarms: of a partner: which of them contain. */
#include "policy/loader.h"

#include <string.h>

static enum policy_alarm load_one(struct yaml *yaml, struct fy_node *node)
{
    static const char *const words[] = {[POLICY_ALARM_TELL] = "tell",
                                        [POLICY_ALARM_CONTAIN_AGENT] = "contain-agent",
                                        [POLICY_ALARM_CONTAIN] = "contain",
                                        NULL};
    if (node == NULL)
        return POLICY_ALARM_TELL;
    const char *text = yaml_text(yaml, node);
    for (size_t i = 0; words[i] != NULL; i++)
        if (strcmp(words[i], text) == 0)
            return (enum policy_alarm)i;
    yaml_fail_word(yaml, node, "choice", text, words);
    return POLICY_ALARM_TELL;
}

/* Rules by which a stranger could lock a partner out are not among the keys. */
void load_alarms(struct loader *loader, struct fy_node *node, struct policy_alarms *alarms)
{
    static const char *const keys[] = {"canary", "budget_warning", NULL};
    struct yaml *yaml = &loader->yaml;
    if (node == NULL)
        return;
    yaml_keys(yaml, node, keys);
    alarms->canary = load_one(yaml, yaml_get(yaml, node, "canary"));
    alarms->budget_warning = load_one(yaml, yaml_get(yaml, node, "budget_warning"));
}
