/* What a commitment entry of the ledger says: the root of the index of everybody ever disclosed.
 * docs/NEVER-FORMAT.md, "Commitment", has the lines. No state, any thread. */
#ifndef COFFERDAM_NEVER_COMMITMENT_H
#define COFFERDAM_NEVER_COMMITMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"

enum { NEVER_HASH_BYTES = 32, NEVER_COMMITMENT_BYTES = 1024 /* of the lines, at most */ };

/* Where the index begins: in a log whose oldest entries were dropped, at its base. */
struct never_base {
    uint64_t from; /* the first entry that is counted; 0: of a log that nothing is missing of, and
                      then the rest is zeros */
    int64_t since_ns; /* nothing told from this instant on is missing; whole seconds */
    uint8_t statement[NEVER_HASH_BYTES]; /* SHA-256 of the text of the entry that tells of the
                                            dropping */
};

struct never_commitment {
    struct never_base base;
    uint64_t entries; /* those below this sequence are counted */
    int64_t as_of_ns; /* the gateway's clock when they were the newest; whole seconds */
    uint64_t leaves;  /* of the index, sentinels included */
    uint64_t erased;  /* people in no leaf: their keys were gone before they were first indexed */
    uint8_t root[NEVER_HASH_BYTES];
    uint8_t
        vrf_key[NEVER_HASH_BYTES]; /* public key of the function that gives people their places */
};

/* Of the log in this folder now. STATUS_CORRUPT. */
MUST_USE enum status never_base_read(const char *ledger_folder, struct never_base *base,
                                     struct error *error);
bool never_base_equal(const struct never_base *a, const struct never_base *b);

/* Appends the lines, the last without a newline. */
void never_commitment_format(const struct never_commitment *commitment, struct buffer *out);
/* Reads an entry's text; a line "by=…" may follow. One spelling: STATUS_INVALID for any other. */
MUST_USE enum status never_commitment_parse(struct slice text, struct never_commitment *commitment,
                                            struct error *error);

#endif
