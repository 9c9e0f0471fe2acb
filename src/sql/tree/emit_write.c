/* INSERT, UPDATE, DELETE. */
#include "sql/tree/emitter.h"

/* a, a[1], a.b: a column that is written, or a part of it. */
static void emit_written_column(struct emitter *emitter, Node *node)
{
    ResTarget *target = castNode(ResTarget, node);

    emit_identifier(emitter, target->name);
    emit_accessors(emitter, target->indirection);
}

static void emit_index_element(struct emitter *emitter, Node *node)
{
    IndexElem *element = castNode(IndexElem, node);

    if (element->opclassopts != NIL || element->ordering != SORTBY_DEFAULT ||
        element->nulls_ordering != SORTBY_NULLS_DEFAULT) {
        emit_refuse(emitter, "this form of ON CONFLICT");
        return;
    }
    if (element->name != NULL)
        emit_identifier(emitter, element->name);
    else
        emit_parenthesised(emitter, element->expr);
    if (element->collation != NIL) {
        emit_text(emitter, " COLLATE ");
        emit_qualified(emitter, element->collation);
    }
    if (element->opclass != NIL) {
        emit_text(emitter, " ");
        emit_qualified(emitter, element->opclass);
    }
}

static void emit_conflict_target(struct emitter *emitter, InferClause *infer)
{
    if (infer == NULL)
        return;
    if (infer->conname != NULL) {
        emit_text(emitter, " ON CONSTRAINT ");
        emit_identifier(emitter, infer->conname);
        return;
    }
    emit_text(emitter, " (");
    emit_list(emitter, infer->indexElems, emit_index_element);
    emit_text(emitter, ")");
    emit_condition(emitter, " WHERE ", infer->whereClause);
}

/* (a, b) = source: a target each in the tree, numbered, all with the same source. Returns the
 * cell of the last one. */
static const ListCell *emit_multiple(struct emitter *emitter, const List *targets,
                                     const ListCell *cell)
{
    MultiAssignRef *first = (MultiAssignRef *)lfirst_node(ResTarget, cell)->val;

    emit_text(emitter, "(");
    for (int number = 1; cell != NULL; number++, cell = lnext(targets, cell)) {
        ResTarget *target = lfirst_node(ResTarget, cell);
        MultiAssignRef *part = (MultiAssignRef *)target->val;
        if (!IsA(part, MultiAssignRef) || part->colno != number)
            break;
        emit_text(emitter, number > 1 ? ", " : "");
        emit_written_column(emitter, (Node *)target);
        if (number == first->ncolumns) {
            emit_text(emitter, ") = ");
            emit_expression(emitter, first->source);
            return cell;
        }
    }
    emit_refuse(emitter, "this form of SET");
    return NULL;
}

static void emit_assignments(struct emitter *emitter, const List *targets)
{
    const ListCell *cell = list_head(targets);

    emit_text(emitter, " SET ");
    while (cell != NULL) {
        ResTarget *target = lfirst_node(ResTarget, cell);
        if (cell != list_head(targets))
            emit_text(emitter, ", ");
        if (target->val != NULL && IsA(target->val, MultiAssignRef)) {
            cell = emit_multiple(emitter, targets, cell);
        } else {
            emit_written_column(emitter, (Node *)target);
            emit_text(emitter, " = ");
            emit_expression(emitter, target->val);
        }
        cell = cell != NULL ? lnext(targets, cell) : NULL;
    }
}

static void emit_conflict(struct emitter *emitter, OnConflictClause *conflict)
{
    if (conflict == NULL)
        return;
    emit_text(emitter, " ON CONFLICT");
    emit_conflict_target(emitter, conflict->infer);
    if (conflict->action == ONCONFLICT_NOTHING) {
        emit_text(emitter, " DO NOTHING");
    } else if (conflict->action == ONCONFLICT_UPDATE) {
        emit_text(emitter, " DO UPDATE");
        emit_assignments(emitter, conflict->targetList);
        emit_condition(emitter, " WHERE ", conflict->whereClause);
    } else {
        emit_refuse(emitter, "this form of ON CONFLICT");
    }
}

/* INSERT without a query is DEFAULT VALUES. */
static void emit_source(struct emitter *emitter, InsertStmt *insert)
{
    static const char *const overriding[] = {
        [OVERRIDING_NOT_SET] = "",
        [OVERRIDING_USER_VALUE] = " OVERRIDING USER VALUE",
        [OVERRIDING_SYSTEM_VALUE] = " OVERRIDING SYSTEM VALUE",
    };

    if (insert->selectStmt == NULL) {
        emit_text(emitter, " DEFAULT VALUES");
        return;
    }
    if (!IsA(insert->selectStmt, SelectStmt) || insert->override >= lengthof(overriding)) {
        emit_refuse(emitter, "this form of INSERT");
        return;
    }
    emit_text(emitter, overriding[insert->override]);
    emit_text(emitter, " ");
    emit_select(emitter, (SelectStmt *)insert->selectStmt);
}

void emit_insert(struct emitter *emitter, InsertStmt *insert)
{
    emit_with(emitter, insert->withClause);
    emit_text(emitter, "INSERT INTO ");
    emit_from_item(emitter, (Node *)insert->relation);
    if (insert->cols != NIL) {
        emit_text(emitter, " (");
        emit_list(emitter, insert->cols, emit_written_column);
        emit_text(emitter, ")");
    }
    emit_source(emitter, insert);
    emit_conflict(emitter, insert->onConflictClause);
    emit_clause(emitter, " RETURNING ", insert->returningList, emit_target);
}

void emit_update(struct emitter *emitter, UpdateStmt *update)
{
    emit_with(emitter, update->withClause);
    emit_text(emitter, "UPDATE ");
    emit_from_item(emitter, (Node *)update->relation);
    emit_assignments(emitter, update->targetList);
    emit_clause(emitter, " FROM ", update->fromClause, emit_from_item);
    emit_condition(emitter, " WHERE ", update->whereClause);
    emit_clause(emitter, " RETURNING ", update->returningList, emit_target);
}

void emit_delete(struct emitter *emitter, DeleteStmt *delete)
{
    emit_with(emitter, delete->withClause);
    emit_text(emitter, "DELETE FROM ");
    emit_from_item(emitter, (Node *)delete->relation);
    emit_clause(emitter, " USING ", delete->usingClause, emit_from_item);
    emit_condition(emitter, " WHERE ", delete->whereClause);
    emit_clause(emitter, " RETURNING ", delete->returningList, emit_target);
}
