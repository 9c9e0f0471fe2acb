/* How the rows of a dataset lead to people: by a key of its own, or along foreign keys to a
 * dataset that has one. A path never visits a dataset twice, and ends at a key. */
#include "policy/loader.h"

#include <string.h>

static enum policy_when_null load_when_null(struct loader *loader, struct fy_node *node)
{
    static const char *const words[] = {[POLICY_NULL_HIDE] = "hide",
                                        [POLICY_NULL_NONE] = "none",
                                        [POLICY_NULL_REFUSE] = "refuse",
                                        NULL};
    const char *text = yaml_text(&loader->yaml, node);
    for (int i = POLICY_NULL_HIDE; i <= POLICY_NULL_REFUSE; i++)
        if (strcmp(words[i], text) == 0)
            return (enum policy_when_null)i;
    yaml_fail_word(&loader->yaml, node, "choice", text, words);
    return POLICY_NULL_HIDE;
}

/* on: column, the same on both sides; or on: {child: parent}. */
static void load_on(struct loader *loader, struct fy_node *node, struct policy_hop *hop)
{
    struct yaml *yaml = &loader->yaml;
    if (!yaml_is_map(node)) {
        hop->child_column = hop->parent_column = yaml_text(yaml, node);
        check_identifier(loader, node, hop->child_column);
        return;
    }
    struct yaml_items items = yaml_map_items(yaml, node);
    if (items.count != 1)
        yaml_fail(yaml, node, "write on: column, or on: {child_column: parent_column}",
                  "a step follows exactly one pair of columns");
    if (!yaml_next(yaml, &items))
        return;
    hop->child_column = items.name;
    hop->parent_column = yaml_text(yaml, items.value);
    check_identifier(loader, node, hop->child_column);
    check_identifier(loader, node, hop->parent_column);
}

/* The step must lead to a dataset that the path has not been at. */
static void check_step(struct loader *loader, struct fy_node *node, size_t start,
                       const struct policy_hop *hops, size_t at)
{
    bool again = hops[at].dataset == start;
    for (size_t i = 0; i < at; i++)
        again = again || hops[i].dataset == hops[at].dataset;
    if (again)
        yaml_fail(&loader->yaml, node, NULL, "the path comes back to dataset %s",
                  loader->policy->datasets[hops[at].dataset].name);
}

static void load_hops(struct loader *loader, size_t start, struct fy_node *node,
                      struct policy_subject *subject)
{
    static const char *const keys[] = {"dataset", "on", NULL};
    struct yaml *yaml = &loader->yaml;
    struct yaml_items items = yaml_one_or_more(yaml, node);
    struct policy_hop *hops = yaml_array(yaml, struct policy_hop, items.count);
    if (hops == NULL)
        return;
    size_t count = 0;
    for (; yaml_next(yaml, &items); count++) {
        yaml_keys(yaml, items.value, keys);
        struct fy_node *dataset = yaml_need(yaml, items.value, "dataset");
        hops[count].dataset = find_dataset(loader, dataset, yaml_text(yaml, dataset));
        load_on(loader, yaml_need(yaml, items.value, "on"), &hops[count]);
        if (!yaml_failed(yaml))
            check_step(loader, dataset, start, hops, count);
    }
    if (count == 0)
        yaml_fail(yaml, node, "leave via out where the key is in the dataset itself",
                  "a path without a step");
    subject->hops = hops;
    subject->hop_count = count;
}

/* Takes key and when_null from the one subject of the same kind at the path's end. */
static void inherit_key(struct loader *loader, struct fy_node *node, struct policy_subject *subject)
{
    const struct policy *policy = loader->policy;
    const struct policy_dataset *end =
        &policy->datasets[subject->hops[subject->hop_count - 1].dataset];
    const char *kind = policy->kinds[subject->kind].name;
    size_t found = 0;
    for (size_t i = 0; i < end->subject_count; i++) {
        const struct policy_subject *candidate = &end->subjects[i];
        if (candidate->key == NULL || candidate->hop_count > 0 || candidate->kind != subject->kind)
            continue;
        subject->key = candidate->key;
        subject->when_null = candidate->when_null;
        found++;
    }
    if (found == 0)
        yaml_fail(&loader->yaml, node, "go on with further steps, or name the key's column: key: …",
                  "the path ends at dataset %s, which holds no key of a %s", end->name, kind);
    if (found > 1)
        yaml_fail(&loader->yaml, node, "name the one that is meant: key: …",
                  "the path ends at dataset %s, which holds several keys of a %s", end->name, kind);
}

static void load_subject(struct loader *loader, struct policy_dataset *dataset,
                         struct fy_node *node, struct policy_subject *subject)
{
    struct yaml *yaml = &loader->yaml;
    struct fy_node *kind = yaml_need(yaml, node, "kind"), *via = yaml_get(yaml, node, "via");
    struct fy_node *key = yaml_get(yaml, node, "key"), *when = yaml_get(yaml, node, "when_null");
    subject->kind = find_kind(loader, kind, yaml_text(yaml, kind));
    if (via != NULL)
        load_hops(loader, (size_t)(dataset - loader->datasets), via, subject);
    if (key == NULL && via == NULL)
        yaml_fail(yaml, node, NULL,
                  "key \"key\" is missing: the column that identifies the person");
    if (yaml_failed(yaml))
        return;
    if (key == NULL)
        inherit_key(loader, node, subject);
    if (when != NULL)
        subject->when_null = load_when_null(loader, when);
    if (key == NULL)
        return;
    const char *column = yaml_text(yaml, key);
    check_identifier(loader, key, column);
    subject->key = column;
}

static bool same_path(const struct policy_subject *a, const struct policy_subject *b)
{
    if (a->kind != b->kind || a->hop_count != b->hop_count || strcmp(a->key, b->key) != 0)
        return false;
    for (size_t i = 0; i < a->hop_count; i++)
        if (a->hops[i].dataset != b->hops[i].dataset ||
            strcmp(a->hops[i].child_column, b->hops[i].child_column) != 0)
            return false;
    return true;
}

static void check_distinct(struct loader *loader, const struct policy_dataset *dataset,
                           struct fy_node *node)
{
    for (size_t i = 0; i < dataset->subject_count; i++)
        for (size_t j = 0; j < i; j++)
            if (same_path(&dataset->subjects[i], &dataset->subjects[j]))
                yaml_fail(&loader->yaml, node, NULL, "the same subject is given twice");
}

void load_subjects(struct loader *loader, struct policy_dataset *dataset, struct fy_node *node,
                   bool paths)
{
    static const char *const keys[] = {"kind", "key", "via", "when_null", NULL};
    struct yaml *yaml = &loader->yaml;
    if (yaml_failed(yaml))
        return;
    if (!yaml_is_map(node) && !yaml_is_list(node)) {
        if (strcmp(yaml_text(yaml, node), "none") != 0)
            yaml_fail(yaml, node, "write none, or {kind: customer, key: customer_id}",
                      "whose data is this?");
        return;
    }
    struct yaml_items items = yaml_one_or_more(yaml, node);
    if (items.count == 0)
        yaml_fail(yaml, node, NULL, "an empty list: write none for data about nobody");
    struct policy_subject **own = &loader->subjects[dataset - loader->datasets];
    if (*own == NULL)
        *own = yaml_array(yaml, struct policy_subject, items.count);
    struct policy_subject *subjects = *own;
    dataset->subjects = subjects;
    dataset->subject_count = subjects == NULL ? 0 : items.count;
    for (size_t i = 0; subjects != NULL && yaml_next(yaml, &items); i++) {
        yaml_keys(yaml, items.value, keys);
        if ((yaml_get(yaml, items.value, "via") != NULL) == paths)
            load_subject(loader, dataset, items.value, &subjects[i]);
    }
    if (paths && !yaml_failed(yaml))
        check_distinct(loader, dataset, node);
}

void check_kinds(struct loader *loader, struct fy_node *node)
{
    struct yaml *yaml = &loader->yaml;
    struct yaml_items items = yaml_map_items(yaml, node);
    for (size_t k = 0; yaml_next(yaml, &items); k++) {
        struct policy_kind *kind = &loader->kinds[k];
        size_t index = find_dataset(loader, yaml_get(yaml, items.value, "dataset"), kind->dataset);
        if (yaml_failed(yaml))
            return;
        const struct policy_dataset *dataset = &loader->datasets[index];
        bool holds = false;
        for (size_t i = 0; i < dataset->subject_count; i++)
            holds =
                holds || (dataset->subjects[i].kind == k && dataset->subjects[i].hop_count == 0 &&
                          strcmp(dataset->subjects[i].key, kind->key) == 0);
        if (!holds)
            yaml_fail(yaml, items.key, "both must name the same key column",
                      "dataset %s does not say subject: {kind: %s, key: %s}", kind->dataset,
                      kind->name, kind->key);
        check_contact(loader, yaml_get(yaml, items.value, "contact"), &kind->contact, dataset);
    }
}
