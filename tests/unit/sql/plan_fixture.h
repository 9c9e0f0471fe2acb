/* A small catalogue and policy for the tests of model and plan: customers, their vehicles, visits
 * and visit lines, enquirers, models, and a table full of odd types. */
#ifndef COFFERDAM_TESTS_PLAN_FIXTURE_H
#define COFFERDAM_TESTS_PLAN_FIXTURE_H

#include "sql/plan.h"

/* The policy's text; `grants` of partner "acme" may be replaced (NULL: the usual ones). */
const char *plan_fixture_policy(const char *grants);
struct catalog *plan_fixture_catalog(void);

/* The model of the usual policy, made once and freed at exit. */
struct model *plan_fixture_model(void);
/* Binds a policy text to the catalogue. */
enum status plan_fixture_bind(const char *policy_text, struct model **model, struct error *error);
/* To another catalogue, which the model takes over. */
enum status plan_fixture_bind_to(const char *policy_text, struct catalog *catalog,
                                 struct model **model, struct error *error);
/* Plans are made on this model, which is freed at exit, instead of the usual one: before any is. */
void plan_fixture_use(struct model *model);

/* Plans for an agent ("acme.app"); parameter types may be NULL. */
enum status plan_fixture_make(const char *login, const char *sql, const uint32_t *types,
                              size_t type_count, struct plan **plan, struct error *error);

/* The same, and why. */
enum status plan_fixture_ask(const char *login, const char *sql, struct plan_inquiry *inquiry,
                             struct plan **plan, struct error *error);

/* Fail the test with both values. The plan is released by the caller. */
struct plan *plan_accepted(const char *login, const char *sql);
void plan_refused(const char *login, const char *sql, const char *sqlstate, const char *message);
/* The text with each hidden name as h1, h2 … in order of appearance, quotes and pg_catalog
 * qualification left out where they carry no meaning for a reader; static. */
const char *plan_text(const struct plan *plan);
void plan_has(const struct plan *plan, const char *part);
void plan_has_not(const struct plan *plan, const char *part);
/* What acme.app sends is accepted, and its text has the part, or has it not. */
void plan_accepts(const char *sql, const char *part);
void plan_accepts_without(const char *sql, const char *part);
/* "dataset.column:form …" of a hidden column; static. */
const char *plan_hidden_columns(const struct plan_hidden *hidden);

#endif
