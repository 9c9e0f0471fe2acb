/* Commit frames: what one group commit writes. docs/LEDGER-FORMAT.md, "Frame", has the bytes.
 * A builder gathers entries under the queue's lock and is sealed by the writer; a view borrows the
 * bytes of a frame that has been read and found whole. Not thread-safe. */
#ifndef COFFERDAM_LEDGER_FRAME_H
#define COFFERDAM_LEDGER_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "ledger/merkle.h"

enum {
    FRAME_ALIGN_BYTES = 512,
    FRAME_HEADER_BYTES = 96,
    FRAME_TARGET_BYTES = 4 * 1024 * 1024, /* a frame that has passed this takes no more entries */
    FRAME_SIDE_BYTES = 8 * 1024 * 1024,   /* of one entry */
    FRAME_FLAG_CLEAN = 1,                 /* an orderly stop; holds no entries */
};

struct frame {
    uint64_t segment, offset; /* where it will stand */
    bool rolls;               /* first of its segment: the writer has to change over to it */
    uint64_t first;
    uint32_t count;
    struct buffer bytes; /* room for the header, then entries; sealing appends sides and padding */
    struct buffer sides;
    struct buffer leaves; /* their hashes, MERKLE_HASH_BYTES each */
};

void frame_init(struct frame *frame);
void frame_free(struct frame *frame);
void frame_begin(struct frame *frame, uint64_t segment, uint64_t offset, uint64_t first);
/* Bytes on disk, with padding, if this entry were added; len 0 for the frame as it is. */
size_t frame_padded_size(const struct frame *frame, size_t entry_len, size_t side_len);
/* Copies. False, with nothing changed, when there is no memory. */
bool frame_add(struct frame *frame, struct slice entry, struct slice side,
               const uint8_t leaf[static MERKLE_HASH_BYTES]);

struct frame_seal {
    uint32_t flags;
    uint64_t epoch, durable;
    uint64_t salt; /* the segment's */
};
/* Adds the leaves to tree and completes the bytes, which the frame owns. False: no memory. */
bool frame_seal(struct frame *frame, const struct frame_seal *seal, struct merkle *tree,
                struct slice *bytes);

struct frame_view {
    uint64_t first, epoch, durable, tree_size;
    uint32_t count, flags;
    uint8_t root[MERKLE_HASH_BYTES];
    struct slice entries, sides;
};

size_t frame_pad(size_t len); /* len rounded up to FRAME_ALIGN_BYTES */
/* The length, without padding, of the frame with this header; 0 if it is none for this place. */
size_t frame_claimed_length(const uint8_t header[static FRAME_HEADER_BYTES], uint64_t salt,
                            uint64_t offset);
/* True when bytes (with padding) are one whole frame written for this salt and offset. */
bool frame_decode(struct slice bytes, uint64_t salt, uint64_t offset, struct frame_view *view);

struct frame_cursor {
    struct slice entries, sides;
    uint32_t index;
};
void frame_cursor_start(const struct frame_view *view, struct frame_cursor *cursor);
/* The next entry and its side section (empty if none); false at the end or where lengths do not
 * agree, in which case cursor->entries or cursor->sides is not empty. */
bool frame_cursor_next(struct frame_cursor *cursor, struct slice *entry, struct slice *side);

#endif
