/* May an expression that is not total fail where the partner wants it to? A statistic's condition
 * such as 1 / (CASE WHEN id = 7 AND height > 170 THEN 0 ELSE 1 END) > 0 tells of one person by
 * failing, and nobody can say of an error whom it was about. So partners of statistics may write
 * what fails for no value, and what is listed here: it fails only by what is stored at the very
 * edge of a type (a date of 4714 BC), whatever constants stand beside it, or for every row alike
 * before any is read. docs/decisions/0019, "Errors". */
#include <string.h>

#include "sql/allow/allow.h"
#include "sql/plan/plan_build.h"

enum { DIGITS_MOST = 6, TEXT_MOST = 24 };

static const char *text_of(const Node *node)
{
    if (node == NULL || !IsA(node, A_Const) || ((const A_Const *)node)->isnull ||
        !IsA(&((const A_Const *)node)->val, String))
        return NULL;
    return ((const A_Const *)node)->val.sval.sval;
}

/* A column of a dataset, as it is or masked, and of one of the types; 0: of any. A column that a
 * sub-select computes may be anything. */
static bool is_stored_as(const struct level *level, const Node *node, uint32_t first,
                         uint32_t second, uint32_t third)
{
    size_t column;
    const struct relation *relation = resolve_bare(level, node, &column);
    if (relation == NULL || relation->columns[column].fence == NULL)
        return false;
    uint32_t type = relation->columns[column].type;
    return first == 0 || type == first || type == second || type == third;
}

static bool is_date(const struct level *level, const Node *node)
{
    return is_stored_as(level, node, TYPE_DATE, TYPE_TIMESTAMP, TYPE_TIMESTAMPTZ);
}

/* A call of a function of PostgreSQL's with that many arguments; NULL: something else. */
static const char *call_of(const Node *node, int arguments)
{
    const FuncCall *call = (const FuncCall *)node;
    if (node == NULL || !IsA(node, FuncCall) || call->over != NULL ||
        list_length(call->args) != arguments)
        return NULL;
    return strVal(llast(call->funcname));
}

/* Whole numbers whose products with counts and sums of what can be stored have room. */
static bool is_small_number(const Node *node, int *value)
{
    const A_Const *constant = (const A_Const *)node;
    *value = 0;
    if (node == NULL || !IsA(node, A_Const) || constant->isnull)
        return false;
    if (IsA(&constant->val, Float))
        return strlen(constant->val.fval.fval) <= DIGITS_MOST &&
               strspn(constant->val.fval.fval, "0123456789.") == strlen(constant->val.fval.fval);
    *value = IsA(&constant->val, Integer) ? constant->val.ival.ival : 0;
    return IsA(&constant->val, Integer) && *value >= 0 && *value < 1000000;
}

/* Units that all of date, timestamp and timestamptz have. */
static bool is_unit(const Node *node)
{
    static const char *const units[] = {"day",  "week",   "month",   "quarter",
                                        "year", "decade", "century", "millennium"};
    static const char *const fields[] = {"dow", "isodow", "doy", "isoyear"};
    const char *text = text_of(node);
    for (size_t i = 0; text != NULL && i < lengthof(units); i++)
        if (strcmp(text, units[i]) == 0)
            return true;
    for (size_t i = 0; text != NULL && i < lengthof(fields); i++)
        if (strcmp(text, fields[i]) == 0)
            return true;
    return false;
}

/* extract(year FROM born), date_trunc('month', born), to_char(born, 'YYYY-MM'). date_trunc() fails
 * for any row where the unit is one of extract's alone: a mistake that shows nothing but that there
 * is a row, so it is not among those. */
static bool is_part_of_date(const struct level *level, const Node *node)
{
    const char *name = call_of(node, 2);
    if (name == NULL)
        return false;
    const Node *first = linitial(((const FuncCall *)node)->args);
    const Node *second = lsecond(((const FuncCall *)node)->args);
    if (strcmp(name, "to_char") == 0)
        return is_date(level, first) && text_of(second) != NULL &&
               strlen(text_of(second)) <= TEXT_MOST &&
               strspn(text_of(second), "YMDHISQ24-/:. ") == strlen(text_of(second));
    if (!is_unit(first) || !is_date(level, second))
        return false;
    if (strcmp(name, "date_trunc") == 0)
        return strstr(text_of(first), "do") == NULL && strcmp(text_of(first), "isoyear") != 0;
    return strcmp(name, "extract") == 0 || strcmp(name, "date_part") == 0;
}

static bool is_aggregate(const Node *node)
{
    return node != NULL && IsA(node, FuncCall) && resolve_is_aggregate((const FuncCall *)node);
}

/* The operator of an infix expression; NULL: something else. */
static const char *operator_of(const Node *node)
{
    const A_Expr *expression = (const A_Expr *)node;
    if (node == NULL || !IsA(node, A_Expr) || expression->kind != AEXPR_OP ||
        expression->lexpr == NULL)
        return NULL;
    return strVal(llast(expression->name));
}

static bool is_not_zero(const Node *node)
{
    const A_Expr *expression = (const A_Expr *)node;
    int value;
    if (IsA(node, A_Expr) && expression->kind == AEXPR_NULLIF)
        return is_aggregate(expression->lexpr) && is_small_number(expression->rexpr, &value) &&
               value == 0 && IsA(&((const A_Const *)expression->rexpr)->val, Integer);
    return is_small_number(node, &value) && value > 0;
}

/* height / 10, height % 10, height / 10 * 10: of whole numbers. */
static bool is_band(const struct level *level, const Node *node)
{
    const char *sign = operator_of(node);
    const A_Expr *expression = (const A_Expr *)node;
    int factor, divisor;
    if (sign == NULL)
        return false;
    if (strcmp(sign, "/") == 0 || strcmp(sign, "%") == 0)
        return is_stored_as(level, expression->lexpr, TYPE_INT2, TYPE_INT4, TYPE_INT8) &&
               is_not_zero(expression->rexpr) && is_small_number(expression->rexpr, &divisor);
    const Node *left = expression->lexpr;
    return strcmp(sign, "*") == 0 && is_small_number(expression->rexpr, &factor) &&
           operator_of(left) != NULL && strcmp(operator_of(left), "/") == 0 &&
           is_band(level, left) && is_small_number(((const A_Expr *)left)->rexpr, &divisor) &&
           factor <= divisor;
}

/* What sum() may take: a product of two columns of one row. */
static bool is_product(const struct level *level, const Node *node)
{
    const A_Expr *expression = (const A_Expr *)node;
    return operator_of(node) != NULL && strcmp(operator_of(node), "*") == 0 &&
           is_stored_as(level, expression->lexpr, 0, 0, 0) &&
           is_stored_as(level, expression->rexpr, 0, 0, 0);
}

/* An aggregate, or one times a number. */
static bool is_figure(const Node *node)
{
    const A_Expr *expression = (const A_Expr *)node;
    int factor;
    if (is_aggregate(node))
        return true;
    return operator_of(node) != NULL && strcmp(operator_of(node), "*") == 0 &&
           ((is_aggregate(expression->lexpr) && is_small_number(expression->rexpr, &factor)) ||
            (is_aggregate(expression->rexpr) && is_small_number(expression->lexpr, &factor)));
}

/* avg(x) * 100, 100 * sum(a) / nullif(count(*), 0), round(avg(x), 2), round of such a ratio. */
static bool is_ratio(const Node *node)
{
    const A_Expr *expression = (const A_Expr *)node;
    int digits;
    if (is_figure(node))
        return true;
    if (operator_of(node) != NULL)
        return strcmp(operator_of(node), "/") == 0 && is_figure(expression->lexpr) &&
               is_not_zero(expression->rexpr);
    const char *one = call_of(node, 1), *two = call_of(node, 2);
    const FuncCall *call = (const FuncCall *)node;
    if (one != NULL)
        return (strcmp(one, "round") == 0 || strcmp(one, "floor") == 0 ||
                strcmp(one, "ceil") == 0) &&
               is_ratio(linitial(call->args));
    return two != NULL && strcmp(two, "round") == 0 && is_ratio(linitial(call->args)) &&
           is_small_number(lsecond(call->args), &digits);
}

/* now() - interval '30 days': so many days, weeks or months that no date is left behind. */
static bool is_short_interval(const Node *node)
{
    static const char *const units[] = {"days",  "day",   "weeks", "week",  "months",
                                        "month", "years", "year",  "hours", "hour"};
    if (!IsA(node, TypeCast))
        return false;
    const TypeCast *cast = (const TypeCast *)node;
    const char *text = text_of((const Node *)cast->arg);
    if (text == NULL || cast->typeName->arrayBounds != NIL ||
        strcmp(strVal(llast(cast->typeName->names)), "interval") != 0)
        return false;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 3 || text[digits] != ' ')
        return false;
    for (size_t i = 0; i < lengthof(units); i++)
        if (strcmp(text + digits + 1, units[i]) == 0)
            return true;
    return false;
}

static bool is_clock(const Node *node)
{
    const char *name = call_of(node, 0);
    return IsA(node, SQLValueFunction) || (name != NULL && strcmp(name, "now") == 0);
}

static bool is_time_ago(const Node *node)
{
    const A_Expr *expression = (const A_Expr *)node;
    int days;
    const char *sign = operator_of(node);
    if (sign == NULL || (strcmp(sign, "-") != 0 && strcmp(sign, "+") != 0))
        return false;
    return is_clock(expression->lexpr) && (is_short_interval(expression->rexpr) ||
                                           (is_small_number(expression->rexpr, &days) && days > 0));
}

/* With one cast at most: PostgreSQL reads that when it parses, for every row alike. A second one is
 * computed where a row comes to it, and 'x'::text::date fails there. */
static bool is_literal(const Node *node)
{
    if (IsA(node, TypeCast))
        node = (const Node *)((const TypeCast *)node)->arg;
    return IsA(node, A_Const);
}

static bool is_listed(const struct level *level, const Node *node)
{
    if (IsA(node, TypeCast) && ((const TypeCast *)node)->typeName->typmods == NIL &&
        is_part_of_date(level, (const Node *)((const TypeCast *)node)->arg)) {
        const char *type = strVal(llast(((const TypeCast *)node)->typeName->names));
        return strcmp(type, "date") == 0 || strcmp(type, "int4") == 0;
    }
    return is_part_of_date(level, node) || is_band(level, node) || is_product(level, node) ||
           is_ratio(node) || is_time_ago(node) || is_literal(node);
}

static bool is_sound(const struct level *level, const Node *node);

static bool all_sound(const struct level *level, const List *nodes)
{
    ListCell *cell;
    foreach (cell, nodes)
        if (!is_sound(level, lfirst(cell)))
            return false;
    return true;
}

static bool all_literals(const List *nodes)
{
    ListCell *cell;
    foreach (cell, nodes)
        if (!is_literal(lfirst(cell)))
            return false;
    return true;
}

/* With a literal: two columns may be of collations that cannot be compared. */
static bool is_sound_comparison(const struct level *level, const A_Expr *node)
{
    static const char *const operators[] = {"=", "<>", "<", ">", "<=", ">="};
    if (node->lexpr == NULL || !is_sound(level, node->lexpr))
        return false;
    if (node->kind == AEXPR_IN || node->kind == AEXPR_BETWEEN)
        return all_literals((const List *)node->rexpr);
    if (node->kind != AEXPR_OP || !is_literal(node->rexpr))
        return false;
    for (size_t i = 0; i < lengthof(operators); i++)
        if (strcmp(operators[i], strVal(llast(node->name))) == 0)
            return true;
    return false;
}

static bool is_sound_case(const struct level *level, const CaseExpr *node)
{
    ListCell *cell;
    if (node->arg != NULL ||
        (node->defresult != NULL && !is_sound(level, (const Node *)node->defresult)))
        return false;
    foreach (cell, node->args) {
        const CaseWhen *when = lfirst_node(CaseWhen, cell);
        if (!is_sound(level, (const Node *)when->expr) ||
            !is_sound(level, (const Node *)when->result))
            return false;
    }
    return true;
}

/* What is listed, and what does not fail over it. What a sub-select's column is computed from has
 * been judged there; a mask that may fail is the controller's. */
static bool is_sound(const struct level *level, const Node *node)
{
    switch (nodeTag(node)) {
    case T_ColumnRef:
    case T_ParamRef:
        return true;
    case T_CaseExpr:
        return is_sound_case(level, (const CaseExpr *)node);
    case T_CoalesceExpr:
        return all_sound(level, ((const CoalesceExpr *)node)->args);
    case T_BoolExpr:
        return all_sound(level, ((const BoolExpr *)node)->args);
    case T_NullTest:
        return is_sound(level, (const Node *)((const NullTest *)node)->arg);
    case T_A_Expr:
        return is_listed(level, node) || is_sound_comparison(level, (const A_Expr *)node);
    default:
        return is_listed(level, node);
    }
}

void steered_note(struct level *level, const struct expression *expression)
{
    bool constant = expression->relations == 0 && !expression->aggregate && expression->immutable &&
                    !expression->parameter;
    if (!constant && !is_sound(level, expression->node))
        level->build->steered = true;
}
