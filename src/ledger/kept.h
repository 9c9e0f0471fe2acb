/* The folder checkpoints/ of a log: signed checkpoints that are kept for good, since others may
 * hold on to them. A file a size, named by it in twenty digits. No state, any thread or process:
 * the gateway adds files, and witnesses' cosignatures are added to them beside it. */
#ifndef COFFERDAM_LEDGER_KEPT_H
#define COFFERDAM_LEDGER_KEPT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"
#include "ledger/note.h"

enum { KEPT_PATH_ROOM = 4096, KEPT_FILE_MODE = 0644 };

/* folder: the ledger's. */
void kept_path(const char *folder, uint64_t size, char path[static KEPT_PATH_ROOM]);
/* Largest size of which there is a file; STATUS_NOT_FOUND for none. */
MUST_USE enum status kept_newest(const char *folder, uint64_t *size, struct error *error);
/* Largest size of which there is a file that at least so many of these witnesses have cosigned;
 * STATUS_NOT_FOUND for none. */
MUST_USE enum status kept_cosigned(const char *folder, const struct note_key *witnesses,
                                   size_t count, size_t quorum, uint64_t *size,
                                   struct error *error);
/* Stores a note, durably. replace: also over one of that size; otherwise that one stays. */
MUST_USE enum status kept_store(const char *folder, uint64_t size, struct slice note, bool replace,
                                struct error *error);

/* Puts a note with cosignatures into tiles/checkpoint, if what stands there is of its size: the
 * gateway may have published something newer. */
MUST_USE enum status kept_publish(const char *folder, uint64_t size, struct slice note,
                                  struct error *error);
/* Who changes tiles/checkpoint holds this lock: *fd is to be closed. */
MUST_USE enum status kept_lock_published(const char *folder, int *fd, struct error *error);

#endif
