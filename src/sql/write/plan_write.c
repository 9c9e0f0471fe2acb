/* INSERT, UPDATE, DELETE: who may write what, and the steps from the statement to its plan.
 * Invariant: only columns that the grant's `write` lists are written, only in rows that the grant's
 * row filter lets pass before and after; a plan that writes always tells the gateway, row by row,
 * whether that was so. */
#include "sql/write/plan_write.h"

#include <string.h>

#include "sql/allow/allow.h"
#include "sql/plan/plan_explain.h"
#include "sql/plan/plan_standing.h"

static const char *const commands[] = {
    [PLAN_CHANGE_INSERT] = "INSERT",
    [PLAN_CHANGE_UPDATE] = "UPDATE",
    [PLAN_CHANGE_DELETE] = "DELETE",
};

/* ---- what may be written ---- */

static bool listed(const struct model_grant *grant, size_t column, bool update)
{
    const struct policy_write *may = &grant->policy->write;
    const size_t *columns = update ? may->update : may->insert;
    size_t count = update ? may->update_count : may->insert_count;
    for (size_t i = 0; i < count; i++)
        if (columns[i] == column)
            return true;
    return false;
}

const char *plan_write_list(const struct model_grant *grant, bool update)
{
    const struct policy_dataset *dataset = grant->dataset->policy;
    const char *text = NULL;
    for (size_t i = 0; i < dataset->column_count; i++)
        if (listed(grant, i, update))
            text = text == NULL ? dataset->columns[i].name
                                : psprintf("%s, %s", text, dataset->columns[i].name);
    return text;
}

static enum status refuse_column(struct write *write, const char *name, bool update)
{
    const char *columns = plan_write_list(write->grant, update);
    plan_explain_no_write(write->build, write->grant->dataset,
                          update ? PLAN_CHANGE_UPDATE : PLAN_CHANGE_INSERT, name);
    return plan_refuse(write->build, "42501",
                       columns == NULL ? "None of its columns is; ask the data controller."
                                       : psprintf("These can be: %s.", columns),
                       "column \"%s\" of dataset \"%s\" is not granted for %s", name,
                       write->grant->dataset->policy->name, update ? "UPDATE" : "INSERT");
}

enum status plan_write_column(struct write *write, const ResTarget *target, bool update,
                              const struct model_granted **granted)
{
    if (target->indirection != NIL)
        return plan_refuse(write->build, "0A000", "Write the whole value of the column.",
                           "writing a part of a column is not supported");
    for (size_t i = 0; i < write->grant->column_count; i++) {
        const struct model_granted *column = &write->grant->columns[i];
        if (strcmp(column->column->policy->name, target->name) == 0 &&
            listed(write->grant, column->policy->column, update)) {
            *granted = column;
            return STATUS_OK;
        }
    }
    return refuse_column(write, target->name, update);
}

Node *plan_write_cast(const struct model_granted *granted, Node *value)
{
    bool untyped = IsA(value, ParamRef) ||
                   (IsA(value, A_Const) &&
                    (((A_Const *)value)->isnull || IsA(&((A_Const *)value)->val, String)));
    if (!untyped)
        return value;
    return rewrite_cast(value, model_write_type(granted->column->catalog));
}

/* A dataset that is not granted is refused as in FROM: by what opens fences. */
static enum status find_grant(struct write *write)
{
    struct build *build = write->build;
    const struct plan_request *request = build->request;
    RangeVar *range = write->range;
    write->grant = model_find_grant(request, range->relname);
    if (write->grant == NULL)
        return plan_write_not_granted(build, range);
    const struct policy_write *may = &write->grant->policy->write;
    bool granted = write->change == PLAN_CHANGE_INSERT   ? may->insert_count > 0
                   : write->change == PLAN_CHANGE_UPDATE ? may->update_count > 0
                                                         : may->deletes;
    write->table = write->grant->dataset->table;
    plan_use_grant(build, write->grant->policy);
    if (granted)
        return STATUS_OK;
    plan_explain_no_write(build, write->grant->dataset, write->change, NULL);
    return plan_refuse(build, "42501", "Ask the data controller: nothing is writable by default.",
                       "%s on dataset \"%s\" is not granted to partner \"%s\"",
                       commands[write->change], range->relname, request->partner->name);
}

/* ---- the steps ---- */

static enum status begin(struct write *write, Node *statement)
{
    struct build *build = write->build;
    if (IsA(statement, InsertStmt)) {
        write->change = PLAN_CHANGE_INSERT;
        write->range = ((InsertStmt *)statement)->relation;
        write->returning = ((InsertStmt *)statement)->returningList;
    } else if (IsA(statement, UpdateStmt)) {
        write->change = PLAN_CHANGE_UPDATE;
        write->range = ((UpdateStmt *)statement)->relation;
        write->returning = ((UpdateStmt *)statement)->returningList;
    } else {
        write->change = PLAN_CHANGE_DELETE;
        write->range = ((DeleteStmt *)statement)->relation;
        write->returning = ((DeleteStmt *)statement)->returningList;
    }
    build->plan->kind = PLAN_QUERY;
    build->plan->command = commands[write->change];
    build->secrets = palloc0(2 * LIMIT_RELATIONS * sizeof *build->secrets);
    write->q = plan_hidden_name();
    write->w = plan_hidden_name();
    write->r = plan_hidden_name();
    write->row = plan_hidden_name();
    write->part = plan_hidden_name();
    return find_grant(write);
}

static bool forbidden_walker(Node *node, void *context)
{
    if (node == NULL)
        return false;
    if (IsA(node, SubLink) || IsA(node, GroupingFunc) ||
        (IsA(node, FuncCall) && ((FuncCall *)node)->over != NULL))
        return true;
    return raw_expression_tree_walker(node, forbidden_walker, context);
}

/* RETURNING tells of the rows that were written and of nothing else. */
static enum status check_returning(struct write *write)
{
    ListCell *cell;
    foreach (cell, write->returning) {
        Node *value = lfirst_node(ResTarget, cell)->val;
        if (forbidden_walker(value, NULL) || resolve_has_aggregate(NULL, value))
            return plan_refuse(write->build, "0A000", "Return the columns; compute afterwards.",
                               "sub-selects, aggregates and window functions are not supported in "
                               "RETURNING");
    }
    return STATUS_OK;
}

/* r: SELECT what is to be returned FROM the dataset, later read from w. */
static enum status plan_after(struct write *write)
{
    struct build *build = write->build;
    SelectStmt *select = rewrite_new(SelectStmt);
    RangeVar *range = copyObject(write->range);
    select->targetList = write->returning;
    select->fromClause = list_make1(range);
    write->after = select;
    build->written = true;
    enum status status =
        plan_write_select(build, &write->after, !write->from_source, &write->after_level);
    build->written = false;
    TRY(status);
    return plan_write_fence(write, write->after_level, &write->written);
}

/* What RETURNING reads is read of the same people as what the source read. */
static void share_reads(struct write *write)
{
    struct build *build = write->build;
    if (write->written == NULL)
        return;
    for (size_t i = 0; write->target != NULL && i < write->grant->column_count; i++)
        write->target->read[i] = write->target->read[i] || write->written->read[i];
    if (write->from_source)
        build->fence_count--; /* its keys are those of the source, or of written rows only */
}

static enum status close_fences(struct write *write)
{
    struct build *build = write->build;
    for (size_t i = 0; i < build->fence_count; i++)
        TRY(fence_close(build, build->fences[i]));
    return write->written != NULL && write->from_source ? fence_close(build, write->written)
                                                        : STATUS_OK;
}

/* ---- what the gateway is told ---- */

static int compare_columns(const void *a, const void *b)
{
    const struct plan_column *left = a, *right = b;
    return strcmp(left->column, right->column);
}

static struct plan_column *written_columns(struct write *write)
{
    struct arena *arena = &write->build->plan->arena;
    struct plan_column *columns = arena_array(arena, struct plan_column, write->column_count + 1);
    for (size_t i = 0; columns != NULL && i < write->column_count; i++) {
        const struct model_granted *granted = write->columns[i].granted;
        columns[i] = (struct plan_column){.dataset = write->grant->dataset->policy->name,
                                          .column = granted->column->policy->name,
                                          .category = granted->column->policy->category,
                                          .form = granted->form};
    }
    if (columns != NULL)
        qsort(columns, write->column_count, sizeof *columns, compare_columns);
    return columns;
}

static enum status keep_write(struct write *write)
{
    struct plan *plan = write->build->plan;
    const struct model_dataset *dataset = write->grant->dataset;
    struct plan_write *kept = arena_new(&plan->arena, struct plan_write);
    size_t *kinds = arena_array(&plan->arena, size_t, dataset->subject_count + 1);
    enum policy_when_null *when_null =
        arena_array(&plan->arena, enum policy_when_null, dataset->subject_count + 1);
    struct plan_column *columns = written_columns(write);
    if (kept == NULL || kinds == NULL || when_null == NULL || columns == NULL)
        return STATUS_NOMEM;
    for (size_t s = 0; s < dataset->subject_count; s++) {
        kinds[s] = dataset->subjects[s].policy->kind;
        when_null[s] = dataset->subjects[s].policy->when_null;
    }
    bool update = write->conflict != NULL && write->conflict->action == ONCONFLICT_UPDATE;
    *kept = (struct plan_write){.change = write->change,
                                .dataset = dataset->policy->name,
                                .table = dataset->table->oid,
                                .columns = columns,
                                .column_count = write->column_count,
                                .kinds = kinds,
                                .when_null = when_null,
                                .kind_count = dataset->subject_count,
                                .returning = write->returning != NIL,
                                .lineage_of_given =
                                    write->change == PLAN_CHANGE_INSERT && write->from_source,
                                .may_skip = write->conflict != NULL,
                                .skip_fails = update};
    plan->write = kept;
    /* What a group has written is read back as a value: no statistic, however large the group. */
    plan->statistic = plan->suppress_small = false;
    plan_explain(write->build, "write",
                 "%s on dataset %s, %zu columns; each row is held against "
                 "the row filter afterwards",
                 commands[write->change], dataset->policy->name, write->column_count);
    return STATUS_OK;
}

/* The columns that the client gets are those of RETURNING. */
static enum status keep_returning(struct write *write)
{
    struct level *level =
        write->change == PLAN_CHANGE_DELETE ? write->source_level : write->after_level;
    struct level none = {.target_count = 0};
    return plan_keep_names(write->build, write->returning == NIL ? &none : level);
}

static enum status finish(struct write *write)
{
    struct build *build = write->build;
    struct level *recorded = write->from_source ? write->source_level : write->after_level;
    TRY(close_fences(write));
    plan_explain_fences(build);
    TRY(plan_keep_secrets(build));
    TRY(plan_keep_tables(build));
    TRY(lineage_finish(recorded));
    TRY(keep_returning(write));
    return keep_write(write);
}

/* A LIMIT over groups is applied by the gateway, which sees rows too late to stop a write. */
static enum status check_limits(struct write *write)
{
    const struct plan *plan = write->build->plan;
    if (plan->relay_limit == -1 && plan->relay_offset == 0)
        return STATUS_OK;
    return plan_refuse(write->build, "0A000", "Choose the rows by their keys.",
                       "OFFSET, and LIMIT over groups, are not supported in a statement that "
                       "writes");
}

enum status plan_write(struct build *build, Node *statement, Node **emitted)
{
    struct write write = {.build = build};
    build->writes = true;
    TRY(plan_count_parameters(build, statement));
    TRY(begin(&write, statement));
    TRY(check_returning(&write));
    TRY(plan_write_source(&write, statement));
    TRY(check_limits(&write));
    write.from_source = build->fence_count > 0;
    if (write.change != PLAN_CHANGE_DELETE)
        TRY(plan_after(&write));
    if (write.change == PLAN_CHANGE_INSERT && write.from_source && write.returning != NIL)
        return plan_refuse(build, "0A000", "Leave RETURNING out, or insert values.",
                           "RETURNING is not supported where INSERT takes its rows from a dataset");
    share_reads(&write);
    TRY(finish(&write));
    return plan_write_emit(&write, emitted);
}

/* ---- of plan.h ---- */

size_t plan_write_columns(const struct plan *plan)
{
    return plan->write == NULL ? 0 : plan->write->kind_count + 1;
}

bool plan_aggregates(const struct plan *plan)
{
    bool sets = plan->statistic || plan->has_once;
    for (size_t i = 0; i < plan->hidden_count; i++)
        sets = sets || plan->hidden[i].depth > 0 || plan->hidden[i].once;
    return sets;
}
