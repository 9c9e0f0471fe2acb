/* The thread that publishes: off the commit path it reads acknowledged entries from the segments as
 * anybody would, computes the tree a second time, writes tiles (tile_writer.h), and puts the signed
 * checkpoint that the keeper wrote into tiles/checkpoint once all it speaks of is there and the
 * roots agree. It signs nothing and never stops a commit: what fails is logged and tried again.
 * Tiles that contradict the log are evidence: they are left alone, and nothing is published. */
#ifndef COFFERDAM_LEDGER_PUBLISHER_H
#define COFFERDAM_LEDGER_PUBLISHER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "ledger/checkpoint.h"

struct publisher; /* owned */

/* Publishes at once, then each every_ms in which the log has grown. folder: the ledger's; borrowed.
 * is_signed: nothing is published without a signature; otherwise the log has no key. */
MUST_USE enum status publisher_start(const char *folder,
                                     const uint8_t log_id[static CHECKPOINT_LOG_ID_BYTES],
                                     uint32_t every_ms, bool is_signed,
                                     struct publisher **publisher, struct error *error);
/* Publishes what is new, for at most ten seconds (a later start goes on), and frees. After the
 * ledger's last checkpoint. NULL is fine. */
void publisher_stop(struct publisher *publisher);

#endif
