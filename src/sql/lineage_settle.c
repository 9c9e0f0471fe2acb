/* `once` sets: people who are recorded beside the rows, before the first of them, because deleting
 * one could change a result in which no row carries them (docs/decisions/0010). The sets are
 * computed in the statement itself and come with its first row:
 *   SELECT q.…, CASE WHEN row_number() OVER () = 1 THEN s.h END, q.present
 *   FROM (SELECT array_agg(DISTINCT key) AS h FROM …) AS s LEFT JOIN (query) AS q ON true
 * so there is a first row even where the query has none; and q's order and types stay. */
#include <string.h>

#include "sql/plan_build.h"

void settle_fences(struct build *build, uint64_t fences, enum plan_grade grade)
{
    for (size_t i = 0; i < build->fence_count; i++) {
        struct fence *fence = build->fences[i];
        if (!(fences & UINT64_C(1) << i) || fence->grant->dataset->subject_count == 0)
            continue;
        build->settled = true;
        if (fence->settled == 0 || grade < fence->settled)
            fence->settled = grade; /* direct before witness before influence */
    }
}

void settle_growth(struct level *level, bool changes_too)
{
    uint64_t fences = level->grows | (changes_too ? level->changes : 0);
    settle_fences(level->build, fences, PLAN_GRADE_INFLUENCE);
    level->grows = 0;
    level->changes &= ~fences;
}

Node *settle_set(const struct carried_key *key)
{
    Node *value = key->node; /* shared: sub-selects in it are filled in when fences close */
    if (key->depth > 0)
        value = rewrite_cast(value, "text");
    FuncCall *call = (FuncCall *)rewrite_call("array_agg", list_make1(value));
    call->agg_distinct = key->depth == 0;
    return (Node *)call;
}

/* No member is an empty set, not NULL. */
static Node *whole_set(const struct carried_key *key)
{
    CoalesceExpr *value = rewrite_new(CoalesceExpr);
    value->args = list_make2(settle_set(key), rewrite_text("{}"));
    value->location = -1;
    return (Node *)value;
}

static struct once *add_once(struct build *build, SelectStmt *select)
{
    struct once *once = palloc0(sizeof *once);
    once->select = select;
    once->alias = plan_hidden_name();
    once->next = build->once;
    build->once = once;
    return once;
}

static enum status add_set(struct build *build, struct once *once, struct carried_key key,
                           enum plan_grade grade)
{
    Node *set = whole_set(&key);
    key.name = plan_hidden_name();
    key.grade = grade;
    key.depth++;
    key.node = NULL;
    once->select->targetList = lappend(once->select->targetList, rewrite_target(set, key.name));
    return lineage_add(&once->keys, &once->key_count, build, key);
}

/* Can the keys of the level's rows be computed anywhere in the statement, and do they tell all? */
static bool is_monotone(const struct level *level)
{
    for (size_t k = 0; level->outer_reads != 0 && k < level->body_count; k++)
        if (!IsA(level->body[k].node, ColumnRef))
            return false; /* of a sub-select, which may read what stands around */
    return level->from_outer_reads == 0 && !level->local && !level->from_picks &&
           level->body_changes == 0 && level->body_grows == 0;
}

/* The WHERE of the level without what reads levels around it. */
static Node *own_where(const struct level *level)
{
    uint64_t own = 0;
    Node *all = NULL;
    for (size_t i = 0; i < level->relation_count; i++)
        own |= UINT64_C(1) << level->relations[i]->index;
    if (level->outer_reads == 0)
        return level->where;
    for (size_t i = 0; i < level->conjunct_count; i++)
        if (level->conjuncts[i].where && !(level->conjuncts[i].relations & ~own))
            all = rewrite_and(all, level->conjuncts[i].guarded);
    return all;
}

enum status settle_level(struct level *level, enum plan_grade grade)
{
    if (!is_monotone(level)) {
        settle_fences(level->build, level->fences, grade);
    } else if (level->body_count > 0) {
        SelectStmt *select = rewrite_new(SelectStmt);
        struct once *once = add_once(level->build, select);
        select->fromClause = level->from;
        select->whereClause = own_where(level);
        for (size_t k = 0; k < level->body_count; k++)
            TRY(add_set(level->build, once, level->body[k], grade));
    }
    level->changes = level->grows = 0;
    return STATUS_OK;
}

/* ARRAY(SELECT DISTINCT key …): hashed, where array_agg(DISTINCT key) would sort. */
static Node *distinct_keys(SelectStmt *keys, const char *name)
{
    const char *alias = plan_hidden_name();
    SelectStmt *select = rewrite_new(SelectStmt);
    SubLink *link = rewrite_new(SubLink);
    select->distinctClause = list_make1(NULL);
    select->targetList = list_make1(rewrite_target(rewrite_column(alias, name), NULL));
    select->fromClause = list_make1(rewrite_subselect(keys, alias));
    link->subLinkType = ARRAY_SUBLINK;
    link->subselect = (Node *)select;
    link->location = -1;
    return (Node *)link;
}

static enum status settle_fence(struct build *build, struct fence *fence)
{
    SelectStmt *keys, *select = rewrite_new(SelectStmt);
    struct once *once = add_once(build, select);
    TRY(fence_keys(build, fence, &keys));
    for (size_t s = 0; s < fence->grant->dataset->subject_count; s++) {
        struct carried_key key = {.name = plan_hidden_name(),
                                  .fence = fence,
                                  .subject = s,
                                  .grade = fence->settled,
                                  .depth = 1};
        Node *set = distinct_keys(keys, fence->keys[s]);
        select->targetList = lappend(select->targetList, rewrite_target(set, key.name));
        TRY(lineage_add(&once->keys, &once->key_count, build, key));
    }
    return STATUS_OK;
}

static Node *first_row_only(Node *value)
{
    WindowDef *window = rewrite_new(WindowDef);
    window->frameOptions = FRAMEOPTION_DEFAULTS;
    window->location = -1;
    FuncCall *number = (FuncCall *)rewrite_call("row_number", NIL);
    number->over = window;
    return rewrite_case(rewrite_operator("=", (Node *)number, rewrite_integer(1)), value);
}

static Node *beside(Node *from, Node *item)
{
    return from == NULL ? item : rewrite_join(JOIN_INNER, from, item, rewrite_boolean(true));
}

/* The outputs of the query get names of their own, for they may repeat. */
static void pass_on(const struct level *level, SelectStmt *inner, const char *alias,
                    SelectStmt *outer)
{
    for (size_t i = 0; i < level->target_count + level->key_count; i++) {
        ResTarget *target = list_nth_node(ResTarget, inner->targetList, (int)i);
        const char *name = target->name;
        target->name = pstrdup(plan_hidden_name());
        outer->targetList =
            lappend(outer->targetList, rewrite_target(rewrite_column(alias, target->name), name));
    }
}

enum status settle_finish(struct level *level, SelectStmt **select)
{
    struct build *build = level->build;
    for (size_t i = 0; i < build->fence_count; i++)
        if (build->fences[i]->settled != 0)
            TRY(settle_fence(build, build->fences[i]));
    if (build->once == NULL)
        return STATUS_OK;
    SelectStmt *inner = *select, *outer = rewrite_new(SelectStmt);
    const char *alias = plan_hidden_name(), *present = plan_hidden_name();
    Node *from = NULL;
    pass_on(level, inner, alias, outer);
    for (const struct once *once = build->once; once != NULL; once = once->next) {
        from = beside(from, (Node *)rewrite_subselect(once->select, once->alias));
        for (size_t k = 0; k < once->key_count; k++)
            outer->targetList = lappend(
                outer->targetList,
                rewrite_target(first_row_only(rewrite_column(once->alias, once->keys[k].name)),
                               once->keys[k].name));
    }
    inner->targetList = lappend(inner->targetList, rewrite_target(rewrite_boolean(true), present));
    outer->targetList =
        lappend(outer->targetList, rewrite_target(rewrite_column(alias, present), present));
    outer->withClause = inner->withClause;
    inner->withClause = NULL;
    outer->fromClause = list_make1(rewrite_join(
        JOIN_LEFT, from, (Node *)rewrite_subselect(inner, alias), rewrite_boolean(true)));
    plan_explain(build, "lineage",
                 "people who decide which rows there are come once, ahead of them");
    *select = outer;
    return STATUS_OK;
}
