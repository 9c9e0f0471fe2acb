/* See verify_shelf.h. Files come from outside: each is a note within NOTE_BYTES_MAX, or refused. */
#include "ledger/verify_shelf.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "ledger/note.h"

enum { ARENA_BYTES = 1024 * 1024 * 1024, NAME_DIGITS = 20 };

void verify_shelf_init(struct verify_shelf *shelf, const uint8_t log_id[static SEGMENT_ID_BYTES])
{
    *shelf = (struct verify_shelf){0};
    arena_init(&shelf->arena, ARENA_BYTES);
    checkpoint_origin(log_id, shelf->origin);
}

void verify_shelf_free(struct verify_shelf *shelf)
{
    arena_free(&shelf->arena);
}

static enum status no_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", NULL, "no memory for the checkpoints");
}

/* ---- gathering ---- */

static enum status keep(struct verify_shelf *shelf, struct slice bytes, const char *path,
                        const struct checkpoint *checkpoint, struct error *error)
{
    if (shelf->count == shelf->room) {
        size_t room = shelf->room == 0 ? 64 : 2 * shelf->room;
        struct verify_stored *stored = arena_array(&shelf->arena, struct verify_stored, room);
        if (stored == NULL)
            return no_memory(error);
        if (shelf->count > 0)
            memcpy(stored, shelf->stored, shelf->count * sizeof *stored);
        shelf->stored = stored;
        shelf->room = room;
    }
    struct verify_stored stored = {.checkpoint = *checkpoint,
                                   .source = arena_strdup(&shelf->arena, path)};
    const char *copy = arena_copy(&shelf->arena, (const char *)bytes.data, bytes.len);
    if (stored.source == NULL || copy == NULL)
        return no_memory(error);
    stored.bytes = slice_of(copy, bytes.len);
    shelf->stored[shelf->count++] = stored;
    return STATUS_OK;
}

/* A note, or the text of one alone: then *note is empty. */
static enum status parse(struct slice bytes, struct slice *note_bytes,
                         char origin[static CHECKPOINT_ORIGIN_ROOM], struct checkpoint *checkpoint,
                         struct error *error)
{
    struct note note;
    *note_bytes = slice_of(NULL, 0);
    if (checkpoint_parse(bytes, origin, checkpoint, NULL) == STATUS_OK)
        return STATUS_OK;
    TRY(note_parse(bytes, &note, error));
    *note_bytes = bytes;
    return checkpoint_parse(note.text, origin, checkpoint, error);
}

static enum status add_bytes(struct verify_shelf *shelf, const char *path, struct slice bytes,
                             struct error *error)
{
    char origin[CHECKPOINT_ORIGIN_ROOM];
    struct checkpoint checkpoint;
    struct slice note;
    enum status status = parse(bytes, &note, origin, &checkpoint, error);
    if (status == STATUS_INVALID)
        error_prefix(error, "%.200s", path);
    TRY(status);
    if (strcmp(origin, shelf->origin) != 0)
        return error_set(error, STATUS_INVALID, "22023", NULL,
                         "%.200s: a checkpoint of another log, %.64s", path, origin);
    return keep(shelf, note, path, &checkpoint, error);
}

enum status verify_shelf_add(struct verify_shelf *shelf, const char *path, struct error *error)
{
    struct buffer bytes;
    buffer_init(&bytes, NOTE_BYTES_MAX);
    enum status status = file_read(path, &bytes, error);
    if (status == STATUS_OK)
        status = add_bytes(shelf, path, buffer_slice(&bytes), error);
    buffer_free(&bytes);
    return status;
}

static enum status damaged(struct verify_damage *damage, const char *path, uint64_t size,
                           const char *check, const char *what, struct error *error)
{
    damage->check = check;
    snprintf(damage->file, sizeof damage->file, "%.500s", path);
    damage->byte = 0;
    damage->sequence = size;
    return error_set(error, STATUS_CORRUPT, "XX001", NULL, "%.200s: size %" PRIu64 ": %s: %s", path,
                     size, check, what);
}

/* A file of the folder itself: what is wrong with it is damage. */
static enum status add_own(struct verify_shelf *shelf, const char *path,
                           struct verify_damage *damage, struct error *error)
{
    struct error why = {0};
    enum status status = verify_shelf_add(shelf, path, &why);
    if (status == STATUS_INVALID || status == STATUS_LIMIT)
        return damaged(damage, path, 0, "checkpoint", why.message, error);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status != STATUS_OK && error != NULL)
        *error = why;
    return status;
}

static bool is_size(const char *name)
{
    return strlen(name) == NAME_DIGITS && strspn(name, "0123456789") == NAME_DIGITS;
}

static enum status add_kept(struct verify_shelf *shelf, const char *folder, const char *name,
                            struct verify_damage *damage, struct error *error)
{
    char path[SEGMENT_PATH_BYTES], want[32];
    size_t before = shelf->count;
    snprintf(path, sizeof path, "%.*s/checkpoints/%s", SEGMENT_FOLDER_BYTES, folder, name);
    TRY(add_own(shelf, path, damage, error));
    if (shelf->count == before)
        return STATUS_OK;
    uint64_t size = shelf->stored[before].checkpoint.size;
    snprintf(want, sizeof want, "%020" PRIu64, size);
    return strcmp(name, want) == 0 ? STATUS_OK
                                   : damaged(damage, path, size, "checkpoint",
                                             "the file bears another size's name", error);
}

static enum status gather_kept(struct verify_shelf *shelf, const char *folder,
                               struct verify_damage *damage, struct error *error)
{
    char path[SEGMENT_PATH_BYTES];
    enum status status = STATUS_OK;
    snprintf(path, sizeof path, "%.*s/checkpoints", SEGMENT_FOLDER_BYTES, folder);
    DIR *dir = opendir(path);
    if (dir == NULL)
        return errno == ENOENT ? STATUS_OK : error_set_errno(error, errno, "%s", path);
    for (struct dirent *entry; status == STATUS_OK && (entry = readdir(dir)) != NULL;)
        if (is_size(entry->d_name))
            status = add_kept(shelf, folder, entry->d_name, damage, error);
    closedir(dir);
    return status;
}

static enum status gather_vkey(struct verify_shelf *shelf, const char *folder, struct error *error)
{
    char path[SEGMENT_PATH_BYTES];
    struct buffer bytes;
    snprintf(path, sizeof path, "%.*s/log.vkey", SEGMENT_FOLDER_BYTES, folder);
    buffer_init(&bytes, NOTE_BYTES_MAX);
    enum status status = file_read(path, &bytes, error);
    if (status == STATUS_OK && bytes.len > 0) {
        const char *copy = arena_copy(&shelf->arena, (const char *)bytes.data, bytes.len);
        status = copy == NULL ? no_memory(error) : STATUS_OK;
        shelf->vkey = slice_of(copy, copy == NULL ? 0 : bytes.len);
    }
    buffer_free(&bytes);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status verify_shelf_gather(struct verify_shelf *shelf, const char *folder,
                                struct verify_damage *damage, struct error *error)
{
    char path[SEGMENT_PATH_BYTES];
    snprintf(path, sizeof path, "%.*s/checkpoint", SEGMENT_FOLDER_BYTES, folder);
    TRY(add_own(shelf, path, damage, error));
    TRY(gather_vkey(shelf, folder, error));
    size_t before = shelf->count;
    snprintf(path, sizeof path, "%.*s/tiles/checkpoint", SEGMENT_FOLDER_BYTES, folder);
    TRY(add_own(shelf, path, damage, error));
    shelf->has_published = shelf->count > before;
    if (shelf->has_published)
        shelf->published = shelf->stored[before].checkpoint;
    return gather_kept(shelf, folder, damage, error);
}

/* ---- signatures ---- */

static enum status check_one(const struct verify_stored *stored, const struct key_chain *chain,
                             size_t first, size_t stop, struct verify_report *report,
                             struct verify_damage *damage, struct error *error)
{
    uint64_t size = stored->checkpoint.size;
    const struct key_chain_link *link = key_chain_at(chain, size);
    struct note note;
    if (link == NULL)
        return STATUS_OK; /* of a time before there were keys */
    if (link < &chain->links[first] || link >= &chain->links[stop])
        return damaged(damage, stored->source, size, "signature",
                       "the key of its time does not follow from the one that is trusted", error);
    if (stored->bytes.len == 0)
        return damaged(damage, stored->source, size, "signature", "it is not signed", error);
    TRY(note_parse(stored->bytes, &note, error));
    enum note_verdict verdict = note_check(&note, &link->key);
    if (verdict != NOTE_GOOD)
        return damaged(damage, stored->source, size, "signature",
                       verdict == NOTE_BAD ? "the signature is not the log's"
                                           : "the log's key of its time has not signed it",
                       error);
    report->signatures++;
    if (size > report->signed_size)
        report->signed_size = size;
    return STATUS_OK;
}

enum status verify_shelf_check(const struct verify_shelf *shelf, const struct key_chain *chain,
                               size_t first, size_t stop, struct verify_report *report,
                               struct verify_damage *damage, struct error *error)
{
    for (size_t i = 0; i < shelf->count; i++)
        TRY(check_one(&shelf->stored[i], chain, first, stop, report, damage, error));
    return STATUS_OK;
}

static bool is_of_chain(const struct key_chain *chain, struct slice line)
{
    struct note_key key;
    if (note_key_parse(line, &key, NULL) != STATUS_OK)
        return false;
    for (size_t i = 0; i < chain->count; i++)
        if (note_key_equal(&chain->links[i].key, &key))
            return true;
    return false;
}

static bool are_of_chain(const struct key_chain *chain, struct slice lines)
{
    const uint8_t *end;
    while (lines.len > 0 && (end = memchr(lines.data, '\n', lines.len)) != NULL) {
        size_t len = (size_t)(end - lines.data);
        if (!is_of_chain(chain, slice_of(lines.data, len)))
            return false;
        lines = slice_of(end + 1, lines.len - len - 1);
    }
    return lines.len == 0;
}

enum status verify_shelf_vkey(const struct verify_shelf *shelf, const char *folder,
                              const struct key_chain *chain, struct verify_damage *damage,
                              struct error *error)
{
    char path[SEGMENT_PATH_BYTES];
    snprintf(path, sizeof path, "%.*s/log.vkey", SEGMENT_FOLDER_BYTES, folder);
    return are_of_chain(chain, shelf->vkey)
               ? STATUS_OK
               : damaged(damage, path, 0, "log.vkey", "a key that the log does not name", error);
}
