/* The walk that rewrites a statement over the catalogue: every node kind that may stand in one, and
 * where its children are. Invariant: a kind that is not listed is refused, so nothing passes that
 * nobody looked at; every operator and function leaves qualified with pg_catalog. */
#include <string.h>

#include "sql/virtual/virtual_private.h"

enum status virtual_refuse(struct virtual_walk *walk, const char *what)
{
    return plan_refuse(walk->build, "0A000",
                       "Write a plain query of these tables: joins, conditions, and functions and "
                       "operators of PostgreSQL's own.",
                       "%s is not supported over the system catalogs", what);
}

enum status virtual_walk_list(struct virtual_walk *walk, List *list, bool text)
{
    ListCell *cell;
    foreach (cell, list)
        TRY(virtual_walk_node(walk, (Node **)&lfirst(cell), text));
    return STATUS_OK;
}

static enum status walk_expr(struct virtual_walk *walk, Expr **slot, bool text)
{
    return virtual_walk_node(walk, (Node **)slot, text);
}

/* pg_class.oid, written with its schema: the alias has none. What has no column of that name would
 * be a call of a function. */
static enum status walk_column(struct virtual_walk *walk, ColumnRef *column)
{
    int count = list_length(column->fields);
    if (count < 2)
        return STATUS_OK;
    const char *schema =
        IsA(linitial(column->fields), String) ? strVal(linitial(column->fields)) : "";
    if (count > 3 || (count == 3 && strcmp(schema, "pg_catalog") != 0 &&
                      strcmp(schema, "information_schema") != 0))
        return virtual_refuse(walk, "a column of another schema");
    if (count == 3)
        column->fields = list_copy_tail(column->fields, 1);
    const Node *last = llast(column->fields);
    if (walk->trusted || !IsA(last, String) ||
        virtual_names_column(walk->called, strVal(linitial(column->fields)), strVal(last)))
        return STATUS_OK;
    return plan_refuse(walk->build, "42703", "Look the columns up in information_schema.columns.",
                       "column %s.%s does not exist", strVal(linitial(column->fields)),
                       strVal(last));
}

/* $n of the client stays; $n of our own text is an argument, which has been walked. */
static enum status walk_parameter(struct virtual_walk *walk, Node **slot)
{
    int number = ((ParamRef *)*slot)->number;
    if (walk->arguments == NULL)
        return number < 1 ? virtual_refuse(walk, "a parameter without a number") : STATUS_OK;
    if (number < 1 || (size_t)number > walk->argument_count)
        *slot = rewrite_null();
    else
        *slot = copyObject(walk->arguments[number - 1]);
    return STATUS_OK;
}

static enum status qualify_operator(struct virtual_walk *walk, List **name)
{
    size_t count = (size_t)list_length(*name);
    if (count == 0 || (count == 1 && (*name)->length == 0))
        return STATUS_OK;
    if (count > 2 || (count == 2 && strcmp(strVal(linitial(*name)), "pg_catalog") != 0))
        return virtual_refuse(walk, "an operator of another schema");
    *name = rewrite_qualified(strVal(llast(*name)));
    return STATUS_OK;
}

static bool is_text_literal(const Node *node)
{
    return node != NULL && IsA(node, A_Const) && !((const A_Const *)node)->isnull &&
           IsA(&((const A_Const *)node)->val, String);
}

/* x::regclass = 'customer': the literal means what the cast would make of it. */
static void read_literal(Node **literal, const Node *other)
{
    if (!is_text_literal(*literal) || other == NULL || !virtual_is_reference_cast(other))
        return;
    TypeCast *cast = (TypeCast *)copyObjectImpl(other);
    cast->arg = *literal;
    *literal = (Node *)cast;
}

/* x = ANY (argument) and x IN (argument): a sub-select there would be read as one of rows. */
static void keep_scalar(Node **slot)
{
    if (*slot == NULL || !IsA(*slot, SubLink))
        return;
    CoalesceExpr *node = rewrite_new(CoalesceExpr);
    node->args = list_make1(*slot);
    node->location = -1;
    *slot = (Node *)node;
}

static void keep_scalars(A_Expr *node)
{
    if (node->kind == AEXPR_OP_ANY || node->kind == AEXPR_OP_ALL)
        keep_scalar(&node->rexpr);
    else if (node->kind == AEXPR_IN && list_length((List *)node->rexpr) == 1)
        keep_scalar((Node **)&linitial((List *)node->rexpr));
}

static enum status walk_operator(struct virtual_walk *walk, A_Expr *node)
{
    bool named = node->kind == AEXPR_OP || node->kind == AEXPR_OP_ANY || node->kind == AEXPR_OP_ALL;
    bool joins = node->kind == AEXPR_OP && strcmp(strVal(llast(node->name)), "||") == 0;
    if (named)
        TRY(qualify_operator(walk, &node->name));
    if (node->kind == AEXPR_OP && !joins && node->lexpr != NULL) {
        read_literal(&node->lexpr, node->rexpr);
        read_literal(&node->rexpr, node->lexpr);
    }
    TRY(virtual_walk_node(walk, &node->lexpr, joins));
    TRY(virtual_walk_node(walk, &node->rexpr, joins));
    keep_scalars(node);
    return STATUS_OK;
}

static enum status walk_case(struct virtual_walk *walk, CaseExpr *node, bool text)
{
    ListCell *cell;
    TRY(walk_expr(walk, &node->arg, false));
    foreach (cell, node->args) {
        CaseWhen *when = lfirst_node(CaseWhen, cell);
        TRY(walk_expr(walk, &when->expr, false));
        TRY(walk_expr(walk, &when->result, text));
    }
    return walk_expr(walk, &node->defresult, text);
}

/* (expression).name is a call of name() where there is no such field: only those that the rows of
 * information_schema._pg_expandarray() have, and no function. */
static bool is_field(const Node *node)
{
    return IsA(node, String) && (strcmp(strVal(node), "x") == 0 || strcmp(strVal(node), "n") == 0);
}

static enum status walk_indirection(struct virtual_walk *walk, A_Indirection *node)
{
    ListCell *cell;
    TRY(virtual_walk_node(walk, &node->arg, false));
    foreach (cell, node->indirection) {
        A_Indices *indices = lfirst(cell);
        if (is_field((const Node *)indices))
            continue;
        if (!IsA(indices, A_Indices))
            return virtual_refuse(walk, "this kind of field selection");
        TRY(virtual_walk_node(walk, &indices->lidx, false));
        TRY(virtual_walk_node(walk, &indices->uidx, false));
    }
    return STATUS_OK;
}

static enum status walk_sublink(struct virtual_walk *walk, SubLink *node, bool text)
{
    TRY(virtual_walk_node(walk, &node->testexpr, false));
    TRY(qualify_operator(walk, &node->operName));
    if (!IsA(node->subselect, SelectStmt))
        return virtual_refuse(walk, "this kind of sub-select");
    return virtual_walk_select(walk, (SelectStmt *)node->subselect,
                               text ? VIRTUAL_NAMES : VIRTUAL_NUMBERS);
}

static enum status walk_collate(struct virtual_walk *walk, CollateClause *node, bool text)
{
    static const char *const known[] = {"default", "C", "POSIX", "ucs_basic"};
    size_t count = (size_t)list_length(node->collname);
    const char *name = strVal(llast(node->collname));
    if (count > 2 || (count == 2 && strcmp(strVal(linitial(node->collname)), "pg_catalog") != 0))
        return virtual_refuse(walk, "a collation of another schema");
    TRY(virtual_walk_node(walk, &node->arg, text));
    for (size_t i = 0; i < lengthof(known); i++)
        if (strcmp(known[i], name) == 0) {
            node->collname = rewrite_qualified(name);
            return STATUS_OK;
        }
    return virtual_refuse(walk, "this collation");
}

static enum status walk_grouping_set(struct virtual_walk *walk, GroupingSet *node)
{
    return virtual_walk_list(walk, node->content, false);
}

static enum status walk_expression(struct virtual_walk *walk, Node **slot, bool text)
{
    Node *node = *slot;
    switch (nodeTag(node)) {
    case T_BoolExpr:
        return virtual_walk_list(walk, ((BoolExpr *)node)->args, false);
    case T_NullTest:
        return walk_expr(walk, &((NullTest *)node)->arg, false);
    case T_BooleanTest:
        return walk_expr(walk, &((BooleanTest *)node)->arg, false);
    case T_CaseExpr:
        return walk_case(walk, (CaseExpr *)node, text);
    case T_CoalesceExpr:
        return virtual_walk_list(walk, ((CoalesceExpr *)node)->args, text);
    case T_MinMaxExpr:
        return virtual_walk_list(walk, ((MinMaxExpr *)node)->args, text);
    case T_A_ArrayExpr:
        return virtual_walk_list(walk, ((A_ArrayExpr *)node)->elements, text);
    case T_RowExpr:
        return virtual_walk_list(walk, ((RowExpr *)node)->args, text);
    case T_GroupingFunc:
        return virtual_walk_list(walk, ((GroupingFunc *)node)->args, false);
    case T_GroupingSet:
        return walk_grouping_set(walk, (GroupingSet *)node);
    case T_A_Indirection:
        return walk_indirection(walk, (A_Indirection *)node);
    case T_CollateClause:
        return walk_collate(walk, (CollateClause *)node, text);
    case T_SubLink:
        return walk_sublink(walk, (SubLink *)node, text);
    case T_SortBy:
        return virtual_walk_node(walk, &((SortBy *)node)->node, text);
    default:
        return virtual_refuse(walk, "this kind of expression");
    }
}

enum status virtual_walk_node(struct virtual_walk *walk, Node **slot, bool text)
{
    Node *node = *slot;
    if (node == NULL)
        return STATUS_OK;
    switch (nodeTag(node)) {
    case T_A_Const:
        return STATUS_OK;
    case T_List:
        return virtual_walk_list(walk, (List *)node, text);
    case T_ColumnRef:
        return walk_column(walk, (ColumnRef *)node);
    case T_ParamRef:
        return walk_parameter(walk, slot);
    case T_A_Expr:
        return walk_operator(walk, (A_Expr *)node);
    case T_TypeCast:
        return virtual_walk_cast(walk, slot, text);
    case T_FuncCall:
        return virtual_walk_call(walk, slot);
    case T_SQLValueFunction:
        return virtual_walk_value(walk, slot);
    default:
        return walk_expression(walk, slot, text);
    }
}
