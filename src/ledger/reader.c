/* Reading a log that somebody else may be writing: tail, export, rebuilding, tests.
 * Only acknowledged entries are shown: those below a durable sequence that the writer has stored
 * (file `durable`, checkpoint, or a later frame). It is loaded before the frames are read, so what
 * it covers must be whole: anything else is damage. A recovery may have replaced the tail's file by
 * a copy, therefore the file is opened again once before damage is told. A reader that began at
 * sequence 0 has the whole tree and holds it against frames and checkpoint. One thread a reader. */
#include "ledger/ledger.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/clock.h"
#include "ledger/base.h"
#include "ledger/checkpoint.h"
#include "ledger/durable.h"
#include "ledger/entry.h"
#include "ledger/segment.h"

struct ledger_reader {
    struct arena arena; /* holds this struct and the folder's name */
    const char *folder;
    uint8_t log_id[SEGMENT_ID_BYTES];
    uint64_t durable;           /* everything below is acknowledged */
    uint64_t next;              /* sequence of the next entry in the files */
    uint64_t from;              /* entries before it are passed over */
    struct segment_scan scan;   /* fd -1 before the first segment is open */
    struct frame_view view;     /* the current frame */
    struct frame_cursor cursor; /* within it */
    struct merkle tree;         /* of all entries read, if has_tree */
    bool has_tree;              /* from is 0, and the caller has not said that he keeps it */
    struct checkpoint checkpoint;
    struct arena items;
    bool has_base;    /* oldest segments were dropped */
    bool carrying;    /* what the base carries comes first */
    struct base base; /* open while has_base */
};

enum { READER_ARENA_BYTES = 64 * 1024 };

static enum status reader_new(const char *folder, uint64_t from, struct ledger_reader **reader,
                              struct error *error)
{
    struct arena arena;
    arena_init(&arena, READER_ARENA_BYTES);
    struct ledger_reader *made = arena_new(&arena, struct ledger_reader);
    const char *name = arena_strdup(&arena, folder);
    if (made == NULL || name == NULL) {
        arena_free(&arena);
        return error_set(error, STATUS_NOMEM, "53200", NULL, "no memory to read the ledger");
    }
    *made = (struct ledger_reader){
        .arena = arena, .folder = name, .from = from, .has_tree = from == 0, .scan = {.fd = -1}};
    arena_init(&made->items, ENTRY_ARENA_BYTES);
    *reader = made;
    return STATUS_OK;
}

void ledger_reader_close(struct ledger_reader *reader)
{
    if (reader == NULL)
        return;
    struct arena arena = reader->arena;
    segment_scan_close(&reader->scan);
    if (reader->has_base)
        base_close(&reader->base);
    arena_free(&reader->items);
    arena_free(&arena);
}

/* Opens a segment in place of the current one and checks that it belongs to this log. */
static enum status open_segment(struct ledger_reader *reader, uint64_t number, struct error *error)
{
    struct segment_scan scan;
    TRY(segment_scan_open(reader->folder, number, &scan, error));
    if (memcmp(scan.header.log_id, reader->log_id, sizeof reader->log_id) != 0) {
        segment_scan_close(&scan);
        return error_set(error, STATUS_CORRUPT, "XX001", NULL,
                         "%.300s: segment %" PRIu64 " is another log's", reader->folder, number);
    }
    segment_scan_close(&reader->scan);
    reader->scan = scan;
    return STATUS_OK;
}

/* The last segment that starts at or before reader->from. */
static enum status seek(struct ledger_reader *reader, struct error *error)
{
    uint64_t last, spare, first = reader->has_base ? reader->base.statement.segment : 1;
    TRY(segment_list(reader->folder, first, &last, &spare, error));
    if (last == 0)
        return error_set(error, STATUS_NOT_FOUND, "58P01", NULL, "%.300s: no segments",
                         reader->folder);
    for (uint64_t number = last; number >= first; number--) {
        TRY(open_segment(reader, number, error));
        if (reader->scan.header.first_sequence <= reader->from)
            break;
    }
    reader->next = reader->scan.header.first_sequence;
    /* A number is easily forged: nothing may be missing before the first segment. */
    uint64_t begins = reader->has_base ? reader->base.statement.tree.size : 0;
    if (reader->scan.header.number == first && reader->next != begins)
        return error_set(error, STATUS_CORRUPT, "XX001", "Restore the file from a replica.",
                         "%.200s/segment-%010" PRIu64 ".log: begins with sequence %" PRIu64
                         ", not %" PRIu64,
                         reader->folder, first, reader->next, begins);
    return STATUS_OK;
}

static enum status start(struct ledger_reader *reader, struct error *error)
{
    TRY(log_id_read(reader->folder, reader->log_id, error));
    enum status status = base_open(reader->folder, reader->log_id, &reader->base, error);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    reader->has_base = status == STATUS_OK;
    reader->carrying = reader->has_base && reader->from < reader->base.statement.tree.size;
    TRY(seek(reader, error));
    if (reader->has_base && reader->has_tree)
        reader->tree = reader->base.statement.tree;
    return STATUS_OK;
}

enum status ledger_reader_open(const char *folder, uint64_t from_sequence,
                               struct ledger_reader **reader, struct error *error)
{
    struct ledger_reader *made = NULL;
    if (strlen(folder) >= SEGMENT_FOLDER_BYTES)
        return error_set(error, STATUS_INVALID, "F0000", NULL,
                         "ledger: the folder's name is too long");
    TRY(reader_new(folder, from_sequence, &made, error));
    enum status status = start(made, error);
    if (status != STATUS_OK) {
        ledger_reader_close(made);
        return status;
    }
    *reader = made;
    return STATUS_OK;
}

static void load_durable(struct ledger_reader *reader)
{
    struct checkpoint *checkpoint = &reader->checkpoint;
    uint64_t durable = durable_load(reader->folder);
    if (checkpoint_read(reader->folder, reader->log_id, checkpoint, NULL) == STATUS_OK &&
        checkpoint->size > durable)
        durable = checkpoint->size;
    if (durable > reader->durable)
        reader->durable = durable;
}

/* The frame with the next sequence, in the current segment. Frames without entries are passed. */
static enum status next_in_segment(struct ledger_reader *reader, bool *found, struct error *error)
{
    struct frame_view view;
    do {
        TRY(segment_scan_next(&reader->scan, reader->next, &view, found, error));
    } while (*found && view.count == 0);
    if (*found) {
        reader->view = view;
        frame_cursor_start(&view, &reader->cursor);
    }
    return STATUS_OK;
}

/* Goes on in the next segment if that starts where this one ended. */
static enum status enter_next_segment(struct ledger_reader *reader, bool *entered,
                                      struct error *error)
{
    struct segment_scan before = reader->scan;
    reader->scan = (struct segment_scan){.fd = -1};
    enum status status = open_segment(reader, before.header.number + 1, error);
    *entered = status == STATUS_OK && reader->scan.header.first_sequence == reader->next;
    if (*entered) {
        segment_scan_close(&before);
        return STATUS_OK;
    }
    segment_scan_close(&reader->scan);
    reader->scan = before;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* Entries that went while they were being read are no damage. */
static enum status refuse_overtaken(const struct ledger_reader *reader, struct error *error)
{
    struct ledger_since since;
    TRY(ledger_since(reader->folder, &since, error));
    if (since.below <= reader->next)
        return STATUS_OK;
    return error_set(error, STATUS_DENIED, "55000", "Ask again.",
                     "entries below %" PRIu64 " were dropped from the ledger meanwhile",
                     since.below);
}

/* Reads the same place from the file that bears the segment's name now. */
static enum status reopen(struct ledger_reader *reader, struct error *error)
{
    uint64_t offset = reader->scan.offset;
    enum status status = open_segment(reader, reader->scan.header.number, error);
    if (status == STATUS_NOT_FOUND)
        TRY(refuse_overtaken(reader, error));
    TRY(status);
    reader->scan.offset = offset;
    return STATUS_OK;
}

/* An acknowledged frame must be found: here, in the next segment, or in the file that recovery put
 * in this one's place. */
static enum status next_frame(struct ledger_reader *reader, struct error *error)
{
    bool found, entered = false;
    TRY(next_in_segment(reader, &found, error));
    if (!found) {
        segment_scan_forget(&reader->scan); /* read ahead before it was written */
        TRY(next_in_segment(reader, &found, error));
    }
    if (!found)
        TRY(enter_next_segment(reader, &entered, error));
    if (!found && !entered)
        TRY(reopen(reader, error));
    if (!found)
        TRY(next_in_segment(reader, &found, error));
    if (found)
        return STATUS_OK;
    TRY(refuse_overtaken(reader, error));
    return error_set(error, STATUS_CORRUPT, "XX001", "Restore the file from a replica.",
                     "%.200s/segment-%010" PRIu64 ".log: byte %" PRIu64
                     ": acknowledged entries are damaged (sequence %" PRIu64 ")",
                     reader->folder, reader->scan.header.number, reader->scan.offset, reader->next);
}

static bool root_is(const struct ledger_reader *reader, const uint8_t *want)
{
    uint8_t root[MERKLE_HASH_BYTES];
    merkle_root(&reader->tree, root);
    return memcmp(root, want, sizeof root) == 0;
}

/* Adds an entry just read. At its frame's end the roots must agree, and where the checkpoint read
 * last has this size, its root too. */
static enum status verify(struct ledger_reader *reader, struct slice bytes, struct error *error)
{
    uint8_t leaf[MERKLE_HASH_BYTES];
    const struct checkpoint *checkpoint = &reader->checkpoint;
    merkle_leaf(bytes, leaf);
    merkle_add(&reader->tree, leaf);
    bool agrees = reader->tree.size != reader->view.tree_size || root_is(reader, reader->view.root);
    if (!agrees)
        return error_set(error, STATUS_CORRUPT, "XX001", NULL,
                         "%.200s/segment-%010" PRIu64 ".log: a frame's root is not that of its "
                         "entries (sequence %" PRIu64 ")",
                         reader->folder, reader->scan.header.number, reader->next);
    if (reader->tree.size == checkpoint->size && !root_is(reader, checkpoint->root))
        return error_set(error, STATUS_CORRUPT, "XX001", NULL,
                         "%.200s: the checkpoint of %" PRIu64 " entries has another root",
                         reader->folder, checkpoint->size);
    return STATUS_OK;
}

/* The bytes of the next acknowledged entry. */
static enum status next_bytes(struct ledger_reader *reader, struct slice *bytes, struct slice *side,
                              struct error *error)
{
    while (!frame_cursor_next(&reader->cursor, bytes, side)) {
        if (reader->next >= reader->durable)
            load_durable(reader);
        if (reader->next >= reader->durable)
            return STATUS_AGAIN;
        TRY(next_frame(reader, error));
    }
    if (reader->has_tree)
        TRY(verify(reader, *bytes, error));
    reader->next++;
    return STATUS_OK;
}

enum status ledger_reader_next_bytes(struct ledger_reader *reader, uint64_t *sequence,
                                     struct slice *bytes, struct slice *side, struct error *error)
{
    struct slice read, beside;
    struct base_carried carried;
    while (reader->carrying) {
        reader->carrying = base_next(&reader->base, &carried);
        if (!reader->carrying || carried.sequence < reader->from)
            continue;
        *sequence = carried.sequence;
        *bytes = carried.bytes;
        *side = slice_of(NULL, 0);
        return STATUS_OK;
    }
    do {
        TRY(next_bytes(reader, &read, &beside, error));
    } while (reader->next <= reader->from);
    *sequence = reader->next - 1;
    *bytes = read;
    *side = beside;
    return STATUS_OK;
}

enum status ledger_reader_next(struct ledger_reader *reader, uint64_t *sequence,
                               struct ledger_entry *entry, struct slice *side, struct error *error)
{
    struct slice bytes, beside;
    struct ledger_entry read;
    uint64_t at;
    TRY(ledger_reader_next_bytes(reader, &at, &bytes, &beside, error));
    arena_reset(&reader->items);
    TRY(ledger_entry_decode(bytes, &reader->items, &read, error));
    *sequence = at;
    *entry = read;
    *side = beside;
    return STATUS_OK;
}

bool ledger_reader_dropped(const struct ledger_reader *reader, struct ledger_dropped *dropped)
{
    const struct base_statement *statement = &reader->base.statement;
    if (!reader->has_base || reader->from >= statement->tree.size)
        return false;
    *dropped = (struct ledger_dropped){.below = statement->tree.size,
                                       .entries = statement->dropped,
                                       .first_ns = statement->first_ns,
                                       .last_ns = statement->last_ns,
                                       .reason = statement->reason};
    return true;
}

int64_t ledger_reader_since(const struct ledger_reader *reader)
{
    struct ledger_dropped dropped;
    bool is_cut = ledger_reader_dropped(reader, &dropped) && dropped.entries > 0;
    return is_cut ? since_after(dropped.last_ns) : SINCE_EVER;
}

enum status ledger_since(const char *folder, struct ledger_since *since, struct error *error)
{
    uint8_t log_id[SEGMENT_ID_BYTES];
    struct base_statement statement;
    *since = (struct ledger_since){0};
    enum status status = log_id_read(folder, log_id, error);
    if (status == STATUS_OK)
        status = base_read(folder, log_id, &statement, error);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    TRY(status);
    *since = (struct ledger_since){
        .dropped = true,
        .below = statement.tree.size,
        .entries = statement.dropped,
        .first_ns = statement.first_ns,
        .last_ns = statement.last_ns,
        .since_ns = statement.last_ns == INT64_MAX ? INT64_MAX : statement.last_ns + 1};
    base_hash(&statement, since->statement);
    return STATUS_OK;
}

enum status ledger_reader_whole(const struct ledger_reader *reader, const char *purpose,
                                struct error *error)
{
    struct ledger_dropped dropped;
    char first[21], last[21];
    if (!ledger_reader_dropped(reader, &dropped))
        return STATUS_OK;
    clock_format_utc(dropped.first_ns, first);
    clock_format_utc(dropped.last_ns, last);
    return error_set(error, STATUS_DENIED, "55000",
                     "Ask a backup of the ledger from before: restore it into another folder.",
                     "%s needs entries that were dropped from the ledger: %" PRIu64
                     " of those below %" PRIu64 ", from %s to %s (%.200s)",
                     purpose, dropped.entries, dropped.below, first, last, dropped.reason);
}

void ledger_reader_leave_tree(struct ledger_reader *reader)
{
    reader->has_tree = false;
}

void ledger_reader_root(const struct ledger_reader *reader, uint64_t *size, uint8_t root[static 32])
{
    *size = reader->tree.size;
    merkle_root(&reader->tree, root);
}

bool ledger_reader_boundary(const struct ledger_reader *reader, uint8_t root[static 32])
{
    if (reader->view.count == 0 || reader->next != reader->view.tree_size)
        return false;
    memcpy(root, reader->view.root, sizeof reader->view.root);
    return true;
}

/* Of what was dropped only the last root is known. */
static enum status root_of_base(const struct ledger_reader *reader, uint64_t size,
                                uint8_t root[static 32], struct error *error)
{
    const struct merkle *tree = &reader->base.statement.tree;
    if (tree->size != size)
        return error_set(error, STATUS_NOT_FOUND, "02000", NULL,
                         "the ledger's entries below %" PRIu64 " were dropped", tree->size);
    merkle_root(tree, root);
    return STATUS_OK;
}

enum status ledger_root_at(const char *folder, uint64_t size, uint8_t root[static 32],
                           struct error *error)
{
    struct ledger_reader *reader = NULL;
    struct ledger_entry entry;
    struct slice side;
    uint64_t sequence;
    struct ledger_dropped dropped;
    TRY(ledger_reader_open(folder, size - 1, &reader, error));
    if (ledger_reader_dropped(reader, &dropped)) {
        enum status at_cut = root_of_base(reader, size, root, error);
        ledger_reader_close(reader);
        return at_cut;
    }
    reader->durable = size; /* who asks has seen them acknowledged, if `durable` has not survived */
    enum status status = ledger_reader_next(reader, &sequence, &entry, &side, error);
    if (status == STATUS_AGAIN || status == STATUS_CORRUPT ||
        (status == STATUS_OK && (sequence != size - 1 || !ledger_reader_boundary(reader, root))))
        status = error_set(error, STATUS_NOT_FOUND, "02000", NULL,
                           "the ledger has no frame that ends with %" PRIu64 " entries", size);
    ledger_reader_close(reader);
    return status;
}

enum status ledger_log_id(const char *folder, uint8_t id[static 16], struct error *error)
{
    return log_id_read(folder, id, error);
}
