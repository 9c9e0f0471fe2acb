/* Whether the tiles that were published are those of the tree that the segments gave. Private to
 * verify.c. No state. */
#ifndef COFFERDAM_LEDGER_VERIFY_TILES_H
#define COFFERDAM_LEDGER_VERIFY_TILES_H

#include <stdbool.h>

#include "ledger/checkpoint.h"
#include "ledger/verify.h"

/* published: what stood in tiles/checkpoint, and has been held against the segments. Every hash of
 * every level is computed from the level below, the root from the leaves; with bundles, each
 * published entry is hashed too. STATUS_CORRUPT with *damage filled: the tile, and the first
 * sequence that it is about. */
MUST_USE enum status verify_tiles(const char *folder, const struct checkpoint *published,
                                  bool bundles, uint64_t dropped_below,
                                  struct verify_damage *damage, struct error *error);

#endif
