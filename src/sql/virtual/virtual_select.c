/* The walk through a SELECT over the catalogue: WITH and its names, FROM, and every clause. */
#include <string.h>

#include "sql/virtual/virtual_private.h"

static const struct virtual_scope *enter(const struct virtual_scope *outer, const char *name)
{
    struct virtual_scope *scope = palloc0(sizeof *scope);
    scope->name = name;
    scope->outer = outer;
    return scope;
}

/* A name is known behind its definition; to WITH RECURSIVE in all of them. */
static enum status walk_with(struct virtual_walk *walk, WithClause *with)
{
    ListCell *cell;
    if (with == NULL)
        return STATUS_OK;
    if (with->recursive)
        foreach (cell, with->ctes)
            walk->scope = enter(walk->scope, lfirst_node(CommonTableExpr, cell)->ctename);
    foreach (cell, with->ctes) {
        CommonTableExpr *table = lfirst_node(CommonTableExpr, cell);
        if (!IsA(table->ctequery, SelectStmt) || table->search_clause != NULL ||
            table->cycle_clause != NULL)
            return virtual_refuse(walk, "this form of WITH");
        TRY(virtual_walk_select(walk, (SelectStmt *)table->ctequery, VIRTUAL_MIXED));
        if (!with->recursive)
            walk->scope = enter(walk->scope, table->ctename);
    }
    return STATUS_OK;
}

static enum status walk_from(struct virtual_walk *walk, Node **slot);

/* Functions whose rows are of what no dataset has: partitions, privileges of other roles. */
static SelectStmt *rows_of_none(const RangeFunction *range, const FuncCall *call)
{
    static const struct {
        const char *name, *columns;
    } known[] = {
        {"pg_partition_ancestors", "relid oid"},
        {"pg_partition_tree", "relid oid, parentrelid oid, isleaf bool, level int4"},
        {"aclexplode", "grantor oid, grantee oid, privilege_type text, is_grantable bool"},
    };
    for (size_t i = 0; i < lengthof(known); i++)
        if (strcmp(strVal(llast(call->funcname)), known[i].name) == 0)
            return virtual_no_rows(
                psprintf("%s%s", known[i].columns, range->ordinality ? ", ordinality int8" : ""));
    return NULL;
}

/* What our own text answers becomes a sub-select of one row. */
static SelectStmt *one_row(Node *value, const RangeFunction *range, const FuncCall *call)
{
    SelectStmt *select = rewrite_new(SelectStmt);
    const char *name =
        range->alias != NULL ? range->alias->aliasname : strVal(llast(call->funcname));
    select->targetList = list_make1(rewrite_target(value, name));
    return select;
}

static enum status replace_function(struct virtual_walk *walk, const RangeFunction *range,
                                    SelectStmt *select, Node **slot)
{
    const FuncCall *call = linitial_node(FuncCall, linitial_node(List, range->functions));
    if (list_length(range->functions) != 1)
        return virtual_refuse(walk, "this function beside others in FROM");
    RangeSubselect *rows = rewrite_subselect(select, strVal(llast(call->funcname)));
    if (range->alias != NULL)
        rows->alias = range->alias;
    rows->lateral = true;
    *slot = (Node *)rows;
    return STATUS_OK;
}

static enum status walk_range_function(struct virtual_walk *walk, Node **slot)
{
    RangeFunction *range = (RangeFunction *)*slot;
    ListCell *cell;
    foreach (cell, range->functions) {
        List *pair = lfirst_node(List, cell);
        Node *call = linitial(pair);
        if (lsecond(pair) != NULL || range->coldeflist != NIL || !IsA(call, FuncCall))
            return virtual_refuse(walk, "this kind of function in FROM");
        SelectStmt *rows = rows_of_none(range, (const FuncCall *)call);
        if (rows != NULL)
            return replace_function(walk, range, rows, slot);
        TRY(virtual_walk_node(walk, &call, false));
        if (call != linitial(pair) && range->ordinality)
            return virtual_refuse(walk, "WITH ORDINALITY of this function");
        if (call != linitial(pair))
            return replace_function(walk, range,
                                    one_row(call, range, linitial_node(FuncCall, pair)), slot);
    }
    return STATUS_OK;
}

static enum status walk_join(struct virtual_walk *walk, JoinExpr *join)
{
    TRY(walk_from(walk, &join->larg));
    TRY(walk_from(walk, &join->rarg));
    return virtual_walk_node(walk, &join->quals, false);
}

static enum status walk_from(struct virtual_walk *walk, Node **slot)
{
    Node *node = *slot;
    switch (nodeTag(node)) {
    case T_RangeVar:
        return virtual_walk_range(walk, (RangeVar *)node);
    case T_JoinExpr:
        return walk_join(walk, (JoinExpr *)node);
    case T_RangeFunction:
        return walk_range_function(walk, slot);
    case T_RangeSubselect:
        if (IsA(((RangeSubselect *)node)->subquery, SelectStmt))
            return virtual_walk_select(walk, (SelectStmt *)((RangeSubselect *)node)->subquery,
                                       VIRTUAL_MIXED);
        return virtual_refuse(walk, "this kind of sub-select");
    default:
        return virtual_refuse(walk, "this kind of item in FROM");
    }
}

/* 'customer'::regclass in an inner SELECT is there to be compared, so it is an OID. */
static bool is_written(const Node *node)
{
    return virtual_is_reference_cast(node) && IsA(((const TypeCast *)node)->arg, A_Const);
}

/* A column keeps the name that PostgreSQL gives it, whatever comes to stand in its place. */
static enum status walk_targets(struct virtual_walk *walk, List *targets,
                                enum virtual_display display)
{
    ListCell *cell;
    foreach (cell, targets) {
        ResTarget *target = lfirst_node(ResTarget, cell);
        if (target->name == NULL && !rewrite_is_star(target->val))
            target->name = pstrdup(virtual_column_name(target->val));
        bool names = display == VIRTUAL_MIXED ? !is_written(target->val) : display == VIRTUAL_NAMES;
        TRY(virtual_walk_node(walk, &target->val, names));
    }
    return STATUS_OK;
}

static enum status walk_windows(struct virtual_walk *walk, List *windows)
{
    ListCell *cell;
    foreach (cell, windows)
        TRY(virtual_walk_window(walk, lfirst_node(WindowDef, cell)));
    return STATUS_OK;
}

enum status virtual_walk_window(struct virtual_walk *walk, WindowDef *window)
{
    if (window == NULL)
        return STATUS_OK;
    TRY(virtual_walk_list(walk, window->partitionClause, false));
    TRY(virtual_walk_list(walk, window->orderClause, false));
    TRY(virtual_walk_node(walk, &window->startOffset, false));
    return virtual_walk_node(walk, &window->endOffset, false);
}

static enum status walk_clauses(struct virtual_walk *walk, SelectStmt *select,
                                enum virtual_display display)
{
    ListCell *cell;
    foreach (cell, select->fromClause)
        TRY(walk_from(walk, (Node **)&lfirst(cell)));
    TRY(virtual_walk_list(walk, select->distinctClause, true));
    TRY(walk_targets(walk, select->targetList, display));
    TRY(virtual_walk_node(walk, &select->whereClause, false));
    TRY(virtual_walk_list(walk, select->groupClause, true));
    TRY(virtual_walk_node(walk, &select->havingClause, false));
    TRY(walk_windows(walk, select->windowClause));
    return virtual_walk_list(walk, select->valuesLists, display == VIRTUAL_NAMES);
}

enum status virtual_walk_select(struct virtual_walk *outer, SelectStmt *select,
                                enum virtual_display display)
{
    struct virtual_walk walk = *outer;
    if (select->intoClause != NULL || select->lockingClause != NIL)
        return virtual_refuse(&walk, "SELECT INTO or FOR UPDATE");
    TRY(walk_with(&walk, select->withClause));
    if (select->op != SETOP_NONE) {
        TRY(virtual_walk_select(&walk, select->larg, display));
        TRY(virtual_walk_select(&walk, select->rarg, display));
    } else
        TRY(walk_clauses(&walk, select, display));
    TRY(virtual_walk_list(&walk, select->sortClause, true));
    TRY(virtual_walk_node(&walk, &select->limitOffset, false));
    return virtual_walk_node(&walk, &select->limitCount, false);
}
