/* Partners: contract, purposes, bounds; their agents and grants have files of their own. */
#include "policy/loader.h"

#include <stdlib.h>
#include <string.h>

static void load_contract(struct loader *loader, struct fy_node *node,
                          struct policy_partner *partner)
{
    static const char *const keys[] = {"agreement", "breach_contact", "sub_processors", "posture",
                                       NULL};
    static const char *const contact_keys[] = {"name", "phone", "email", NULL};
    static const char *const posture_keys[] = {"attested", "expires", NULL};
    struct yaml *yaml = &loader->yaml;
    partner->posture_attested_ns = INT64_MIN;
    partner->posture_expires_ns = INT64_MAX;
    if (node == NULL)
        return;
    yaml_keys(yaml, node, keys);
    partner->agreement = yaml_text_at(yaml, node, "agreement", NULL);
    partner->sub_processors =
        yaml_texts(yaml, yaml_get(yaml, node, "sub_processors"), &partner->sub_processor_count);
    struct fy_node *contact = yaml_get(yaml, node, "breach_contact");
    if (contact != NULL) {
        yaml_keys(yaml, contact, contact_keys);
        partner->breach_contact_name = yaml_text_at(yaml, contact, "name", NULL);
        partner->breach_contact_phone = yaml_text_at(yaml, contact, "phone", NULL);
        partner->breach_contact_email = yaml_text_at(yaml, contact, "email", NULL);
    }
    struct fy_node *posture = yaml_get(yaml, node, "posture");
    if (posture == NULL)
        return;
    yaml_keys(yaml, posture, posture_keys);
    struct fy_node *attested = yaml_get(yaml, posture, "attested");
    if (attested != NULL)
        partner->posture_attested_ns = load_instant(loader, attested, false);
    partner->posture_expires_ns = load_instant(loader, yaml_need(yaml, posture, "expires"), true);
    if (partner->posture_attested_ns >= partner->posture_expires_ns)
        yaml_fail(yaml, posture, NULL, "expires before it was attested");
}

static void load_purposes(struct loader *loader, struct fy_node *node,
                          struct policy_partner *partner)
{
    struct yaml *yaml = &loader->yaml;
    partner->purposes = yaml_texts(yaml, node, &partner->purpose_count);
    if (partner->purpose_count == 0)
        yaml_fail(yaml, node, "purposes: [recall mailing]", "nobody may look without a purpose");
    for (size_t i = 0; i < partner->purpose_count; i++)
        for (size_t j = 0; j < i && !yaml_failed(yaml); j++)
            if (strcmp(partner->purposes[i], partner->purposes[j]) == 0)
                yaml_fail(yaml, node, NULL, "purpose \"%.60s\" is given twice",
                          partner->purposes[i]);
}

static enum policy_mode load_mode(struct loader *loader, struct fy_node *node)
{
    static const char *const words[] = {"rows", "aggregates", NULL};
    if (node == NULL)
        return POLICY_MODE_ROWS;
    const char *text = yaml_text(&loader->yaml, node);
    if (strcmp(text, words[POLICY_MODE_ROWS]) == 0)
        return POLICY_MODE_ROWS;
    if (strcmp(text, words[POLICY_MODE_AGGREGATES]) != 0)
        yaml_fail_word(&loader->yaml, node, "mode", text, words);
    return POLICY_MODE_AGGREGATES;
}

/* The column must be one the partner can see whole: a masked value pins nobody down. */
static void check_pinnable(struct loader *loader, const struct policy_partner *partner,
                           const struct policy_lookup *lookup, struct fy_node *node)
{
    bool granted = false, pinnable = false;
    for (size_t g = 0; g < partner->grant_count; g++) {
        const struct policy_grant *grant = &partner->grants[g];
        const struct policy_column *columns = loader->datasets[grant->dataset].columns;
        granted = granted || grant->dataset == lookup->dataset;
        for (size_t c = 0; c < grant->column_count; c++)
            pinnable =
                pinnable || (grant->dataset == lookup->dataset &&
                             strcmp(columns[grant->columns[c].column].name, lookup->column) == 0 &&
                             grant->columns[c].form != POLICY_FORM_MASKED);
    }
    const char *dataset = loader->datasets[lookup->dataset].name;
    if (!granted)
        yaml_fail(&loader->yaml, node, NULL, "dataset %s is not granted to this partner", dataset);
    else if (!pinnable)
        yaml_fail(&loader->yaml, node, "grant it as clear or token",
                  "column %s.%s is not granted to this partner in a form that it could pin",
                  dataset, lookup->column);
}

static void load_lookups(struct loader *loader, struct fy_node *node,
                         struct policy_partner *partner)
{
    struct yaml *yaml = &loader->yaml;
    struct yaml_items items = yaml_one_or_more(yaml, node);
    struct policy_lookup *lookups = yaml_array(yaml, struct policy_lookup, items.count);
    if (node != NULL && items.count == 0)
        yaml_fail(yaml, node, "leave lookup_by out", "an empty list pins nothing");
    while (lookups != NULL && yaml_next(yaml, &items)) {
        struct policy_lookup *lookup = &lookups[partner->lookup_count++];
        const char *text = yaml_text(yaml, items.value), *dot = strchr(text, '.');
        if (dot == NULL) {
            yaml_fail(yaml, items.value, NULL,
                      "write dataset.column, such as vehicle.registration");
            return;
        }
        const char *name = yaml_printf(yaml, "%.*s", (int)(dot - text), text);
        lookup->dataset = find_dataset(loader, items.value, name);
        if (yaml_failed(yaml))
            return;
        find_column(loader, items.value, &loader->datasets[lookup->dataset], dot + 1);
        lookup->column = dot + 1;
        if (!yaml_failed(yaml))
            check_pinnable(loader, partner, lookup, items.value);
    }
    partner->lookup_by = lookups;
}

/* "400d": how long a statistic that has been given is held against new ones. */
static uint32_t load_remember(struct yaml *yaml, struct fy_node *node)
{
    enum { LEAST = 1, DEFAULT = 400, MOST = 36500, DIGITS = 5 };
    if (node == NULL)
        return DEFAULT;
    const char *text = yaml_text(yaml, node);
    size_t digits = strspn(text, "0123456789");
    unsigned long days = digits == 0 || digits > DIGITS ? 0 : strtoul(text, NULL, 10);
    if (strcmp(text + digits, "d") != 0 || days < LEAST || days > MOST)
        yaml_fail(yaml, node, "as in 400d: statistics given longer ago are no longer compared",
                  "remember is a number of days, from %dd to %dd", LEAST, MOST);
    return (uint32_t)days;
}

/* A partner of rows may see the very person that a difference tells of: it is charged for it. */
static void load_aggregates(struct loader *loader, struct fy_node *node,
                            struct policy_partner *partner)
{
    static const char *const keys[] = {"min_subjects", "differencing", "remember", NULL};
    static const char *const words[] = {"refuse", "charge", NULL};
    struct yaml *yaml = &loader->yaml;
    if (node != NULL)
        yaml_keys(yaml, node, keys);
    partner->min_subjects = (uint32_t)yaml_number_at(yaml, node, "min_subjects", 2, 1000000, 10);
    partner->differencing = partner->mode == POLICY_MODE_AGGREGATES ? POLICY_DIFFERENCING_REFUSE
                                                                    : POLICY_DIFFERENCING_CHARGE;
    partner->remember_days = load_remember(yaml, yaml_get(yaml, node, "remember"));
    struct fy_node *differencing = yaml_get(yaml, node, "differencing");
    if (differencing == NULL)
        return;
    const char *text = yaml_text(yaml, differencing);
    if (strcmp(text, words[POLICY_DIFFERENCING_REFUSE]) == 0)
        partner->differencing = POLICY_DIFFERENCING_REFUSE;
    else if (strcmp(text, words[POLICY_DIFFERENCING_CHARGE]) == 0)
        partner->differencing = POLICY_DIFFERENCING_CHARGE;
    else
        yaml_fail_word(yaml, differencing, "differencing", text, words);
}

/* Who restores it once it is contained: one of the staff, or one who proposes and another. */
static uint16_t load_restore(struct yaml *yaml, struct fy_node *node)
{
    static const char *const keys[] = {"approvals", NULL};
    if (node != NULL)
        yaml_keys(yaml, node, keys);
    return (uint16_t)yaml_number_at(yaml, node, "approvals", 1, 2, 1);
}

static void load_partner(struct loader *loader, struct yaml_items *item,
                         struct policy_partner *partner)
{
    static const char *const keys[] = {"contract", "purposes",  "agents",     "valid",  "grants",
                                       "mode",     "lookup_by", "aggregates", "budget", "anomalies",
                                       "alarms",   "restore",   NULL};
    struct yaml *yaml = &loader->yaml;
    struct fy_node *node = item->value;
    check_name(loader, item->key, "partner", item->name);
    yaml_keys(yaml, node, keys);
    partner->name = item->name;
    partner->line = yaml_line(item->key);
    load_contract(loader, yaml_get(yaml, node, "contract"), partner);
    load_purposes(loader, yaml_need(yaml, node, "purposes"), partner);
    load_agents(loader, partner, yaml_get(yaml, node, "agents"));
    load_valid(loader, yaml_get(yaml, node, "valid"), &partner->valid_from_ns,
               &partner->valid_until_ns);
    partner->mode = load_mode(loader, yaml_get(yaml, node, "mode"));
    struct policy_grant *grants = load_grants(loader, partner, yaml_get(yaml, node, "grants"));
    load_lookups(loader, yaml_get(yaml, node, "lookup_by"), partner);
    load_aggregates(loader, yaml_get(yaml, node, "aggregates"), partner);
    load_budget(loader, yaml_get(yaml, node, "budget"), partner);
    load_alarms(loader, yaml_get(yaml, node, "alarms"), &partner->alarms);
    partner->restore_approvals = load_restore(yaml, yaml_get(yaml, node, "restore"));
    load_anomalies(loader, yaml_get(yaml, node, "anomalies"), &partner->anomalies);
    load_marks(loader, partner, grants);
}

void load_partners(struct loader *loader, struct fy_node *node)
{
    struct yaml_items items = yaml_map_items(&loader->yaml, node);
    struct policy_partner *partners = yaml_array(&loader->yaml, struct policy_partner, items.count);
    if (partners == NULL)
        return;
    loader->policy->partners = partners;
    while (yaml_next(&loader->yaml, &items))
        load_partner(loader, &items, &partners[loader->policy->partner_count++]);
}
