/* ON CONFLICT: by named columns that the statement inserts; DO UPDATE sets columns that may be
 * updated to what was to be inserted or to constants, in rows that the row filter lets pass. It
 * reads nothing of the row that is there. That a row is in the way is one bit, also where it is
 * hidden: the gateway records it as a probe. */
#include <string.h>

#include "sql/plan/plan_explain.h"
#include "sql/write/plan_write.h"

static const struct write_column *inserted(const struct write *write, const char *name)
{
    for (size_t i = 0; i < write->column_count; i++)
        if (strcmp(write->columns[i].granted->column->policy->name, name) == 0)
            return &write->columns[i];
    return NULL;
}

static enum status conflict_target(struct write *write, const InferClause *infer, List **out)
{
    static const char hint[] = "ON CONFLICT (column, …), of columns that the statement inserts.";
    if (infer == NULL || infer->conname != NULL || infer->whereClause != NULL)
        return plan_refuse(write->build, "0A000", hint,
                           "this form of ON CONFLICT is not supported");
    ListCell *cell;
    foreach (cell, infer->indexElems) {
        const IndexElem *given = lfirst_node(IndexElem, cell);
        const struct write_column *column =
            given->name == NULL ? NULL : inserted(write, given->name);
        if (column == NULL || given->collation != NIL || given->opclass != NIL)
            return plan_refuse(write->build, "0A000", hint,
                               "this form of ON CONFLICT is not supported");
        IndexElem *element = rewrite_new(IndexElem);
        element->name = pstrdup(column->granted->column->catalog->name);
        *out = lappend(*out, element);
    }
    return STATUS_OK;
}

/* EXCLUDED.column: what this statement was about to insert. */
static const struct write_column *excluded(const struct write *write, const Node *value)
{
    const ColumnRef *reference = (const ColumnRef *)value;
    if (!IsA(value, ColumnRef) || list_length(reference->fields) != 2 ||
        !IsA(lsecond(reference->fields), String) ||
        strcmp(strVal(linitial(reference->fields)), "excluded") != 0)
        return NULL;
    return inserted(write, strVal(lsecond(reference->fields)));
}

static enum status conflict_value(struct write *write, const struct model_granted *granted,
                                  Node *value, Node **out)
{
    const struct write_column *column = excluded(write, value);
    if (column != NULL)
        *out = rewrite_column("excluded", column->granted->column->catalog->name);
    else if (IsA(value, A_Const) || IsA(value, ParamRef))
        *out = plan_write_cast(granted, value);
    else if (IsA(value, SetToDefault))
        *out = value;
    else
        return plan_refuse(write->build, "0A000",
                           "Set columns to EXCLUDED.column, a constant, a parameter or DEFAULT.",
                           "this expression is not supported in ON CONFLICT DO UPDATE");
    return STATUS_OK;
}

static enum status conflict_set(struct write *write, const List *targets, List **out)
{
    ListCell *cell;
    foreach (cell, targets) {
        const ResTarget *target = lfirst_node(ResTarget, cell);
        const struct model_granted *granted;
        Node *value = NULL;
        TRY(plan_write_column(write, target, true, &granted));
        TRY(conflict_value(write, granted, target->val, &value));
        *out = lappend(*out, rewrite_target(value, granted->column->catalog->name));
    }
    return STATUS_OK;
}

/* The row leads to somebody: a row of the next table, and of the one after it, with a key. */
static Node *leads_to_somebody(const struct model_subject *subject)
{
    SelectStmt *select = rewrite_new(SelectStmt);
    const char *child = "t0";
    Node *all = NULL;
    for (size_t h = 0; h < subject->hop_count; h++) {
        const struct model_hop *hop = &subject->hops[h];
        const char *alias = psprintf("p%zu", h);
        const struct catalog_table *table = hop->parent->table;
        select->fromClause =
            lappend(select->fromClause, rewrite_table(table->schema, table->name, alias));
        all =
            rewrite_and(all, rewrite_operator("=", rewrite_column(alias, hop->parent_column->name),
                                              rewrite_column(child, hop->child_column->name)));
        child = alias;
    }
    select->whereClause =
        rewrite_and(all, rewrite_not_null(rewrite_column(child, subject->key->name)));
    select->targetList = list_make1(rewrite_target(rewrite_integer(1), NULL));
    return rewrite_sublink(EXISTS_SUBLINK, select);
}

/* The row that is there must be one that the partner could have updated. */
static enum status conflict_filter(struct write *write, Node **out)
{
    const struct model_dataset *dataset = write->grant->dataset;
    Node *all = NULL;
    if (write->grant->policy->rows != NULL) {
        struct expression rows;
        TRY(mask_rewrite(write->build, dataset, write->grant->policy->rows, false, "a row filter",
                         &rows));
        all = rows.node;
    }
    for (size_t s = 0; s < dataset->subject_count; s++) {
        const struct model_subject *subject = &dataset->subjects[s];
        if (subject->hides && subject->hop_count > 0)
            all = rewrite_and(all, leads_to_somebody(subject));
        else if (subject->hides && !subject->key->not_null)
            all = rewrite_and(all, rewrite_not_null(rewrite_column("t0", subject->key->name)));
    }
    *out = all;
    return STATUS_OK;
}

enum status plan_write_conflict(struct write *write, const OnConflictClause *conflict)
{
    if (conflict == NULL)
        return STATUS_OK;
    OnConflictClause *out = rewrite_new(OnConflictClause);
    out->action = conflict->action;
    out->infer = rewrite_new(InferClause);
    TRY(conflict_target(write, conflict->infer, &out->infer->indexElems));
    if (conflict->action == ONCONFLICT_UPDATE) {
        if (write->grant->policy->write.update_count == 0) {
            plan_explain_no_write(write->build, write->grant->dataset, PLAN_CHANGE_UPDATE, NULL);
            return plan_refuse(write->build, "42501", "Ask the data controller.",
                               "UPDATE on dataset \"%s\" is not granted",
                               write->grant->dataset->policy->name);
        }
        if (conflict->whereClause != NULL)
            return plan_refuse(write->build, "0A000", "Leave WHERE out.",
                               "WHERE in ON CONFLICT DO UPDATE is not supported");
        TRY(conflict_set(write, conflict->targetList, &out->targetList));
        TRY(conflict_filter(write, &out->whereClause));
    }
    write->conflict = out;
    return STATUS_OK;
}
