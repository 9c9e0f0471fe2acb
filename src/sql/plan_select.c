/* One SELECT, rewritten in place: FROM and conditions, GROUP BY, targets, ORDER BY, LIMIT, then
 * the hidden columns behind the visible ones. Sub-selects in FROM come back here. */
#include <string.h>

#include "sql/plan_build.h"

enum status plan_select(struct build *build, SelectStmt *select, bool top, struct level **out)
{
    struct level *level = palloc0(sizeof *level);
    level->build = build;
    level->top = top;
    build->level_count++;
    TRY(plan_check_features(build, select));
    TRY(resolve_from(level, select->fromClause, select->whereClause, select));
    TRY(plan_expand_targets(level, select->targetList));
    TRY(plan_resolve_groups(level, select));
    TRY(plan_resolve_targets(level, select));
    TRY(plan_resolve_order(level, select));
    TRY(plan_limit(level, select));
    TRY(lineage_carry(level, select));
    TRY(lineage_check_mode(level));
    TRY(plan_check_lookup(level));
    *out = level;
    return STATUS_OK;
}
