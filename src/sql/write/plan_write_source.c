/* The source of a write: a SELECT over fences that gives the rows to update or delete, with their
 * new values, or the rows to insert. A row's place is asked for by two literals that no statement
 * can hold, so that it comes through whatever is put around the query; once all is resolved they
 * become the row's ctid and tableoid. So do the subject keys of rows that will be gone. */
#include <string.h>

#include "sql/write/plan_write.h"

enum status plan_write_select(struct build *build, SelectStmt **select, bool top,
                              struct level **level)
{
    TRY(plan_select(build, select, NULL, top, level));
    return top ? settle_finish(*level, select) : STATUS_OK;
}

enum status plan_write_not_granted(struct build *build, RangeVar *range)
{
    SelectStmt *select = rewrite_new(SelectStmt);
    struct level *level;
    select->fromClause = list_make1(copyObject(range));
    TRY(plan_write_select(build, &select, false, &level));
    return plan_refuse(build, "42P01", "SHOW cofferdam.datasets lists what is granted.",
                       "dataset \"%s\" is not granted", range->relname);
}

enum status plan_write_fence(struct write *write, const struct level *level, struct fence **fence)
{
    const struct relation *first = level->relation_count == 0 ? NULL : level->relations[0];
    if (first == NULL || first->fence == NULL || first->fence->grant != write->grant)
        return plan_refuse(write->build, "42P01", "Give the WITH query another name.",
                           "\"%s\" is not the dataset here, so it cannot be written",
                           write->range->relname);
    *fence = first->fence;
    return STATUS_OK;
}

static void add_name(struct write *write, const char *name)
{
    write->source_names = lappend(write->source_names, makeString(pstrdup(name)));
}

/* ---- values ---- */

static bool forbidden_walker(Node *node, void *context)
{
    if (node == NULL)
        return false;
    if (IsA(node, SetToDefault) || IsA(node, GroupingFunc) ||
        (IsA(node, FuncCall) && ((FuncCall *)node)->over != NULL))
        return true;
    return raw_expression_tree_walker(node, forbidden_walker, context);
}

static enum status check_value(struct write *write, Node *value, const char *place)
{
    if (IsA(value, MultiAssignRef))
        return plan_refuse(write->build, "0A000", "Write column = value for each of them.",
                           "setting several columns at once is not supported");
    if (forbidden_walker(value, NULL) || resolve_has_aggregate(NULL, value))
        return plan_refuse(write->build, "42803", "Compute the value in a sub-select in FROM.",
                           "aggregates, window functions and DEFAULT within an expression are not "
                           "allowed in %s",
                           place);
    return STATUS_OK;
}

static enum status add_column(struct write *write, const ResTarget *target, bool update)
{
    struct write_column *column = &write->columns[write->column_count];
    TRY(plan_write_column(write, target, update, &column->granted));
    for (size_t i = 0; i < write->column_count; i++)
        if (write->columns[i].granted == column->granted)
            return plan_refuse(write->build, "42701", "Write each column once.",
                               "column \"%s\" is written more than once", target->name);
    write->column_count++;
    return STATUS_OK;
}

static void add_value(struct write *write, SelectStmt *source, struct write_column *column,
                      Node *value)
{
    column->value = plan_hidden_name();
    value = plan_write_cast(column->granted, value);
    source->targetList = lappend(source->targetList, rewrite_target(value, column->value));
    add_name(write, column->value);
    write->value_count++;
}

/* ---- UPDATE and DELETE ---- */

/* What stands in for the row's place and, where it will be gone, for the keys of its people. */
static size_t placed_count(const struct write *write)
{
    bool deleted = write->change == PLAN_CHANGE_DELETE;
    return 2 + (deleted ? write->grant->dataset->subject_count : 0);
}

static const char *placed_name(const struct write *write, size_t index)
{
    return index == 0 ? write->row : index == 1 ? write->part : write->after_keys[index - 2];
}

static void add_places(struct write *write, SelectStmt *source)
{
    size_t subjects = write->grant->dataset->subject_count;
    write->after_keys = palloc0((subjects + 1) * sizeof *write->after_keys);
    for (size_t s = 0; s < subjects; s++)
        write->after_keys[s] = plan_hidden_name();
    for (size_t i = 0; i < placed_count(write); i++) {
        const char *name = placed_name(write, i);
        source->targetList = lappend(source->targetList, rewrite_target(rewrite_text(name), name));
        add_name(write, name);
    }
}

struct placing {
    const struct write *write;
    const char *alias; /* of the dataset, as the rewritten text calls it */
    size_t placed;
};

static bool is_literal(const Node *node, const char *text)
{
    while (IsA(node, TypeCast))
        node = ((const TypeCast *)node)->arg;
    return IsA(node, A_Const) && !((const A_Const *)node)->isnull &&
           IsA(&((const A_Const *)node)->val, String) &&
           strcmp(((const A_Const *)node)->val.sval.sval, text) == 0;
}

static bool place_walker(Node *node, void *context)
{
    struct placing *placing = context;
    if (node == NULL)
        return false;
    if (IsA(node, ResTarget) && ((ResTarget *)node)->val != NULL) {
        const struct write *write = placing->write;
        ResTarget *target = (ResTarget *)node;
        for (size_t i = 0; i < placed_count(write); i++) {
            const char *name = placed_name(write, i);
            if (!is_literal(target->val, name))
                continue;
            target->val = rewrite_column(placing->alias, i < 2 ? name : write->target->keys[i - 2]);
            placing->placed++;
            return false;
        }
    }
    return raw_expression_tree_walker(node, place_walker, context);
}

/* The dataset is the first of FROM; its fence shows where each row stands. */
static enum status place_rows(struct write *write)
{
    struct relation *relation = write->source_level->relations[0];
    struct placing placing = {.write = write, .alias = relation->alias};
    List *targets = write->target->select->targetList;
    targets = lappend(targets, rewrite_target(rewrite_column("t0", "ctid"), write->row));
    targets = lappend(targets, rewrite_target(rewrite_column("t0", "tableoid"), write->part));
    write->target->select->targetList = targets;
    (void)place_walker((Node *)write->source, &placing);
    if (placing.placed != placed_count(write))
        return plan_refuse(write->build, "XX000", "Write the statement in another way.",
                           "the statement could not be rewritten exactly");
    return STATUS_OK;
}

static enum status source_of_rows(struct write *write, SelectStmt *source, List *others)
{
    source->fromClause = list_concat(list_make1(copyObject(write->range)), others);
    add_places(write, source);
    write->source = source;
    TRY(plan_write_select(write->build, &write->source, true, &write->source_level));
    TRY(plan_write_fence(write, write->source_level, &write->target));
    return place_rows(write);
}

static enum status source_of_update(struct write *write, UpdateStmt *update)
{
    SelectStmt *source = rewrite_new(SelectStmt);
    size_t count = (size_t)list_length(update->targetList);
    write->columns = palloc0((count + 1) * sizeof *write->columns);
    ListCell *cell;
    foreach (cell, update->targetList) {
        ResTarget *target = lfirst_node(ResTarget, cell);
        TRY(add_column(write, target, true));
        if (IsA(target->val, SetToDefault))
            continue;
        TRY(check_value(write, target->val, "SET"));
        add_value(write, source, &write->columns[write->column_count - 1], target->val);
    }
    source->whereClause = update->whereClause;
    source->withClause = update->withClause;
    return source_of_rows(write, source, update->fromClause);
}

/* What a DELETE returns is read before it: the values are the same. */
static enum status source_of_delete(struct write *write, DeleteStmt *delete)
{
    SelectStmt *source = rewrite_new(SelectStmt);
    source->targetList = list_copy(write->returning);
    source->whereClause = delete->whereClause;
    source->withClause = delete->withClause;
    TRY(source_of_rows(write, source, delete->usingClause));
    /* "*" may have become many. */
    write->source_level->target_count -= placed_count(write);
    write->value_count = write->source_level->target_count;
    write->source_names = NIL;
    for (size_t i = 0; i < write->value_count; i++)
        add_name(write, plan_hidden_name());
    for (size_t i = 0; i < placed_count(write); i++)
        add_name(write, placed_name(write, i));
    return STATUS_OK;
}

/* ---- INSERT ---- */

static bool all_default(const List *rows, size_t index)
{
    ListCell *cell;
    foreach (cell, rows)
        if (!IsA(list_nth(lfirst(cell), (int)index), SetToDefault))
            return false;
    return true;
}

static enum status check_rows(struct write *write, const List *rows)
{
    ListCell *row;
    foreach (row, rows) {
        if ((size_t)list_length(lfirst(row)) != write->column_count)
            return plan_refuse(write->build, "42601", "Write a value for each column.",
                               "INSERT names %zu columns, and a row has %d values",
                               write->column_count, list_length(lfirst(row)));
        for (size_t i = 0; i < write->column_count; i++) {
            Node *value = list_nth(lfirst(row), (int)i);
            if (IsA(value, SetToDefault) && all_default(rows, i))
                continue;
            if (IsA(value, SetToDefault))
                return plan_refuse(write->build, "0A000",
                                   "Insert such rows in a statement of their "
                                   "own, without the column.",
                                   "DEFAULT in some rows but not in others is not supported");
            TRY(check_value(write, value, "VALUES"));
        }
    }
    return STATUS_OK;
}

/* One row's values, resolved. Sub-selects would have lineage of a row, which VALUES cannot carry.
 */
static enum status resolve_row(struct write *write, const List *values, bool alone,
                               SelectStmt **out)
{
    SelectStmt *select = rewrite_new(SelectStmt);
    size_t fences = write->build->fence_count;
    struct level *level;
    for (size_t i = 0; i < write->column_count; i++) {
        Node *value = plan_write_cast(write->columns[i].granted, list_nth(values, (int)i));
        if (write->columns[i].value != NULL)
            select->targetList =
                lappend(select->targetList, rewrite_target(value, write->columns[i].value));
    }
    *out = select;
    TRY(plan_write_select(write->build, out, alone, &level));
    if (!alone && write->build->fence_count > fences)
        return plan_refuse(write->build, "0A000", "Insert the rows one by one, or use SELECT.",
                           "sub-selects in one of several rows of VALUES are not supported");
    write->source_level = level;
    return STATUS_OK;
}

static List *values_of(const SelectStmt *select, size_t count)
{
    List *values = NIL;
    for (size_t i = 0; i < count; i++)
        values = lappend(values, list_nth_node(ResTarget, select->targetList, (int)i)->val);
    return values;
}

static enum status source_of_values(struct write *write, const List *rows)
{
    TRY(check_rows(write, rows));
    for (size_t i = 0; i < write->column_count; i++) {
        if (all_default(rows, i))
            continue;
        write->columns[i].value = plan_hidden_name();
        add_name(write, write->columns[i].value);
        write->value_count++;
    }
    if (write->value_count == 0)
        return plan_refuse(write->build, "0A000", "Give a value to one column at least.",
                           "inserting a row of defaults alone is not supported");
    if (list_length(rows) == 1)
        return resolve_row(write, linitial(rows), true, &write->source);
    SelectStmt *source = rewrite_new(SelectStmt);
    ListCell *cell;
    foreach (cell, rows) {
        SelectStmt *select;
        TRY(resolve_row(write, lfirst(cell), false, &select));
        source->valuesLists = lappend(source->valuesLists, values_of(select, write->value_count));
    }
    write->source = source;
    return STATUS_OK;
}

static bool has_star(const List *targets)
{
    ListCell *cell;
    foreach (cell, targets)
        if (rewrite_is_star(lfirst_node(ResTarget, cell)->val))
            return true;
    return false;
}

/* As PostgreSQL does it: a literal among the outputs takes the type of its column. */
static void cast_targets(struct write *write, SelectStmt *select)
{
    if (select->op != SETOP_NONE || has_star(select->targetList))
        return;
    for (size_t i = 0; i < write->column_count && i < (size_t)list_length(select->targetList);
         i++) {
        ResTarget *target = list_nth_node(ResTarget, select->targetList, (int)i);
        target->val = plan_write_cast(write->columns[i].granted, target->val);
    }
}

static enum status source_of_select(struct write *write, SelectStmt *select)
{
    cast_targets(write, select);
    write->source = select;
    TRY(plan_write_select(write->build, &write->source, true, &write->source_level));
    write->value_count = write->source_level->target_count;
    if (write->value_count != write->column_count)
        return plan_refuse(write->build, "42601", "Write a value for each column.",
                           "INSERT names %zu columns, and its query gives %zu", write->column_count,
                           write->value_count);
    for (size_t i = 0; i < write->column_count; i++) {
        write->columns[i].value = plan_hidden_name();
        add_name(write, write->columns[i].value);
    }
    return STATUS_OK;
}

static enum status insert_columns(struct write *write, const InsertStmt *insert)
{
    if (insert->cols == NIL)
        return plan_refuse(write->build, "0A000",
                           psprintf("INSERT INTO %s (%s) …", write->grant->dataset->policy->name,
                                    plan_write_list(write->grant, false)),
                           "INSERT without a list of columns is not supported");
    if (insert->override != OVERRIDING_NOT_SET)
        return plan_refuse(write->build, "0A000", "Leave it out.", "OVERRIDING is not supported");
    if (insert->selectStmt == NULL)
        return plan_refuse(write->build, "0A000", "Give a value to one column at least.",
                           "DEFAULT VALUES is not supported");
    write->columns = palloc0(((size_t)list_length(insert->cols) + 1) * sizeof *write->columns);
    ListCell *cell;
    foreach (cell, insert->cols)
        TRY(add_column(write, lfirst_node(ResTarget, cell), false));
    return STATUS_OK;
}

static bool plain_values(const SelectStmt *select)
{
    return select->valuesLists != NIL && select->sortClause == NIL && select->limitCount == NULL &&
           select->limitOffset == NULL && select->withClause == NULL;
}

static enum status source_of_insert(struct write *write, InsertStmt *insert)
{
    SelectStmt *select = castNode(SelectStmt, insert->selectStmt);
    TRY(insert_columns(write, insert));
    if (insert->withClause != NULL && select != NULL && select->withClause != NULL)
        return plan_refuse(write->build, "0A000", "Put all of them into the first WITH.",
                           "WITH before INSERT and again in its query is not supported");
    if (insert->withClause != NULL)
        select->withClause = insert->withClause;
    if (plain_values(select))
        TRY(source_of_values(write, select->valuesLists));
    else
        TRY(source_of_select(write, select));
    return plan_write_conflict(write, insert->onConflictClause);
}

enum status plan_write_source(struct write *write, Node *statement)
{
    switch (nodeTag(statement)) {
    case T_InsertStmt:
        return source_of_insert(write, (InsertStmt *)statement);
    case T_UpdateStmt:
        return source_of_update(write, (UpdateStmt *)statement);
    default:
        return source_of_delete(write, (DeleteStmt *)statement);
    }
}
