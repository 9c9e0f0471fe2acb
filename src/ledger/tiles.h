/* The log as C2SP tlog-tiles, in the folder `tiles` beside the segments: what is published, and
 * what proofs are made from. docs/LEDGER-FORMAT.md, "Tiles", has paths and bytes. This is the
 * reading side: it takes the checkpoint that stands there and answers about the tree of that size,
 * whether or not the gateway goes on publishing meanwhile. Nothing read here is believed: a proof
 * is held against the checkpoint after it was made, an entry against its leaf. One thread a struct.
 */
#ifndef COFFERDAM_LEDGER_TILES_H
#define COFFERDAM_LEDGER_TILES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"
#include "ledger/checkpoint.h"

enum {
    TILES_WIDTH = 256, /* hashes in a full tile, entries in a full bundle */
    TILES_LEVELS = 8,  /* tile level L holds the roots of 256^L leaves; 8 of them make 2^64 */
    TILES_ENTRIES = TILES_LEVELS, /* the level that means bundles of entries */
    TILES_PATH_ROOM = 64,
    TILES_BUNDLE_BYTES_MAX = TILES_WIDTH * (2 + 60000),
};

/* A tile or, at level TILES_ENTRIES, a bundle of entries. */
struct tile {
    unsigned level;
    uint64_t index;
    unsigned width; /* 1 … TILES_WIDTH; less than that: partial */
};

/* "tile/0/x001/x234/067.p/8": N in groups of three digits, all but the last with an x before. */
void tile_path(const struct tile *tile, char path[static TILES_PATH_ROOM]);
/* Only what tile_path makes, at most 63 bytes. A level's index can be any number below 2^63. */
bool tile_path_parse(struct slice path, struct tile *tile);
/* The width of this tile in the tree of size leaves: 0 where it has none of them. */
unsigned tile_width(unsigned level, uint64_t index, uint64_t size);

/* Takes the next entry off a bundle: length (2 bytes), entry. False at its end, and where it is
 * cut.
 */
bool tile_bundle_take(struct slice *bundle, struct slice *entry);

/* Appends a file of the tiles of this ledger's folder; of a partial one that is gone, the full one
 * that took its place. STATUS_CORRUPT where there is neither. */
MUST_USE enum status tile_read(const char *folder, const struct tile *tile, struct buffer *out,
                               struct error *error);

/* Reads a bundle in place of what out holds. Of partial bundles only the last two stay: where the
 * one that is wanted has gone, its entries begin the one that the checkpoint of now speaks of, and
 * that is read. STATUS_CORRUPT as above. */
MUST_USE enum status tile_read_bundle(const char *folder, const struct tile *tile,
                                      struct buffer *out, struct error *error);

struct tiles; /* owned */

/* folder: the ledger's. STATUS_NOT_FOUND 58P01 where nothing was published yet; STATUS_INVALID
 * where the checkpoint is none. */
MUST_USE enum status tiles_open(const char *folder, struct tiles **tiles, struct error *error);
void tiles_close(struct tiles *tiles);
/* All three borrowed. What stands in tiles/checkpoint; the note is empty where it has no signature
 * yet. */
const struct checkpoint *tiles_checkpoint(const struct tiles *tiles);
const char *tiles_origin(const struct tiles *tiles);
struct slice tiles_note(const struct tiles *tiles);

/* A proof_source; context: the struct tiles. STATUS_CORRUPT where a tile is missing or too short.
 */
enum status tiles_source(void *tiles, unsigned level, uint64_t index, uint8_t hash[static 32],
                         struct error *error);
/* The entry's canonical bytes, borrowed until the next call. STATUS_INVALID 22023 for one that is
 * not in the tree; STATUS_CORRUPT where its bundle is damaged or it is not that of its leaf. */
MUST_USE enum status tiles_entry(struct tiles *tiles, uint64_t sequence, struct slice *entry,
                                 struct error *error);

#endif
