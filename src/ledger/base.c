/* See base.h. A text is taken apart, written anew, and must be the same, as a checkpoint's. */
#include "ledger/base.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "ledger/entry.h"
#include "ledger/segment.h"
#include "ledger/tiles.h"

#define TITLE "cofferdam base 1\n"

enum {
    HASH = MERKLE_HASH_BYTES,
    HASH_BASE64 = 44,
    CARRIED_HEAD = 12, /* sequence, length */
    NAME_DIGITS = 20,
    LINE_ROOM = 1024,
};

/* ---- the text ---- */

void base_format(const struct base_statement *statement, struct buffer *out)
{
    struct checkpoint cut = {.size = statement->tree.size};
    char hash[HASH_BASE64 + 1];
    merkle_root(&statement->tree, cut.root);
    buffer_append_text(out, TITLE);
    checkpoint_format(statement->origin, &cut, out);
    crypto_base64_encode(statement->carried_hash, BASE_HASH_BYTES, hash);
    buffer_printf(out,
                  "segment %" PRIu64 "\ndropped %" PRIu64 "\ntimes %" PRId64 " %" PRId64
                  "\ncarried %" PRIu64 " %" PRIu64 " %s\nreason %s\n",
                  statement->segment, statement->dropped, statement->first_ns, statement->last_ns,
                  statement->carried, statement->carried_bytes, hash, statement->reason);
    for (unsigned height = 64; height-- > 0;) {
        if ((statement->tree.size >> height & 1) == 0)
            continue;
        crypto_base64_encode(statement->tree.roots[height], HASH, hash);
        buffer_printf(out, "frontier %s\n", hash);
    }
}

void base_hash(const struct base_statement *statement, uint8_t hash[static BASE_HASH_BYTES])
{
    struct buffer text;
    buffer_init(&text, NOTE_BYTES_MAX);
    base_format(statement, &text);
    CHECK(!text.overflowed);
    const struct slice whole = buffer_slice(&text);
    crypto_sha256(&whole, 1, hash);
    buffer_free(&text);
}

/* Takes one line, of at most LINE_ROOM bytes, that begins with the key; terminated. */
static bool take_line(struct slice *text, const char *key, char line[static LINE_ROOM])
{
    size_t skip = strlen(key);
    const uint8_t *newline = text->len == 0 ? NULL : memchr(text->data, '\n', text->len);
    if (newline == NULL)
        return false;
    size_t len = (size_t)(newline - text->data);
    if (len < skip || len - skip >= LINE_ROOM || memcmp(text->data, key, skip) != 0 ||
        memchr(text->data, '\0', len) != NULL)
        return false;
    memcpy(line, text->data + skip, len - skip);
    line[len - skip] = '\0';
    *text = slice_of(newline + 1, text->len - len - 1);
    return true;
}

static bool take_hash(const char *base64, uint8_t hash[static HASH])
{
    uint8_t bytes[HASH_BASE64];
    size_t len;
    if (strlen(base64) != HASH_BASE64 ||
        crypto_base64_decode(base64, HASH_BASE64, bytes, &len) != STATUS_OK || len != HASH)
        return false;
    memcpy(hash, bytes, HASH);
    return true;
}

/* What numbers say is checked by writing them anew. */
static bool take_numbers(struct slice *text, struct base_statement *made)
{
    char line[LINE_ROOM], hash[HASH_BASE64 + 1];
    if (!take_line(text, "segment ", line) || sscanf(line, "%" SCNu64, &made->segment) != 1 ||
        !take_line(text, "dropped ", line) || sscanf(line, "%" SCNu64, &made->dropped) != 1 ||
        !take_line(text, "times ", line) ||
        sscanf(line, "%" SCNd64 " %" SCNd64, &made->first_ns, &made->last_ns) != 2 ||
        !take_line(text, "carried ", line) ||
        sscanf(line, "%" SCNu64 " %" SCNu64 " %44s", &made->carried, &made->carried_bytes, hash) !=
            3 ||
        !take_hash(hash, made->carried_hash) || !take_line(text, "reason ", line) ||
        strlen(line) > BASE_REASON_BYTES || line[0] == '\0' || !text_is_plain(slice_of_text(line)))
        return false;
    memcpy(made->reason, line, strlen(line) + 1);
    return true;
}

static bool take_frontier(struct slice *text, struct base_statement *made)
{
    char line[LINE_ROOM];
    for (unsigned height = 64; height-- > 0;)
        if ((made->tree.size >> height & 1) != 0 &&
            (!take_line(text, "frontier ", line) || !take_hash(line, made->tree.roots[height])))
            return false;
    return text->len == 0;
}

/* The three lines of a checkpoint, which base_parse has bounded. */
static bool take_cut(struct slice *text, struct base_statement *made, struct checkpoint *cut)
{
    size_t len = 0;
    for (int lines = 0; lines < 3; lines++) {
        const uint8_t *newline = memchr(text->data + len, '\n', text->len - len);
        if (newline == NULL)
            return false;
        len = (size_t)(newline - text->data) + 1;
    }
    if (checkpoint_parse(slice_of(text->data, len), made->origin, cut, NULL) != STATUS_OK)
        return false;
    made->tree.size = cut->size;
    *text = slice_of(text->data + len, text->len - len);
    return true;
}

/* What no base can say, however it is spelled. */
static bool is_sound(const struct base_statement *made, const struct checkpoint *cut)
{
    uint8_t root[HASH];
    merkle_root(&made->tree, root);
    return memcmp(root, cut->root, HASH) == 0 && cut->size > 0 && cut->size <= INT64_MAX &&
           made->segment >= 2 && made->segment <= UINT32_MAX && made->dropped <= cut->size &&
           made->carried == cut->size - made->dropped && made->first_ns <= made->last_ns &&
           made->carried_bytes <= BASE_CARRIED_BYTES_MAX;
}

enum status base_parse(struct slice text, struct base_statement *statement, struct error *error)
{
    struct base_statement made = {0};
    struct checkpoint cut;
    struct slice rest = text;
    struct buffer again;
    size_t title = strlen(TITLE);
    bool good = text.len > title && memcmp(text.data, TITLE, title) == 0;
    rest = good ? slice_of(text.data + title, text.len - title) : text;
    good = good && take_cut(&rest, &made, &cut) && take_numbers(&rest, &made) &&
           take_frontier(&rest, &made) && is_sound(&made, &cut);
    if (good) {
        buffer_init(&again, NOTE_BYTES_MAX);
        base_format(&made, &again);
        good = !again.overflowed && slice_equal(buffer_slice(&again), text);
        buffer_free(&again);
    }
    if (!good)
        return error_set(error, STATUS_CORRUPT, "XX001", NULL,
                         "not a statement of what was dropped from a log");
    *statement = made;
    return STATUS_OK;
}

/* ---- carried entries ---- */

void base_carry(struct buffer *file, uint64_t sequence, struct slice bytes)
{
    buffer_append_u64be(file, sequence);
    buffer_append_u32be(file, (uint32_t)bytes.len);
    buffer_append(file, bytes.data, bytes.len);
}

bool base_carries(enum ledger_type type)
{
    switch (type) {
    case LEDGER_COLUMN_SET:
    case LEDGER_POLICY:
    case LEDGER_ACT:
    case LEDGER_KEY:
    case LEDGER_COMMITMENT:
    case LEDGER_DROPPED:
        return true;
    case LEDGER_DISCLOSURE:
    case LEDGER_REFUSAL:
    case LEDGER_PROBE:
    case LEDGER_RECOVERED:
    case LEDGER_DECLARED:
    case LEDGER_DELETED:
    case LEDGER_CHANGE:
    case LEDGER_CHANGE_END:
        break;
    }
    return false;
}

bool base_next(struct base *base, struct base_carried *carried)
{
    const uint8_t *at = base->file.data + base->at;
    size_t left = base->file.len - base->at;
    if (left < CARRIED_HEAD || load_u32be(at + 8) > left - CARRIED_HEAD)
        return false;
    carried->sequence = load_u64be(at);
    carried->bytes = slice_of(at + CARRIED_HEAD, load_u32be(at + 8));
    base->at += CARRIED_HEAD + carried->bytes.len;
    return true;
}

static bool carried_are_sound(struct base *base)
{
    const struct base_statement *statement = &base->statement;
    const struct slice whole = buffer_slice(&base->file);
    uint8_t hash[BASE_HASH_BYTES];
    struct base_carried carried;
    struct ledger_entry entry;
    struct arena items;
    uint64_t count = 0, least = 0;
    crypto_sha256(&whole, 1, hash);
    if (base->file.len != statement->carried_bytes ||
        memcmp(hash, statement->carried_hash, sizeof hash) != 0)
        return false;
    bool good = true;
    arena_init(&items, ENTRY_ARENA_BYTES);
    while (good && base_next(base, &carried)) {
        arena_reset(&items);
        good = carried.sequence >= least && carried.sequence < statement->tree.size &&
               ledger_entry_decode(carried.bytes, &items, &entry, NULL) == STATUS_OK &&
               base_carries(entry.type);
        least = carried.sequence + 1;
        count++;
    }
    arena_free(&items);
    good = good && base->at == base->file.len && count == statement->carried;
    base->at = 0;
    return good;
}

/* ---- files ---- */

static void note_path(const char *folder, char path[static SEGMENT_PATH_BYTES])
{
    snprintf(path, SEGMENT_PATH_BYTES, "%.*s/base", SEGMENT_FOLDER_BYTES, folder);
}

static void carried_path(const char *folder, uint64_t size, char path[static SEGMENT_PATH_BYTES])
{
    snprintf(path, SEGMENT_PATH_BYTES, "%.*s/base-%020" PRIu64 ".entries", SEGMENT_FOLDER_BYTES,
             folder, size);
}

static enum status read_note(struct base *base, const char *folder, const char *origin,
                             struct error *error)
{
    char path[SEGMENT_PATH_BYTES];
    struct note note;
    note_path(folder, path);
    TRY(file_read(path, &base->note, error));
    /* A log without a key states it unsigned. */
    bool is_note = note_parse(buffer_slice(&base->note), &note, NULL) == STATUS_OK;
    base->text = is_note ? note.text : buffer_slice(&base->note);
    if (base_parse(base->text, &base->statement, NULL) != STATUS_OK ||
        strcmp(base->statement.origin, origin) != 0)
        return error_set(error, STATUS_CORRUPT, "XX001",
                         "Nothing was changed. Restore the file from a replica or a backup.",
                         "%.300s: damaged, or another log's", path);
    return STATUS_OK;
}

static enum status read_carried(struct base *base, const char *folder, struct error *error)
{
    char path[SEGMENT_PATH_BYTES];
    carried_path(folder, base->statement.tree.size, path);
    enum status status = file_read(path, &base->file, error);
    if (status == STATUS_IO || status == STATUS_NOMEM)
        return status;
    if (status == STATUS_OK && carried_are_sound(base))
        return STATUS_OK;
    return error_set(error, STATUS_CORRUPT, "XX001",
                     "Nothing was changed. Restore the file from a replica or a backup.",
                     "%.300s: missing, or not what the file base says", path);
}

enum status base_open(const char *folder, const uint8_t log_id[static CHECKPOINT_LOG_ID_BYTES],
                      struct base *base, struct error *error)
{
    char origin[CHECKPOINT_ORIGIN_ROOM];
    *base = (struct base){0};
    checkpoint_origin(log_id, origin);
    buffer_init(&base->note, NOTE_BYTES_MAX);
    buffer_init(&base->file, BASE_CARRIED_BYTES_MAX);
    enum status status = read_note(base, folder, origin, error);
    if (status == STATUS_OK)
        status = read_carried(base, folder, error);
    if (status != STATUS_OK)
        base_close(base);
    return status;
}

void base_close(struct base *base)
{
    buffer_free(&base->note);
    buffer_free(&base->file);
}

enum status base_read(const char *folder, const uint8_t log_id[static CHECKPOINT_LOG_ID_BYTES],
                      struct base_statement *statement, struct error *error)
{
    char origin[CHECKPOINT_ORIGIN_ROOM];
    struct base base = {0};
    checkpoint_origin(log_id, origin);
    buffer_init(&base.note, NOTE_BYTES_MAX);
    enum status status = read_note(&base, folder, origin, error);
    if (status == STATUS_OK)
        *statement = base.statement;
    buffer_free(&base.note);
    return status;
}

bool base_is_signed(const struct base *base, const struct note_key *key)
{
    struct note note;
    return note_parse(buffer_slice(&base->note), &note, NULL) == STATUS_OK &&
           note_check(&note, key) == NOTE_GOOD;
}

enum status base_first_segment(const char *folder,
                               const uint8_t log_id[static CHECKPOINT_LOG_ID_BYTES],
                               uint64_t *segment, struct error *error)
{
    struct base_statement statement;
    enum status status = base_read(folder, log_id, &statement, error);
    *segment = 1;
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    TRY(status);
    *segment = statement.segment;
    return STATUS_OK;
}

enum status base_store(const char *folder, const struct base_statement *statement,
                       struct slice note, struct slice carried, struct error *error)
{
    char path[SEGMENT_PATH_BYTES];
    carried_path(folder, statement->tree.size, path);
    TRY(file_replace(path, carried, SEGMENT_FILE_MODE, error));
    note_path(folder, path);
    return file_replace(path, note, SEGMENT_FILE_MODE, error);
}

/* "base-<20 digits>.entries" of another size than the one that counts. */
static bool is_stale(const char *name, uint64_t size)
{
    char ours[64];
    snprintf(ours, sizeof ours, "base-%020" PRIu64 ".entries", size);
    return strncmp(name, "base-", 5) == 0 && strspn(name + 5, "0123456789") == NAME_DIGITS &&
           strcmp(name + 5 + NAME_DIGITS, ".entries") == 0 && strcmp(name, ours) != 0;
}

/* Bundles of entries that are wholly below: from the oldest on, so that those which a crash left
 * are the newest, and are found from above. */
static enum status remove_bundles(const char *folder, uint64_t below, struct error *error)
{
    char name[TILES_PATH_ROOM], path[SEGMENT_PATH_BYTES + 128];
    struct tile tile = {TILES_ENTRIES, below / TILES_WIDTH, TILES_WIDTH};
    const uint64_t end = tile.index;
    for (; tile.index > 0; tile.index--) {
        struct tile lower = tile;
        lower.index--;
        tile_path(&lower, name);
        snprintf(path, sizeof path, "%.*s/tiles/%s", SEGMENT_FOLDER_BYTES, folder, name);
        if (!file_exists(path))
            break;
    }
    for (; tile.index < end; tile.index++) {
        tile_path(&tile, name);
        snprintf(path, sizeof path, "%.*s/tiles/%s", SEGMENT_FOLDER_BYTES, folder, name);
        if (unlink(path) != 0 && errno != ENOENT)
            return error_set_errno(error, errno, "%s", path);
    }
    return STATUS_OK;
}

enum status base_sweep(const char *folder, const struct base_statement *statement,
                       struct error *error)
{
    TRY(segment_remove_below(folder, statement->segment, error));
    TRY(remove_bundles(folder, statement->tree.size, error));
    DIR *listing = opendir(folder);
    if (listing == NULL)
        return error_set_errno(error, errno, "%s", folder);
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
        if (is_stale(entry->d_name, statement->tree.size))
            unlinkat(dirfd(listing), entry->d_name, 0);
    closedir(listing);
    return file_sync_folder(folder, error);
}
