/* What would be forgotten if the ledger's entries below a sequence went, and forgetting it. The
 * order of the whole act is the caller's: docs/LEDGER-FORMAT.md, "Base".
 * Invariant: all that a forgetting tells is of one state of the ledger, read from its entries by
 * the code that a replay uses; so a start after the cut knows just what forgetting_done leaves.
 * Any one thread, beside sessions; owned by who reckoned it. Memory while it lives: the people in
 * the entries as sets, and each partner's accounts twice. */
#ifndef COFFERDAM_EXPOSURE_FORGETTING_H
#define COFFERDAM_EXPOSURE_FORGETTING_H

#include <stdatomic.h>

#include "exposure/exposure.h"

enum {
    /* Windows of limits end now: what is older is in none of them. */
    FORGETTING_WINDOW_DAYS = 33,
};

struct forgetting; /* owned */

/* Reads the whole ledger. *stop: gives up with STATUS_CLOSED 57P01 once it is true. */
MUST_USE enum status forgetting_reckon(struct exposure *exposure, const char *ledger_folder,
                                       uint64_t cut, const atomic_bool *stop,
                                       struct forgetting **forgetting, struct error *error);
void forgetting_free(struct forgetting *forgetting); /* NULL is fine */

/* Distinct people who stand in an entry that would go, and in none that stays. */
uint64_t forgetting_people(const struct forgetting *forgetting);
/* Limits of all time: how many people each has counted, and how many it would count. */
struct forgetting_limit {
    const char *partner; /* of the visit only */
    char limit[64];      /* "total", or as in the policy */
    uint64_t now, after;
};
/* Of each partner that was ever charged, by name; of one that the policy does not have, "total". */
void forgetting_limits(const struct forgetting *forgetting, const struct policy *policy,
                       int64_t now_ns,
                       void (*visit)(void *context, const struct forgetting_limit *limit),
                       void *context);

/* Before anything goes: STATUS_OK once subjects/keys on disk, read anew, has each id of the entries
 * that go; their other copies are in what is sealed beside those. STATUS_CORRUPT where it lacks
 * some. */
MUST_USE enum status forgetting_settle(struct exposure *exposure,
                                       const struct forgetting *forgetting, struct error *error);
/* Once the base is in place: totals forget, and the index is made anew. STATUS_IO …: the index was
 * not written; it is made later, at the next start at the latest. */
MUST_USE enum status forgetting_done(struct exposure *exposure, const struct forgetting *forgetting,
                                     struct error *error);

#endif
