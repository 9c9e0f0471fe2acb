/* Statement: what the company tells the public, a claim a sentence, each bound to its evidence.
 * What the case does not bear out is refused: it is not in the statement, and why, and what would
 * prove it, is said beside it. The ledger proves what was disclosed, never what was stolen, what a
 * partner did with it, or that nothing happened elsewhere. */
#ifndef COFFERDAM_INCIDENT_STATEMENT_H
#define COFFERDAM_INCIDENT_STATEMENT_H

#include "incident/brief.h"
#include "incident/document.h"
#include "policy/words.h"

enum statement_verdict {
    STATEMENT_PROVED,  /* by ledger, scope, case file */
    STATEMENT_PARTNER, /* the provider says so */
    STATEMENT_COMPANY, /* the company's own word: a fact that staff gave, advice, a promise */
    STATEMENT_REFUSED,
};

struct statement_claim {
    const char *name; /* as in the section claims of share/statement/LANGUAGE.yaml */
    enum statement_verdict verdict;
    const char *said;     /* in the statement; NULL: refused */
    const char *evidence; /* refused: why */
    const char *needed;   /* refused: what would prove it; NULL: nothing that we could know */
};
struct statement {
    const char *title;
    struct document document;
    const struct statement_claim *claims;
    size_t claim_count;
};

/* What a statement is made from; all borrowed. */
struct statement_case {
    const struct brief *brief;
    const struct words *words;      /* share/words/LANGUAGE.yaml */
    const struct words *texts;      /* share/statement/LANGUAGE.yaml */
    const char *const *authorities; /* that the law wants told */
    size_t authority_count;
    const char *brand; /* as the policy calls it: about its people alone; NULL: everybody */
    bool with_numbers;
};
/* Everything in the arena. STATUS_INVALID where the texts lack a sentence; STATUS_NOT_FOUND where
 * nobody of the brand is in the scope. */
MUST_USE enum status statement_draft(const struct statement_case *of, struct arena *arena,
                                     struct statement *statement, struct error *error);
const char *statement_verdict_name(enum statement_verdict verdict);
/* A claim a paragraph: verdict, what is said, evidence; not for publication. */
void statement_evidence(const struct statement_claim *claims, size_t count, struct buffer *out);

/* ---- from an incident's number ---- */
struct statement_request {
    int64_t incident, phase;
    const char *language, *brand; /* NULL: en, everybody */
    bool with_numbers;
    const char *check; /* a text of the company's own, to be judged in place of a draft; or NULL */
};
struct statement_result {
    struct statement statement; /* of a check: claims only */
    struct table findings;      /* of the lint of messages, as lint_table() */
};
/* statement_result_free(), also after a failure. */
MUST_USE enum status statement_make(struct casework *casework,
                                    const struct statement_request *request, struct arena *arena,
                                    struct statement_result *result, struct error *error);
void statement_result_free(struct statement_result *result);

/* Judges a text that others wrote: which categories it names, denies or leaves out, and which
 * claims it makes. name: 'said' holds the words in the text. */
MUST_USE enum status statement_check(const struct statement_case *of, const char *text,
                                     struct arena *arena, struct statement *statement,
                                     struct error *error);

#endif
