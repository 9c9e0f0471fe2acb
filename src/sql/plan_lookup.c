/* Look-ups: a partner with lookup_by may ask about one thing at a time. Every SELECT that reads
 * datasets must pin one of the listed columns to a value, and each other dataset must be joined to
 * what is reached already over a column that leads to one row or to one person's rows. */
#include <string.h>

#include "sql/plan_build.h"

static bool column_walker(Node *node, void *context)
{
    if (node == NULL)
        return false;
    return IsA(node, ColumnRef) || raw_expression_tree_walker(node, column_walker, context);
}

static bool is_equality(const Node *node)
{
    return IsA(node, A_Expr) && ((const A_Expr *)node)->kind == AEXPR_OP &&
           ((const A_Expr *)node)->lexpr != NULL &&
           strcmp(strVal(llast(((const A_Expr *)node)->name)), "=") == 0;
}

/* x IN (value) pins as x = value does. */
static bool is_single_in(const Node *node)
{
    const A_Expr *expression = (const A_Expr *)node;
    return IsA(node, A_Expr) && expression->kind == AEXPR_IN &&
           strcmp(strVal(llast(expression->name)), "=") == 0 &&
           list_length((const List *)expression->rexpr) == 1;
}

static bool is_lookup_column(const struct level *level, const struct column *column)
{
    const struct policy_partner *partner = level->build->request->partner;
    const struct model_grant *grant = column->fence->grant;
    const struct model_granted *granted = &grant->columns[column->granted];
    const struct policy *policy = level->build->model->policy;
    for (size_t i = 0; i < partner->lookup_count; i++)
        if (&policy->datasets[partner->lookup_by[i].dataset] == grant->dataset->policy &&
            strcmp(partner->lookup_by[i].column, granted->column->policy->name) == 0)
            return granted->form != POLICY_FORM_MASKED;
    return false;
}

static uint32_t relation_bit(const struct level *level, const struct relation *relation)
{
    for (size_t i = 0; i < level->relation_count; i++)
        if (level->relations[i] == relation)
            return 1u << i;
    return 0;
}

/* The relation that `side` pins, as a bit, if `value` is free of columns. */
static uint32_t pinned_by(const struct level *level, Node *side, Node *value)
{
    size_t index;
    const struct relation *relation = resolve_bare(level, side, &index);
    if (relation == NULL || relation->fence == NULL || column_walker(value, NULL) ||
        !is_lookup_column(level, &relation->columns[index]))
        return 0;
    return relation_bit(level, relation);
}

static uint32_t pinned(const struct level *level, Node *conjunct)
{
    A_Expr *expression = (A_Expr *)conjunct;
    if (is_single_in(conjunct))
        return pinned_by(level, expression->lexpr, linitial((List *)expression->rexpr));
    if (!is_equality(conjunct))
        return 0;
    return pinned_by(level, expression->lexpr, expression->rexpr) |
           pinned_by(level, expression->rexpr, expression->lexpr);
}

/* Is the column of a sub-select one of a dataset? A hidden one is: the raw value of a token. */
static bool leads_from(const struct relation *relation, const char *emit)
{
    for (size_t c = 0; c < relation->column_count; c++)
        if (strcmp(relation->columns[c].emit, emit) == 0)
            return relation->columns[c].fence != NULL;
    return true;
}

/* The relation of a reference to a column of a dataset, also to a raw value, and whether it may be
 * reached by it. What a sub-select computes leads nowhere: it could be any value. */
static uint32_t side_of(const struct level *level, const Node *node, bool *leads)
{
    *leads = false;
    if (node == NULL || !IsA(node, ColumnRef))
        return 0;
    const List *fields = ((const ColumnRef *)node)->fields;
    for (size_t r = 0; r < level->relation_count; r++) {
        const struct relation *relation = level->relations[r];
        if (strcmp(relation->alias, strVal(linitial(fields))) != 0)
            continue;
        if (relation->fence == NULL)
            return leads_from(relation, strVal(lsecond(fields))) ? 1u << r : 0;
        for (size_t c = 0; c < relation->column_count; c++) {
            const char *raw = relation->fence->raw[c];
            const struct model_granted *granted = &relation->fence->grant->columns[c];
            if (strcmp(relation->columns[c].emit, strVal(lsecond(fields))) == 0 ||
                (raw != NULL && strcmp(raw, strVal(lsecond(fields))) == 0))
                *leads = granted->form != POLICY_FORM_MASKED &&
                         (granted->unique || granted->column->links);
        }
        return 1u << r;
    }
    return 0;
}

static uint32_t follow(const struct level *level, uint32_t reached)
{
    ListCell *cell;
    foreach (cell, level->conjuncts) {
        const A_Expr *expression = lfirst(cell);
        bool left_leads, right_leads;
        if (!is_equality((const Node *)expression))
            continue;
        uint32_t left = side_of(level, expression->lexpr, &left_leads);
        uint32_t right = side_of(level, expression->rexpr, &right_leads);
        if ((left & reached) && right_leads)
            reached |= right;
        if ((right & reached) && left_leads)
            reached |= left;
    }
    return reached;
}

static enum status not_pinned(const struct level *level, const struct relation *relation)
{
    const struct policy_partner *partner = level->build->request->partner;
    const struct policy_lookup *lookup = &partner->lookup_by[0];
    char hint[200];
    (void)snprintf(hint, sizeof hint, "For example, SELECT … FROM %s WHERE %s = $1.",
                   level->build->model->policy->datasets[lookup->dataset].name, lookup->column);
    return plan_refuse(level->build, "42501", hint,
                       "this partner may only look up: \"%s\" is neither pinned to one value of a "
                       "look-up column nor joined by a key to what is",
                       relation->alias);
}

enum status plan_check_lookup(struct level *level)
{
    if (level->build->request->partner->lookup_count == 0)
        return STATUS_OK;
    uint32_t reached = 0;
    ListCell *cell;
    foreach (cell, level->conjuncts)
        reached |= pinned(level, lfirst(cell));
    for (size_t i = 0; i < level->relation_count; i++)
        if (level->relations[i]->fence == NULL)
            reached |= 1u << i; /* a sub-select: held to the same rule on its own */
    for (size_t i = 0; i < level->relation_count; i++)
        reached = follow(level, reached);
    for (size_t i = 0; i < level->relation_count; i++)
        if (!(reached & 1u << i))
            return not_pinned(level, level->relations[i]);
    return STATUS_OK;
}
