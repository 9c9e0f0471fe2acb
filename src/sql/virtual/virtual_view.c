/* What a partner is shown, and which keys it has as the partner sees it: those that the policy and
 * the database know of, over columns in a form that keeps them true.
 *
 * OIDs are hashed from names, so that they stay when the gateway restarts or the policy grows; of
 * two that collide, which is rare, the later dataset of the policy moves on by one. */
#include "sql/virtual/virtual_view.h"

#include <string.h>

#include "base/limits.h"

/* FNV-1a, over the parts and a zero behind each. */
static uint32_t hash_parts(const char *const *parts, size_t count)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < count; i++)
        for (const char *at = parts[i];; at++) {
            hash = (hash ^ (uint8_t)*at) * 16777619u;
            if (*at == '\0')
                break;
        }
    return hash;
}

static bool is_taken(const struct virtual_view *view, uint32_t oid)
{
    for (size_t i = 0; i < view->oid_count; i++)
        if (view->oids[i] == oid)
            return true;
    return false;
}

static uint32_t take_oid(struct virtual_view *view, const char *what, const char *dataset,
                         const char *column)
{
    const char *const parts[] = {what, dataset, column};
    uint32_t range = (uint32_t)INT32_MAX - VIRTUAL_OID_FIRST;
    uint32_t at = hash_parts(parts, lengthof(parts)) % range;
    while (is_taken(view, VIRTUAL_OID_FIRST + at))
        at = (at + 1) % range;
    view->oids[view->oid_count++] = VIRTUAL_OID_FIRST + at;
    return VIRTUAL_OID_FIRST + at;
}

const char *virtual_dataset_name(const struct virtual_view *view, size_t dataset)
{
    return view->datasets[dataset].grant->dataset->policy->name;
}

const char *virtual_column_shown(const struct virtual_view *view, size_t dataset, size_t column)
{
    return view->datasets[dataset].grant->columns[column].column->policy->name;
}

/* "a_b", as PostgreSQL names what is about columns a and b. */
static const char *join_names(const struct virtual_view *view, const struct virtual_key *key)
{
    const char *text = virtual_column_shown(view, key->dataset, key->columns[0]);
    for (size_t i = 1; i < key->column_count; i++)
        text = psprintf("%s_%s", text, virtual_column_shown(view, key->dataset, key->columns[i]));
    return text;
}

/* PostgreSQL cuts names that are too long, between characters. */
static const char *cut_name(char *name)
{
    size_t len = strlen(name);
    if (len > LIMIT_NAME_BYTES)
        len = LIMIT_NAME_BYTES;
    while (len > 0 && ((uint8_t)name[len] & 0xc0) == 0x80)
        len--;
    name[len] = '\0';
    return name;
}

static void name_key(struct virtual_view *view, struct virtual_key *key, const char *suffix)
{
    const char *dataset = virtual_dataset_name(view, key->dataset),
               *columns = join_names(view, key);
    key->name =
        cut_name(key->kind == VIRTUAL_PRIMARY ? psprintf("%s_%s", dataset, suffix)
                                              : psprintf("%s_%s_%s", dataset, columns, suffix));
    key->oid = take_oid(view, suffix, dataset, columns);
    if (key->kind != VIRTUAL_FOREIGN)
        key->index = take_oid(view, "index", dataset, columns);
}

static bool find_column(const struct model_grant *grant, const struct catalog_column *wanted,
                        size_t *column)
{
    for (*column = 0; *column < grant->column_count; (*column)++)
        if (grant->columns[*column].column->catalog == wanted)
            return true;
    return false;
}

/* Where the grant has these columns; false if it lacks one. */
static bool find_columns(const struct model_grant *grant,
                         const struct catalog_column *const *wanted, size_t count, size_t *columns)
{
    for (size_t i = 0; i < count; i++)
        if (!find_column(grant, wanted[i], &columns[i]))
            return false;
    return true;
}

/* Several columns that no two rows share; masks could make equal what differs. */
static void add_several(struct virtual_view *view, size_t dataset,
                        const struct catalog_key *several)
{
    const struct model_grant *grant = view->datasets[dataset].grant;
    size_t *columns = palloc(several->column_count * sizeof *columns);
    if (!find_columns(grant, several->columns, several->column_count, columns))
        return;
    for (size_t i = 0; i < several->column_count; i++)
        if (grant->columns[columns[i]].form == POLICY_FORM_MASKED)
            return;
    view->keys[view->key_count++] = (struct virtual_key){.dataset = dataset,
                                                         .columns = columns,
                                                         .column_count = several->column_count,
                                                         .kind = VIRTUAL_UNIQUE,
                                                         .declared = several->primary,
                                                         .filled = true};
}

static void add_one(struct virtual_view *view, size_t dataset, size_t column)
{
    const struct model_granted *granted = &view->datasets[dataset].grant->columns[column];
    size_t *columns = palloc(sizeof *columns);
    columns[0] = column;
    view->keys[view->key_count++] =
        (struct virtual_key){.dataset = dataset,
                             .columns = columns,
                             .column_count = 1,
                             .kind = VIRTUAL_UNIQUE,
                             .declared = granted->column->catalog->primary,
                             .filled = !granted->nullable};
}

/* The owner's primary key, or else the first key that is always filled: clients look for one. */
static struct virtual_key *choose_primary(struct virtual_view *view, size_t first)
{
    struct virtual_key *chosen = NULL;
    for (size_t k = first; k < view->key_count; k++) {
        struct virtual_key *key = &view->keys[k];
        if (key->filled && (chosen == NULL || (key->declared && !chosen->declared)))
            chosen = key;
    }
    return chosen;
}

/* What no two rows share, as the partner sees them. */
static void add_unique_keys(struct virtual_view *view, size_t dataset)
{
    const struct model_grant *grant = view->datasets[dataset].grant;
    const struct catalog_table *table = grant->dataset->table;
    size_t first = view->key_count;
    for (size_t c = 0; c < grant->column_count; c++)
        if (grant->columns[c].unique)
            add_one(view, dataset, c);
    for (size_t k = 0; k < table->key_count; k++)
        add_several(view, dataset, &table->keys[k]);
    struct virtual_key *primary = choose_primary(view, first);
    if (primary != NULL)
        primary->kind = VIRTUAL_PRIMARY;
    for (size_t k = first; k < view->key_count; k++)
        name_key(view, &view->keys[k], view->keys[k].kind == VIRTUAL_PRIMARY ? "pkey" : "key");
}

size_t virtual_key_position(const struct virtual_key *key, size_t column)
{
    size_t i = 0;
    while (i < key->column_count && key->columns[i] != column)
        i++;
    return i;
}

/* The key of a dataset over just these columns, in whatever order. */
static const struct virtual_key *unique_key(const struct virtual_view *view, size_t dataset,
                                            const size_t *columns, size_t count)
{
    for (size_t k = 0; k < view->key_count; k++) {
        const struct virtual_key *key = &view->keys[k];
        size_t found = 0;
        for (size_t i = 0; i < count; i++)
            found += virtual_key_position(key, columns[i]) < key->column_count;
        if (key->dataset == dataset && key->kind != VIRTUAL_FOREIGN && key->column_count == count &&
            found == count)
            return key;
    }
    return NULL;
}

/* Do the two columns show values that can be equated: both clear, or tokens of one domain? */
static bool comparable(const struct model_granted *a, const struct model_granted *b)
{
    if (a->form != b->form || a->form == POLICY_FORM_MASKED)
        return false;
    return a->form == POLICY_FORM_CLEAR || strcmp(a->column->domain, b->column->domain) == 0;
}

static bool has_foreign_key(const struct virtual_view *view, const struct virtual_key *wanted)
{
    for (size_t k = 0; k < view->key_count; k++) {
        const struct virtual_key *key = &view->keys[k];
        if (key->kind == VIRTUAL_FOREIGN && key->dataset == wanted->dataset &&
            key->column_count == wanted->column_count &&
            memcmp(key->columns, wanted->columns, key->column_count * sizeof *key->columns) == 0)
            return true;
    }
    return false;
}

/* Columns that lead to a key of another table, or of the same. */
struct link {
    const struct catalog_column *const *columns, *const *parent_columns;
    size_t column_count;
};

/* Fills in the key of the dataset at `parent` that the link leads to; false where it, or an end, is
 * not shown, or not in a form that could be compared. */
static bool refer(const struct virtual_view *view, const struct link *link, size_t parent,
                  struct virtual_key *key)
{
    const struct model_grant *child = view->datasets[key->dataset].grant;
    const struct model_grant *grant = view->datasets[parent].grant;
    if (!find_columns(child, link->columns, link->column_count, key->columns) ||
        !find_columns(grant, link->parent_columns, link->column_count, key->parent_columns))
        return false;
    for (size_t i = 0; i < link->column_count; i++)
        if (!comparable(&child->columns[key->columns[i]], &grant->columns[key->parent_columns[i]]))
            return false;
    key->parent = parent;
    key->unique = unique_key(view, parent, key->parent_columns, link->column_count);
    return key->unique != NULL;
}

static void add_foreign_key(struct virtual_view *view, size_t dataset, const struct link *link,
                            const struct model_dataset *parent)
{
    size_t count = link->column_count;
    struct virtual_key key = {.dataset = dataset,
                              .columns = palloc0(count * sizeof *key.columns),
                              .column_count = count,
                              .kind = VIRTUAL_FOREIGN,
                              .parent_columns = palloc0(count * sizeof *key.parent_columns)};
    if (link->columns[0] == link->parent_columns[0])
        return;
    for (size_t p = 0; p < view->dataset_count; p++) {
        if (view->datasets[p].grant->dataset != parent || !refer(view, link, p, &key) ||
            has_foreign_key(view, &key))
            continue;
        key.index = key.unique->index;
        name_key(view, &key, "fkey");
        view->keys[view->key_count++] = key;
    }
}

static const struct model_dataset *find_dataset(const struct model *model, const char *name)
{
    for (size_t i = 0; i < model->dataset_count; i++)
        if (strcmp(model->datasets[i].policy->name, name) == 0)
            return &model->datasets[i];
    return NULL;
}

static const struct catalog_column *key_of_kind(const struct model_dataset *dataset,
                                                const char *column)
{
    for (size_t c = 0; dataset != NULL && c < dataset->column_count; c++)
        if (strcmp(dataset->columns[c].policy->name, column) == 0)
            return dataset->columns[c].catalog;
    return NULL;
}

/* What the policy says of how rows lead to people: the first step of a path, or the column that
 * holds the person's key. */
static void add_paths(struct virtual_view *view, size_t dataset)
{
    const struct model *model = view->build->model;
    const struct model_dataset *bound = view->datasets[dataset].grant->dataset;
    for (size_t s = 0; s < bound->subject_count; s++) {
        const struct model_subject *subject = &bound->subjects[s];
        const struct policy_kind *kind = &model->policy->kinds[subject->policy->kind];
        const struct model_dataset *parent = find_dataset(model, kind->dataset);
        const struct catalog_column *child = subject->key, *key = key_of_kind(parent, kind->key);
        if (subject->hop_count > 0) {
            parent = subject->hops[0].parent;
            child = subject->hops[0].child_column;
            key = subject->hops[0].parent_column;
        }
        if (key != NULL && parent != bound)
            add_foreign_key(view, dataset, &(struct link){&child, &key, 1}, parent);
    }
}

/* A foreign key of the database's own, to every dataset over the table that it refers to. */
static void add_declared(struct virtual_view *view, size_t dataset,
                         const struct catalog_link *declared)
{
    size_t count = declared->column_count;
    for (size_t p = 0; p < view->dataset_count; p++) {
        const struct model_dataset *parent = view->datasets[p].grant->dataset;
        if (parent->table->oid != declared->table)
            continue;
        const struct catalog_column **columns = palloc(count * sizeof *columns);
        for (size_t i = 0; i < count; i++)
            columns[i] = catalog_find_column(parent->table, declared->table_columns[i]);
        add_foreign_key(view, dataset, &(struct link){declared->columns, columns, count}, parent);
    }
}

static void add_links(struct virtual_view *view, size_t dataset)
{
    const struct catalog_table *table = view->datasets[dataset].grant->dataset->table;
    for (size_t k = 0; k < table->link_count; k++)
        add_declared(view, dataset, &table->links[k]);
}

/* As many keys as the grant can have at most: a foreign key may refer to several datasets. */
static size_t key_room(const struct model_grant *grant, size_t datasets)
{
    const struct catalog_table *table = grant->dataset->table;
    return grant->column_count + table->key_count + grant->dataset->subject_count +
           table->link_count * datasets;
}

struct virtual_view *virtual_collect(struct build *build)
{
    const struct plan_request *request = build->request;
    const struct model *model = build->model;
    struct virtual_view *view = palloc0(sizeof *view);
    size_t room = 1;
    view->build = build;
    view->datasets = palloc0((model->dataset_count + 1) * sizeof *view->datasets);
    for (size_t i = 0; i < model->dataset_count; i++) {
        const struct model_grant *grant =
            model_find_grant(request, model->datasets[i].policy->name);
        if (grant == NULL) /* it can be asked for: see decisions/0028 */
            grant = model_find_waiting(request, model->datasets[i].policy->name);
        if (grant == NULL)
            continue;
        view->datasets[view->dataset_count++].grant = grant;
        room += key_room(grant, model->dataset_count);
    }
    view->keys = palloc0(room * sizeof *view->keys);
    view->oids = palloc0((2 * view->dataset_count + 2 * room) * sizeof *view->oids);
    for (size_t i = 0; i < view->dataset_count; i++)
        view->datasets[i].oid = take_oid(view, "dataset", virtual_dataset_name(view, i), "");
    for (size_t i = 0; i < view->dataset_count; i++)
        view->datasets[i].row_type = take_oid(view, "type", virtual_dataset_name(view, i), "");
    for (size_t i = 0; i < view->dataset_count; i++)
        add_unique_keys(view, i);
    for (size_t i = 0; i < view->dataset_count; i++)
        add_paths(view, i);
    for (size_t i = 0; i < view->dataset_count; i++)
        add_links(view, i);
    return view;
}
