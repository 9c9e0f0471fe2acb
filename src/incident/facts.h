/* Facts and filings: what staff tell the case. Facts answer the questions of
 * share/reports/facts.yaml; a name or an answer that is not there is refused. */
#ifndef COFFERDAM_INCIDENT_FACTS_H
#define COFFERDAM_INCIDENT_FACTS_H

#include "incident/casework.h"
#include "policy/words.h"

enum { FACTS_VALUE_BYTES = 64 * 1024 };

/* The questions; owned by the caller. */
MUST_USE enum status facts_load(const struct casework *casework, struct words **questions,
                                struct error *error);
MUST_USE enum status facts_check(const struct words *questions, const char *name, const char *value,
                                 struct error *error);
/* Checked and kept. */
MUST_USE enum status facts_give(struct casework *casework, int64_t number, const char *name,
                                const char *value, struct error *error);
/* name, question, answers, value — all that can be asked, in the file's order */
MUST_USE enum status facts_list(struct casework *casework, int64_t number, struct table *table,
                                struct error *error);

struct filing_request {
    const char *authority, *reference; /* not NULL */
    const char *at;                    /* NULL: now */
    const char *sheet;                 /* the file that was filed; or NULL */
};
/* Records a filing with an authority of the policy's jurisdictions, the sheet as evidence, and a
 * decision. */
MUST_USE enum status filing_record(struct casework *casework, int64_t number,
                                   const struct filing_request *request, struct error *error);

#endif
