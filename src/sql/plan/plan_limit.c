/* LIMIT, OFFSET and DISTINCT ON, and who applies them (docs/decisions/0003, 0010).
 * Over rows PostgreSQL applies LIMIT: a row that is not returned, when it goes, changes nothing
 * that is. Rows that OFFSET skips do move the window: at the top they come along and the gateway
 * skips them. Over groups at the top the gateway applies both: a group that is not returned, when
 * it shrinks, may sort before one that is. Everywhere else the whole input is recorded once. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sql/allow/allow.h"
#include "sql/plan/plan_build.h"

static const char before_limit[] =
    "LIMIT or OFFSET: without one of them another row might be counted";

/* RUNTIME: a parameter, or anything else that reads no row of the query; known when it runs. */
enum { LIMIT_NONE, LIMIT_LITERAL, LIMIT_RUNTIME };

struct bound {
    int kind;
    int64_t value;
    Node *node;
};

static bool parse_digits(const char *text, int64_t *value)
{
    char *end;
    errno = 0;
    long long parsed = strtoll(text, &end, 10);
    *value = parsed;
    return text[0] >= '0' && text[0] <= '9' && errno == 0 && *end == 0;
}

static bool fold(const Node *node, int64_t *value);

static bool fold_constant(const A_Const *constant, int64_t *value)
{
    if (IsA(&constant->val, Integer)) {
        *value = constant->val.ival.ival;
        return true;
    }
    if (IsA(&constant->val, Float))
        return parse_digits(constant->val.fval.fval, value);
    return false;
}

/* An int4 that int4 can hold; anything else PostgreSQL computes. */
static bool fold_operator(const A_Expr *node, int64_t *value)
{
    const char *name = strVal(llast(node->name));
    int64_t left = 0, right;
    if (node->kind != AEXPR_OP || list_length(node->name) != 1 || !fold(node->rexpr, &right) ||
        (node->lexpr != NULL && !fold(node->lexpr, &left)) || left != (int32_t)left ||
        right != (int32_t)right)
        return false;
    if (strcmp(name, "+") == 0)
        *value = left + right;
    else if (strcmp(name, "-") == 0)
        *value = left - right;
    else if (strcmp(name, "*") == 0 && node->lexpr != NULL)
        *value = left * right;
    else
        return false;
    return *value == (int32_t)*value;
}

static bool fold_cast(const TypeCast *node, int64_t *value)
{
    const List *names = node->typeName->names;
    bool builtin = list_length(names) == 1 || strcmp(strVal(linitial(names)), "pg_catalog") == 0;
    uint32_t type = allow_type(strVal(llast(names)));
    if (!builtin || node->typeName->arrayBounds != NIL || !fold(node->arg, value))
        return false;
    return type == TYPE_INT8 || (type == TYPE_INT4 && *value == (int32_t)*value) ||
           (type == TYPE_INT2 && *value == (int16_t)*value);
}

/* What integer it is, where that can be said without asking PostgreSQL. */
static bool fold(const Node *node, int64_t *value)
{
    switch (nodeTag(node)) {
    case T_A_Const:
        return fold_constant((const A_Const *)node, value);
    case T_A_Expr:
        return fold_operator((const A_Expr *)node, value);
    case T_TypeCast:
        return fold_cast((const TypeCast *)node, value);
    default:
        return false;
    }
}

static bool is_null(const Node *node)
{
    while (node != NULL && IsA(node, TypeCast))
        node = (const Node *)((const TypeCast *)node)->arg;
    return node == NULL || (IsA(node, A_Const) && ((const A_Const *)node)->isnull);
}

/* LIMIT '5', as clients write it that put values into the text. */
static bool is_quoted(const Node *node, int64_t *value)
{
    return IsA(node, A_Const) && IsA(&((const A_Const *)node)->val, String) &&
           parse_digits(((const A_Const *)node)->val.sval.sval, value);
}

bool plan_limit_is_known(const SelectStmt *select)
{
    const Node *bounds[] = {select->limitCount, select->limitOffset};
    int64_t value;
    for (size_t i = 0; i < lengthof(bounds); i++)
        if (!is_null(bounds[i]) && !is_quoted(bounds[i], &value) && !fold(bounds[i], &value))
            return false;
    return (int)select->limitOption != PARSE_LIMIT_WITH_TIES;
}

/* A sub-select in it is recorded as any other in a condition is: it decides which rows go. No guard
 * is put around the rest, that reads no rows; nor can one in the sub-select name the level's
 * relations, so these are not in scope. */
static enum status read_runtime(struct level *level, Node *node, const char *clause,
                                struct bound *bound)
{
    struct names *names = palloc(sizeof *names);
    *names = (struct names){.entries = level->names.entries, .count = level->names.count};
    struct resolver resolver = {.build = level->build,
                                .level = level,
                                .names = names,
                                .place = clause,
                                .sublinks = SUBLINK_CONDITION};
    struct expression value;
    TRY(resolve_expression(&resolver, node, &value));
    for (size_t i = 0; i < level->relation_count; i++)
        if (value.relations & UINT64_C(1) << level->relations[i]->index)
            return plan_refuse(level->build, "42P10",
                               "Write what is the same for all rows: a number, a parameter, a "
                               "sub-select of its own.",
                               "argument of %s must not contain variables", clause);
    if (value.relations != 0)
        return plan_refuse(level->build, "0A000",
                           "Number the rows in a sub-select by row_number(), and compare that.",
                           "columns of an outer query are not supported in %s", clause);
    settle_fences(level->build, value.missing, PLAN_GRADE_WITNESS,
                  "NULL, and so no limit, where nobody's row matches: it finds them by that");
    level->build->failing++; /* it may be negative */
    *bound = (struct bound){.kind = LIMIT_RUNTIME, .node = value.node};
    return STATUS_OK;
}

static enum status read_bound(struct level *level, Node *node, const char *clause,
                              struct bound *bound)
{
    *bound = (struct bound){.kind = LIMIT_NONE};
    if (is_null(node))
        return STATUS_OK;
    if (!is_quoted(node, &bound->value) && !fold(node, &bound->value))
        return read_runtime(level, node, clause, bound);
    if (bound->value < 0)
        return plan_refuse(level->build, clause[0] == 'L' ? "2201W" : "2201X", "Write 0 or more.",
                           "%s must not be negative", clause);
    bound->kind = LIMIT_LITERAL;
    return STATUS_OK;
}

static Node *int8_literal(int64_t value)
{
    if (value <= INT32_MAX)
        return rewrite_integer((int)value);
    return rewrite_cast(rewrite_text(psprintf("%lld", (long long)value)), "int8");
}

/* l + skipped, for l that is known upstream alone: (SELECT CASE WHEN l BETWEEN 0 AND … THEN l +
 * skipped ELSE l END FROM (SELECT limit AS l)). What is negative stays so and is refused there,
 * what has no sum is as good as all, and NULL is all. */
static Node *runtime_sum(Node *limit, int64_t skipped)
{
    const char *l = plan_hidden_name();
    SelectStmt *below = rewrite_new(SelectStmt), *above = rewrite_new(SelectStmt);
    Node *least = rewrite_operator(">=", rewrite_column(l, l), rewrite_integer(0));
    Node *most = rewrite_operator("<=", rewrite_column(l, l), int8_literal(INT64_MAX - skipped));
    Node *sum = rewrite_operator("+", rewrite_column(l, l), int8_literal(skipped));
    CaseExpr *value = (CaseExpr *)rewrite_case(rewrite_and(least, most), sum);
    value->defresult = (Expr *)rewrite_column(l, l);
    below->targetList = list_make1(rewrite_target(limit, l));
    above->targetList = list_make1(rewrite_target((Node *)value, NULL));
    above->fromClause = list_make1(rewrite_subselect(below, l));
    return rewrite_sublink(EXPR_SUBLINK, above);
}

/* LIMIT of rows: LIMIT limit + offset goes upstream, the gateway skips. */
static void limit_rows(struct level *level, SelectStmt *select, const struct bound *limit,
                       const struct bound *offset)
{
    int64_t sum;
    select->limitOffset = NULL;
    select->limitCount = NULL;
    if (limit->kind == LIMIT_LITERAL) {
        if (__builtin_add_overflow(limit->value, offset->value, &sum))
            sum = INT64_MAX;
        select->limitCount = int8_literal(sum);
    } else if (limit->kind == LIMIT_RUNTIME) {
        select->limitCount = rewrite_cast(limit->node, "int8");
        if (offset->value > 0)
            select->limitCount = runtime_sum(select->limitCount, offset->value);
    }
    if (offset->value == 0)
        return;
    level->build->plan->relay_offset = offset->value;
    plan_explain(level->build, "limit", "the gateway skips %lld rows and records them",
                 (long long)offset->value);
}

static void limit_groups(struct level *level, SelectStmt *select, const struct bound *limit,
                         const struct bound *offset)
{
    select->limitOffset = NULL;
    select->limitCount = NULL;
    if (limit->kind == LIMIT_LITERAL)
        level->build->plan->relay_limit = limit->value;
    level->build->plan->relay_offset = offset->value;
    plan_explain(level->build, "limit",
                 "the gateway applies LIMIT and OFFSET, since each group's members count");
}

static Node *bound_node(const struct bound *bound)
{
    return bound->kind == LIMIT_NONE      ? NULL
           : bound->kind == LIMIT_RUNTIME ? rewrite_cast(bound->node, "int8")
                                          : int8_literal(bound->value);
}

/* No deletion changes what these rows are, or all who could are recorded: PostgreSQL does it all.
 */
static void limit_constant(SelectStmt *select, const struct bound *limit,
                           const struct bound *offset)
{
    select->limitCount = bound_node(limit);
    select->limitOffset =
        offset->value > 0 || offset->kind == LIMIT_RUNTIME ? bound_node(offset) : NULL;
}

/* Which of the rows are returned depends on ties, and on what a deletion lets in. */
static void let_in(struct level *level)
{
    level->picks = true;
    level->changes |= level->fences;
    for (size_t i = 0; i < level->target_count; i++)
        level->targets[i].value.unstable = true;
}

static enum status settle_and_limit(struct level *level, SelectStmt *select,
                                    const struct bound *limit, const struct bound *offset)
{
    TRY(settle_level(level, PLAN_GRADE_INFLUENCE,
                     "LIMIT or OFFSET that PostgreSQL applies: the whole input decides which rows "
                     "are returned"));
    limit_constant(select, limit, offset);
    level->picks = true;
    return STATUS_OK;
}

/* Rows that stand for several people and change without one of them. */
static bool are_groups(const struct level *level)
{
    bool groups = level->aggregated;
    for (size_t k = 0; k < level->body_count; k++)
        groups = groups || (level->body[k].depth > 0 &&
                            (level->changes & UINT64_C(1) << level->body[k].fence->index));
    return groups;
}

static enum status share_limits(struct level *level, SelectStmt *select)
{
    struct bound limit, offset;
    bool ties = (int)select->limitOption == PARSE_LIMIT_WITH_TIES;
    bool sorted = select->sortClause != NIL && !level->order_unstable;
    settle_fences(level->build, level->order_missing, PLAN_GRADE_WITNESS,
                  "sorted by whether somebody's row matches: LIMIT finds them by that");
    TRY(read_bound(level, select->limitCount, "LIMIT", &limit));
    TRY(read_bound(level, select->limitOffset, "OFFSET", &offset));
    bool skips = offset.kind == LIMIT_RUNTIME || offset.value > 0;
    if (level->key_count == 0 && level->changes == 0 && level->grows == 0) {
        limit_constant(select, &limit, &offset);
        level->picks = true; /* of rows about nobody, but which? */
        return STATUS_OK;
    }
    bool may_move = level->keeps || (are_groups(level) && !sorted);
    if (ties || offset.kind == LIMIT_RUNTIME || (skips && !level->top) ||
        (may_move && (limit.kind == LIMIT_RUNTIME || !level->top)))
        return settle_and_limit(level, select, &limit, &offset);
    if (may_move) {
        settle_growth(level, false, before_limit);
        limit_groups(level, select, &limit, &offset);
        return STATUS_OK;
    }
    settle_growth(level, !sorted, before_limit);
    limit_rows(level, select, &limit, &offset);
    if (limit.kind != LIMIT_NONE)
        let_in(level);
    return STATUS_OK;
}

enum status plan_limit(struct level *level, SelectStmt *select)
{
    if (select->distinctClause != NIL) {
        settle_fences(level->build, level->order_missing, PLAN_GRADE_WITNESS,
                      "sorted by whether somebody's row matches: DISTINCT ON finds them by that");
        settle_growth(level, true,
                      "DISTINCT ON: without one of them another row might be the first");
        let_in(level);
    }
    if (select->limitCount == NULL && select->limitOffset == NULL)
        return STATUS_OK;
    LimitOption option = select->limitOption;
    TRY(share_limits(level, select));
    bool any = select->limitCount != NULL || select->limitOffset != NULL;
    select->limitOption = any ? option : (LimitOption)PARSE_LIMIT_NONE;
    return STATUS_OK;
}
