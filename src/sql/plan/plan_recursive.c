/* WITH RECURSIVE: a first SELECT UNION ALL one that reads what came before. A row carries the path
 * of keys that led to it, as arrays: each step appends its own. What either arm lets come out of
 * nowhere is recorded once, so that no row here appears without somebody in its path leaving
 * (docs/decisions/0010). */
#include <string.h>

#include "sql/plan/plan_build.h"

static bool reads_walker(Node *node, void *context)
{
    if (node == NULL)
        return false;
    if (IsA(node, RangeVar))
        return ((RangeVar *)node)->schemaname == NULL &&
               strcmp(((RangeVar *)node)->relname, context) == 0;
    return raw_expression_tree_walker(node, reads_walker, context);
}

bool plan_reads(Node *query, const char *name)
{
    char *copy = pstrdup(name);
    return reads_walker(query, copy);
}

static enum status refuse(struct build *build, const CommonTableExpr *query, const char *why,
                          const char *hint)
{
    return plan_refuse(build, "0A000", hint, "recursive query \"%s\" %s", query->ctename, why);
}

static enum status check_form(struct build *build, const CommonTableExpr *query)
{
    const SelectStmt *operation = (const SelectStmt *)query->ctequery;
    if (operation->op != SETOP_UNION || !operation->all)
        return refuse(build, query, "is not supported in this form",
                      "Write a SELECT that does not read it, UNION ALL, and one that does.");
    if (operation->sortClause != NIL || operation->limitCount != NULL ||
        operation->limitOffset != NULL || operation->withClause != NULL)
        return refuse(build, query, "has ORDER BY, LIMIT or WITH of its own",
                      "Put them into the SELECT that reads it.");
    const SelectStmt *step = operation->rarg;
    if (step->op != SETOP_NONE || step->valuesLists != NIL || step->distinctClause != NIL ||
        step->groupClause != NIL || step->havingClause != NULL || step->windowClause != NIL ||
        step->limitCount != NULL || step->limitOffset != NULL || step->sortClause != NIL ||
        step->withClause != NULL)
        return refuse(build, query, "does more than SELECT … FROM … WHERE in its second part",
                      "Group, sort and limit in the SELECT that reads it.");
    return STATUS_OK;
}

/* What the second arm reads: the columns of the first. */
static struct relation *itself(struct level *first, SelectStmt *select, const char *name)
{
    struct relation *relation = resolve_sub_select(first, select, name);
    relation->alias = plan_hidden_name();
    relation->select = NULL;
    relation->keys = NULL;
    relation->key_count = relation->mark_count = 0;
    relation->policy = plan_hidden_name();
    relation->local = relation->itself = true;
    for (size_t i = 0; i < relation->column_count; i++) {
        relation->columns[i].fence = NULL;
        relation->columns[i].source = NULL;
    }
    return relation;
}

static Node *array_of(Node *value)
{
    A_ArrayExpr *array = rewrite_new(A_ArrayExpr);
    array->elements = list_make1(rewrite_cast(value, "text"));
    array->location = -1;
    return (Node *)array;
}

static Node *empty_array(void)
{
    TypeCast *cast = (TypeCast *)rewrite_cast(rewrite_text("{}"), "text");
    cast->typeName->arrayBounds = list_make1(makeInteger(-1));
    return (Node *)cast;
}

struct arms {
    struct level *first, *step;
    SelectStmt *first_select, *step_select;
    struct relation *relation; /* the whole, as others see it */
};

static Node *hidden_value(const SelectStmt *select, const struct level *level, size_t key)
{
    return list_nth_node(ResTarget, select->targetList, (int)(level->target_count + key))->val;
}

/* Each arm: visible columns, the paths of the first arm's keys, those of the second's, policy. */
static void arrange_first(struct arms *arms)
{
    const struct relation *relation = arms->relation;
    const struct level *first = arms->first;
    List *targets = plan_arm_targets(first, arms->first_select, relation);
    for (size_t k = 0; k < relation->key_count; k++) {
        Node *path = k < first->key_count ? array_of(hidden_value(arms->first_select, first, k))
                                          : empty_array();
        targets = lappend(targets, rewrite_target(path, relation->keys[k].name));
    }
    Node *policy = plan_arm_policy(first, arms->first_select);
    arms->first_select->targetList = lappend(targets, rewrite_target(policy, relation->policy));
}

static void arrange_step(struct arms *arms, const char *before)
{
    const struct relation *relation = arms->relation;
    const struct level *step = arms->step;
    size_t own = relation->key_count - step->key_count;
    List *targets = plan_arm_targets(step, arms->step_select, relation);
    for (size_t k = 0; k < relation->key_count; k++) {
        Node *path = rewrite_column(before, relation->keys[k].name);
        if (k >= own)
            path = rewrite_operator("||", path,
                                    array_of(hidden_value(arms->step_select, step, k - own)));
        targets = lappend(targets, rewrite_target(path, relation->keys[k].name));
    }
    Node *policy = plan_arm_policy(step, arms->step_select);
    arms->step_select->targetList = lappend(targets, rewrite_target(policy, relation->policy));
}

static enum status add_paths(struct build *build, struct relation *relation,
                             const struct level *level)
{
    for (size_t k = 0; k < level->key_count; k++) {
        struct carried_key key = level->keys[k];
        key.name = plan_hidden_name();
        key.depth++;
        if (key.grade == PLAN_GRADE_AGGREGATE)
            key.grade = PLAN_GRADE_DIRECT; /* as in a group */
        key.extended = key.absent = true;
        key.node = NULL;
        TRY(lineage_add(&relation->keys, &relation->key_count, build, key));
    }
    return STATUS_OK;
}

/* The second arm's reference to the query itself. */
static const struct relation *self_of(const struct level *step)
{
    const struct relation *found = NULL;
    for (size_t i = 0; i < step->relation_count; i++) {
        if (!step->relations[i]->itself)
            continue;
        if (found != NULL)
            return NULL;
        found = step->relations[i];
    }
    return found;
}

/* What a step did not find is read by the next, and behind them all, as a column of the first arm,
 * that does not tell. */
static void settle_absent(const struct arms *arms)
{
    const struct level *step = arms->step;
    for (size_t i = 0; i < step->target_count; i++) {
        const struct expression *value = &step->targets[i].value;
        const struct column *column = &arms->relation->columns[i];
        uint64_t told = column->missing & ~(column->nulls & ~value->nulls);
        settle_fences(step->build, lineage_missing(step, value) & ~told, PLAN_GRADE_WITNESS,
                      "recursion over where nobody's row matches: it may find them by that");
    }
}

static enum status plan_step(struct build *build, CommonTableExpr *query,
                             const struct resolver *outer, bool top, struct arms *arms)
{
    struct common_table table = {.name = query->ctename,
                                 .relation = arms->relation,
                                 .top = top,
                                 .next = build->common_tables};
    build->common_tables = &table;
    enum status status = plan_select(build, &arms->step_select, outer, false, &arms->step);
    build->common_tables = table.next;
    TRY(status);
    if (arms->step->grouped || arms->step->windows || self_of(arms->step) == NULL ||
        self_of(arms->step)->extended)
        return refuse(
            build, query, "is not supported in this form",
            "Read it once in FROM of the second SELECT, joined inner, and group outside.");
    if (arms->step->target_count != arms->first->target_count)
        return plan_refuse(build, "42601", "Select as many columns in both parts.",
                           "each UNION query must have the same number of columns");
    settle_growth(arms->step, true, "recursion: without one of them a step might find other rows");
    settle_absent(arms);
    return STATUS_OK;
}

enum status plan_recursive(struct build *build, CommonTableExpr *query,
                           const struct resolver *outer, bool top, struct relation **out)
{
    SelectStmt *operation = (SelectStmt *)query->ctequery;
    struct arms arms = {.first_select = operation->larg, .step_select = operation->rarg};
    TRY(check_form(build, query));
    build->sets = true; /* it repeats a row as often as the partner likes */
    TRY(plan_select(build, &arms.first_select, outer, false, &arms.first));
    settle_growth(arms.first, true,
                  "recursion: without one of them it might begin with other rows");
    arms.relation = itself(arms.first, arms.first_select, query->ctename);
    TRY(plan_name_columns(build, query, arms.relation));
    TRY(plan_step(build, query, outer, top, &arms));
    TRY(add_paths(build, arms.relation, arms.first));
    TRY(add_paths(build, arms.relation, arms.step));
    arrange_first(&arms);
    arrange_step(&arms, self_of(arms.step)->alias);
    operation->larg = arms.first_select;
    operation->rarg = arms.step_select;
    arms.relation->fences = arms.first->fences | arms.step->fences;
    arms.relation->changes = arms.relation->grows = 0;
    arms.relation->picks = arms.first->picks || arms.step->picks;
    arms.relation->outer_reads = arms.first->outer_reads | arms.step->outer_reads;
    arms.relation->outer_unstable = arms.first->outer_unstable || arms.step->outer_unstable;
    for (size_t i = 0; i < arms.relation->column_count; i++)
        arms.relation->columns[i].unstable =
            arms.relation->columns[i].unstable || arms.step->targets[i].value.unstable;
    arms.relation->local = arms.first->local;
    arms.relation->itself = false;
    *out = arms.relation;
    return STATUS_OK;
}
