/* FROM: datasets become fences, sub-selects are rewritten in place, joins keep their shape; USING
 * becomes ON. Names follow SQL: an ON sees its join's two sides only, a column merged by USING
 * appears once, first, and means the left one. */
#include <string.h>

#include "sql/allow.h"
#include "sql/plan_build.h"

static enum status from_item(struct level *level, Node *item, Node **out, struct names *names);

static enum status append_relation(struct level *level, struct relation *relation,
                                   struct names *names)
{
    for (size_t i = 0; i < level->relation_count; i++)
        if (strcmp(level->relations[i]->alias, relation->alias) == 0)
            return plan_refuse(level->build, "42712", "Give one of them another alias.",
                               "table name \"%s\" is specified more than once", relation->alias);
    if (level->relation_count == LIMIT_RELATIONS)
        return plan_refuse(level->build, "54000", "Split the statement.",
                           "more than %d datasets and sub-selects in one FROM", LIMIT_RELATIONS);
    names->first = level->relation_count;
    level->relations[level->relation_count++] = relation;
    names->end = level->relation_count;
    names->count = relation->column_count;
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
        return plan_refuse(level->build, "42P10", NULL,
                           "table \"%s\" has %zu columns available but %d columns specified",
                           relation->alias, relation->column_count, list_length(alias->colnames));
    for (int i = 0; i < list_length(alias->colnames); i++)
        relation->columns[i].name = strVal(list_nth(alias->colnames, i));
    return STATUS_OK;
}

static enum status from_dataset(struct level *level, const RangeVar *range, Node **out,
                                struct names *names)
{
    struct relation *relation;
    TRY(fence_open(level, range, &relation, out));
    TRY(rename_columns(level, relation, range->alias));
    return append_relation(level, relation, names);
}

static bool name_repeats(const struct level *level, size_t index)
{
    for (size_t i = 0; i < level->target_count; i++)
        if (i != index && strcmp(level->targets[i].name, level->targets[index].name) == 0)
            return true;
    return false;
}

/* What a rewritten level looks like from above. Outputs that share a name get hidden ones. */
static struct relation *sub_select_relation(struct level *inner, SelectStmt *select,
                                            const char *alias)
{
    struct relation *relation = palloc0(sizeof *relation);
    relation->alias = alias;
    relation->select = select;
    relation->column_count = inner->target_count;
    relation->columns = palloc0((inner->target_count + 1) * sizeof *relation->columns);
    for (size_t i = 0; i < inner->target_count; i++) {
        const struct target *target = &inner->targets[i];
        struct column *column = &relation->columns[i];
        column->name = target->name;
        column->emit = name_repeats(inner, i) ? plan_hidden_name() : target->name;
        column->type = target->value.type == TYPE_UNKNOWN ? TYPE_TEXT : target->value.type;
        column->collation = target->value.collation;
        column->source = target->source;
        column->source_column = target->source_column;
        if (target->source != NULL) {
            column->fence = target->source->columns[target->source_column].fence;
            column->granted = target->source->columns[target->source_column].granted;
        }
        lfirst_node(ResTarget, list_nth_cell(select->targetList, (int)i))->name =
            pstrdup(column->emit);
    }
    relation->keys = inner->keys;
    relation->key_count = inner->key_count;
    relation->policy = inner->policy;
    relation->grouped = inner->grouped;
    relation->grows = inner->grows;
    return relation;
}

static enum status from_sub_select(struct level *level, RangeSubselect *item, Node **out,
                                   struct names *names)
{
    struct level *inner;
    if (item->lateral)
        return plan_refuse(level->build, "0A000", "Join the datasets instead.",
                           "LATERAL is not supported");
    if (item->alias == NULL)
        return plan_refuse(level->build, "42601", "For example, FROM (SELECT …) AS foo.",
                           "subquery in FROM must have an alias");
    SelectStmt *select = castNode(SelectStmt, item->subquery);
    TRY(plan_select(level->build, select, false, &inner));
    struct relation *relation = sub_select_relation(inner, select, item->alias->aliasname);
    TRY(rename_columns(level, relation, item->alias));
    *out = (Node *)rewrite_subselect(select, relation->alias);
    return append_relation(level, relation, names);
}

static void append_names(struct names *all, const struct names *more)
{
    for (size_t i = 0; i < more->count; i++)
        all->entries[all->count++] = more->entries[i];
}

static struct names concatenate(const struct names *left, const struct names *right)
{
    struct names all = {.first = left->first, .end = right->end};
    all.entries = palloc0((left->count + right->count + 1) * sizeof *all.entries);
    append_names(&all, left);
    append_names(&all, right);
    return all;
}

static const char *entry_name(const struct name *entry)
{
    return entry->relation->columns[entry->column].name;
}

/* The one entry of that name, taken out of the list. */
static enum status take_entry(struct level *level, struct names *names, const char *name,
                              const char *side, struct name *out)
{
    size_t found = names->count;
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(entry_name(&names->entries[i]), name) != 0)
            continue;
        if (found != names->count)
            return plan_refuse(level->build, "42702", "Use ON.",
                               "common column name \"%s\" appears more than once in %s table", name,
                               side);
        found = i;
    }
    if (found == names->count)
        return plan_refuse(level->build, "42703", NULL,
                           "column \"%s\" specified in USING clause does not exist in %s table or "
                           "is not granted",
                           name, side);
    *out = names->entries[found];
    memmove(&names->entries[found], &names->entries[found + 1],
            (names->count - found - 1) * sizeof *names->entries);
    names->count--;
    return STATUS_OK;
}

static Node *entry_reference(const struct name *entry)
{
    ColumnRef *reference = rewrite_new(ColumnRef);
    reference->fields = list_make2(makeString(pstrdup(entry->relation->alias)),
                                   makeString(pstrdup(entry_name(entry))));
    reference->location = -1;
    return (Node *)reference;
}

/* USING (a, b) as left.a = right.a AND left.b = right.b; the merged columns go first. Types must
 * agree, since the left column stands for both. */
static enum status join_using(struct level *level, const List *columns, struct names *left,
                              struct names *right, Node **condition, struct names *merged)
{
    struct name *entries = palloc0(((size_t)list_length(columns) + 1) * sizeof *entries);
    size_t count = 0;
    *condition = NULL;
    ListCell *cell;
    foreach (cell, columns) {
        const char *name = strVal(lfirst(cell));
        struct name l, r;
        TRY(take_entry(level, left, name, "left", &l));
        TRY(take_entry(level, right, name, "right", &r));
        uint32_t left_type = l.relation->columns[l.column].type;
        uint32_t right_type = r.relation->columns[r.column].type;
        if (left_type != right_type)
            return plan_refuse(level->build, "0A000", "Use ON, and name the column that you want.",
                               "JOIN/USING over \"%s\" is not supported: the two columns are of "
                               "different types",
                               name);
        *condition = rewrite_and(*condition,
                                 rewrite_operator("=", entry_reference(&l), entry_reference(&r)));
        entries[count++] = l;
    }
    *merged = (struct names){.entries = entries, .count = count};
    return STATUS_OK;
}

static void keep_conjuncts(struct level *level, Node *node)
{
    if (IsA(node, BoolExpr) && ((BoolExpr *)node)->boolop == AND_EXPR) {
        ListCell *cell;
        foreach (cell, ((BoolExpr *)node)->args)
            keep_conjuncts(level, lfirst(cell));
        return;
    }
    level->conjuncts = lappend(level->conjuncts, copyObject(node));
}

static enum status condition(struct level *level, Node *node, const struct names *names,
                             const char *place, Node **out)
{
    struct resolver resolver = {
        .build = level->build, .level = level, .names = names, .place = place};
    struct expression expression;
    TRY(resolve_expression(&resolver, node, &expression));
    level->conditions = true;
    level->scope_first = names->first;
    level->scope_end = names->end;
    keep_conjuncts(level, expression.node);
    *out = guard_condition(level, &expression);
    return STATUS_OK;
}

static enum status check_join(struct level *level, const JoinExpr *join)
{
    if (join->jointype != JOIN_INNER)
        return plan_refuse(level->build, "0A000", "Use an inner join.",
                           "outer joins are not supported yet");
    if (join->isNatural)
        return plan_refuse(level->build, "0A000", "Use JOIN … USING (column).",
                           "NATURAL JOIN is not supported");
    if (join->alias != NULL || join->join_using_alias != NULL)
        return plan_refuse(level->build, "0A000", "Give each table its own alias.",
                           "an alias for a whole join is not supported");
    return STATUS_OK;
}

static enum status from_join(struct level *level, JoinExpr *join, Node **out, struct names *names)
{
    struct names left, right, merged = {0};
    Node *left_node, *right_node, *quals = join->quals;
    TRY(check_join(level, join));
    TRY(from_item(level, join->larg, &left_node, &left));
    TRY(from_item(level, join->rarg, &right_node, &right));
    struct names both = concatenate(&left, &right);
    if (join->usingClause != NIL)
        TRY(join_using(level, join->usingClause, &left, &right, &quals, &merged));
    if (quals != NULL)
        TRY(condition(level, quals, &both, "a join condition", &quals));
    if (join->usingClause != NIL) {
        struct names rest = concatenate(&left, &right);
        rest = concatenate(&merged, &rest);
        rest.first = both.first;
        rest.end = both.end;
        both = rest;
    }
    *out = rewrite_join(JOIN_INNER, left_node, right_node, quals);
    *names = both;
    return STATUS_OK;
}

static enum status from_item(struct level *level, Node *item, Node **out, struct names *names)
{
    switch (nodeTag(item)) {
    case T_RangeVar:
        return from_dataset(level, (const RangeVar *)item, out, names);
    case T_RangeSubselect:
        return from_sub_select(level, (RangeSubselect *)item, out, names);
    case T_JoinExpr:
        return from_join(level, (JoinExpr *)item, out, names);
    case T_RangeTableSample:
        return plan_refuse(level->build, "0A000", "Use LIMIT.", "TABLESAMPLE is not supported");
    case T_RangeFunction:
        return plan_refuse(level->build, "0A000", "Name datasets or sub-selects in FROM.",
                           "functions in FROM are not supported");
    default:
        return plan_refuse(level->build, "0A000", "Name datasets or sub-selects in FROM.",
                           "this kind of item in FROM is not supported");
    }
}

enum status resolve_from(struct level *level, List *from, Node *where, SelectStmt *out)
{
    struct names all = {0};
    List *items = NIL;
    ListCell *cell;
    foreach (cell, from) {
        struct names names;
        Node *node;
        TRY(from_item(level, lfirst(cell), &node, &names));
        items = lappend(items, node);
        all = concatenate(&all, &names);
        all.first = 0;
    }
    level->names = all;
    out->fromClause = items;
    out->whereClause = NULL;
    if (where != NULL)
        TRY(condition(level, where, &level->names, "WHERE", &out->whereClause));
    level->scope_first = 0;
    level->scope_end = level->relation_count;
    return STATUS_OK;
}
