/* The growing edge of the tiles: takes entries in order and writes each tile and bundle as it
 * becomes full; partial ones when asked. A file appears whole, by a rename, but is not synced by
 * itself: tiles are derived, the segments are the truth. tile_writer_settle syncs all there is at
 * once and notes how far, so that a start after a power cut goes on from there instead of trusting
 * the rest. After a failure the writer is of no use: free it and resume. One thread; in ledger/
 * only. */
#ifndef COFFERDAM_LEDGER_TILE_WRITER_H
#define COFFERDAM_LEDGER_TILE_WRITER_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"
#include "ledger/checkpoint.h"
#include "ledger/merkle.h"
#include "ledger/segment.h"
#include "ledger/tiles.h"

struct tile_writer {
    char folder[SEGMENT_FOLDER_BYTES]; /* the ledger's */
    char origin[CHECKPOINT_ORIGIN_ROOM];
    uint64_t size;    /* leaves so far */
    uint64_t bundled; /* entries so far: behind size right after tile_writer_resume */
    uint64_t settled; /* size that tiles.synced speaks of */
    uint64_t flushed; /* size whose partial tiles were written last; UINT64_MAX: none were */
    uint8_t edge[TILES_LEVELS][TILES_WIDTH][MERKLE_HASH_BYTES]; /* not yet in a full tile */
    struct buffer bundle;
};

/* Takes up from tiles.synced. STATUS_NOT_FOUND where there is none; STATUS_CORRUPT where it is not
 * this log's or the tiles do not give its root: use tile_writer_start then. Entries are
 * wanted from writer->bundled on. */
MUST_USE enum status tile_writer_resume(struct tile_writer *writer, const char *folder,
                                        const char *origin, struct error *error);
/* At 0, over whatever stands there: the same log gives the same tiles. */
MUST_USE enum status tile_writer_start(struct tile_writer *writer, const char *folder,
                                       const char *origin, struct error *error);
void tile_writer_free(struct tile_writer *writer);

/* The entry with sequence writer->bundled. STATUS_CORRUPT where it is in the tree already, and the
 * leaf there is another's. */
MUST_USE enum status tile_writer_add(struct tile_writer *writer, struct slice entry,
                                     struct error *error);
void tile_writer_root(const struct tile_writer *writer, uint8_t root[static MERKLE_HASH_BYTES]);
/* Writes what is partial, so that the tree of writer->size can be read. */
MUST_USE enum status tile_writer_flush(struct tile_writer *writer, struct error *error);
/* Flushes, syncs, notes it in tiles.synced, and removes partial tiles that full ones replace. */
MUST_USE enum status tile_writer_settle(struct tile_writer *writer, struct error *error);
/* Puts these bytes into tiles/checkpoint. */
MUST_USE enum status tile_writer_checkpoint(struct tile_writer *writer, struct slice note,
                                            struct error *error);

#endif
