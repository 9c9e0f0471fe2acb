/* The names of the columns that a statement over the catalogue returns: what `*` stands for follows
 * from the tables' definitions, which name each of their columns. Reads rewritten trees only. */
#include <string.h>

#include "sql/virtual/virtual_private.h"

/* WORK_MAX: SELECTs looked at, and columns of theirs, in one statement: what names a WITH query
 * twice in each of many looks at the first of them without end. */
enum { DEPTH_MAX = 100, WORK_MAX = 100000 };

/* WITH queries in sight, the nearest first. */
struct scope {
    const List *tables; /* CommonTableExpr */
    const struct scope *outer;
};

struct columns {
    struct build *build;
    const struct scope *scope;
    size_t depth;
    size_t *work;
};

static enum status select_columns(const struct columns *outer, const SelectStmt *select,
                                  List **names);

static enum status lost(const struct columns *columns)
{
    return plan_refuse(columns->build, "0A000", "Name the columns instead of *.",
                       "the columns of this statement cannot be told");
}

static enum status add_work(const struct columns *columns, size_t work)
{
    *columns->work += work;
    if (*columns->work <= WORK_MAX)
        return STATUS_OK;
    return plan_refuse(columns->build, "54011", "Name the columns instead of *.",
                       "the columns of this statement are too many to be told");
}

/* Names given in an alias stand for the first ones. More than there are tell the columns of a
 * function that is not in the list below. */
static List *renamed(List *names, const List *given)
{
    List *result = NIL;
    const ListCell *cell;
    foreach (cell, given)
        result = lappend(result, strVal(lfirst(cell)));
    for (int i = list_length(given); i < list_length(names); i++)
        result = lappend(result, list_nth(names, i));
    return result;
}

static enum status table_columns(const struct columns *columns, const RangeVar *range, List **names)
{
    for (const struct scope *at = columns->scope; at != NULL; at = at->outer) {
        const ListCell *cell;
        foreach (cell, at->tables) {
            const CommonTableExpr *table = lfirst_node(CommonTableExpr, cell);
            if (strcmp(table->ctename, range->relname) != 0)
                continue;
            struct columns inner = *columns;
            inner.scope = at;
            TRY(select_columns(&inner, (const SelectStmt *)table->ctequery, names));
            *names = renamed(*names, table->aliascolnames);
            return STATUS_OK;
        }
    }
    return lost(columns);
}

/* The columns of the functions that have several. */
static List *function_columns(const char *name, const char *alias)
{
    static const struct {
        const char *function, *columns[6];
    } known[] = {
        {"_pg_expandarray", {"x", "n"}},
        {"pg_get_keywords", {"word", "catcode", "barelabel", "catdesc", "baredesc"}},
        {"pg_options_to_table", {"option_name", "option_value"}},
        {"pg_partition_ancestors", {"relid"}},
        {"pg_partition_tree", {"relid", "parentrelid", "isleaf", "level"}},
        {"aclexplode", {"grantor", "grantee", "privilege_type", "is_grantable"}},
    };
    List *names = NIL;
    for (size_t i = 0; i < lengthof(known); i++)
        if (strcmp(known[i].function, name) == 0)
            for (size_t c = 0; known[i].columns[c] != NULL; c++)
                names = lappend(names, pstrdup(known[i].columns[c]));
    return names == NIL ? list_make1(pstrdup(alias == NULL ? name : alias)) : names;
}

List *virtual_function_columns(const RangeFunction *range)
{
    const char *alias = range->alias == NULL ? NULL : range->alias->aliasname;
    List *names = NIL;
    const ListCell *cell;
    foreach (cell, range->functions) {
        const FuncCall *call = linitial_node(FuncCall, lfirst_node(List, cell));
        names = list_concat(names, function_columns(strVal(llast(call->funcname)),
                                                    range->is_rowsfrom ? NULL : alias));
    }
    return range->ordinality ? lappend(names, pstrdup("ordinality")) : names;
}

static bool holds(const List *names, const char *name)
{
    const ListCell *cell;
    foreach (cell, names)
        if (strcmp(lfirst(cell), name) == 0)
            return true;
    return false;
}

static List *without(const List *names, const List *left_out)
{
    List *result = NIL;
    const ListCell *cell;
    foreach (cell, names)
        if (!holds(left_out, lfirst(cell)))
            result = lappend(result, lfirst(cell));
    return result;
}

/* Merged columns come first, then the rest of either side. */
static List *joined(const JoinExpr *join, List *left, List *right)
{
    List *merged = NIL;
    const ListCell *cell;
    foreach (cell, join->usingClause)
        merged = lappend(merged, strVal(lfirst(cell)));
    if (join->isNatural)
        foreach (cell, left)
            if (holds(right, lfirst(cell)))
                merged = lappend(merged, lfirst(cell));
    List *names = list_concat(list_copy(merged), without(left, merged));
    return list_concat(names, without(right, merged));
}

static const Alias *alias_of(const Node *item)
{
    switch (nodeTag(item)) {
    case T_RangeVar:
        return ((const RangeVar *)item)->alias;
    case T_RangeSubselect:
        return ((const RangeSubselect *)item)->alias;
    case T_RangeFunction:
        return ((const RangeFunction *)item)->alias;
    case T_JoinExpr:
        return ((const JoinExpr *)item)->alias;
    default:
        return NULL;
    }
}

static enum status item_columns(const struct columns *columns, const Node *item, List **names)
{
    List *right;
    switch (nodeTag(item)) {
    case T_RangeVar:
        TRY(table_columns(columns, (const RangeVar *)item, names));
        break;
    case T_RangeSubselect:
        TRY(select_columns(columns, (const SelectStmt *)((const RangeSubselect *)item)->subquery,
                           names));
        break;
    case T_RangeFunction:
        *names = virtual_function_columns((const RangeFunction *)item);
        break;
    case T_JoinExpr:
        TRY(item_columns(columns, ((const JoinExpr *)item)->larg, names));
        TRY(item_columns(columns, ((const JoinExpr *)item)->rarg, &right));
        *names = joined((const JoinExpr *)item, *names, right);
        break;
    default:
        return lost(columns);
    }
    if (alias_of(item) != NULL)
        *names = renamed(*names, alias_of(item)->colnames);
    return STATUS_OK;
}

static const char *name_of(const Node *item)
{
    if (alias_of(item) != NULL)
        return alias_of(item)->aliasname;
    if (IsA(item, RangeVar))
        return ((const RangeVar *)item)->relname;
    if (IsA(item, RangeFunction) && list_length(((const RangeFunction *)item)->functions) == 1)
        return strVal(llast(
            linitial_node(FuncCall, linitial_node(List, ((const RangeFunction *)item)->functions))
                ->funcname));
    return "";
}

List *virtual_called(const List *functions)
{
    List *called = NIL;
    const ListCell *cell;
    foreach (cell, functions) {
        const RangeFunction *range = lfirst_node(RangeFunction, cell);
        struct virtual_called *item = palloc0(sizeof *item);
        item->name = pstrdup(name_of((const Node *)range));
        item->columns = virtual_function_columns(range);
        if (range->alias != NULL)
            item->columns = renamed(item->columns, range->alias->colnames);
        called = lappend(called, item);
    }
    return called;
}

bool virtual_names_column(const List *called, const char *alias, const char *column)
{
    const ListCell *cell;
    foreach (cell, called) {
        const struct virtual_called *item = lfirst(cell);
        if (strcmp(item->name, alias) == 0 && !holds(item->columns, column))
            return false;
    }
    return true;
}

/* The item of FROM that goes by the name; NULL if there is none. */
static const Node *find_item(const Node *item, const char *name)
{
    if (strcmp(name_of(item), name) == 0)
        return item;
    if (!IsA(item, JoinExpr) || alias_of(item) != NULL)
        return NULL;
    const Node *found = find_item(((const JoinExpr *)item)->larg, name);
    return found != NULL ? found : find_item(((const JoinExpr *)item)->rarg, name);
}

static enum status star_columns(const struct columns *columns, const SelectStmt *select,
                                const ColumnRef *star, List **names)
{
    const char *wanted = list_length(star->fields) == 1
                             ? NULL
                             : strVal(list_nth(star->fields, list_length(star->fields) - 2));
    const ListCell *cell;
    bool found = false;
    foreach (cell, select->fromClause) {
        const Node *item = wanted == NULL ? lfirst(cell) : find_item(lfirst(cell), wanted);
        List *own;
        if (item == NULL)
            continue;
        TRY(item_columns(columns, item, &own));
        TRY(add_work(columns, (size_t)list_length(own)));
        *names = list_concat(*names, own);
        found = true;
    }
    return found ? STATUS_OK : lost(columns);
}

static enum status target_columns(const struct columns *columns, const SelectStmt *select,
                                  List **names)
{
    const ListCell *cell;
    foreach (cell, select->targetList) {
        const ResTarget *target = lfirst_node(ResTarget, cell);
        if (IsA(target->val, ColumnRef) && IsA(llast(((ColumnRef *)target->val)->fields), A_Star))
            TRY(star_columns(columns, select, (const ColumnRef *)target->val, names));
        else
            *names = lappend(*names, target->name);
    }
    return STATUS_OK;
}

static enum status select_columns(const struct columns *outer, const SelectStmt *select,
                                  List **names)
{
    struct columns columns = *outer;
    struct scope scope = {.outer = outer->scope};
    *names = NIL;
    TRY(add_work(outer, 1));
    if (columns.depth++ > DEPTH_MAX)
        return lost(outer);
    if (select->withClause != NULL) {
        scope.tables = select->withClause->ctes;
        columns.scope = &scope;
    }
    if (select->op != SETOP_NONE)
        return select_columns(&columns, select->larg, names);
    if (select->valuesLists == NIL)
        return target_columns(&columns, select, names);
    for (int i = 0; i < list_length(linitial_node(List, select->valuesLists)); i++)
        *names = lappend(*names, psprintf("column%d", i + 1));
    return STATUS_OK;
}

enum status virtual_columns(struct build *build, SelectStmt *select, List *tables, List **names)
{
    const struct scope scope = {.tables = tables};
    size_t work = 0;
    const struct columns columns = {.build = build, .scope = &scope, .work = &work};
    return select_columns(&columns, select, names);
}

enum status virtual_table_columns(struct build *build, const RangeVar *range, List *tables,
                                  List **names)
{
    const struct scope scope = {.tables = tables};
    size_t work = 0;
    const struct columns columns = {.build = build, .scope = &scope, .work = &work};
    const ListCell *cell;
    *names = NIL;
    foreach (cell, tables)
        if (strcmp(lfirst_node(CommonTableExpr, cell)->ctename, range->relname) == 0) {
            TRY(table_columns(&columns, range, names));
            *names = renamed(*names, range->alias->colnames);
        }
    return STATUS_OK;
}

static const char *sublink_name(const SubLink *link)
{
    if (link->subLinkType == EXISTS_SUBLINK)
        return "exists";
    if (link->subLinkType == ARRAY_SUBLINK)
        return "array";
    if (link->subLinkType != EXPR_SUBLINK)
        return "?column?";
    const SelectStmt *select = (const SelectStmt *)link->subselect;
    while (select->op != SETOP_NONE)
        select = select->larg;
    if (select->targetList == NIL)
        return "?column?";
    const ResTarget *target = linitial_node(ResTarget, select->targetList);
    return target->name != NULL ? target->name : virtual_column_name(target->val);
}

/* plan_column_name() beside what only stands in statements over the catalogue. */
const char *virtual_column_name(const Node *node)
{
    const Node *inner = node;
    while (IsA(inner, TypeCast) || IsA(inner, CollateClause))
        inner = IsA(inner, TypeCast) ? ((const TypeCast *)inner)->arg
                                     : ((const CollateClause *)inner)->arg;
    if (IsA(inner, SubLink))
        return sublink_name((const SubLink *)inner);
    if (IsA(inner, A_Indirection)) {
        const Node *last = llast(((const A_Indirection *)inner)->indirection);
        return IsA(last, String) ? strVal(last)
                                 : virtual_column_name(((const A_Indirection *)inner)->arg);
    }
    return IsA(inner, RowExpr) ? "row" : plan_column_name(IsA(node, CollateClause) ? inner : node);
}
