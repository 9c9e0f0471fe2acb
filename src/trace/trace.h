/* Whose copy leaked? A leaked sample is held against the ledger: who had exactly this of these
 * people, before the leak, in this form; and against the canaries of deliveries. The answer is a
 * ranking of copies and the records that decide, or that one cannot tell. It speaks of copies,
 * never of companies. What is read of people's contact data is recorded in the ledger as our own
 * reading; without a gateway that records it, nothing is read. One thread. */
#ifndef COFFERDAM_TRACE_TRACE_H
#define COFFERDAM_TRACE_TRACE_H

#include "base/since.h"
#include "incident/casework.h"
#include "trace/columns.h"

enum {
    TRACE_SHOWN = 20,       /* lines that are named */
    TRACE_LEAST_RECORDS = 3 /* with fewer, and no token or canary, one cannot tell */
};
#define TRACE_ELSEWHERE 0.2
#define TRACE_ERROR     0.05
#define TRACE_RATIO     20.0
#define TRACE_UNIQUE    1e-6 /* p of what was made for one copy alone: tokens, canaries */

struct trace_prior {
    const char *partner; /* "outside": another source; "older": see trace_source */
    double prior;
};
struct trace_report;
struct trace_options {
    const char *path;
    enum leak_format format;
    int64_t before_ns; /* of the leak: what was given from then on cannot be in it */
    const struct column_choice *choices;
    size_t choice_count;
    const struct trace_prior *priors; /* those not given share what is left alike */
    size_t prior_count;
    double elsewhere, ratio;
    /* Called once the columns have been guessed and people looked for; a failure ends it. */
    enum status (*confirm)(void *context, const struct trace_report *report, struct error *error);
    void *context;
};

enum trace_verdict { TRACE_CANNOT_TELL, TRACE_THIS_COPY, TRACE_OUTSIDE };

/* A hypothesis: the copy given to a partner, another source, or, where records were dropped by
 * retention, some copy that was given before, of which nothing is known: it is taken for one that
 * had everything but what was made for one copy alone. */
struct trace_source {
    const char *partner; /* NULL: outside, or older */
    bool older;
    double prior, posterior;
    double passed_on; /* of the posterior: the copy as a sub-processor had it */
    double guilt;     /* of Papadimitriou and Garcia-Molina; does not sum to 1 */
    uint64_t records; /* it had before the leak; older: may have had */
    /* Of those, attested before the leak as deleted after the last time that it was given them; the
     * latest such claim. It lowers no figure. */
    uint64_t deleted;
    int64_t attested_ns;
    const char *request;
};
/* A part of the best partner's copy. */
struct trace_part {
    const char *agent, *delivery; /* "" where there is none */
    bool declared;                /* staff told of it */
    double posterior;             /* among the parts of this copy */
    uint64_t records;
};
struct trace_deciding {
    size_t line;
    uint64_t lines; /* of this record; line is the first */
    bool against;   /* it speaks for the runner-up */
    const char *why;
};
struct trace_report {
    struct arena arena; /* texts; the report's own */
    char sha256[65];
    struct columns columns;
    uint64_t lines, recognised, unknown, ambiguous; /* unknown: fits nobody */
    uint64_t undisclosed; /* people of ours of whom no partner ever had anything */
    uint64_t by_key, by_token, by_contact, by_canary;
    size_t unknown_lines[TRACE_SHOWN], ambiguous_lines[TRACE_SHOWN];
    char without_database[400]; /* why values were not compared; "": they were */
    uint64_t ledger_entries;
    int64_t ledger_first_ns, before_ns;
    /* ---- after confirm ---- */
    uint64_t records, unheld; /* unheld: no copy had them before the leak */
    double elsewhere, error, ratio;
    enum trace_verdict verdict;
    const char *why;              /* the verdict in a sentence */
    struct trace_source *sources; /* by posterior, most first */
    size_t source_count;
    size_t best; /* the first of them that is not older; set apart from others below */
    char since[SINCE_TEXT_ROOM]; /* older copies may be missing: base/since.h; "": none is */
    struct trace_part *parts;    /* of the best partner, by posterior */
    size_t part_count;
    /* The copy that the best one is set apart from: the next, or, where no other had any record,
     * the one that had something of most of these people. NULL: another source. */
    const char *compared_with;
    struct trace_deciding *deciding; /* at most TRACE_SHOWN */
    size_t deciding_count;
    uint64_t deciding_for, deciding_against; /* records, all of them */
    const char **notes;
    size_t note_count;
};

/* Free *report in any case. */
MUST_USE enum status trace_run(struct casework *casework, const struct trace_options *options,
                               struct trace_report *report, struct error *error);
void trace_report_free(struct trace_report *report);

#endif
