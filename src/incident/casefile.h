/* Case file: all that is known of one incident, read at once, and told as tables: for the terminal,
 * for JSON and for the dossier. Owned by the caller; borrows the casework's policy. */
#ifndef COFFERDAM_INCIDENT_CASEFILE_H
#define COFFERDAM_INCIDENT_CASEFILE_H

#include "incident/deadlines.h"
#include "incident/scope.h"
#include "incident/standing.h"

/* Is the partner contained now? */
enum casefile_contained { CASEFILE_UNKNOWN, CASEFILE_CONTAINED, CASEFILE_OPEN };

struct casefile {
    struct arena arena;
    struct incident incident;
    struct incident_phase phase;          /* the newest */
    const struct policy_partner *partner; /* NULL: no longer in the policy */
    struct table phases, decisions, facts, filings, evidence;
    struct deadlines deadlines;
    bool has_notice, has_outbox, paused;
    struct incident_notice notice;   /* the newest */
    struct standing_counts messages; /* of all notices: where each person stands */
    struct scope_later later;        /* behind the newest phase */
    bool later_unknown;              /* the ledger could not be read */
    uint64_t letter_requests;        /* by the public page, that no decision covers */
    const char *letter_requests_file;
    enum casefile_contained contained;
    int64_t now_ns; /* of a closed incident: when it was closed */
};

/* Asks the gateway for containment; where it does not answer that is CASEFILE_UNKNOWN, no failure.
 * Close it also after a failure. */
MUST_USE enum status casefile_open(struct casework *casework, int64_t number,
                                   struct casefile *casefile, struct error *error);
void casefile_close(struct casefile *casefile);

/* Since when the whole partner has been contained, as the gateway has it; INT64_MIN: it is not. */
MUST_USE enum status casefile_containment(struct casework *casework, const char *partner,
                                          int64_t *since_ns, struct error *error);

/* The tables, in the order of reading: name for machines, heading for people. */
struct casefile_section {
    const char *name, *heading;
    enum status (*fill)(const struct casefile *casefile, struct table *table, struct error *error);
};
extern const struct casefile_section casefile_sections[];
extern const size_t casefile_section_count;
/* Is there a decision of this step? */
bool casefile_decided(const struct casefile *casefile, const char *step);

/* ---- the casework's duties: what must be done, or waived, before the case can be closed ---- */
/* duty, open, do — one row for each that is open; waived ones are not. */
MUST_USE enum status casefile_duties(const struct casefile *casefile, struct table *table,
                                     struct error *error);
/* STATUS_NOT_FOUND, with the open ones in the hint, for a duty that is not open. */
MUST_USE enum status casefile_check_duty(const struct casefile *casefile, const char *duty,
                                         struct error *error);
/* The step of the decision that waives a duty: "waive NAME". */
enum { CASEFILE_WAIVER_ROOM = 96 };
enum { CASEFILE_DUTY_ROOM = 80 };
/* The duty that a clock is about: "file-ico", "notices", "documentation". */
void casefile_clock_duty(const struct jurisdiction_clock *clock,
                         char duty[static CASEFILE_DUTY_ROOM]);
/* A waiver holds until the case is reopened; one of scope, notices or public-page also no longer
 * than until the next phase, one of containment until the partner was first contained. */
bool casefile_waived(const struct casefile *casefile, const char *duty);
void casefile_waiver(const char *duty, char step[static CASEFILE_WAIVER_ROOM]);

#endif
