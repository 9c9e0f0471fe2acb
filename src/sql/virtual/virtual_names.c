/* Names that a statement over the catalogue has no meaning for, told in the partner's own words.
 * PostgreSQL would find them too, but its texts stay upstream (upstream_error.c).
 * Invariant: what is refused here is in no table, sub-select or function of the statement at all;
 * a name that only another scope knows passes, and PostgreSQL refuses it. */
#include <string.h>

#include "sql/allow/allow.h"
#include "sql/virtual/virtual_private.h"

/* An item of FROM that has a name, and its columns; NIL where those of any item may be meant. */
struct source {
    const char *name;
    List *columns;
};

struct virtual_names {
    List *references; /* ColumnRef */
    List *sources;    /* struct source */
    List *ranges;     /* RangeVar, and behind each its struct source */
    List *known;      /* of all items, aliases and targets */
    bool open;        /* a function's columns cannot be told: any name may be one of them */
};

static bool holds(const List *names, const char *name)
{
    const ListCell *cell;
    foreach (cell, names)
        if (strcmp(lfirst(cell), name) == 0)
            return true;
    return false;
}

static struct source *add_source(struct virtual_names *names, const char *name)
{
    struct source *source = palloc0(sizeof *source);
    source->name = name;
    names->sources = lappend(names->sources, source);
    names->known = lappend(names->known, pstrdup(name));
    return source;
}

static void add_columns(struct virtual_names *names, const Alias *alias)
{
    const ListCell *cell;
    foreach (cell, alias == NULL ? NIL : alias->colnames)
        names->known = lappend(names->known, strVal(lfirst(cell)));
}

static void add_alias(struct virtual_names *names, const Alias *alias)
{
    if (alias != NULL)
        (void)add_source(names, alias->aliasname);
    add_columns(names, alias);
}

static void add_range(struct virtual_names *names, RangeVar *range)
{
    const char *name = range->alias == NULL ? range->relname : range->alias->aliasname;
    names->ranges = lappend(lappend(names->ranges, range), add_source(names, pstrdup(name)));
    add_columns(names, range->alias);
}

static void add_function(struct virtual_names *names, const RangeFunction *range)
{
    const ListCell *cell;
    add_alias(names, range->alias);
    names->known = list_concat(names->known, virtual_function_columns(range));
    foreach (cell, range->functions) {
        const FuncCall *call = linitial_node(FuncCall, lfirst_node(List, cell));
        const char *name = strVal(llast(call->funcname));
        (void)add_source(names, name);
        names->open = names->open || virtual_find_function(name, list_length(call->args)) == NULL;
    }
}

static void add_with(struct virtual_names *names, const CommonTableExpr *table)
{
    const ListCell *cell;
    foreach (cell, table->aliascolnames)
        names->known = lappend(names->known, strVal(lfirst(cell)));
}

static void add_target(struct virtual_names *names, const ResTarget *target)
{
    if (target->name != NULL)
        names->known = lappend(names->known, target->name);
    else if (!IsA(target->val, ColumnRef))
        names->known = lappend(names->known, pstrdup(virtual_column_name(target->val)));
}

static void add_values(struct virtual_names *names, const SelectStmt *select)
{
    for (int i = 0; select->valuesLists != NIL && i < list_length(linitial(select->valuesLists));
         i++)
        names->known = lappend(names->known, psprintf("column%d", i + 1));
}

static bool names_walker(Node *node, void *context)
{
    struct virtual_names *names = context;
    if (node == NULL)
        return false;
    switch (nodeTag(node)) {
    case T_ColumnRef:
        names->references = lappend(names->references, node);
        break;
    case T_RangeVar:
        add_range(names, (RangeVar *)node);
        break;
    case T_RangeSubselect:
        add_alias(names, ((RangeSubselect *)node)->alias);
        break;
    case T_RangeFunction:
        add_function(names, (RangeFunction *)node);
        break;
    case T_JoinExpr:
        add_alias(names, ((JoinExpr *)node)->alias);
        add_alias(names, ((JoinExpr *)node)->join_using_alias);
        break;
    case T_CommonTableExpr:
        add_with(names, (CommonTableExpr *)node);
        break;
    case T_ResTarget:
        add_target(names, (ResTarget *)node);
        break;
    case T_SelectStmt:
        add_values(names, (SelectStmt *)node);
        break;
    default:
        break;
    }
    return raw_expression_tree_walker(node, names_walker, context);
}

struct virtual_names *virtual_names_survey(SelectStmt *select)
{
    struct virtual_names *names = palloc0(sizeof *names);
    (void)names_walker((Node *)select, names);
    return names;
}

/* Tables of the catalogue have become ours: their columns are known now. */
static enum status learn(struct build *build, struct virtual_names *names, List *tables)
{
    for (int i = 0; i < list_length(names->ranges); i += 2) {
        struct source *source = list_nth(names->ranges, i + 1);
        TRY(virtual_table_columns(build, list_nth(names->ranges, i), tables, &source->columns));
        names->known = list_concat(names->known, source->columns);
    }
    return STATUS_OK;
}

static const char *suggest(const List *columns, const char *name)
{
    const char *best = NULL;
    const ListCell *cell;
    foreach (cell, columns)
        best = allow_nearer(name, lfirst(cell), best);
    return best;
}

static enum status unknown(struct build *build, const char *alias, const List *columns,
                           const char *name)
{
    const char *near = suggest(columns, name), *hint;
    if (near == NULL)
        hint = "SELECT * shows the columns that a table of the catalogue has here.";
    else
        hint = alias == NULL ? psprintf("Did you mean \"%s\"?", near)
                             : psprintf("Did you mean \"%s.%s\"?", alias, near);
    if (alias == NULL)
        return plan_refuse(build, "42703", hint, "column \"%s\" does not exist", name);
    return plan_refuse(build, "42703", hint, "column %s.%s does not exist", alias, name);
}

/* a.b: of all items that are called a, one at least has to have a column b. */
static enum status check_qualified(struct build *build, const struct virtual_names *names,
                                   const char *alias, const Node *last)
{
    const List *columns = NIL;
    const ListCell *cell;
    bool found = false;
    foreach (cell, names->sources) {
        const struct source *source = lfirst(cell);
        if (strcmp(source->name, alias) != 0)
            continue;
        bool told = source->columns != NIL;
        if (!IsA(last, String) || (!told && names->open) ||
            holds(told ? source->columns : names->known, strVal(last)))
            return STATUS_OK;
        columns = source->columns;
        found = true;
    }
    if (!found)
        return plan_refuse(build, "42P01", "Name it in FROM, or correct the alias.",
                           "missing FROM-clause entry for table \"%s\"", alias);
    return unknown(build, alias, columns, strVal(last));
}

/* The check is a courtesy: no statement may make it take long. */
static bool is_too_much(const struct virtual_names *names)
{
    enum { COMPARISONS_MAX = 4000000 }; /* some 20 ms */
    size_t each = (size_t)list_length(names->known) + (size_t)list_length(names->sources);
    return each * (size_t)list_length(names->references) > COMPARISONS_MAX;
}

enum status virtual_names_check(struct build *build, struct virtual_names *names, List *tables)
{
    const ListCell *cell;
    TRY(learn(build, names, tables));
    if (is_too_much(names))
        return STATUS_OK;
    foreach (cell, names->references) {
        const List *fields = lfirst_node(ColumnRef, cell)->fields;
        const Node *last = llast(fields);
        int count = list_length(fields);
        if (count > 1)
            TRY(check_qualified(build, names, strVal(list_nth(fields, count - 2)), last));
        else if (IsA(last, String) && !names->open && !holds(names->known, strVal(last)))
            TRY(unknown(build, NULL, names->known, strVal(last)));
    }
    return STATUS_OK;
}
