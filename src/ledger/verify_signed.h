/* Whether the log is signed up to its very end. What stands behind the last signed checkpoint rests
 * on the folder alone: whoever can write it, without any key, could have put it there. A gateway
 * that writes signs what it wrote within seconds, so those are waited for, and the log is followed
 * from where verifying ended to the newer checkpoint. Private to verify.c. */
#ifndef COFFERDAM_LEDGER_VERIFY_SIGNED_H
#define COFFERDAM_LEDGER_VERIFY_SIGNED_H

#include "ledger/key_change.h"
#include "ledger/merkle.h"
#include "ledger/verify.h"

/* Where reading stands. */
struct verify_ahead {
    const char *folder;
    const struct note_key *key; /* that the verifier trusts */
    struct key_chain *chain;    /* grows with the log */
    struct merkle tree;
    uint64_t segment, offset; /* where the next frame is */
    unsigned patience_ms;
};

/* Returns when a checkpoint of at least ahead->tree.size entries is signed by a key that follows
 * from the trusted one and has the log's root; *beyond tells whether the log had grown.
 * STATUS_CORRUPT, with *damage filled, where that does not come in time. */
MUST_USE enum status verify_signed(struct verify_ahead *ahead, bool *beyond,
                                   struct verify_damage *damage, struct error *error);

#endif
