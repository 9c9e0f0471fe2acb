/* Masks, kinds of subject, datasets and their columns. */
#include "policy/loader.h"

#include <string.h>

/* ---- masks ---- */

static bool listed(const char *const *words, const char *word)
{
    for (; *words != NULL; words++)
        if (strcmp(*words, word) == 0)
            return true;
    return false;
}

static void load_mask(struct loader *loader, struct yaml_items *item, struct policy_mask *mask)
{
    static const char *const keys[] = {"form", "sql", NULL};
    static const char *const reserved[] = {"clear", "token", "bucket", NULL};
    struct yaml *yaml = &loader->yaml;
    check_name(loader, item->key, "mask", item->name);
    if (listed(reserved, item->name))
        yaml_fail(yaml, item->key, "choose another name", "\"%s\" means something else in a grant",
                  item->name);
    yaml_keys(yaml, item->value, keys);
    struct fy_node *form = yaml_get(yaml, item->value, "form");
    struct fy_node *sql = yaml_need(yaml, item->value, "sql");
    if (form != NULL && strcmp(yaml_text(yaml, form), "masked") != 0)
        yaml_fail(yaml, form, NULL, "the form of a mask is always masked");
    *mask = (struct policy_mask){.name = item->name,
                                 .form = POLICY_FORM_MASKED,
                                 .sql = yaml_text(yaml, sql),
                                 .line = yaml_line(item->key)};
    if (!yaml_failed(yaml) && strstr(mask->sql, "{column}") == NULL)
        yaml_fail(yaml, sql, "write {column} where the value is meant",
                  "the expression does not use the column");
}

void load_masks(struct loader *loader, struct fy_node *node)
{
    struct yaml_items items = yaml_map_items(&loader->yaml, node);
    struct policy_mask *masks = yaml_array(&loader->yaml, struct policy_mask, items.count);
    if (masks == NULL)
        return;
    size_t count = 0;
    while (yaml_next(&loader->yaml, &items))
        load_mask(loader, &items, &masks[count++]);
    loader->policy->masks = masks;
    loader->policy->mask_count = count;
}

/* ---- kinds ---- */

static const char *identifier_at(struct loader *loader, struct fy_node *map, const char *key)
{
    struct fy_node *node = yaml_get(&loader->yaml, map, key);
    if (node == NULL)
        return NULL;
    const char *name = yaml_text(&loader->yaml, node);
    check_identifier(loader, node, name);
    return name;
}

void load_kinds(struct loader *loader, struct fy_node *node)
{
    static const char *const keys[] = {"dataset", "key", "contact", NULL};
    struct yaml *yaml = &loader->yaml;
    struct yaml_items items = yaml_map_items(yaml, node);
    if (items.count > UINT16_MAX)
        yaml_fail(yaml, node, NULL, "more kinds of subject than the ledger can number");
    struct policy_kind *kinds = yaml_array(yaml, struct policy_kind, items.count);
    if (kinds == NULL)
        return;
    loader->kinds = kinds;
    loader->policy->kinds = kinds;
    while (yaml_next(yaml, &items)) {
        struct policy_kind *kind = &kinds[loader->policy->kind_count++];
        check_name(loader, items.key, "kind", items.name);
        yaml_keys(yaml, items.value, keys);
        kind->name = items.name;
        kind->dataset = yaml_need_text(yaml, items.value, "dataset");
        yaml_need(yaml, items.value, "key");
        kind->key = identifier_at(loader, items.value, "key");
        load_contact(loader, yaml_get(yaml, items.value, "contact"), &kind->contact);
    }
}

/* ---- datasets ---- */

/* Partners write these names in SQL: without quotes, so no dash and no capitals. */
static void check_dataset_name(struct loader *loader, struct fy_node *node, const char *name)
{
    size_t len = strlen(name);
    if (strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != len ||
        strspn(name, "0123456789") != 0 || len > 63)
        yaml_fail(&loader->yaml, node,
                  "a lower-case letter or _, then also digits; at most 63 in all",
                  "dataset name \"%.80s\" is not valid", name);
}

static void load_table(struct loader *loader, struct policy_dataset *dataset, struct fy_node *node)
{
    struct yaml *yaml = &loader->yaml;
    const char *text = yaml_text(yaml, node), *dot = strchr(text, '.');
    if (yaml_failed(yaml))
        return;
    if (dot == NULL) {
        yaml_fail(yaml, node, "write crm.customer: nothing is searched for",
                  "the table's schema is missing");
        return;
    }
    dataset->schema = yaml_printf(yaml, "%.*s", (int)(dot - text), text);
    dataset->table = dot + 1;
    check_identifier(loader, node, dataset->schema);
    check_identifier(loader, node, dataset->table);
}

/* A misspelt category would pass for a harmless one: only known ones are taken. */
static const char *load_category(struct loader *loader, struct fy_node *node)
{
    const char *category = yaml_text(&loader->yaml, node);
    if (yaml_failed(&loader->yaml) || strcmp(category, "none") == 0)
        return NULL;
    if (strncmp(category, "x_", 2) == 0)
        check_name(loader, node, "category", category);
    else if (!listed(policy_categories, category))
        yaml_fail_word(&loader->yaml, node, "category", category, policy_categories);
    return category;
}

static void load_columns(struct loader *loader, struct policy_dataset *dataset,
                         struct fy_node *node)
{
    static const char *const keys[] = {"category", NULL};
    struct yaml *yaml = &loader->yaml;
    struct yaml_items items = yaml_map_items(yaml, node);
    struct policy_column *columns = yaml_array(yaml, struct policy_column, items.count);
    if (columns == NULL)
        return;
    dataset->columns = columns;
    while (yaml_next(yaml, &items)) {
        struct policy_column *column = &columns[dataset->column_count++];
        check_identifier(loader, items.key, items.name);
        column->name = items.name;
        if (yaml_is_empty(items.value))
            continue;
        yaml_keys(yaml, items.value, keys);
        struct fy_node *category = yaml_get(yaml, items.value, "category");
        column->category = category == NULL ? NULL : load_category(loader, category);
    }
    if (dataset->column_count == 0)
        yaml_fail(yaml, node, NULL, "a dataset without columns");
}

void load_datasets(struct loader *loader, struct fy_node *node)
{
    static const char *const keys[] = {"table", "subject", "columns", NULL};
    struct yaml *yaml = &loader->yaml;
    struct policy *policy = loader->policy;
    struct yaml_items items = yaml_map_items(yaml, node);
    struct policy_dataset *datasets = yaml_array(yaml, struct policy_dataset, items.count);
    loader->subjects = yaml_array(yaml, struct policy_subject *, items.count);
    if (datasets == NULL || loader->subjects == NULL)
        return;
    loader->datasets = datasets;
    policy->datasets = datasets;
    while (yaml_next(yaml, &items)) {
        struct policy_dataset *dataset = &datasets[policy->dataset_count++];
        check_dataset_name(loader, items.key, items.name);
        dataset->name = items.name;
        dataset->line = yaml_line(items.key);
        yaml_keys(yaml, items.value, keys);
        load_table(loader, dataset, yaml_need(yaml, items.value, "table"));
        load_columns(loader, dataset, yaml_need(yaml, items.value, "columns"));
    }
    /* A path takes its key from the dataset it ends at, which may stand further down: first all
     * subjects that have a key of their own, then the paths. */
    for (int paths = 0; paths <= 1; paths++) {
        items = yaml_map_items(yaml, node);
        for (size_t i = 0; yaml_next(yaml, &items); i++)
            load_subjects(loader, &datasets[i], yaml_need(yaml, items.value, "subject"),
                          paths == 1);
    }
}
