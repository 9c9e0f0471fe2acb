/* Segment files: pre-allocated, zero-filled and synced before use, so that a full disk strikes when
 * one is made and a commit changes no metadata. docs/LEDGER-FORMAT.md, "Segment".
 * Names: segment-NNNNNNNNNN.log in use, .spare ready for use, .new being made or copied (worthless
 * after a crash). A scan reads one segment's frames in order; its views borrow its window.
 * Nothing here is thread-safe; each object belongs to one thread at a time. */
#ifndef COFFERDAM_LEDGER_SEGMENT_H
#define COFFERDAM_LEDGER_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"
#include "ledger/frame.h"

enum {
    SEGMENT_HEADER_BYTES = 4096,
    SEGMENT_PATH_BYTES = 4096,
    SEGMENT_FOLDER_BYTES = 4000, /* a folder's name is shorter, which leaves room for ours */
    SEGMENT_MIN_BYTES = 128 * 1024,
    SEGMENT_MAX_BYTES = 1024 * 1024 * 1024,
    SEGMENT_DEFAULT_BYTES = 64 * 1024 * 1024,
    SEGMENT_ID_BYTES = 16,
    SEGMENT_FILE_MODE = 0640,
    SEGMENT_WINDOW_BYTES = 256 * 1024,
};

struct segment_header {
    uint8_t log_id[SEGMENT_ID_BYTES];
    uint64_t number, first_sequence, size_bytes, epoch;
    uint64_t salt; /* random; part of every frame's checksum */
    uint8_t previous_root[MERKLE_HASH_BYTES];
};

void segment_header_encode(const struct segment_header *header,
                           uint8_t bytes[static SEGMENT_HEADER_BYTES]);
bool segment_header_decode(const uint8_t bytes[static SEGMENT_HEADER_BYTES],
                           struct segment_header *header);

void segment_path(const char *folder, uint64_t number, const char *suffix,
                  char path[static SEGMENT_PATH_BYTES]);
/* The last segment's number, 0 for none, and a spare's number, 0 for none. STATUS_CORRUPT when one
 * between first (1, or the base's) and the last is missing; where first is more than 1, it must be
 * there itself. */
MUST_USE enum status segment_list(const char *folder, uint64_t first, uint64_t *last,
                                  uint64_t *spare, struct error *error);
/* Removes the segments whose number is less. */
MUST_USE enum status segment_remove_below(const char *folder, uint64_t first, struct error *error);
/* Removes what an interrupted maker or recovery left. */
MUST_USE enum status segment_remove_unfinished(const char *folder, struct error *error);

/* Makes a spare in steps of a mebibyte, each synced, so that commits on the same disk never wait
 * long. On failure nothing is left behind. */
struct segment_maker {
    int fd; /* -1 when idle */
    uint64_t number, size_bytes, offset;
};
MUST_USE enum status segment_maker_start(struct segment_maker *maker, const char *folder,
                                         uint64_t number, uint64_t size_bytes, struct error *error);
MUST_USE enum status segment_maker_step(struct segment_maker *maker, const char *folder, bool *done,
                                        struct error *error);
void segment_maker_cancel(struct segment_maker *maker, const char *folder);
/* All steps at once. */
MUST_USE enum status segment_make_spare(const char *folder, uint64_t number, uint64_t size_bytes,
                                        struct error *error);

/* Turns the spare of header->number into that segment and opens it for writing. */
MUST_USE enum status segment_activate(const char *folder, const struct segment_header *header,
                                      int *fd, struct error *error);

struct segment_scan {
    int fd;
    struct segment_header header;
    uint64_t file_bytes;
    uint64_t offset; /* of the next frame */
    struct buffer window;
    uint64_t window_at;
};
/* STATUS_CORRUPT for a header that is not ours, STATUS_NOT_FOUND, STATUS_IO. */
MUST_USE enum status segment_scan_open(const char *folder, uint64_t number,
                                       struct segment_scan *scan, struct error *error);
void segment_scan_close(struct segment_scan *scan);
/* *found is false, and nothing moved, unless a whole frame that starts with this sequence stands
 * at scan->offset. The view is valid until the next call. */
MUST_USE enum status segment_scan_next(struct segment_scan *scan, uint64_t sequence,
                                       struct frame_view *view, bool *found, struct error *error);
/* The whole frame at scan->offset, of whatever sequence. Nothing moves: *padded bytes on is the
 * next; 0 where there is none. */
MUST_USE enum status segment_scan_peek(struct segment_scan *scan, struct frame_view *view,
                                       size_t *padded, struct error *error);
/* Looks behind the last good frame: the highest durable sequence in any whole frame there, and
 * whether there is nothing but zeros. */
MUST_USE enum status segment_scan_rest(struct segment_scan *scan, uint64_t *durable, bool *all_zero,
                                       struct error *error);
/* Forgets what was read ahead: the file is being written by somebody. */
void segment_scan_forget(struct segment_scan *scan);

#endif
