/* Creating a log and replacing a torn tail. Private to recovery. */
#ifndef COFFERDAM_LEDGER_REPAIR_H
#define COFFERDAM_LEDGER_REPAIR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "ledger/recovery.h"
#include "ledger/segment.h"

/* A new log's id, first segment and first checkpoint; *recovered is filled in. */
MUST_USE enum status repair_create(const char *folder, uint64_t segment_bytes, uint64_t epoch,
                                   struct recovered *recovered, struct error *error);

/* Replaces the segment in scan by a copy of its first scan->offset bytes with zeros behind, synced.
 * On a full disk the spare, if it has the same size, becomes the copy: *spare is then 0. */
MUST_USE enum status repair_tail(const char *folder, struct segment_scan *scan, uint64_t *spare,
                                 struct error *error);

/* Keeps the spare only if it is the next one and of the right size. */
MUST_USE enum status repair_spare(const char *folder, uint64_t last, uint64_t spare,
                                  uint64_t segment_bytes, bool *ready, struct error *error);

#endif
