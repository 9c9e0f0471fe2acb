/* Operators in all their spellings: infix and prefix, IN, BETWEEN, LIKE, IS DISTINCT FROM, NULLIF,
 * ANY and ALL over arrays. Plain ones leave qualified with pg_catalog; the spellings that have no
 * room for a schema (IN, BETWEEN …) rely on the pinned search_path. */
#include <string.h>

#include "sql/allow/allow.h"
#include "sql/plan/plan_build.h"

bool resolve_is_equality(const Node *node)
{
    return IsA(node, A_Expr) && ((const A_Expr *)node)->kind == AEXPR_OP &&
           ((const A_Expr *)node)->lexpr != NULL &&
           strcmp(strVal(llast(((const A_Expr *)node)->name)), "=") == 0;
}

enum status resolve_operator_name(struct resolver *resolver, const List *name, const char **out)
{
    size_t count = (size_t)list_length(name);
    const char *operator= strVal(llast(name));
    if (count > 2 || (count == 2 && strcmp(strVal(linitial(name)), "pg_catalog") != 0) ||
        (!resolver->trusted && !allow_operator(operator)))
        return plan_refuse(resolver->build, "42501",
                           "PostgreSQL's own are allowed, over numbers, text, dates, arrays, "
                           "ranges and JSON.",
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

static const char *literal_text(const Node *node)
{
    const A_Const *literal = (const A_Const *)node;
    if (!IsA(node, A_Const) || literal->isnull || !IsA(&literal->val, String))
        return NULL;
    return literal->val.sval.sval;
}

/* pattern ESCAPE 'c', both literals; the grammar makes it a call. */
static bool total_escape(const FuncCall *call)
{
    if (strcmp(strVal(llast(call->funcname)), "like_escape") != 0 || list_length(call->args) != 2)
        return false;
    const char *pattern = literal_text(linitial(call->args));
    const char *escape = literal_text(lsecond(call->args));
    return pattern != NULL && escape != NULL && strlen(escape) <= 1 &&
           allow_like_pattern_total(pattern, escape);
}

/* LIKE over text is total just with a literal pattern that is well formed. */
static bool total_like(const char *name, const Node *pattern)
{
    if (strstr(name, "~~") == NULL)
        return false;
    if (IsA(pattern, FuncCall))
        return total_escape((const FuncCall *)pattern);
    if (IsA(pattern, A_Const) && ((const A_Const *)pattern)->isnull)
        return true;
    const char *text = literal_text(pattern);
    return text != NULL && allow_like_pattern_total(text, "\\");
}

static bool are_rows(const Node *left, const Node *right)
{
    return left != NULL && right != NULL && IsA(left, RowExpr) && IsA(right, RowExpr);
}

/* (a, b) < (c, d): total where each pair is. A guard goes around the whole, since a row inside CASE
 * is a record, which compares NULLs in another way. */
static void apply_rows(struct expression *result, const char *name, const A_Expr *node,
                       const struct expression *left, const struct expression *right)
{
    const List *left_members = ((const RowExpr *)node->lexpr)->args;
    const List *right_members = ((const RowExpr *)node->rexpr)->args;
    bool known = left->members != NULL && right->members != NULL &&
                 list_length(left_members) == list_length(right_members);
    for (int i = 0; known && i < list_length(left_members); i++) {
        uint32_t left_type = left->members[i].type, right_type = right->members[i].type;
        apply(result, allow_find_operator(name, false, left_type, right_type));
        read_literals(result, list_nth(left_members, i), left_type, list_nth(right_members, i),
                      right_type);
    }
    if (!known)
        apply(result, NULL);
}

/* What the operator itself adds to its operands. */
static void judge_infix(const A_Expr *node, const char *name, struct expression *result)
{
    const struct expression *left = &result->parts[0], *right = &result->parts[1];
    struct expression own = {.total = true, .immutable = true};
    if (are_rows(node->lexpr, node->rexpr)) {
        apply_rows(&own, name, node, left, right);
        resolve_absorb(result, &own);
        result->type = TYPE_BOOL;
        return;
    }
    const struct allow_signature *signature =
        allow_find_operator(name, node->lexpr == NULL, left->type, right->type);
    uint32_t types[] = {left->type, right->type};
    apply(&own, signature);
    if (signature != NULL && node->lexpr != NULL && total_like(name, node->rexpr)) {
        own.total = true;
        result->total = left->total;
    }
    resolve_absorb(result, &own);
    if (node->lexpr != NULL)
        read_literals(result, node->lexpr, left->type, node->rexpr, right->type);
    result->type = is_comparison(name)   ? TYPE_BOOL
                   : node->lexpr == NULL ? allow_result(signature, &right->type, 1)
                                         : allow_result(signature, types, 2);
    if (own.total && is_comparison(name) && node->lexpr != NULL)
        result->part_count = 2;
    else if (node->lexpr != NULL && strcmp(name, "=") == 0)
        result->strict = true;
}

/* NULL over any NULL, whatever the types. */
static bool is_strict(const char *name)
{
    static const char *const names[] = {"=",   "<>",   "<", ">", "<=", ">=", "~~", "~~*",
                                        "!~~", "!~~*", "+", "-", "*",  "/",  "%"};
    for (size_t i = 0; i < lengthof(names); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static enum status infix(struct resolver *resolver, A_Expr *node, struct expression *out)
{
    struct expression result = {.node = (Node *)node, .total = true, .immutable = true};
    const char *name;
    TRY(resolve_operator_name(resolver, node->name, &name));
    result.parts = palloc0(2 * sizeof *result.parts);
    struct expression *left = &result.parts[0], *right = &result.parts[1];
    if (node->lexpr != NULL)
        TRY(operand(resolver, &node->lexpr, &result, left));
    TRY(operand(resolver, &node->rexpr, &result, right));
    node->kind = AEXPR_OP;
    node->name = rewrite_qualified(name);
    judge_infix(node, name, &result);
    if (strcmp(name, "=") == 0 && node->lexpr != NULL)
        compare_raw(resolver, node);
    if (is_strict(name) && !are_rows(node->lexpr, node->rexpr))
        result.nulls = resolve_strict_nulls(right, node->lexpr == NULL ? NULL : left);
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
    TRY(resolve_operator_name(resolver, node->name, &name));
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
    uint64_t others = 0;
    TRY(operand(resolver, &node->lexpr, &result, &left));
    ListCell *cell;
    foreach (cell, castNode(List, node->rexpr)) {
        Node *value = lfirst(cell);
        TRY(operand(resolver, &value, &result, &member));
        lfirst(cell) = value;
        others |= member.missing;
        read_literals(&result, node->lexpr, left.type, value, member.type);
        type = type == 0 ? 0 : resolve_common_type(type, member.type);
    }
    /* A literal among typed values takes their type, by an error at parsing if it must. */
    apply(&result, type == 0 ? NULL : allow_find_operator("=", false, left.type, type));
    result.nulls = resolve_strict_nulls(&left, NULL) & ~others;
    *out = result;
    return STATUS_OK;
}

static enum status between(struct resolver *resolver, A_Expr *node, struct expression *out)
{
    struct expression result = {
        .node = (Node *)node, .type = TYPE_BOOL, .total = true, .immutable = true};
    struct expression value, bound;
    uint64_t others = 0;
    TRY(operand(resolver, &node->lexpr, &result, &value));
    ListCell *cell;
    foreach (cell, castNode(List, node->rexpr)) {
        Node *limit = lfirst(cell);
        TRY(operand(resolver, &limit, &result, &bound));
        lfirst(cell) = limit;
        others |= bound.missing;
        read_literals(&result, node->lexpr, value.type, limit, bound.type);
        apply(&result, allow_find_operator("<=", false, value.type, bound.type));
        apply(&result, allow_find_operator(">=", false, value.type, bound.type));
    }
    result.nulls = resolve_strict_nulls(&value, NULL) & ~others;
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

/* Any form of pattern may be malformed, and what matches it may take too much memory. */
static enum status similar(struct resolver *resolver, A_Expr *node, struct expression *out)
{
    struct expression result = {
        .node = (Node *)node, .type = TYPE_BOOL, .total = true, .immutable = true};
    struct expression part;
    TRY(operand(resolver, &node->lexpr, &result, &part));
    ListCell *cell;
    foreach (cell, castNode(FuncCall, node->rexpr)->args) {
        Node *argument = lfirst(cell);
        TRY(operand(resolver, &argument, &result, &part));
        lfirst(cell) = argument;
    }
    result.total = false;
    *out = result;
    return STATUS_OK;
}

/* Row (in)equalities mean the members' one by one, also to PostgreSQL (parse_expr.c,
 * make_row_comparison_op). Written out so, each is seen by all that looks for equalities. */
static enum status by_members(struct resolver *resolver, A_Expr_Kind kind, const char *name,
                              const Node *left, const Node *right, Node **out)
{
    const List *left_members = ((const RowExpr *)left)->args;
    const List *right_members = ((const RowExpr *)right)->args;
    int count = list_length(left_members);
    if (count == 0 || count != list_length(right_members))
        return plan_refuse(resolver->build, "42601", "Write as many values on both sides.",
                           "unequal number of entries in row expressions");
    List *terms = NIL;
    for (int i = 0; i < count; i++)
        terms = lappend(terms, makeA_Expr(kind, list_make1(makeString(pstrdup(name))),
                                          copyObject(list_nth(left_members, i)),
                                          copyObject(list_nth(right_members, i)), -1));
    bool each = kind == AEXPR_NOT_DISTINCT || (kind == AEXPR_OP && strcmp(name, "=") == 0);
    *out =
        count == 1 ? linitial(terms) : (Node *)makeBoolExpr(each ? AND_EXPR : OR_EXPR, terms, -1);
    return STATUS_OK;
}

/* A row within a row is a record to PostgreSQL, and records compare NULLs in another way. */
static bool are_flat_rows(const Node *left, const Node *right)
{
    if (!are_rows(left, right))
        return false;
    const RowExpr *rows[] = {(const RowExpr *)left, (const RowExpr *)right};
    for (size_t i = 0; i < lengthof(rows); i++)
        for (int m = 0; m < list_length(rows[i]->args); m++)
            if (IsA(list_nth(rows[i]->args, m), RowExpr))
                return false;
    return true;
}

/* (a, b) IN ((1, 2), …) */
static enum status rows_in_list(struct resolver *resolver, const A_Expr *node, Node **out)
{
    const char *name = strVal(llast(node->name));
    List *terms = NIL;
    ListCell *cell;
    *out = NULL;
    foreach (cell, castNode(List, node->rexpr)) {
        Node *term;
        if (!are_flat_rows(node->lexpr, lfirst(cell)))
            return STATUS_OK;
        TRY(by_members(resolver, AEXPR_OP, name, node->lexpr, lfirst(cell), &term));
        terms = lappend(terms, term);
    }
    *out = list_length(terms) == 1
               ? linitial(terms)
               : (Node *)makeBoolExpr(strcmp(name, "=") == 0 ? OR_EXPR : AND_EXPR, terms, -1);
    return STATUS_OK;
}

/* NULL if the operator is none over rows, or has to stay as it is. */
static enum status expand_rows(struct resolver *resolver, const A_Expr *node, Node **out)
{
    const char *name;
    *out = NULL;
    if (node->kind == AEXPR_IN)
        return rows_in_list(resolver, node, out);
    if (!are_flat_rows(node->lexpr, node->rexpr) ||
        (node->kind != AEXPR_OP && node->kind != AEXPR_DISTINCT &&
         node->kind != AEXPR_NOT_DISTINCT))
        return STATUS_OK;
    TRY(resolve_operator_name(resolver, node->name, &name));
    if (node->kind == AEXPR_OP && strcmp(name, "=") != 0 && strcmp(name, "<>") != 0)
        return STATUS_OK;
    return by_members(resolver, node->kind, name, node->lexpr, node->rexpr, out);
}

enum status resolve_operator(struct resolver *resolver, A_Expr *node, struct expression *out)
{
    Node *expanded;
    TRY(expand_rows(resolver, node, &expanded));
    if (expanded != NULL)
        return resolve_expression(resolver, expanded, out);
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
        return similar(resolver, node, out);
    }
    return plan_refuse(resolver->build, "0A000",
                       "Comparison, LIKE, IN, BETWEEN, ANY and ALL are supported.",
                       "this operator is not supported in %s", resolver->place);
}
