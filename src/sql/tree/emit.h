/* Emitter, private to sql/: SQL text from a raw parse tree. Every operand is parenthesised, every
 * identifier quoted, every function, operator and type as qualified as the tree says (the
 * rewriting qualifies with pg_catalog before). Node kinds that are not on its list are refused:
 * what it cannot print cannot be sent. */
#ifndef COFFERDAM_SQL_EMIT_H
#define COFFERDAM_SQL_EMIT_H

#include "base/buffer.h"
#include "sql/tree/parse.h"

/* Appends the text of a SelectStmt, InsertStmt, UpdateStmt, DeleteStmt, VariableSetStmt,
 * VariableShowStmt or TransactionStmt. */
MUST_USE enum status emit_statement(Node *statement, struct buffer *out, struct error *error);
/* emit_statement, then parses the text and compares the trees with equal(): on any difference
 * STATUS_DENIED XX000 "could not be rewritten exactly", and nothing may be sent. `out` must be
 * empty and is terminated. The tree may be normalised in place (AND/OR flattening) beforehand. */
MUST_USE enum status emit_verified(Node *statement, struct buffer *out, struct error *error);

#endif
