/* Expressions: one function a node kind, chosen by the switch at the end. What has no case there
 * is refused. */
#include "sql/tree/emitter.h"

#include <string.h>

static void emit_name_or_star(struct emitter *emitter, Node *node)
{
    if (IsA(node, A_Star))
        emit_text(emitter, "*");
    else
        emit_identifier_node(emitter, node);
}

static void emit_column(struct emitter *emitter, ColumnRef *column)
{
    ListCell *cell;

    foreach (cell, column->fields) {
        if (cell != list_head(column->fields))
            emit_text(emitter, ".");
        emit_name_or_star(emitter, lfirst(cell));
    }
}

static void emit_parameter(struct emitter *emitter, ParamRef *parameter)
{
    if (parameter->number < 1)
        emit_refuse(emitter, "a parameter without a number");
    else
        buffer_printf(emitter->out, "$%d", parameter->number);
}

/* The node holds b101 or x1F. The scanner lets any character follow, PostgreSQL only digits. */
static void emit_bits(struct emitter *emitter, const char *bits)
{
    if ((bits[0] != 'b' && bits[0] != 'x') ||
        bits[1 + strspn(bits + 1, "0123456789abcdefABCDEF")] != 0) {
        emit_refuse(emitter, "this bit string");
        return;
    }
    emit_text(emitter, bits[0] == 'b' ? "B" : "X");
    emit_string(emitter, bits + 1);
}

static void emit_constant(struct emitter *emitter, A_Const *constant)
{
    if (constant->isnull) {
        emit_text(emitter, "NULL");
        return;
    }
    switch (nodeTag(&constant->val)) {
    case T_Integer:
        buffer_printf(emitter->out, "%d", constant->val.ival.ival);
        return;
    case T_Float:
        emit_text(emitter, constant->val.fval.fval);
        return;
    case T_Boolean:
        emit_text(emitter, constant->val.boolval.boolval ? "TRUE" : "FALSE");
        return;
    case T_String:
        emit_string(emitter, constant->val.sval.sval);
        return;
    case T_BitString:
        emit_bits(emitter, constant->val.bsval.bsval);
        return;
    default:
        emit_refuse(emitter, "this kind of constant");
    }
}

/* Members of the same kind at the front are taken in, as the grammar does with a AND b AND c:
 * otherwise the tree could not come back the same. */
static void flatten(BoolExpr *expression)
{
    while (IsA(linitial(expression->args), BoolExpr)) {
        BoolExpr *first = linitial_node(BoolExpr, expression->args);
        if (first->boolop != expression->boolop)
            return;
        expression->args = list_concat(list_copy(first->args), list_copy_tail(expression->args, 1));
    }
}

static void emit_boolean(struct emitter *emitter, BoolExpr *expression)
{
    const char *operator= expression->boolop == AND_EXPR ? " AND " : " OR ";
    ListCell *cell;

    if (expression->boolop == NOT_EXPR) {
        emit_text(emitter, "NOT ");
        emit_parenthesised(emitter, linitial(expression->args));
        return;
    }
    flatten(expression);
    foreach (cell, expression->args) {
        if (cell != list_head(expression->args))
            emit_text(emitter, operator);
        emit_operand(emitter, lfirst(cell));
    }
}

static void emit_null_test(struct emitter *emitter, NullTest *test)
{
    emit_operand(emitter, (Node *)test->arg);
    emit_text(emitter, test->nulltesttype == IS_NULL ? " IS NULL" : " IS NOT NULL");
}

static void emit_boolean_test(struct emitter *emitter, BooleanTest *test)
{
    static const char *const tests[] = {
        [IS_TRUE] = " IS TRUE",       [IS_NOT_TRUE] = " IS NOT TRUE",
        [IS_FALSE] = " IS FALSE",     [IS_NOT_FALSE] = " IS NOT FALSE",
        [IS_UNKNOWN] = " IS UNKNOWN", [IS_NOT_UNKNOWN] = " IS NOT UNKNOWN",
    };

    emit_operand(emitter, (Node *)test->arg);
    emit_text(emitter, tests[test->booltesttype]);
}

static void emit_case(struct emitter *emitter, CaseExpr *expression)
{
    ListCell *cell;

    emit_text(emitter, "CASE");
    if (expression->arg != NULL) {
        emit_text(emitter, " ");
        emit_operand(emitter, (Node *)expression->arg);
    }
    foreach (cell, expression->args) {
        CaseWhen *when = lfirst_node(CaseWhen, cell);
        emit_text(emitter, " WHEN ");
        emit_operand(emitter, (Node *)when->expr);
        emit_text(emitter, " THEN ");
        emit_operand(emitter, (Node *)when->result);
    }
    if (expression->defresult != NULL) {
        emit_text(emitter, " ELSE ");
        emit_operand(emitter, (Node *)expression->defresult);
    }
    emit_text(emitter, " END");
}

/* name(arguments), or name[arguments] */
static void emit_call(struct emitter *emitter, const char *opening, List *arguments,
                      const char *closing)
{
    emit_text(emitter, opening);
    emit_list(emitter, arguments, emit_expression);
    emit_text(emitter, closing);
}

static void emit_min_max(struct emitter *emitter, MinMaxExpr *expression)
{
    emit_call(emitter, expression->op == IS_GREATEST ? "GREATEST(" : "LEAST(", expression->args,
              ")");
}

/* (a, b) and ROW(a, b) differ: GROUP BY takes the first for two columns. The grammar reads (a)
 * as a, so the first has at least two members. */
static void emit_row(struct emitter *emitter, RowExpr *row)
{
    bool implicit = row->row_format == COERCE_IMPLICIT_CAST;

    emit_call(emitter, implicit ? "(" : "ROW(", row->args, ")");
}

static void emit_subscript(struct emitter *emitter, Node *node)
{
    A_Indices *indices = castNode(A_Indices, node);

    emit_text(emitter, "[");
    if (indices->lidx != NULL)
        emit_operand(emitter, indices->lidx);
    if (indices->is_slice)
        emit_text(emitter, " : ");
    if (indices->uidx != NULL)
        emit_operand(emitter, indices->uidx);
    emit_text(emitter, "]");
}

void emit_accessors(struct emitter *emitter, List *accessors)
{
    ListCell *cell;

    foreach (cell, accessors) {
        if (IsA(lfirst(cell), A_Indices)) {
            emit_subscript(emitter, lfirst(cell));
            continue;
        }
        emit_text(emitter, ".");
        emit_name_or_star(emitter, lfirst(cell));
    }
}

static void emit_indirection(struct emitter *emitter, A_Indirection *indirection)
{
    emit_parenthesised(emitter, indirection->arg);
    emit_accessors(emitter, indirection->indirection);
}

static void emit_collate(struct emitter *emitter, CollateClause *collate)
{
    emit_operand(emitter, collate->arg);
    emit_text(emitter, " COLLATE ");
    emit_qualified(emitter, collate->collname);
}

static void emit_named_argument(struct emitter *emitter, NamedArgExpr *argument)
{
    emit_identifier(emitter, argument->name);
    emit_text(emitter, " => ");
    emit_operand(emitter, (Node *)argument->arg);
}

static void emit_node(struct emitter *emitter, Node *node)
{
    switch (nodeTag(node)) {
    case T_ColumnRef:
        emit_column(emitter, (ColumnRef *)node);
        break;
    case T_ParamRef:
        emit_parameter(emitter, (ParamRef *)node);
        break;
    case T_A_Const:
        emit_constant(emitter, (A_Const *)node);
        break;
    case T_TypeCast:
        emit_cast(emitter, (TypeCast *)node);
        break;
    case T_A_Expr:
        emit_operator_expression(emitter, (A_Expr *)node);
        break;
    case T_BoolExpr:
        emit_boolean(emitter, (BoolExpr *)node);
        break;
    case T_NullTest:
        emit_null_test(emitter, (NullTest *)node);
        break;
    case T_BooleanTest:
        emit_boolean_test(emitter, (BooleanTest *)node);
        break;
    case T_CaseExpr:
        emit_case(emitter, (CaseExpr *)node);
        break;
    case T_CoalesceExpr:
        emit_call(emitter, "COALESCE(", ((CoalesceExpr *)node)->args, ")");
        break;
    case T_MinMaxExpr:
        emit_min_max(emitter, (MinMaxExpr *)node);
        break;
    case T_FuncCall:
        emit_function_call(emitter, (FuncCall *)node);
        break;
    case T_SubLink:
        emit_sublink(emitter, (SubLink *)node);
        break;
    case T_A_ArrayExpr:
        emit_call(emitter, "ARRAY[", ((A_ArrayExpr *)node)->elements, "]");
        break;
    case T_A_Indirection:
        emit_indirection(emitter, (A_Indirection *)node);
        break;
    case T_RowExpr:
        emit_row(emitter, (RowExpr *)node);
        break;
    case T_SQLValueFunction:
        emit_sql_value(emitter, (SQLValueFunction *)node);
        break;
    case T_CollateClause:
        emit_collate(emitter, (CollateClause *)node);
        break;
    case T_NamedArgExpr:
        emit_named_argument(emitter, (NamedArgExpr *)node);
        break;
    case T_GroupingFunc:
        emit_call(emitter, "GROUPING(", ((GroupingFunc *)node)->args, ")");
        break;
    case T_SetToDefault:
        emit_text(emitter, "DEFAULT");
        break;
    default:
        emit_refuse(emitter, "this kind of expression");
        break;
    }
}

void emit_expression(struct emitter *emitter, Node *node)
{
    if (node == NULL)
        emit_refuse(emitter, "an empty expression");
    if (!emit_enter(emitter))
        return;
    emit_node(emitter, node);
    emit_leave(emitter);
}

void emit_parenthesised(struct emitter *emitter, Node *node)
{
    emit_text(emitter, "(");
    emit_expression(emitter, node);
    emit_text(emitter, ")");
}

/* A minus sign is an operator to the grammar, even in front of digits. */
static bool is_negative(const A_Const *constant)
{
    return !constant->isnull && ((IsA(&constant->val, Integer) && constant->val.ival.ival < 0) ||
                                 (IsA(&constant->val, Float) && constant->val.fval.fval[0] == '-'));
}

static bool is_atom(Node *node)
{
    if (node == NULL)
        return false;
    if (IsA(node, A_Const))
        return !is_negative(castNode(A_Const, node));
    if (IsA(node, ColumnRef))
        return !IsA(llast(castNode(ColumnRef, node)->fields), A_Star);
    return IsA(node, ParamRef);
}

void emit_operand(struct emitter *emitter, Node *node)
{
    if (is_atom(node))
        emit_expression(emitter, node);
    else
        emit_parenthesised(emitter, node);
}
