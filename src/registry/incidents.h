/* Incidents: the case files of breaches, in a SQLite file of their own beside the ledger. Used by
 * the command line and the worker, several processes at once; the gateway does not open it. Every
 * change is a transaction on disk when it returns. What must not be changed unseen is also hashed
 * into the ledger by the caller. Texts of records are borrowed from the arena or table given. */
#ifndef COFFERDAM_REGISTRY_INCIDENTS_H
#define COFFERDAM_REGISTRY_INCIDENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "base/table.h"

struct incidents; /* owned */

/* folder: made (0700) where missing, as is incidents.sqlite in it; both belong to the owner of the
 * folder's parent when root makes them. Each incident has a folder "N" in it for its evidence. */
MUST_USE enum status incidents_open(const char *folder, struct incidents **incidents,
                                    struct error *error);
void incidents_close(struct incidents *incidents); /* NULL is fine */

/* Instants are INT64_MIN where not known. */
struct incident {
    int64_t number;                /* from 1 */
    const char *partner, *suspect; /* suspect: "agent", "certificate", "delivery: …" or NULL */
    const char *report_name, *report_sha256; /* the processor's notice; or NULL */
    const char *opened_by;
    int64_t noticed_ns, opened_ns, from_ns, to_ns, contained_ns, closed_ns;
    bool is_drill;
};
/* Takes everything but number; *number is given out. The first phase is made with it. */
struct incident_phase {
    int64_t number; /* from 1 */
    int64_t at_ns;
    uint64_t cutoff; /* entries below it count */
    uint8_t root[32];
    const char *by, *reason;
    const char *scope_sha256; /* of the canonical scope; NULL until it has been computed */
};
MUST_USE enum status incidents_create(struct incidents *incidents, const struct incident *incident,
                                      const struct incident_phase *phase, int64_t *number,
                                      struct error *error);
/* STATUS_NOT_FOUND with the numbers that exist in the hint. */
MUST_USE enum status incidents_get(struct incidents *incidents, int64_t number, struct arena *arena,
                                   struct incident *incident, struct error *error);
/* number, partner, noticed, opened, contained, closed, phases — instants as RFC 3339 text */
MUST_USE enum status incidents_list(struct incidents *incidents, struct table *table,
                                    struct error *error);
MUST_USE enum status incidents_set_contained(struct incidents *incidents, int64_t number,
                                             int64_t contained_ns, struct error *error);
MUST_USE enum status incidents_set_closed(struct incidents *incidents, int64_t number,
                                          int64_t closed_ns, struct error *error);

/* ---- phases ---- */
MUST_USE enum status incidents_add_phase(struct incidents *incidents, int64_t number,
                                         struct incident_phase *phase, struct error *error);
/* which 0: the newest. */
MUST_USE enum status incidents_get_phase(struct incidents *incidents, int64_t number, int64_t which,
                                         struct arena *arena, struct incident_phase *phase,
                                         struct error *error);
/* number, at, cutoff, root, by, reason, scope_sha256 — oldest first */
MUST_USE enum status incidents_phases(struct incidents *incidents, int64_t number,
                                      struct table *table, struct error *error);
/* Once and for all: STATUS_CORRUPT if the phase has another hash already. */
MUST_USE enum status incidents_set_scope(struct incidents *incidents, int64_t number, int64_t phase,
                                         const char *scope_sha256, struct error *error);

/* ---- the decision log ---- */
struct incident_decision {
    int64_t at_ns;
    const char *by, *step, *why; /* step: "open", "contain", "scope", "approve notice", … */
    uint64_t sequence;           /* of its act in the ledger */
};
MUST_USE enum status incidents_add_decision(struct incidents *incidents, int64_t number,
                                            const struct incident_decision *decision,
                                            struct error *error);
/* number, at, by, step, why, sequence — oldest first */
MUST_USE enum status incidents_decisions(struct incidents *incidents, int64_t number,
                                         struct table *table, struct error *error);

/* ---- facts that people know and no ledger does: "what_happened", "likelihood" ---- */
MUST_USE enum status incidents_set_fact(struct incidents *incidents, int64_t number,
                                        const char *name, const char *value, const char *by,
                                        int64_t at_ns, struct error *error);
/* The newest value; NULL in *value where none was given. */
MUST_USE enum status incidents_get_fact(struct incidents *incidents, int64_t number,
                                        const char *name, struct arena *arena, const char **value,
                                        struct error *error);
/* name, value, by, at — newest of each name, by name */
MUST_USE enum status incidents_facts(struct incidents *incidents, int64_t number,
                                     struct table *table, struct error *error);

/* ---- filings with authorities ---- */
struct incident_filing {
    const char *authority, *reference, *by, *sheet_sha256; /* sheet: may be NULL */
    int64_t at_ns, phase;
};
MUST_USE enum status incidents_add_filing(struct incidents *incidents, int64_t number,
                                          const struct incident_filing *filing,
                                          struct error *error);
/* authority, reference, at, by, phase, sheet_sha256 — oldest first */
MUST_USE enum status incidents_filings(struct incidents *incidents, int64_t number,
                                       struct table *table, struct error *error);

/* ---- what was confirmed as taken ---- */
struct incident_confirmation {
    const char *source_name, *source_sha256, *by;
    int64_t at_ns, phase;
    uint64_t lines, matched, unmatched;
    const uint32_t *ids; /* of people, ascending; matched of them */
};
MUST_USE enum status incidents_add_confirmation(struct incidents *incidents, int64_t number,
                                                const struct incident_confirmation *confirmation,
                                                struct error *error);
/* A phase with the confirmation that it is made for, both or neither: whoever opens the phase finds
 * it whole. confirmation->phase is not looked at; confirmation NULL: incidents_add_phase. */
MUST_USE enum status incidents_add_confirmed_phase(struct incidents *incidents, int64_t number,
                                                   struct incident_phase *phase,
                                                   const struct incident_confirmation *confirmation,
                                                   struct error *error);
/* Calls fn for each confirmation up to and with that phase, oldest first. */
MUST_USE enum status incidents_each_confirmation(
    struct incidents *incidents, int64_t number, int64_t phase,
    enum status (*fn)(void *context, const struct incident_confirmation *confirmation,
                      struct error *error),
    void *context, struct error *error);

/* ---- notices: what was approved to be sent; the messages are in the incident's outbox ---- */
struct incident_notice {
    int64_t number;   /* from 1 within the incident */
    const char *hash; /* hex SHA-256 that was approved: audience, texts, scope */
    const char *approved_by;
    int64_t approved_ns, finished_ns;
    int64_t phase;
    const char *settings; /* canonical text: grades, templates and their versions */
};
/* Gives it the next number; where it has one, that must be the next (STATUS_DENIED 55000). */
MUST_USE enum status incidents_add_notice(struct incidents *incidents, int64_t number,
                                          struct incident_notice *notice, struct error *error);
/* which 0: the newest. STATUS_NOT_FOUND where nothing was approved. */
MUST_USE enum status incidents_get_notice(struct incidents *incidents, int64_t number,
                                          int64_t which, struct arena *arena,
                                          struct incident_notice *notice, struct error *error);
MUST_USE enum status incidents_set_notice_finished(struct incidents *incidents, int64_t number,
                                                   int64_t notice, int64_t finished_ns,
                                                   struct error *error);

/* ---- evidence: files kept in the incident's folder ---- */
struct incident_evidence {
    const char *name, *sha256, *by, *what; /* what: "the processor's notice" */
    int64_t at_ns;
};
/* The file is there already, under that name. STATUS_INVALID if the name is taken. */
MUST_USE enum status incidents_add_evidence(struct incidents *incidents, int64_t number,
                                            const struct incident_evidence *evidence,
                                            struct error *error);
/* name, sha256, what, by, at — oldest first */
MUST_USE enum status incidents_evidence(struct incidents *incidents, int64_t number,
                                        struct table *table, struct error *error);

/* A path in the incident's evidence folder, which is made: "<folder>/<number>/<name>". */
MUST_USE enum status incidents_path(struct incidents *incidents, int64_t number, const char *name,
                                    struct arena *arena, const char **path, struct error *error);
/* A secret of this installation (32 bytes, made once, file mode 0600): references on messages are
 * derived from it, so that the same case gives the same letters. */
MUST_USE enum status incidents_secret(struct incidents *incidents, uint8_t secret[static 32],
                                      struct error *error);

#endif
