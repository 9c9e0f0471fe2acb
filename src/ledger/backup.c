/* See backup.h. Only whole segments and their beginnings are copied; what can be derived (tiles,
 * the spare) is not. */
#include "ledger/backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "ledger/base.h"
#include "ledger/checkpoint.h"
#include "ledger/durable.h"
#include "ledger/segment.h"

enum { COPY_BYTES = 1024 * 1024, SMALL_FILE_BYTES = 256 * 1024, FOLDER_MODE = 0750 };

static void path_of(const char *folder, const char *name, char path[static SEGMENT_PATH_BYTES])
{
    snprintf(path, SEGMENT_PATH_BYTES, "%.*s/%.80s", SEGMENT_FOLDER_BYTES, folder, name);
}

static enum status check_name(const char *folder, struct error *error)
{
    return strlen(folder) < SEGMENT_FOLDER_BYTES
               ? STATUS_OK
               : error_set(error, STATUS_INVALID, "F0000", NULL, "the folder's name is too long");
}

/* ---- files ---- */

static enum status copy_range(int from, int to, uint64_t end, struct buffer *chunk,
                              struct error *error)
{
    for (uint64_t at = 0; at < end;) {
        size_t want = end - at < COPY_BYTES ? (size_t)(end - at) : COPY_BYTES;
        uint8_t *room = buffer_reserve(chunk, COPY_BYTES);
        if (room == NULL)
            return error_set(error, STATUS_NOMEM, "53200", NULL, "no memory to copy the ledger");
        ssize_t got = pread(from, room, want, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return error_set_errno(error, got == 0 ? EIO : errno, "copying the ledger");
        TRY(file_write_at(to, room, (size_t)got, at, error));
        at += (uint64_t)got;
    }
    return STATUS_OK;
}

/* The first `end` bytes, zeros behind them up to size; under its name once it is synced. */
static enum status copy_segment(int from, const char *to, uint64_t number, uint64_t end,
                                uint64_t size, struct error *error)
{
    char partial[SEGMENT_PATH_BYTES], path[SEGMENT_PATH_BYTES];
    struct buffer chunk;
    segment_path(to, number, ".new", partial);
    segment_path(to, number, ".log", path);
    int fd = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, SEGMENT_FILE_MODE);
    if (fd < 0)
        return error_set_errno(error, errno, "%s", partial);
    buffer_init(&chunk, COPY_BYTES);
    enum status status = copy_range(from, fd, end, &chunk, error);
    buffer_free(&chunk);
    if (status == STATUS_OK && (ftruncate(fd, (off_t)size) != 0 || fsync(fd) != 0))
        status = error_set_errno(error, errno, "%s", partial);
    close(fd);
    if (status == STATUS_OK && rename(partial, path) != 0)
        status = error_set_errno(error, errno, "%s", path);
    if (status != STATUS_OK)
        unlink(partial);
    return status;
}

/* STATUS_NOT_FOUND where there is none. */
static enum status copy_small(const char *from, const char *to, const char *name,
                              struct error *error)
{
    char path[SEGMENT_PATH_BYTES];
    struct buffer bytes;
    buffer_init(&bytes, SMALL_FILE_BYTES);
    path_of(from, name, path);
    enum status status = file_read(path, &bytes, error);
    path_of(to, name, path);
    if (status == STATUS_OK)
        status = file_replace(path, buffer_slice(&bytes), SEGMENT_FILE_MODE, error);
    buffer_free(&bytes);
    return status;
}

static enum status copy_if_there(const char *from, const char *to, const char *name,
                                 struct error *error)
{
    enum status status = copy_small(from, to, name, error);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* Kept checkpoints up to this size that the backup does not have yet. */
static enum status copy_checkpoints(const char *from, const char *to, uint64_t size,
                                    struct error *error)
{
    char path[SEGMENT_PATH_BYTES], name[64];
    enum status status = STATUS_OK;
    uint64_t of;
    path_of(from, "checkpoints", path);
    DIR *dir = opendir(path);
    if (dir == NULL)
        return errno == ENOENT ? STATUS_OK : error_set_errno(error, errno, "%s", path);
    path_of(to, "checkpoints", path);
    status = file_make_folder(path, FOLDER_MODE, error);
    for (struct dirent *entry; status == STATUS_OK && (entry = readdir(dir)) != NULL;) {
        if (strlen(entry->d_name) != 20 || strspn(entry->d_name, "0123456789") != 20 ||
            sscanf(entry->d_name, "%20" SCNu64, &of) != 1 || of > size)
            continue;
        snprintf(name, sizeof name, "checkpoints/%s", entry->d_name);
        path_of(to, name, path);
        if (!file_exists(path))
            status = copy_if_there(from, to, name, error);
    }
    closedir(dir);
    return status;
}

/* ---- where it begins ---- */

/* 1 in a folder that is no ledger yet. */
static enum status first_segment(const char *folder, uint64_t *first, struct error *error)
{
    uint8_t log_id[SEGMENT_ID_BYTES];
    *first = 1;
    enum status status = log_id_read(folder, log_id, error);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    TRY(status);
    return base_first_segment(folder, log_id, first, error);
}

/* What was dropped from the one goes from the other too: last, once all else is there. Only the
 * base that begins with segment `first`, which was read before the checkpoint: a newer one may rest
 * on entries behind that, and is for the next time. */
static enum status copy_base(const char *from, const char *to, uint64_t first, struct error *error)
{
    uint8_t log_id[SEGMENT_ID_BYTES];
    struct base base;
    TRY(log_id_read(from, log_id, error));
    enum status status = base_open(from, log_id, &base, error);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    TRY(status);
    if (base.statement.segment != first) {
        base_close(&base);
        return STATUS_OK;
    }
    status =
        base_store(to, &base.statement, buffer_slice(&base.note), buffer_slice(&base.file), error);
    if (status == STATUS_OK)
        status = base_sweep(to, &base.statement, error);
    base_close(&base);
    return status;
}

/* ---- segments ---- */

/* Where the tree of `size` ends in this segment: behind its last frame of at most that size. */
static enum status find_end(struct segment_scan *scan, uint64_t size, struct error *error)
{
    struct frame_view view;
    size_t padded;
    for (;; scan->offset += padded) {
        TRY(segment_scan_peek(scan, &view, &padded, error));
        if (padded == 0 || view.tree_size > size || (view.count == 0 && view.first >= size))
            return STATUS_OK;
    }
}

static enum status copy_scanned(struct segment_scan *scan, const char *to, uint64_t size,
                                struct backup_report *report, struct error *error)
{
    TRY(find_end(scan, size, error));
    TRY(copy_segment(scan->fd, to, scan->header.number, scan->offset, scan->header.size_bytes,
                     error));
    report->segments_copied++;
    report->bytes_copied += scan->offset;
    return STATUS_OK;
}

/* Segments from `first` on that hold something of the tree of `size`. */
static enum status copy_segments(const char *from, const char *to, uint64_t first, uint64_t size,
                                 struct backup_report *report, struct error *error)
{
    uint64_t last, spare;
    TRY(segment_list(from, first, &last, &spare, error));
    for (uint64_t number = first; number <= last; number++) {
        struct segment_scan scan;
        TRY(segment_scan_open(from, number, &scan, error));
        bool beyond = number > 1 && scan.header.first_sequence >= size;
        enum status status = beyond ? STATUS_OK : copy_scanned(&scan, to, size, report, error);
        segment_scan_close(&scan);
        if (status != STATUS_OK || beyond)
            return status;
    }
    return STATUS_OK;
}

/* ---- what proves how much there is; last ---- */

static enum status store_durable(const char *to, uint64_t size, struct error *error)
{
    int fd;
    TRY(durable_open(to, &fd, error));
    enum status status = durable_store(fd, size, error);
    if (status == STATUS_OK && fsync(fd) != 0)
        status = error_set_errno(error, errno, "%s/durable", to);
    close(fd);
    return status;
}

/* A note, or the text of one, of a log without a key. */
static enum status read_note(const char *path, struct buffer *bytes, struct checkpoint *checkpoint,
                             struct error *error)
{
    char origin[CHECKPOINT_ORIGIN_ROOM];
    struct note note;
    TRY(file_read(path, bytes, error));
    if (checkpoint_parse(buffer_slice(bytes), origin, checkpoint, NULL) == STATUS_OK)
        return STATUS_OK;
    TRY(note_parse(buffer_slice(bytes), &note, error));
    return checkpoint_parse(note.text, origin, checkpoint, error);
}

static enum status read_checkpoint(const char *folder, struct buffer *bytes,
                                   struct checkpoint *checkpoint, struct error *error)
{
    char path[SEGMENT_PATH_BYTES];
    path_of(folder, "checkpoint", path);
    return read_note(path, bytes, checkpoint, error);
}

static enum status verify_copy(const char *to, const struct checkpoint *checkpoint,
                               const struct note_key *key, struct backup_report *report,
                               struct error *error)
{
    struct verify_claim claim = {.size = checkpoint->size, .source = "the ledger's checkpoint"};
    struct verify_report verified;
    struct verify_damage damage;
    memcpy(claim.root, checkpoint->root, sizeof claim.root);
    const struct verify_options options = {
        .folder = to, .claims = &claim, .claim_count = 1, .key = key};
    enum status status = ledger_verify(&options, &verified, &damage, error);
    if (status == STATUS_CORRUPT)
        error_prefix(error, "the copy is not what was read");
    TRY(status);
    report->entries = verified.entries;
    report->signed_size = verified.signed_size;
    return STATUS_OK;
}

/* The newest checkpoint of a log, and the key that it names. */
struct newest {
    struct checkpoint checkpoint;
    struct buffer bytes, vkey; /* files; vkey may be empty */
};

static void newest_init(struct newest *newest)
{
    *newest = (struct newest){0};
    buffer_init(&newest->bytes, NOTE_BYTES_MAX);
    buffer_init(&newest->vkey, SMALL_FILE_BYTES);
}

static void newest_free(struct newest *newest)
{
    buffer_free(&newest->bytes);
    buffer_free(&newest->vkey);
}

/* The key first: a log that changes it meanwhile then names it in a tree that we copy. */
static enum status read_newest(const char *folder, struct newest *newest, struct error *error)
{
    char path[SEGMENT_PATH_BYTES];
    path_of(folder, "log.vkey", path);
    enum status status = file_read(path, &newest->vkey, error);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    return read_checkpoint(folder, &newest->bytes, &newest->checkpoint, error);
}

/* From segment `first` on, up to the newest checkpoint, whose bytes come last. least: where the log
 * begins. */
static enum status copy_log(const char *from, const char *to, uint64_t least, uint64_t first,
                            const struct newest *newest, struct backup_report *report,
                            struct error *error)
{
    char path[SEGMENT_PATH_BYTES];
    const struct checkpoint *checkpoint = &newest->checkpoint;
    TRY(copy_small(from, to, "log-id", error));
    TRY(copy_segments(from, to, first, checkpoint->size, report, error));
    TRY(file_sync_folder(to, error));
    TRY(copy_checkpoints(from, to, checkpoint->size, error));
    path_of(to, "log.vkey", path);
    if (newest->vkey.len > 0)
        TRY(file_replace(path, buffer_slice(&newest->vkey), SEGMENT_FILE_MODE, error));
    TRY(store_durable(to, checkpoint->size, error));
    path_of(to, "checkpoint", path);
    TRY(file_replace(path, buffer_slice(&newest->bytes), SEGMENT_FILE_MODE, error));
    return copy_base(from, to, least, error);
}

/* ---- backing up ---- */

static enum status verify_source(const char *folder, const char *to, const struct note_key *key,
                                 struct error *error)
{
    char path[SEGMENT_PATH_BYTES];
    struct verify_report verified;
    struct verify_damage damage;
    const char *known = path;
    path_of(to, "checkpoint", path);
    const struct verify_options options = {
        .folder = folder, .checkpoints = &known, .checkpoint_count = file_exists(path), .key = key};
    enum status status = ledger_verify(&options, &verified, &damage, error);
    if (status == STATUS_CORRUPT && damage.check != NULL && strcmp(damage.check, "fork") == 0)
        error_prefix(error, "the ledger does not go on from what the backup holds");
    return status;
}

/* The segments below the backup's last are complete; the last may have gone on. */
static enum status first_to_copy(const char *to, uint64_t *first, uint64_t *held,
                                 struct error *error)
{
    uint64_t last, spare, least;
    struct buffer bytes;
    struct checkpoint checkpoint = {0};
    TRY(segment_remove_unfinished(to, error));
    buffer_init(&bytes, NOTE_BYTES_MAX);
    enum status status = read_checkpoint(to, &bytes, &checkpoint, error);
    buffer_free(&bytes);
    *held = checkpoint.size;
    *first = 1;
    if (status == STATUS_NOT_FOUND) /* nothing there counts yet */
        return STATUS_OK;
    TRY(status);
    TRY(first_segment(to, &least, error));
    TRY(segment_list(to, least, &last, &spare, error));
    *first = last == 0 ? 1 : last;
    return STATUS_OK;
}

static enum status check_apart(const char *folder, const char *to, struct error *error)
{
    struct stat one, other;
    if (stat(folder, &one) == 0 && stat(to, &other) == 0 && one.st_dev == other.st_dev &&
        one.st_ino == other.st_ino)
        return error_set(error, STATUS_INVALID, "22023", "Name another folder.",
                         "%.200s: is the ledger itself", to);
    return STATUS_OK;
}

static enum status back_up(const char *folder, const char *to, const struct note_key *key,
                           struct newest *newest, struct backup_report *report, struct error *error)
{
    uint64_t first, least;
    TRY(file_make_folder(to, FOLDER_MODE, error));
    TRY(check_apart(folder, to, error));
    TRY(verify_source(folder, to, key, error));
    TRY(first_to_copy(to, &first, &report->before, error));
    TRY(first_segment(folder, &least, error));
    if (least > first && report->before > 0)
        return error_set(error, STATUS_DENIED, "55000",
                         "Keep it as it is, and begin another backup in an empty folder.",
                         "%.200s ends before what was dropped from the ledger: nothing shows any "
                         "more that the one goes on from the other",
                         to);
    first = least > first ? least : first;
    TRY(read_newest(folder, newest, error));
    TRY(copy_log(folder, to, least, first, newest, report, error));
    return verify_copy(to, &newest->checkpoint, key, report, error);
}

enum status ledger_backup(const char *folder, const char *to, const struct note_key *key,
                          struct backup_report *report, struct error *error)
{
    struct backup_report made = {0};
    struct newest newest;
    TRY(check_name(folder, error));
    TRY(check_name(to, error));
    newest_init(&newest);
    enum status status = back_up(folder, to, key, &newest, &made, error);
    newest_free(&newest);
    if (status == STATUS_OK)
        *report = made;
    return status;
}

/* ---- restoring ---- */

static enum status shorter(const char *from, const char *checkpoint, uint64_t entries,
                           struct error *error)
{
    struct buffer bytes;
    struct checkpoint newest;
    buffer_init(&bytes, NOTE_BYTES_MAX);
    enum status status = read_note(checkpoint, &bytes, &newest, error);
    buffer_free(&bytes);
    TRY(status);
    return error_set(
        error, STATUS_DENIED, "55000",
        "Restore a newer backup. If there is none, keep this one for reading (ledger verify, "
        "ledger "
        "export) and begin a new log in an empty folder.",
        "%.120s ends before entry %" PRIu64 ", and %.120s proves %" PRIu64 " entries: %" PRIu64
        " to %" PRIu64
        " would be lost. Going on from here would give their numbers to other entries: a fork, "
        "which everybody who holds that checkpoint can prove",
        from, entries, checkpoint, newest.size, entries, newest.size - 1);
}

/* Whole, and at least as long as the checkpoint says. */
static enum status verify_backup(const char *from, const char *checkpoint,
                                 const struct note_key *key, struct error *error)
{
    struct verify_report verified;
    struct verify_damage damage = {0};
    struct verify_options options = {.folder = from, .key = key};
    TRY(ledger_verify(&options, &verified, &damage, error));
    if (checkpoint == NULL)
        return STATUS_OK;
    options.checkpoints = &checkpoint;
    options.checkpoint_count = 1;
    enum status status = ledger_verify(&options, &verified, &damage, error);
    if (status == STATUS_CORRUPT && strcmp(damage.check, "missing") == 0)
        return shorter(from, checkpoint, damage.sequence, error);
    return status;
}

static enum status check_target(const char *to, struct error *error)
{
    if (!file_exists(to) || rmdir(to) == 0)
        return STATUS_OK;
    return error_set(error, STATUS_INVALID, "58P02",
                     "Move it away, and give its file checkpoint with --checkpoint: it tells how "
                     "far the log had come.",
                     "%.200s: is there already, and is not empty", to);
}

/* What root makes is the gateway's: it belongs to the owner of the folder that it stands in. */
static enum status give_away(const char *folder, struct error *error)
{
    char path[SEGMENT_PATH_BYTES];
    enum status status = file_inherit_owner(folder, error);
    DIR *dir = status == STATUS_OK ? opendir(folder) : NULL;
    if (dir == NULL)
        return status == STATUS_OK ? error_set_errno(error, errno, "%s", folder) : status;
    for (struct dirent *entry; status == STATUS_OK && (entry = readdir(dir)) != NULL;) {
        path_of(folder, entry->d_name, path);
        if (entry->d_name[0] == '.')
            continue;
        status = entry->d_type == DT_DIR ? give_away(path, error) : file_inherit_owner(path, error);
    }
    closedir(dir);
    return status;
}

/* Root restores into a folder that the gateway's user may write: a link there leads nowhere. */
static DIR *open_real(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (dir == NULL && fd >= 0)
        close(fd);
    return dir;
}

/* An earlier attempt's files. */
static enum status clear(const char *folder, struct error *error)
{
    char path[SEGMENT_PATH_BYTES];
    enum status status = STATUS_OK;
    DIR *dir = open_real(folder);
    if (dir == NULL)
        return errno == ENOENT ? STATUS_OK : error_set_errno(error, errno, "%s", folder);
    for (struct dirent *entry; status == STATUS_OK && (entry = readdir(dir)) != NULL;) {
        path_of(folder, entry->d_name, path);
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (entry->d_type == DT_DIR)
            status = clear(path, error);
        else if (unlink(path) != 0)
            status = error_set_errno(error, errno, "%s", path);
    }
    closedir(dir);
    if (status == STATUS_OK && rmdir(folder) != 0)
        status = error_set_errno(error, errno, "%s", folder);
    return status;
}

/* The name that makes it a ledger, and the entry of it in the folder above, are last. */
static enum status put_in_place(const char *partial, const char *to, struct error *error)
{
    char parent[SEGMENT_PATH_BYTES];
    TRY(give_away(partial, error));
    if (rename(partial, to) != 0)
        return error_set_errno(error, errno, "rename %s", partial);
    path_of(to, "..", parent);
    return file_sync_folder(parent, error);
}

/* In a folder of another name, which a crash leaves behind and the next call replaces. */
static enum status restore(const char *from, const char *to, const char *partial,
                           const struct note_key *key, struct backup_report *report,
                           struct error *error)
{
    struct newest newest;
    uint64_t first = 1;
    newest_init(&newest);
    enum status status = clear(partial, error);
    if (status == STATUS_OK)
        status = file_make_folder(partial, FOLDER_MODE, error);
    if (status == STATUS_OK)
        status = read_newest(from, &newest, error);
    if (status == STATUS_OK)
        status = first_segment(from, &first, error);
    if (status == STATUS_OK)
        status = copy_log(from, partial, first, first, &newest, report, error);
    if (status == STATUS_OK)
        status = verify_copy(partial, &newest.checkpoint, key, report, error);
    if (status == STATUS_OK)
        status = put_in_place(partial, to, error);
    newest_free(&newest);
    return status;
}

enum status ledger_restore(const char *from, const char *to, const char *checkpoint,
                           const struct note_key *key, struct backup_report *report,
                           struct error *error)
{
    char partial[SEGMENT_FOLDER_BYTES];
    struct backup_report made = {0};
    TRY(check_name(from, error));
    if (snprintf(partial, sizeof partial, "%s.restoring", to) >= (int)sizeof partial)
        return check_name(to, error);
    TRY(verify_backup(from, checkpoint, key, error));
    TRY(check_target(to, error));
    TRY(restore(from, to, partial, key, &made, error));
    *report = made;
    return STATUS_OK;
}
