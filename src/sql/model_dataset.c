/* Binding datasets: tables, columns, and the paths to subjects. A path must lead each row to at
 * most one parent (a unique column), or rows would multiply and lineage be wrong. */
#include <string.h>

#include "sql/model_private.h"
#include "sql/plan_build.h"

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

/* Whoever's row stands on the way must be a subject of this dataset too: deleting it hides the
 * rows behind it. */
static enum status check_on_the_way(const struct model *model, const struct model_dataset *dataset,
                                    const struct model_dataset *parent, struct error *error)
{
    for (size_t p = 0; p < parent->policy->subject_count; p++) {
        size_t kind = parent->policy->subjects[p].kind;
        bool covered = false;
        for (size_t s = 0; s < dataset->policy->subject_count; s++)
            covered = covered || dataset->policy->subjects[s].kind == kind;
        if (!covered)
            return invalid(model, dataset->policy, error, "List that subject here as well.",
                           "its path leads over dataset %s, which is also about %s",
                           parent->policy->name, model->policy->kinds[kind].name);
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
        TRY(check_on_the_way(model, dataset, at, error));
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
