/* SELECT, VALUES, set operations, WITH. */
#include "sql/tree/emitter.h"

void emit_clause(struct emitter *emitter, const char *keyword, List *list, emit_function *function)
{
    if (list == NIL)
        return;
    emit_text(emitter, keyword);
    emit_list(emitter, list, function);
}

void emit_condition(struct emitter *emitter, const char *keyword, Node *condition)
{
    if (condition == NULL)
        return;
    emit_text(emitter, keyword);
    emit_expression(emitter, condition);
}

/* What stands behind AS: a query, or a change of data that the rewriting put there (a partner's own
 * does not get so far: only a SELECT is planned). */
static void emit_common_query(struct emitter *emitter, Node *query)
{
    switch (nodeTag(query)) {
    case T_SelectStmt:
        emit_select(emitter, (SelectStmt *)query);
        break;
    case T_InsertStmt:
        emit_insert(emitter, (InsertStmt *)query);
        break;
    case T_UpdateStmt:
        emit_update(emitter, (UpdateStmt *)query);
        break;
    case T_DeleteStmt:
        emit_delete(emitter, (DeleteStmt *)query);
        break;
    default:
        emit_refuse(emitter, "this kind of statement inside WITH");
    }
}

static void emit_common_table(struct emitter *emitter, Node *node)
{
    CommonTableExpr *table = castNode(CommonTableExpr, node);

    if (table->search_clause != NULL || table->cycle_clause != NULL) {
        emit_refuse(emitter, "SEARCH or CYCLE in WITH");
        return;
    }
    emit_identifier(emitter, table->ctename);
    if (table->aliascolnames != NIL) {
        emit_text(emitter, " (");
        emit_list(emitter, table->aliascolnames, emit_identifier_node);
        emit_text(emitter, ")");
    }
    emit_text(emitter, table->ctematerialized == CTEMaterializeAlways  ? " AS MATERIALIZED ("
                       : table->ctematerialized == CTEMaterializeNever ? " AS NOT MATERIALIZED ("
                                                                       : " AS (");
    emit_common_query(emitter, table->ctequery);
    emit_text(emitter, ")");
}

void emit_with(struct emitter *emitter, WithClause *with)
{
    if (with == NULL)
        return;
    emit_text(emitter, with->recursive ? "WITH RECURSIVE " : "WITH ");
    emit_list(emitter, with->ctes, emit_common_table);
    emit_text(emitter, " ");
}

void emit_target(struct emitter *emitter, Node *node)
{
    ResTarget *target = castNode(ResTarget, node);

    if (target->indirection != NIL) {
        emit_refuse(emitter, "this kind of output column");
        return;
    }
    emit_expression(emitter, target->val);
    if (target->name != NULL) {
        emit_text(emitter, " AS ");
        emit_identifier(emitter, target->name);
    }
}

static void emit_grouping(struct emitter *emitter, Node *node);

static void emit_grouping_set(struct emitter *emitter, GroupingSet *set)
{
    switch (set->kind) {
    case GROUPING_SET_EMPTY:
        emit_text(emitter, "()");
        return;
    case GROUPING_SET_ROLLUP:
        emit_text(emitter, "ROLLUP (");
        break;
    case GROUPING_SET_CUBE:
        emit_text(emitter, "CUBE (");
        break;
    case GROUPING_SET_SETS:
        emit_text(emitter, "GROUPING SETS (");
        break;
    default:
        emit_refuse(emitter, "this kind of grouping set");
        return;
    }
    emit_list(emitter, set->content, emit_grouping);
    emit_text(emitter, ")");
}

static void emit_grouping(struct emitter *emitter, Node *node)
{
    if (!emit_enter(emitter))
        return;
    if (IsA(node, GroupingSet))
        emit_grouping_set(emitter, (GroupingSet *)node);
    else
        emit_expression(emitter, node);
    emit_leave(emitter);
}

static void emit_named_window(struct emitter *emitter, Node *node)
{
    WindowDef *window = castNode(WindowDef, node);

    emit_identifier(emitter, window->name);
    emit_text(emitter, " AS (");
    emit_window(emitter, window);
    emit_text(emitter, ")");
}

static void emit_values_row(struct emitter *emitter, Node *node)
{
    emit_text(emitter, "(");
    emit_list(emitter, castNode(List, node), emit_expression);
    emit_text(emitter, ")");
}

/* DISTINCT is a list of one NULL, DISTINCT ON a list of expressions. */
static void emit_distinct(struct emitter *emitter, List *distinct)
{
    if (distinct == NIL)
        return;
    if (linitial(distinct) == NULL) {
        emit_text(emitter, " DISTINCT");
        return;
    }
    emit_text(emitter, " DISTINCT ON (");
    emit_list(emitter, distinct, emit_expression);
    emit_text(emitter, ")");
}

static void emit_simple_select(struct emitter *emitter, SelectStmt *select)
{
    if (select->valuesLists != NIL) {
        emit_clause(emitter, "VALUES ", select->valuesLists, emit_values_row);
        return;
    }
    emit_text(emitter, "SELECT");
    emit_distinct(emitter, select->distinctClause);
    emit_clause(emitter, " ", select->targetList, emit_target);
    emit_clause(emitter, " FROM ", select->fromClause, emit_from_item);
    emit_condition(emitter, " WHERE ", select->whereClause);
    emit_clause(emitter, select->groupDistinct ? " GROUP BY DISTINCT " : " GROUP BY ",
                select->groupClause, emit_grouping);
    emit_condition(emitter, " HAVING ", select->havingClause);
    emit_clause(emitter, " WINDOW ", select->windowClause, emit_named_window);
}

static void emit_set_operation(struct emitter *emitter, SelectStmt *select)
{
    emit_text(emitter, "(");
    emit_select(emitter, select->larg);
    emit_text(emitter, select->op == SETOP_UNION       ? ") UNION "
                       : select->op == SETOP_INTERSECT ? ") INTERSECT "
                                                       : ") EXCEPT ");
    emit_text(emitter, select->all ? "ALL (" : "(");
    emit_select(emitter, select->rarg);
    emit_text(emitter, ")");
}

/* A statement that the rewriting built may leave limitOption alone. */
static void emit_limit(struct emitter *emitter, SelectStmt *select)
{
    if (select->limitOffset == NULL && select->limitCount == NULL)
        return;
    if ((int)select->limitOption == PARSE_LIMIT_NONE)
        select->limitOption = (LimitOption)PARSE_LIMIT_COUNT;
    if (select->limitOffset != NULL) {
        emit_text(emitter, " OFFSET ");
        emit_operand(emitter, select->limitOffset);
    }
    if (select->limitCount == NULL)
        return;
    if ((int)select->limitOption == PARSE_LIMIT_WITH_TIES) {
        emit_text(emitter, " FETCH FIRST ");
        emit_parenthesised(emitter, select->limitCount);
        emit_text(emitter, " ROWS WITH TIES");
    } else {
        emit_text(emitter, " LIMIT ");
        emit_operand(emitter, select->limitCount);
    }
}

void emit_select(struct emitter *emitter, SelectStmt *select)
{
    if (!emit_enter(emitter))
        return;
    if (select->intoClause != NULL)
        emit_refuse(emitter, "SELECT INTO");
    if (select->lockingClause != NIL)
        emit_refuse(emitter, "locking rows (FOR UPDATE, FOR SHARE)");
    emit_with(emitter, select->withClause);
    if (select->op == SETOP_NONE)
        emit_simple_select(emitter, select);
    else
        emit_set_operation(emitter, select);
    emit_clause(emitter, " ORDER BY ", select->sortClause, emit_sort_by);
    emit_limit(emitter, select);
    emit_leave(emitter);
}
