/* File helpers over plain system calls. No state. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_ROOM = 4096 }; /* PATH_MAX of Linux */

static enum status open_for_reading(const char *path, int *fd, struct error *error)
{
    int opened = open(path, O_RDONLY | O_CLOEXEC);
    if (opened < 0) {
        enum status status = errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO;
        error_set_errno(error, errno, "%s", path);
        if (error != NULL)
            error->status = status;
        return status;
    }
    *fd = opened;
    return STATUS_OK;
}

static enum status read_all(int fd, const char *path, struct buffer *out, struct error *error)
{
    for (;;) {
        uint8_t *room = buffer_reserve(out, 4096);
        size_t want = 4096;
        if (room == NULL) {
            out->overflowed = false;
            want = out->limit - out->len;
            room = buffer_reserve(out, want);
            uint8_t probe;
            if (want == 0 || room == NULL) {
                if (read(fd, &probe, 1) == 0)
                    return STATUS_OK;
                return error_set(error, STATUS_LIMIT, "54000", NULL, "%s: larger than %zu bytes",
                                 path, out->limit);
            }
        }
        ssize_t got = read(fd, room, want);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_errno(error, errno, "%s", path);
        if (got == 0)
            return STATUS_OK;
        out->len += (size_t)got;
    }
}

enum status file_read(const char *path, struct buffer *out, struct error *error)
{
    int fd;
    TRY(open_for_reading(path, &fd, error));
    enum status status = read_all(fd, path, out, error);
    close(fd);
    return status;
}

enum status file_read_secret(const char *path, struct buffer *out, struct error *error)
{
    int fd;
    TRY(open_for_reading(path, &fd, error));
    struct stat info;
    enum status status;
    size_t before = out->len;
    if (fstat(fd, &info) != 0)
        status = error_set_errno(error, errno, "%s", path);
    else if ((info.st_mode & 077) != 0) {
        char hint[sizeof error->hint];
        snprintf(hint, sizeof hint, "chmod 600 %s", path);
        status = error_set(error, STATUS_INVALID, "F0000", hint,
                           "%s: a secret that others can read", path);
    } else
        status = read_all(fd, path, out, error);
    close(fd);
    if (status == STATUS_OK && out->len > before && out->data[out->len - 1] == '\n')
        out->len--;
    return status;
}

enum status file_write_at(int fd, const void *data, size_t len, uint64_t offset,
                          struct error *error)
{
    const uint8_t *bytes = data;
    while (len > 0) {
        ssize_t put = pwrite(fd, bytes, len, (off_t)offset);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return error_set_errno(error, put == 0 ? EIO : errno, "write");
        bytes += put;
        len -= (size_t)put;
        offset += (uint64_t)put;
    }
    return STATUS_OK;
}

enum status file_sync_folder(const char *path, struct error *error)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_set_errno(error, errno, "%s", path);
    int failed = fsync(fd) != 0 ? errno : 0;
    close(fd);
    return failed == 0 ? STATUS_OK : error_set_errno(error, failed, "fsync %s", path);
}

static void folder_of(const char *path, char folder[static PATH_ROOM])
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        snprintf(folder, PATH_ROOM, ".");
    else
        snprintf(folder, PATH_ROOM, "%.*s", (int)(slash == path ? 1 : slash - path), path);
}

enum status file_inherit_owner(const char *path, struct error *error)
{
    char folder[PATH_ROOM];
    struct stat info;
    if (geteuid() != 0)
        return STATUS_OK;
    folder_of(path, folder);
    if (stat(folder, &info) != 0 || lchown(path, info.st_uid, info.st_gid) != 0)
        return error_set_errno(error, errno, "%s", path);
    return STATUS_OK;
}

static enum status sync_parent(const char *path, struct error *error)
{
    char folder[PATH_ROOM];
    folder_of(path, folder);
    return file_sync_folder(folder, error);
}

enum status file_replace(const char *path, struct slice content, unsigned mode, struct error *error)
{
    char temporary[PATH_ROOM];
    if (snprintf(temporary, sizeof temporary, "%s.new", path) >= (int)sizeof temporary)
        return error_set(error, STATUS_INVALID, "58030", NULL, "path is too long");
    unlink(temporary);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        return error_set_errno(error, errno, "%s", temporary);
    enum status status = file_write_at(fd, content.data, content.len, 0, error);
    if (status == STATUS_OK && (fchmod(fd, mode) != 0 || fsync(fd) != 0))
        status = error_set_errno(error, errno, "%s", temporary);
    close(fd);
    if (status == STATUS_OK && rename(temporary, path) != 0)
        status = error_set_errno(error, errno, "rename %s", path);
    if (status != STATUS_OK) {
        unlink(temporary);
        return status;
    }
    return sync_parent(path, error);
}

static enum status make_one_folder(const char *path, unsigned mode, struct error *error)
{
    struct stat info;
    if (mkdir(path, mode) == 0)
        return STATUS_OK;
    int failure = errno;
    if (failure == EEXIST && stat(path, &info) == 0)
        failure = S_ISDIR(info.st_mode) ? 0 : ENOTDIR;
    return failure == 0 ? STATUS_OK : error_set_errno(error, failure, "mkdir %s", path);
}

enum status file_make_folder(const char *path, unsigned mode, struct error *error)
{
    char partial[PATH_ROOM];
    int len = snprintf(partial, sizeof partial, "%s", path);
    if (len <= 0 || (size_t)len >= sizeof partial)
        return error_set(error, STATUS_INVALID, "58030", NULL, "path is empty or too long");
    for (char *at = partial + 1;; at++) {
        if (*at != '/' && *at != '\0')
            continue;
        char saved = *at;
        *at = '\0';
        TRY(make_one_folder(partial, mode, error));
        *at = saved;
        if (saved == '\0')
            return STATUS_OK;
    }
}

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}
