/* Replay and judgement. The rule: a bad frame ends the log. If anything proves that the sequence it
 * should have started with was acknowledged, acknowledged data is damaged and we refuse; otherwise
 * it is a tail that nobody was told of, and it is cut off. A later whole frame alone proves
 * nothing (disks reorder what was not yet synced); the durable sequence written in it does. */
#include "ledger/recovery.h"

#include <fcntl.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/log.h"
#include "ledger/base.h"
#include "ledger/checkpoint.h"
#include "ledger/durable.h"
#include "ledger/entry.h"
#include "ledger/kept.h"
#include "ledger/repair.h"

struct replay {
    const char *folder;
    recovery_visit *visit;
    void *context;
    struct arena arena; /* items of the entry being visited */
    uint8_t log_id[SEGMENT_ID_BYTES];
    struct merkle tree;
    uint64_t epoch, bytes;
    uint64_t proven; /* everything below was acknowledged */
    const char *proof;
    struct checkpoint checkpoint;
    bool checkpoint_met;
    bool last_was_clean;
    bool has_base;    /* oldest segments were dropped */
    struct base base; /* then; open during the replay */
    bool base_stated; /* the log's own entry of it has been read */
};

static const char *const restore_hint =
    "Nothing was changed. Restore the file from a replica or a backup.";

static enum status damaged(const struct segment_scan *scan, const struct replay *replay,
                           uint64_t offset, const char *what, struct error *error)
{
    char path[SEGMENT_PATH_BYTES];
    segment_path(replay->folder, scan->header.number, ".log", path);
    return error_set(error, STATUS_CORRUPT, "XX001", restore_hint,
                     "%.200s: byte %" PRIu64 ": %s (sequence %" PRIu64 ")", path, offset, what,
                     replay->tree.size);
}

static void prove(struct replay *replay, uint64_t durable, const char *proof)
{
    if (durable <= replay->proven)
        return;
    replay->proven = durable;
    replay->proof = proof;
}

/* The statement in `base` is the one that the log holds: nobody else can have put it there. */
static void meet_base(struct replay *replay, const struct ledger_entry *entry)
{
    if (replay->has_base && entry->type == LEDGER_DROPPED &&
        slice_equal(entry->text, replay->base.text))
        replay->base_stated = true;
}

static enum status replay_entries(struct replay *replay, const struct segment_scan *scan,
                                  const struct frame_view *view, struct error *error)
{
    struct frame_cursor cursor;
    struct slice bytes, side;
    uint8_t leaf[MERKLE_HASH_BYTES];
    frame_cursor_start(view, &cursor);
    while (frame_cursor_next(&cursor, &bytes, &side)) {
        struct ledger_entry entry;
        arena_reset(&replay->arena);
        TRY(ledger_entry_decode(bytes, &replay->arena, &entry, error));
        TRY(replay->visit(replay->context, replay->tree.size, &entry, side, scan->header.number,
                          error));
        meet_base(replay, &entry);
        merkle_leaf(bytes, leaf);
        merkle_add(&replay->tree, leaf);
    }
    return STATUS_OK;
}

/* Begins where the base ends: with its tree, and what it carries of the entries below. */
static enum status replay_base(struct replay *replay, struct error *error)
{
    struct base *base = &replay->base;
    struct base_carried carried;
    while (base_next(base, &carried)) {
        struct ledger_entry entry;
        arena_reset(&replay->arena);
        TRY(ledger_entry_decode(carried.bytes, &replay->arena, &entry, error));
        TRY(replay->visit(replay->context, carried.sequence, &entry, slice_of(NULL, 0), 0, error));
    }
    replay->tree = base->statement.tree;
    return STATUS_OK;
}

/* The checkpoint was taken between two frames: its size is met exactly, and its root is ours. */
static enum status meet_checkpoint(struct replay *replay, const struct segment_scan *scan,
                                   uint64_t offset, const uint8_t *root, struct error *error)
{
    if (replay->checkpoint_met || replay->tree.size < replay->checkpoint.size)
        return STATUS_OK;
    replay->checkpoint_met = true;
    if (replay->tree.size > replay->checkpoint.size ||
        memcmp(root, replay->checkpoint.root, MERKLE_HASH_BYTES) != 0)
        return damaged(scan, replay, offset, "the tree differs from the checkpoint's", error);
    return STATUS_OK;
}

static enum status replay_frame(struct replay *replay, const struct segment_scan *scan,
                                const struct frame_view *view, uint64_t offset, struct error *error)
{
    uint8_t root[MERKLE_HASH_BYTES];
    if (view->epoch < replay->epoch)
        return damaged(scan, replay, offset, "the epoch goes back", error);
    enum status status = replay_entries(replay, scan, view, error);
    if (status == STATUS_CORRUPT)
        error_prefix(error, "segment %" PRIu64 ", byte %" PRIu64 ", sequence %" PRIu64,
                     scan->header.number, offset, replay->tree.size);
    TRY(status);
    merkle_root(&replay->tree, root);
    if (memcmp(root, view->root, sizeof root) != 0)
        return damaged(scan, replay, offset, "the frame's root is not that of its entries", error);
    replay->epoch = view->epoch;
    replay->last_was_clean = (view->flags & FRAME_FLAG_CLEAN) != 0;
    prove(replay, view->durable, "a later frame");
    return meet_checkpoint(replay, scan, offset, root, error);
}

static enum status check_header(const struct replay *replay, const struct segment_scan *scan,
                                struct error *error)
{
    const struct segment_header *header = &scan->header;
    uint8_t root[MERKLE_HASH_BYTES];
    merkle_root(&replay->tree, root);
    if (memcmp(header->log_id, replay->log_id, sizeof replay->log_id) != 0)
        return damaged(scan, replay, 0, "a segment of another log", error);
    if (header->size_bytes < SEGMENT_MIN_BYTES || header->size_bytes > SEGMENT_MAX_BYTES)
        return damaged(scan, replay, 0, "the segment's size is out of range", error);
    if (header->first_sequence != replay->tree.size || header->epoch < replay->epoch ||
        memcmp(header->previous_root, root, sizeof root) != 0)
        return damaged(scan, replay, 0, "the segment does not continue the one before", error);
    return STATUS_OK;
}

/* All good frames of one segment; scan->offset ends behind the last. */
static enum status replay_segment(struct replay *replay, struct segment_scan *scan,
                                  struct error *error)
{
    struct frame_view view;
    bool found;
    TRY(check_header(replay, scan, error));
    uint8_t root[MERKLE_HASH_BYTES];
    merkle_root(&replay->tree, root);
    TRY(meet_checkpoint(replay, scan, 0, root, error));
    for (;;) {
        uint64_t offset = scan->offset;
        TRY(segment_scan_next(scan, replay->tree.size, &view, &found, error));
        if (!found)
            break;
        TRY(replay_frame(replay, scan, &view, offset, error));
    }
    replay->bytes += scan->offset;
    return STATUS_OK;
}

/* The next segment's header proves that all before its first sequence was durable. */
static enum status open_next(struct replay *replay, uint64_t number, struct segment_scan *scan,
                             struct error *error)
{
    struct segment_scan next;
    enum status status = segment_scan_open(replay->folder, number, &next, error);
    if (status == STATUS_OK && scan->fd >= 0 && next.header.first_sequence > replay->tree.size) {
        status = damaged(scan, replay, scan->offset,
                         "acknowledged entries are damaged: the next segment starts later", error);
        segment_scan_close(&next);
    }
    if (status != STATUS_OK)
        return status;
    segment_scan_close(scan);
    *scan = next;
    return STATUS_OK;
}

static enum status replay_all(struct replay *replay, uint64_t last, struct segment_scan *scan,
                              struct error *error)
{
    uint64_t first = 1;
    if (replay->has_base) {
        first = replay->base.statement.segment;
        TRY(replay_base(replay, error));
    }
    for (uint64_t number = first; number <= last; number++) {
        TRY(open_next(replay, number, scan, error));
        TRY(replay_segment(replay, scan, error));
    }
    if (replay->has_base && !replay->base_stated)
        return error_set(error, STATUS_CORRUPT, "XX001", restore_hint,
                         "%.200s/base: the log has no entry of this dropping", replay->folder);
    return STATUS_OK;
}

/* Whether what stands behind the last good frame may be dropped, and whether there is anything. */
static enum status judge_tail(struct replay *replay, struct segment_scan *scan,
                              struct recovered *recovered, struct error *error)
{
    uint64_t durable;
    bool all_zero;
    TRY(segment_scan_rest(scan, &durable, &all_zero, error));
    prove(replay, durable, "a later frame");
    if (replay->proven > replay->tree.size) {
        char what[160];
        snprintf(what, sizeof what,
                 "acknowledged entries are damaged or missing: %s proves %" PRIu64, replay->proof,
                 replay->proven);
        return damaged(scan, replay, scan->offset, what, error);
    }
    bool nothing_yet = replay->tree.size == 0 && scan->header.number == 1;
    recovered->unclean = !all_zero || scan->file_bytes < scan->header.size_bytes ||
                         !(replay->last_was_clean || nothing_yet);
    recovered->dropped_bytes = all_zero ? 0 : scan->header.size_bytes - scan->offset;
    return STATUS_OK;
}

static enum status open_tail(const struct replay *replay, const struct segment_scan *scan,
                             struct recovered *recovered, struct error *error)
{
    char path[SEGMENT_PATH_BYTES];
    segment_path(replay->folder, scan->header.number, ".log", path);
    recovered->fd = open(path, O_RDWR | O_CLOEXEC);
    if (recovered->fd < 0)
        return error_set_errno(error, errno, "%s", path);
    recovered->tail = scan->header;
    recovered->offset = scan->offset;
    recovered->tree = replay->tree;
    recovered->bytes = replay->bytes;
    memcpy(recovered->log_id, replay->log_id, sizeof replay->log_id);
    return STATUS_OK;
}

static enum status recover_existing(struct replay *replay, uint64_t last, uint64_t segment_bytes,
                                    uint64_t spare, struct recovered *recovered,
                                    struct error *error)
{
    struct segment_scan scan = {.fd = -1};
    struct recovered made = {.fd = -1};
    enum status status = replay_all(replay, last, &scan, error);
    if (status == STATUS_OK)
        status = judge_tail(replay, &scan, &made, error);
    if (status == STATUS_OK && made.unclean)
        status = repair_tail(replay->folder, &scan, &spare, error);
    if (status == STATUS_OK)
        status = repair_spare(replay->folder, last, spare, segment_bytes, &made.spare_ready, error);
    if (status == STATUS_OK)
        status = open_tail(replay, &scan, &made, error);
    if (status == STATUS_OK)
        *recovered = made;
    segment_scan_close(&scan);
    return status;
}

/* A kept checkpoint may be newer than `checkpoint`: where a crash came between the two, or where
 * somebody put an older state of the log back and forgot this folder. */
static enum status load_kept(struct replay *replay, bool *has_checkpoint, struct error *error)
{
    char path[KEPT_PATH_ROOM], ours[CHECKPOINT_ORIGIN_ROOM], origin[CHECKPOINT_ORIGIN_ROOM];
    struct checkpoint kept;
    struct note note;
    struct buffer bytes;
    uint64_t size;
    enum status found = kept_newest(replay->folder, &size, error);
    if (found == STATUS_NOT_FOUND ||
        (found == STATUS_OK && *has_checkpoint && size <= replay->checkpoint.size))
        return STATUS_OK;
    TRY(found);
    kept_path(replay->folder, size, path);
    checkpoint_origin(replay->log_id, ours);
    buffer_init(&bytes, NOTE_BYTES_MAX);
    enum status status = checkpoint_read_note(path, &bytes, &note, origin, &kept, error);
    buffer_free(&bytes);
    if (status == STATUS_OK && strcmp(origin, ours) == 0 && kept.size == size) {
        replay->checkpoint = kept;
        *has_checkpoint = true;
        return STATUS_OK;
    }
    return status == STATUS_IO ? status
                               : error_set(error, STATUS_CORRUPT, "XX001", restore_hint,
                                           "%.300s: damaged, or another log's", path);
}

/* The checkpoint and the durable file, if there are any. */
static enum status load_proofs(struct replay *replay, bool *has_checkpoint, struct error *error)
{
    struct checkpoint *checkpoint = &replay->checkpoint;
    enum status status = checkpoint_read(replay->folder, replay->log_id, checkpoint, error);
    *has_checkpoint = status != STATUS_NOT_FOUND;
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    TRY(load_kept(replay, has_checkpoint, error));
    replay->checkpoint_met = !*has_checkpoint;
    if (*has_checkpoint)
        prove(replay, checkpoint->size, "the checkpoint");
    prove(replay, durable_load(replay->folder), "the file `durable`");
    return STATUS_OK;
}

static enum status load_base(struct replay *replay, uint64_t *first, struct error *error)
{
    enum status status = base_open(replay->folder, replay->log_id, &replay->base, error);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    TRY(status);
    replay->has_base = true;
    *first = replay->base.statement.segment;
    return STATUS_OK;
}

static enum status recover(struct replay *replay, uint64_t segment_bytes, uint64_t epoch,
                           struct recovered *recovered, struct error *error)
{
    uint64_t last, spare;
    bool has_checkpoint = false, ready;
    uint64_t first = 1;
    TRY(segment_remove_unfinished(replay->folder, error));
    enum status known = log_id_read(replay->folder, replay->log_id, error);
    if (known == STATUS_OK)
        TRY(load_base(replay, &first, error));
    TRY(segment_list(replay->folder, first, &last, &spare, error));
    if (known != STATUS_OK && (known != STATUS_NOT_FOUND || last > 0))
        return known == STATUS_NOT_FOUND ? error_set(error, STATUS_CORRUPT, "XX001", restore_hint,
                                                     "%.200s/log-id: missing", replay->folder)
                                         : known;
    if (known == STATUS_OK)
        TRY(load_proofs(replay, &has_checkpoint, error));
    if (last > 0)
        return recover_existing(replay, last, segment_bytes, spare, recovered, error);
    if (has_checkpoint)
        return error_set(error, STATUS_CORRUPT, "XX001", restore_hint,
                         "%.200s: a checkpoint of %" PRIu64 " entries, but no segments",
                         replay->folder, replay->checkpoint.size);
    TRY(repair_spare(replay->folder, UINT64_MAX - 1, spare, 0, &ready, error));
    return repair_create(replay->folder, segment_bytes, epoch, recovered, error);
}

enum status recovery_run(const char *folder, uint64_t segment_bytes, uint64_t epoch,
                         recovery_visit *visit, void *context, struct recovered *recovered,
                         struct error *error)
{
    struct replay replay = {.folder = folder, .visit = visit, .context = context};
    arena_init(&replay.arena, ENTRY_ARENA_BYTES);
    enum status status = recover(&replay, segment_bytes, epoch, recovered, error);
    arena_free(&replay.arena);
    if (replay.has_base)
        base_close(&replay.base);
    if (status == STATUS_OK && recovered->unclean)
        log_event(LOG_WARNING, "ledger_recovered",
                  "sequence=%" PRIu64 " segment=%" PRIu64 " dropped_bytes=%" PRIu64,
                  recovered->tree.size, recovered->tail.number, recovered->dropped_bytes);
    return status;
}
