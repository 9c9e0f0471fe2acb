/* What stands in FROM: tables, joins, subqueries, functions. */
#include "sql/tree/emitter.h"

static void emit_alias(struct emitter *emitter, Alias *alias)
{
    if (alias == NULL)
        return;
    emit_text(emitter, " AS ");
    emit_identifier(emitter, alias->aliasname);
    if (alias->colnames != NIL) {
        emit_text(emitter, " (");
        emit_list(emitter, alias->colnames, emit_identifier_node);
        emit_text(emitter, ")");
    }
}

static void emit_table(struct emitter *emitter, RangeVar *table)
{
    if (table->catalogname != NULL) {
        emit_refuse(emitter, "a table of another database");
        return;
    }
    if (!table->inh)
        emit_text(emitter, "ONLY ");
    if (table->schemaname != NULL) {
        emit_identifier(emitter, table->schemaname);
        emit_text(emitter, ".");
    }
    emit_identifier(emitter, table->relname);
    emit_alias(emitter, table->alias);
}

static void emit_subselect(struct emitter *emitter, RangeSubselect *item)
{
    if (!IsA(item->subquery, SelectStmt)) {
        emit_refuse(emitter, "this kind of subquery");
        return;
    }
    emit_text(emitter, item->lateral ? "LATERAL (" : "(");
    emit_select(emitter, (SelectStmt *)item->subquery);
    emit_text(emitter, ")");
    emit_alias(emitter, item->alias);
}

static const char *join_keyword(const JoinExpr *join)
{
    switch (join->jointype) {
    case JOIN_INNER:
        if (!join->isNatural && join->usingClause == NIL && join->quals == NULL)
            return " CROSS JOIN ";
        return " JOIN ";
    case JOIN_LEFT:
        return " LEFT JOIN ";
    case JOIN_RIGHT:
        return " RIGHT JOIN ";
    case JOIN_FULL:
        return " FULL JOIN ";
    default:
        return NULL;
    }
}

/* In parentheses, so that nesting reads as the tree is built. */
static void emit_join(struct emitter *emitter, JoinExpr *join)
{
    const char *keyword = join_keyword(join);

    if (keyword == NULL) {
        emit_refuse(emitter, "this kind of join");
        return;
    }
    emit_text(emitter, "(");
    emit_from_item(emitter, join->larg);
    emit_text(emitter, join->isNatural ? " NATURAL" : "");
    emit_text(emitter, keyword);
    emit_from_item(emitter, join->rarg);
    if (join->usingClause != NIL) {
        emit_text(emitter, " USING (");
        emit_list(emitter, join->usingClause, emit_identifier_node);
        emit_text(emitter, ")");
        emit_alias(emitter, join->join_using_alias);
    } else if (join->quals != NULL) {
        emit_text(emitter, " ON ");
        emit_parenthesised(emitter, join->quals);
    }
    emit_text(emitter, ")");
    emit_alias(emitter, join->alias);
}

static void emit_column_definition(struct emitter *emitter, Node *node)
{
    ColumnDef *column = castNode(ColumnDef, node);

    emit_identifier(emitter, column->colname);
    emit_text(emitter, " ");
    emit_type(emitter, column->typeName);
    if (column->collClause != NULL) {
        emit_text(emitter, " COLLATE ");
        emit_qualified(emitter, column->collClause->collname);
    }
}

/* A member of RangeFunction.functions: (call, column definitions). */
static void emit_from_call(struct emitter *emitter, Node *node)
{
    List *pair = castNode(List, node);

    emit_expression(emitter, linitial(pair));
    if (lsecond(pair) != NULL) {
        emit_text(emitter, " AS (");
        emit_list(emitter, lsecond(pair), emit_column_definition);
        emit_text(emitter, ")");
    }
}

/* Column definitions stand where an alias has its column names; the name may be missing. */
static void emit_definitions(struct emitter *emitter, RangeFunction *item)
{
    emit_text(emitter, " AS ");
    if (item->alias != NULL)
        emit_identifier(emitter, item->alias->aliasname);
    emit_text(emitter, " (");
    emit_list(emitter, item->coldeflist, emit_column_definition);
    emit_text(emitter, ")");
}

static void emit_from_function(struct emitter *emitter, RangeFunction *item)
{
    emit_text(emitter, item->lateral ? "LATERAL " : "");
    emit_text(emitter, item->is_rowsfrom ? "ROWS FROM (" : "");
    emit_list(emitter, item->functions, emit_from_call);
    emit_text(emitter, item->is_rowsfrom ? ")" : "");
    emit_text(emitter, item->ordinality ? " WITH ORDINALITY" : "");
    if (item->coldeflist != NIL)
        emit_definitions(emitter, item);
    else
        emit_alias(emitter, item->alias);
}

static void emit_from_node(struct emitter *emitter, Node *node)
{
    switch (nodeTag(node)) {
    case T_RangeVar:
        emit_table(emitter, (RangeVar *)node);
        break;
    case T_RangeSubselect:
        emit_subselect(emitter, (RangeSubselect *)node);
        break;
    case T_JoinExpr:
        emit_join(emitter, (JoinExpr *)node);
        break;
    case T_RangeFunction:
        emit_from_function(emitter, (RangeFunction *)node);
        break;
    case T_RangeTableSample:
        emit_refuse(emitter, "TABLESAMPLE");
        break;
    case T_RangeTableFunc:
        emit_refuse(emitter, "XMLTABLE");
        break;
    default:
        emit_refuse(emitter, "this kind of item in FROM");
        break;
    }
}

void emit_from_item(struct emitter *emitter, Node *node)
{
    if (!emit_enter(emitter))
        return;
    emit_from_node(emitter, node);
    emit_leave(emitter);
}
