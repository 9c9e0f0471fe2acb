/* What a commitment entry of the ledger says: the root of the index of everybody ever disclosed.
 * docs/NEVER-FORMAT.md, "Commitment", has the lines. No state, any thread. */
#ifndef COFFERDAM_NEVER_COMMITMENT_H
#define COFFERDAM_NEVER_COMMITMENT_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"

enum { NEVER_HASH_BYTES = 32, NEVER_COMMITMENT_BYTES = 1024 /* of the lines, at most */ };

struct never_commitment {
    uint64_t entries; /* those below this sequence are counted */
    int64_t as_of_ns; /* the gateway's clock when they were the newest; whole seconds */
    uint64_t leaves;  /* of the index, sentinels included */
    uint64_t erased;  /* people in no leaf: their keys were gone before they were first indexed */
    uint8_t root[NEVER_HASH_BYTES];
    uint8_t
        vrf_key[NEVER_HASH_BYTES]; /* public key of the function that gives people their places */
};

/* Appends the lines, the last without a newline. */
void never_commitment_format(const struct never_commitment *commitment, struct buffer *out);
/* Reads an entry's text; a line "by=…" may follow. One spelling: STATUS_INVALID for any other. */
MUST_USE enum status never_commitment_parse(struct slice text, struct never_commitment *commitment,
                                            struct error *error);

#endif
