/* Aggregates: what they may be over to count as statistics, their FILTER, ORDER BY and WITHIN
 * GROUP. Arguments are guarded one by one; the aggregate itself only sees rows that the policy lets
 * through. */
#include <string.h>

#include "sql/allow/allow.h"
#include "sql/plan/plan_build.h"

enum { ARGUMENTS_MAX = 16 };

static const struct fence *bare_fence(const struct level *level, const Node *node)
{
    size_t column;
    const struct relation *relation = resolve_bare(level, node, &column);
    return relation == NULL ? NULL : relation->columns[column].fence;
}

/* A bare column, or a product of two: what a statistic may be over (DESIGN, Statistics). Of one
 * row, that is: with a factor from another dataset the join could weigh one person with 1 and all
 * others with 0. */
static bool is_bare_input(const struct level *level, const Node *node)
{
    if (IsA(node, ColumnRef))
        return bare_fence(level, node) != NULL;
    if (!IsA(node, A_Expr) || ((const A_Expr *)node)->kind != AEXPR_OP ||
        strcmp(strVal(llast(((const A_Expr *)node)->name)), "*") != 0)
        return false;
    const A_Expr *product = (const A_Expr *)node;
    const struct fence *fence = bare_fence(level, product->lexpr);
    return fence != NULL && fence == bare_fence(level, product->rexpr);
}

/* A bare column, or what a level below has aggregated from bare columns. */
static bool is_figure(const struct level *level, const Node *node)
{
    size_t column;
    const struct relation *relation = resolve_bare(level, node, &column);
    return is_bare_input(level, node) || (relation != NULL && relation->columns[column].figure);
}

static void judge_statistic(struct level *level, const FuncCall *node, const char *name,
                            const struct allow_signature *signature)
{
    bool counts = strcmp(name, "count") == 0;
    bool plain = signature != NULL && (signature->flags & ALLOW_STATISTIC) && !level->build->sets &&
                 node->agg_order == NIL && node->agg_filter == NULL &&
                 (!node->agg_distinct || counts);
    if (plain && !node->agg_star)
        plain = list_length(node->args) == 1 && is_bare_input(level, linitial(node->args));
    bool extreme = strcmp(name, "min") == 0 || strcmp(name, "max") == 0;
    if (!plain && !(extreme && node->agg_order == NIL && node->agg_filter == NULL &&
                    list_length(node->args) == 1 && is_figure(level, linitial(node->args))))
        level->bare_aggregates = false;
    if (!plain)
        level->plain_statistic = false;
    else if (!node->agg_star)
        level->counted = lappend(level->counted, copyObject((Node *)linitial(node->args)));
}

/* Does the value hang on the order in which the rows come, as a list does, and a sum of floats? */
static bool minds_order(const char *name, uint32_t type)
{
    size_t len = strlen(name);
    return (len > 4 && strcmp(name + len - 4, "_agg") == 0) || strcmp(name, "any_value") == 0 ||
           type == 0 || type == TYPE_FLOAT4 || type == TYPE_FLOAT8;
}

/* What ORDER BY or WITHIN GROUP holds, resolved as arguments are. types may be NULL. */
static enum status resolve_order(struct resolver *resolver, FuncCall *node,
                                 struct expression *result, uint32_t *types)
{
    ListCell *cell;
    foreach (cell, node->agg_order) {
        SortBy *sort = lfirst_node(SortBy, cell);
        struct expression part;
        if (sort->sortby_dir == SORTBY_USING)
            return plan_refuse(resolver->build, "0A000", "Use ASC or DESC.",
                               "ORDER BY … USING is not supported");
        TRY(resolve_expression(resolver, sort->node, &part));
        if (types != NULL)
            *types++ = part.type;
        sort->node = guard_expression(resolver->level, &part);
        resolve_absorb(result, &part);
    }
    return STATUS_OK;
}

static enum status resolve_filter(struct resolver *resolver, FuncCall *node,
                                  struct expression *result)
{
    struct expression part;
    if (node->agg_filter == NULL)
        return STATUS_OK;
    TRY(resolve_expression(resolver, node->agg_filter, &part));
    node->agg_filter = guard_condition(resolver->level, &part);
    resolve_absorb(result, &part);
    return STATUS_OK;
}

/* ---- aggregates of a level around ---- */

struct owner {
    const struct resolver *resolver, *innermost;
};

/* What stands in a sub-select is not looked into: then it is the level's own. */
static bool owner_walker(Node *node, void *context)
{
    struct owner *owner = context;
    if (node == NULL)
        return false;
    if (IsA(node, SubLink))
        owner->innermost = owner->resolver;
    if (!IsA(node, ColumnRef) || owner->innermost == owner->resolver)
        return raw_expression_tree_walker(node, owner_walker, context);
    const struct resolver *scope = resolve_scope(owner->resolver, (ColumnRef *)node);
    const struct resolver *inner = owner->resolver;
    if (scope == NULL)
        scope = owner->resolver;
    while (inner != scope && inner != owner->innermost)
        inner = inner->level->outer;
    owner->innermost = inner;
    return false;
}

const struct resolver *resolve_owner(const struct resolver *resolver, const FuncCall *node)
{
    struct owner owner = {.resolver = resolver};
    (void)owner_walker((Node *)node->args, &owner);
    (void)owner_walker((Node *)node->agg_order, &owner);
    (void)owner_walker(node->agg_filter, &owner);
    return owner.innermost == NULL ? resolver : owner.innermost;
}

/* Computed where its rows are; the levels between depend on it as on any column from there. Whether
 * a query has groups is known before what stands in its sub-selects is. */
static enum status of_level_around(struct resolver *resolver, const struct resolver *owner,
                                   FuncCall *node, const char *name, struct expression *out)
{
    struct resolver scope = *owner;
    if (scope.mode == RESOLVE_PLAIN)
        return plan_refuse(resolver->build, "0A000",
                           "Write it in the outer SELECT itself, or group in a sub-select in FROM: "
                           "the inner one can read its columns.",
                           "an aggregate over columns of an outer query alone is not supported "
                           "where that query has no groups of its own");
    TRY(resolve_aggregate(&scope, node, name, out));
    for (const struct resolver *inner = resolver; inner != owner; inner = inner->level->outer) {
        inner->level->outer_reads |= out->relations;
        inner->level->outer_unstable = true;
    }
    out->aggregate = false; /* of the level that reads it */
    return STATUS_OK;
}

/* ---- all of them ---- */

static enum status check_form(const struct resolver *resolver, const FuncCall *node,
                              const char *name)
{
    size_t count = (size_t)list_length(node->args) + (size_t)list_length(node->agg_order);
    ListCell *cell;
    bool named = node->func_variadic;
    if (resolver->mode != RESOLVE_GROUPED)
        return plan_refuse(
            resolver->build, "42803", "Compute it in a sub-select in FROM, or use HAVING.",
            "aggregate functions are not allowed in %s",
            resolver->mode == RESOLVE_ARGUMENT ? "an aggregate's argument" : resolver->place);
    foreach (cell, node->args)
        named = named || IsA(lfirst(cell), NamedArgExpr);
    if (count > ARGUMENTS_MAX || named)
        return plan_refuse(resolver->build, "0A000", "Give the arguments one by one, by position.",
                           "these arguments of %s are not supported", name);
    return STATUS_OK;
}

static bool own_policy(const struct level *level)
{
    for (size_t i = level->scope_first; i < level->scope_end; i++)
        if (level->relations[i]->policy != NULL)
            return true;
    return false;
}

/* Nothing of the level in the argument, but the policy of a level around: then the aggregate would
 * be that level's. */
static enum status guard_arguments(struct level *level, FuncCall *node, struct expression *parts,
                                   bool ordered_set)
{
    for (size_t i = 0; i < (size_t)list_length(node->args); i++) {
        Node **argument = (Node **)&lfirst(list_nth_cell(node->args, (int)i));
        if (!parts[i].total && parts[i].relations == 0 && !own_policy(level) &&
            guard_policies(level, 0) != NULL)
            return plan_refuse(level->build, "0A000", "Write the value as a plain constant.",
                               "a constant that may fail is not supported in an aggregate of an "
                               "inner query");
        *argument =
            ordered_set ? guard_grouped(level, &parts[i]) : guard_expression(level, &parts[i]);
    }
    return STATUS_OK;
}

enum status resolve_aggregate(struct resolver *outer, FuncCall *node, const char *name,
                              struct expression *out)
{
    struct resolver resolver = *outer;
    struct level *level = outer->level;
    const struct resolver *owner = resolve_owner(outer, node);
    if (owner != outer)
        return of_level_around(outer, owner, node, name, out);
    struct expression result = {.node = (Node *)node, .immutable = true};
    struct expression parts[ARGUMENTS_MAX] = {0};
    uint32_t types[2 * ARGUMENTS_MAX] = {0};
    size_t count = (size_t)list_length(node->args);
    bool ordered_set = node->agg_within_group;
    TRY(check_form(outer, node, name));
    resolver.mode = RESOLVE_ARGUMENT;
    resolver.sets = resolver.windows = resolver.volatiles = false;
    resolver.place = "an aggregate";
    level->aggregated = true;
    level->counts = level->counts || strstr(name, "count") != NULL;
    /* The direct arguments of an ordered-set aggregate stand beside the group. */
    struct resolver *direct = ordered_set ? outer : &resolver;
    TRY(resolve_arguments(direct, node, &result, parts, types));
    if (result.ungrouped != NULL && ordered_set)
        return plan_refuse(outer->build, "42803", "Add it to GROUP BY.",
                           "direct arguments of %s must use only grouped columns", name);
    const struct allow_signature *signature = allow_find_function(name, types, count);
    judge_statistic(level, node, name, signature);
    if (signature == NULL || !(signature->flags & ALLOW_TOTAL))
        level->build->failing++;
    TRY(guard_arguments(level, node, parts, ordered_set));
    TRY(resolve_order(&resolver, node, &result, ordered_set ? types + count : NULL));
    if (ordered_set)
        count += (size_t)list_length(node->agg_order);
    TRY(resolve_filter(&resolver, node, &result));
    resolve_qualify(outer, node, name);
    result.type = allow_result(allow_find_function(name, types, count), types, count);
    level->minds_order = level->minds_order || minds_order(name, result.type);
    result.total = true;
    result.aggregate = true;
    result.unstable = true;
    result.set = false;
    *out = result;
    return STATUS_OK;
}

enum status resolve_grouping(struct resolver *resolver, GroupingFunc *node, struct expression *out)
{
    struct expression result = {
        .node = (Node *)node, .type = TYPE_INT4, .total = true, .immutable = true};
    if (resolver->mode != RESOLVE_GROUPED)
        return plan_refuse(resolver->build, "42803",
                           "Use it in the target list, HAVING or ORDER BY.",
                           "GROUPING is not allowed in %s", resolver->place);
    ListCell *cell;
    foreach (cell, node->args) {
        struct expression part;
        TRY(resolve_expression(resolver, lfirst(cell), &part));
        if (part.ungrouped != NULL)
            return plan_refuse(resolver->build, "42803", "Add it to GROUP BY.",
                               "arguments to GROUPING must be grouping expressions");
        lfirst(cell) = part.node;
        result.relations |= part.relations;
    }
    *out = result;
    return STATUS_OK;
}
