/* The columns by which people can be reached. They are read for notices through a role of their
 * own, so each must be a column that the kind's dataset lists: its category goes into the record.
 */
#include "policy/loader.h"

#include <stddef.h>

#define COLUMN(name)                                                                               \
    {                                                                                              \
#name, offsetof(struct policy_contact, name)                                               \
    }
static const struct contact_key {
    const char *name;
    size_t offset;
} contact_columns[] = {
    COLUMN(name),    COLUMN(email),      COLUMN(phone),     COLUMN(language), COLUMN(brand),
    COLUMN(country), COLUMN(birth_date), COLUMN(gone_away), COLUMN(deceased), COLUMN(safe_contact),
};
#undef COLUMN
enum { COLUMNS = sizeof contact_columns / sizeof contact_columns[0] };

static const char **column_of(struct policy_contact *contact, const struct contact_key *key)
{
    return (const char **)((char *)contact + key->offset);
}

static void load_post(struct loader *loader, struct fy_node *node, struct policy_contact *contact)
{
    struct yaml *yaml = &loader->yaml;
    contact->post = yaml_texts(yaml, node, &contact->post_count);
    if (contact->post_count > POLICY_POST_LINES)
        yaml_fail(yaml, node, NULL, "an address has at most %d lines", POLICY_POST_LINES);
    for (size_t i = 0; i < contact->post_count && !yaml_failed(yaml); i++)
        check_identifier(loader, node, contact->post[i]);
}

void load_contact(struct loader *loader, struct fy_node *node, struct policy_contact *contact)
{
    struct yaml *yaml = &loader->yaml;
    const char *keys[COLUMNS + 2] = {[COLUMNS] = "post"};
    if (node == NULL)
        return;
    for (size_t i = 0; i < COLUMNS; i++)
        keys[i] = contact_columns[i].name;
    yaml_keys(yaml, node, keys);
    for (size_t i = 0; i < COLUMNS && !yaml_failed(yaml); i++) {
        struct fy_node *value = yaml_get(yaml, node, keys[i]);
        if (value == NULL)
            continue;
        const char *column = yaml_text(yaml, value);
        check_identifier(loader, value, column);
        *column_of(contact, &contact_columns[i]) = column;
    }
    load_post(loader, yaml_get(yaml, node, "post"), contact);
}

void check_contact(struct loader *loader, struct fy_node *node, struct policy_contact *contact,
                   const struct policy_dataset *dataset)
{
    struct yaml *yaml = &loader->yaml;
    for (size_t i = 0; i < COLUMNS && !yaml_failed(yaml); i++) {
        const char *column = *column_of(contact, &contact_columns[i]);
        if (column != NULL)
            find_column(loader, yaml_get(yaml, node, contact_columns[i].name), dataset, column);
    }
    for (size_t i = 0; i < contact->post_count && !yaml_failed(yaml); i++)
        find_column(loader, yaml_get(yaml, node, "post"), dataset, contact->post[i]);
}
