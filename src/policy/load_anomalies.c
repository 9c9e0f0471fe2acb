/* Anomalies: the bounds on what an agent does against its own history. */
#include "policy/loader.h"

#include <stddef.h>
#include <string.h>

enum { DAYS = 28, LEARN = 7, STEP = 8, FACTOR = 3, MOST_FACTOR = 1000, MOST_STEP = 1000 };
static const uint64_t MOST = 1000000000000;

const char *const policy_anomaly_names[] = {"subjects_per_hour",   "rows_per_hour",
                                            "statements_per_hour", "probes_per_hour",
                                            "errors_per_hour",     "walk_per_hour",
                                            "new_columns",         "new_hours",
                                            "new_networks",        NULL};

/* What an agent without a history may do: many partners' hours, few thieves'. */
static const uint64_t floors[POLICY_ANOMALIES] = {
    [POLICY_ANOMALY_SUBJECTS] = 1000,    [POLICY_ANOMALY_ROWS] = 100000,
    [POLICY_ANOMALY_STATEMENTS] = 50000, [POLICY_ANOMALY_PROBES] = 50,
    [POLICY_ANOMALY_ERRORS] = 100,       [POLICY_ANOMALY_WALK] = 100,
};

bool policy_anomaly_is_rate(enum policy_anomaly anomaly)
{
    return anomaly <= POLICY_ANOMALY_WALK;
}

static void load_rule(struct loader *loader, struct fy_node *node, enum policy_anomaly anomaly,
                      struct policy_anomalies *anomalies)
{
    static const char *const rate_keys[] = {"floor", "factor", "contain", NULL};
    static const char *const walk_keys[] = {"floor", "factor", "contain", "step", NULL};
    static const char *const new_keys[] = {"contain", NULL};
    struct yaml *yaml = &loader->yaml;
    struct policy_anomaly_rule *rule = &anomalies->rules[anomaly];
    bool is_rate = policy_anomaly_is_rate(anomaly);
    if (node == NULL)
        return;
    if (!yaml_is_map(node)) {
        rule->off = strcmp(yaml_text(yaml, node), "off") == 0;
        if (!rule->off)
            yaml_fail(yaml, node,
                      is_rate ? "write off, or {floor: 500, factor: 3, contain: true}"
                              : "write off, or {contain: true}",
                      "%s is neither off nor a rule", policy_anomaly_names[anomaly]);
        return;
    }
    yaml_keys(yaml, node,
              !is_rate                         ? new_keys
              : anomaly == POLICY_ANOMALY_WALK ? walk_keys
                                               : rate_keys);
    rule->contain = yaml_flag_at(yaml, node, "contain", false);
    if (!is_rate)
        return;
    rule->floor = yaml_number_at(yaml, node, "floor", 1, MOST, rule->floor);
    rule->factor = (uint32_t)yaml_number_at(yaml, node, "factor", 1, MOST_FACTOR, rule->factor);
    if (anomaly == POLICY_ANOMALY_WALK)
        anomalies->walk_step =
            (uint32_t)yaml_number_at(yaml, node, "step", 1, MOST_STEP, anomalies->walk_step);
}

void load_anomalies(struct loader *loader, struct fy_node *node, struct policy_anomalies *anomalies)
{
    static const char *const keys[] = {"days",
                                       "learn",
                                       "subjects_per_hour",
                                       "rows_per_hour",
                                       "statements_per_hour",
                                       "probes_per_hour",
                                       "errors_per_hour",
                                       "walk_per_hour",
                                       "new_columns",
                                       "new_hours",
                                       "new_networks",
                                       NULL};
    struct yaml *yaml = &loader->yaml;
    *anomalies = (struct policy_anomalies){.days = DAYS, .learn = LEARN, .walk_step = STEP};
    for (int i = 0; i < POLICY_ANOMALIES; i++)
        anomalies->rules[i] = (struct policy_anomaly_rule){.floor = floors[i], .factor = FACTOR};
    if (node == NULL)
        return;
    if (!yaml_is_map(node)) {
        if (strcmp(yaml_text(yaml, node), "off") != 0)
            yaml_fail(yaml, node, "anomalies: off, or rules such as new_networks: {contain: true}",
                      "anomalies is neither off nor a map of rules");
        for (int i = 0; i < POLICY_ANOMALIES; i++)
            anomalies->rules[i].off = true;
        return;
    }
    yaml_keys(yaml, node, keys);
    anomalies->days =
        (uint32_t)yaml_number_at(yaml, node, "days", 1, POLICY_ANOMALY_DAYS_MOST, anomalies->days);
    anomalies->learn = (uint32_t)yaml_number_at(yaml, node, "learn", 1, POLICY_ANOMALY_DAYS_MOST,
                                                anomalies->learn);
    for (int i = 0; i < POLICY_ANOMALIES; i++)
        load_rule(loader, yaml_get(yaml, node, policy_anomaly_names[i]), (enum policy_anomaly)i,
                  anomalies);
}
