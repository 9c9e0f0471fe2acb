/* The target list, GROUP BY and ORDER BY of one level. Ordinals and names are resolved as
 * PostgreSQL does it: GROUP BY prefers input columns, ORDER BY output names. What means an output
 * leaves as its ordinal, which stays right since hidden columns go last; everything else leaves as
 * an expression over qualified columns, which cannot be taken for a name. */
#include <string.h>

#include "sql/plan/plan_build.h"

static struct resolver make_resolver(struct level *level, enum resolve_mode mode, const char *place)
{
    return (struct resolver){.build = level->build,
                             .level = level,
                             .names = &level->names,
                             .mode = mode,
                             .place = place};
}

static enum status add_target(struct level *level, const char *name, Node *original,
                              struct name star)
{
    if (level->target_count == LIMIT_TARGETS)
        return plan_refuse(level->build, "54011", "Select fewer columns.",
                           "target lists can have at most %d entries", LIMIT_TARGETS);
    level->targets = plan_grow(level->targets, level->target_count, sizeof *level->targets);
    level->targets[level->target_count++] =
        (struct target){.name = name, .original = original, .star = star};
    return STATUS_OK;
}

static enum status add_entries(struct level *level, const struct name *entries, size_t count)
{
    for (size_t i = 0; i < count; i++)
        TRY(add_target(level, entries[i].relation->columns[entries[i].column].name, NULL,
                       entries[i]));
    return STATUS_OK;
}

enum status plan_add_column(struct level *level, struct relation *relation, size_t column)
{
    struct name entry = {.relation = relation, .column = column};
    return add_entries(level, &entry, 1);
}

static enum status expand_relation(struct level *level, const List *fields)
{
    struct resolver resolver = make_resolver(level, RESOLVE_PLAIN, "the target list");
    size_t count = (size_t)list_length(fields);
    const char *alias = strVal(list_nth(fields, (int)count - 2));
    struct relation *relation = resolve_relation(&resolver, alias);
    const struct merged *merged =
        relation == NULL && count == 2 ? resolve_merged(level, &level->names, alias) : NULL;
    if (merged != NULL)
        return add_entries(level, merged->entries, merged->count);
    if (relation == NULL || count > 3 ||
        (count == 3 &&
         (!relation->schema_named || strcmp(strVal(linitial(fields)), "public") != 0)))
        return plan_refuse(level->build, "42P01", "Name it in FROM, or correct the alias.",
                           "missing FROM-clause entry for table \"%s\"", alias);
    for (size_t i = 0; i < relation->column_count; i++)
        TRY(plan_add_column(level, relation, i));
    return STATUS_OK;
}

static enum status expand_star(struct level *level, const ColumnRef *star)
{
    if (list_length(star->fields) > 1)
        return expand_relation(level, star->fields);
    if (level->relation_count == 0)
        return plan_refuse(level->build, "42601", "Name a dataset in FROM.",
                           "SELECT * with no tables specified is not valid");
    return add_entries(level, level->names.entries, level->names.count);
}

enum status plan_expand_targets(struct level *level, List *targets)
{
    ListCell *cell;
    foreach (cell, targets) {
        ResTarget *target = lfirst_node(ResTarget, cell);
        if (rewrite_is_star(target->val))
            TRY(expand_star(level, (const ColumnRef *)target->val));
        else
            TRY(add_target(level,
                           target->name != NULL ? target->name : plan_column_name(target->val),
                           target->val, (struct name){0}));
    }
    return STATUS_OK;
}

static enum status resolve_target(struct resolver *resolver, const struct target *target,
                                  struct expression *out)
{
    if (target->original != NULL)
        return resolve_expression(resolver, copyObject(target->original), out);
    resolve_name(resolver, &target->star, out);
    if (resolver->mode == RESOLVE_GROUPED)
        resolve_match_group(resolver->level, out);
    return STATUS_OK;
}

/* The integer of an ordinal, 0 if node is none; other constants are refused as in PostgreSQL. */
static enum status ordinal_of(struct level *level, const Node *node, const char *clause,
                              size_t *ordinal)
{
    *ordinal = 0;
    if (!IsA(node, A_Const))
        return STATUS_OK;
    const A_Const *constant = (const A_Const *)node;
    if (constant->isnull || !IsA(&constant->val, Integer))
        return plan_refuse(level->build, "42601", "Write a column, an expression or an ordinal.",
                           "non-integer constant in %s", clause);
    long value = constant->val.ival.ival;
    if (value < 1 || (size_t)value > level->target_count)
        return plan_refuse(level->build, "42P10",
                           "Write the number of a column of the result, from 1.",
                           "%s position %ld is not in select list", clause, value);
    *ordinal = (size_t)value;
    return STATUS_OK;
}

static const char *single_name(const Node *node)
{
    if (!IsA(node, ColumnRef) || list_length(((const ColumnRef *)node)->fields) != 1 ||
        !IsA(linitial(((const ColumnRef *)node)->fields), String))
        return NULL;
    return strVal(linitial(((const ColumnRef *)node)->fields));
}

static bool same_target(const struct target *a, const struct target *b)
{
    if (a->original != NULL && b->original != NULL)
        return equal(a->original, b->original);
    return a->original == NULL && b->original == NULL && a->star.relation == b->star.relation &&
           a->star.column == b->star.column && a->star.inner == b->star.inner &&
           a->star.other == b->star.other;
}

/* The ordinal of the output called name, 0 if there is none. */
static enum status output_named(struct level *level, const char *name, const char *clause,
                                size_t *ordinal)
{
    *ordinal = 0;
    for (size_t i = 0; name != NULL && i < level->target_count; i++) {
        if (strcmp(level->targets[i].name, name) != 0)
            continue;
        if (*ordinal != 0 && !same_target(&level->targets[i], &level->targets[*ordinal - 1]))
            return plan_refuse(level->build, "42702", "Use the column's number.",
                               "%s \"%s\" is ambiguous", clause, name);
        if (*ordinal == 0)
            *ordinal = i + 1;
    }
    return STATUS_OK;
}

static enum status resolve_group(struct level *level, Node *node, Node **emitted)
{
    struct resolver resolver = make_resolver(level, RESOLVE_PLAIN, "GROUP BY");
    resolver.sets = true;
    struct expression value;
    size_t ordinal;
    if (level->group_count == LIMIT_TARGETS)
        return plan_refuse(level->build, "54011", "Group by fewer columns.",
                           "GROUP BY can have at most %d entries", LIMIT_TARGETS);
    TRY(ordinal_of(level, node, "GROUP BY", &ordinal));
    const char *name = single_name(node);
    if (ordinal == 0 && name != NULL && !resolve_is_name(level, name))
        TRY(output_named(level, name, "GROUP BY", &ordinal));
    if (ordinal != 0)
        TRY(resolve_target(&resolver, &level->targets[ordinal - 1], &value));
    else
        TRY(resolve_expression(&resolver, node, &value));
    level->groups = plan_grow(level->groups, level->group_count, sizeof *level->groups);
    struct group *group = &level->groups[level->group_count++];
    group->ordinal = ordinal;
    group->plain = copyObject(value.node);
    group->type = value.type;
    group->collation = value.collation;
    group->unstable = value.unstable;
    group->relations = value.relations;
    group->missing = value.missing;
    group->guarded = guard_expression(level, &value);
    *emitted = ordinal != 0 ? rewrite_integer((int)ordinal) : group->guarded;
    return STATUS_OK;
}

/* (a, b) in GROUP BY is no row value but both of them. */
static List **group_members(Node *node)
{
    if (IsA(node, GroupingSet))
        return &((GroupingSet *)node)->content;
    if (IsA(node, RowExpr) && ((RowExpr *)node)->row_format == COERCE_IMPLICIT_CAST)
        return &((RowExpr *)node)->args;
    return NULL;
}

static enum status resolve_group_item(struct level *level, ListCell *item)
{
    List **members = group_members(lfirst(item));
    Node *emitted = NULL;
    ListCell *cell;
    if (members == NULL) {
        TRY(resolve_group(level, lfirst(item), &emitted));
        lfirst(item) = emitted;
        return STATUS_OK;
    }
    level->grouping_sets = level->grouping_sets || IsA(lfirst(item), GroupingSet);
    foreach (cell, *members)
        TRY(resolve_group_item(level, cell));
    return STATUS_OK;
}

static bool has_aggregate(struct level *level, const SelectStmt *select)
{
    struct resolver resolver = make_resolver(level, RESOLVE_PLAIN, "the target list");
    for (size_t i = 0; i < level->target_count; i++)
        if (level->targets[i].original != NULL &&
            resolve_has_aggregate(&resolver, level->targets[i].original))
            return true;
    ListCell *cell;
    foreach (cell, select->sortClause)
        if (resolve_has_aggregate(&resolver, lfirst_node(SortBy, cell)->node))
            return true;
    return select->havingClause != NULL;
}

enum status plan_resolve_groups(struct level *level, SelectStmt *select)
{
    level->grouped = select->groupClause != NIL || has_aggregate(level, select);
    level->plain_statistic = level->plain_statistic && level->grouped;
    ListCell *cell;
    foreach (cell, select->groupClause)
        TRY(resolve_group_item(level, cell));
    return STATUS_OK;
}

/* GROUP BY 2, where the second output holds a sub-select: that is the group. */
static bool is_group(const struct level *level, size_t ordinal, struct expression *out)
{
    for (size_t i = 0; i < level->group_count; i++) {
        const struct group *group = &level->groups[i];
        if (group->ordinal != ordinal)
            continue;
        *out = (struct expression){.node = group->guarded,
                                   .type = group->type,
                                   .collation = group->collation,
                                   .unstable = group->unstable,
                                   .relations = group->relations,
                                   .missing = group->missing,
                                   .total = true};
        return true;
    }
    return false;
}

/* Resolves one expression of the output side and guards it. */
static enum status finish_output(struct level *level, struct expression *value, Node **out)
{
    if (value->ungrouped != NULL)
        return plan_refuse(level->build, "42803", "Add it to GROUP BY.",
                           "column \"%s\" must appear in the GROUP BY clause or be used in an "
                           "aggregate function",
                           value->ungrouped);
    *out = level->grouped ? guard_grouped(level, value) : guard_expression(level, value);
    return STATUS_OK;
}

/* How many rows a function gives of a value that may change is as a condition on it. */
static void note_set(struct level *level, const struct expression *value)
{
    if (!value->set || !value->unstable)
        return;
    level->rows_unstable = true;
    level->judged |= value->relations;
}

enum status plan_resolve_targets(struct level *level, SelectStmt *select)
{
    struct resolver resolver =
        make_resolver(level, level->grouped ? RESOLVE_GROUPED : RESOLVE_PLAIN, "the target list");
    resolver.sets = resolver.windows = true;
    resolver.volatiles = level->top;
    select->targetList = NIL;
    for (size_t i = 0; i < level->target_count; i++) {
        struct target *target = &level->targets[i];
        Node *node = NULL;
        if (!is_group(level, i + 1, &target->value))
            TRY(resolve_target(&resolver, target, &target->value));
        target->source = resolve_bare(level, target->value.node, &target->source_column);
        TRY(finish_output(level, &target->value, &node));
        select->targetList = lappend(select->targetList, rewrite_target(node, target->name));
        note_set(level, &target->value);
    }
    TRY(settle_figures(level));
    resolver.place = "WINDOW";
    return resolve_window_clause(&resolver, select->windowClause);
}

/* What means an output stays its ordinal. */
static enum status resolve_sort(struct level *level, Node *node, const char *clause, Node **out,
                                bool *total)
{
    struct resolver resolver =
        make_resolver(level, level->grouped ? RESOLVE_GROUPED : RESOLVE_PLAIN, clause);
    resolver.volatiles = level->top;
    resolver.windows = true;
    struct expression value;
    size_t ordinal;
    TRY(ordinal_of(level, node, clause, &ordinal));
    if (ordinal == 0)
        TRY(output_named(level, single_name(node), clause, &ordinal));
    if (ordinal != 0) {
        level->order_unstable = level->order_unstable || level->targets[ordinal - 1].value.unstable;
        level->order_missing |= lineage_missing(level, &level->targets[ordinal - 1].value);
        *out = rewrite_integer((int)ordinal);
        *total = true;
        return STATUS_OK;
    }
    TRY(resolve_expression(&resolver, node, &value));
    *total = value.total;
    level->order_unstable = level->order_unstable || value.unstable;
    level->order_missing |= lineage_missing(level, &value);
    return finish_output(level, &value, out);
}

/* A changed group may pass a condition that it did not pass before. */
enum status plan_resolve_having(struct level *level, SelectStmt *select)
{
    struct resolver resolver = make_resolver(level, RESOLVE_GROUPED, "HAVING");
    struct expression value;
    if (select->havingClause == NULL)
        return STATUS_OK;
    level->having = true;
    resolver.sublinks = SUBLINK_CONDITION;
    TRY(resolve_expression(&resolver, select->havingClause, &value));
    level->having_unstable = value.unstable;
    value.missing = lineage_missing(level, &value);
    settle_missing(level, &value);
    return finish_output(level, &value, &select->havingClause);
}

/* DISTINCT ON (…): ordinals and names as in ORDER BY. */
enum status plan_resolve_distinct_on(struct level *level, SelectStmt *select)
{
    ListCell *cell;
    foreach (cell, select->distinctClause) {
        Node *node = NULL;
        bool total;
        TRY(resolve_sort(level, lfirst(cell), "DISTINCT ON", &node, &total));
        lfirst(cell) = node;
    }
    return STATUS_OK;
}

enum status plan_resolve_order(struct level *level, SelectStmt *select)
{
    ListCell *cell;
    foreach (cell, select->sortClause) {
        SortBy *sort = lfirst_node(SortBy, cell);
        if (sort->sortby_dir == SORTBY_USING)
            return plan_refuse(level->build, "0A000", "Use ASC or DESC.",
                               "ORDER BY … USING is not supported");
        bool total;
        TRY(resolve_sort(level, sort->node, "ORDER BY", &sort->node, &total));
        if (!total)
            level->failing_sorts = lappend(level->failing_sorts, sort);
    }
    return STATUS_OK;
}
