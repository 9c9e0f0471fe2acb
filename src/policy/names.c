/* What names may look like, and finding what they name. */
#include "policy/loader.h"

#include <string.h>

#include "base/limits.h"

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

void check_name(struct loader *loader, struct fy_node *node, const char *what, const char *name)
{
    size_t len = strlen(name);
    bool good = is_lower(name[0]) && len <= LIMIT_NAME_BYTES;
    for (size_t i = 1; i < len && good; i++)
        good = is_lower(name[i]) || is_digit(name[i]) || name[i] == '_' || name[i] == '-';
    if (!good)
        yaml_fail(
            &loader->yaml, node,
            "a lower-case letter, then lower-case letters, digits, - and _; at most 63 in all",
            "%s name \"%.80s\" is not valid", what, name);
}

void check_identifier(struct loader *loader, struct fy_node *node, const char *name)
{
    size_t len = strlen(name);
    bool good = len > 0 && len <= LIMIT_NAME_BYTES && !is_digit(name[0]) && name[0] != '$';
    for (size_t i = 0; i < len && good; i++)
        good = is_lower(name[i]) || is_digit(name[i]) || name[i] == '_' || name[i] == '$' ||
               (name[i] >= 'A' && name[i] <= 'Z');
    if (!good)
        yaml_fail(&loader->yaml, node,
                  "letters, digits, _ and $, not beginning with a digit; at most 63 in all",
                  "\"%.80s\" is not a name that the database would take", name);
}

/* name_at(base, i) is the name at the head of element i; fails with all of them. */
static void fail_unknown(struct loader *loader, struct fy_node *node, const char *what,
                         const char *name, const void *base, size_t count, size_t stride)
{
    const char **words = yaml_array(&loader->yaml, const char *, count + 1);
    if (words == NULL)
        return;
    for (size_t i = 0; i < count; i++)
        memcpy(&words[i], (const char *)base + i * stride, sizeof words[i]);
    yaml_fail_word(&loader->yaml, node, what, name, words);
}

size_t find_dataset(struct loader *loader, struct fy_node *node, const char *name)
{
    const struct policy *policy = loader->policy;
    for (size_t i = 0; i < policy->dataset_count; i++)
        if (strcmp(policy->datasets[i].name, name) == 0)
            return i;
    _Static_assert(offsetof(struct policy_dataset, name) == 0, "fail_unknown reads it");
    fail_unknown(loader, node, "dataset", name, policy->datasets, policy->dataset_count,
                 sizeof policy->datasets[0]);
    return SIZE_MAX;
}

size_t find_column(struct loader *loader, struct fy_node *node,
                   const struct policy_dataset *dataset, const char *name)
{
    for (size_t i = 0; i < dataset->column_count; i++)
        if (strcmp(dataset->columns[i].name, name) == 0)
            return i;
    _Static_assert(offsetof(struct policy_column, name) == 0, "fail_unknown reads it");
    fail_unknown(loader, node, yaml_printf(&loader->yaml, "column of dataset %s", dataset->name),
                 name, dataset->columns, dataset->column_count, sizeof dataset->columns[0]);
    return SIZE_MAX;
}

size_t find_kind(struct loader *loader, struct fy_node *node, const char *name)
{
    const struct policy *policy = loader->policy;
    for (size_t i = 0; i < policy->kind_count; i++)
        if (strcmp(policy->kinds[i].name, name) == 0)
            return i;
    _Static_assert(offsetof(struct policy_kind, name) == 0, "fail_unknown reads it");
    fail_unknown(loader, node, "kind of subject", name, policy->kinds, policy->kind_count,
                 sizeof policy->kinds[0]);
    return SIZE_MAX;
}

void check_member(struct loader *loader, struct fy_node *node, const char *what, const char *text,
                  const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(texts[i], text) == 0)
            return;
    fail_unknown(loader, node, what, text, texts, count, sizeof texts[0]);
}
