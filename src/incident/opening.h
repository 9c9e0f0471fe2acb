/* Opening an incident: the partner is contained first, before anything else can fail; then the
 * ledger's state is fixed, and the case is made. */
#ifndef COFFERDAM_INCIDENT_OPENING_H
#define COFFERDAM_INCIDENT_OPENING_H

#include "incident/casework.h"

/* Texts are borrowed; each may be NULL unless it says otherwise. */
struct opening_request {
    const char *partner; /* not NULL */
    const char *noticed; /* not NULL: RFC 3339, or "now" */
    const char *from, *to;
    const char *suspect;    /* agent:NAME, certificate:SERIAL, delivery:ID, unknown */
    const char *report;     /* a file: the processor's own notice */
    const char *no_contain; /* why the partner is not to be contained */
    const char *what;       /* the first words about what happened */
    const char *by;
    bool is_drill;
};
struct opened {
    int64_t number;
    bool contained_now; /* by us: sessions and cut_ms are set */
    char sessions[24], cut_ms[24];
    char not_stored[200]; /* contained, but lost when the gateway restarts: why; or "" */
    int64_t other;        /* another open incident of the partner; 0: none */
    bool is_long_ago;     /* --from or --to is more than a year ago: a wrong year? */
};
/* Arguments are judged before anything is done. Whatever fails once the partner is contained, the
 * error says that it is. */
MUST_USE enum status opening_open(const char *config_path, const struct opening_request *request,
                                  struct opened *opened, struct error *error);

/* ---- the parts that judge ---- */
/* An instant that staff write; "now" is now_ns. STATUS_INVALID if it is later than now. */
MUST_USE enum status opening_instant(const char *name, const char *text, int64_t now_ns,
                                     int64_t *instant_ns, struct error *error);
/* An end that staff write: the last instant of the day or of the second that the text names, since
 * all that happened in it counts; now_ns if that is to come. */
MUST_USE enum status opening_end(const char *name, const char *text, int64_t now_ns,
                                 int64_t *end_ns, struct error *error);
/* When we were told: as opening_instant, and not more than a year ago. */
MUST_USE enum status opening_noticed(const char *name, const char *text, int64_t now_ns,
                                     int64_t *noticed_ns, struct error *error);
bool opening_is_long_ago(int64_t instant_ns, int64_t now_ns);
/* Whoever acts is written into the ledger: a name on one line. */
MUST_USE enum status opening_actor(const char *by, struct error *error);
MUST_USE enum status opening_suspect(const struct policy_partner *partner, const char *suspect,
                                     struct error *error);

#endif
