/* BEGIN, COMMIT and the like, SET, SHOW. */
#include "sql/tree/emitter.h"

#include <string.h>

static void emit_isolation(struct emitter *emitter, const char *level)
{
    static const char *const levels[] = {"read uncommitted", "read committed", "repeatable read",
                                         "serializable"};

    for (size_t i = 0; i < lengthof(levels); i++) {
        if (strcmp(level, levels[i]) == 0) {
            emit_text(emitter, "ISOLATION LEVEL ");
            emit_text(emitter, level);
            return;
        }
    }
    emit_refuse(emitter, "this isolation level");
}

/* One transaction mode: a DefElem that the grammar names after the setting. */
static void emit_mode(struct emitter *emitter, Node *node)
{
    DefElem *mode = (DefElem *)node;
    A_Const *value;

    if (!IsA(node, DefElem) || mode->arg == NULL || !IsA(mode->arg, A_Const)) {
        emit_refuse(emitter, "this transaction mode");
        return;
    }
    value = (A_Const *)mode->arg;
    if (value->isnull)
        emit_refuse(emitter, "this transaction mode");
    else if (strcmp(mode->defname, "transaction_isolation") == 0 && IsA(&value->val, String))
        emit_isolation(emitter, value->val.sval.sval);
    else if (strcmp(mode->defname, "transaction_read_only") == 0 && IsA(&value->val, Integer))
        emit_text(emitter, value->val.ival.ival != 0 ? "READ ONLY" : "READ WRITE");
    else if (strcmp(mode->defname, "transaction_deferrable") == 0 && IsA(&value->val, Integer))
        emit_text(emitter, value->val.ival.ival != 0 ? "DEFERRABLE" : "NOT DEFERRABLE");
    else
        emit_refuse(emitter, "this transaction mode");
}

void emit_transaction(struct emitter *emitter, TransactionStmt *statement)
{
    static const char *const keywords[] = {
        [TRANS_STMT_BEGIN] = "BEGIN",
        [TRANS_STMT_START] = "START TRANSACTION",
        [TRANS_STMT_COMMIT] = "COMMIT",
        [TRANS_STMT_ROLLBACK] = "ROLLBACK",
        [TRANS_STMT_SAVEPOINT] = "SAVEPOINT ",
        [TRANS_STMT_RELEASE] = "RELEASE SAVEPOINT ",
        [TRANS_STMT_ROLLBACK_TO] = "ROLLBACK TO SAVEPOINT ",
    };

    if (statement->gid != NULL || statement->kind >= lengthof(keywords)) {
        emit_refuse(emitter, "two-phase commit");
        return;
    }
    emit_text(emitter, keywords[statement->kind]);
    if (statement->savepoint_name != NULL)
        emit_identifier(emitter, statement->savepoint_name);
    if (statement->options != NIL) {
        emit_text(emitter, " ");
        emit_list(emitter, statement->options, emit_mode);
    }
    emit_text(emitter, statement->chain ? " AND CHAIN" : "");
}

/* Numbers bare, with their sign; texts quoted: SET takes no expressions. */
static void emit_value(struct emitter *emitter, Node *node)
{
    if (IsA(node, A_Const))
        emit_expression(emitter, node);
    else
        emit_refuse(emitter, "this kind of value in SET");
}

static void emit_set_modes(struct emitter *emitter, VariableSetStmt *statement)
{
    if (strcmp(statement->name, "TRANSACTION") == 0)
        emit_text(emitter, statement->is_local ? "SET LOCAL TRANSACTION " : "SET TRANSACTION ");
    else if (strcmp(statement->name, "SESSION CHARACTERISTICS") == 0)
        emit_text(emitter, "SET SESSION CHARACTERISTICS AS TRANSACTION ");
    else
        emit_refuse(emitter, "this form of SET");
    emit_list(emitter, statement->args, emit_mode);
}

void emit_set(struct emitter *emitter, VariableSetStmt *statement)
{
    switch (statement->kind) {
    case VAR_SET_VALUE:
    case VAR_SET_DEFAULT:
        emit_text(emitter, statement->is_local ? "SET LOCAL " : "SET ");
        emit_identifier(emitter, statement->name);
        emit_text(emitter, " TO ");
        if (statement->kind == VAR_SET_DEFAULT)
            emit_text(emitter, "DEFAULT");
        else
            emit_list(emitter, statement->args, emit_value);
        return;
    case VAR_SET_MULTI:
        emit_set_modes(emitter, statement);
        break;
    case VAR_RESET:
        emit_text(emitter, "RESET ");
        emit_identifier(emitter, statement->name);
        break;
    case VAR_RESET_ALL:
        emit_text(emitter, "RESET ALL");
        break;
    default:
        emit_refuse(emitter, "this form of SET");
        break;
    }
}

void emit_show(struct emitter *emitter, VariableShowStmt *statement)
{
    emit_text(emitter, "SHOW ");
    emit_identifier(emitter, statement->name);
}
