/* LIMIT and OFFSET, and who applies them (docs/decisions/0003).
 * Over rows of plain joins PostgreSQL applies LIMIT: a row that is not returned, when it goes,
 * changes nothing that is. Rows that OFFSET skips do move the window, so they come along and the
 * gateway skips them. Over groups the gateway applies both: a group that is not returned, when it
 * shrinks, may sort before one that is. Where rows may appear that nobody's key is on (`grows`),
 * neither can be told apart from influence, and both are refused. */
#include <errno.h>
#include <stdlib.h>

#include "sql/plan_build.h"

enum { LIMIT_NONE, LIMIT_LITERAL, LIMIT_PARAMETER };

struct bound {
    int kind;
    int64_t value;
    Node *node;
};

static bool parse_integer(const A_Const *constant, int64_t *value)
{
    if (IsA(&constant->val, Integer)) {
        *value = constant->val.ival.ival;
        return true;
    }
    if (!IsA(&constant->val, Float))
        return false;
    char *end;
    errno = 0;
    long long parsed = strtoll(constant->val.fval.fval, &end, 10);
    *value = parsed;
    return errno == 0 && *end == 0;
}

static enum status read_bound(struct level *level, Node *node, const char *clause,
                              struct bound *bound)
{
    *bound = (struct bound){.kind = LIMIT_NONE};
    Node *value = node;
    while (value != NULL && IsA(value, TypeCast))
        value = ((TypeCast *)value)->arg;
    if (value == NULL || (IsA(value, A_Const) && ((A_Const *)value)->isnull))
        return STATUS_OK;
    if (IsA(value, ParamRef)) {
        *bound = (struct bound){.kind = LIMIT_PARAMETER, .node = value};
        return STATUS_OK;
    }
    if (!IsA(value, A_Const) || value != node || !parse_integer((A_Const *)value, &bound->value))
        return plan_refuse(level->build, "0A000", "Write a number or a parameter.",
                           "expressions in %s are not supported", clause);
    if (bound->value < 0)
        return plan_refuse(level->build, clause[0] == 'L' ? "2201W" : "2201X", NULL,
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

/* What the rows of a level carry: nobody's keys, keys, or sets of them. */
struct lineage {
    bool keys, sets;
};

static struct lineage lineage_of(const struct level *level)
{
    struct lineage lineage = {false, false};
    for (size_t i = 0; i < level->relation_count; i++) {
        const struct relation *relation = level->relations[i];
        lineage.keys = lineage.keys || relation->key_count > 0;
        for (size_t k = 0; k < relation->key_count; k++)
            lineage.sets = lineage.sets || level->grouped || relation->keys[k].is_set;
    }
    return lineage;
}

static enum status check_below(struct level *level, bool sets)
{
    bool grows = level->grows || (!level->grouped && sets && level->conditions);
    if (grows)
        return plan_refuse(level->build, "0A000",
                           "Put LIMIT into the innermost SELECT, or leave it out.",
                           "LIMIT and OFFSET over a sub-select that has a LIMIT of its own, or "
                           "that filters or joins groups, are not supported");
    if (!level->top && sets)
        return plan_refuse(level->build, "0A000", "Put LIMIT into the outermost SELECT.",
                           "LIMIT and OFFSET over groups in a sub-select are not supported");
    return STATUS_OK;
}

/* LIMIT and OFFSET of rows: LIMIT limit + offset goes upstream, the gateway skips. */
static enum status limit_rows(struct level *level, SelectStmt *select, const struct bound *limit,
                              const struct bound *offset)
{
    int64_t sum;
    select->limitOffset = NULL;
    select->limitCount = NULL;
    if (limit->kind == LIMIT_LITERAL) {
        if (__builtin_add_overflow(limit->value, offset->value, &sum))
            sum = INT64_MAX;
        select->limitCount = int8_literal(sum);
    } else if (limit->kind == LIMIT_PARAMETER) {
        select->limitCount = rewrite_cast(limit->node, "int8");
        if (offset->value > 0)
            select->limitCount =
                rewrite_operator("+", select->limitCount, int8_literal(offset->value));
    }
    if (offset->value == 0)
        return STATUS_OK;
    if (!level->top)
        return plan_refuse(level->build, "0A000", "Put OFFSET into the outermost SELECT.",
                           "OFFSET in a sub-select is not supported");
    level->build->plan->relay_offset = offset->value;
    plan_explain(level->build, "limit", "the gateway skips %lld rows and records them",
                 (long long)offset->value);
    return STATUS_OK;
}

static enum status limit_groups(struct level *level, SelectStmt *select, const struct bound *limit,
                                const struct bound *offset)
{
    if (limit->kind == LIMIT_PARAMETER)
        return plan_refuse(level->build, "0A000", "Write the number into the statement.",
                           "a parameter as LIMIT over groups is not supported");
    select->limitOffset = NULL;
    select->limitCount = NULL;
    if (limit->kind == LIMIT_LITERAL)
        level->build->plan->relay_limit = limit->value;
    level->build->plan->relay_offset = offset->value;
    plan_explain(level->build, "limit",
                 "the gateway applies LIMIT and OFFSET, since each group's members count");
    return STATUS_OK;
}

/* Rows about nobody: no deletion of a person's rows reaches them, PostgreSQL does it all. */
static void limit_nobody(SelectStmt *select, const struct bound *limit, const struct bound *offset)
{
    select->limitCount = limit->kind == LIMIT_NONE        ? NULL
                         : limit->kind == LIMIT_PARAMETER ? rewrite_cast(limit->node, "int8")
                                                          : int8_literal(limit->value);
    select->limitOffset = offset->value > 0 ? int8_literal(offset->value) : NULL;
}

static enum status share_limits(struct level *level, SelectStmt *select, struct lineage lineage)
{
    struct bound limit, offset;
    TRY(read_bound(level, select->limitCount, "LIMIT", &limit));
    TRY(read_bound(level, select->limitOffset, "OFFSET", &offset));
    if (offset.kind == LIMIT_PARAMETER)
        return plan_refuse(level->build, "0A000", "Write the number into the statement.",
                           "a parameter as OFFSET is not supported");
    if (!lineage.keys) {
        limit_nobody(select, &limit, &offset);
        return STATUS_OK;
    }
    TRY(check_below(level, lineage.sets));
    if (lineage.sets)
        return limit_groups(level, select, &limit, &offset);
    TRY(limit_rows(level, select, &limit, &offset));
    level->grows = level->grows || limit.kind != LIMIT_NONE;
    return STATUS_OK;
}

enum status plan_limit(struct level *level, SelectStmt *select)
{
    struct lineage lineage = lineage_of(level);
    for (size_t i = 0; i < level->relation_count; i++)
        level->grows = level->grows || level->relations[i]->grows;
    if (select->limitCount == NULL && select->limitOffset == NULL) {
        level->grows = level->grows || (!level->grouped && lineage.sets && level->conditions);
        return STATUS_OK;
    }
    TRY(share_limits(level, select, lineage));
    bool any = select->limitCount != NULL || select->limitOffset != NULL;
    select->limitOption = (LimitOption)(any ? PARSE_LIMIT_COUNT : PARSE_LIMIT_NONE);
    return STATUS_OK;
}
