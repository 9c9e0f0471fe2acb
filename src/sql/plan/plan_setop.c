/* Set operations, DISTINCT and VALUES: a level of their own above what they combine.
 *   SELECT DISTINCT … ORDER BY o     is  SELECT d.* FROM (SELECT …) AS d GROUP BY all ORDER BY o
 *   A UNION ALL B                    is  SELECT u.* FROM (A UNION ALL B) AS u
 *   A UNION | INTERSECT | EXCEPT B   is  … GROUP BY all HAVING what the side column says
 *   A INTERSECT ALL | EXCEPT ALL B   is  that, JOIN generate_series(1, how often)
 * Hidden columns of an arm are text, and NULL in the other arm. GROUP BY compares values as UNION
 * does. Deleting somebody of an EXCEPT's right side lets rows in, or none: that side is recorded
 * once (docs/decisions/0010). */
#include <string.h>

#include "sql/plan/plan_build.h"

/* What stands behind the operation as a whole. */
struct tail {
    List *sort;
    Node *limit, *offset;
    LimitOption option;
};

static struct tail take_tail(SelectStmt *select)
{
    struct tail tail = {select->sortClause, select->limitCount, select->limitOffset,
                        select->limitOption};
    select->sortClause = NIL;
    select->limitCount = select->limitOffset = NULL;
    select->limitOption = (LimitOption)PARSE_LIMIT_NONE;
    return tail;
}

/* All columns of the level's only relation; grouped: each value once. */
static enum status pass_columns(struct level *level, bool grouped, SelectStmt *select)
{
    struct relation *relation = level->relations[0];
    if (grouped && relation->column_count == 0)
        return plan_refuse(level->build, "0A000", "Select a constant.",
                           "DISTINCT, UNION, INTERSECT and EXCEPT of no columns are not supported");
    level->groups = palloc0((relation->column_count + 1) * sizeof *level->groups);
    level->grouped = grouped;
    level->plain_statistic = false; /* it shows values of rows */
    for (size_t i = 0; i < relation->column_count; i++) {
        const struct column *column = &relation->columns[i];
        Node *node = rewrite_column(relation->alias, column->emit);
        TRY(plan_add_column(level, relation, i));
        if (!grouped)
            continue;
        level->groups[level->group_count++] = (struct group){.plain = node,
                                                             .guarded = copyObject(node),
                                                             .type = column->type,
                                                             .unstable = column->unstable};
        select->groupClause = lappend(select->groupClause, copyObject(node));
    }
    return STATUS_OK;
}

static enum status finish(struct level *level, struct tail tail, SelectStmt *select)
{
    select->sortClause = tail.sort;
    select->limitCount = tail.limit;
    select->limitOffset = tail.offset;
    select->limitOption = tail.option;
    return plan_finish_level(level, select);
}

/* ---- VALUES ---- */

/* The members of one column have one type, or the database finds one, on rows of constants. */
static void join_type(struct column *column, const struct expression *value, bool first)
{
    column->type = first               ? value->type
                   : column->type == 0 ? 0
                                       : resolve_common_type(column->type, value->type);
    if (first)
        column->collation = value->collation;
    else if (column->collation != value->collation)
        column->collation = COLLATION_MIXED;
    column->unstable = column->unstable || value->unstable;
    column->missing |= value->missing;
}

static enum status values_row(struct level *level, List *row, struct relation *relation, bool first)
{
    struct resolver resolver = {.build = level->build,
                                .level = level,
                                .names = &level->names,
                                .place = "VALUES",
                                .sublinks = SUBLINK_CONDITION};
    if ((size_t)list_length(row) != relation->column_count)
        return plan_refuse(level->build, "42601", "Write as many values in each row.",
                           "VALUES lists must all be the same length");
    for (int i = 0; i < list_length(row); i++) {
        struct expression value;
        TRY(resolve_expression(&resolver, list_nth(row, i), &value));
        join_type(&relation->columns[i], &value, first);
        lfirst(list_nth_cell(row, i)) = guard_expression(level, &value);
    }
    if (level->fences != 0)
        return plan_refuse(level->build, "0A000", "Write SELECT … UNION ALL SELECT ….",
                           "sub-selects over datasets are not supported in VALUES");
    return STATUS_OK;
}

/* The members of a column become of one type, by a cast that may fail. */
static void guard_members(struct level *level, const List *rows, size_t column)
{
    ListCell *cell;
    foreach (cell, rows) {
        ListCell *member = list_nth_cell(lfirst_node(List, cell), (int)column);
        struct expression value = {.node = lfirst(member), .relations = level->outer_reads};
        if (!IsA(value.node, A_Const))
            lfirst(member) = guard_expression(level, &value);
    }
}

static enum status values_rows(struct level *level, const SelectStmt *values,
                               struct relation *relation)
{
    relation->name = plan_hidden_name();
    relation->column_count = (size_t)list_length(linitial_node(List, values->valuesLists));
    if (relation->column_count > LIMIT_TARGETS)
        return plan_refuse(level->build, "54011", "Write fewer columns.",
                           "VALUES can have at most %d columns", LIMIT_TARGETS);
    relation->columns = palloc0((relation->column_count + 1) * sizeof *relation->columns);
    ListCell *cell;
    foreach (cell, values->valuesLists)
        TRY(values_row(level, lfirst_node(List, cell), relation,
                       cell == list_head(values->valuesLists)));
    for (size_t i = 0; i < relation->column_count; i++) {
        struct column *column = &relation->columns[i];
        column->name = column->emit = psprintf("column%zu", i + 1);
        if (column->type == 0 && level->outer_reads != 0)
            guard_members(level, values->valuesLists, i);
        if (column->type == TYPE_UNKNOWN)
            column->type = TYPE_TEXT;
    }
    level->build->sets = true; /* joined to it a person has as many rows as the partner likes */
    relation->outer_reads = level->outer_reads;
    relation->outer_unstable = level->outer_unstable;
    return STATUS_OK;
}

enum status plan_values(struct build *build, SelectStmt **select, const struct resolver *outer,
                        bool top, struct level **out)
{
    SelectStmt *values = *select, *above = rewrite_new(SelectStmt);
    struct tail tail = take_tail(values);
    struct relation *relation = palloc0(sizeof *relation);
    TRY(values_rows(plan_new_level(build, outer, false), values, relation));
    struct level *level = plan_new_level(build, outer, top);
    TRY(resolve_only(level, relation, (Node *)rewrite_subselect(values, relation->name), above));
    TRY(pass_columns(level, false, above));
    TRY(finish(level, tail, above));
    *select = above;
    *out = level;
    return STATUS_OK;
}

/* ---- DISTINCT ---- */

/* The output that an ORDER BY expression of SELECT DISTINCT is. */
static enum status distinct_ordinal(struct level *inner, Node *node, size_t *ordinal)
{
    struct resolver resolver = {.build = inner->build,
                                .level = inner,
                                .names = &inner->names,
                                .mode = inner->grouped ? RESOLVE_GROUPED : RESOLVE_PLAIN,
                                .place = "ORDER BY"};
    struct expression value;
    TRY(resolve_expression(&resolver, copyObject(node), &value));
    for (*ordinal = 1; *ordinal <= inner->target_count; (*ordinal)++) {
        const struct target *target = &inner->targets[*ordinal - 1];
        if (equal(target->value.node, value.node) ||
            (target->original != NULL && equal(target->original, node)))
            return STATUS_OK;
    }
    return plan_refuse(inner->build, "42P10", "Select it as well.",
                       "for SELECT DISTINCT, ORDER BY expressions must appear in select list");
}

static bool is_output_name(const struct level *inner, const Node *node)
{
    if (!IsA(node, ColumnRef) || list_length(((const ColumnRef *)node)->fields) != 1)
        return false;
    for (size_t i = 0; i < inner->target_count; i++)
        if (strcmp(inner->targets[i].name, strVal(linitial(((const ColumnRef *)node)->fields))) ==
            0)
            return true;
    return false;
}

static enum status map_order(struct level *inner, List *sort)
{
    ListCell *cell;
    foreach (cell, sort) {
        SortBy *item = lfirst_node(SortBy, cell);
        size_t ordinal;
        if (IsA(item->node, A_Const) || is_output_name(inner, item->node))
            continue;
        TRY(distinct_ordinal(inner, item->node, &ordinal));
        item->node = rewrite_integer((int)ordinal);
    }
    return STATUS_OK;
}

enum status plan_distinct(struct build *build, SelectStmt **select, const struct resolver *outer,
                          bool top, struct level **out)
{
    struct level *inner, *level;
    SelectStmt *below = *select, *above = rewrite_new(SelectStmt);
    struct tail tail = take_tail(below);
    below->distinctClause = NIL;
    TRY(plan_select(build, &below, outer, false, &inner));
    TRY(map_order(inner, tail.sort));
    struct relation *relation = resolve_sub_select(inner, below, plan_hidden_name());
    level = plan_new_level(build, outer, top);
    TRY(resolve_only(level, relation, (Node *)rewrite_subselect(below, relation->name), above));
    TRY(pass_columns(level, true, above));
    TRY(finish(level, tail, above));
    *select = above;
    *out = level;
    return STATUS_OK;
}

/* ---- UNION, INTERSECT, EXCEPT ---- */

struct arm {
    struct level *level;
    SelectStmt *select;
};

/* Values of both arms become of one type, by a cast that may fail: only on visible rows. */
static void guard_cast(const struct arm *arm, size_t index)
{
    ResTarget *target = list_nth_node(ResTarget, arm->select->targetList, (int)index);
    struct expression value = arm->level->targets[index].value;
    value.node = target->val;
    value.total = value.literal;
    value.parts = NULL;
    value.part_count = 0;
    target->val = arm->level->grouped ? guard_grouped(arm->level, &value)
                                      : guard_expression(arm->level, &value);
}

static struct column combine(const struct arm *left, const struct arm *right, size_t index)
{
    const struct target *l = &left->level->targets[index], *r = &right->level->targets[index];
    struct column column = {.name = l->name, .emit = plan_hidden_name()};
    column.type = resolve_common_type(l->value.type, r->value.type);
    column.unstable = l->value.unstable || r->value.unstable || left->level->changes != 0 ||
                      right->level->changes != 0;
    column.collation =
        l->value.collation == r->value.collation ? l->value.collation : COLLATION_MIXED;
    column.missing =
        lineage_missing(left->level, &l->value) | lineage_missing(right->level, &r->value);
    if (column.type == 0 || column.collation == COLLATION_MIXED) {
        guard_cast(left, index);
        guard_cast(right, index);
    }
    if (column.type == TYPE_UNKNOWN)
        column.type = TYPE_TEXT;
    return column;
}

List *plan_arm_targets(const struct level *level, const SelectStmt *select,
                       const struct relation *relation)
{
    List *targets = NIL;
    for (size_t i = 0; i < level->target_count; i++) {
        ResTarget *target = list_nth_node(ResTarget, select->targetList, (int)i);
        target->name = pstrdup(relation->columns[i].emit);
        targets = lappend(targets, target);
    }
    return targets;
}

Node *plan_arm_policy(const struct level *level, const SelectStmt *select)
{
    return level->policy == NULL ? rewrite_boolean(true)
                                 : llast_node(ResTarget, select->targetList)->val;
}

/* Behind the visible columns: the arm's keys where `own` says so, NULL for the other arm's; the
 * policy; the side. */
static void arrange(const struct arm *arm, const struct relation *combined, size_t first_own,
                    const char *side, bool is_left)
{
    List *targets = plan_arm_targets(arm->level, arm->select, combined);
    const List *hidden = arm->select->targetList;
    size_t at = arm->level->target_count;
    for (size_t k = 0; k < combined->key_count; k++) {
        bool own = k >= first_own && k < first_own + arm->level->key_count;
        Node *value = own ? list_nth_node(ResTarget, hidden, (int)at++)->val : rewrite_null();
        targets =
            lappend(targets, rewrite_target(rewrite_cast(value, "text"), combined->keys[k].name));
    }
    if (combined->policy != NULL)
        targets = lappend(
            targets, rewrite_target(plan_arm_policy(arm->level, arm->select), combined->policy));
    if (side != NULL)
        targets = lappend(targets, rewrite_target(rewrite_boolean(is_left), side));
    arm->select->targetList = targets;
}

static enum status add_keys(struct build *build, struct relation *combined, const struct arm *arm)
{
    for (size_t k = 0; k < arm->level->key_count; k++) {
        struct carried_key key = arm->level->keys[k];
        key.name = plan_hidden_name();
        key.extended = key.absent = true;
        key.node = NULL;
        TRY(lineage_add(&combined->keys, &combined->key_count, build, key));
    }
    return STATUS_OK;
}

static enum status combine_arms(struct build *build, const struct arm *left,
                                const struct arm *right, bool except, const char *side,
                                struct relation **out)
{
    const struct level *l = left->level, *r = right->level;
    struct relation *combined = palloc0(sizeof *combined);
    combined->name = plan_hidden_name();
    combined->column_count = l->target_count;
    combined->columns = palloc0((l->target_count + 1) * sizeof *combined->columns);
    for (size_t i = 0; i < l->target_count; i++)
        combined->columns[i] = combine(left, right, i);
    TRY(add_keys(build, combined, left));
    size_t first_right = combined->key_count;
    if (!except)
        TRY(add_keys(build, combined, right));
    if (l->policy != NULL || r->policy != NULL)
        combined->policy = plan_hidden_name();
    if (combined->key_count == 0)
        build->sets = true; /* as VALUES */
    combined->fences = l->fences | r->fences;
    combined->changes = l->changes | r->changes;
    combined->grows = l->grows | r->grows;
    combined->picks = l->picks || r->picks;
    combined->local = l->local || r->local;
    combined->outer_reads = l->outer_reads | r->outer_reads;
    combined->outer_unstable = l->outer_unstable || r->outer_unstable;
    arrange(left, combined, 0, side, true);
    arrange(right, combined, except ? combined->key_count : first_right, side, false);
    *out = combined;
    return STATUS_OK;
}

static Node *any_row(const char *alias, const char *side, bool is_left)
{
    Node *value = rewrite_boolean_test(rewrite_column(alias, side), is_left ? IS_TRUE : IS_FALSE);
    return rewrite_call("bool_or", list_make1(value));
}

/* How many rows of a group are of that side. */
static Node *count_side(const char *alias, const char *side, bool is_left)
{
    FuncCall *count = (FuncCall *)rewrite_call("count", NIL);
    count->agg_star = true;
    count->agg_filter =
        rewrite_boolean_test(rewrite_column(alias, side), is_left ? IS_TRUE : IS_FALSE);
    return (Node *)count;
}

static Node *side_condition(const SelectStmt *operation, const char *alias, const char *side)
{
    if (operation->op == SETOP_EXCEPT && operation->all)
        return rewrite_operator(">", count_side(alias, side, true), count_side(alias, side, false));
    if (operation->op == SETOP_INTERSECT)
        return rewrite_and(any_row(alias, side, true), any_row(alias, side, false));
    return rewrite_call("bool_and", list_make1(rewrite_column(alias, side)));
}

static enum status plan_arms(struct build *build, const SelectStmt *operation,
                             const struct resolver *outer, struct arm *left, struct arm *right)
{
    static const char *const names[] = {
        [SETOP_UNION] = "UNION", [SETOP_INTERSECT] = "INTERSECT", [SETOP_EXCEPT] = "EXCEPT"};
    left->select = operation->larg;
    right->select = operation->rarg;
    TRY(plan_select(build, &left->select, outer, false, &left->level));
    TRY(plan_select(build, &right->select, outer, false, &right->level));
    if (left->level->target_count != right->level->target_count)
        return plan_refuse(build, "42601", "Select as many columns on both sides.",
                           "each %s query must have the same number of columns",
                           names[operation->op]);
    return STATUS_OK;
}

/* As PostgreSQL: what is sorted has no columns but its own. */
static enum status check_order(struct build *build, const List *sort)
{
    ListCell *cell;
    foreach (cell, sort) {
        const Node *node = lfirst_node(SortBy, cell)->node;
        bool name = IsA(node, ColumnRef) && list_length(((const ColumnRef *)node)->fields) == 1;
        if (!name && !IsA(node, A_Const))
            return plan_refuse(build, "0A000",
                               "Sort by a column's name or number, or put the operation into FROM.",
                               "invalid UNION/INTERSECT/EXCEPT ORDER BY clause");
    }
    return STATUS_OK;
}

static SelectStmt *union_all(const struct arm *left, const struct arm *right)
{
    SelectStmt *all = rewrite_new(SelectStmt);
    all->op = SETOP_UNION;
    all->all = true;
    all->larg = left->select;
    all->rarg = right->select;
    return all;
}

/* INTERSECT and EXCEPT are conditions: they compare each value with those of the other side. */
static void settle_compared(struct build *build, const struct relation *combined)
{
    uint64_t missing = 0;
    for (size_t i = 0; i < combined->column_count; i++)
        missing |= combined->columns[i].missing;
    settle_fences(build, missing, PLAN_GRADE_WITNESS,
                  "compared where nobody's row may match: it finds them by that");
}

/* ---- INTERSECT ALL, EXCEPT ALL: groups as without ALL, each as often as it should be ---- */

static Node *copies(const SelectStmt *operation, const char *alias, const char *side)
{
    Node *left = count_side(alias, side, true), *right = count_side(alias, side, false);
    MinMaxExpr *least = rewrite_new(MinMaxExpr);
    if (operation->op == SETOP_EXCEPT)
        return rewrite_operator("-", left, right);
    least->op = IS_LEAST;
    least->args = list_make2(left, right);
    least->location = -1;
    return (Node *)least;
}

static Node *series_up_to(Node *value)
{
    RangeFunction *item = rewrite_new(RangeFunction);
    Node *series = rewrite_call("generate_series", list_make2(rewrite_integer(1), value));
    item->functions = list_make1(list_make2(series, NIL));
    item->alias = makeAlias(pstrdup(plan_hidden_name()), NIL);
    item->lateral = true;
    return (Node *)item;
}

/* A level above one whose hidden column says how often each row stands there. All copies of a row
 * carry the people of both sides that have its values: with one of them less there may be one less,
 * and no row is another. */
static enum status repeat(struct level *once, SelectStmt *select, const char *times,
                          const struct resolver *outer, bool top, struct level **out,
                          SelectStmt *above)
{
    struct build *build = once->build;
    struct relation *relation = resolve_sub_select(once, select, plan_hidden_name());
    Node *rows = (Node *)rewrite_subselect(select, relation->name);
    struct level *level = plan_new_level(build, outer, top);
    TRY(resolve_only(level, relation, rows, above));
    level->from = list_make1(rewrite_join(JOIN_INNER, rows,
                                          series_up_to(rewrite_column(relation->alias, times)),
                                          rewrite_boolean(true)));
    above->fromClause = level->from;
    build->sets = true;
    *out = level;
    return pass_columns(level, false, above);
}

/* The level of the groups is finished without what stands behind the operation. */
static enum status repeat_groups(const SelectStmt *operation, const char *side,
                                 const struct resolver *outer, bool top, struct level **level,
                                 SelectStmt **above)
{
    struct level *groups = *level;
    SelectStmt *select = *above;
    const char *alias = groups->relations[0]->alias, *times = plan_hidden_name();
    struct tail nothing = {.option = (LimitOption)PARSE_LIMIT_NONE};
    TRY(finish(groups, nothing, select));
    select->havingClause = side_condition(operation, alias, side);
    select->targetList =
        lappend(select->targetList, rewrite_target(copies(operation, alias, side), times));
    *above = rewrite_new(SelectStmt);
    return repeat(groups, select, times, outer, top, level, *above);
}

enum status plan_set_operation(struct build *build, SelectStmt **select,
                               const struct resolver *outer, bool top, struct level **out)
{
    SelectStmt *operation = *select, *above = rewrite_new(SelectStmt);
    SetOperation op = operation->op;
    bool plain = op == SETOP_UNION && operation->all;
    struct tail tail = take_tail(operation);
    TRY(check_order(build, tail.sort));
    struct arm left, right;
    struct relation *combined;
    TRY(plan_arms(build, operation, outer, &left, &right));
    if (op == SETOP_EXCEPT) {
        settle_fences(build, right.level->fences, PLAN_GRADE_WITNESS,
                      "right side of EXCEPT: a row may be there because nobody's takes it away");
        right.level->changes = right.level->grows = 0;
    }
    const char *side = op == SETOP_UNION ? NULL : plan_hidden_name();
    TRY(combine_arms(build, &left, &right, op == SETOP_EXCEPT, side, &combined));
    if (side != NULL)
        settle_compared(build, combined);
    bool repeats = side != NULL && operation->all;
    struct level *level = plan_new_level(build, outer, top && !repeats);
    SelectStmt *all = union_all(&left, &right);
    TRY(resolve_only(level, combined, (Node *)rewrite_subselect(all, combined->name), above));
    TRY(pass_columns(level, !plain, above));
    if (repeats)
        TRY(repeat_groups(operation, side, outer, top, &level, &above));
    TRY(finish(level, tail, above));
    if (side != NULL && !repeats)
        above->havingClause = side_condition(operation, combined->alias, side);
    *select = above;
    *out = level;
    return STATUS_OK;
}
