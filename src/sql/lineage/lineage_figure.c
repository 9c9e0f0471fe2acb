/* A condition that compares with one figure, the same for all rows, learns of everybody whom the
 * figure is of. The figure and their keys come from the same rows, so they are computed together,
 * once, where both can be read:
 *   WITH f AS (SELECT avg(x) AS v, keys AS h FROM … WHERE …) SELECT … WHERE y > (SELECT v FROM f)
 * and the `once` set is f's h. What might fail where the condition is never looked at stays where
 * it is, and so does what reads a WITH query, which may stand behind f. */
#include "sql/plan/plan_build.h"

static bool reads_common_table(const struct build *build, Node *select)
{
    for (const struct common_table *table = build->common_tables; table != NULL;
         table = table->next)
        if (plan_reads(select, table->relation->alias))
            return true;
    return false;
}

static bool are_sets(const struct level *level)
{
    for (size_t k = 0; k < level->key_count; k++)
        if (level->keys[k].depth == 0)
            return false;
    return level->key_count > 0;
}

/* One row always, of one group of all rows that its FROM and WHERE let through, and nothing else.
 */
static bool is_figure(const SubLink *link, const struct level *inner)
{
    const SelectStmt *select = (const SelectStmt *)link->subselect;
    return link->subLinkType == EXPR_SUBLINK && inner->grouped && inner->group_count == 0 &&
           !inner->grouping_sets && !inner->having && !inner->windows && !inner->picks &&
           inner->above_groups_count == 0 && inner->outer_reads == 0 && inner->target_count == 1 &&
           !inner->targets[0].value.set && select->limitCount == NULL &&
           select->limitOffset == NULL && select->distinctClause == NIL &&
           select->withClause == NULL;
}

/* It is computed even where nothing is compared with it, so it must not fail: an aggregate over a
 * bare column can do so by overflow alone, which only floats and intervals have. What its FROM and
 * WHERE hold is computed for the set anyway. */
static bool is_harmless(const struct level *inner)
{
    const struct expression *value = &inner->targets[0].value;
    bool overflows = value->type == 0 || value->type == TYPE_FLOAT4 || value->type == TYPE_FLOAT8 ||
                     value->type == TYPE_INTERVAL;
    return inner->bare_aggregates && IsA(value->node, FuncCall) && !overflows;
}

static SelectStmt *select_from(const char *table, const char *column)
{
    SelectStmt *select = rewrite_new(SelectStmt);
    select->fromClause = list_make1(rewrite_table(NULL, table, table));
    if (column != NULL)
        select->targetList = list_make1(rewrite_target(rewrite_column(table, column), column));
    return select;
}

static void add_common_table(struct build *build, const char *name, SelectStmt *select)
{
    CommonTableExpr *table = rewrite_new(CommonTableExpr);
    table->ctename = pstrdup(name);
    table->ctematerialized = CTEMaterializeDefault;
    table->ctequery = (Node *)select;
    table->location = -1;
    build->figures = lappend(build->figures, table);
}

bool settle_figure(struct level *inner, SubLink *link, enum plan_grade grade, const char *why,
                   enum status *status)
{
    struct build *build = inner->build;
    if (!is_figure(link, inner) || !are_sets(inner) || !is_harmless(inner) || inner->settled != 0 ||
        !build->proves || !settle_tells(inner) || reads_common_table(build, link->subselect))
        return false;
    const char *name = plan_hidden_name(), *value = plan_hidden_name();
    SelectStmt *figure = rewrite_new(SelectStmt);
    struct once *once = settle_add_once(build, select_from(name, NULL));
    *figure = *(SelectStmt *)link->subselect;
    const ResTarget *visible = linitial_node(ResTarget, figure->targetList);
    figure->targetList = list_make1(rewrite_target(visible->val, value));
    for (size_t k = 0; *status == STATUS_OK && k < inner->key_count; k++) {
        struct carried_key key = inner->keys[k];
        const char *set = plan_hidden_name();
        figure->targetList = lappend(figure->targetList, rewrite_target(key.node, set));
        key.depth--;
        key.why = why;
        *status =
            settle_add_set(build, once, key, settle_present(rewrite_column(name, set)), grade);
    }
    add_common_table(build, name, figure);
    link->subselect = (Node *)select_from(name, value);
    inner->settled = grade;
    inner->changes = inner->grows = 0;
    return true;
}
