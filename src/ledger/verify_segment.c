/* See verify_segment.h. Everything here can be known from the segment's own bytes; whether it fits
 * to the segments before it is for verify.c. */
#include "ledger/verify_segment.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ledger/entry.h"

void verify_segment_init(struct verify_segment *segment, const char *folder)
{
    *segment = (struct verify_segment){.folder = folder};
    buffer_init(&segment->leaves, SEGMENT_MAX_BYTES);
    buffer_init(&segment->frames, SEGMENT_MAX_BYTES);
    buffer_init(&segment->notables, SEGMENT_MAX_BYTES);
    buffer_init(&segment->notable, SEGMENT_MAX_BYTES);
    arena_init(&segment->items, ENTRY_ARENA_BYTES);
}

void verify_segment_free(struct verify_segment *segment)
{
    buffer_free(&segment->leaves);
    buffer_free(&segment->frames);
    buffer_free(&segment->notables);
    buffer_free(&segment->notable);
    arena_free(&segment->items);
}

uint64_t verify_segment_count(const struct verify_segment *segment)
{
    return segment->leaves.len / MERKLE_HASH_BYTES;
}

enum status verify_damaged(struct verify_damage *damage, const char *folder, uint64_t number,
                           uint64_t byte, uint64_t sequence, const char *check, const char *what,
                           struct error *error)
{
    char path[SEGMENT_PATH_BYTES];
    segment_path(folder, number, ".log", path);
    damage->check = check;
    snprintf(damage->file, sizeof damage->file, "%.500s", path);
    damage->byte = byte;
    damage->sequence = sequence;
    return error_set(error, STATUS_CORRUPT, "XX001", NULL,
                     "%.150s: byte %" PRIu64 ", sequence %" PRIu64 ": %s: %s", path, byte, sequence,
                     check, what);
}

static enum status damaged(struct verify_segment *segment, uint64_t byte, const char *check,
                           const char *what, struct error *error)
{
    return verify_damaged(&segment->damage, segment->folder, segment->number, byte,
                          segment->first + verify_segment_count(segment), check, what, error);
}

static void forget(struct verify_segment *segment, uint64_t number)
{
    buffer_clear(&segment->leaves);
    buffer_clear(&segment->frames);
    buffer_clear(&segment->notables);
    buffer_clear(&segment->notable);
    segment->number = number;
    segment->first = segment->durable = segment->epoch = 0;
    segment->clean = false;
    segment->first_ns = INT64_MAX;
    segment->last_ns = INT64_MIN;
    segment->defined = segment->wanted = 0;
    segment->damage = (struct verify_damage){0};
}

/* ---- entries ---- */

/* Those that the order of the log gives their meaning; the rest are of statements. */
static bool is_notable(enum ledger_type type)
{
    return type != LEDGER_DISCLOSURE && type != LEDGER_REFUSAL && type != LEDGER_PROBE &&
           type != LEDGER_CHANGE && type != LEDGER_CHANGE_END;
}

static void keep_notable(struct verify_segment *segment, uint64_t offset, struct slice bytes)
{
    const struct verify_notable notable = {.sequence =
                                               segment->first + verify_segment_count(segment),
                                           .offset = offset,
                                           .at = segment->notable.len,
                                           .len = bytes.len};
    buffer_append(&segment->notables, &notable, sizeof notable);
    buffer_append(&segment->notable, bytes.data, bytes.len);
}

/* An id that was not defined in this segment before must have been in an earlier one. */
static void want_column_set(struct verify_segment *segment, uint32_t id, uint64_t offset)
{
    if (id <= segment->defined || id - segment->defined <= segment->wanted)
        return;
    segment->wanted = id - segment->defined;
    segment->wanted_by = segment->first + verify_segment_count(segment);
    segment->wanted_at = offset;
}

static enum status take_entry(struct verify_segment *segment, struct slice bytes, uint64_t offset,
                              struct error *error)
{
    struct ledger_entry entry;
    struct error why = {0};
    uint8_t leaf[MERKLE_HASH_BYTES];
    arena_reset(&segment->items);
    enum status status = ledger_entry_decode(bytes, &segment->items, &entry, &why);
    if (status == STATUS_CORRUPT)
        return damaged(segment, offset, "entry", why.message, error);
    if (status != STATUS_OK) {
        if (error != NULL)
            *error = why;
        return status;
    }
    if (entry.type == LEDGER_COLUMN_SET)
        segment->defined++;
    else
        want_column_set(segment, entry.column_set, offset);
    for (size_t i = 0; i < entry.item_count; i++)
        want_column_set(segment, entry.items[i].column_set, offset);
    if (is_notable(entry.type))
        keep_notable(segment, offset, bytes);
    segment->first_ns = entry.time_ns < segment->first_ns ? entry.time_ns : segment->first_ns;
    segment->last_ns = entry.time_ns > segment->last_ns ? entry.time_ns : segment->last_ns;
    merkle_leaf(bytes, leaf);
    buffer_append(&segment->leaves, leaf, sizeof leaf);
    return STATUS_OK;
}

/* ---- frames ---- */

static enum status take_frame(struct verify_segment *segment, const struct frame_view *view,
                              uint64_t offset, struct error *error)
{
    struct frame_cursor cursor;
    struct slice bytes, side;
    struct verify_frame frame = {.offset = offset, .tree_size = view->tree_size};
    if (view->epoch < segment->epoch)
        return damaged(segment, offset, "epoch", "the epoch goes back", error);
    frame_cursor_start(view, &cursor);
    while (frame_cursor_next(&cursor, &bytes, &side)) {
        uint64_t within = (uint64_t)(bytes.data - view->entries.data);
        TRY(take_entry(segment, bytes, offset + FRAME_HEADER_BYTES + within, error));
    }
    memcpy(frame.root, view->root, sizeof frame.root);
    buffer_append(&segment->frames, &frame, sizeof frame);
    segment->epoch = view->epoch;
    segment->clean = (view->flags & FRAME_FLAG_CLEAN) != 0;
    segment->durable = view->durable > segment->durable ? view->durable : segment->durable;
    if (segment->leaves.overflowed || segment->frames.overflowed || segment->notables.overflowed ||
        segment->notable.overflowed)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "no memory to verify a segment");
    return STATUS_OK;
}

static enum status take_frames(struct verify_segment *segment, struct segment_scan *scan,
                               struct error *error)
{
    struct frame_view view;
    size_t padded;
    for (;; scan->offset += padded) {
        TRY(segment_scan_peek(scan, &view, &padded, error));
        if (padded == 0 || view.first != segment->first + verify_segment_count(segment))
            break;
        TRY(take_frame(segment, &view, scan->offset, error));
    }
    segment->end = padded > 0 ? VERIFY_END_SEQUENCE : VERIFY_END_BYTES;
    segment->end_sequence = padded > 0 ? view.first : 0;
    return STATUS_OK;
}

static enum status look_behind(struct verify_segment *segment, struct segment_scan *scan,
                               struct error *error)
{
    uint64_t durable;
    bool all_zero;
    TRY(segment_scan_rest(scan, &durable, &all_zero, error));
    segment->end_offset = scan->offset;
    segment->durable = durable > segment->durable ? durable : segment->durable;
    if (all_zero)
        segment->end = VERIFY_END_ZEROS;
    return STATUS_OK;
}

/* The checksum holds; what is left is whether the bytes are the ones that these fields have. */
static enum status check_header(struct verify_segment *segment, struct segment_scan *scan,
                                struct error *error)
{
    uint8_t want[SEGMENT_HEADER_BYTES];
    const struct segment_header *header = &scan->header;
    segment_header_encode(header, want);
    if (scan->window.len < sizeof want || memcmp(scan->window.data, want, sizeof want) != 0)
        return damaged(segment, 0, "header", "bytes that must be zero are not", error);
    if (header->size_bytes < SEGMENT_MIN_BYTES || header->size_bytes > SEGMENT_MAX_BYTES)
        return damaged(segment, 48, "header", "the segment's size is out of range", error);
    if (scan->file_bytes != header->size_bytes)
        return damaged(segment, scan->file_bytes, "size",
                       scan->file_bytes < header->size_bytes ? "the file was cut off"
                                                             : "the file is too long",
                       error);
    return STATUS_OK;
}

static enum status scan_all(struct verify_segment *segment, struct segment_scan *scan,
                            struct error *error)
{
    segment->header = scan->header;
    segment->first = scan->header.first_sequence;
    segment->epoch = scan->header.epoch;
    TRY(check_header(segment, scan, error));
    TRY(take_frames(segment, scan, error));
    return look_behind(segment, scan, error);
}

enum status verify_segment_scan(struct verify_segment *segment, uint64_t number,
                                struct error *error)
{
    struct segment_scan scan;
    forget(segment, number);
    enum status status = segment_scan_open(segment->folder, number, &scan, error);
    if (status == STATUS_CORRUPT)
        return damaged(segment, 0, "header", "the segment's header is damaged", error);
    if (status == STATUS_NOT_FOUND)
        return damaged(segment, 0, "segments", "the segment is missing", error);
    TRY(status);
    status = scan_all(segment, &scan, error);
    segment_scan_close(&scan);
    return status;
}
