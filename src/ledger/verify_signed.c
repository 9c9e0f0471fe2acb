/* See verify_signed.h. The checkpoint that comes is believed only once the frames up to its size
 * have given its root: an older signed one that somebody puts in its place says nothing of these.
 */
#include "ledger/verify_signed.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/file.h"
#include "ledger/checkpoint.h"
#include "ledger/entry.h"
#include "ledger/segment.h"

enum { PAUSE_MS = 50, TYPE_AT = 1 /* in an entry's bytes */ };

static enum status take_key(struct verify_ahead *ahead, struct slice bytes, struct error *error)
{
    struct arena items;
    struct ledger_entry entry;
    arena_init(&items, ENTRY_ARENA_BYTES);
    enum status status = ledger_entry_decode(bytes, &items, &entry, error);
    if (status == STATUS_OK && entry.type == LEDGER_KEY)
        status = key_chain_add(ahead->chain, ahead->tree.size, entry.time_ns, entry.text, error);
    arena_free(&items);
    return status;
}

static enum status take_frame(struct verify_ahead *ahead, const struct frame_view *view,
                              struct error *error)
{
    struct frame_cursor cursor;
    struct slice bytes, side;
    uint8_t leaf[MERKLE_HASH_BYTES];
    frame_cursor_start(view, &cursor);
    while (frame_cursor_next(&cursor, &bytes, &side)) {
        if (bytes.len > TYPE_AT && bytes.data[TYPE_AT] == LEDGER_KEY)
            TRY(take_key(ahead, bytes, error));
        merkle_leaf(bytes, leaf);
        merkle_add(&ahead->tree, leaf);
    }
    return STATUS_OK;
}

/* The frames of the segment that ahead stands in, up to this size or its end. */
static enum status follow_segment(struct verify_ahead *ahead, uint64_t size, struct error *error)
{
    struct segment_scan scan;
    struct frame_view view;
    bool found = true;
    TRY(segment_scan_open(ahead->folder, ahead->segment, &scan, error));
    scan.offset = ahead->offset;
    segment_scan_forget(&scan);
    enum status status = STATUS_OK;
    while (status == STATUS_OK && found && ahead->tree.size < size) {
        status = segment_scan_next(&scan, ahead->tree.size, &view, &found, error);
        if (status == STATUS_OK && found)
            status = take_frame(ahead, &view, error);
        ahead->offset = scan.offset;
    }
    segment_scan_close(&scan);
    return status;
}

static enum status follow(struct verify_ahead *ahead, uint64_t size, struct error *error)
{
    char next[SEGMENT_PATH_BYTES];
    for (;;) {
        TRY(follow_segment(ahead, size, error));
        segment_path(ahead->folder, ahead->segment + 1, ".log", next);
        if (ahead->tree.size >= size || !file_exists(next))
            return STATUS_OK;
        ahead->segment++;
        ahead->offset = SEGMENT_HEADER_BYTES;
    }
}

static bool is_signed(const struct verify_ahead *ahead, const struct note *note, uint64_t size)
{
    size_t first, stop;
    const struct key_chain *chain = ahead->chain;
    const struct key_chain_link *link = key_chain_at(chain, size);
    return link != NULL && key_chain_follow(chain, ahead->key, &first, &stop, NULL) == STATUS_OK &&
           link >= &chain->links[first] && link < &chain->links[stop] &&
           note_check(note, &link->key) == NOTE_GOOD;
}

/* Does the checkpoint as it is now speak of all that was read? */
static enum status look(struct verify_ahead *ahead, bool *done, struct error *error)
{
    char path[SEGMENT_PATH_BYTES], origin[CHECKPOINT_ORIGIN_ROOM];
    uint8_t root[MERKLE_HASH_BYTES];
    struct checkpoint newest;
    struct note note;
    struct buffer bytes;
    buffer_init(&bytes, NOTE_BYTES_MAX);
    snprintf(path, sizeof path, "%.*s/checkpoint", SEGMENT_FOLDER_BYTES, ahead->folder);
    *done = false;
    enum status status = STATUS_OK;
    if (checkpoint_read_note(path, &bytes, &note, origin, &newest, NULL) == STATUS_OK &&
        newest.size >= ahead->tree.size) {
        status = follow(ahead, newest.size, error);
        merkle_root(&ahead->tree, root);
        *done = status == STATUS_OK && newest.size == ahead->tree.size &&
                memcmp(root, newest.root, sizeof root) == 0 &&
                strcmp(origin, ahead->chain->origin) == 0 && is_signed(ahead, &note, newest.size);
    }
    buffer_free(&bytes);
    return status;
}

static enum status unsigned_end(const struct verify_ahead *ahead, uint64_t size,
                                struct verify_damage *damage, struct error *error)
{
    damage->check = "unsigned";
    snprintf(damage->file, sizeof damage->file, "%.440s/checkpoint", ahead->folder);
    damage->byte = 0;
    damage->sequence = size;
    return error_set(
        error, STATUS_CORRUPT, "XX001",
        "What was written in the second before a crash looks like this: the next start "
        "of the gateway signs it. In a log that was stopped in an orderly way it was "
        "added, or put in another's place, by somebody without the key.",
        "%.200s: unsigned: no checkpoint vouches for the entries up to %" PRIu64 ", the log's end",
        ahead->folder, size);
}

enum status verify_signed(struct verify_ahead *ahead, bool *beyond, struct verify_damage *damage,
                          struct error *error)
{
    const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000};
    const uint64_t size = ahead->tree.size;
    for (unsigned waited_ms = 0; waited_ms <= ahead->patience_ms; waited_ms += PAUSE_MS) {
        bool done;
        TRY(look(ahead, &done, error));
        *beyond = ahead->tree.size > size;
        if (done)
            return STATUS_OK;
        nanosleep(&pause, NULL);
    }
    return unsigned_end(ahead, size, damage, error);
}
