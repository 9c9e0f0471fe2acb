/* The virtual catalogue, for the planner. See virtual_private.h for how it is made. */
#ifndef COFFERDAM_SQL_VIRTUAL_H
#define COFFERDAM_SQL_VIRTUAL_H

#include "sql/plan/plan_build.h"

/* Does the statement read the catalogue, by a table, a function or a cast, and no dataset? */
bool virtual_reads(SelectStmt *select);
/* Is there a catalogue table that goes by this name without a schema? */
bool virtual_has(const char *name);
/* Rewrites such a statement in place, and fills in the plan: rows about nobody. */
MUST_USE enum status virtual_plan(struct build *build, SelectStmt *select);

#endif
