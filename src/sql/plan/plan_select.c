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

enum status plan_finish_level(struct level *level, SelectStmt *select)
{
    TRY(plan_resolve_targets(level, select));
    TRY(plan_resolve_having(level, select));
    TRY(plan_resolve_distinct_on(level, select));
    TRY(plan_resolve_order(level, select));
    TRY(lineage_group(level));
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
