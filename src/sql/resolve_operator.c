/* Operators in all their spellings: infix and prefix, IN, BETWEEN, LIKE, IS DISTINCT FROM, NULLIF,
 * ANY and ALL over arrays. Plain ones leave qualified with pg_catalog; the spellings that have no
 * room for a schema (IN, BETWEEN …) rely on the pinned search_path. */
#include <string.h>

#include "sql/allow.h"
#include "sql/plan_build.h"

static enum status operator_name(struct resolver *resolver, const List *name, const char **out)
{
    size_t count = (size_t)list_length(name);
    const char *operator= strVal(llast(name));
    if (count > 2 || (count == 2 && strcmp(strVal(linitial(name)), "pg_catalog") != 0) ||
        (!resolver->trusted && !allow_operator(operator)))
        return plan_refuse(resolver->build, "42501",
                           "The built-in comparison, arithmetic, text and date operators are.",
                           "operator %s is not allowed", operator);
    *out = operator;
    return STATUS_OK;
}

static void apply(struct expression *result, const struct allow_signature *signature)
{
    if (signature == NULL || !(signature->flags & ALLOW_TOTAL))
        result->total = false;
    if (signature == NULL || !(signature->flags & ALLOW_IMMUTABLE))
        result->immutable = false;
}

/* Untyped literals are read as what stands on the other side. */
static void read_literals(struct expression *result, const Node *left, uint32_t left_type,
                          const Node *right, uint32_t right_type)
{
    bool plain = true;
    if (left_type == TYPE_UNKNOWN)
        plain = right_type == TYPE_UNKNOWN || resolve_literal_immutable(left, right_type);
    else if (right_type == TYPE_UNKNOWN)
        plain = resolve_literal_immutable(right, left_type);
    if (!plain)
        result->immutable = false;
}

static bool is_comparison(const char *name)
{
    static const char *const names[] = {"=", "<>", "<", ">", "<=", ">="};
    for (size_t i = 0; i < lengthof(names); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static enum status operand(struct resolver *resolver, Node **node, struct expression *result,
                           struct expression *part)
{
    TRY(resolve_expression(resolver, *node, part));
    *node = part->node;
    resolve_absorb(result, part);
    return STATUS_OK;
}

static bool is_token(const struct resolver *resolver, const Node *node, struct relation **relation,
                     size_t *column, const char **domain)
{
    *relation = resolve_bare(resolver->level, node, column);
    if (*relation == NULL || (*relation)->columns[*column].fence == NULL)
        return false;
    const struct column *found = &(*relation)->columns[*column];
    const struct model_granted *granted = &found->fence->grant->columns[found->granted];
    *domain = granted->column->domain;
    return granted->form == POLICY_FORM_TOKEN;
}

/* Two tokens of one domain are equal just when the values below them are: comparing those lets
 * PostgreSQL use their indexes. What the client learns is the same. */
static void compare_raw(struct resolver *resolver, A_Expr *node)
{
    struct relation *left, *right;
    size_t left_column, right_column;
    const char *left_domain, *right_domain;
    if (resolver->mode == RESOLVE_GROUPED ||
        !is_token(resolver, node->lexpr, &left, &left_column, &left_domain) ||
        !is_token(resolver, node->rexpr, &right, &right_column, &right_domain) ||
        strcmp(left_domain, right_domain) != 0)
        return;
    const struct column *l = &left->columns[left_column], *r = &right->columns[right_column];
    uint32_t left_type = l->fence->grant->columns[l->granted].column->catalog->type_oid;
    uint32_t right_type = r->fence->grant->columns[r->granted].column->catalog->type_oid;
    if (resolve_common_type(left_type, right_type) == 0)
        return;
    const char *left_raw = fence_raw_column(left, left_column);
    const char *right_raw = fence_raw_column(right, right_column);
    if (left_raw == NULL || right_raw == NULL)
        return;
    node->lexpr = rewrite_column(left->alias, left_raw);
    node->rexpr = rewrite_column(right->alias, right_raw);
}

/* LIKE over text is total just with a literal pattern that is well formed. */
static bool total_like(const char *name, const Node *pattern)
{
    if (strstr(name, "~~") == NULL || !IsA(pattern, A_Const))
        return false;
    const A_Const *literal = (const A_Const *)pattern;
    return literal->isnull ||
           (IsA(&literal->val, String) && allow_like_pattern_total(literal->val.sval.sval));
}

static enum status infix(struct resolver *resolver, A_Expr *node, struct expression *out)
{
    struct expression result = {.node = (Node *)node, .total = true, .immutable = true};
    const char *name;
    TRY(operator_name(resolver, node->name, &name));
    result.parts = palloc0(2 * sizeof *result.parts);
    struct expression *left = &result.parts[0], *right = &result.parts[1];
    if (node->lexpr != NULL)
        TRY(operand(resolver, &node->lexpr, &result, left));
    TRY(operand(resolver, &node->rexpr, &result, right));
    node->kind = AEXPR_OP;
    node->name = rewrite_qualified(name);
    const struct allow_signature *signature =
        allow_find_operator(name, node->lexpr == NULL, left->type, right->type);
    struct expression own = {.total = true, .immutable = true};
    apply(&own, signature);
    if (signature != NULL && total_like(name, node->rexpr))
        own.total = true;
    resolve_absorb(&result, &own);
    if (node->lexpr != NULL)
        read_literals(&result, node->lexpr, left->type, node->rexpr, right->type);
    result.type = is_comparison(name) ? TYPE_BOOL : signature == NULL ? 0 : signature->result;
    if (own.total && is_comparison(name) && node->lexpr != NULL)
        result.part_count = 2;
    if (strcmp(name, "=") == 0 && node->lexpr != NULL)
        compare_raw(resolver, node);
    *out = result;
    return STATUS_OK;
}

/* x = ANY (array): total where the operator is for the array's elements. */
static enum status quantified(struct resolver *resolver, A_Expr *node, struct expression *out)
{
    struct expression result = {
        .node = (Node *)node, .type = TYPE_BOOL, .total = true, .immutable = true};
    struct expression left, right;
    const char *name;
    TRY(operator_name(resolver, node->name, &name));
    TRY(operand(resolver, &node->lexpr, &result, &left));
    TRY(operand(resolver, &node->rexpr, &result, &right));
    node->name = rewrite_qualified(name);
    apply(&result, allow_find_operator(name, false, left.type, resolve_element_type(right.type)));
    read_literals(&result, node->lexpr, left.type, node->rexpr, right.type);
    if (left.type == TYPE_UNKNOWN)
        read_literals(&result, node->lexpr, left.type, NULL, resolve_element_type(right.type));
    if (strstr(name, "~~") != NULL || resolve_element_type(right.type) == 0)
        result.total = false;
    *out = result;
    return STATUS_OK;
}

static enum status in_list(struct resolver *resolver, A_Expr *node, struct expression *out)
{
    struct expression result = {
        .node = (Node *)node, .type = TYPE_BOOL, .total = true, .immutable = true};
    struct expression left, member;
    uint32_t type = TYPE_UNKNOWN;
    TRY(operand(resolver, &node->lexpr, &result, &left));
    ListCell *cell;
    foreach (cell, castNode(List, node->rexpr)) {
        Node *value = lfirst(cell);
        TRY(operand(resolver, &value, &result, &member));
        lfirst(cell) = value;
        read_literals(&result, node->lexpr, left.type, value, member.type);
        type = type == 0 ? 0 : resolve_common_type(type, member.type);
    }
    /* A literal among typed values takes their type, by an error at parsing if it must. */
    apply(&result, type == 0 ? NULL : allow_find_operator("=", false, left.type, type));
    *out = result;
    return STATUS_OK;
}

static enum status between(struct resolver *resolver, A_Expr *node, struct expression *out)
{
    struct expression result = {
        .node = (Node *)node, .type = TYPE_BOOL, .total = true, .immutable = true};
    struct expression value, bound;
    TRY(operand(resolver, &node->lexpr, &result, &value));
    ListCell *cell;
    foreach (cell, castNode(List, node->rexpr)) {
        Node *limit = lfirst(cell);
        TRY(operand(resolver, &limit, &result, &bound));
        lfirst(cell) = limit;
        read_literals(&result, node->lexpr, value.type, limit, bound.type);
        apply(&result, allow_find_operator("<=", false, value.type, bound.type));
        apply(&result, allow_find_operator(">=", false, value.type, bound.type));
    }
    *out = result;
    return STATUS_OK;
}

/* IS [NOT] DISTINCT FROM, NULLIF: an equality inside. */
static enum status by_equality(struct resolver *resolver, A_Expr *node, struct expression *out)
{
    struct expression result = {
        .node = (Node *)node, .type = TYPE_BOOL, .total = true, .immutable = true};
    struct expression left, right;
    TRY(operand(resolver, &node->lexpr, &result, &left));
    TRY(operand(resolver, &node->rexpr, &result, &right));
    apply(&result, allow_find_operator("=", false, left.type, right.type));
    read_literals(&result, node->lexpr, left.type, node->rexpr, right.type);
    /* The left operand as the equality sees it: widened where the right one is wider. */
    if (node->kind == AEXPR_NULLIF)
        result.type =
            left.type == TYPE_UNKNOWN ? TYPE_TEXT : resolve_common_type(left.type, right.type);
    *out = result;
    return STATUS_OK;
}

enum status resolve_operator(struct resolver *resolver, A_Expr *node, struct expression *out)
{
    switch (node->kind) {
    case AEXPR_OP:
    case AEXPR_LIKE:
    case AEXPR_ILIKE:
        return infix(resolver, node, out);
    case AEXPR_OP_ANY:
    case AEXPR_OP_ALL:
        return quantified(resolver, node, out);
    case AEXPR_IN:
        return in_list(resolver, node, out);
    case AEXPR_BETWEEN:
    case AEXPR_NOT_BETWEEN:
    case AEXPR_BETWEEN_SYM:
    case AEXPR_NOT_BETWEEN_SYM:
        return between(resolver, node, out);
    case AEXPR_DISTINCT:
    case AEXPR_NOT_DISTINCT:
    case AEXPR_NULLIF:
        return by_equality(resolver, node, out);
    case AEXPR_SIMILAR:
        return plan_refuse(resolver->build, "0A000", "Use LIKE.",
                           "SIMILAR TO is not supported in %s", resolver->place);
    }
    return plan_refuse(resolver->build, "0A000", NULL, "this operator is not supported in %s",
                       resolver->place);
}
