/* Cuts: which bytes of a policy's text go. Found in the tree that the parser makes of it, taken out
 * of the text, and the result held against what was asked for. See shrink.h. */
#include "policy/shrink.h"

#include <stdlib.h>
#include <string.h>

#include "policy/compare.h"
#include "policy/yaml.h"

enum { CUTS_MOST = 4096, ARENA_BYTES = 16 * 1024 * 1024, ITEMS_MOST = 2048 };

struct cut {
    struct yaml_span span;
    const char *instead; /* NULL: nothing */
};

struct cutting {
    const struct policy *policy;
    const struct shrink_choice *choice;
    struct slice text;
    struct yaml yaml;
    struct arena arena;
    struct cut *cuts;
    size_t count;
    bool lost; /* something could not be found in the text */
};

/* The items of a list or the pairs of a mapping, in order. */
struct item {
    struct yaml_span span; /* of a pair: key and value */
    bool goes;
};

static void cut(struct cutting *cutting, size_t start, size_t end, const char *instead)
{
    if (cutting->count == CUTS_MOST) {
        cutting->lost = true;
        return;
    }
    cutting->cuts[cutting->count++] =
        (struct cut){.span = {.start = start, .end = end}, .instead = instead};
}

/* ---- items out of a collection ---- */

/* All the lines of an item in a block: before it may stand blanks and, of a list, one dash. */
static void cut_lines(struct cutting *cutting, struct yaml_span span, bool list)
{
    const char *bytes = (const char *)cutting->text.data;
    size_t start = span.start, end = span.end, dashes = 0;
    while (start > 0 && bytes[start - 1] != '\n') {
        start--;
        dashes += bytes[start] == '-';
        cutting->lost = cutting->lost || (bytes[start] != ' ' && bytes[start] != '-');
    }
    cutting->lost = cutting->lost || dashes != (list ? 1 : 0);
    while (end < cutting->text.len && (end == 0 || bytes[end - 1] != '\n'))
        end++;
    cut(cutting, start, end, NULL);
}

/* From where an item begins to where the next begins, or, of the last that stay, from its end. */
static void cut_between(struct cutting *cutting, const struct item *items, size_t count, size_t at)
{
    size_t next = at + 1, last = at;
    while (next < count && items[next].goes)
        next++;
    while (last > 0 && items[last - 1].goes)
        last--;
    if (next < count)
        cut(cutting, items[at].span.start, items[at + 1].span.start, NULL);
    else if (last > 0)
        cut(cutting, items[last - 1].span.end, items[at].span.end, NULL);
    else
        cutting->lost = true; /* nothing would be left: the caller takes out the whole */
}

static void cut_items(struct cutting *cutting, struct fy_node *node, const struct item *items,
                      size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!items[i].goes)
            continue;
        if (yaml_is_flow(node))
            cut_between(cutting, items, count, i);
        else
            cut_lines(cutting, items[i].span, yaml_is_list(node));
    }
}

/* Reads where the items stand; SIZE_MAX items is lost. */
static size_t read_items(struct cutting *cutting, struct fy_node *node, struct item *items,
                         const char **names)
{
    struct yaml_items walk = yaml_is_map(node) ? yaml_map_items(&cutting->yaml, node)
                                               : yaml_list_items(&cutting->yaml, node);
    size_t count = 0;
    while (yaml_next(&cutting->yaml, &walk)) {
        struct yaml_span value;
        if (count == ITEMS_MOST || !yaml_span_of(cutting->text, walk.value, &value)) {
            cutting->lost = true;
            return 0;
        }
        items[count] = (struct item){.span = value};
        if (yaml_is_map(node)) {
            struct yaml_span key;
            cutting->lost = cutting->lost || !yaml_span_of(cutting->text, walk.key, &key);
            items[count].span.start = cutting->lost ? 0 : key.start;
        }
        if (names != NULL)
            names[count] = yaml_is_map(node) ? walk.name : yaml_text(&cutting->yaml, walk.value);
        count++;
    }
    return count;
}

/* Takes one key, with its value, out of a mapping. */
static void cut_key(struct cutting *cutting, struct fy_node *map, const char *key)
{
    struct item items[64];
    const char *names[ITEMS_MOST];
    struct yaml_items walk = yaml_map_items(&cutting->yaml, map);
    if (walk.count > sizeof items / sizeof items[0]) {
        cutting->lost = true;
        return;
    }
    size_t count = read_items(cutting, map, items, names);
    for (size_t i = 0; i < count; i++)
        items[i].goes = strcmp(names[i], key) == 0;
    cut_items(cutting, map, items, count);
}

/* ---- a grant ---- */

struct dropping {
    const char **names;
    size_t count;
};

static bool drops(const struct dropping *dropping, const char *name)
{
    for (size_t i = 0; i < dropping->count; i++)
        if (strcmp(dropping->names[i], name) == 0)
            return true;
    return false;
}

/* Takes these names out of a list or mapping at key; the key too if nothing is left. Says whether
 * anything is. */
static bool cut_names(struct cutting *cutting, struct fy_node *map, const char *key,
                      const struct dropping *dropping)
{
    struct fy_node *node = yaml_get(&cutting->yaml, map, key);
    struct item *items = calloc(ITEMS_MOST, sizeof *items);
    const char **names = calloc(ITEMS_MOST, sizeof *names);
    size_t count = 0, left = 0;
    if (node != NULL && items != NULL && names != NULL)
        count = read_items(cutting, node, items, names);
    else
        cutting->lost = cutting->lost || node != NULL;
    for (size_t i = 0; i < count; i++) {
        items[i].goes = drops(dropping, names[i]);
        left += !items[i].goes;
    }
    if (count > 0 && left > 0)
        cut_items(cutting, node, items, count);
    else if (count > 0)
        cut_key(cutting, map, key);
    free(items);
    free(names);
    return left > 0;
}

/* `all`, written out as what is left of it. */
static void write_out(struct cutting *cutting, struct fy_node *all,
                      const struct policy_grant *grant, const struct dropping *dropping)
{
    const struct policy_dataset *dataset = &cutting->policy->datasets[grant->dataset];
    const char *text = "[";
    struct yaml_span span;
    for (size_t i = 0; i < grant->column_count; i++) {
        const char *name = dataset->columns[grant->columns[i].column].name;
        if (!drops(dropping, name))
            text = yaml_printf(&cutting->yaml, "%s%s%s", text, text[1] == '\0' ? "" : ", ", name);
    }
    if (yaml_span_of(cutting->text, all, &span))
        cut(cutting, span.start, span.end, yaml_printf(&cutting->yaml, "%s]", text));
    else
        cutting->lost = true;
}

static void shrink_write(struct cutting *cutting, struct fy_node *grant,
                         const struct policy_grant *of, const struct dropping *dropping)
{
    struct fy_node *write = yaml_get(&cutting->yaml, grant, "write");
    const struct policy_dataset *dataset = &cutting->policy->datasets[of->dataset];
    size_t left = of->write.deletes;
    if (write == NULL)
        return;
    for (size_t i = 0; i < of->write.update_count; i++)
        left += !drops(dropping, dataset->columns[of->write.update[i]].name);
    for (size_t i = 0; i < of->write.insert_count; i++)
        left += !drops(dropping, dataset->columns[of->write.insert[i]].name);
    if (left == 0) {
        cut_key(cutting, grant, "write");
        return;
    }
    cut_names(cutting, write, "update", dropping);
    cut_names(cutting, write, "insert", dropping);
}

/* Says whether anything of the grant is left. */
static bool shrink_grant(struct cutting *cutting, size_t p, size_t g, struct fy_node *node)
{
    const struct policy_grant *grant = &cutting->policy->partners[p].grants[g];
    const struct policy_dataset *dataset = &cutting->policy->datasets[grant->dataset];
    const struct shrink_choice *choice = cutting->choice;
    struct dropping dropping = {.names =
                                    yaml_array(&cutting->yaml, const char *, grant->column_count)};
    for (size_t i = 0; i < grant->column_count && dropping.names != NULL; i++)
        if (choice->column(choice->context, p, g, i))
            dropping.names[dropping.count++] = dataset->columns[grant->columns[i].column].name;
    if (dropping.count == grant->column_count)
        return false;
    if (dropping.count == 0)
        return true;
    struct fy_node *columns = yaml_get(&cutting->yaml, node, "columns");
    if (yaml_is_map(columns) || yaml_is_list(columns))
        cut_names(cutting, node, "columns", &dropping);
    else
        write_out(cutting, columns, grant, &dropping);
    shrink_write(cutting, node, grant, &dropping);
    return true;
}

/* ---- a partner ---- */

static void shrink_list(struct cutting *cutting, size_t p, struct fy_node *partner, const char *key,
                        bool (*stays)(struct cutting *cutting, size_t p, size_t at,
                                      struct fy_node *item))
{
    struct fy_node *list = yaml_get(&cutting->yaml, partner, key);
    struct item *items = calloc(ITEMS_MOST, sizeof *items);
    if (list == NULL || items == NULL) {
        cutting->lost = cutting->lost || items == NULL;
        free(items);
        return;
    }
    size_t count = read_items(cutting, list, items, NULL), left = 0, at = 0, cuts = cutting->count;
    struct yaml_items walk = yaml_list_items(&cutting->yaml, list);
    while (yaml_next(&cutting->yaml, &walk) && at < count) {
        items[at].goes = !stays(cutting, p, at, walk.value);
        left += !items[at++].goes;
    }
    if (left > 0) {
        cut_items(cutting, list, items, count);
    } else if (count > 0) {
        cutting->count = cuts;
        cut_key(cutting, partner, key);
    }
    free(items);
}

static bool agent_stays(struct cutting *cutting, size_t p, size_t at, struct fy_node *item)
{
    return !cutting->choice->agent(cutting->choice->context, p, at);
}

static void shrink_partners(struct cutting *cutting)
{
    struct yaml *yaml = &cutting->yaml;
    struct yaml_items partners = yaml_map_items(yaml, yaml_get(yaml, yaml_root(yaml), "partners"));
    for (size_t p = 0; yaml_next(yaml, &partners); p++) {
        shrink_list(cutting, p, partners.value, "agents", agent_stays);
        shrink_list(cutting, p, partners.value, "grants", shrink_grant);
    }
}

/* ---- the text ---- */

static int by_start(const void *a, const void *b)
{
    const struct cut *one = a, *two = b;
    return one->span.start < two->span.start ? -1 : one->span.start > two->span.start;
}

/* Cuts may overlap: what lies in any of them goes. */
static void write_text(struct cutting *cutting, struct buffer *out)
{
    size_t at = 0;
    if (cutting->count > 0)
        qsort(cutting->cuts, cutting->count, sizeof cutting->cuts[0], by_start);
    for (size_t i = 0; i < cutting->count; i++) {
        const struct cut *one = &cutting->cuts[i];
        if (one->span.start > at)
            buffer_append(out, cutting->text.data + at, one->span.start - at);
        if (one->instead != NULL)
            buffer_append_text(out, one->instead);
        at = one->span.end > at ? one->span.end : at;
    }
    buffer_append(out, cutting->text.data + at, cutting->text.len - at);
}

/* ---- was it that, and no more? ---- */

struct held {
    const struct shrink_choice *choice;
    const struct policy *policy;
    size_t gained; /* more than before, or otherwise */
};

static enum status count_change(void *context, const struct compare_change *change,
                                struct error *error)
{
    struct held *held = context;
    held->gained += change->what != COMPARE_LOSES;
    return STATUS_OK;
}

static size_t agents_left(const struct held *held, size_t p)
{
    size_t left = 0;
    for (size_t a = 0; a < held->policy->partners[p].agent_count; a++)
        left += !held->choice->agent(held->choice->context, p, a);
    return left;
}

/* What must be left of the policy, counted without a look at the text. */
static bool is_left(const struct held *held, const struct policy *fresh)
{
    bool same = fresh->partner_count == held->policy->partner_count;
    for (size_t p = 0; p < fresh->partner_count && same; p++) {
        const struct policy_partner *was = &held->policy->partners[p], *now = &fresh->partners[p];
        size_t grants = 0, columns = 0, have = 0;
        for (size_t g = 0; g < was->grant_count; g++) {
            size_t left = 0;
            for (size_t c = 0; c < was->grants[g].column_count; c++)
                left += !held->choice->column(held->choice->context, p, g, c);
            grants += left > 0;
            columns += left;
        }
        for (size_t g = 0; g < now->grant_count; g++)
            have += now->grants[g].column_count;
        same = now->grant_count == grants && have == columns &&
               now->agent_count == agents_left(held, p);
    }
    return same;
}

static enum status hold_against(struct cutting *cutting, struct slice text, struct error *error)
{
    static const char hint[] = "Make the change by hand.";
    const struct policy *fresh = NULL;
    struct error why;
    struct held held = {.choice = cutting->choice, .policy = cutting->policy};
    if (policy_load_text(cutting->policy->path, text, &fresh, &why) != STATUS_OK)
        return error_set(error, STATUS_DENIED, "55000", hint,
                         "without what goes, the policy would not be one: %s", why.message);
    enum status status = policy_compare(cutting->policy, fresh, 0, count_change, &held, error);
    if (status == STATUS_OK && (held.gained > 0 || !is_left(&held, fresh)))
        status = error_set(error, STATUS_DENIED, "55000", hint,
                           "the text is not written so that it can be changed here");
    policy_release(fresh);
    return status;
}

enum status policy_shrink(const struct policy *policy, const struct shrink_choice *choice,
                          struct buffer *out, struct error *error)
{
    struct cutting cutting = {.policy = policy,
                              .choice = choice,
                              .text = slice_of(policy->text, policy->text_len),
                              .cuts = calloc(CUTS_MOST, sizeof(struct cut))};
    size_t before = out->len;
    arena_init(&cutting.arena, ARENA_BYTES);
    yaml_open(&cutting.yaml, policy->path, cutting.text, &cutting.arena, error);
    cutting.lost = cutting.cuts == NULL;
    if (!yaml_failed(&cutting.yaml) && !cutting.lost)
        shrink_partners(&cutting);
    enum status status = yaml_finish(&cutting.yaml);
    if (status == STATUS_OK && cutting.lost)
        status = error_set(error, STATUS_DENIED, "55000", "Make the change by hand.",
                           "the text is not written so that it can be changed here");
    if (status == STATUS_OK) {
        write_text(&cutting, out);
        status =
            out->overflowed
                ? error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory")
                : hold_against(&cutting, slice_of(out->data + before, out->len - before), error);
    }
    yaml_close(&cutting.yaml);
    arena_free(&cutting.arena);
    free(cutting.cuts);
    return status;
}
