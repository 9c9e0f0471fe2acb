/* Small files beside the segments: `durable` (the durable sequence, stored after every sync) and
 * `log-id`. `durable` is written after the data it speaks of is durable, so it cannot say too much;
 * a log that holds less than it says has lost acknowledged entries. No state, any thread. */
#ifndef COFFERDAM_LEDGER_DURABLE_H
#define COFFERDAM_LEDGER_DURABLE_H

#include <stdint.h>

#include "base/status.h"
#include "ledger/segment.h"

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
