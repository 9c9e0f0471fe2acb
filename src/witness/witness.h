/* Client of witnesses (C2SP tlog-witness): others who remember the largest checkpoint of this log
 * that they saw, and cosign a larger one only with a proof that it contains theirs. Whoever asks
 * for cosignatures cannot be shown a log that was rewritten or put back.
 * Invariant: a cosignature is stored only after it was verified against the witness's key, over
 * the very text that the log signed. Keeps no state but the notes in checkpoints/ and
 * tiles/checkpoint. One thread. */
#ifndef COFFERDAM_WITNESS_WITNESS_H
#define COFFERDAM_WITNESS_WITNESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "ledger/checkpoint.h"

enum { WITNESS_MAX = 16 };

struct witness {
    struct note_key key; /* of type cosignature/v1 */
    const char *url;     /* borrowed; "/add-checkpoint" comes behind it */
    const char *ca;      /* borrowed; a PEM file, or NULL: the system's */
    uint64_t known;      /* the size that it told of last; 0 at first. Kept by witness_round */
};

enum witness_state {
    WITNESS_COSIGNED, /* now, or before */
    WITNESS_REFUSED,  /* it does not know us, or its answer is none */
    WITNESS_AWAY,     /* it could not be reached */
    WITNESS_FORKED,   /* it remembers another log than ours: what we hold was changed or put back */
};

struct witness_result {
    enum witness_state state;
    uint64_t time; /* Unix seconds of the cosignature, otherwise 0 */
    struct error error;
};

struct witness_round {
    struct checkpoint checkpoint;
    size_t cosigned;
    bool forked; /* by any */
    struct witness_result results[WITNESS_MAX];
};

/* Asks those who have not cosigned the newest published checkpoint of the ledger in this folder,
 * and stores what they sign. STATUS_NOT_FOUND where nothing signed is published. What single
 * witnesses did stands in *round. */
MUST_USE enum status witness_round(const char *folder, struct witness *witnesses, size_t count,
                                   struct witness_round *round, struct error *error);
const char *witness_state_name(enum witness_state state);

#endif
