/* Guards: PostgreSQL may run a partner's expression on rows that the policy hides, before the
 * policy does, and an expression that fails tells of the value it failed on. So an expression that
 * is not total is wrapped where it is written: CASE WHEN policy IS NOT FALSE THEN … END, over the
 * policies of the fences that it reads. On visible rows a guard changes nothing.
 * AND/OR/NOT and comparisons that are total themselves leave the guard to their operands. Each
 * takes the policies of all that the conjunct reads, for otherwise one operand's error would tell
 * whether another held on a hidden row; only the two sides of a join's equality take their own, so
 * that joins can be hashed and merged. What is left: whether a conjunct is evaluated at all may
 * depend on hidden rows of tables it does not read, by the join order; an error then tells one
 * bit, and errors are counted (DESIGN.md, Life of a query).
 * Guards depend on nothing but the expression, so equal expressions stay equal. */
#include <string.h>

#include "sql/plan/plan_build.h"

/* grouped: above GROUP BY only bool_and() of a policy can be read. */
static Node *policy_of(const struct relation *relation, bool grouped)
{
    Node *policy = rewrite_column(relation->alias, relation->policy);
    if (grouped)
        policy = rewrite_call("bool_and", list_make1(policy));
    return rewrite_boolean_test(policy, IS_NOT_FALSE);
}

/* The levels from here to that one read its rows now, by their policy. */
static void note_reading(struct level *level, const struct resolver *outer, uint64_t relation)
{
    for (; level != outer->level; level = level->outer->level)
        level->outer_reads |= relation;
}

/* What a relation reads beside it or around its level shows in its columns. A sub-select brings the
 * policies of that along with its own; a function or VALUES has none to bring them in. */
static uint64_t read_through(const struct build *build, uint64_t relations)
{
    for (size_t i = build->relation_count; i-- > 0;)
        if ((relations & UINT64_C(1) << i) && build->relations[i]->policy == NULL)
            relations |= build->relations[i]->outer_reads;
    return relations;
}

/* Of a level around, whose relations the expression reads from below; above its GROUP BY a group
 * stands for rows of all its relations. */
static Node *outer_conjunction(struct level *level, uint64_t relations, Node *all)
{
    for (const struct resolver *outer = level->outer; outer != NULL; outer = outer->level->outer) {
        bool grouped = outer->mode == RESOLVE_GROUPED, reads = relations == 0;
        for (size_t i = outer->names->first; i < outer->names->end; i++)
            reads = reads || (relations & UINT64_C(1) << outer->level->relations[i]->index);
        for (size_t i = outer->names->first; reads && i < outer->names->end; i++) {
            const struct relation *relation = outer->level->relations[i];
            uint64_t bit = UINT64_C(1) << relation->index;
            if (relation->policy == NULL || !(grouped || relations == 0 || (relations & bit)))
                continue;
            all = rewrite_and(all, policy_of(relation, grouped));
            note_reading(level, outer, bit);
        }
    }
    return all;
}

static Node *conjunction(struct level *level, uint64_t relations, bool grouped)
{
    Node *all = NULL;
    relations = read_through(level->build, relations);
    for (size_t i = level->scope_first; i < level->scope_end; i++) {
        const struct relation *relation = level->relations[i];
        if (relation->policy == NULL ||
            (!grouped && relations != 0 && !(relations & UINT64_C(1) << relation->index)))
            continue;
        all = rewrite_and(all, policy_of(relation, grouped));
    }
    return outer_conjunction(level, relations, all);
}

Node *guard_policies(struct level *level, uint64_t relations)
{
    return conjunction(level, relations, false);
}

/* No aggregate can stand in such a FILTER, so no bool_and() of a policy either; nor need it. What
 * is hidden is gone before there are groups, and PostgreSQL moves nothing of a window function
 * below them. Left are rows of the levels around, for which this one may run. */
Node *guard_above_groups(struct level *level, struct expression *expression)
{
    if (expression->total)
        return expression->node;
    level->build->failing++;
    steered_note(level, expression);
    Node *policies = outer_conjunction(level, 0, NULL);
    if (policies == NULL)
        return expression->node;
    level->build->guard_count++;
    return rewrite_case(policies, expression->node);
}

Node *guard_row(struct level *level)
{
    Node *all = NULL;
    for (size_t i = 0; i < level->relation_count; i++)
        if (level->relations[i]->policy != NULL)
            all = rewrite_and(all, policy_of(level->relations[i], level->grouped));
    if (level->outer_reads == 0)
        return all;
    return outer_conjunction(level, read_through(level->build, level->outer_reads), all);
}

bool guard_can_name(const struct level *level, const struct names *names, uint64_t relations)
{
    relations = read_through(level->build, relations);
    for (size_t i = 0; i < level->relation_count; i++)
        if ((relations & UINT64_C(1) << level->relations[i]->index) &&
            level->relations[i]->policy != NULL && (i < names->first || i >= names->end))
            return false;
    return true;
}

static Node *wrap(struct level *level, Node *node, uint64_t relations, bool grouped)
{
    Node *policies = conjunction(level, relations, grouped);
    if (policies == NULL)
        return node;
    level->build->guard_count++;
    return rewrite_case(policies, node);
}

static void set_part(struct expression *expression, size_t index, Node *node)
{
    if (IsA(expression->node, BoolExpr))
        lfirst(list_nth_cell(((BoolExpr *)expression->node)->args, (int)index)) = node;
    else if (index == 0)
        ((A_Expr *)expression->node)->lexpr = node;
    else
        ((A_Expr *)expression->node)->rexpr = node;
}

/* relations: whose policies to take; 0: those that the part itself reads. */
static Node *guard_tree(struct level *level, struct expression *expression, uint64_t relations,
                        bool grouped)
{
    if (expression->total)
        return expression->node;
    level->build->failing++;
    if (expression->part_count == 0)
        steered_note(level, expression);
    if (expression->part_count == 0)
        return wrap(level, expression->node, relations != 0 ? relations : expression->relations,
                    grouped);
    for (size_t i = 0; i < expression->part_count; i++)
        set_part(expression, i, guard_tree(level, &expression->parts[i], relations, grouped));
    return expression->node;
}

/* a.x + 1 = b.y + 1: each side stays with its table, so that the join can be hashed. */
static bool is_join_equality(const struct expression *expression)
{
    bool apart = expression->part_count == 2 || (expression->strict && expression->parts != NULL);
    if (!apart || !IsA(expression->node, A_Expr) ||
        strcmp(strVal(llast(((A_Expr *)expression->node)->name)), "=") != 0)
        return false;
    uint64_t left = expression->parts[0].relations, right = expression->parts[1].relations;
    return left != 0 && right != 0 && (left & right) == 0;
}

/* Of types that are not known: both sides are NULL where a policy hides them, and "=" is never
 * evaluated over NULL. A guard around it would leave FULL JOIN nothing to join by. */
static Node *guard_sides(struct level *level, const struct expression *expression)
{
    A_Expr *node = (A_Expr *)expression->node;
    level->build->failing++;
    steered_note(level, expression);
    node->lexpr = wrap(level, node->lexpr, expression->parts[0].relations, false);
    node->rexpr = wrap(level, node->rexpr, expression->parts[1].relations, false);
    return expression->node;
}

static Node *guard_conjunct(struct level *level, struct expression *expression)
{
    if (expression->strict && !expression->total && is_join_equality(expression))
        return guard_sides(level, expression);
    uint64_t relations = is_join_equality(expression) ? 0 : expression->relations;
    return guard_tree(level, expression, relations, false);
}

Node *guard_condition(struct level *level, struct expression *expression)
{
    const BoolExpr *node = (const BoolExpr *)expression->node;
    if (!expression->tree || node->boolop != AND_EXPR)
        return guard_conjunct(level, expression);
    for (size_t i = 0; i < expression->part_count; i++)
        set_part(expression, i, guard_condition(level, &expression->parts[i]));
    return expression->node;
}

Node *guard_expression(struct level *level, struct expression *expression)
{
    return guard_tree(level, expression, expression->relations, false);
}

Node *guard_grouped(struct level *level, struct expression *expression)
{
    if (expression->total)
        return expression->node;
    if (!expression->aggregate && expression->relations == 0) {
        steered_note(level, expression);
        return expression->node;
    }
    return guard_tree(level, expression, expression->relations, true);
}
