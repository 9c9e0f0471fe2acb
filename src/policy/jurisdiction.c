/* Loads a jurisdiction: strict keys, errors with line and column. A clock's authority must be one
 * of the file's own. */
#include "policy/jurisdiction.h"

#include <stdlib.h>
#include <string.h>

#include "policy/data_file.h"

enum { ARENA_BYTES = 1024 * 1024, MOST_YEARS = 21, MOST_LIMIT = 10000 };
static const int64_t second_ns = 1000000000;

struct jurisdiction_owned {
    struct jurisdiction jurisdiction; /* first */
    struct arena arena;
};

static const char *const stops[] = {
    [JURISDICTION_STOP_FILING] = "filing",
    [JURISDICTION_STOP_NOTICES] = "notices",
    [JURISDICTION_STOP_DOSSIER] = "dossier",
    [JURISDICTION_STOP_NOTICED] = "notice received",
    NULL,
};

static enum jurisdiction_stop load_stop(struct yaml *yaml, struct fy_node *node)
{
    const char *text = yaml_text(yaml, node);
    for (size_t i = 0; stops[i] != NULL; i++) {
        if (strcmp(stops[i], text) == 0)
            return (enum jurisdiction_stop)i;
    }
    if (!yaml_failed(yaml))
        yaml_fail_word(yaml, node, "what stops a clock", text, stops);
    return JURISDICTION_STOP_FILING;
}

/* "72 hours", "30 days", or "without undue delay". */
static int64_t load_limit(struct yaml *yaml, struct fy_node *node)
{
    static const struct {
        const char *unit;
        int64_t seconds;
    } units[] = {{" hours", 3600}, {" days", 86400}};
    const char *text = yaml_text(yaml, node);
    if (strcmp(text, "without undue delay") == 0)
        return INT64_MAX;
    char *rest = NULL;
    long count = text[0] >= '1' && text[0] <= '9' ? strtol(text, &rest, 10) : 0;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (count > 0 && count <= MOST_LIMIT && strcmp(rest, units[i].unit) == 0)
            return count * units[i].seconds * second_ns;
    }
    if (!yaml_failed(yaml))
        yaml_fail(yaml, node, "write \"72 hours\", \"30 days\" or \"without undue delay\"",
                  "\"%.40s\" is not a time limit", text);
    return INT64_MAX;
}

static void load_authorities(struct yaml *yaml, struct fy_node *node,
                             struct jurisdiction *jurisdiction)
{
    static const char *const keys[] = {"title", "where", "form", NULL};
    struct yaml_items items = yaml_map_items(yaml, node);
    struct jurisdiction_authority *authorities =
        yaml_array(yaml, struct jurisdiction_authority, items.count);
    while (authorities != NULL && yaml_next(yaml, &items)) {
        struct jurisdiction_authority *authority = &authorities[jurisdiction->authority_count++];
        yaml_keys(yaml, items.value, keys);
        authority->name = yaml_printf(yaml, "%s", items.name);
        authority->title = yaml_need_text(yaml, items.value, "title");
        authority->where = yaml_need_text(yaml, items.value, "where");
        authority->form = yaml_need_text(yaml, items.value, "form");
    }
    jurisdiction->authorities = authorities;
}

static void check_authority(struct yaml *yaml, struct fy_node *node,
                            const struct jurisdiction *jurisdiction,
                            const struct jurisdiction_clock *clock)
{
    bool filed = clock->stop == JURISDICTION_STOP_FILING;
    if (yaml_failed(yaml))
        return;
    if (filed != (clock->authority != NULL)) {
        yaml_fail(yaml, node, NULL,
                  filed ? "key \"authority\" is missing: with whom is it filed?"
                        : "key \"authority\" belongs to clocks that a filing stops");
        return;
    }
    for (size_t i = 0; filed && i < jurisdiction->authority_count; i++)
        filed = strcmp(jurisdiction->authorities[i].name, clock->authority) != 0;
    if (filed)
        yaml_fail(yaml, yaml_get(yaml, node, "authority"), "name it under authorities",
                  "there is no authority \"%.60s\"", clock->authority);
}

static void load_clocks(struct yaml *yaml, struct fy_node *node, struct jurisdiction *jurisdiction)
{
    static const char *const keys[] = {"duty",   "stopped_by", "authority", "limit",
                                       "source", "note",       NULL};
    struct yaml_items items = yaml_map_items(yaml, node);
    struct jurisdiction_clock *clocks = yaml_array(yaml, struct jurisdiction_clock, items.count);
    while (clocks != NULL && yaml_next(yaml, &items)) {
        struct jurisdiction_clock *clock = &clocks[jurisdiction->clock_count++];
        yaml_keys(yaml, items.value, keys);
        clock->name = yaml_printf(yaml, "%s", items.name);
        clock->duty = yaml_need_text(yaml, items.value, "duty");
        clock->stop = load_stop(yaml, yaml_need(yaml, items.value, "stopped_by"));
        clock->authority = yaml_text_at(yaml, items.value, "authority", NULL);
        clock->limit_ns = load_limit(yaml, yaml_need(yaml, items.value, "limit"));
        clock->source = yaml_need_text(yaml, items.value, "source");
        clock->note = yaml_text_at(yaml, items.value, "note", NULL);
        check_authority(yaml, items.value, jurisdiction, clock);
    }
    jurisdiction->clocks = clocks;
}

static void load(struct yaml *yaml, void *context)
{
    static const char *const keys[] = {"name",        "title",  "child_below_years",
                                       "authorities", "clocks", NULL};
    struct jurisdiction *jurisdiction = context;
    struct fy_node *root = yaml_root(yaml);
    yaml_keys(yaml, root, keys);
    jurisdiction->name = yaml_need_text(yaml, root, "name");
    jurisdiction->title = yaml_need_text(yaml, root, "title");
    jurisdiction->child_below_years =
        (int)yaml_number(yaml, yaml_need(yaml, root, "child_below_years"), 0, MOST_YEARS);
    load_authorities(yaml, yaml_need(yaml, root, "authorities"), jurisdiction);
    load_clocks(yaml, yaml_need(yaml, root, "clocks"), jurisdiction);
}

enum status jurisdiction_load(const char *path, struct jurisdiction **jurisdiction,
                              struct error *error)
{
    struct jurisdiction_owned *owned = calloc(1, sizeof *owned);
    if (owned == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    arena_init(&owned->arena, ARENA_BYTES);
    enum status status = data_file_load(path, &owned->arena, load, &owned->jurisdiction,
                                        &owned->jurisdiction.version, error);
    if (status == STATUS_OK)
        *jurisdiction = &owned->jurisdiction;
    else
        jurisdiction_free(&owned->jurisdiction);
    return status;
}

void jurisdiction_free(struct jurisdiction *jurisdiction)
{
    _Static_assert(offsetof(struct jurisdiction_owned, jurisdiction) == 0, "it comes first");
    if (jurisdiction == NULL)
        return;
    arena_free(&((struct jurisdiction_owned *)jurisdiction)->arena);
    free(jurisdiction);
}
