/* The name of an output column that has none: the rules of PostgreSQL's FigureColname()
 * (src/backend/parser/parse_target.c), read off its documentation and behaviour. Drivers and
 * people rely on them. */
#include "sql/plan/plan_build.h"

/* How much a name is worth: a cast's type name gives way to the name of what is cast. */
enum strength { NAME_NONE, NAME_WEAK, NAME_GOOD };

static enum strength figure(const Node *node, const char **name);

static enum strength good(const char **name, const char *value)
{
    *name = value;
    return NAME_GOOD;
}

static enum strength figure_value(SQLValueFunctionOp op, const char **name)
{
    static const char *const names[] = {
        [SVFOP_CURRENT_DATE] = "current_date",
        [SVFOP_CURRENT_TIME] = "current_time",
        [SVFOP_CURRENT_TIME_N] = "current_time",
        [SVFOP_CURRENT_TIMESTAMP] = "current_timestamp",
        [SVFOP_CURRENT_TIMESTAMP_N] = "current_timestamp",
        [SVFOP_LOCALTIME] = "localtime",
        [SVFOP_LOCALTIME_N] = "localtime",
        [SVFOP_LOCALTIMESTAMP] = "localtimestamp",
        [SVFOP_LOCALTIMESTAMP_N] = "localtimestamp",
        [SVFOP_CURRENT_ROLE] = "current_role",
        [SVFOP_CURRENT_USER] = "current_user",
        [SVFOP_USER] = "user",
        [SVFOP_SESSION_USER] = "session_user",
        [SVFOP_CURRENT_CATALOG] = "current_catalog",
        [SVFOP_CURRENT_SCHEMA] = "current_schema",
    };
    return good(name, names[op]);
}

static enum strength figure_column(const ColumnRef *reference, const char **name)
{
    const Node *last = llast(reference->fields);
    return IsA(last, String) ? good(name, strVal(last)) : NAME_NONE;
}

static enum strength figure_cast(const TypeCast *cast, const char **name)
{
    enum strength strength = figure(cast->arg, name);
    if (strength == NAME_GOOD)
        return strength;
    *name = strVal(llast(cast->typeName->names));
    return NAME_WEAK;
}

static enum strength figure_case(const CaseExpr *node, const char **name)
{
    enum strength strength = figure((const Node *)node->defresult, name);
    if (strength == NAME_GOOD)
        return strength;
    *name = "case";
    return NAME_WEAK;
}

/* A scalar sub-select is called as its column is. */
static enum strength figure_sublink(const SubLink *node, const char **name)
{
    if (node->subLinkType == EXISTS_SUBLINK || node->subLinkType == ARRAY_SUBLINK)
        return good(name, node->subLinkType == EXISTS_SUBLINK ? "exists" : "array");
    const SelectStmt *select = (const SelectStmt *)node->subselect;
    if (node->subLinkType != EXPR_SUBLINK || !IsA(select, SelectStmt))
        return NAME_NONE;
    while (select->larg != NULL)
        select = select->larg;
    if (select->targetList == NIL)
        return select->valuesLists != NIL ? good(name, "column1") : NAME_NONE;
    const ResTarget *target = linitial_node(ResTarget, select->targetList);
    const char *found = target->name != NULL ? target->name : plan_column_name(target->val);
    return good(name, found);
}

static enum strength figure(const Node *node, const char **name)
{
    if (node == NULL)
        return NAME_NONE;
    switch (nodeTag(node)) {
    case T_ColumnRef:
        return figure_column((const ColumnRef *)node, name);
    case T_FuncCall:
        return good(name, strVal(llast(((const FuncCall *)node)->funcname)));
    case T_A_Expr:
        return ((const A_Expr *)node)->kind == AEXPR_NULLIF ? good(name, "nullif") : NAME_NONE;
    case T_TypeCast:
        return figure_cast((const TypeCast *)node, name);
    case T_CaseExpr:
        return figure_case((const CaseExpr *)node, name);
    case T_A_ArrayExpr:
        return good(name, "array");
    case T_RowExpr:
        return good(name, "row");
    case T_GroupingFunc:
        return good(name, "grouping");
    case T_A_Indirection:
        return figure(((const A_Indirection *)node)->arg, name);
    case T_CollateClause:
        return figure(((const CollateClause *)node)->arg, name);
    case T_SubLink:
        return figure_sublink((const SubLink *)node, name);
    case T_CoalesceExpr:
        return good(name, "coalesce");
    case T_MinMaxExpr:
        return good(name, ((const MinMaxExpr *)node)->op == IS_GREATEST ? "greatest" : "least");
    case T_SQLValueFunction:
        return figure_value(((const SQLValueFunction *)node)->op, name);
    default:
        return NAME_NONE;
    }
}

const char *plan_column_name(const Node *node)
{
    const char *name = "?column?";
    (void)figure(node, &name);
    return name;
}
