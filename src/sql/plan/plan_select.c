/* One SELECT, rewritten: FROM and conditions, GROUP BY, targets, ORDER BY, LIMIT, then the hidden
 * columns behind the visible ones. Set operations and DISTINCT become levels of their own
 * (plan_setop.c); sub-selects come back here. */
#include <string.h>

#include "sql/plan/plan_probe.h"

struct level *plan_new_level(struct build *build, const struct resolver *outer, bool top)
{
    struct level *level = palloc0(sizeof *level);
    level->build = build;
    level->outer = outer;
    level->top = top;
    level->plain_statistic = level->bare_aggregates = true;
    return level;
}

uint64_t plan_own_relations(const struct level *level)
{
    uint64_t own = 0;
    for (size_t i = 0; i < level->relation_count; i++)
        own |= UINT64_C(1) << level->relations[i]->index;
    return own;
}

/* Can the groups that HAVING leaves out come along? Not where something counts rows upstream, or is
 * computed over all of them. */
static bool may_keep_left_out(const struct level *level, const SelectStmt *select)
{
    const struct build *build = level->build;
    return level->top && level->having_unstable && level->plain_statistic && !level->windows &&
           !level->rows_unstable && select->distinctClause == NIL && plan_limit_is_known(select) &&
           !build->writes && build->once == NULL && !build->sublinks && !build->settled;
}

/* What is computed of a group where HAVING lets it through may fail where it does not. */
static void keep_left_out(struct level *level, SelectStmt *select)
{
    level->passes = select->havingClause;
    select->havingClause = NULL;
    for (size_t i = 0; i < level->target_count; i++) {
        ResTarget *target = list_nth_node(ResTarget, select->targetList, (int)i);
        if (!level->targets[i].value.total)
            target->val = rewrite_case(copyObject(level->passes), target->val);
    }
    ListCell *cell;
    foreach (cell, level->failing_sorts) {
        SortBy *sort = lfirst_node(SortBy, cell);
        sort->node = rewrite_case(copyObject(level->passes), sort->node);
    }
    plan_explain(level->build, "lineage",
                 "groups that HAVING leaves out are recorded like those that are sent");
}

enum status plan_finish_level(struct level *level, SelectStmt *select)
{
    TRY(plan_resolve_targets(level, select));
    TRY(plan_resolve_having(level, select));
    TRY(plan_resolve_distinct_on(level, select));
    TRY(plan_resolve_order(level, select));
    level->keeps = may_keep_left_out(level, select);
    TRY(lineage_group(level));
    if (level->keeps)
        keep_left_out(level, select);
    TRY(plan_limit(level, select));
    TRY(lineage_carry(level, select));
    return lineage_check_mode(level);
}

static enum status simple_select(struct build *build, SelectStmt *select,
                                 const struct resolver *outer, bool top, struct level **out)
{
    struct level *level = plan_new_level(build, outer, top);
    *out = level;
    TRY(resolve_from(level, select->fromClause, select->whereClause, select));
    TRY(probe_note(level));
    TRY(plan_expand_targets(level, select->targetList));
    TRY(plan_resolve_groups(level, select));
    TRY(plan_finish_level(level, select));
    return plan_check_lookup(level);
}

static enum status any_select(struct build *build, SelectStmt **select,
                              const struct resolver *outer, bool top, struct level **level)
{
    TRY(plan_check_features(build, *select));
    if ((*select)->valuesLists != NIL)
        return plan_values(build, select, outer, top, level);
    if ((*select)->op != SETOP_NONE)
        return plan_set_operation(build, select, outer, top, level);
    if ((*select)->distinctClause != NIL && linitial((*select)->distinctClause) == NULL)
        return plan_distinct(build, select, outer, top, level);
    return simple_select(build, *select, outer, top, level);
}

enum status plan_select(struct build *build, SelectStmt **select, const struct resolver *outer,
                        bool top, struct level **level)
{
    const struct common_table *before = build->common_tables;
    WithClause *with = (*select)->withClause;
    if (with == NULL)
        return any_select(build, select, outer, top, level);
    (*select)->withClause = NULL;
    TRY(plan_with(build, with, outer, top));
    TRY(any_select(build, select, outer, top, level));
    (*select)->withClause = with;
    build->common_tables = before;
    return STATUS_OK;
}
