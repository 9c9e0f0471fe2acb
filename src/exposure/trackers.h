/* Trackers: the sets of people behind the statistics that each partner has been given, and whether
 * a new one differs from them by so few that the difference tells of those few (Denning, Denning,
 * Schwartz, "The tracker: a threat to statistical database security", ACM TODS 4(1), 1979).
 * A set is compared with every earlier one, with the unions of two earlier disjoint ones, and its
 * union with an earlier one with every earlier one; the pairs as far as TRACKER_PAIRS a release go.
 * Derived from the ledger: a replay takes the items of grade aggregate.
 * Thread-safe: a lock for the list, one for each partner, held from begin to end.
 * A set is forgotten once it was last given longer ago than the policy remembers.
 * Memory: at most TRACKER_BYTES and TRACKER_SETS a partner; what no longer fits is untold. */
#ifndef COFFERDAM_EXPOSURE_TRACKERS_H
#define COFFERDAM_EXPOSURE_TRACKERS_H

#include "exposure/exposure.h"

enum {
    TRACKER_SETS = 65536,
    TRACKER_BYTES = 64 * 1024 * 1024,
    TRACKER_PAIRS = 200000, /* compared for one release, about 5 ms */
};

struct trackers; /* owned */

MUST_USE enum status trackers_new(struct trackers **trackers, struct error *error);
void trackers_free(struct trackers *trackers);
/* A statistic that the ledger tells of. ids ascending, each once; rows: row_sums.h, valid. Where
 * there is no room those last given longest ago make it: that they were forgotten is why this one
 * could be given. */
void trackers_take(struct trackers *trackers, struct slice partner, int64_t time_ns,
                   const uint32_t *ids, size_t count, struct slice rows);

/* See exposure.h. */
struct exposure_statistics *trackers_begin(struct trackers *trackers, const char *partner,
                                           int64_t now_ns, uint32_t remember_days);

#endif
