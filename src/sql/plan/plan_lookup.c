/* Look-ups: a partner with lookup_by may ask about one thing at a time. Every SELECT that reads
 * datasets must pin one of the listed columns to a value, and each other dataset must be joined to
 * what is reached already over a column that leads to one row or to one person's rows. */
#include <string.h>

#include "sql/plan/plan_build.h"

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

/* The relation that `side` pins, as a bit, if `value` is free of columns. */
static uint64_t pinned_by(const struct level *level, Node *side, Node *value)
{
    size_t index;
    const struct relation *relation = resolve_bare(level, side, &index);
    if (relation == NULL || relation->fence == NULL || rewrite_has_column(value) ||
        !is_lookup_column(level, &relation->columns[index]))
        return 0;
    return UINT64_C(1) << relation->index;
}

static uint64_t pinned(const struct level *level, Node *conjunct)
{
    A_Expr *expression = (A_Expr *)conjunct;
    if (is_single_in(conjunct))
        return pinned_by(level, expression->lexpr, linitial((List *)expression->rexpr));
    if (!resolve_is_equality(conjunct))
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

static const struct relation *relation_called(const struct level *level, const char *alias)
{
    for (size_t r = 0; r < level->build->relation_count; r++)
        if (strcmp(level->build->relations[r]->alias, alias) == 0)
            return level->build->relations[r];
    return NULL;
}

/* The relation of a reference to a column of a dataset, also to a raw value, and whether it may be
 * reached by it. What a sub-select computes leads nowhere: it could be any value. */
static uint64_t side_of(const struct level *level, const Node *node, bool *leads)
{
    *leads = false;
    if (node == NULL || !IsA(node, ColumnRef))
        return 0;
    const List *fields = ((const ColumnRef *)node)->fields;
    const struct relation *relation = relation_called(level, strVal(linitial(fields)));
    if (relation == NULL)
        return 0;
    uint64_t bit = UINT64_C(1) << relation->index;
    if (relation->fence == NULL)
        return leads_from(relation, strVal(lsecond(fields))) ? bit : 0;
    for (size_t c = 0; c < relation->column_count; c++) {
        const char *raw = relation->fence->raw[c];
        const struct model_granted *granted = &relation->fence->grant->columns[c];
        if (strcmp(relation->columns[c].emit, strVal(lsecond(fields))) == 0 ||
            (raw != NULL && strcmp(raw, strVal(lsecond(fields))) == 0))
            *leads =
                granted->form != POLICY_FORM_MASKED && (granted->unique || granted->column->links);
    }
    return bit;
}

static uint64_t follow(const struct level *level, uint64_t reached)
{
    for (size_t i = 0; i < level->conjunct_count; i++) {
        const A_Expr *expression = (const A_Expr *)level->conjuncts[i].node;
        uint64_t holds = level->conjuncts[i].holds;
        bool left_leads, right_leads;
        if (!resolve_is_equality((const Node *)expression))
            continue;
        uint64_t left = side_of(level, expression->lexpr, &left_leads);
        uint64_t right = side_of(level, expression->rexpr, &right_leads);
        if ((left & reached) && right_leads)
            reached |= right & holds;
        if ((right & reached) && left_leads)
            reached |= left & holds;
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
                       relation->name);
}

enum status plan_check_lookup(struct level *level)
{
    if (level->build->request->partner->lookup_count == 0 || level->build->written)
        return STATUS_OK;
    /* What stands around is held to the same rule on its own, and so are sub-selects. */
    uint64_t reached = ~plan_own_relations(level);
    for (size_t i = 0; i < level->conjunct_count; i++)
        reached |= pinned(level, level->conjuncts[i].node) & level->conjuncts[i].holds;
    for (size_t i = 0; i < level->relation_count; i++)
        if (level->relations[i]->fence == NULL)
            reached |= UINT64_C(1) << level->relations[i]->index;
    for (size_t i = 0; i < level->relation_count; i++)
        reached = follow(level, reached);
    for (size_t i = 0; i < level->relation_count; i++)
        if (!(reached & UINT64_C(1) << level->relations[i]->index))
            return not_pinned(level, level->relations[i]);
    return STATUS_OK;
}
