/* Lineage: hidden subject keys from every fence to the output, and what the plan says of them.
 * A row of plain joins carries the key of each fence; a group carries, for each, the set of its
 * members. Invariant: a level's keys are all the keys of its relations; none is dropped, whether
 * or not its columns are selected, for conditions read too. */
#include <string.h>

#include "sql/plan_build.h"

static void add_target(SelectStmt *select, Node *value, const char *name)
{
    select->targetList = lappend(select->targetList, rewrite_target(value, name));
}

static Node *key_set(const char *alias, const char *name)
{
    FuncCall *call = (FuncCall *)rewrite_call("array_agg", list_make1(rewrite_column(alias, name)));
    call->agg_distinct = true;
    return (Node *)call;
}

static enum status carry_key(struct level *level, SelectStmt *select,
                             const struct relation *relation, const struct carried_key *key)
{
    struct carried_key *out = &level->keys[level->key_count++];
    *out = *key;
    if (!level->grouped) {
        add_target(select, rewrite_column(relation->alias, key->name), key->name);
        return STATUS_OK;
    }
    if (key->is_set)
        return plan_refuse(level->build, "0A000", "Group once, over the datasets themselves.",
                           "aggregates over groups of a sub-select are not supported");
    out->is_set = true;
    add_target(select, key_set(relation->alias, key->name), key->name);
    return STATUS_OK;
}

/* Deleting somebody who is in no group could still change one (docs/decisions/0003). */
static enum status check_group(const struct level *level)
{
    for (size_t i = 0; level->grouped && i < level->relation_count; i++)
        if (level->relations[i]->grows && level->relations[i]->key_count > 0)
            return plan_refuse(level->build, "0A000", "Leave the inner LIMIT or condition out.",
                               "aggregates over a sub-select that has a LIMIT, or that filters "
                               "groups, are not supported");
    return STATUS_OK;
}

/* One boolean upward: no row below was one that a policy hides. */
static void carry_policy(struct level *level, SelectStmt *select)
{
    Node *all = NULL;
    for (size_t i = 0; i < level->relation_count; i++) {
        const struct relation *relation = level->relations[i];
        if (relation->policy == NULL)
            continue;
        Node *policy = rewrite_column(relation->alias, relation->policy);
        if (level->grouped)
            policy = rewrite_call("bool_and", list_make1(policy));
        all = rewrite_and(all, rewrite_boolean_test(policy, IS_NOT_FALSE));
    }
    if (all == NULL)
        return;
    level->policy = plan_hidden_name();
    add_target(select, all, level->policy);
}

static List *bare_columns(Node *argument)
{
    if (IsA(argument, A_Expr))
        return list_make2(((A_Expr *)argument)->lexpr, ((A_Expr *)argument)->rexpr);
    return list_make1(argument);
}

/* "Every column of it has a value", or NULL where that is always so. */
static Node *has_value(const struct level *level, Node *argument)
{
    Node *all = NULL;
    ListCell *cell;
    foreach (cell, bare_columns(argument)) {
        size_t index;
        const struct relation *relation = resolve_bare(level, lfirst(cell), &index);
        const struct column *column = &relation->columns[index];
        if (column->fence->grant->columns[column->granted].nullable)
            all = rewrite_and(all, rewrite_not_null(copyObject((Node *)lfirst(cell))));
    }
    return all;
}

/* sum() and avg() over a column show the one value among many NULLs: those who have a value are a
 * set of their own, which must be large enough too. */
static enum status carry_threshold(struct level *level, SelectStmt *select, size_t keys,
                                   Node *filter)
{
    if (level->target_count + level->key_count + keys > LIMIT_TARGETS)
        return plan_refuse(level->build, "54011", "Use fewer aggregates.",
                           "too many aggregates over columns that may be NULL");
    for (size_t k = 0; k < keys; k++) {
        struct carried_key *key = &level->keys[level->key_count++];
        *key = level->keys[k];
        key->threshold_only = true;
        Node *whole =
            list_nth_node(ResTarget, select->targetList, (int)(level->target_count + k))->val;
        FuncCall *set = (FuncCall *)copyObject(whole);
        set->agg_filter = copyObject(filter);
        add_target(select, (Node *)set, plan_hidden_name());
    }
    return STATUS_OK;
}

static enum status carry_thresholds(struct level *level, SelectStmt *select)
{
    size_t keys = level->key_count;
    List *filters = NIL;
    ListCell *cell;
    foreach (cell, level->counted) {
        Node *filter = has_value(level, lfirst(cell));
        bool known = filter == NULL;
        ListCell *other;
        foreach (other, filters)
            known = known || equal(lfirst(other), filter);
        if (known)
            continue;
        filters = lappend(filters, filter);
        TRY(carry_threshold(level, select, keys, filter));
    }
    return STATUS_OK;
}

enum status lineage_carry(struct level *level, SelectStmt *select)
{
    TRY(check_group(level));
    size_t count = 0;
    for (size_t i = 0; i < level->relation_count; i++)
        count += level->relations[i]->key_count;
    if (level->target_count + count > LIMIT_TARGETS)
        return plan_refuse(level->build, "54011", "Select fewer columns.",
                           "target lists can have at most %d entries", LIMIT_TARGETS);
    level->keys = palloc0((count + LIMIT_TARGETS + 1) * sizeof *level->keys);
    for (size_t i = 0; i < level->relation_count; i++)
        for (size_t k = 0; k < level->relations[i]->key_count; k++)
            TRY(carry_key(level, select, level->relations[i], &level->relations[i]->keys[k]));
    if (!level->top)
        carry_policy(level, select);
    else if (level->grouped && level->plain_statistic)
        TRY(carry_thresholds(level, select));
    return STATUS_OK;
}

enum status lineage_check_mode(struct level *level)
{
    if (level->build->request->partner->mode != POLICY_MODE_AGGREGATES || level->key_count == 0)
        return STATUS_OK;
    if (!level->top && level->grouped)
        return plan_refuse(level->build, "42501", "Group in the outermost SELECT.",
                           "this partner gets statistics only: sub-selects cannot group");
    if (level->top && !(level->grouped && level->plain_statistic))
        return plan_refuse(level->build, "42501",
                           "Use count, sum, avg, stddev and variance over plain columns, with or "
                           "without GROUP BY.",
                           "this partner gets statistics only: single rows and other aggregates "
                           "are not granted");
    return STATUS_OK;
}

static int compare_columns(const void *a, const void *b)
{
    const struct plan_column *left = a, *right = b;
    int order = strcmp(left->dataset, right->dataset);
    if (order == 0)
        order = strcmp(left->column, right->column);
    return order != 0 ? order : (int)left->form - (int)right->form;
}

static size_t fence_columns(const struct fence *fence, struct plan_column *out)
{
    const struct model_grant *grant = fence->grant;
    size_t count = 0;
    for (size_t i = 0; i < grant->column_count; i++) {
        const struct policy_column *column = grant->columns[i].column->policy;
        if (fence->read[i])
            out[count++] = (struct plan_column){.dataset = grant->dataset->policy->name,
                                                .column = column->name,
                                                .category = column->category,
                                                .form = grant->columns[i].form};
    }
    qsort(out, count, sizeof *out, compare_columns);
    return count;
}

static enum status no_memory(struct build *build)
{
    return error_set(build->error, STATUS_NOMEM, "53200", NULL, "the plan does not fit its memory");
}

static enum status hidden_columns(struct level *level)
{
    struct plan *plan = level->build->plan;
    struct plan_hidden *hidden =
        arena_array(&plan->arena, struct plan_hidden, level->key_count + 1);
    if (hidden == NULL)
        return no_memory(level->build);
    for (size_t i = 0; i < level->key_count; i++) {
        const struct carried_key *key = &level->keys[i];
        const struct model_grant *grant = key->fence->grant;
        const struct policy_subject *subject = &grant->dataset->policy->subjects[key->subject];
        struct plan_column *columns =
            arena_array(&plan->arena, struct plan_column, grant->column_count + 1);
        if (columns == NULL)
            return no_memory(level->build);
        hidden[i] = (struct plan_hidden){.kind = subject->kind,
                                         .depth = key->is_set,
                                         .threshold_only = key->threshold_only,
                                         .when_null = subject->when_null,
                                         .grade = PLAN_GRADE_DIRECT,
                                         .columns = columns,
                                         .column_count = fence_columns(key->fence, columns)};
        plan_explain(level->build, "hidden column", "%s of %s by dataset %s%s",
                     key->is_set ? "the set of keys" : "the key",
                     level->build->model->policy->kinds[subject->kind].name,
                     grant->dataset->policy->name,
                     key->threshold_only ? ", of rows that have a value" : "");
    }
    plan->hidden = hidden;
    plan->hidden_count = level->key_count;
    return STATUS_OK;
}

/* Every column that the statement could read, whatever the fence. */
static enum status all_columns(struct build *build)
{
    size_t room = 1, count = 0, kept = 0;
    for (size_t i = 0; i < build->fence_count; i++)
        room += build->fences[i]->grant->column_count;
    struct plan_column *columns = arena_array(&build->plan->arena, struct plan_column, room);
    if (columns == NULL)
        return no_memory(build);
    for (size_t i = 0; i < build->fence_count; i++)
        count += fence_columns(build->fences[i], columns + count);
    qsort(columns, count, sizeof *columns, compare_columns);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || compare_columns(&columns[kept - 1], &columns[i]) != 0)
            columns[kept++] = columns[i];
    build->plan->columns = columns;
    build->plan->column_count = kept;
    return STATUS_OK;
}

enum status lineage_finish(struct level *level)
{
    struct plan *plan = level->build->plan;
    const struct policy_partner *partner = level->build->request->partner;
    plan->fence_count = level->build->fence_count;
    plan->statistic = level->grouped && level->plain_statistic && level->key_count > 0;
    plan->suppress_small = plan->statistic && partner->mode == POLICY_MODE_AGGREGATES;
    plan->min_subjects = partner->min_subjects;
    TRY(hidden_columns(level));
    return all_columns(level->build);
}
