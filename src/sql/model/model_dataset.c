/* Binding datasets: tables, columns, and the paths to subjects. A path must lead each row to at
 * most one parent (a unique column), or rows would multiply and lineage be wrong. */
#include <string.h>

#include "sql/model/model_private.h"
#include "sql/plan/plan_build.h"

static enum status invalid(const struct model *model, const struct policy_dataset *dataset,
                           struct error *error, const char *hint, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

static enum status invalid(const struct model *model, const struct policy_dataset *dataset,
                           struct error *error, const char *hint, const char *format, ...)
{
    char text[300];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return error_set(error, STATUS_INVALID, "F0000", hint, "%s:%d: dataset %s: %s",
                     model->policy->path == NULL ? "policy" : model->policy->path, dataset->line,
                     dataset->name, text);
}

static enum status find_column(const struct model *model, const struct model_dataset *dataset,
                               const struct model_dataset *where, const char *name,
                               const struct catalog_column **out, struct error *error)
{
    *out = catalog_find_column(where->table, name);
    if (*out == NULL)
        return invalid(model, dataset->policy, error, "Was it renamed or dropped?",
                       "table %s.%s has no column \"%s\"", where->table->schema, where->table->name,
                       name);
    return STATUS_OK;
}

static enum status bind_table(struct model *model, struct model_dataset *dataset,
                              struct error *error)
{
    const struct policy_dataset *policy = dataset->policy;
    dataset->table = catalog_find(model->catalog, policy->schema, policy->table);
    if (dataset->table == NULL)
        return invalid(model, policy, error, "Was it renamed, or may the upstream role not see it?",
                       "there is no table %s.%s", policy->schema, policy->table);
    dataset->column_count = policy->column_count;
    dataset->columns = arena_array(&model->arena, struct model_column, policy->column_count + 1);
    if (dataset->columns == NULL)
        return STATUS_NOMEM;
    for (size_t i = 0; i < policy->column_count; i++) {
        dataset->columns[i].policy = &policy->columns[i];
        TRY(find_column(model, dataset, dataset, policy->columns[i].name,
                        &dataset->columns[i].catalog, error));
    }
    return STATUS_OK;
}

static bool is_key_type(uint32_t type)
{
    return type == TYPE_INT2 || type == TYPE_INT4 || type == TYPE_INT8 || type == TYPE_UUID ||
           type == TYPE_TEXT || type == TYPE_VARCHAR;
}

static enum status check_key(const struct model *model, const struct model_dataset *dataset,
                             const struct catalog_column *key, struct error *error)
{
    if (!is_key_type(key->type_oid))
        return invalid(model, dataset->policy, error,
                       "Subject keys are of type smallint, integer, bigint, uuid, text or varchar.",
                       "subject key \"%s\" is of type %s", key->name, key->type_name);
    if (!key->deterministic)
        return invalid(model, dataset->policy, error, "Different texts would be one person.",
                       "subject key \"%s\" has a nondeterministic collation", key->name);
    return STATUS_OK;
}

static enum status bind_hop(struct model *model, struct model_dataset *dataset,
                            const struct model_dataset *child, const struct policy_hop *policy,
                            struct model_hop *hop, struct error *error)
{
    hop->parent = &model->datasets[policy->dataset];
    TRY(find_column(model, dataset, child, policy->child_column, &hop->child_column, error));
    TRY(find_column(model, dataset, hop->parent, policy->parent_column, &hop->parent_column,
                    error));
    if (!hop->parent_column->unique)
        return invalid(model, dataset->policy, error,
                       "A hop leads to a column with a unique index of its own.",
                       "column \"%s\" of dataset %s is not unique", policy->parent_column,
                       hop->parent->policy->name);
    if (hop->child_column->type_oid != hop->parent_column->type_oid &&
        resolve_common_type(hop->child_column->type_oid, hop->parent_column->type_oid) == 0)
        return invalid(model, dataset->policy, error, NULL,
                       "columns \"%s\" and \"%s\" of a hop are of different types",
                       policy->child_column, policy->parent_column);
    hop->sure =
        hop->child_column->not_null &&
        catalog_refers(child->table, hop->child_column, hop->parent->table, hop->parent_column);
    return STATUS_OK;
}

/* A key at the end of hops: the first of one subject's, then all of another's. */
struct way {
    const struct policy_hop *first, *then;
    size_t first_count, count;
    const char *key;
};

static const struct policy_hop *hop_of(const struct way *way, size_t index)
{
    return index < way->first_count ? &way->first[index] : &way->then[index - way->first_count];
}

/* The table that a way has come to after some of its hops. */
static const struct catalog_table *table_at(const struct model *model,
                                            const struct model_dataset *from, const struct way *way,
                                            size_t hops)
{
    return hops == 0 ? from->table : model->datasets[hop_of(way, hops - 1)->dataset].table;
}

static bool last_hop_holds(const struct model *model, const struct model_dataset *from,
                           const struct way *way)
{
    const struct policy_hop *hop = hop_of(way, way->count - 1);
    const struct catalog_table *child = table_at(model, from, way, way->count - 1);
    const struct catalog_table *parent = table_at(model, from, way, way->count);
    const struct catalog_column *own = catalog_find_column(child, hop->child_column);
    const struct catalog_column *key = catalog_find_column(parent, hop->parent_column);
    return own != NULL && key != NULL && catalog_refers(child, own, parent, key);
}

/* The column that the last hop leads to is what the child has as well, if the parent's row is
 * there. surely: only where it always is. */
static void shorten(const struct model *model, const struct model_dataset *from, bool surely,
                    struct way *way)
{
    while (way->count > 0 && strcmp(hop_of(way, way->count - 1)->parent_column, way->key) == 0 &&
           (!surely || last_hop_holds(model, from, way))) {
        way->key = hop_of(way, way->count - 1)->child_column;
        way->count--;
    }
}

static bool same_way(const struct model *model, const struct model_dataset *from,
                     const struct way *a, const struct way *b)
{
    if (a->count != b->count || strcmp(a->key, b->key) != 0)
        return false;
    for (size_t h = 0; h < a->count; h++) {
        const struct policy_hop *left = hop_of(a, h), *right = hop_of(b, h);
        if (table_at(model, from, a, h + 1) != table_at(model, from, b, h + 1) ||
            strcmp(left->child_column, right->child_column) != 0 ||
            strcmp(left->parent_column, right->parent_column) != 0)
            return false;
    }
    return true;
}

static bool covers(const struct model *model, const struct model_dataset *from, struct way listed,
                   struct way wanted)
{
    if (same_way(model, from, &listed, &wanted))
        return true;
    shorten(model, from, true, &listed);
    shorten(model, from, false, &wanted);
    return same_way(model, from, &listed, &wanted);
}

/* Does the dataset list whom its rows lead to this way? */
static bool lists(const struct model *model, const struct model_dataset *dataset, size_t kind,
                  const struct way *wanted)
{
    for (size_t s = 0; s < dataset->policy->subject_count; s++) {
        const struct policy_subject *subject = &dataset->policy->subjects[s];
        struct way way = {.first = subject->hops,
                          .first_count = subject->hop_count,
                          .count = subject->hop_count,
                          .key = subject->key};
        if (subject->kind == kind && covers(model, dataset, way, *wanted))
            return true;
    }
    return false;
}

/* Whoever's row stands on the way must be a subject of this dataset too, found over that very row:
 * deleting it hides the rows behind it, or whom they are about. */
static enum status check_on_the_way(const struct model *model, const struct model_dataset *dataset,
                                    const struct policy_subject *subject, size_t hops,
                                    struct error *error)
{
    const struct model_dataset *parent = &model->datasets[subject->hops[hops - 1].dataset];
    for (size_t p = 0; p < parent->policy->subject_count; p++) {
        const struct policy_subject *other = &parent->policy->subjects[p];
        struct way way = {.first = subject->hops,
                          .then = other->hops,
                          .first_count = hops,
                          .count = hops + other->hop_count,
                          .key = other->key};
        if (!lists(model, dataset, other->kind, &way))
            return invalid(model, dataset->policy, error,
                           "List that subject here as well, over the same path.",
                           "its path leads over dataset %s, which is also about %s",
                           parent->policy->name, model->policy->kinds[other->kind].name);
    }
    return STATUS_OK;
}

static enum status bind_subject(struct model *model, struct model_dataset *dataset, size_t index,
                                struct error *error)
{
    const struct policy_subject *policy = &dataset->policy->subjects[index];
    struct model_subject *subject = &dataset->subjects[index];
    struct model_hop *hops = arena_array(&model->arena, struct model_hop, policy->hop_count + 1);
    const struct model_dataset *at = dataset;
    bool sure = true;
    if (hops == NULL)
        return STATUS_NOMEM;
    *subject = (struct model_subject){.policy = policy,
                                      .hops = hops,
                                      .hop_count = policy->hop_count,
                                      .hides = policy->when_null == POLICY_NULL_HIDE};
    for (size_t h = 0; h < policy->hop_count; h++) {
        TRY(bind_hop(model, dataset, at, &policy->hops[h], &hops[h], error));
        at = hops[h].parent;
        sure = sure && hops[h].sure;
        TRY(check_on_the_way(model, dataset, policy, h + 1, error));
    }
    TRY(find_column(model, dataset, at, policy->key, &subject->key, error));
    subject->never_null = sure && subject->key->not_null;
    return check_key(model, dataset, subject->key, error);
}

static enum status bind_subjects(struct model *model, struct model_dataset *dataset,
                                 struct error *error)
{
    size_t count = dataset->policy->subject_count, hops = 0;
    dataset->subjects = arena_array(&model->arena, struct model_subject, count + 1);
    if (dataset->subjects == NULL)
        return STATUS_NOMEM;
    dataset->subject_count = count;
    for (size_t s = 0; s < count; s++) {
        hops += dataset->policy->subjects[s].hop_count;
        TRY(bind_subject(model, dataset, s, error));
    }
    if (hops > 15)
        return invalid(model, dataset->policy, error, "Keep the key nearer to the rows.",
                       "its paths have more than 15 hops in all");
    return STATUS_OK;
}

/* The kind whose key this column is: in the dataset that lists them, or a child's own copy. */
static const struct policy_kind *kind_of(const struct model *model,
                                         const struct policy_dataset *dataset, const char *column)
{
    for (size_t k = 0; k < model->policy->kind_count; k++)
        if (strcmp(model->policy->kinds[k].dataset, dataset->name) == 0 &&
            strcmp(model->policy->kinds[k].key, column) == 0)
            return &model->policy->kinds[k];
    for (size_t s = 0; s < dataset->subject_count; s++)
        if (dataset->subjects[s].hop_count == 0 && strcmp(dataset->subjects[s].key, column) == 0)
            return &model->policy->kinds[dataset->subjects[s].kind];
    return NULL;
}

/* The hop that leaves from this column, of any dataset's path. */
static const struct policy_hop *hop_from(const struct model *model, size_t dataset,
                                         const char *column)
{
    for (size_t d = 0; d < model->policy->dataset_count; d++) {
        for (size_t s = 0; s < model->policy->datasets[d].subject_count; s++) {
            const struct policy_subject *subject = &model->policy->datasets[d].subjects[s];
            size_t at = d;
            for (size_t h = 0; h < subject->hop_count; h++) {
                if (at == dataset && strcmp(subject->hops[h].child_column, column) == 0)
                    return &subject->hops[h];
                at = subject->hops[h].dataset;
            }
        }
    }
    return NULL;
}

static bool hop_to(const struct model *model, size_t dataset, const char *column)
{
    for (size_t d = 0; d < model->policy->dataset_count; d++)
        for (size_t s = 0; s < model->policy->datasets[d].subject_count; s++)
            for (size_t h = 0; h < model->policy->datasets[d].subjects[s].hop_count; h++) {
                const struct policy_hop *hop = &model->policy->datasets[d].subjects[s].hops[h];
                if (hop->dataset == dataset && strcmp(hop->parent_column, column) == 0)
                    return true;
            }
    return false;
}

/* Columns that are equated along paths share a token domain, so that joins on tokens work. */
static void bind_domain(struct model *model, size_t dataset, struct model_column *column)
{
    enum { CHAIN_MAX = 16 }; /* of hops one after the other: a policy may go round in a circle */
    const char *name = column->policy->name;
    size_t at = dataset;
    const struct policy_kind *kind;
    column->links = hop_from(model, dataset, name) != NULL || hop_to(model, dataset, name) ||
                    kind_of(model, &model->policy->datasets[dataset], name) != NULL;
    for (int step = 0; step < CHAIN_MAX; step++) {
        kind = kind_of(model, &model->policy->datasets[at], name);
        if (kind != NULL) {
            column->domain = arena_printf(&model->arena, "kind:%s", kind->name);
            return;
        }
        const struct policy_hop *hop = hop_from(model, at, name);
        if (hop == NULL)
            break;
        at = hop->dataset;
        name = hop->parent_column;
    }
    column->domain = arena_printf(&model->arena, "%s.%s", model->policy->datasets[at].name, name);
}

enum status model_bind_datasets(struct model *model, struct error *error)
{
    const struct policy *policy = model->policy;
    model->datasets = arena_array(&model->arena, struct model_dataset, policy->dataset_count + 1);
    if (model->datasets == NULL)
        return STATUS_NOMEM;
    model->dataset_count = policy->dataset_count;
    for (size_t d = 0; d < policy->dataset_count; d++) {
        model->datasets[d].policy = &policy->datasets[d];
        TRY(bind_table(model, &model->datasets[d], error));
    }
    for (size_t d = 0; d < policy->dataset_count; d++) {
        TRY(bind_subjects(model, &model->datasets[d], error));
        for (size_t c = 0; c < model->datasets[d].column_count; c++)
            bind_domain(model, d, &model->datasets[d].columns[c]);
    }
    return STATUS_OK;
}
