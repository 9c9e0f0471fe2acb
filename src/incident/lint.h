/* Lint: is a text fit for a frightened reader, and does it say only what this person's own data
 * bears out? The phrases and limits are data, share/notices/lint.LANGUAGE.yaml; cofferdam-notice(5)
 * explains the rules. A finding is a row: file, line, rule, what was found, what would pass.
 * Immutable once loaded; owned by the caller. */
#ifndef COFFERDAM_INCIDENT_LINT_H
#define COFFERDAM_INCIDENT_LINT_H

#include "incident/letter.h"
#include "incident/lint_file.h"

struct lint; /* owned */

/* path: of the file of rules. */
MUST_USE enum status lint_load(const char *path, struct lint **lint, struct error *error);
void lint_free(struct lint *lint);                 /* NULL is fine */
const char *lint_version(const struct lint *lint); /* hex SHA-256 of the file */

/* Adds a finding unless it is there. The format must not take in a person's own words. */
void lint_find(struct table *findings, const char *name, int line, const char *rule,
               const char *pass, const char *format, ...) __attribute__((format(printf, 6, 7)));

/* Hedges, requests, links, long sentences, reading ease. name: what stands in column file. */
void lint_document(const struct lint *lint, const char *name, const struct document *document,
                   struct table *findings);
/* As lint_document, for a plain text such as a public statement: lines, empty lines between
 * paragraphs, "- " before items. STATUS_LIMIT for one that is too long. */
MUST_USE enum status lint_text(const struct lint *lint, const char *name, const char *text,
                               struct table *findings, struct error *error);
/* As lint_document, and: every category named is this person's own (an invented person: findings
 * quote what they find); reference, the data protection
 * officer and the page's address are there. subject may be NULL. */
void lint_letter(const struct lint *lint, const char *name, const char *subject,
                 const struct document *body, const struct letter_case *about,
                 const struct letter_person *person, struct table *findings);
/* Fills the template for invented people of every kind of letter, each category alone and all at
 * once, and judges each; a finding is told once. A case that the template cannot be filled for is
 * an error. */
MUST_USE enum status lint_template(const struct lint *lint, const struct template *template,
                                   const struct words *words, const struct letter_case *about,
                                   struct table *findings, struct error *error);

/* Reading ease as the language's formula has it: a grade (lower is easier) or a score (higher is).
 * Exposed for the manual's figures and the test. */
double lint_ease(const struct lint *lint, const struct document *document);

#endif
