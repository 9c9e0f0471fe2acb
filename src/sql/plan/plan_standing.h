/* The grants that a plan stands on. Private to sql/; plan.h has plan_stands(). */
#ifndef COFFERDAM_SQL_PLAN_STANDING_H
#define COFFERDAM_SQL_PLAN_STANDING_H

#include "sql/plan/plan_build.h"

/* Notes that the statement reads or writes by this grant. */
void plan_use_grant(struct build *build, const struct policy_grant *grant);
/* Puts what was noted into the plan. STATUS_NOMEM. */
MUST_USE enum status plan_keep_grants(struct build *build);
/* Refuses a dataset of which no grant is in force: one that waits for approval with 42501, and
 * tells the request which; others with 42P01. */
MUST_USE enum status plan_refuse_ungranted(struct build *build, const char *dataset);

#endif
