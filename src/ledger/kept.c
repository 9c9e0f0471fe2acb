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

enum { DIGITS = 20, FOLDER_MODE = 0755 };

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
