/* Grants: which columns of which rows, in which form, for which agent and purpose.
 * Invariant: for one agent, purpose and instant at most one grant of a dataset counts. */
#include "policy/loader.h"

#include <stdlib.h>
#include <string.h>

#define SENSITIVE_HINT                                                                             \
    "write {form: clear, justification: \"why\"}, or give it as token or under a mask"

/* bucket(n), n a whole number from 2 to 9 digits long; 0 if text is something else. */
static long parse_bucket(const char *text)
{
    static const char head[] = "bucket(";
    if (strncmp(text, head, sizeof head - 1) != 0)
        return 0;
    const char *digits = text + sizeof head - 1;
    size_t count = strspn(digits, "0123456789");
    if (count == 0 || count > 9 || strcmp(digits + count, ")") != 0)
        return 0;
    long n = strtol(digits, NULL, 10);
    return n >= 2 ? n : 0;
}

static void fail_form(struct loader *loader, struct fy_node *node, const char *text)
{
    const struct policy *policy = loader->policy;
    size_t built_in = 0, at = 0;
    while (policy_builtin_masks[built_in] != NULL)
        built_in++;
    const char **words = yaml_array(&loader->yaml, const char *, built_in + policy->mask_count + 3);
    if (words == NULL)
        return;
    words[at++] = "clear";
    words[at++] = "token";
    for (size_t i = 0; i < policy->mask_count; i++)
        words[at++] = policy->masks[i].name;
    for (size_t i = 0; i < built_in; i++)
        words[at++] = policy_builtin_masks[i];
    yaml_fail_word(&loader->yaml, node, "form", text, words);
}

static void load_form(struct loader *loader, struct fy_node *node,
                      struct policy_granted_column *granted)
{
    const char *text = yaml_text(&loader->yaml, node);
    if (yaml_failed(&loader->yaml))
        return;
    granted->form = POLICY_FORM_MASKED;
    granted->bucket = parse_bucket(text);
    if (strcmp(text, "clear") == 0) {
        granted->form = POLICY_FORM_CLEAR;
    } else if (strcmp(text, "token") == 0) {
        granted->form = POLICY_FORM_TOKEN;
    } else if (granted->bucket > 0) {
        granted->mask = "bucket";
    } else if (strncmp(text, "bucket", 6) == 0 && (text[6] == '\0' || text[6] == '(')) {
        yaml_fail(&loader->yaml, node, "write bucket(10): values are rounded down to tens",
                  "\"%.40s\" does not say how wide a bucket is, at least 2", text);
    } else {
        bool known = policy_find_mask(loader->policy, text) != NULL;
        for (size_t i = 0; policy_builtin_masks[i] != NULL && !known; i++)
            known = strcmp(policy_builtin_masks[i], text) == 0;
        granted->mask = text;
        if (!known)
            fail_form(loader, node, text);
    }
}

static void check_sensitive(struct loader *loader, struct fy_node *node,
                            const struct policy_dataset *dataset,
                            const struct policy_granted_column *granted)
{
    const struct policy_column *column = &dataset->columns[granted->column];
    if (granted->form == POLICY_FORM_CLEAR && granted->justification == NULL &&
        policy_category_sensitive(column->category))
        yaml_fail(&loader->yaml, node, SENSITIVE_HINT,
                  "column %s is %s data: not in clear without a justification", column->name,
                  column->category);
}

/* columns: {name: form, name: {form: clear, justification: "…"}} */
static void load_column_map(struct loader *loader, const struct policy_dataset *dataset,
                            struct fy_node *node, struct policy_grant *grant)
{
    static const char *const keys[] = {"form", "justification", NULL};
    struct yaml *yaml = &loader->yaml;
    struct yaml_items items = yaml_map_items(yaml, node);
    struct policy_granted_column *columns =
        yaml_array(yaml, struct policy_granted_column, items.count);
    if (columns == NULL)
        return;
    grant->columns = columns;
    while (yaml_next(yaml, &items)) {
        struct policy_granted_column *granted = &columns[grant->column_count++];
        granted->column = find_column(loader, items.key, dataset, items.name);
        struct fy_node *form = items.value;
        if (yaml_is_map(items.value)) {
            yaml_keys(yaml, items.value, keys);
            form = yaml_need(yaml, items.value, "form");
            granted->justification = yaml_text_at(yaml, items.value, "justification", NULL);
        }
        load_form(loader, form, granted);
        if (!yaml_failed(yaml))
            check_sensitive(loader, items.key, dataset, granted);
    }
}

/* columns: [name, name]: each in clear */
static void load_column_list(struct loader *loader, const struct policy_dataset *dataset,
                             struct fy_node *node, struct policy_grant *grant)
{
    struct yaml *yaml = &loader->yaml;
    struct yaml_items items = yaml_list_items(yaml, node);
    struct policy_granted_column *columns =
        yaml_array(yaml, struct policy_granted_column, items.count);
    if (columns == NULL)
        return;
    grant->columns = columns;
    while (yaml_next(yaml, &items)) {
        struct policy_granted_column *granted = &columns[grant->column_count];
        const char *name = yaml_text(yaml, items.value);
        granted->column = find_column(loader, items.value, dataset, name);
        for (size_t i = 0; i < grant->column_count && !yaml_failed(yaml); i++)
            if (columns[i].column == granted->column)
                yaml_fail(yaml, items.value, NULL, "column %s is listed twice", name);
        if (!yaml_failed(yaml))
            check_sensitive(loader, items.value, dataset, granted);
        grant->column_count++;
    }
}

/* columns: all */
static void load_all_columns(struct loader *loader, const struct policy_dataset *dataset,
                             struct fy_node *node, struct policy_grant *grant)
{
    struct policy_granted_column *columns =
        yaml_array(&loader->yaml, struct policy_granted_column, dataset->column_count);
    if (columns == NULL)
        return;
    for (size_t i = 0; i < dataset->column_count; i++) {
        columns[i].column = i;
        check_sensitive(loader, node, dataset, &columns[i]);
    }
    grant->columns = columns;
    grant->column_count = dataset->column_count;
}

static void load_granted_columns(struct loader *loader, struct fy_node *node,
                                 struct policy_grant *grant)
{
    if (yaml_failed(&loader->yaml))
        return;
    const struct policy_dataset *dataset = &loader->policy->datasets[grant->dataset];
    if (yaml_is_map(node))
        load_column_map(loader, dataset, node, grant);
    else if (yaml_is_list(node))
        load_column_list(loader, dataset, node, grant);
    else if (strcmp(yaml_text(&loader->yaml, node), "all") == 0)
        load_all_columns(loader, dataset, node, grant);
    else
        yaml_fail(&loader->yaml, node, NULL, "write {column: form}, [column, column] or all");
    if (grant->column_count == 0)
        yaml_fail(&loader->yaml, node, NULL, "a grant of no columns");
}

/* ---- write: {update: [columns], insert: [columns], delete: true} ---- */

static const struct policy_granted_column *find_form(const struct policy_grant *grant,
                                                     size_t column)
{
    for (size_t i = 0; i < grant->column_count; i++)
        if (grant->columns[i].column == column)
            return &grant->columns[i];
    return NULL;
}

/* What a partner writes it must be able to read back: a masked column could otherwise be guessed by
 * writing to it, and a token could not be written at all. */
static void check_written(struct loader *loader, struct fy_node *node,
                          const struct policy_grant *grant, size_t column, const char *name)
{
    const struct policy_granted_column *granted = find_form(grant, column);
    if (granted == NULL || granted->form != POLICY_FORM_CLEAR)
        yaml_fail(&loader->yaml, node, "grant it as clear among the columns, or leave it out here",
                  "column %s can only be written if it is granted in clear", name);
}

/* Whom a row is about must not change: the row would leave one person and come to another. */
static void check_unlinked(struct loader *loader, struct fy_node *node,
                           const struct policy_dataset *dataset, const char *name)
{
    for (size_t s = 0; s < dataset->subject_count; s++) {
        const struct policy_subject *subject = &dataset->subjects[s];
        const char *link = subject->hop_count > 0 ? subject->hops[0].child_column : subject->key;
        if (strcmp(link, name) == 0)
            yaml_fail(&loader->yaml, node, "delete the row and insert another",
                      "column %s leads to the person that a row is about: it cannot be updated",
                      name);
    }
}

static const size_t *load_written(struct loader *loader, struct fy_node *node,
                                  const struct policy_grant *grant, bool update, size_t *count)
{
    struct yaml *yaml = &loader->yaml;
    const struct policy_dataset *dataset = &loader->policy->datasets[grant->dataset];
    *count = 0;
    if (node == NULL)
        return NULL;
    struct yaml_items items = yaml_list_items(yaml, node);
    size_t *columns = yaml_array(yaml, size_t, items.count);
    while (columns != NULL && yaml_next(yaml, &items)) {
        const char *name = yaml_text(yaml, items.value);
        size_t column = find_column(loader, items.value, dataset, name);
        if (yaml_failed(yaml))
            break;
        for (size_t i = 0; i < *count; i++)
            if (columns[i] == column)
                yaml_fail(yaml, items.value, NULL, "column %s is listed twice", name);
        check_written(loader, items.value, grant, column, name);
        if (update)
            check_unlinked(loader, items.value, dataset, name);
        columns[(*count)++] = column;
    }
    return columns;
}

static void load_write(struct loader *loader, const struct policy_partner *partner,
                       struct fy_node *node, struct policy_grant *grant)
{
    static const char *const keys[] = {"update", "insert", "delete", NULL};
    struct yaml *yaml = &loader->yaml;
    struct policy_write *write = &grant->write;
    if (node == NULL || yaml_failed(yaml))
        return;
    yaml_keys(yaml, node, keys);
    if (yaml_failed(yaml))
        return;
    write->update =
        load_written(loader, yaml_get(yaml, node, "update"), grant, true, &write->update_count);
    write->insert =
        load_written(loader, yaml_get(yaml, node, "insert"), grant, false, &write->insert_count);
    write->deletes = yaml_flag_at(yaml, node, "delete", false);
    if (yaml_failed(yaml))
        return;
    if (!policy_writes(grant))
        yaml_fail(yaml, node, "write {update: [column]}, {insert: [column]} or {delete: true}",
                  "a grant to write nothing");
    if (partner->mode == POLICY_MODE_AGGREGATES)
        yaml_fail(yaml, node, "leave write: out, or give this partner rows",
                  "a partner that gets statistics only cannot write");
}

/* NULL stands for all. */
static bool may_both_match(const char *a, const char *b)
{
    return a == NULL || b == NULL || strcmp(a, b) == 0;
}

static void check_ambiguous(struct loader *loader, const struct policy_partner *partner,
                            const struct policy_grant *grant, struct fy_node *node)
{
    for (const struct policy_grant *other = partner->grants; other < grant; other++)
        if (other->dataset == grant->dataset && may_both_match(other->agent, grant->agent) &&
            may_both_match(other->purpose, grant->purpose) &&
            other->valid_from_ns < grant->valid_until_ns &&
            grant->valid_from_ns < other->valid_until_ns)
            yaml_fail(&loader->yaml, node,
                      "bind each to its own agent or purpose, or make it one grant",
                      "ambiguous: this grant and the one on line %d both give dataset %s to %s%s",
                      other->line, loader->policy->datasets[grant->dataset].name,
                      grant->agent != NULL   ? "agent "
                      : other->agent != NULL ? "agent "
                                             : "the same agents",
                      grant->agent != NULL   ? grant->agent
                      : other->agent != NULL ? other->agent
                                             : "");
}

static const char *load_agent_name(struct loader *loader, const struct policy_partner *partner,
                                   struct fy_node *node)
{
    if (node == NULL)
        return NULL;
    const char *name = yaml_text(&loader->yaml, node);
    const char **names = yaml_array(&loader->yaml, const char *, partner->agent_count);
    if (names == NULL)
        return NULL;
    for (size_t i = 0; i < partner->agent_count; i++)
        names[i] = partner->agents[i].name;
    check_member(loader, node, "agent of this partner", name, names, partner->agent_count);
    return name;
}

static const char *load_purpose(struct loader *loader, const struct policy_partner *partner,
                                struct fy_node *node)
{
    if (node == NULL)
        return NULL;
    const char *purpose = yaml_text(&loader->yaml, node);
    if (!yaml_failed(&loader->yaml))
        check_member(loader, node, "purpose of this partner", purpose, partner->purposes,
                     partner->purpose_count);
    return purpose;
}

enum { APPROVED_DAYS = 30 };

static void load_approval(struct loader *loader, const struct policy_partner *partner,
                          struct fy_node *node, struct policy_approval *approval)
{
    static const char *const keys[] = {"for", "approvals", "reason", NULL};
    static const char *const words[] = {"required", "optional", NULL};
    struct yaml *yaml = &loader->yaml;
    size_t others = 0;
    if (node == NULL)
        return;
    yaml_keys(yaml, node, keys);
    approval->for_ns = load_duration(yaml, yaml_need(yaml, node, "for"), APPROVED_DAYS);
    approval->needed = (unsigned)yaml_number_at(yaml, node, "approvals", 1, 2, 1);
    struct fy_node *reason = yaml_get(yaml, node, "reason");
    const char *word = reason == NULL ? words[1] : yaml_text(yaml, reason);
    approval->reason = strcmp(word, words[0]) == 0;
    if (!approval->reason && strcmp(word, words[1]) != 0)
        yaml_fail_word(yaml, reason, "reason", word, words);
    for (size_t g = 0; g < partner->grant_count; g++)
        others += partner->grants[g].approval.for_ns != 0;
    if (others > POLICY_APPROVALS_MOST)
        yaml_fail(yaml, node, NULL, "more than %d grants of a partner wait for approval",
                  POLICY_APPROVALS_MOST);
}

static void load_grant(struct loader *loader, const struct policy_partner *partner,
                       struct fy_node *node, struct policy_grant *grant)
{
    static const char *const keys[] = {"dataset", "rows",  "columns",  "purpose", "agent",
                                       "valid",   "write", "approval", NULL};
    struct yaml *yaml = &loader->yaml;
    yaml_keys(yaml, node, keys);
    struct fy_node *dataset = yaml_need(yaml, node, "dataset");
    grant->line = yaml_failed(yaml) ? 0 : yaml_line(node);
    grant->dataset = find_dataset(loader, dataset, yaml_text(yaml, dataset));
    grant->rows = yaml_text_at(yaml, node, "rows", NULL);
    grant->purpose = load_purpose(loader, partner, yaml_get(yaml, node, "purpose"));
    grant->agent = load_agent_name(loader, partner, yaml_get(yaml, node, "agent"));
    load_valid(loader, yaml_get(yaml, node, "valid"), &grant->valid_from_ns,
               &grant->valid_until_ns);
    load_granted_columns(loader, yaml_need(yaml, node, "columns"), grant);
    load_write(loader, partner, yaml_get(yaml, node, "write"), grant);
    load_approval(loader, partner, yaml_get(yaml, node, "approval"), &grant->approval);
}

struct policy_grant *load_grants(struct loader *loader, struct policy_partner *partner,
                                 struct fy_node *node)
{
    struct yaml *yaml = &loader->yaml;
    struct yaml_items items = yaml_list_items(yaml, node);
    struct policy_grant *grants = yaml_array(yaml, struct policy_grant, items.count);
    if (grants == NULL)
        return NULL;
    partner->grants = grants;
    while (yaml_next(yaml, &items)) {
        struct policy_grant *grant = &grants[partner->grant_count++];
        load_grant(loader, partner, items.value, grant);
        if (!yaml_failed(yaml))
            check_ambiguous(loader, partner, grant, items.value);
    }
    return grants;
}
