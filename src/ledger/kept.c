/* See kept.h. */
#include "ledger/kept.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "ledger/checkpoint.h"
#include "ledger/ledger.h"

enum { DIGITS = 20, FOLDER_MODE = 0755, FIRST_SIZES = 64 };

static void kept_folder(const char *folder, char path[static KEPT_PATH_ROOM])
{
    snprintf(path, KEPT_PATH_ROOM, "%.4000s/checkpoints", folder);
}

void kept_path(const char *folder, uint64_t size, char path[static KEPT_PATH_ROOM])
{
    snprintf(path, KEPT_PATH_ROOM, "%.4000s/checkpoints/%020" PRIu64, folder, size);
}

/* Other names, such as those of files being written, are none of ours. */
static bool parse_name(const char *name, uint64_t *size)
{
    if (strlen(name) != DIGITS || strspn(name, "0123456789") != DIGITS)
        return false;
    errno = 0;
    *size = strtoull(name, NULL, 10);
    return errno == 0;
}

struct sizes {
    uint64_t *all;
    size_t count, capacity;
};

static int descending(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left < right) - (left > right);
}

static enum status list_sizes(const char *folder, struct sizes *sizes, struct error *error)
{
    char path[KEPT_PATH_ROOM];
    uint64_t size;
    enum status status = STATUS_OK;
    kept_folder(folder, path);
    DIR *dir = opendir(path);
    if (dir == NULL)
        return errno == ENOENT ? STATUS_OK : error_set_errno(error, errno, "%s", path);
    for (struct dirent *entry; status == STATUS_OK && (entry = readdir(dir)) != NULL;) {
        if (!parse_name(entry->d_name, &size))
            continue;
        if (sizes->count == sizes->capacity) {
            sizes->capacity = sizes->capacity == 0 ? FIRST_SIZES : sizes->capacity * 2;
            uint64_t *grown = realloc(sizes->all, sizes->capacity * sizeof *grown);
            if (grown == NULL) {
                status = error_no_memory(error);
                break;
            }
            sizes->all = grown;
        }
        sizes->all[sizes->count++] = size;
    }
    closedir(dir);
    if (sizes->count > 1)
        qsort(sizes->all, sizes->count, sizeof *sizes->all, descending);
    return status;
}

static enum status count_cosignatures(const char *folder, uint64_t size,
                                      const struct note_key *witnesses, size_t count,
                                      size_t *cosigned, struct error *error)
{
    char path[KEPT_PATH_ROOM], origin[CHECKPOINT_ORIGIN_ROOM], ours[CHECKPOINT_ORIGIN_ROOM];
    uint8_t log_id[CHECKPOINT_LOG_ID_BYTES];
    struct checkpoint checkpoint;
    struct note note;
    struct buffer bytes;
    *cosigned = 0;
    TRY(ledger_log_id(folder, log_id, error));
    checkpoint_origin(log_id, ours);
    kept_path(folder, size, path);
    buffer_init(&bytes, NOTE_BYTES_MAX);
    enum status status = checkpoint_read_note(path, &bytes, &note, origin, &checkpoint, error);
    bool is_ours = status == STATUS_OK && checkpoint.size == size && strcmp(origin, ours) == 0;
    for (size_t i = 0; is_ours && i < count; i++)
        *cosigned += note_check(&note, &witnesses[i]) == NOTE_GOOD;
    buffer_free(&bytes);
    return status == STATUS_INVALID ? STATUS_OK : status; /* a file without a signature */
}

enum status kept_cosigned(const char *folder, const struct note_key *witnesses, size_t count,
                          size_t quorum, uint64_t *size, struct error *error)
{
    struct sizes sizes = {0};
    bool found = false;
    enum status status = list_sizes(folder, &sizes, error);
    for (size_t i = 0; status == STATUS_OK && !found && i < sizes.count; i++) {
        size_t cosigned;
        status = count_cosignatures(folder, sizes.all[i], witnesses, count, &cosigned, error);
        found = status == STATUS_OK && cosigned >= quorum;
        *size = sizes.all[i];
    }
    free(sizes.all);
    if (status == STATUS_OK && !found)
        status = error_set(error, STATUS_NOT_FOUND, "02000", "cofferdam ledger witness",
                           "no checkpoint has been cosigned by witnesses yet");
    return status;
}

enum status kept_newest(const char *folder, uint64_t *size, struct error *error)
{
    char path[KEPT_PATH_ROOM];
    bool found = false;
    uint64_t newest = 0, read;
    kept_folder(folder, path);
    DIR *dir = opendir(path);
    if (dir == NULL && errno != ENOENT)
        return error_set_errno(error, errno, "%s", path);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        if (!parse_name(entry->d_name, &read))
            continue;
        newest = !found || read > newest ? read : newest;
        found = true;
    }
    if (dir != NULL)
        closedir(dir);
    if (!found)
        return error_set(error, STATUS_NOT_FOUND, "02000", NULL, "%s: no checkpoints", path);
    *size = newest;
    return STATUS_OK;
}

enum status kept_store(const char *folder, uint64_t size, struct slice note, bool replace,
                       struct error *error)
{
    char path[KEPT_PATH_ROOM];
    kept_folder(folder, path);
    if (!file_exists(path)) {
        TRY(file_make_folder(path, FOLDER_MODE, error));
        TRY(file_inherit_owner(path, error));
        TRY(file_sync_folder(folder, error));
    }
    kept_path(folder, size, path);
    if (!replace && file_exists(path))
        return STATUS_OK;
    TRY(file_replace(path, note, KEPT_FILE_MODE, error));
    return file_inherit_owner(path, error);
}

enum status kept_lock_published(const char *folder, int *fd, struct error *error)
{
    char path[KEPT_PATH_ROOM];
    snprintf(path, sizeof path, "%.4000s/tiles", folder);
    int opened = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (opened < 0)
        return error_set_errno(error, errno, "%s", path);
    if (flock(opened, LOCK_EX) != 0) {
        int failure = errno;
        close(opened);
        return error_set_errno(error, failure, "flock %s", path);
    }
    *fd = opened;
    return STATUS_OK;
}

static enum status publish_locked(const char *folder, uint64_t size, struct slice note,
                                  struct error *error)
{
    char path[KEPT_PATH_ROOM], origin[CHECKPOINT_ORIGIN_ROOM];
    struct checkpoint published;
    struct note there;
    struct buffer bytes;
    snprintf(path, sizeof path, "%.4000s/tiles/checkpoint", folder);
    buffer_init(&bytes, NOTE_BYTES_MAX);
    enum status status = checkpoint_read_note(path, &bytes, &there, origin, &published, error);
    buffer_free(&bytes);
    TRY(status);
    if (published.size != size)
        return STATUS_OK;
    TRY(file_replace(path, note, KEPT_FILE_MODE, error));
    return file_inherit_owner(path, error);
}

enum status kept_publish(const char *folder, uint64_t size, struct slice note, struct error *error)
{
    int fd;
    TRY(kept_lock_published(folder, &fd, error));
    enum status status = publish_locked(folder, size, note, error);
    close(fd);
    return status;
}
