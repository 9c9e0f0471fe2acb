/* Snapshot: the policy in force, bound to the database, with what the gateway derives from it.
 * Immutable, reference counted; swapped whole on reload. */
#ifndef COFFERDAM_GATEWAY_SNAPSHOT_H
#define COFFERDAM_GATEWAY_SNAPSHOT_H

#include <stdatomic.h>

#include "identity/roster.h"
#include "sql/model.h"

struct snapshot {
    atomic_uint references;
    struct model *model;
    const struct policy *policy; /* borrowed from the model */
    uint64_t epoch;
    uint8_t policy_id[32];
    struct roster *roster; /* of the policy's agents; the snapshot's; thread-safe. NULL in tests */
};

/* Takes the model. NULL when memory is exhausted (the model is released). */
struct snapshot *snapshot_make(struct model *model, uint64_t epoch);
struct snapshot *snapshot_retain(struct snapshot *snapshot);
void snapshot_release(struct snapshot *snapshot);

/* Grows or shrinks as grants come into force and end: two calls with the same answer saw the same
 * grants in force. */
uint64_t snapshot_validity(const struct snapshot *snapshot, int64_t now_ns);

/* What the agent works for: `stated` if it is one of the partner's purposes; where nothing is
 * stated, the only purpose of the agent's grants. STATUS_DENIED 28000 with a hint naming them. */
MUST_USE enum status snapshot_purpose(const struct policy_partner *partner,
                                      const struct policy_agent *agent, const char *stated,
                                      const char **purpose, struct error *error);

#endif
