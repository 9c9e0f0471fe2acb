/* WITH: each query is planned once, as a sub-select; its references in FROM are copies of the
 * relation that it is. */
#include <string.h>

#include "sql/plan/plan_build.h"

const struct common_table *plan_find_common_table(const struct build *build, const RangeVar *range)
{
    if (range->schemaname != NULL || range->catalogname != NULL)
        return NULL;
    for (const struct common_table *table = build->common_tables; table != NULL;
         table = table->next)
        if (strcmp(table->name, range->relname) == 0)
            return table;
    return NULL;
}

static enum status refuse(struct build *build, const CommonTableExpr *query)
{
    if (!IsA(query->ctequery, SelectStmt))
        return plan_refuse(build, "0A000", "Send what changes data as a statement of its own.",
                           "WITH \"%s\": only SELECT can stand there", query->ctename);
    return plan_refuse(build, "0A000", "Keep the path in a column of your own.",
                       "WITH \"%s\": SEARCH and CYCLE are not supported", query->ctename);
}

enum status plan_name_columns(struct build *build, const CommonTableExpr *query,
                              struct relation *relation)
{
    size_t count = (size_t)list_length(query->aliascolnames);
    if (count > relation->column_count)
        return plan_refuse(build, "42P10", "Name fewer columns behind the query's name.",
                           "WITH query \"%s\" has %zu columns available but %zu columns specified",
                           query->ctename, relation->column_count, count);
    for (size_t i = 0; i < count; i++)
        relation->columns[i].name = strVal(list_nth(query->aliascolnames, (int)i));
    return STATUS_OK;
}

static enum status plan_table(struct build *build, CommonTableExpr *query,
                              const struct resolver *outer, struct relation **out)
{
    struct level *level;
    SelectStmt *select = (SelectStmt *)query->ctequery;
    TRY(plan_select(build, &select, outer, false, &level));
    struct relation *relation = resolve_sub_select(level, select, query->ctename);
    TRY(plan_name_columns(build, query, relation));
    relation->select = NULL; /* others may read it: nothing is added to it later */
    relation->alias = plan_hidden_name();
    query->ctequery = (Node *)select;
    *out = relation;
    return STATUS_OK;
}

static enum status add_table(struct build *build, CommonTableExpr *query, bool recursive,
                             const struct resolver *outer, bool top)
{
    struct relation *relation;
    size_t failing = build->failing;
    if (!IsA(query->ctequery, SelectStmt) || query->search_clause != NULL ||
        query->cycle_clause != NULL)
        return refuse(build, query);
    if (recursive && plan_reads(query->ctequery, query->ctename))
        TRY(plan_recursive(build, query, outer, top, &relation));
    else
        TRY(plan_table(build, query, outer, &relation));
    relation->failing = build->failing != failing;
    query->ctename = pstrdup(relation->alias);
    query->aliascolnames = NIL;
    struct common_table *table = palloc0(sizeof *table);
    *table = (struct common_table){
        .name = relation->name, .relation = relation, .top = top, .next = build->common_tables};
    build->common_tables = table;
    return STATUS_OK;
}

/* In WITH RECURSIVE a query may read one that comes after it. */
static enum status check_forward(struct build *build, const WithClause *with, const ListCell *at)
{
    const CommonTableExpr *query = lfirst(at);
    for (int i = list_cell_number(with->ctes, at) + 1; i < list_length(with->ctes); i++) {
        const char *later = list_nth_node(CommonTableExpr, with->ctes, i)->ctename;
        if (plan_reads(query->ctequery, later))
            return plan_refuse(build, "0A000", "Put that query first.",
                               "WITH query \"%s\" reads \"%s\", which comes after it",
                               query->ctename, later);
    }
    return STATUS_OK;
}

enum status plan_with(struct build *build, WithClause *with, const struct resolver *outer, bool top)
{
    ListCell *cell, *other;
    foreach (cell, with->ctes) {
        CommonTableExpr *query = lfirst_node(CommonTableExpr, cell);
        foreach (other, with->ctes)
            if (lfirst(other) != (const void *)query &&
                strcmp(lfirst_node(CommonTableExpr, other)->ctename, query->ctename) == 0)
                return plan_refuse(build, "42712", "Give one of them another name.",
                                   "WITH query name \"%s\" specified more than once",
                                   query->ctename);
        if (with->recursive)
            TRY(check_forward(build, with, cell));
        TRY(add_table(build, query, with->recursive, outer, top));
    }
    return STATUS_OK;
}
