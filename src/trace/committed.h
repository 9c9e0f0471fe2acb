/* Committed: deliveries as the ledger has them. deliveries.sqlite is a file that its owner can
 * write; what a canary accuses a copy by must be what the closing act committed to
 * (LEDGER-FORMAT.md, "Canaries"), of a delivery that got its file. Filled while the ledger is read;
 * one thread. */
#ifndef COFFERDAM_TRACE_COMMITTED_H
#define COFFERDAM_TRACE_COMMITTED_H

#include <stdbool.h>

#include "base/arena.h"
#include "ledger/ledger.h"
#include "registry/deliveries.h"

struct committed_delivery {
    const char *id, *partner, *agent;
    const char *commitment; /* hex; NULL: there are no canaries */
    int64_t opened_ns;
    bool complete; /* it got its file; where not, nobody was given its canaries */
    bool stands;   /* committed_check(): the stored canaries are those */
};
struct committed {
    struct committed_delivery *all;
    size_t count, capacity;
};

/* Takes an act of a delivery; the first closing act of each counts. Texts go into the arena. */
MUST_USE enum status committed_take(struct committed *committed, struct arena *arena,
                                    const struct ledger_entry *entry, struct error *error);
/* Computes what is stored of each. */
MUST_USE enum status committed_check(struct committed *committed, struct deliveries *deliveries,
                                     struct error *error);
/* NULL where the ledger knows of none. */
const struct committed_delivery *committed_find(const struct committed *committed, const char *id);
void committed_free(struct committed *committed);

#endif
