/* The checkpoints that verifying holds a log against: its own, those kept in `checkpoints/`, the
 * published one in `tiles/`, and those that somebody kept elsewhere. They are gathered before the
 * segments are read; their signatures are checked after, when the log has told its keys.
 * Private to verify.c. One thread; owns what it gathered. */
#ifndef COFFERDAM_LEDGER_VERIFY_SHELF_H
#define COFFERDAM_LEDGER_VERIFY_SHELF_H

#include "base/arena.h"
#include "ledger/checkpoint.h"
#include "ledger/key_change.h"
#include "ledger/segment.h"
#include "ledger/verify.h"

struct verify_stored {
    struct slice bytes; /* the whole note; empty: it has no signatures */
    struct checkpoint checkpoint;
    const char *source; /* its file */
};

struct verify_shelf {
    struct arena arena;
    char origin[CHECKPOINT_ORIGIN_ROOM];
    struct verify_stored *stored;
    size_t count, room;
    bool has_published;
    struct checkpoint published; /* what stands in tiles/checkpoint */
    struct slice vkey;           /* log.vkey: what it names is in the log before it is written */
};

void verify_shelf_init(struct verify_shelf *shelf, const uint8_t log_id[static SEGMENT_ID_BYTES]);
void verify_shelf_free(struct verify_shelf *shelf);
/* All that stand in the ledger's folder. STATUS_CORRUPT, with *damage filled, for one that is not
 * what its name says. */
MUST_USE enum status verify_shelf_gather(struct verify_shelf *shelf, const char *folder,
                                         struct verify_damage *damage, struct error *error);
/* One that was kept elsewhere, with or without signatures. STATUS_INVALID where it is none or of
 * another log; STATUS_NOT_FOUND, _IO. */
MUST_USE enum status verify_shelf_add(struct verify_shelf *shelf, const char *path,
                                      struct error *error);
/* Those that the chain says must be signed are, by the key of their time, which is one of the links
 * [first, stop). report->signed_size, ->signatures. */
MUST_USE enum status verify_shelf_check(const struct verify_shelf *shelf,
                                        const struct key_chain *chain, size_t first, size_t stop,
                                        struct verify_report *report, struct verify_damage *damage,
                                        struct error *error);
/* Each line of log.vkey, if there is one, is a key of the chain. STATUS_CORRUPT. */
MUST_USE enum status verify_shelf_vkey(const struct verify_shelf *shelf, const char *folder,
                                       const struct key_chain *chain, struct verify_damage *damage,
                                       struct error *error);

#endif
