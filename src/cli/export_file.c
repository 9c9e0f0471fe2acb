/* See export.h. Where the filesystem can, the file has no name while it is written, so that not
 * even a kill leaves people's data behind; at most while a file is replaced, until the next time.
 */
#include "cli/export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/crypto.h"

static void folder_of(const char *path, char folder[static EXPORT_PATH_ROOM])
{
    const char *slash = strrchr(path, '/');
    size_t len = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
    snprintf(folder, EXPORT_PATH_ROOM, "%.*s", (int)(len == 0 ? 1 : len), len == 0 ? "." : path);
}

/* "folder/.name.XXXXXX"; false where it does not fit. */
static bool temporary_of(const char *path, char temporary[static EXPORT_PATH_ROOM])
{
    static const char ending[] = ".XXXXXX";
    const char *slash = strrchr(path, '/');
    size_t folder = slash == NULL ? 0 : (size_t)(slash - path) + 1, len = strlen(path);
    if (len + 1 + sizeof ending > EXPORT_PATH_ROOM)
        return false;
    memcpy(temporary, path, folder);
    temporary[folder] = '.';
    memcpy(temporary + folder + 1, path + folder, len - folder);
    memcpy(temporary + len + 1, ending, sizeof ending);
    return true;
}

/* Its name is in *temporary, or "" where it has none. */
static int open_nameless(const char *path, char temporary[static EXPORT_PATH_ROOM])
{
    char folder[EXPORT_PATH_ROOM];
    folder_of(path, folder);
    temporary[0] = '\0';
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
        return fd;
    if (!temporary_of(path, temporary)) {
        errno = ENAMETOOLONG;
        temporary[0] = '\0';
        return -1;
    }
    return mkostemp(temporary, O_CLOEXEC);
}

enum status export_file_open(struct export_file *file, const char *path, bool force,
                             struct error *error)
{
    struct stat status;
    if (path[0] == '\0' || strlen(path) + 16 > EXPORT_PATH_ROOM)
        return error_set(error, STATUS_INVALID, "22023", NULL,
                         "the file's path is empty or too long");
    if (lstat(path, &status) == 0 && (!force || !S_ISREG(status.st_mode)))
        return error_set(error, STATUS_INVALID, "58P02",
                         S_ISREG(status.st_mode) ? "choose another name, or --force to replace it"
                                                 : "choose another name",
                         "%s is there already", path);
    snprintf(file->path, sizeof file->path, "%s", path);
    file->fd = open_nameless(path, file->temporary);
    return file->fd >= 0 ? STATUS_OK : error_set_errno(error, errno, "cannot write %s", path);
}

int export_file_aside(const struct export_file *file, struct error *error)
{
    char temporary[EXPORT_PATH_ROOM];
    int fd = open_nameless(file->path, temporary);
    if (fd < 0)
        (void)error_set_errno(error, errno, "cannot write beside %s", file->path);
    else if (temporary[0] != '\0')
        unlink(temporary);
    return fd;
}

enum status export_file_settle(struct export_file *file, char hash[static EXPORT_HASH_ROOM],
                               struct error *error)
{
    struct stat status;
    uint8_t digest[CRYPTO_SHA256_BYTES];
    if (fsync(file->fd) != 0 || fstat(file->fd, &status) != 0)
        return error_set_errno(error, errno, "%s", file->path);
    size_t size = (size_t)status.st_size;
    void *map = size == 0 ? NULL : mmap(NULL, size, PROT_READ, MAP_SHARED, file->fd, 0);
    if (map == MAP_FAILED)
        return error_set_errno(error, errno, "%s", file->path);
    const struct slice content = slice_of(map, size);
    crypto_sha256(&content, 1, digest);
    crypto_hex(digest, sizeof digest, hash);
    if (map != NULL)
        munmap(map, size);
    return STATUS_OK;
}

static int link_as(const struct export_file *file, const char *name)
{
    char own[64];
    snprintf(own, sizeof own, "/proc/self/fd/%d", file->fd);
    return linkat(AT_FDCWD, own, AT_FDCWD, name, AT_SYMLINK_FOLLOW);
}

/* A name beside the one that it shall have, always the same: where a kill has left one behind, the
 * next export of this file takes it away. */
static enum status name_beside(struct export_file *file, struct error *error)
{
    static const char ending[] = ".swap";
    char name[EXPORT_PATH_ROOM];
    temporary_of(file->path, name);
    snprintf(name + strlen(name) - strlen(".XXXXXX"), sizeof ending, "%s", ending);
    if (link_as(file, name) != 0 &&
        (errno != EEXIST || unlink(name) != 0 || link_as(file, name) != 0))
        return error_set_errno(error, errno, "cannot name %s", file->path);
    memcpy(file->temporary, name, sizeof name);
    return STATUS_OK;
}

static enum status rename_it(struct export_file *file, bool force, struct error *error)
{
    if (renameat2(AT_FDCWD, file->temporary, AT_FDCWD, file->path, force ? 0 : RENAME_NOREPLACE) !=
        0)
        return errno == EEXIST ? error_set(error, STATUS_INVALID, "58P02", "choose another name",
                                           "%s has appeared meanwhile", file->path)
                               : error_set_errno(error, errno, "cannot name %s", file->path);
    file->temporary[0] = '\0';
    return STATUS_OK;
}

/* A new file gets its name at once. One that replaces another has a second one for an instant. */
enum status export_file_publish(struct export_file *file, bool force, struct error *error)
{
    char folder[EXPORT_PATH_ROOM];
    bool nameless = file->temporary[0] == '\0';
    bool named = nameless && link_as(file, file->path) == 0;
    if (nameless && !named && errno != EEXIST)
        return error_set_errno(error, errno, "cannot name %s", file->path);
    if (nameless && !named)
        TRY(name_beside(file, error));
    if (!named)
        TRY(rename_it(file, force, error));
    folder_of(file->path, folder);
    return file_sync_folder(folder, error);
}

void export_file_close(struct export_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    if (file->temporary[0] != '\0')
        unlink(file->temporary);
    file->fd = -1;
}
