/* Raw parse nodes made by hand. See rewrite_node.h. */
#include "sql/tree/rewrite_node.h"

#include "nodes/nodeFuncs.h"

void *rewrite_allocate(size_t size, NodeTag tag)
{
    Node *node = palloc0(size);
    node->type = tag;
    return node;
}

List *rewrite_qualified(const char *name)
{
    return list_make2(makeString(pstrdup("pg_catalog")), makeString(pstrdup(name)));
}

Node *rewrite_column(const char *relation, const char *column)
{
    ColumnRef *reference = rewrite_new(ColumnRef);
    reference->fields = list_make2(makeString(pstrdup(relation)), makeString(pstrdup(column)));
    reference->location = -1;
    return (Node *)reference;
}

static A_Const *constant(void)
{
    A_Const *value = rewrite_new(A_Const);
    value->location = -1;
    return value;
}

Node *rewrite_integer(int value)
{
    A_Const *node = constant();
    node->val.ival.type = T_Integer;
    node->val.ival.ival = value;
    return (Node *)node;
}

Node *rewrite_text(const char *value)
{
    A_Const *node = constant();
    node->val.sval.type = T_String;
    node->val.sval.sval = pstrdup(value);
    return (Node *)node;
}

Node *rewrite_null(void)
{
    A_Const *node = constant();
    node->isnull = true;
    return (Node *)node;
}

Node *rewrite_boolean(bool value)
{
    A_Const *node = constant();
    node->val.boolval.type = T_Boolean;
    node->val.boolval.boolval = value;
    return (Node *)node;
}

Node *rewrite_parameter(size_t number)
{
    ParamRef *parameter = rewrite_new(ParamRef);
    parameter->number = (int)number;
    parameter->location = -1;
    return (Node *)parameter;
}

Node *rewrite_cast(Node *value, const char *type)
{
    TypeCast *cast = rewrite_new(TypeCast);
    cast->arg = value;
    cast->typeName = makeTypeNameFromNameList(rewrite_qualified(type));
    cast->location = -1;
    return (Node *)cast;
}

Node *rewrite_call(const char *function, List *arguments)
{
    return (Node *)makeFuncCall(rewrite_qualified(function), arguments, COERCE_EXPLICIT_CALL, -1);
}

Node *rewrite_operator(const char *name, Node *left, Node *right)
{
    return (Node *)makeA_Expr(AEXPR_OP, rewrite_qualified(name), left, right, -1);
}

static List *conjuncts(Node *node)
{
    if (IsA(node, BoolExpr) && ((BoolExpr *)node)->boolop == AND_EXPR)
        return ((BoolExpr *)node)->args;
    return list_make1(node);
}

Node *rewrite_and(Node *left, Node *right)
{
    if (left == NULL)
        return right;
    if (right == NULL)
        return left;
    List *both = list_concat(list_copy(conjuncts(left)), conjuncts(right));
    return (Node *)makeBoolExpr(AND_EXPR, both, -1);
}

Node *rewrite_boolean_test(Node *value, BoolTestType test)
{
    BooleanTest *node = rewrite_new(BooleanTest);
    node->arg = (Expr *)value;
    node->booltesttype = test;
    node->location = -1;
    return (Node *)node;
}

Node *rewrite_not_null(Node *value)
{
    NullTest *node = rewrite_new(NullTest);
    node->arg = (Expr *)value;
    node->nulltesttype = IS_NOT_NULL;
    node->location = -1;
    return (Node *)node;
}

Node *rewrite_case(Node *condition, Node *result)
{
    CaseWhen *when = rewrite_new(CaseWhen);
    when->expr = (Expr *)condition;
    when->result = (Expr *)result;
    when->location = -1;
    CaseExpr *node = rewrite_new(CaseExpr);
    node->args = list_make1(when);
    node->location = -1;
    return (Node *)node;
}

ResTarget *rewrite_target(Node *value, const char *name)
{
    ResTarget *target = rewrite_new(ResTarget);
    target->name = name == NULL ? NULL : pstrdup(name);
    target->val = value;
    target->location = -1;
    return target;
}

RangeVar *rewrite_table(const char *schema, const char *table, const char *alias)
{
    RangeVar *range = makeRangeVar(schema == NULL ? NULL : pstrdup(schema), pstrdup(table), -1);
    range->alias = makeAlias(pstrdup(alias), NIL);
    return range;
}

RangeSubselect *rewrite_subselect(SelectStmt *select, const char *alias)
{
    RangeSubselect *range = rewrite_new(RangeSubselect);
    range->subquery = (Node *)select;
    range->alias = makeAlias(pstrdup(alias), NIL);
    return range;
}

Node *rewrite_sublink(SubLinkType type, SelectStmt *select)
{
    SubLink *link = rewrite_new(SubLink);
    link->subLinkType = type;
    link->subselect = (Node *)select;
    link->location = -1;
    return (Node *)link;
}

Node *rewrite_join(JoinType type, Node *left, Node *right, Node *condition)
{
    JoinExpr *join = rewrite_new(JoinExpr);
    join->jointype = type;
    join->larg = left;
    join->rarg = right;
    join->quals = condition;
    return (Node *)join;
}

bool rewrite_is_star(const Node *node)
{
    return IsA(node, ColumnRef) && IsA(llast(((const ColumnRef *)node)->fields), A_Star);
}

static bool column_walker(Node *node, void *context)
{
    if (node == NULL)
        return false;
    return IsA(node, ColumnRef) || raw_expression_tree_walker(node, column_walker, context);
}

bool rewrite_has_column(Node *node)
{
    return column_walker(node, NULL);
}
