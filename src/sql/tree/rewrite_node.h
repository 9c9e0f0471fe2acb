/* Raw parse nodes made by hand, private to sql/. Every function, operator and type that is made
 * here is qualified with pg_catalog. Nodes live in the current parse scope (parse.h); texts
 * are copied into it. What is built must be what the grammar would build for the emitted text:
 * emit_verified() compares the two. */
#ifndef COFFERDAM_SQL_REWRITE_NODE_H
#define COFFERDAM_SQL_REWRITE_NODE_H

#include "sql/tree/parse.h"
#include "nodes/makefuncs.h"
#include "nodes/value.h"

/* PostgreSQL's makeNode() reads CurrentMemoryContext, which libpg_query keeps per thread. */
#define rewrite_new(kind) ((kind *)rewrite_allocate(sizeof(kind), T_##kind))
void *rewrite_allocate(size_t size, NodeTag tag);

Node *rewrite_column(const char *relation, const char *column);
Node *rewrite_integer(int value);      /* not negative */
Node *rewrite_text(const char *value); /* an untyped literal */
Node *rewrite_null(void);
Node *rewrite_boolean(bool value);
Node *rewrite_parameter(size_t number);
Node *rewrite_cast(Node *value, const char *type);
Node *rewrite_call(const char *function, List *arguments);
Node *rewrite_operator(const char *name, Node *left, Node *right);
/* Either may be NULL; flattened as the grammar does. */
Node *rewrite_and(Node *left, Node *right);
Node *rewrite_boolean_test(Node *value, BoolTestType test);
Node *rewrite_not_null(Node *value);
Node *rewrite_case(Node *condition, Node *result); /* CASE WHEN condition THEN result END */
ResTarget *rewrite_target(Node *value, const char *name);
RangeVar *rewrite_table(const char *schema, const char *table, const char *alias);
RangeSubselect *rewrite_subselect(SelectStmt *select, const char *alias);
Node *rewrite_sublink(SubLinkType type, SelectStmt *select); /* EXISTS, ARRAY or scalar */
Node *rewrite_join(JoinType type, Node *left, Node *right, Node *condition);
List *rewrite_qualified(const char *name); /* (pg_catalog, name) */

/* And looked at. */
bool rewrite_is_star(const Node *node); /* *, t.* */
bool rewrite_has_column(Node *node);    /* anywhere in it */

#endif
