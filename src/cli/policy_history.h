/* Policies as the ledger has them. One thread. */
#ifndef COFFERDAM_CLI_POLICY_HISTORY_H
#define COFFERDAM_CLI_POLICY_HISTORY_H

#include "base/buffer.h"
#include "ledger/ledger.h"
#include "policy/policy.h"

/* A policy stands in the ledger in pieces, before it comes into force. */
struct policy_history {
    const char *path; /* what its relative paths go by; borrowed */
    struct buffer text;
    uint32_t pieces; /* of the policy that is being read */
};
void policy_history_init(struct policy_history *history, const char *path);
void policy_history_free(struct policy_history *history);

/* For each entry, in order. True with the last piece of a policy: *policy is then owned by the
 * caller, or NULL where this version cannot read it. */
bool policy_history_take(struct policy_history *history, const struct ledger_entry *entry,
                         const struct policy **policy);

/* The policy that came into force last; STATUS_NOT_FOUND where the ledger has none. */
MUST_USE enum status policy_in_force(const char *ledger, const char *path,
                                     const struct policy **policy, struct error *error);

#endif
