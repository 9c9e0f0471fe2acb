/* Window functions. A row's value depends on the other rows of the level: on which there are, or on
 * what they hold. So everybody in the level's input is recorded once, as influence or, where values
 * of other rows show, as direct (docs/decisions/0010). */
#include <string.h>

#include "sql/allow/allow.h"
#include "sql/plan/plan_build.h"

enum { ARGUMENTS_MAX = 16 };

static Node *guard(struct resolver *resolver, struct expression *part)
{
    return resolver->mode == RESOLVE_GROUPED ? guard_grouped(resolver->level, part)
                                             : guard_expression(resolver->level, part);
}

static enum status resolve_one(struct resolver *resolver, Node **node, struct expression *result)
{
    struct expression part;
    TRY(resolve_expression(resolver, *node, &part));
    resolve_absorb(result, &part);
    *node = guard(resolver, &part);
    return STATUS_OK;
}

/* How many rows a frame goes back or forth: no column can stand there. */
static enum status resolve_offset(struct resolver *resolver, Node **node, struct expression *result)
{
    struct expression part;
    if (*node == NULL)
        return STATUS_OK;
    TRY(resolve_expression(resolver, *node, &part));
    if (part.relations != 0 || part.aggregate)
        return plan_refuse(resolver->build, "42P10", "Write a constant or a parameter.",
                           "the offset of a window frame must not contain columns");
    resolve_absorb(result, &part);
    *node = part.node;
    resolver->build->failing++; /* it may be negative */
    return STATUS_OK;
}

/* Ordered by what an expression of the partner's picks, or by whether somebody's row is there at
 * all, a rank shows a value. */
static void judge_key(struct level *level, const Node *node)
{
    size_t column;
    const struct relation *relation = resolve_bare(level, node, &column);
    bool figure = IsA(node, FuncCall) && level->grouped && level->bare_aggregates;
    if ((relation == NULL || relation->columns[column].missing != 0) && !figure)
        level->shows_others = true;
}

static enum status resolve_definition(struct resolver *resolver, WindowDef *window,
                                      struct expression *result)
{
    ListCell *cell;
    foreach (cell, window->partitionClause) {
        TRY(resolve_one(resolver, (Node **)&lfirst(cell), result));
        judge_key(resolver->level, lfirst(cell));
    }
    foreach (cell, window->orderClause) {
        SortBy *sort = lfirst_node(SortBy, cell);
        if (sort->sortby_dir == SORTBY_USING)
            return plan_refuse(resolver->build, "0A000", "Use ASC or DESC.",
                               "ORDER BY … USING is not supported");
        TRY(resolve_one(resolver, &sort->node, result));
        judge_key(resolver->level, sort->node);
    }
    TRY(resolve_offset(resolver, &window->startOffset, result));
    return resolve_offset(resolver, &window->endOffset, result);
}

static enum status check_ungrouped(struct resolver *resolver, const struct expression *result)
{
    if (result->ungrouped == NULL)
        return STATUS_OK;
    return plan_refuse(resolver->build, "42803", "Add it to GROUP BY.",
                       "column \"%s\" must appear in the GROUP BY clause or be used in an "
                       "aggregate function",
                       result->ungrouped);
}

enum status resolve_window_clause(struct resolver *resolver, List *windows)
{
    ListCell *cell;
    foreach (cell, windows) {
        struct expression result = {.total = true};
        TRY(resolve_definition(resolver, lfirst_node(WindowDef, cell), &result));
        TRY(check_ungrouped(resolver, &result));
    }
    return STATUS_OK;
}

/* count(*) shows how many rows there are; any other aggregate, over a frame of one, a value, and so
 * may FILTER. rank() and the like are both. */
static bool shows_others(const FuncCall *node, const char *name, unsigned flags)
{
    if (node->agg_filter != NULL)
        return true;
    if (strcmp(name, "count") == 0)
        return !node->agg_star;
    if (flags & ALLOW_AGGREGATE)
        return !(flags & ALLOW_WINDOW);
    return flags & ALLOW_SHOWS_OTHERS;
}

static enum status resolve_filter(struct resolver *resolver, FuncCall *node,
                                  struct expression *result)
{
    struct expression part;
    TRY(resolve_expression(resolver, node->agg_filter, &part));
    resolve_absorb(result, &part);
    node->agg_filter = resolver->mode == RESOLVE_GROUPED
                           ? guard_above_groups(resolver->level, &part)
                           : guard_expression(resolver->level, &part);
    return STATUS_OK;
}

static enum status check_form(struct resolver *resolver, const FuncCall *node, const char *name)
{
    if (!resolver->windows)
        return plan_refuse(resolver->build, "42P20", "Put it into a sub-select in FROM.",
                           "window functions are not allowed in %s",
                           resolver->mode == RESOLVE_ARGUMENT ? "an aggregate" : resolver->place);
    if (node->agg_within_group || node->agg_distinct || node->agg_order != NIL ||
        node->func_variadic || list_length(node->args) > ARGUMENTS_MAX)
        return plan_refuse(resolver->build, "0A000", "Leave them out.",
                           "DISTINCT, ORDER BY, WITHIN GROUP and VARIADIC are not supported in the "
                           "window function %s",
                           name);
    return STATUS_OK;
}

enum status resolve_window(struct resolver *outer, FuncCall *node, const char *name, unsigned flags,
                           struct expression *out)
{
    struct resolver resolver = *outer;
    struct level *level = outer->level;
    struct expression result = {.node = (Node *)node}, parts[ARGUMENTS_MAX] = {0};
    uint32_t types[ARGUMENTS_MAX] = {0};
    size_t count = (size_t)list_length(node->args);
    TRY(check_form(outer, node, name));
    resolver.windows = resolver.sets = resolver.volatiles = false;
    resolver.place = "a window function";
    level->windows = true;
    level->shows_others = level->shows_others || shows_others(node, name, flags);
    level->plain_statistic = false;
    TRY(resolve_arguments(&resolver, node, &result, parts, types));
    for (size_t i = 0; i < count; i++)
        lfirst(list_nth_cell(node->args, (int)i)) = guard(&resolver, &parts[i]);
    if (node->agg_filter != NULL)
        TRY(resolve_filter(&resolver, node, &result));
    if (node->over->name == NULL)
        TRY(resolve_definition(&resolver, node->over, &result));
    TRY(check_ungrouped(outer, &result));
    resolve_qualify(outer, node, name);
    const struct allow_signature *signature = allow_find_function(name, types, count);
    if (signature == NULL || !(signature->flags & ALLOW_TOTAL))
        level->build->failing++;
    result.type = allow_result(signature, types, count);
    result.total = true;
    result.unstable = true;
    *out = result;
    return STATUS_OK;
}
