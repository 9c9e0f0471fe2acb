/* Budgets: bounds on people, rows, probes and errors, and the list of named limits. */
#include "policy/loader.h"

#include <string.h>

static const uint64_t MOST = 1000000000000;

const char *const policy_windows[] = {"day", "week", "month", "24h", "7d", "30d", "ever", NULL};
static const char *const forms[] = {"clear", "masked", "token", NULL};

/* Index of the text among the words; fails at the node where it is none of them. */
static int word_at(struct yaml *yaml, struct fy_node *node, const char *what,
                   const char *const *words)
{
    const char *text = yaml_text(yaml, node);
    for (int i = 0; words[i] != NULL; i++)
        if (strcmp(words[i], text) == 0)
            return i;
    yaml_fail_word(yaml, node, what, text, words);
    return 0;
}

static void load_category(struct yaml *yaml, struct fy_node *node, struct policy_limit *limit)
{
    if (node == NULL)
        return;
    limit->category = yaml_text(yaml, node);
    if (strncmp(limit->category, "x_", 2) != 0)
        word_at(yaml, node, "category", policy_categories);
}

static void load_agent(struct yaml *yaml, struct fy_node *node,
                       const struct policy_partner *partner, struct policy_limit *limit)
{
    if (node == NULL)
        return;
    limit->agent = yaml_text(yaml, node);
    for (size_t i = 0; i < partner->agent_count; i++)
        if (strcmp(partner->agents[i].name, limit->agent) == 0)
            return;
    yaml_fail(yaml, node, "name one of the partner's agents", "the partner has no agent \"%.60s\"",
              limit->agent);
}

static void load_purpose(struct loader *loader, struct fy_node *node,
                         const struct policy_partner *partner, struct policy_limit *limit)
{
    if (node == NULL)
        return;
    limit->purpose = yaml_text(&loader->yaml, node);
    check_member(loader, node, "purpose", limit->purpose, partner->purposes,
                 partner->purpose_count);
}

static void check_limit_name(struct loader *loader, struct fy_node *node,
                             const struct policy_budget *budget, const char *name)
{
    struct yaml *yaml = &loader->yaml;
    check_name(loader, node, "limit", name);
    if (strcmp(name, "per_day") == 0 || strcmp(name, "total") == 0)
        yaml_fail(yaml, node, "choose another name", "%s is the name of a limit under subjects",
                  name);
    for (size_t i = 0; i < budget->limit_count && !yaml_failed(yaml); i++)
        if (strcmp(budget->limits[i].name, name) == 0)
            yaml_fail(yaml, node, NULL, "limit \"%.60s\" is given twice", name);
}

static void load_limit(struct loader *loader, struct fy_node *node,
                       const struct policy_partner *partner, struct policy_limit *limit)
{
    static const char *const keys[] = {"name", "subjects", "per",     "category",
                                       "form", "agent",    "purpose", NULL};
    struct yaml *yaml = &loader->yaml;
    yaml_keys(yaml, node, keys);
    limit->name = yaml_need_text(yaml, node, "name");
    check_limit_name(loader, yaml_get(yaml, node, "name"), &partner->budget, limit->name);
    limit->subjects = yaml_number(yaml, yaml_need(yaml, node, "subjects"), 1, MOST);
    limit->window =
        (enum policy_window)word_at(yaml, yaml_need(yaml, node, "per"), "window", policy_windows);
    load_category(yaml, yaml_get(yaml, node, "category"), limit);
    load_agent(yaml, yaml_get(yaml, node, "agent"), partner, limit);
    load_purpose(loader, yaml_get(yaml, node, "purpose"), partner, limit);
    struct fy_node *form = yaml_get(yaml, node, "form");
    limit->has_form = form != NULL;
    if (form != NULL)
        limit->form = (enum policy_form)word_at(yaml, form, "form", forms);
}

static void load_limit_list(struct loader *loader, struct fy_node *node,
                            struct policy_partner *partner)
{
    struct yaml *yaml = &loader->yaml;
    if (node == NULL)
        return;
    struct yaml_items items = yaml_list_items(yaml, node);
    struct policy_limit *limits = yaml_array(yaml, struct policy_limit, items.count);
    if (items.count > POLICY_LIMITS_MAX)
        yaml_fail(yaml, node, NULL, "more than %d limits", POLICY_LIMITS_MAX);
    partner->budget.limits = limits;
    while (limits != NULL && yaml_next(yaml, &items)) {
        load_limit(loader, items.value, partner, &limits[partner->budget.limit_count]);
        partner->budget.limit_count++;
    }
}

static void load_zone_at(struct loader *loader, struct fy_node *zone, struct policy_budget *budget)
{
    struct yaml *yaml = &loader->yaml;
    if (zone == NULL)
        return;
    budget->zone_name = yaml_text(yaml, zone);
    if (!yaml_failed(yaml) && strcmp(budget->zone_name, "UTC") != 0)
        budget->zone = load_zone(loader, zone, budget->zone_name);
}

void load_budget(struct loader *loader, struct fy_node *node, struct policy_partner *partner)
{
    static const char *const keys[] = {"subjects",       "rows_per_statement",
                                       "probes_per_day", "errors_per_day",
                                       "time_zone",      "limits",
                                       "warn_at",        NULL};
    static const char *const subject_keys[] = {"per_day", "total", NULL};
    struct yaml *yaml = &loader->yaml;
    struct policy_budget *budget = &partner->budget;
    *budget = (struct policy_budget){
        .probes_per_day = 200, .errors_per_day = 20, .warn_at = POLICY_WARN_AT};
    if (node == NULL)
        return;
    yaml_keys(yaml, node, keys);
    struct fy_node *subjects = yaml_get(yaml, node, "subjects");
    if (subjects != NULL)
        yaml_keys(yaml, subjects, subject_keys);
    budget->subjects_per_day = yaml_number_at(yaml, subjects, "per_day", 1, MOST, 0);
    budget->subjects_total = yaml_number_at(yaml, subjects, "total", 1, MOST, 0);
    budget->rows_per_statement = yaml_number_at(yaml, node, "rows_per_statement", 1, MOST, 0);
    budget->probes_per_day = yaml_number_at(yaml, node, "probes_per_day", 1, MOST, 200);
    budget->errors_per_day = yaml_number_at(yaml, node, "errors_per_day", 1, MOST, 20);
    budget->warn_at = (unsigned)yaml_number_at(yaml, node, "warn_at", 1, 100, POLICY_WARN_AT);
    if (budget->subjects_total != 0 && budget->subjects_per_day > budget->subjects_total)
        yaml_fail(yaml, subjects, NULL, "more subjects per day than in total");
    load_zone_at(loader, yaml_get(yaml, node, "time_zone"), budget);
    load_limit_list(loader, yaml_get(yaml, node, "limits"), partner);
}
