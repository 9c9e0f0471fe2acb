/* Model: a policy bound to a live catalogue: every name resolved, every mask and row filter proved
 * immutable and total (or guarded). Immutable, reference counted, shared between threads.
 * Invariant: a model exists only if every grant in it was proved; binding fails closed. */
#ifndef COFFERDAM_SQL_MODEL_H
#define COFFERDAM_SQL_MODEL_H

#include "base/buffer.h"
#include "base/table.h"
#include "policy/policy.h"
#include "sql/catalog.h"

struct model;

/* Binds. Retains the policy; takes the catalogue (also on failure). The first problem found is in
 * *error, naming partner, dataset and column, with the policy's line. Returns owned. */
MUST_USE enum status model_bind(const struct policy *policy, struct catalog *catalog,
                                struct model **model, struct error *error);
struct model *model_retain(struct model *model);
void model_release(struct model *model); /* NULL is fine */

const struct policy *model_policy(const struct model *model);
const struct catalog *model_catalog(const struct model *model);

/* Initialises *table with rows for `cofferdam check`: partner, dataset, column, type, category,
 * form, mask, sensitive, writable, note; ungranted columns are listed with form "hidden". */
void model_describe(const struct model *model, struct table *table);
/* Indexes, foreign keys and stored keys that would make statements cheaper: "dataset",
 * "recommended", "because". Initialises the table. */
void model_advise(const struct model *model, struct table *table);

/* The SQL that gives the upstream role just what the model needs, ends in a newline. role and
 * database are quoted as identifiers. */
enum status model_grants_sql(const struct model *model, const char *role, const char *database,
                             struct buffer *out, struct error *error);

#endif
