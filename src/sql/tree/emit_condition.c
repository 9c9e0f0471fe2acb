/* Operators in all their forms (LIKE, IN, BETWEEN …) and sublinks. */
#include "sql/tree/emitter.h"

#include <string.h>

static const char *single_name(List *name)
{
    return list_length(name) == 1 && IsA(linitial(name), String) ? strVal(linitial(name)) : "";
}

void emit_operator(struct emitter *emitter, List *name)
{
    const char *symbol = IsA(llast(name), String) ? strVal(llast(name)) : "";

    if (symbol[0] == 0 || symbol[strspn(symbol, "+-*/<>=~!@#%^&|`?")] != 0) {
        emit_refuse(emitter, "this operator");
        return;
    }
    if (list_length(name) == 1) {
        emit_text(emitter, symbol);
        return;
    }
    emit_text(emitter, "OPERATOR(");
    for (int i = 0; i < list_length(name) - 1; i++) {
        emit_identifier_node(emitter, list_nth(name, i));
        emit_text(emitter, ".");
    }
    emit_text(emitter, symbol);
    emit_text(emitter, ")");
}

/* Before an operand a bare symbol may not be grammar (= a) or be taken into a number (- 1). */
static void emit_prefix(struct emitter *emitter, List *name)
{
    bool bare = list_length(name) == 1;

    emit_text(emitter, bare ? "OPERATOR(" : "");
    emit_operator(emitter, name);
    emit_text(emitter, bare ? ")" : "");
}

static void emit_infix(struct emitter *emitter, A_Expr *expression)
{
    if (expression->lexpr == NULL) {
        emit_prefix(emitter, expression->name);
    } else {
        emit_operand(emitter, expression->lexpr);
        emit_text(emitter, " ");
        emit_operator(emitter, expression->name);
    }
    emit_text(emitter, " ");
    emit_operand(emitter, expression->rexpr);
}

static void emit_quantified(struct emitter *emitter, A_Expr *expression, const char *quantifier)
{
    emit_operand(emitter, expression->lexpr);
    emit_text(emitter, " ");
    emit_operator(emitter, expression->name);
    emit_text(emitter, quantifier);
    emit_parenthesised(emitter, expression->rexpr);
}

/* left <keyword> right, where the keyword depends on the operator's name: one of two. */
static void emit_keyword(struct emitter *emitter, A_Expr *expression, const char *name,
                         const char *keyword, const char *negated_name, const char *negated_keyword)
{
    const char *actual = single_name(expression->name);

    emit_operand(emitter, expression->lexpr);
    if (strcmp(actual, name) == 0)
        emit_text(emitter, keyword);
    else if (negated_name != NULL && strcmp(actual, negated_name) == 0)
        emit_text(emitter, negated_keyword);
    else
        emit_refuse(emitter, "this operator");
    if (expression->kind == AEXPR_IN) {
        emit_text(emitter, "(");
        emit_list(emitter, castNode(List, expression->rexpr), emit_expression);
        emit_text(emitter, ")");
    } else {
        emit_operand(emitter, expression->rexpr);
    }
}

static void emit_nullif(struct emitter *emitter, A_Expr *expression)
{
    emit_text(emitter, "NULLIF(");
    emit_expression(emitter, expression->lexpr);
    emit_text(emitter, ", ");
    emit_expression(emitter, expression->rexpr);
    emit_text(emitter, ")");
}

/* The grammar wraps the pattern in similar_to_escape(pattern [, escape]). */
static void emit_similar(struct emitter *emitter, A_Expr *expression)
{
    const char *name = single_name(expression->name);
    FuncCall *call = (FuncCall *)expression->rexpr;

    if (!IsA(expression->rexpr, FuncCall) || call->args == NIL || list_length(call->args) > 2) {
        emit_refuse(emitter, "this form of SIMILAR TO");
        return;
    }
    emit_operand(emitter, expression->lexpr);
    emit_text(emitter, strcmp(name, "~") == 0 ? " SIMILAR TO " : " NOT SIMILAR TO ");
    emit_operand(emitter, linitial(call->args));
    if (list_length(call->args) == 2) {
        emit_text(emitter, " ESCAPE ");
        emit_operand(emitter, lsecond(call->args));
    }
}

/* The operator's name is the keyword: "BETWEEN", "NOT BETWEEN SYMMETRIC" … */
static void emit_between(struct emitter *emitter, A_Expr *expression, const char *keyword)
{
    List *bounds = castNode(List, expression->rexpr);

    if (strcmp(single_name(expression->name), keyword) != 0) {
        emit_refuse(emitter, "this form of BETWEEN");
        return;
    }
    emit_operand(emitter, expression->lexpr);
    emit_text(emitter, " ");
    emit_text(emitter, keyword);
    emit_text(emitter, " ");
    emit_operand(emitter, linitial(bounds));
    emit_text(emitter, " AND ");
    emit_operand(emitter, lsecond(bounds));
}

void emit_operator_expression(struct emitter *emitter, A_Expr *expression)
{
    switch (expression->kind) {
    case AEXPR_OP:
        emit_infix(emitter, expression);
        break;
    case AEXPR_OP_ANY:
        emit_quantified(emitter, expression, " ANY ");
        break;
    case AEXPR_OP_ALL:
        emit_quantified(emitter, expression, " ALL ");
        break;
    case AEXPR_DISTINCT:
        emit_keyword(emitter, expression, "=", " IS DISTINCT FROM ", NULL, NULL);
        break;
    case AEXPR_NOT_DISTINCT:
        emit_keyword(emitter, expression, "=", " IS NOT DISTINCT FROM ", NULL, NULL);
        break;
    case AEXPR_NULLIF:
        emit_nullif(emitter, expression);
        break;
    case AEXPR_IN:
        emit_keyword(emitter, expression, "=", " IN ", "<>", " NOT IN ");
        break;
    case AEXPR_LIKE:
        emit_keyword(emitter, expression, "~~", " LIKE ", "!~~", " NOT LIKE ");
        break;
    case AEXPR_ILIKE:
        emit_keyword(emitter, expression, "~~*", " ILIKE ", "!~~*", " NOT ILIKE ");
        break;
    case AEXPR_SIMILAR:
        emit_similar(emitter, expression);
        break;
    case AEXPR_BETWEEN:
        emit_between(emitter, expression, "BETWEEN");
        break;
    case AEXPR_NOT_BETWEEN:
        emit_between(emitter, expression, "NOT BETWEEN");
        break;
    case AEXPR_BETWEEN_SYM:
        emit_between(emitter, expression, "BETWEEN SYMMETRIC");
        break;
    case AEXPR_NOT_BETWEEN_SYM:
        emit_between(emitter, expression, "NOT BETWEEN SYMMETRIC");
        break;
    default:
        emit_refuse(emitter, "this kind of operator");
    }
}

/* What stands before the subquery: EXISTS, ARRAY, "x" = ANY … */
static void emit_sublink_head(struct emitter *emitter, SubLink *sublink)
{
    switch (sublink->subLinkType) {
    case EXISTS_SUBLINK:
        emit_text(emitter, "EXISTS ");
        break;
    case ARRAY_SUBLINK:
        emit_text(emitter, "ARRAY");
        break;
    case EXPR_SUBLINK:
        break;
    case ANY_SUBLINK:
    case ALL_SUBLINK:
        emit_operand(emitter, sublink->testexpr);
        if (sublink->operName == NIL) {
            emit_text(emitter, " IN ");
            break;
        }
        emit_text(emitter, " ");
        emit_operator(emitter, sublink->operName);
        emit_text(emitter, sublink->subLinkType == ANY_SUBLINK ? " ANY " : " ALL ");
        break;
    default:
        emit_refuse(emitter, "this kind of subquery");
    }
}

void emit_sublink(struct emitter *emitter, SubLink *sublink)
{
    emit_sublink_head(emitter, sublink);
    emit_text(emitter, "(");
    if (IsA(sublink->subselect, SelectStmt))
        emit_select(emitter, (SelectStmt *)sublink->subselect);
    else
        emit_refuse(emitter, "this kind of subquery");
    emit_text(emitter, ")");
}
