/* Opening a log: replay of every entry, proof that nothing acknowledged is missing, repair of an
 * unacknowledged tail. docs/LEDGER-FORMAT.md, "Recovery", has the rules. Runs before any other
 * thread of the ledger exists. */
#ifndef COFFERDAM_LEDGER_RECOVERY_H
#define COFFERDAM_LEDGER_RECOVERY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "ledger/ledger.h"
#include "ledger/merkle.h"
#include "ledger/segment.h"

typedef enum status recovery_visit(void *context, uint64_t sequence,
                                   const struct ledger_entry *entry, struct slice side,
                                   uint64_t segment, struct error *error);

struct recovered {
    uint8_t log_id[SEGMENT_ID_BYTES];
    int fd;                     /* the last segment, for writing; owned by whoever takes it */
    struct segment_header tail; /* its header */
    uint64_t offset;            /* where the next frame goes */
    struct merkle tree;         /* tree.size is the next sequence; all below is durable */
    uint64_t bytes;             /* of frames and headers in all segments */
    uint64_t dropped_bytes;     /* of the unacknowledged tail, from its first bad frame on */
    bool unclean;               /* the last stop was not an orderly one */
    bool spare_ready;           /* for the segment after tail */
};

/* folder exists and is locked by us; an empty one becomes a new log. */
MUST_USE enum status recovery_run(const char *folder, uint64_t segment_bytes, uint64_t epoch,
                                  recovery_visit *visit, void *context, struct recovered *recovered,
                                  struct error *error);

#endif
