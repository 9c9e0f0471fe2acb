/* Sub-selects in expressions: EXISTS, IN, op ANY, op ALL, scalar, ARRAY. Each is planned as a level
 * that stands in the one around it; its hidden columns cannot leave through the expression, so the
 * people that it depends on go beside it (docs/decisions/0010):
 *   EXISTS and ANY as a conjunct of WHERE: the witnesses of each row, by a second sub-select;
 *   a value that goes out: everybody in its input, by a second sub-select, or once where it does
 *     not depend on the row;
 *   any other condition: its whole input, once;
 *   if they all are the person of the row around it: nothing. */
#include "sql/allow/allow.h"
#include "sql/lineage/closure.h"
#include "sql/plan/plan_build.h"

static const char of_value[] = "input of a sub-select whose value goes out, or decides what does";
static const char of_condition[] = "input of a sub-select in a condition: it decides which rows go";

/* What hidden columns have been put behind the visible ones is of no use in an expression. */
static SelectStmt *visible_part(const struct level *level, const SelectStmt *select)
{
    SelectStmt *visible = rewrite_new(SelectStmt);
    *visible = *select;
    visible->targetList = NIL;
    for (size_t i = 0; i < level->target_count; i++)
        visible->targetList = lappend(visible->targetList, list_nth(select->targetList, (int)i));
    return visible;
}

/* What the key is in the rows of the inner level's FROM and WHERE, and of a condition beside it. */
static Node *members(const struct level *inner, const struct carried_key *key, Node *condition)
{
    Node *where = condition == NULL ? inner->where : rewrite_and(inner->where, condition);
    return lineage_set_of_rows(key->node, key->depth, inner->from, where);
}

/* Whether a sub-select runs, and over what, tells of the row that it runs for: one in which
 * something may fail runs for visible rows only. */
static Node *guard_members(struct resolver *resolver, const struct level *inner, Node *set)
{
    struct expression value = {.node = set, .relations = inner->outer_reads};
    if (!inner->failing)
        return set;
    return resolver->mode == RESOLVE_GROUPED ? guard_grouped(resolver->level, &value)
                                             : guard_expression(resolver->level, &value);
}

/* Beside each row of the level around: those who are in the sub-select's input. */
static enum status carry_members(struct resolver *resolver, const struct level *inner,
                                 Node *condition, enum plan_grade grade, const char *why)
{
    struct level *level = resolver->level;
    bool above_groups = resolver->mode == RESOLVE_GROUPED;
    for (size_t k = 0; k < inner->body_count; k++) {
        struct carried_key key = inner->body[k];
        key.node = guard_members(resolver, inner, members(inner, &key, condition));
        key.name = NULL;
        key.depth++;
        key.grade = grade;
        key.why = why;
        if (above_groups)
            TRY(lineage_add(&level->above_groups, &level->above_groups_count, level->build, key));
        else
            TRY(lineage_add(&level->body, &level->body_count, level->build, key));
    }
    return STATUS_OK;
}

/* The inner row that x IN (SELECT y …) found: y = x, where that can be said in the inner WHERE. */
static Node *witness_condition(struct resolver *resolver, const SubLink *node,
                               const struct level *inner, struct expression *test)
{
    const struct target *target = &inner->targets[0];
    if (node->subLinkType != ANY_SUBLINK || node->operName != NIL || inner->target_count != 1 ||
        inner->grouped || inner->windows || !target->value.total || target->value.set ||
        test->type == 0)
        return NULL;
    const struct allow_signature *equal =
        allow_find_operator("=", false, target->value.type, test->type);
    if (equal == NULL || !(equal->flags & ALLOW_TOTAL))
        return NULL;
    struct expression copy = *test;
    copy.parts = NULL;
    copy.part_count = 0;
    return rewrite_operator("=", target->value.node, guard_expression(resolver->level, &copy));
}

static bool is_positive(const SubLink *node)
{
    return node->subLinkType == EXISTS_SUBLINK || node->subLinkType == ANY_SUBLINK;
}

static const char *witness_of(const SubLink *node)
{
    return node->subLinkType == EXISTS_SUBLINK
               ? "witness of EXISTS: a row is there for one of theirs"
               : "witness of IN or ANY: a row is there for one of theirs";
}

/* A figure about everybody in the set that is recorded of it, to be held against other statistics
 * as one at the top is. One over what LIMIT or HAVING has left is about fewer; one that reads rows
 * around it comes with one set a row, and has none for those who have a value. */
static bool is_statistic(const struct level *inner)
{
    return inner->grouped && inner->plain_statistic && inner->group_count == 0 &&
           inner->body_changes == 0 && inner->body_grows == 0 && !inner->from_picks &&
           !inner->local && inner->above_groups_count == 0 &&
           (inner->outer_reads == 0 || lineage_value_filters(inner) == NIL);
}

static const char by_absence[] = "whole dataset: a condition may be met because nobody matches";

/* A condition that may be met because nobody is found: then whom its own conditions pass over is
 * who it tells of. A scalar is mostly NULL then, and what a NULL meets is its `missing`. */
static bool finds_by_absence(const SubLink *node, const struct level *inner)
{
    return node->subLinkType != EXPR_SUBLINK || inner->counts;
}

/* Is the figure NULL over no rows? */
static bool is_null_over_nothing(const Node *node)
{
    if (IsA(node, TypeCast))
        return is_null_over_nothing(((const TypeCast *)node)->arg);
    if (IsA(node, FuncCall)) {
        const FuncCall *call = (const FuncCall *)node;
        const char *name = strVal(llast(call->funcname));
        /* rank() and its like, of a row that there might be */
        bool hypothetical = call->agg_within_group && strcmp(name, "mode") != 0 &&
                            strncmp(name, "percentile_", 11) != 0;
        return resolve_is_aggregate(call) && !hypothetical && strstr(name, "count") == NULL;
    }
    if (!IsA(node, A_Expr) || ((const A_Expr *)node)->kind != AEXPR_OP)
        return false;
    const A_Expr *expression = (const A_Expr *)node;
    const char *name = strVal(llast(expression->name));
    return strlen(name) == 1 && strchr("+-*/", *name) != NULL &&
           ((expression->lexpr != NULL && is_null_over_nothing(expression->lexpr)) ||
            is_null_over_nothing(expression->rexpr));
}

/* Fences without whose people the sub-select's value is NULL: those who are behind each of its
 * rows, if it has one. */
static uint64_t nulls_of(const SubLink *node, const struct level *inner)
{
    uint64_t behind = 0;
    bool total = inner->grouped && (inner->group_count == 0 || inner->grouping_sets);
    if (node->subLinkType != EXPR_SUBLINK ||
        (total && !is_null_over_nothing(inner->targets[0].value.node)))
        return 0;
    for (size_t k = 0; k < inner->body_count; k++)
        if (!inner->body[k].absent && !inner->body[k].extended)
            behind |= lineage_fences(&inner->body[k], 1);
    return behind;
}

/* Whom a condition upon it may find by absence. */
static void note_absence(const SubLink *node, const struct level *inner, struct expression *result)
{
    uint64_t nulls = nulls_of(node, inner) & ~(result->missing & ~result->nulls);
    result->missing |= inner->fences;
    result->nulls |= nulls;
}

/* Rows may appear where it becomes true, and go only with all of its witnesses. */
static enum status witnesses(struct resolver *resolver, const SubLink *node, struct level *inner,
                             struct expression *test)
{
    struct level *level = resolver->level;
    if (inner->from_picks || inner->local || inner->above_groups_count > 0) {
        settle_fences(level->build, inner->fences, PLAN_GRADE_WITNESS, witness_of(node));
        return STATUS_OK;
    }
    level->grows |= inner->grows | inner->changes;
    return carry_members(resolver, inner, witness_condition(resolver, node, inner, test),
                         PLAN_GRADE_WITNESS, witness_of(node));
}

/* The value goes out, or decides what does: with another input it is another value. */
static enum status value_of(struct resolver *resolver, struct level *inner,
                            struct expression *result)
{
    struct level *level = resolver->level;
    enum plan_grade grade = is_statistic(inner) ? PLAN_GRADE_AGGREGATE : PLAN_GRADE_DIRECT;
    if (inner->outer_reads == 0)
        return grade == PLAN_GRADE_AGGREGATE ? settle_statistic(inner, of_value)
                                             : settle_level(inner, grade, of_value);
    if (inner->from_picks || inner->local || inner->above_groups_count > 0 ||
        inner->body_changes != 0 || inner->body_grows != 0) {
        settle_fences(level->build, inner->fences, grade, of_value);
        return STATUS_OK;
    }
    result->unstable = true;
    if (resolver->mode != RESOLVE_GROUPED)
        level->changes |= inner->fences;
    return carry_members(resolver, inner, NULL, grade, of_value);
}

static bool is_about_people(const struct build *build, uint64_t fences)
{
    for (size_t f = 0; f < build->fence_count; f++)
        if ((fences & UINT64_C(1) << f) && build->fences[f]->grant->dataset->subject_count > 0)
            return true;
    return false;
}

/* What the sub-select reads beyond this level, the level reads: also where it does so in a WITH
 * query that stands between. */
static void note_outer(struct level *level, const struct level *inner)
{
    uint64_t beyond = inner->outer_reads & ~plan_own_relations(level);
    if (beyond == 0)
        return;
    level->outer_reads |= beyond;
    level->outer_unstable = level->outer_unstable || inner->outer_unstable;
}

/* Rows are there or not by how they compare with it. With rows to measure by, and a condition is
 * as good as a value: generate_series(1, 200) g WHERE g = (SELECT max(height) …). So one statistic,
 * the same for all rows, is held against others as one that shows; any other figure or row is
 * charged as what the condition finds. */
static enum status condition_on(struct resolver *resolver, SubLink *node, struct level *inner)
{
    bool statistic =
        node->subLinkType == EXPR_SUBLINK && inner->outer_reads == 0 && is_statistic(inner);
    enum plan_grade grade = statistic ? PLAN_GRADE_AGGREGATE : PLAN_GRADE_WITNESS;
    enum status status = STATUS_OK;
    if (settle_figure(inner, node, grade, of_condition, &status))
        return status == STATUS_OK && statistic ? settle_values(inner, of_condition) : status;
    if (statistic)
        return settle_statistic(inner, of_condition);
    if (resolver->level->in_where && resolver->mode == RESOLVE_PLAIN)
        return settle_condition(resolver->level, inner, grade, of_condition);
    return settle_level(inner, grade, of_condition);
}

static enum status carry(struct resolver *resolver, SubLink *node, struct level *inner,
                         struct expression *test, struct expression *result)
{
    struct level *level = resolver->level;
    note_outer(level, inner);
    level->fences |= inner->fences;
    level->local = level->local || inner->local;
    result->unstable = result->unstable || inner->outer_unstable;
    if (!is_about_people(level->build, inner->fences))
        level->build->constants = lappend(level->build->constants, node);
    if (inner->fences == 0)
        return STATUS_OK;
    level->plain_statistic = false;
    level->build->sublinks = true;
    if (closure_same_people(resolver, node, inner, test))
        return STATUS_OK;
    if (resolver->sublinks == SUBLINK_CONJUNCT && is_positive(node))
        return witnesses(resolver, node, inner, test);
    if (resolver->sublinks == SUBLINK_VALUE || node->subLinkType == EXPR_SUBLINK)
        note_absence(node, inner, result);
    if (resolver->sublinks == SUBLINK_VALUE)
        return value_of(resolver, inner, result);
    if (finds_by_absence(node, inner)) {
        settle_fences(level->build, inner->fences, PLAN_GRADE_WITNESS, by_absence);
        return STATUS_OK;
    }
    return condition_on(resolver, node, inner);
}

static enum status resolve_test(struct resolver *resolver, SubLink *node, struct expression *result,
                                struct expression *test)
{
    *test = (struct expression){0};
    if (node->testexpr == NULL)
        return STATUS_OK;
    TRY(resolve_expression(resolver, node->testexpr, test));
    resolve_absorb(result, test);
    return STATUS_OK;
}

/* x op ANY (SELECT y): as the operator is. IN has no operator of its own: it is "=". */
static enum status judge_operator(struct resolver *resolver, SubLink *node,
                                  const struct level *inner, const struct expression *test,
                                  struct expression *result)
{
    const char *name = "=";
    if (node->operName != NIL) {
        TRY(resolve_operator_name(resolver, node->operName, &name));
        node->operName = rewrite_qualified(name);
    }
    const struct allow_signature *signature =
        inner->target_count != 1
            ? NULL
            : allow_find_operator(name, false, test->type, inner->targets[0].value.type);
    if (signature == NULL || !(signature->flags & ALLOW_TOTAL))
        result->total = false;
    const struct expression column = {
        .total = true,
        .collation = inner->target_count == 0 ? 0 : inner->targets[0].value.collation};
    resolve_absorb(result, &column);
    return STATUS_OK;
}

static enum status judge(struct resolver *resolver, SubLink *node, const struct level *inner,
                         const struct expression *test, struct expression *result)
{
    uint32_t type = inner->target_count == 0 ? 0 : inner->targets[0].value.type;
    if (type == TYPE_UNKNOWN)
        type = TYPE_TEXT;
    switch (node->subLinkType) {
    case EXISTS_SUBLINK:
        result->type = TYPE_BOOL;
        return STATUS_OK;
    case ANY_SUBLINK:
    case ALL_SUBLINK:
        result->type = TYPE_BOOL;
        return judge_operator(resolver, node, inner, test, result);
    case EXPR_SUBLINK:
        result->type = type;
        result->total = false; /* more than one row is an error */
        result->collation = inner->target_count == 0 ? 0 : inner->targets[0].value.collation;
        return STATUS_OK;
    case ARRAY_SUBLINK:
        result->type = allow_array_type(type);
        result->collation = inner->target_count == 0 ? 0 : inner->targets[0].value.collation;
        return STATUS_OK;
    default:
        return plan_refuse(resolver->build, "0A000", "Compare the columns one by one.",
                           "this kind of sub-select is not supported in %s", resolver->place);
    }
}

/* x IN (SELECT y …), on its own, is a join to PostgreSQL: it runs whatever rows there are. */
static bool is_joined(const struct resolver *resolver, const SubLink *node,
                      const struct level *inner, const struct expression *test)
{
    return node->subLinkType == ANY_SUBLINK && resolver->sublinks == SUBLINK_CONJUNCT &&
           inner->outer_reads == 0 && (test->relations & plan_own_relations(resolver->level));
}

/* EXISTS (SELECT * …) reads no column of the rows: only whether there is one. */
static void drop_star(const SubLink *node, SelectStmt *select)
{
    bool plain = select->op == SETOP_NONE && select->valuesLists == NIL &&
                 select->distinctClause == NIL && select->groupClause == NIL &&
                 select->havingClause == NULL && list_length(select->targetList) == 1;
    if (node->subLinkType != EXISTS_SUBLINK || !plain)
        return;
    ResTarget *target = linitial_node(ResTarget, select->targetList);
    if (IsA(target->val, ColumnRef) && IsA(linitial(((ColumnRef *)target->val)->fields), A_Star) &&
        select->fromClause != NIL)
        target->val = rewrite_integer(1);
}

enum status resolve_sublink(struct resolver *resolver, SubLink *node, struct expression *out)
{
    struct expression result = {.node = (Node *)node, .total = true}, test;
    struct level *inner;
    if (resolver->build->request == NULL)
        return plan_refuse(resolver->build, "0A000", "Use the dataset's own columns.",
                           "sub-selects are not supported in %s", resolver->place);
    struct resolver *outer = palloc(sizeof *outer);
    *outer = *resolver;
    TRY(resolve_test(resolver, node, &result, &test));
    SelectStmt *select = castNode(SelectStmt, node->subselect);
    drop_star(node, select);
    size_t failing = resolver->build->failing;
    TRY(plan_select(resolver->build, &select, outer, false, &inner));
    inner->failing = resolver->build->failing != failing;
    node->subselect = (Node *)visible_part(inner, select);
    result.relations |= inner->outer_reads;
    TRY(judge(resolver, node, inner, &test, &result));
    if (inner->failing && !is_joined(resolver, node, inner, &test))
        result.total = false;
    node->testexpr = test.node;
    uint64_t missing = 0;
    for (size_t i = 0; i < inner->target_count && node->subLinkType != EXISTS_SUBLINK; i++)
        missing |= inner->targets[i].value.missing;
    settle_fences(resolver->build, missing, PLAN_GRADE_WITNESS,
                  "compared where nobody's row may match: it finds them by that");
    TRY(carry(resolver, node, inner, &test, &result));
    *out = result;
    return STATUS_OK;
}
