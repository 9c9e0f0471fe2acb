/* See retention.h. */
#include "ledger/retention.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "ledger/durable.h"
#include "ledger/entry.h"
#include "ledger/kept.h"
#include "ledger/segment.h"
#include "ledger/tiles.h"

enum { LEAST_SEGMENTS = 2 };

/* ---- the plan ---- */

struct planning {
    const char *folder;
    const struct retention_wish *wish;
    uint8_t log_id[SEGMENT_ID_BYTES];
    uint64_t first, last; /* segments */
    uint64_t vouched;     /* size of the tree that is proved elsewhere or stored */
    uint64_t next;        /* segment whose beginning is looked for */
    uint64_t next_at;     /* and its first sequence; UINT64_MAX: none may begin the kept ones */
    uint64_t dropped;     /* entries, that went before */
    int64_t newly_first_ns;
    struct base_statement so_far;
    struct arena items;
    struct retention_plan *plan;
};

static enum status nothing(struct error *error, const char *why)
{
    return error_set(error, STATUS_NOT_FOUND, "02000", NULL, "nothing can be dropped: %s", why);
}

/* The newest tree that a stored checkpoint, signed where the log has a key, speaks of. */
static enum status newest_checkpoint(const struct planning *planning, uint64_t *size,
                                     struct error *error)
{
    struct checkpoint stored = {0};
    enum status status = kept_newest(planning->folder, size, error);
    if (status != STATUS_NOT_FOUND)
        return status;
    TRY(checkpoint_read(planning->folder, planning->log_id, &stored, error));
    *size = stored.size;
    return STATUS_OK;
}

/* The published tiles go on from whole bundles: those must not have to be read again. */
static enum status bound_by_tiles(struct planning *planning, struct error *error)
{
    char path[SEGMENT_PATH_BYTES], origin[CHECKPOINT_ORIGIN_ROOM];
    struct checkpoint synced;
    struct buffer text;
    snprintf(path, sizeof path, "%.*s/tiles", SEGMENT_FOLDER_BYTES, planning->folder);
    if (!file_exists(path))
        return STATUS_OK;
    snprintf(path, sizeof path, "%.*s/tiles.synced", SEGMENT_FOLDER_BYTES, planning->folder);
    buffer_init(&text, NOTE_BYTES_MAX);
    enum status status = file_read(path, &text, error);
    if (status == STATUS_OK)
        status = checkpoint_parse(buffer_slice(&text), origin, &synced, error);
    buffer_free(&text);
    if (status != STATUS_OK)
        return nothing(error, "the published tiles have not been synced yet; let the gateway run "
                              "for some minutes");
    uint64_t bundled = synced.size - synced.size % TILES_WIDTH;
    planning->vouched = bundled < planning->vouched ? bundled : planning->vouched;
    return STATUS_OK;
}

/* The next segment's beginning, if the kept ones may begin with it. */
static enum status look_ahead(struct planning *planning, struct error *error)
{
    struct segment_scan scan;
    uint64_t keep = planning->wish->keep_segments;
    keep = keep < LEAST_SEGMENTS ? LEAST_SEGMENTS : keep;
    planning->next++;
    planning->next_at = UINT64_MAX;
    if (keep > planning->last || planning->next > planning->last - keep + 1)
        return STATUS_OK;
    TRY(segment_scan_open(planning->folder, planning->next, &scan, error));
    planning->next_at = scan.header.first_sequence;
    segment_scan_close(&scan);
    if (planning->next_at > planning->vouched)
        planning->next_at = UINT64_MAX;
    return STATUS_OK;
}

/* All before the next segment may go: so far this is the plan. */
static enum status cut_here(struct planning *planning, const uint8_t *root, struct error *error)
{
    struct retention_plan *plan = planning->plan;
    uint8_t computed[MERKLE_HASH_BYTES];
    char path[SEGMENT_PATH_BYTES];
    struct stat about;
    merkle_root(&planning->so_far.tree, computed);
    if (memcmp(computed, root, sizeof computed) != 0)
        return error_set(error, STATUS_CORRUPT, "XX001", "cofferdam ledger verify says where.",
                         "%.300s: the log is damaged below entry %" PRIu64, planning->folder,
                         planning->so_far.tree.size);
    plan->statement = planning->so_far;
    plan->statement.segment = planning->next;
    plan->statement.carried_bytes = plan->carried.len;
    plan->segments = planning->next - planning->first;
    plan->newly = plan->statement.dropped - planning->dropped;
    plan->newly_first_ns = planning->newly_first_ns;
    segment_path(planning->folder, planning->next - 1, ".log", path);
    plan->bytes += stat(path, &about) == 0 ? (uint64_t)about.st_size : 0;
    return look_ahead(planning, error);
}

static enum status take(struct planning *planning, uint64_t sequence, struct slice bytes,
                        bool *too_young, struct error *error)
{
    struct base_statement *so_far = &planning->so_far;
    struct ledger_entry entry;
    uint8_t leaf[MERKLE_HASH_BYTES];
    bool is_carried_already = sequence < so_far->tree.size;
    arena_reset(&planning->items);
    TRY(ledger_entry_decode(bytes, &planning->items, &entry, error));
    if (!is_carried_already && entry.time_ns >= planning->wish->before_ns) {
        *too_young = true;
        return STATUS_OK;
    }
    if (base_carries(entry.type)) {
        base_carry(&planning->plan->carried, sequence, bytes);
        so_far->carried++;
    } else {
        so_far->dropped++;
        so_far->first_ns = entry.time_ns < so_far->first_ns ? entry.time_ns : so_far->first_ns;
        so_far->last_ns = entry.time_ns > so_far->last_ns ? entry.time_ns : so_far->last_ns;
        if (entry.time_ns < planning->newly_first_ns)
            planning->newly_first_ns = entry.time_ns;
    }
    if (is_carried_already)
        return STATUS_OK;
    merkle_leaf(bytes, leaf);
    merkle_add(&so_far->tree, leaf);
    return STATUS_OK;
}

static enum status walk(struct planning *planning, struct ledger_reader *reader,
                        struct error *error)
{
    struct slice bytes, side;
    uint64_t sequence;
    uint8_t root[MERKLE_HASH_BYTES];
    bool too_young = false;
    while (planning->next_at != UINT64_MAX) {
        enum status status = ledger_reader_next_bytes(reader, &sequence, &bytes, &side, error);
        if (status == STATUS_AGAIN)
            return STATUS_OK;
        TRY(status);
        TRY(take(planning, sequence, bytes, &too_young, error));
        if (too_young)
            return STATUS_OK;
        if (planning->so_far.tree.size != planning->next_at)
            continue;
        if (!ledger_reader_boundary(reader, root))
            return error_set(error, STATUS_CORRUPT, "XX001", "cofferdam ledger verify says where.",
                             "%.300s: a segment begins within a frame", planning->folder);
        TRY(cut_here(planning, root, error));
    }
    return STATUS_OK;
}

/* An earlier base: its dropped entries stay dropped, its carried ones come with the reader. */
static enum status begin(struct planning *planning, struct error *error)
{
    struct base base;
    uint64_t spare;
    enum status status = base_open(planning->folder, planning->log_id, &base, error);
    planning->so_far.first_ns = planning->newly_first_ns = INT64_MAX;
    planning->so_far.last_ns = INT64_MIN;
    planning->first = 1;
    if (status == STATUS_OK) {
        planning->so_far = base.statement;
        planning->so_far.carried = 0;
        planning->first = base.statement.segment;
        planning->dropped = base.statement.dropped;
        base_close(&base);
    } else if (status != STATUS_NOT_FOUND) {
        return status;
    }
    checkpoint_origin(planning->log_id, planning->so_far.origin);
    snprintf(planning->so_far.reason, sizeof planning->so_far.reason, "%s", planning->wish->reason);
    TRY(segment_list(planning->folder, planning->first, &planning->last, &spare, error));
    planning->next = planning->first;
    TRY(newest_checkpoint(planning, &planning->vouched, error));
    if (planning->wish->vouched < planning->vouched)
        planning->vouched = planning->wish->vouched;
    TRY(bound_by_tiles(planning, error));
    return look_ahead(planning, error);
}

static enum status make_plan(struct planning *planning, struct error *error)
{
    struct ledger_reader *reader = NULL;
    struct base_statement *statement = &planning->plan->statement;
    TRY(log_id_read(planning->folder, planning->log_id, error));
    TRY(begin(planning, error));
    TRY(ledger_reader_open(planning->folder, 0, &reader, error));
    ledger_reader_leave_tree(reader);
    enum status status = walk(planning, reader, error);
    ledger_reader_close(reader);
    TRY(status);
    if (statement->segment == 0)
        return nothing(error, "only whole segments go whose every entry is older than asked for "
                              "and proved by a signed checkpoint, and the newest two stay");
    struct buffer *carried = &planning->plan->carried;
    if (carried->overflowed)
        return error_set(error, STATUS_LIMIT, "54000", NULL,
                         "what would have to be carried over is more than %d bytes",
                         BASE_CARRIED_BYTES_MAX);
    carried->len = (size_t)statement->carried_bytes;
    const struct slice whole = buffer_slice(carried);
    crypto_sha256(&whole, 1, statement->carried_hash);
    if (planning->plan->newly == 0)
        return nothing(error, "there are no entries about people in the oldest segments");
    return STATUS_OK;
}

enum status retention_plan(const char *folder, const struct retention_wish *wish,
                           struct retention_plan *plan, struct error *error)
{
    struct retention_plan made = {0};
    struct planning planning = {.folder = folder, .wish = wish, .plan = &made};
    if (strlen(folder) >= SEGMENT_FOLDER_BYTES)
        return error_set(error, STATUS_INVALID, "F0000", NULL, "the folder's name is too long");
    if (wish->reason[0] == '\0' || strlen(wish->reason) > BASE_REASON_BYTES ||
        !text_is_plain(slice_of_text(wish->reason)))
        return error_set(error, STATUS_INVALID, "22023", NULL,
                         "a reason is one line of at most %d bytes", BASE_REASON_BYTES);
    buffer_init(&made.carried, BASE_CARRIED_BYTES_MAX);
    arena_init(&planning.items, ENTRY_ARENA_BYTES);
    enum status status = make_plan(&planning, error);
    arena_free(&planning.items);
    if (status == STATUS_OK)
        *plan = made;
    else
        buffer_free(&made.carried);
    return status;
}

void retention_plan_free(struct retention_plan *plan)
{
    buffer_free(&plan->carried);
}

/* ---- carrying it out ---- */

/* The statement as an entry; durable, and below a stored checkpoint, so that no backup and no
 * recovery meets the base without it. */
static enum status append_statement(struct ledger *ledger, struct slice text, struct error *error)
{
    struct ledger_entry entry = {.type = LEDGER_DROPPED, .chunk_count = 1, .text = text};
    struct checkpoint checkpoint;
    uint64_t sequence;
    crypto_random(entry.uuid, sizeof entry.uuid);
    TRY(ledger_append(ledger, &entry, slice_of(NULL, 0), &sequence, error));
    ledger_wait(ledger, sequence);
    return ledger_checkpoint(ledger, &checkpoint, NULL, error);
}

enum status retention_state(struct ledger *ledger, const char *folder,
                            const struct retention_plan *plan, struct error *error)
{
    struct buffer text, note;
    buffer_init(&text, NOTE_BYTES_MAX);
    buffer_init(&note, NOTE_BYTES_MAX);
    base_format(&plan->statement, &text);
    ledger_sign(ledger, buffer_slice(&text), &note);
    enum status status = text.overflowed || note.overflowed
                             ? error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory")
                             : append_statement(ledger, buffer_slice(&text), error);
    if (status == STATUS_OK)
        status = base_store(folder, &plan->statement, buffer_slice(&note),
                            buffer_slice(&plan->carried), error);
    buffer_free(&text);
    buffer_free(&note);
    return status;
}

enum status retention_sweep(const char *folder, const struct retention_plan *plan,
                            struct error *error)
{
    return base_sweep(folder, &plan->statement, error);
}

enum status retention_drop(struct ledger *ledger, const char *folder,
                           const struct retention_plan *plan, struct error *error)
{
    TRY(retention_state(ledger, folder, plan, error));
    return retention_sweep(folder, plan, error);
}
