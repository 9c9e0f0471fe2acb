/* Deleted: what partners attested, before the leak, to have deleted of the people who were
 * recognised. A claim: it changes no figure, and is said beside the copy. One thread. */
#ifndef COFFERDAM_TRACE_DELETED_H
#define COFFERDAM_TRACE_DELETED_H

#include "base/arena.h"
#include "ledger/ledger.h"
#include "trace/pairs.h"

struct deleted_claim {
    int64_t before_ns, attested_ns; /* what it had before the one; said at the other */
    const char *request;            /* the controller's reference */
};
struct deleted {
    struct pairs pairs; /* person (or everybody) and partner; its count is that of claims */
    struct deleted_claim *claims;
    size_t capacity;
};

/* Takes an entry of type deleted; people[id] is the person's place + 1, 0 for those who are not
 * asked about. Of each person and partner the claim that reaches furthest counts. */
MUST_USE enum status deleted_take(struct deleted *deleted, struct arena *arena,
                                  const struct ledger_entry *entry, uint32_t partner,
                                  int64_t before_ns, const uint32_t *people, size_t id_count,
                                  struct error *error);
/* Did the partner attest that it deleted what it had of this person (UINT32_MAX: of nobody in
 * particular) at last_ns? NULL: it did not. */
const struct deleted_claim *deleted_find(const struct deleted *deleted, uint32_t person,
                                         uint32_t partner, int64_t last_ns);
void deleted_free(struct deleted *deleted);

#endif
