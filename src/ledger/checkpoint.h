/* Checkpoints (C2SP tlog-checkpoint): size and root of the durable tree as the text of a signed
 * note: origin, size in decimal, root in base64, one a line. `checkpoint` in the ledger's folder is
 * the newest, replaced whole after the data it speaks of is durable: it cannot say too much, and a
 * log that holds less than it says has lost acknowledged entries. No state, any thread. */
#ifndef COFFERDAM_LEDGER_CHECKPOINT_H
#define COFFERDAM_LEDGER_CHECKPOINT_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"
#include "ledger/note.h"

enum {
    CHECKPOINT_HASH_BYTES = 32,
    CHECKPOINT_LOG_ID_BYTES = 16,
    CHECKPOINT_ORIGIN_ROOM = NOTE_NAME_ROOM, /* the log's key bears the origin as its name */
};

struct checkpoint {
    uint64_t size; /* of the tree: all sequences below are in it */
    uint8_t root[CHECKPOINT_HASH_BYTES];
};

/* "cofferdam/log/<32 hex>": names the log, and its keys. */
void checkpoint_origin(const uint8_t log_id[static CHECKPOINT_LOG_ID_BYTES],
                       char origin[static CHECKPOINT_ORIGIN_ROOM]);
/* Appends the three lines: the text of the note. */
void checkpoint_format(const char *origin, const struct checkpoint *checkpoint, struct buffer *out);
/* The text of a note; three lines exactly, one spelling. STATUS_INVALID otherwise. */
MUST_USE enum status checkpoint_parse(struct slice text, char origin[static CHECKPOINT_ORIGIN_ROOM],
                                      struct checkpoint *checkpoint, struct error *error);
/* Reads a file that holds a signed checkpoint. *note borrows *bytes, which the caller has
 * initialised and frees. Nothing is verified yet. STATUS_NOT_FOUND, STATUS_INVALID, STATUS_IO. */
MUST_USE enum status checkpoint_read_note(const char *path, struct buffer *bytes, struct note *note,
                                          char origin[static CHECKPOINT_ORIGIN_ROOM],
                                          struct checkpoint *checkpoint, struct error *error);
/* The checkpoint in the ledger's folder, signed or (before there were keys) not; signatures are not
 * looked at. STATUS_NOT_FOUND; STATUS_CORRUPT where it is not this log's or not well-formed. */
MUST_USE enum status checkpoint_read(const char *folder,
                                     const uint8_t log_id[static CHECKPOINT_LOG_ID_BYTES],
                                     struct checkpoint *checkpoint, struct error *error);
/* Replaces it by one without signatures: of a log that has just been made, before its key. */
MUST_USE enum status checkpoint_write(const char *folder,
                                      const uint8_t log_id[static CHECKPOINT_LOG_ID_BYTES],
                                      const struct checkpoint *checkpoint, struct error *error);

#endif
