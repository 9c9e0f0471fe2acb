/* What proves how much was acknowledged: the file `checkpoint` (size and root of the durable tree,
 * replaced whole), the file `durable` (the durable sequence, stored after every sync) and `log-id`.
 * Both are written after the data they speak of is durable, so neither can say too much; a log
 * that holds less than either says has lost acknowledged entries. No state, any thread. */
#ifndef COFFERDAM_LEDGER_CHECKPOINT_H
#define COFFERDAM_LEDGER_CHECKPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "ledger/merkle.h"
#include "ledger/segment.h"

struct checkpoint {
    uint64_t size; /* = durable sequence */
    uint8_t root[MERKLE_HASH_BYTES];
};

/* The body of a C2SP tlog-checkpoint, yet without signatures. */
MUST_USE enum status checkpoint_write(const char *folder,
                                      const uint8_t log_id[static SEGMENT_ID_BYTES],
                                      const struct checkpoint *checkpoint, struct error *error);
/* STATUS_NOT_FOUND; STATUS_CORRUPT where it is not this log's or not well-formed. */
MUST_USE enum status checkpoint_read(const char *folder,
                                     const uint8_t log_id[static SEGMENT_ID_BYTES],
                                     struct checkpoint *checkpoint, struct error *error);

/* Opens the file for durable_store, making it if need be. */
MUST_USE enum status durable_open(const char *folder, int *fd, struct error *error);
MUST_USE enum status durable_store(int fd, uint64_t sequence, struct error *error);
/* 0 where the file is missing, torn or unreadable: it is extra evidence only. */
uint64_t durable_load(const char *folder);

MUST_USE enum status log_id_write(const char *folder, const uint8_t id[static SEGMENT_ID_BYTES],
                                  struct error *error);
MUST_USE enum status log_id_read(const char *folder, uint8_t id[static SEGMENT_ID_BYTES],
                                 struct error *error);

#endif
