/* Private to emit*.c: the state of one emission and the pieces the files share.
 * Emitting never fails half-way for the caller to notice: the first refusal sticks in the emitter,
 * everything after it is without effect, and emit_statement() looks once at the end. */
#ifndef COFFERDAM_SQL_EMITTER_H
#define COFFERDAM_SQL_EMITTER_H

#include "sql/tree/emit.h"

/* Deeper trees are refused. parse_text() allows LIMIT_STATEMENT_DEPTH levels; what the rewriting
 * wraps around them fits many times. One level takes less than 1 kB of stack. */
enum { EMIT_DEPTH_LIMIT = 2000 };

struct emitter {
    struct buffer *out;
    struct error *error;
    enum status status; /* sticky */
    unsigned depth;
};

typedef void emit_function(struct emitter *emitter, Node *node);

/* emit.c: names, constants and the like */

/* Refuses: `what` completes the sentence "… is not supported". The first one counts. */
void emit_refuse(struct emitter *emitter, const char *what);
/* One level down; false (and refused) if that is too deep or something was refused before. Each
 * true answer is followed by emit_leave(). */
bool emit_enter(struct emitter *emitter);
void emit_leave(struct emitter *emitter);
void emit_text(struct emitter *emitter, const char *text);
/* "name", with quotes doubled. */
void emit_identifier(struct emitter *emitter, const char *name);
/* A list of String nodes: "a"."b". */
void emit_qualified(struct emitter *emitter, List *names);
/* 'text', or E'text' if it holds a backslash: reads the same whatever
 * standard_conforming_strings is. */
void emit_string(struct emitter *emitter, const char *text);
/* Each member with `function`, separated by ", ". */
void emit_list(struct emitter *emitter, List *list, emit_function *function);
void emit_identifier_node(struct emitter *emitter, Node *string); /* for emit_list */

/* emit_expression.c, emit_condition.c */

void emit_expression(struct emitter *emitter, Node *node); /* as a_expr of the grammar */
void emit_operand(struct emitter *emitter, Node *node);    /* in parentheses unless it is an atom */
void emit_parenthesised(struct emitter *emitter, Node *node); /* always in parentheses */
void emit_operator_expression(struct emitter *emitter, A_Expr *expression);
void emit_operator(struct emitter *emitter, List *name);
void emit_sublink(struct emitter *emitter, SubLink *sublink);
void emit_accessors(struct emitter *emitter, List *accessors); /* [1], [2:3], .field, .* */

/* emit_function.c */

void emit_function_call(struct emitter *emitter, FuncCall *call);
void emit_sql_value(struct emitter *emitter, SQLValueFunction *function);
void emit_window(struct emitter *emitter, WindowDef *window); /* what stands in the parentheses */
void emit_sort_by(struct emitter *emitter, Node *node);

/* emit_type.c */

void emit_type(struct emitter *emitter, TypeName *type);
void emit_cast(struct emitter *emitter, TypeCast *cast);

/* emit_select.c, emit_from.c */

void emit_select(struct emitter *emitter, SelectStmt *select);
void emit_from_item(struct emitter *emitter, Node *node);
void emit_with(struct emitter *emitter, WithClause *with);
void emit_target(struct emitter *emitter, Node *node); /* of SELECT or RETURNING */
/* A list, or a condition, behind a keyword; nothing at all if there is none. */
void emit_clause(struct emitter *emitter, const char *keyword, List *list, emit_function *function);
void emit_condition(struct emitter *emitter, const char *keyword, Node *condition);

/* emit_write.c, emit_utility.c */

void emit_insert(struct emitter *emitter, InsertStmt *insert);
void emit_update(struct emitter *emitter, UpdateStmt *update);
void emit_delete(struct emitter *emitter, DeleteStmt *delete);
void emit_transaction(struct emitter *emitter, TransactionStmt *statement);
void emit_set(struct emitter *emitter, VariableSetStmt *statement);
void emit_show(struct emitter *emitter, VariableShowStmt *statement);

#endif
