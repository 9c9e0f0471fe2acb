/* Registry: what staff change at run time and what must survive a restart: containment here,
 * beside it revocations.h, requests.h and crls.h. SQLite behind an in-memory snapshot: reads are
 * lock-light and never touch the disk. Thread-safe. */
#ifndef COFFERDAM_REGISTRY_REGISTRY_H
#define COFFERDAM_REGISTRY_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/table.h"

struct registry; /* owned */

/* What is contained: a partner; one of its agents; what a partner's agent has proven itself with,
 * by any issuer. "" and NULL stand for any. Each is contained and restored by itself. */
struct registry_target {
    const char *partner;
    const char *agent;
    const char *credential; /* its id, as struct credential has it */
};

enum { REGISTRY_BY_ROOM = 64, REGISTRY_PROPOSAL_DAYS = 7 };

/* A containment in force; a copy. */
struct registry_containment {
    int64_t since_ns;
    char by[REGISTRY_BY_ROOM];
    char proposed_by[REGISTRY_BY_ROOM]; /* "": nobody has proposed to restore it */
    int64_t proposed_ns;
};

MUST_USE enum status registry_open(const char *path, struct registry **registry,
                                   struct error *error);
void registry_close(struct registry *registry);

/* In force in memory when it returns, and nowhere else; waits for nobody's disk. STATUS_NOMEM: it
 * is not. */
MUST_USE enum status registry_enforce(struct registry *registry,
                                      const struct registry_target *target, const char *reason,
                                      const char *by, int64_t now_ns, struct error *error);
/* In force in memory the moment it returns, whatever the disk says; the status tells whether it was
 * also stored. Containing twice keeps the first; what was proposed or is being done to lift it is
 * off then. */
MUST_USE enum status registry_contain(struct registry *registry,
                                      const struct registry_target *target, const char *reason,
                                      const char *by, int64_t now_ns, struct error *error);
/* STATUS_NOT_FOUND if not contained; STATUS_DENIED 55000 if contained again meanwhile. Lifted only
 * once that is stored. */
MUST_USE enum status registry_restore(struct registry *registry,
                                      const struct registry_target *target, const char *reason,
                                      const char *by, int64_t now_ns, struct error *error);
/* Keeps that `by` proposes to restore the target, in place of an earlier proposal; nothing is
 * lifted. STATUS_NOT_FOUND if not contained. */
MUST_USE enum status registry_propose(struct registry *registry,
                                      const struct registry_target *target, const char *reason,
                                      const char *by, int64_t now_ns, struct error *error);
/* The containment of just this target; false: there is none. */
bool registry_find(struct registry *registry, const struct registry_target *target,
                   struct registry_containment *found);

/* Does a containment cover this agent, who proved itself with this credential? agent NULL or "": is
 * the whole partner contained? credential NULL or "": it has no name. */
bool registry_contained(struct registry *registry, const char *partner, const char *agent,
                        const char *credential);
/* Somebody contained has proven who it is and is refused: counts that with the containment. True
 * for the first in a minute, with how many there were since the last that was true. */
bool registry_count_try(struct registry *registry, const char *partner, const char *agent,
                        const char *credential, int64_t now_ns, uint64_t *tries);
/* Grows with every change: a cheap check for "has anything changed?" */
uint64_t registry_generation(const struct registry *registry);
/* partner, agent, state, since, reason, by, credential, tries, restore_proposed_by,
 * restore_proposed */
void registry_list(struct registry *registry, struct table *table);

/* ---- what is not in the file yet ---- */

/* Stores what is in force and could not be stored when it was done: containments, revocations, ends
 * of requests. A restart before that forgets them. */
MUST_USE enum status registry_store_late(struct registry *registry, struct error *error);
/* The ledger has the containment of just this target, which is not stored: its act is not handed
 * over (below) once it is. */
void registry_told(struct registry *registry, const struct registry_target *target);

/* ---- what is not in the ledger yet ---- */

struct registry_act {
    const char *verb; /* "contain", "propose restore", "restore" */
    const char *partner, *agent, *credential, *reason, *by, *proposed_by; /* the last may be NULL */
    int64_t at_ns;
};
/* Hands over each stored act that was never recorded, oldest first, until record fails; one for
 * which it returns STATUS_OK is not handed over again. */
MUST_USE enum status registry_settle(struct registry *registry,
                                     enum status (*record)(void *context,
                                                           const struct registry_act *act),
                                     void *context, struct error *error);

#endif
