/* What each partner sees of each column, for `cofferdam check`. */
#include <string.h>

#include "sql/model/model_private.h"

enum { DESCRIPTION_BYTES = 16 * 1024 * 1024 };

static const struct model_granted *find_granted(const struct model_grant *grant, size_t column)
{
    for (size_t i = 0; i < grant->column_count; i++)
        if (grant->columns[i].column == &grant->dataset->columns[column])
            return &grant->columns[i];
    return NULL;
}

static const char *form_name(const struct model_granted *granted)
{
    if (granted == NULL)
        return "hidden";
    return granted->form == POLICY_FORM_CLEAR    ? "clear"
           : granted->form == POLICY_FORM_MASKED ? "masked"
                                                 : "token";
}

static void describe_note(struct table *table, struct table_row *row,
                          const struct model_grant *grant, const struct model_granted *granted)
{
    if (granted == NULL)
        return;
    if (granted->policy->justification != NULL)
        table_set(table, row, 9, "justified: %s", granted->policy->justification);
    else if (granted->form == POLICY_FORM_TOKEN)
        table_set(table, row, 9, "token domain %s", granted->column->domain);
    else if (grant->policy->agent != NULL)
        table_set(table, row, 9, "for agent %s only", grant->policy->agent);
    else if (grant->policy->rows != NULL)
        table_set(table, row, 9, "rows: %s", grant->policy->rows);
}

static bool holds(const size_t *columns, size_t count, size_t column)
{
    for (size_t i = 0; i < count; i++)
        if (columns[i] == column)
            return true;
    return false;
}

/* "update insert delete": of the column; rows are deleted with every column. */
static void describe_write(struct table *table, struct table_row *row,
                           const struct model_grant *grant, size_t column)
{
    const struct policy_write *write = &grant->policy->write;
    bool update = holds(write->update, write->update_count, column);
    bool insert = holds(write->insert, write->insert_count, column);
    if (update || insert || write->deletes)
        table_set(table, row, 8, "%s%s%s%s%s", update ? "update" : "", update && insert ? " " : "",
                  insert ? "insert" : "", (update || insert) && write->deletes ? " " : "",
                  write->deletes ? "delete" : "");
}

static void describe_column(struct table *table, const struct model_grant *grant, size_t index)
{
    const struct model_column *column = &grant->dataset->columns[index];
    const struct model_granted *granted = find_granted(grant, index);
    struct table_row *row = table_add(table);
    table_set(table, row, 0, "%s", grant->partner->name);
    table_set(table, row, 1, "%s", grant->dataset->policy->name);
    table_set(table, row, 2, "%s", column->policy->name);
    table_set(table, row, 3, "%s", column->catalog->type_name);
    if (column->policy->category != NULL)
        table_set(table, row, 4, "%s", column->policy->category);
    table_set(table, row, 5, "%s", form_name(granted));
    if (granted != NULL && granted->policy->mask != NULL)
        table_set(table, row, 6, "%s", granted->policy->mask);
    bool sensitive = granted != NULL && column->policy->category != NULL &&
                     policy_category_sensitive(column->policy->category);
    table_set(table, row, 7, "%s", sensitive ? "yes" : "no");
    describe_write(table, row, grant, index);
    describe_note(table, row, grant, granted);
}

void model_describe(const struct model *model, struct table *table)
{
    static const char *const columns[] = {"partner",  "dataset", "column", "type",
                                          "category", "form",    "mask",   "sensitive",
                                          "writable", "note",    NULL};
    table_init(table, DESCRIPTION_BYTES, columns);
    for (size_t g = 0; g < model->grant_count; g++)
        for (size_t c = 0; c < model->grants[g].dataset->column_count; c++)
            describe_column(table, &model->grants[g], c);
}
