/* What `cofferdam explain` is told of a planning, private to sql/. Nothing is done where nobody
 * asks: request->inquiry is NULL then. */
#ifndef COFFERDAM_SQL_PLAN_EXPLAIN_H
#define COFFERDAM_SQL_PLAN_EXPLAIN_H

#include "sql/plan/plan_build.h"

/* plan_rule.c: the stable name of the rule that refuses with this SQLSTATE and format. */
const char *plan_rule(const char *sqlstate, const char *format);

/* Each fence, and how many guards there are. */
void plan_explain_fences(struct build *build);
/* A hidden column of the plan, by its name in the text; hidden: what it has become. */
void plan_explain_hidden(struct build *build, const struct carried_key *key,
                         const struct plan_hidden *hidden);

/* Near misses, for staff alone: what exists but is not granted, and the lines of the policy that
 * would grant it. */
void plan_explain_no_dataset(struct build *build, const char *dataset);
void plan_explain_no_column(const struct resolver *resolver, const char *column);
/* column NULL: nothing of the dataset may be written in this way. */
void plan_explain_no_write(struct build *build, const struct model_dataset *dataset,
                           enum plan_change change, const char *column);

#endif
