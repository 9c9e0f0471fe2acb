/* FROM: datasets become fences, sub-selects are rewritten in place, joins keep their shape; USING
 * and NATURAL become ON (resolve_using.c). Names follow SQL: an ON sees its join's two sides only,
 * a column merged by USING appears once, first. */
#include <string.h>

#include "sql/allow/allow.h"
#include "sql/lineage/closure.h"
#include "sql/plan/plan_build.h"

static enum status from_item(struct level *level, Node *item, const struct names *left, Node **out,
                             struct names *names);

static bool alias_is_taken(const struct build *build, const char *alias)
{
    for (size_t i = 0; i < build->relation_count; i++)
        if (strcmp(build->relations[i]->alias, alias) == 0)
            return true;
    return false;
}

/* What the text calls it. No two relations of a statement share an alias: a reference to an outer
 * one would be caught by an inner one of that name. */
static const char *choose_alias(const struct build *build, const char *name)
{
    enum { LONGEST = 50 };
    const char *alias = strlen(name) > LONGEST ? plan_hidden_name() : name;
    for (size_t n = 2; alias_is_taken(build, alias); n++)
        alias = strlen(name) > LONGEST ? plan_hidden_name() : psprintf("%s_%zu", name, n);
    return alias;
}

/* What a sub-select reads beyond this level, the level reads. */
static void note_outer(struct level *level, const struct relation *relation)
{
    level->outer_reads |= relation->outer_reads & ~plan_own_relations(level);
    level->outer_unstable = level->outer_unstable || relation->outer_unstable;
}

static enum status append_relation(struct level *level, struct relation *relation,
                                   struct names *names)
{
    struct build *build = level->build;
    TRY(resolve_check_alias(level, relation->name));
    if (build->relation_count == LIMIT_RELATIONS)
        return plan_refuse(build, "54000", "Split the statement.",
                           "more than %d datasets and sub-selects in one statement",
                           LIMIT_RELATIONS);
    relation->alias = choose_alias(build, relation->name);
    relation->level = level;
    relation->index = build->relation_count;
    build->relations[build->relation_count++] = relation;
    level->fences |= relation->fences;
    level->picks = level->picks || relation->picks;
    level->local = level->local || relation->local;
    note_outer(level, relation);
    *names = (struct names){.first = level->relation_count,
                            .count = relation->column_count,
                            .changes = relation->changes,
                            .grows = relation->grows};
    level->relations[level->relation_count++] = relation;
    names->end = level->relation_count;
    names->entries = palloc0((names->count + 1) * sizeof *names->entries);
    for (size_t i = 0; i < names->count; i++)
        names->entries[i] = (struct name){relation, i};
    return STATUS_OK;
}

/* AS t(a, b): other names for the first columns. */
static enum status rename_columns(struct level *level, struct relation *relation,
                                  const Alias *alias)
{
    if (alias == NULL || alias->colnames == NIL)
        return STATUS_OK;
    if ((size_t)list_length(alias->colnames) > relation->column_count)
        return plan_refuse(level->build, "42P10", "Name fewer columns behind the alias.",
                           "table \"%s\" has %zu columns available but %d columns specified",
                           relation->name, relation->column_count, list_length(alias->colnames));
    for (int i = 0; i < list_length(alias->colnames); i++)
        relation->columns[i].name = strVal(list_nth(alias->colnames, i));
    return STATUS_OK;
}

static enum status from_dataset(struct level *level, const RangeVar *range, Node **out,
                                struct names *names)
{
    struct relation *relation;
    TRY(fence_open(level, range, &relation));
    TRY(rename_columns(level, relation, range->alias));
    TRY(append_relation(level, relation, names));
    *out = (Node *)rewrite_subselect(relation->select, relation->alias);
    return STATUS_OK;
}

/* A reference to a WITH query: a copy of its relation, under its own alias. */
static enum status from_common_table(struct level *level, const struct common_table *table,
                                     const RangeVar *range, Node **out, struct names *names)
{
    struct relation *relation = palloc(sizeof *relation);
    *relation = *table->relation;
    relation->columns = palloc((relation->column_count + 1) * sizeof *relation->columns);
    memcpy(relation->columns, table->relation->columns,
           relation->column_count * sizeof *relation->columns);
    relation->name = range->alias != NULL ? range->alias->aliasname : range->relname;
    relation->local = relation->local || !table->top;
    level->build->failing += relation->failing;
    TRY(rename_columns(level, relation, range->alias));
    TRY(append_relation(level, relation, names));
    *out = (Node *)rewrite_table(NULL, table->relation->alias, relation->alias);
    return STATUS_OK;
}

static bool name_repeats(const struct level *level, size_t index)
{
    for (size_t i = 0; i < level->target_count; i++)
        if (i != index && strcmp(level->targets[i].name, level->targets[index].name) == 0)
            return true;
    return false;
}

struct relation *resolve_sub_select(struct level *inner, SelectStmt *select, const char *name)
{
    struct relation *relation = palloc0(sizeof *relation);
    relation->name = name;
    relation->select = select;
    relation->inner = inner;
    relation->column_count = inner->target_count;
    relation->columns = palloc0((inner->target_count + 1) * sizeof *relation->columns);
    for (size_t i = 0; i < inner->target_count; i++) {
        const struct target *target = &inner->targets[i];
        struct column *column = &relation->columns[i];
        column->name = target->name;
        column->emit = name_repeats(inner, i) ? plan_hidden_name() : target->name;
        column->type = target->value.type == TYPE_UNKNOWN ? TYPE_TEXT : target->value.type;
        column->collation = target->value.collation;
        column->unstable = target->value.unstable || (inner->picks && inner->changes != 0);
        column->figure = inner->grouped && inner->bare_aggregates &&
                         IsA(target->value.node, FuncCall) && target->value.aggregate;
        column->missing = lineage_missing(inner, &target->value);
        column->nulls = target->value.nulls;
        column->source = target->source;
        column->source_column = target->source_column;
        if (target->source != NULL) {
            column->fence = target->source->columns[target->source_column].fence;
            column->granted = target->source->columns[target->source_column].granted;
            column->row = closure_row(inner->build, target->source,
                                      target->source->columns[target->source_column].row);
        }
        lfirst_node(ResTarget, list_nth_cell(select->targetList, (int)i))->name =
            pstrdup(column->emit);
    }
    relation->keys = inner->keys;
    relation->key_count = inner->key_count;
    relation->marks = inner->marks;
    relation->mark_count = inner->mark_count;
    relation->policy = inner->policy;
    relation->grouped = inner->grouped;
    relation->fences = inner->fences;
    relation->changes = inner->changes;
    relation->grows = inner->grows;
    relation->picks = inner->picks;
    relation->whole = settle_is_whole(inner);
    relation->local = inner->local;
    relation->outer_reads = inner->outer_reads;
    relation->outer_unstable = inner->outer_unstable;
    return relation;
}

/* What a sub-select in FROM may name: with LATERAL, what stands to its left; always what the level
 * itself stands in. */
static const struct resolver *outer_of(struct level *level, const struct names *left)
{
    struct resolver *outer = palloc0(sizeof *outer);
    struct names *names = palloc(sizeof *names);
    if (left == NULL)
        return level->outer;
    *names = *left;
    *outer = (struct resolver){
        .build = level->build, .level = level, .names = names, .place = "a LATERAL sub-select"};
    return outer;
}

static enum status from_sub_select(struct level *level, RangeSubselect *item,
                                   const struct names *left, Node **out, struct names *names)
{
    struct level *inner;
    if (item->alias == NULL)
        return plan_refuse(level->build, "42601", "For example, FROM (SELECT …) AS foo.",
                           "subquery in FROM must have an alias");
    SelectStmt *select = castNode(SelectStmt, item->subquery);
    TRY(plan_select(level->build, &select, outer_of(level, item->lateral ? left : NULL), false,
                    &inner));
    struct relation *relation = resolve_sub_select(inner, select, item->alias->aliasname);
    TRY(rename_columns(level, relation, item->alias));
    TRY(append_relation(level, relation, names));
    if (item->lateral && inner->outer_unstable)
        names->grows |= left->changes; /* what stands beside it in its new form may find more */
    RangeSubselect *node = rewrite_subselect(select, relation->alias);
    node->lateral = item->lateral;
    *out = (Node *)node;
    return STATUS_OK;
}

/* Does it hold something that may read what stands to the left of the join? */
static bool is_lateral(const Node *item)
{
    if (IsA(item, JoinExpr))
        return is_lateral(((const JoinExpr *)item)->larg) ||
               is_lateral(((const JoinExpr *)item)->rarg);
    return IsA(item, RangeFunction) ||
           (IsA(item, RangeSubselect) && ((const RangeSubselect *)item)->lateral);
}

/* (a JOIN b …) AS j: a sub-select of all its columns. The names inside are not seen from outside.
 */
static RangeSubselect *named_join(JoinExpr *join)
{
    RangeSubselect *item = rewrite_new(RangeSubselect);
    SelectStmt *select = rewrite_new(SelectStmt);
    ColumnRef *all = rewrite_new(ColumnRef);
    all->fields = list_make1(rewrite_new(A_Star));
    all->location = -1;
    item->alias = join->alias;
    item->lateral = is_lateral((Node *)join);
    item->subquery = (Node *)select;
    join->alias = NULL;
    select->targetList = list_make1(rewrite_target((Node *)all, NULL));
    select->fromClause = list_make1(join);
    return item;
}

static void append_names(struct names *all, const struct names *more)
{
    for (size_t i = 0; i < more->count; i++)
        all->entries[all->count++] = more->entries[i];
}

static struct names concatenate(const struct names *left, const struct names *right)
{
    struct names all = {.first = left->count == 0 && left->first == left->end ? right->first
                                                                              : left->first,
                        .end = right->end,
                        .changes = left->changes | right->changes,
                        .grows = left->grows | right->grows};
    all.entries = palloc0((left->count + right->count + 1) * sizeof *all.entries);
    append_names(&all, left);
    append_names(&all, right);
    return all;
}

/* The conjuncts of what has just been resolved, before guards are put into it. */
static void keep_conjuncts(struct level *level, const struct expression *expression, uint64_t holds,
                           bool where)
{
    if (expression->tree && ((BoolExpr *)expression->node)->boolop == AND_EXPR) {
        for (size_t i = 0; i < expression->part_count; i++)
            keep_conjuncts(level, &expression->parts[i], holds, where);
        return;
    }
    /* What reads nothing and may fail is guarded by the policies of all that stands around. */
    bool reads_any = expression->relations == 0 && !expression->total;
    level->conjuncts[level->conjunct_count++] =
        (struct conjunct){.node = copyObject(expression->node),
                          .relations = reads_any ? UINT64_MAX : expression->relations,
                          .holds = holds,
                          .where = where};
}

/* The same conjuncts as they are emitted, in the same order. */
static void keep_guarded(struct level *level, const struct expression *expression, Node *node,
                         size_t *at)
{
    if (!expression->tree || ((BoolExpr *)expression->node)->boolop != AND_EXPR) {
        level->conjuncts[(*at)++].guarded = node;
        return;
    }
    for (size_t i = 0; i < expression->part_count; i++)
        keep_guarded(level, &expression->parts[i], list_nth(((BoolExpr *)node)->args, (int)i), at);
}

static size_t count_conjuncts(const struct expression *expression)
{
    size_t count = 0;
    if (!expression->tree || ((BoolExpr *)expression->node)->boolop != AND_EXPR)
        return 1;
    for (size_t i = 0; i < expression->part_count; i++)
        count += count_conjuncts(&expression->parts[i]);
    return count;
}

static uint64_t relations_of(const struct level *level, const struct names *names)
{
    uint64_t all = 0;
    for (size_t i = names->first; i < names->end; i++)
        all |= UINT64_C(1) << level->relations[i]->index;
    return all;
}

/* holds: the relations all of whose rows meet it. */
static enum status condition(struct level *level, Node *node, const struct names *names,
                             uint64_t holds, bool where, struct expression *expression, Node **out)
{
    struct resolver *resolver = palloc0(sizeof *resolver);
    *resolver = (struct resolver){.build = level->build,
                                  .level = level,
                                  .names = names,
                                  .place = where ? "WHERE" : "a join condition",
                                  .sublinks = where ? SUBLINK_CONJUNCT : SUBLINK_CONDITION};
    TRY(resolve_expression(resolver, node, expression));
    if (!expression->total && !guard_can_name(level, names, expression->relations))
        return plan_refuse(level->build, "0A000",
                           "Join the function by CROSS JOIN, or write the condition into WHERE.",
                           "a join condition that may fail is not supported over a function that "
                           "reads what stands outside of the join");
    size_t at = level->conjunct_count, first = at, count = at + count_conjuncts(expression);
    struct conjunct *conjuncts = palloc0(count * sizeof *conjuncts);
    if (at > 0)
        memcpy(conjuncts, level->conjuncts, at * sizeof *conjuncts);
    level->conjuncts = conjuncts;
    level->scope_first = names->first;
    level->scope_end = names->end;
    keep_conjuncts(level, expression, holds, where);
    *out = guard_condition(level, expression);
    keep_guarded(level, expression, *out, &at);
    for (size_t i = first; i < count; i++)
        level->conjuncts[i].outer = !where && holds != relations_of(level, names);
    settle_missing(level, expression);
    if (expression->unstable)
        level->judged |= expression->relations;
    return STATUS_OK;
}

static uint64_t fences_of(const struct level *level, const struct names *names)
{
    uint64_t all = 0;
    for (size_t i = names->first; i < names->end; i++)
        all |= level->relations[i]->fences;
    return all;
}

/* One side of an outer join may be missing from a row: then its columns and keys are NULL. Who
 * leaves lets such a row in, unless the row that is kept leaves with them. moves: a kept row that
 * comes in place of another may find other rows of the side, or none. */
static void extend(struct level *level, struct names *side, const struct names *kept, bool moves)
{
    uint64_t changes = fences_of(level, side) & ~closure_follows(level, side, kept);
    for (size_t i = side->first; i < side->end; i++) {
        struct relation *relation = level->relations[i];
        relation->extended = true;
        relation->missing |= changes;
        for (size_t c = 0; c < relation->column_count; c++) {
            struct column *column = &relation->columns[c];
            column->unstable = column->unstable || changes != 0 || moves;
            column->nulls |= changes & ~(column->missing & ~column->nulls);
            column->missing |= changes;
        }
    }
    side->changes |= changes;
}

/* A row of the side that is kept goes when the first match appears: none may, out of nowhere. */
static void settle_side(struct level *level, struct names *side, bool unstable)
{
    uint64_t fences = side->grows | (unstable ? side->changes : 0);
    settle_fences(
        level->build, fences, PLAN_GRADE_INFLUENCE,
        "outer join: without one of them a match might appear for a row that is kept without");
    side->grows &= ~fences;
    side->changes &= ~fences;
}

static enum status join_condition(struct level *level, const JoinExpr *join, struct names *left,
                                  struct names *right, const struct names *both, Node *quals,
                                  Node **out)
{
    bool keeps_left = join->jointype == JOIN_LEFT || join->jointype == JOIN_FULL;
    bool keeps_right = join->jointype == JOIN_RIGHT || join->jointype == JOIN_FULL;
    uint64_t holds = (keeps_left ? 0 : relations_of(level, left)) |
                     (keeps_right ? 0 : relations_of(level, right));
    struct expression expression = {0};
    *out = quals;
    if (quals != NULL)
        TRY(condition(level, quals, both, holds, false, &expression, out));
    if (keeps_left)
        settle_side(level, right, expression.unstable);
    if (keeps_right)
        settle_side(level, left, expression.unstable);
    if (!keeps_left && !keeps_right && expression.unstable)
        left->grows |= left->changes | right->changes;
    if (keeps_left)
        extend(level, right, left, expression.unstable);
    if (keeps_right)
        extend(level, left, right, expression.unstable);
    return STATUS_OK;
}

static enum status from_join(struct level *level, JoinExpr *join, const struct names *outer,
                             Node **out, struct names *names)
{
    struct names left, right, merged = {0};
    Node *left_node, *right_node, *quals = join->quals;
    TRY(from_item(level, join->larg, outer, &left_node, &left));
    struct names seen = concatenate(outer, &left);
    TRY(from_item(level, join->rarg, &seen, &right_node, &right));
    struct names both = concatenate(&left, &right);
    const List *using = join->isNatural ? resolve_common_names(&left, &right) : join->usingClause;
    if (using != NIL)
        TRY(resolve_using(level, using, join->jointype, &left, &right, &quals, &merged));
    TRY(join_condition(level, join, &left, &right, &both, quals, &quals));
    if (quals == NULL && join->jointype != JOIN_INNER)
        quals = rewrite_boolean(true); /* NATURAL without a common name */
    if (using != NIL) {
        struct names rest = concatenate(&left, &right);
        both.entries = concatenate(&merged, &rest).entries;
        both.count = merged.count + rest.count;
    }
    if (join->join_using_alias != NULL)
        TRY(resolve_name_merged(level, join, &both, &merged));
    both.changes = left.changes | right.changes;
    both.grows = left.grows | right.grows;
    *out = rewrite_join(join->jointype, left_node, right_node, quals);
    *names = both;
    return STATUS_OK;
}

static enum status from_function(struct level *level, RangeFunction *item, const struct names *left,
                                 Node **out, struct names *names)
{
    struct relation *relation;
    TRY(resolve_range_function(level, item, left, &relation));
    TRY(append_relation(level, relation, names));
    resolve_name_function(relation, item);
    *out = (Node *)item;
    return STATUS_OK;
}

static enum status from_range(struct level *level, const RangeVar *range, Node **out,
                              struct names *names)
{
    const struct common_table *table = plan_find_common_table(level->build, range);
    if (table != NULL)
        return from_common_table(level, table, range, out, names);
    return from_dataset(level, range, out, names);
}

static enum status from_item(struct level *level, Node *item, const struct names *left, Node **out,
                             struct names *names)
{
    switch (nodeTag(item)) {
    case T_RangeVar:
        return from_range(level, (const RangeVar *)item, out, names);
    case T_RangeSubselect:
        return from_sub_select(level, (RangeSubselect *)item, left, out, names);
    case T_JoinExpr:
        return ((JoinExpr *)item)->alias != NULL
                   ? from_sub_select(level, named_join((JoinExpr *)item), left, out, names)
                   : from_join(level, (JoinExpr *)item, left, out, names);
    case T_RangeTableSample:
        return plan_refuse(level->build, "0A000", "Use LIMIT.", "TABLESAMPLE is not supported");
    case T_RangeFunction:
        return from_function(level, (RangeFunction *)item, left, out, names);
    default:
        return plan_refuse(level->build, "0A000", "Name datasets or sub-selects in FROM.",
                           "this kind of item in FROM is not supported");
    }
}

static enum status resolve_where(struct level *level, Node *where)
{
    struct expression expression;
    uint64_t all = relations_of(level, &level->names);
    level->in_where = true;
    TRY(condition(level, where, &level->names, all, true, &expression, &level->where));
    level->in_where = false;
    if (expression.unstable)
        level->grows |= level->changes;
    return STATUS_OK;
}

enum status resolve_from(struct level *level, List *from, Node *where, SelectStmt *out)
{
    struct names all = {0};
    ListCell *cell;
    level->from_ends = palloc0(((size_t)list_length(from) + 1) * sizeof *level->from_ends);
    foreach (cell, from) {
        struct names names;
        Node *node;
        TRY(from_item(level, lfirst(cell), &all, &node, &names));
        level->from_ends[list_length(level->from)] = level->relation_count;
        level->from = lappend(level->from, node);
        all = concatenate(&all, &names);
        all.first = 0;
    }
    level->names = all;
    level->changes = all.changes;
    level->grows = all.grows;
    TRY(lineage_open(level));
    level->from_outer_reads = level->outer_reads;
    level->from_picks = level->picks;
    level->from_steady = level->changes == 0 && level->grows == 0 && level->outer_reads == 0 &&
                         !level->picks && !level->local;
    if (where != NULL)
        TRY(resolve_where(level, where));
    TRY(settle_where(level));
    closure_reduce(level);
    level->body_changes = level->changes;
    level->body_grows = level->grows;
    level->scope_first = 0;
    level->scope_end = level->relation_count;
    out->fromClause = level->from;
    out->whereClause = level->where;
    return STATUS_OK;
}

enum status resolve_only(struct level *level, struct relation *relation, Node *node,
                         SelectStmt *out)
{
    TRY(append_relation(level, relation, &level->names));
    if (IsA(node, RangeSubselect))
        ((RangeSubselect *)node)->alias->aliasname = pstrdup(relation->alias);
    level->from = list_make1(node);
    level->changes = level->names.changes;
    level->grows = level->names.grows;
    TRY(lineage_open(level));
    level->from_outer_reads = level->outer_reads;
    level->from_picks = level->picks;
    level->body_changes = level->changes;
    level->body_grows = level->grows;
    level->scope_end = level->relation_count;
    out->fromClause = level->from;
    return STATUS_OK;
}
