/* `once` sets: people who are recorded beside the rows, before the first of them, because deleting
 * one could change a result in which no row carries them (docs/decisions/0010). The sets are
 * computed in the statement itself and come with its first row:
 *   SELECT q.…, CASE WHEN row_number() OVER () = 1 THEN s.h END, q.present
 *   FROM (SELECT array_agg(DISTINCT key) AS h FROM …) AS s LEFT JOIN (query) AS q ON true
 * so there is a first row even where the query has none; and q's order and types stay. */
#include <string.h>

#include "sql/plan/plan_build.h"

/* The more it tells of a person, the lower; what is charged is below what is not. */
static int rank_of(enum plan_grade grade)
{
    static const int ranks[] = {[PLAN_GRADE_DIRECT] = 1,
                                [PLAN_GRADE_WITNESS] = 2,
                                [PLAN_GRADE_AGGREGATE] = 3,
                                [PLAN_GRADE_INFLUENCE] = 4};
    return ranks[grade];
}

void settle_fences(struct build *build, uint64_t fences, enum plan_grade grade, const char *why)
{
    for (size_t i = 0; i < build->fence_count; i++) {
        struct fence *fence = build->fences[i];
        if (!(fences & UINT64_C(1) << i) || fence->grant->dataset->subject_count == 0)
            continue;
        build->settled = true;
        if (fence->settled != 0 && rank_of(grade) >= rank_of(fence->settled))
            continue;
        fence->settled = grade;
        fence->why = why;
    }
}

void settle_growth(struct level *level, bool changes_too, const char *why)
{
    uint64_t fences = level->grows | (changes_too ? level->changes : 0);
    settle_fences(level->build, fences, PLAN_GRADE_INFLUENCE, why);
    level->grows = 0;
    level->changes &= ~fences;
}

/* Where a part of AND is NULL or false the whole is not met. */
static uint64_t missing_of(const struct expression *condition)
{
    const Node *node = condition->node;
    uint64_t missing = 0;
    bool apart = condition->parts != NULL; /* not of an expression that the groups are by */
    if (apart && IsA(node, NullTest) && ((const NullTest *)node)->nulltesttype == IS_NOT_NULL)
        return condition->missing & ~condition->parts[0].nulls;
    if (!condition->tree || ((const BoolExpr *)node)->boolop != AND_EXPR)
        return condition->missing & ~condition->nulls;
    for (size_t i = 0; i < condition->part_count; i++)
        missing |= missing_of(&condition->parts[i]);
    return missing;
}

void settle_missing(struct level *level, const struct expression *condition)
{
    settle_fences(level->build, missing_of(condition), PLAN_GRADE_WITNESS,
                  "met where nobody's row matches: it finds them by that");
}

Node *settle_present(Node *set)
{
    CoalesceExpr *value = rewrite_new(CoalesceExpr);
    value->args = list_make2(set, rewrite_text("{}"));
    value->location = -1;
    return (Node *)value;
}

struct once *settle_add_once(struct build *build, SelectStmt *select)
{
    struct once *once = palloc0(sizeof *once);
    once->select = select;
    once->alias = plan_hidden_name();
    once->next = build->once;
    build->once = once;
    return once;
}

bool settle_tells(const struct level *level)
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
    uint64_t own = plan_own_relations(level);
    Node *all = NULL;
    if (level->outer_reads == 0)
        return level->where;
    for (size_t i = 0; i < level->conjunct_count; i++)
        if (level->conjuncts[i].where && !(level->conjuncts[i].relations & ~own))
            all = rewrite_and(all, level->conjuncts[i].guarded);
    return all;
}

enum status settle_add_set(struct build *build, struct once *once, struct carried_key key,
                           Node *set, enum plan_grade grade)
{
    key.name = plan_hidden_name();
    key.grade = grade;
    key.depth++;
    key.node = NULL;
    once->select->targetList = lappend(once->select->targetList, rewrite_target(set, key.name));
    return lineage_add(&once->keys, &once->key_count, build, key);
}

static struct carried_key because(struct carried_key key, const char *why)
{
    key.why = why;
    return key;
}

/* The level's only key, or the members of its sets, as one hashed set. Set operations carry sets as
 * texts, which are array literals: the cast is of both. */
static enum status add_only_set(struct level *level, struct once *once, List *from, Node *where,
                                enum plan_grade grade, const char *why)
{
    struct carried_key key = because(level->body[0], why);
    Node *value = key.node;
    if (key.depth == 1) {
        from = lappend(list_copy(from), lineage_elements(rewrite_cast(key.node, "_text"), &value));
        key.depth = 0;
    }
    return settle_add_set(level->build, once, key, lineage_set_of_rows(value, 0, from, where),
                          grade);
}

/* The keys of the level's rows, as they are with this FROM and WHERE. */
static enum status add_sets(struct level *level, List *from, Node *where, enum plan_grade grade,
                            const char *why)
{
    SelectStmt *select = rewrite_new(SelectStmt);
    if (level->body_count == 0)
        return STATUS_OK;
    struct once *once = settle_add_once(level->build, select);
    bool columns = level->body[0].depth == 0 || IsA(level->body[0].node, ColumnRef);
    if (level->body_count == 1 && level->body[0].depth <= 1 && columns)
        return add_only_set(level, once, from, where, grade, why);
    select->fromClause = from;
    select->whereClause = where;
    for (size_t k = 0; k < level->body_count; k++)
        TRY(settle_add_set(level->build, once, because(level->body[k], why),
                           settle_present(lineage_set(level, &level->body[k])), grade));
    return STATUS_OK;
}

static bool are_columns(const struct level *level)
{
    for (size_t k = 0; k < level->body_count; k++)
        if (!IsA(level->body[k].node, ColumnRef))
            return false;
    return true;
}

bool settle_is_whole(const struct level *level)
{
    return settle_tells(level) && are_columns(level) && level->outer_reads == 0 &&
           level->above_groups_count == 0 && !level->having && !level->windows && !level->picks;
}

/* All rows of its only relation tell of everybody: and all keys, none left out because the level's
 * own WHERE makes it another. */
static bool tells_all(const struct level *level)
{
    return level->relation_count == 1 && level->relations[0]->whole && !level->local &&
           level->from_outer_reads == 0 && !level->from_picks && are_columns(level) &&
           level->body_count == level->relations[0]->key_count &&
           level->fences == level->relations[0]->fences;
}

static bool is_settled(const struct level *level, enum plan_grade grade)
{
    return level->settled != 0 && rank_of(level->settled) <= rank_of(grade);
}

/* Is everybody whom it reads recorded already, at that grade or a stronger one? */
static bool is_known(const struct level *level, enum plan_grade grade)
{
    uint64_t others = level->fences;
    for (size_t i = 0; i < level->relation_count; i++)
        if (level->relations[i]->inner != NULL && is_settled(level->relations[i]->inner, grade))
            others &= ~level->relations[i]->fences;
    return is_settled(level, grade) || others == 0;
}

static enum status settle_below(struct level *level, enum plan_grade grade, const char *why)
{
    struct level *below = level->relations[0]->inner;
    if (below != NULL && !is_settled(below, grade))
        below->settled = grade;
    return add_sets(level, level->from, NULL, grade, why);
}

enum status settle_level(struct level *level, enum plan_grade grade, const char *why)
{
    level->changes = level->grows = 0;
    if (is_known(level, grade))
        return STATUS_OK;
    level->settled = grade;
    if (settle_tells(level))
        TRY(add_sets(level, level->from, own_where(level), grade, why));
    else if (tells_all(level))
        TRY(settle_below(level, grade, why));
    else
        settle_fences(level->build, level->fences, grade, why);
    for (size_t k = 0; k < level->above_groups_count; k++)
        settle_fences(level->build, UINT64_C(1) << level->above_groups[k].fence->index, grade, why);
    return STATUS_OK;
}

/* Sets of those who have a value, where others have none: a sum over their NULLs shows the rest. */
enum status settle_values(struct level *level, const char *why)
{
    ListCell *cell;
    foreach (cell, lineage_value_filters(level)) {
        Node *where = own_where(level);
        where = rewrite_and(where == NULL ? NULL : copyObject(where), lfirst(cell));
        TRY(add_sets(level, level->from, where, PLAN_GRADE_AGGREGATE, why));
    }
    return STATUS_OK;
}

enum status settle_statistic(struct level *level, const char *why)
{
    TRY(settle_level(level, PLAN_GRADE_AGGREGATE, why));
    return settle_values(level, why);
}

/* ---- sub-selects in conditions of WHERE ---- */

enum status settle_condition(struct level *level, struct level *inner, enum plan_grade grade,
                             const char *why)
{
    struct unsettled *unsettled = palloc0(sizeof *unsettled);
    *unsettled =
        (struct unsettled){.inner = inner, .grade = grade, .why = why, .next = level->unsettled};
    level->unsettled = unsettled;
    return STATUS_OK;
}

static uint64_t relations_between(const struct level *level, size_t first, size_t end)
{
    uint64_t all = 0;
    for (size_t i = first; i < end; i++)
        all |= UINT64_C(1) << level->relations[i]->index;
    return all;
}

/* Items of FROM that hold any of these relations; *have: all relations in them. */
static List *items_with(const struct level *level, uint64_t relations, uint64_t *have)
{
    List *items = NIL;
    size_t first = 0;
    *have = 0;
    for (int i = 0; i < list_length(level->from); i++) {
        uint64_t in_item = relations_between(level, first, level->from_ends[i]);
        first = level->from_ends[i];
        if (!(in_item & relations))
            continue;
        items = lappend(items, list_nth(level->from, i));
        *have |= in_item;
    }
    return items;
}

static bool reads_people(Node *node, void *constants)
{
    if (node == NULL)
        return false;
    if (IsA(node, SubLink)) {
        ListCell *cell;
        foreach (cell, (List *)constants)
            if (lfirst(cell) == node)
                return false;
        return true;
    }
    return raw_expression_tree_walker(node, reads_people, constants);
}

struct strangers {
    const struct level *level;
    uint64_t known;
};

/* Does it name a relation of the level that is not among the known? */
static bool names_stranger(Node *node, void *context)
{
    const struct strangers *strangers = context;
    if (node == NULL)
        return false;
    if (!IsA(node, ColumnRef))
        return raw_expression_tree_walker(node, names_stranger, context);
    const char *alias = strVal(linitial(((ColumnRef *)node)->fields));
    for (size_t i = 0; i < strangers->level->relation_count; i++) {
        const struct relation *relation = strangers->level->relations[i];
        if (strcmp(relation->alias, alias) == 0)
            return !(strangers->known & UINT64_C(1) << relation->index);
    }
    return false;
}

static double rows_in(const struct build *build, uint64_t fences)
{
    double rows = 0;
    for (size_t f = 0; f < build->fence_count; f++)
        if ((fences & UINT64_C(1) << f) && build->fences[f]->grant->dataset->table->rows > 0)
            rows += build->fences[f]->grant->dataset->table->rows;
    return rows;
}

/* Is it less work to look at the rows around first? Not if they are as many as those inside. */
static bool is_cheaper(const struct level *level, const struct level *inner, uint64_t have)
{
    uint64_t around = 0;
    for (size_t i = 0; i < level->relation_count; i++)
        if (have & UINT64_C(1) << level->relations[i]->index)
            around |= level->relations[i]->fences;
    return 2 * rows_in(level->build, around) <= rows_in(level->build, inner->fences);
}

/* Do these relations of the level, and the conditions upon them, stand for all rows around the
 * sub-select that can matter? Then people who are in none of its inputs there change nothing. */
static bool can_restrict(const struct level *level, const struct level *inner, uint64_t have)
{
    struct strangers strangers = {level, have};
    uint64_t own = plan_own_relations(level);
    return level->from_steady && inner->outer_reads != 0 && !(inner->outer_reads & ~own) &&
           settle_tells(inner) && are_columns(inner) && inner->above_groups_count == 0 &&
           !names_stranger(inner->where, &strangers) && is_cheaper(level, inner, have);
}

static enum status settle_one_condition(struct level *level, const struct unsettled *unsettled)
{
    struct level *inner = unsettled->inner;
    uint64_t have;
    List *items = items_with(level, inner->outer_reads, &have);
    Node *where = inner->where;
    struct strangers strangers = {level, have}; /* LATERAL: what stands in an item left out */
    if (!can_restrict(level, inner, have) || names_stranger((Node *)items, &strangers))
        return settle_level(inner, unsettled->grade, unsettled->why);
    for (size_t i = 0; i < level->conjunct_count; i++) {
        const struct conjunct *conjunct = &level->conjuncts[i];
        if (conjunct->where && !(conjunct->relations & ~have) &&
            !reads_people(conjunct->guarded, level->build->constants))
            where = rewrite_and(where, conjunct->guarded);
    }
    TRY(add_sets(inner, list_concat(items, inner->from), where, unsettled->grade, unsettled->why));
    inner->changes = inner->grows = 0;
    return STATUS_OK;
}

/* Whoever makes a group of a sub-select what it is may keep it out by its figures. */
enum status settle_figures(struct level *level)
{
    for (size_t i = 0; i < level->relation_count; i++) {
        const struct relation *relation = level->relations[i];
        if (level->judged & UINT64_C(1) << relation->index && relation->inner != NULL &&
            relation->inner->aggregated && relation->changes != 0)
            TRY(settle_level(relation->inner, PLAN_GRADE_INFLUENCE,
                             "a condition on figures of groups: whoever makes a group what it is "
                             "may keep it out by that"));
    }
    return STATUS_OK;
}

enum status settle_where(struct level *level)
{
    for (const struct unsettled *unsettled = level->unsettled; unsettled != NULL;
         unsettled = unsettled->next)
        TRY(settle_one_condition(level, unsettled));
    return settle_figures(level); /* after those that may have settled the same */
}

static enum status settle_fence(struct build *build, struct fence *fence)
{
    SelectStmt *keys;
    const char *alias = plan_hidden_name();
    struct once *once = settle_add_once(build, rewrite_new(SelectStmt));
    TRY(fence_keys(build, fence, &keys));
    for (size_t s = 0; s < fence->grant->dataset->subject_count; s++) {
        struct carried_key key = {.fence = fence, .subject = s, .why = fence->why};
        Node *set = lineage_set_of_rows(rewrite_column(alias, fence->keys[s]), 0,
                                        list_make1(rewrite_subselect(keys, alias)), NULL);
        TRY(settle_add_set(build, once, key, set, fence->settled));
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

/* Ahead of the statement's own WITH queries, which may read the figures. */
static WithClause *with_figures(const struct build *build, WithClause *own)
{
    if (build->figures == NIL)
        return own;
    WithClause *with = rewrite_new(WithClause);
    with->location = -1;
    if (own != NULL)
        *with = *own;
    with->ctes = list_concat(list_copy(build->figures), with->ctes);
    return with;
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
    if (level->keeps)
        outer->targetList = lappend(
            outer->targetList, rewrite_target(rewrite_column(alias, level->passed), level->passed));
    outer->withClause = with_figures(build, inner->withClause);
    inner->withClause = NULL;
    outer->fromClause = list_make1(rewrite_join(
        JOIN_LEFT, from, (Node *)rewrite_subselect(inner, alias), rewrite_boolean(true)));
    plan_explain(build, "lineage",
                 "people who decide which rows there are come once, ahead of them");
    *select = outer;
    return STATUS_OK;
}
