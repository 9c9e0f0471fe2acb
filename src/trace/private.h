/* What the files of a trace share: the sample, who fits its lines, and in which forms its values
 * stand. Private. */
#ifndef COFFERDAM_TRACE_PRIVATE_H
#define COFFERDAM_TRACE_PRIVATE_H

#include "contact/contact.h"
#include "trace/trace.h"
#include "trace/world.h"

enum { TRACE_NOBODY = UINT32_MAX };

/* Who fits a line. */
struct match {
    uint16_t kind;
    const char *key;   /* NULL: nobody yet */
    bool several;      /* more than one person fits: nobody is recognised */
    bool settled;      /* nothing more is looked for */
    uint16_t token_of; /* partner for whom the line's token was made, or WORLD_NO_PARTNER */
    enum { BY_KEY, BY_TOKEN, BY_CONTACT, BY_CANARY } way;
    uint32_t person; /* place, or TRACE_NOBODY */
    uint32_t canary; /* place; with BY_CANARY */
};
struct person {
    uint16_t kind;
    const char *key;
    uint32_t id; /* with disclosed */
    bool disclosed;
    size_t first; /* its lines in tracing->order */
    size_t lines;
};
/* An invented person of a delivery that was recognised. */
struct found_canary {
    const char *delivery, *partner, *agent;
    int64_t row, opened_ns;
};
struct tracing {
    struct casework *casework;
    const struct trace_options *options;
    struct trace_report *report;
    struct leak leak;
    struct world world;
    struct contact_reader *reader; /* NULL: without the database */
    struct arena arena;
    struct match *matches; /* by line */
    struct person *people;
    size_t person_count;
    size_t *order; /* lines by person */
    struct found_canary *canaries;
    size_t canary_count, canary_capacity;
    /* Of a stored canary that is in the file and counts for nothing; "": there is none. */
    char refused[64]; /* the delivery */
    const char *refused_why;
    /* line x column: forms in which the value may stand (forms.h); 0: it says nothing. */
    uint16_t *forms;
};

static inline uint16_t *trace_forms(const struct tracing *tracing, size_t line)
{
    return tracing->forms + line * tracing->leak.column_count;
}

/* A line is this person's, by what was found first; another person makes it several. */
MUST_USE enum status trace_found(struct tracing *tracing, size_t line, uint16_t kind,
                                 const char *key, int way, struct error *error);
void trace_settle(struct tracing *tracing); /* after each way of looking */

/* Adds the policy's partners to the world, and checks the priors of its partners. */
MUST_USE enum status trace_sources(struct tracing *tracing, struct error *error);

/* Each looks for lines that are not settled. */
/* unique_only: only what can be nobody else's; the rest once nobody real fits. */
MUST_USE enum status trace_by_canaries(struct tracing *tracing, bool unique_only,
                                       struct error *error);
MUST_USE enum status trace_by_keys(struct tracing *tracing, struct error *error);
MUST_USE enum status trace_by_tokens(struct tracing *tracing, struct error *error);
MUST_USE enum status trace_by_contact(struct tracing *tracing, struct error *error);
/* Makes people of the matches. */
MUST_USE enum status trace_people(struct tracing *tracing, struct error *error);
/* Fills the forms: by looks, then by the values that the database has today. */
MUST_USE enum status trace_values(struct tracing *tracing, struct error *error);
/* Fills the report from confirm on. */
MUST_USE enum status trace_judge(struct tracing *tracing, struct error *error);
/* Records that we read these columns of the people with these ids (sorted here). */
MUST_USE enum status trace_record(struct tracing *tracing, uint16_t kind, const char *columns,
                                  uint32_t *ids, size_t count, struct error *error);

#endif
