/* Binding what a grant lets a partner write: to a table, of types that we can give a literal. */
#include <string.h>

#include "sql/allow/allow.h"
#include "sql/model/model_private.h"

static const char *const types[] = {"bool",     "int2",   "int4",   "int8",      "numeric",
                                    "float4",   "float8", "text",   "varchar",   "bpchar",
                                    "date",     "time",   "timetz", "timestamp", "timestamptz",
                                    "interval", "uuid",   "bytea",  "json",      "jsonb"};

const char *model_write_type(const struct catalog_column *column)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (allow_type(types[i]) == column->type_oid)
            return types[i];
    return NULL;
}

static enum status invalid(const struct model_grant *grant, const struct policy *policy,
                           const char *column, const char *hint, const char *what,
                           struct error *error)
{
    return error_set(error, STATUS_INVALID, "F0000", hint, "%s:%d: partner %s, dataset %s%s%s: %s",
                     policy->path == NULL ? "policy" : policy->path, grant->policy->line,
                     grant->partner->name, grant->dataset->policy->name,
                     column == NULL ? "" : ", column ", column == NULL ? "" : column, what);
}

/* Also where only another dataset over the same table has it on its way to people. */
static bool leads_to_people(const struct model *model, const struct model_column *column)
{
    for (size_t d = 0; d < model->dataset_count; d++) {
        const struct model_dataset *dataset = &model->datasets[d];
        for (size_t s = 0; s < dataset->subject_count; s++) {
            const struct model_subject *subject = &dataset->subjects[s];
            if (subject->key == column->catalog)
                return true;
            for (size_t h = 0; h < subject->hop_count; h++)
                if (subject->hops[h].child_column == column->catalog ||
                    subject->hops[h].parent_column == column->catalog)
                    return true;
        }
    }
    return column->links;
}

static enum status check_columns(const struct model *model, const struct model_grant *grant,
                                 const size_t *columns, size_t count, bool update,
                                 struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        const struct model_column *column = &grant->dataset->columns[columns[i]];
        if (model_write_type(column->catalog) == NULL)
            return invalid(grant, model->policy, column->policy->name,
                           "Leave it out of write: numbers, text, dates, uuid, bytea and json can "
                           "be written.",
                           "values of its type cannot be written", error);
        if (update && leads_to_people(model, column))
            return invalid(grant, model->policy, column->policy->name,
                           "Leave it out of write: update.",
                           "rows lead to people by it, so it cannot be updated", error);
    }
    return STATUS_OK;
}

enum status model_check_write(const struct model *model, const struct model_grant *grant,
                              struct error *error)
{
    const struct policy_write *write = &grant->policy->write;
    char kind = grant->dataset->table->kind;
    if (!policy_writes(grant->policy))
        return STATUS_OK;
    if (kind != 'r' && kind != 'p')
        return invalid(grant, model->policy, NULL, "Leave write out.",
                       "only tables can be written, no views and no foreign tables", error);
    TRY(check_columns(model, grant, write->update, write->update_count, true, error));
    return check_columns(model, grant, write->insert, write->insert_count, false, error);
}
