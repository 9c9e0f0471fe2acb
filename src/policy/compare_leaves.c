/* Everything in a policy's file but its grants, as leaves: a path, and what stands there. Items of
 * a list that have a name go by it; lists of plain texts are one leaf. See compare.h. */
#include "policy/compare.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "policy/yaml.h"

enum { TABLE_BYTES = 16 * 1024 * 1024 };

struct leaf {
    const char *path, *value;
};

struct leaves {
    struct yaml yaml;
    struct arena arena;
    struct leaf *items;
    size_t count, room;
};

static void add(struct leaves *leaves, const char *path, const char *value)
{
    if (leaves->count == leaves->room) {
        size_t room = leaves->room == 0 ? 256 : 2 * leaves->room;
        struct leaf *grown = realloc(leaves->items, room * sizeof *grown);
        if (grown == NULL) {
            yaml_fail(&leaves->yaml, NULL, NULL, "out of memory");
            return;
        }
        leaves->items = grown;
        leaves->room = room;
    }
    leaves->items[leaves->count++] = (struct leaf){.path = path, .value = value};
}

static void walk(struct leaves *leaves, const char *path, struct fy_node *node);

static void walk_map(struct leaves *leaves, const char *path, struct fy_node *node)
{
    struct yaml_items items = yaml_map_items(&leaves->yaml, node);
    if (items.count == 0)
        add(leaves, path, "{}");
    while (yaml_next(&leaves->yaml, &items)) {
        bool partner = strncmp(path, "partners/", 9) == 0 && strchr(path + 9, '/') == NULL;
        if (!partner || strcmp(items.name, "grants") != 0)
            walk(leaves,
                 yaml_printf(&leaves->yaml, "%s%s%s", path, path[0] == '\0' ? "" : "/", items.name),
                 items.value);
    }
}

static bool has_maps(struct yaml *yaml, struct fy_node *list)
{
    struct yaml_items items = yaml_list_items(yaml, list);
    while (yaml_next(yaml, &items))
        if (yaml_is_map(items.value) || yaml_is_list(items.value))
            return true;
    return false;
}

/* As in CSV where a comma or a quote stands in it, so that no two lists look alike. */
static void put_item(struct buffer *text, const char *item)
{
    if (item[0] != '\0' && strpbrk(item, ",\"") == NULL) {
        buffer_append_text(text, item);
        return;
    }
    buffer_append_text(text, "\"");
    for (; *item != '\0'; item++) {
        if (*item == '"')
            buffer_append_u8(text, '"');
        buffer_append_u8(text, (uint8_t)*item);
    }
    buffer_append_text(text, "\"");
}

static void walk_texts(struct leaves *leaves, const char *path, struct fy_node *node)
{
    struct yaml *yaml = &leaves->yaml;
    struct yaml_items items = yaml_list_items(yaml, node);
    struct buffer text;
    buffer_init(&text, TABLE_BYTES);
    buffer_append_text(&text, "[");
    for (bool first = true; yaml_next(yaml, &items); first = false) {
        buffer_append_text(&text, first ? "" : ", ");
        put_item(&text, yaml_text(yaml, items.value));
    }
    buffer_append_text(&text, "]");
    add(leaves, path, yaml_printf(yaml, "%s", buffer_text(&text)));
    buffer_free(&text);
}

static void walk_list(struct leaves *leaves, const char *path, struct fy_node *node)
{
    struct yaml *yaml = &leaves->yaml;
    struct yaml_items items = yaml_list_items(yaml, node);
    for (size_t at = 1; yaml_next(yaml, &items); at++) {
        const char *name =
            yaml_is_map(items.value) ? yaml_text_at(yaml, items.value, "name", NULL) : NULL;
        walk(leaves,
             name != NULL ? yaml_printf(yaml, "%s/%s", path, name)
                          : yaml_printf(yaml, "%s/%zu", path, at),
             items.value);
    }
}

static void walk(struct leaves *leaves, const char *path, struct fy_node *node)
{
    if (yaml_failed(&leaves->yaml))
        return;
    if (yaml_is_map(node))
        walk_map(leaves, path, node);
    else if (yaml_is_list(node) && has_maps(&leaves->yaml, node))
        walk_list(leaves, path, node);
    else if (yaml_is_list(node))
        walk_texts(leaves, path, node);
    else
        add(leaves, path, yaml_is_empty(node) ? "" : yaml_text(&leaves->yaml, node));
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct leaf *)a)->path, ((const struct leaf *)b)->path);
}

static enum status read_leaves(const struct policy *policy, struct leaves *leaves,
                               struct error *error)
{
    *leaves = (struct leaves){0};
    arena_init(&leaves->arena, TABLE_BYTES);
    yaml_open(&leaves->yaml, policy->path, slice_of(policy->text, policy->text_len), &leaves->arena,
              error);
    walk(leaves, "", yaml_root(&leaves->yaml));
    if (leaves->count > 0)
        qsort(leaves->items, leaves->count, sizeof leaves->items[0], by_path);
    return yaml_finish(&leaves->yaml);
}

static void free_leaves(struct leaves *leaves)
{
    yaml_close(&leaves->yaml);
    arena_free(&leaves->arena);
    free(leaves->items);
}

static void compare(const struct leaves *before, const struct leaves *after, struct table *table)
{
    size_t b = 0, a = 0;
    while (b < before->count || a < after->count) {
        int order = b == before->count  ? 1
                    : a == after->count ? -1
                                        : by_path(&before->items[b], &after->items[a]);
        const struct leaf *was = order <= 0 ? &before->items[b++] : NULL;
        const struct leaf *now = order >= 0 ? &after->items[a++] : NULL;
        if (was != NULL && now != NULL && strcmp(was->value, now->value) == 0)
            continue;
        struct table_row *row = table_add(table);
        table_set(table, row, 0, "%s", was != NULL ? was->path : now->path);
        if (was != NULL)
            table_set(table, row, 1, "%s", was->value);
        if (now != NULL)
            table_set(table, row, 2, "%s", now->value);
    }
}

enum status policy_compare_leaves(const struct policy *before, const struct policy *after,
                                  struct table *table, struct error *error)
{
    static const char *const columns[] = {"where", "was", "now", NULL};
    struct leaves old = {0}, fresh = {0};
    enum status status = read_leaves(before, &old, error);
    if (status == STATUS_OK)
        status = read_leaves(after, &fresh, error);
    if (status == STATUS_OK) {
        table_init(table, TABLE_BYTES, columns);
        compare(&old, &fresh, table);
    }
    free_leaves(&old);
    free_leaves(&fresh);
    return status;
}
