/* Private to sql/: plans of the statements that are about a session rather than about data, and of
 * those that wrap a query. Each function sorts out one statement; *emitted is the tree whose text
 * goes upstream, NULL if there is none. */
#ifndef COFFERDAM_SQL_PLAN_SESSION_H
#define COFFERDAM_SQL_PLAN_SESSION_H

#include "sql/plan/plan_build.h"

/* plan.c: rewrites a query; the plan is one of PLAN_QUERY. */
MUST_USE enum status plan_query(struct build *build, SelectStmt *select, Node **emitted);
/* plan_utility.c: refuses a statement by its kind's name. */
MUST_USE enum status plan_refuse_statement(struct build *build, Node *statement);
/* plan_cursor.c: the cursor or prepared statement that is meant. */
MUST_USE enum status plan_keep_name(struct build *build, const char *name);

MUST_USE enum status plan_copy(struct build *build, CopyStmt *copy, Node **emitted);
MUST_USE enum status plan_declare(struct build *build, DeclareCursorStmt *declare, Node **emitted);
MUST_USE enum status plan_fetch(struct build *build, FetchStmt *fetch, Node **emitted);
MUST_USE enum status plan_close(struct build *build, ClosePortalStmt *close, Node **emitted);
MUST_USE enum status plan_call(struct build *build, CallStmt *call, Node **emitted);
MUST_USE enum status plan_prepare(struct build *build, PrepareStmt *prepare, Node **emitted);
MUST_USE enum status plan_execute(struct build *build, ExecuteStmt *execute, Node **emitted);
MUST_USE enum status plan_deallocate(struct build *build, DeallocateStmt *deallocate,
                                     Node **emitted);

#endif
