/* Functions in FROM: generate_series(…), unnest(…), jsonb_to_recordset(…) AS t(a int) and the like.
 * Their rows are about nobody but whom their arguments come from, and those stand to the left in
 * the same FROM, with their keys. A guarded argument is NULL on hidden rows: no rows come of it. */
#include <string.h>

#include "sql/allow/allow.h"
#include "sql/plan/plan_build.h"

enum { COLUMNS_MAX = 200 };

/* What the columns are called where the alias does not say. One column that has no name of its own
 * is called as the alias is. */
static const struct {
    const char *function, *columns[2];
    uint32_t types[2];
} outputs[] = {
    {"json_each", {"key", "value"}, {TYPE_TEXT, 114}},
    {"jsonb_each", {"key", "value"}, {TYPE_TEXT, TYPE_JSONB}},
    {"json_each_text", {"key", "value"}, {TYPE_TEXT, TYPE_TEXT}},
    {"jsonb_each_text", {"key", "value"}, {TYPE_TEXT, TYPE_TEXT}},
    {"json_array_elements", {"value"}, {0}},
    {"jsonb_array_elements", {"value"}, {0}},
    {"json_array_elements_text", {"value"}, {0}},
    {"jsonb_array_elements_text", {"value"}, {0}},
};

struct reading {
    struct resolver resolver;
    struct relation *relation;
    const char *alias; /* or the function's name */
    bool unstable;
    uint64_t relations;
    uint32_t collation;      /* of the texts that the function at hand gives */
    uint64_t missing, nulls; /* of what it gives; see struct column */
};

static enum status add_column(struct reading *reading, const char *name, uint32_t type)
{
    struct relation *relation = reading->relation;
    if (relation->column_count == COLUMNS_MAX)
        return plan_refuse(reading->resolver.build, "54011", "Name fewer columns.",
                           "a function in FROM can have at most %d columns", COLUMNS_MAX);
    relation->columns =
        plan_grow(relation->columns, relation->column_count, sizeof *relation->columns);
    relation->columns[relation->column_count++] = (struct column){.name = name,
                                                                  .type = type,
                                                                  .collation = reading->collation,
                                                                  .unstable = reading->unstable,
                                                                  .missing = reading->missing,
                                                                  .nulls = reading->nulls};
    return STATUS_OK;
}

static enum status defined_columns(struct reading *reading, List *definitions)
{
    ListCell *cell;
    foreach (cell, definitions) {
        ColumnDef *definition = lfirst_node(ColumnDef, cell);
        uint32_t type;
        if (definition->collClause != NULL)
            return plan_refuse(reading->resolver.build, "0A000", "Leave it out.",
                               "COLLATE in a column definition list is not supported");
        TRY(resolve_type(&reading->resolver, definition->typeName, &type));
        TRY(add_column(reading, definition->colname, type));
    }
    return STATUS_OK;
}

static enum status output_columns(struct reading *reading, const FuncCall *call,
                                  const struct expression *value)
{
    const char *name = strVal(llast(call->funcname));
    for (size_t i = 0; i < lengthof(outputs); i++) {
        if (strcmp(outputs[i].function, name) != 0)
            continue;
        for (size_t c = 0; c < 2 && outputs[i].columns[c] != NULL; c++)
            TRY(add_column(reading, outputs[i].columns[c],
                           outputs[i].types[c] != 0 ? outputs[i].types[c] : value->type));
        return STATUS_OK;
    }
    if (strcmp(name, "unnest") == 0 && list_length(call->args) > 1) {
        for (int i = 0; i < list_length(call->args); i++)
            TRY(add_column(reading, "unnest", 0));
        return STATUS_OK;
    }
    return add_column(reading, reading->alias, value->type == TYPE_RECORD ? 0 : value->type);
}

/* unnest(a, b) is a form of FROM, not a function: it is known by its bare name alone. */
static void keep_several_arrays(FuncCall *call)
{
    if (list_length(call->args) > 1 && strcmp(strVal(llast(call->funcname)), "unnest") == 0)
        call->funcname = list_make1(makeString(pstrdup("unnest")));
}

static enum status read_function(struct reading *reading, List *pair, List *definitions)
{
    struct build *build = reading->resolver.build;
    Node *node = linitial(pair);
    struct expression value;
    if (lsecond(pair) != NULL)
        definitions = lsecond(pair);
    if (!IsA(node, FuncCall) || ((FuncCall *)node)->agg_star || ((FuncCall *)node)->over != NULL)
        return plan_refuse(build, "0A000",
                           "generate_series, unnest and the like are supported there.",
                           "this kind of function in FROM is not supported");
    uint64_t before = reading->resolver.level->fences, read;
    reading->resolver.level->fences = 0; /* a WITH query may read those that are there already */
    TRY(resolve_expression(&reading->resolver, node, &value));
    read = reading->resolver.level->fences;
    reading->resolver.level->fences |= before;
    if (!IsA(value.node, FuncCall))
        return plan_refuse(build, "0A000", "Put the value into the target list.",
                           "a function that the gateway answers is not supported in FROM");
    if (read != 0)
        return plan_refuse(build, "0A000", "Put the sub-select into FROM, and name its column.",
                           "sub-selects in the arguments of a function in FROM are not supported");
    if (!value.total && !value.set)
        return plan_refuse(build, "0A000", "Put it into the target list.",
                           "a function that may fail and returns no set cannot stand in FROM");
    linitial(pair) = value.node;
    keep_several_arrays((FuncCall *)value.node);
    reading->unstable = reading->unstable || value.unstable;
    reading->relations |= value.relations;
    reading->missing = value.missing;
    reading->nulls = value.nulls;
    reading->collation = definitions == NIL ? value.collation : 0;
    if (definitions != NIL)
        return defined_columns(reading, definitions);
    return output_columns(reading, (FuncCall *)value.node, &value);
}

/* unnest(a, b) gives two columns of one name, and * means each of them. */
static bool is_named_before(const struct relation *relation, size_t column)
{
    for (size_t i = 0; i < column; i++)
        if (strcmp(relation->columns[i].name, relation->columns[column].name) == 0)
            return true;
    return false;
}

static enum status rename_columns(struct reading *reading, const Alias *alias)
{
    struct relation *relation = reading->relation;
    size_t count = alias == NULL ? 0 : (size_t)list_length(alias->colnames);
    if (count > relation->column_count)
        return plan_refuse(reading->resolver.build, "42P10", "Name fewer columns behind the alias.",
                           "table \"%s\" has %zu columns available but %zu columns specified",
                           relation->name, relation->column_count, count);
    for (size_t i = 0; i < count; i++)
        relation->columns[i].name = strVal(list_nth(alias->colnames, (int)i));
    for (size_t i = 0; i < relation->column_count; i++)
        relation->columns[i].emit =
            is_named_before(relation, i) ? plan_hidden_name() : relation->columns[i].name;
    return STATUS_OK;
}

static const char *first_function(const RangeFunction *item)
{
    Node *node = linitial(linitial_node(List, item->functions));
    return IsA(node, FuncCall) ? strVal(llast(((FuncCall *)node)->funcname)) : "function";
}

enum status resolve_range_function(struct level *level, RangeFunction *item,
                                   const struct names *left, struct relation **out)
{
    struct relation *relation = palloc0(sizeof *relation);
    struct reading reading = {.relation = relation};
    size_t first = level->scope_first, end = level->scope_end;
    relation->name = item->alias != NULL ? item->alias->aliasname : first_function(item);
    reading.alias = relation->name;
    reading.resolver = (struct resolver){.build = level->build,
                                         .level = level,
                                         .names = left,
                                         .place = "FROM",
                                         .sets = true,
                                         .sublinks = SUBLINK_CONDITION};
    level->scope_first = left->first;
    level->scope_end = left->end;
    ListCell *cell;
    foreach (cell, item->functions)
        TRY(read_function(&reading, lfirst_node(List, cell), item->coldeflist));
    level->scope_first = first;
    level->scope_end = end;
    reading.collation = 0;
    reading.missing = reading.nulls = 0;
    if (item->ordinality)
        TRY(add_column(&reading, "ordinality", TYPE_INT8));
    TRY(rename_columns(&reading, item->alias));
    if (reading.unstable) {
        relation->grows = left->changes;
        level->judged |= reading.relations;
    }
    relation->outer_reads = reading.relations;
    level->build->sets = true;
    level->plain_statistic = false;
    *out = relation;
    return STATUS_OK;
}

/* The item under its alias, each of its columns named. */
void resolve_name_function(const struct relation *relation, RangeFunction *item)
{
    List *names = NIL;
    if (item->coldeflist != NIL) {
        item->alias = makeAlias(pstrdup(relation->alias), NIL);
        return;
    }
    for (size_t i = 0; i < relation->column_count; i++)
        names = lappend(names, makeString(pstrdup(relation->columns[i].emit)));
    item->alias = makeAlias(pstrdup(relation->alias), names);
}
