/* Changes that recovery makes to the folder. Each is done beside the old state and put in its place
 * by one rename, so that a crash in the middle leaves what recovery knows to clear away. */
#include "ledger/repair.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/crypto.h"
#include "ledger/checkpoint.h"
#include "ledger/durable.h"

enum { COPY_BYTES = 1024 * 1024 };

/* The id outlives a creation that was interrupted before the first segment had its name. */
static enum status make_log_id(const char *folder, uint8_t id[static SEGMENT_ID_BYTES],
                               struct error *error)
{
    enum status status = log_id_read(folder, id, error);
    if (status != STATUS_NOT_FOUND)
        return status;
    crypto_random(id, SEGMENT_ID_BYTES);
    return log_id_write(folder, id, error);
}

enum status repair_create(const char *folder, uint64_t segment_bytes, uint64_t epoch,
                          struct recovered *recovered, struct error *error)
{
    struct segment_header *tail = &recovered->tail;
    struct checkpoint empty = {0};
    TRY(make_log_id(folder, recovered->log_id, error));
    TRY(segment_make_spare(folder, 1, segment_bytes, error));
    *tail = (struct segment_header){.number = 1, .size_bytes = segment_bytes, .epoch = epoch};
    memcpy(tail->log_id, recovered->log_id, SEGMENT_ID_BYTES);
    crypto_random(&tail->salt, sizeof tail->salt);
    merkle_init(&recovered->tree);
    merkle_root(&recovered->tree, empty.root);
    memcpy(tail->previous_root, empty.root, MERKLE_HASH_BYTES);
    TRY(segment_activate(folder, tail, &recovered->fd, error));
    recovered->offset = SEGMENT_HEADER_BYTES;
    recovered->bytes = SEGMENT_HEADER_BYTES;
    enum status status = checkpoint_write(folder, recovered->log_id, &empty, error);
    if (status != STATUS_OK)
        close(recovered->fd);
    return status;
}

static enum status copy_range(int from, int to, uint64_t start, uint64_t end, struct error *error)
{
    static uint8_t chunk[COPY_BYTES]; /* recovery runs alone */
    for (uint64_t at = start; at < end;) {
        size_t want = end - at < COPY_BYTES ? (size_t)(end - at) : COPY_BYTES;
        ssize_t got = from < 0 ? (ssize_t)want : pread(from, chunk, want, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return error_set_errno(error, got == 0 ? EIO : errno, "copying the ledger's tail");
        if (from < 0)
            memset(chunk, 0, (size_t)got);
        TRY(file_write_at(to, chunk, (size_t)got, at, error));
        at += (uint64_t)got;
    }
    return STATUS_OK;
}

static enum status fill_copy(const struct segment_scan *scan, int to, struct error *error)
{
    TRY(copy_range(scan->fd, to, 0, scan->offset, error));
    TRY(copy_range(-1, to, scan->offset, scan->header.size_bytes, error));
    return fsync(to) == 0 ? STATUS_OK : error_set_errno(error, errno, "fsync");
}

static enum status copy_to(const struct segment_scan *scan, const char *path, int flags,
                           struct error *error)
{
    int to = open(path, O_WRONLY | O_CLOEXEC | flags, SEGMENT_FILE_MODE);
    if (to < 0)
        return error_set_errno(error, errno, "%s", path);
    enum status status = fill_copy(scan, to, error);
    close(to);
    return status;
}

static bool has_size(const char *path, uint64_t size)
{
    struct stat info;
    return stat(path, &info) == 0 && (uint64_t)info.st_size == size;
}

/* Overwrites the spare, under the name that the next start clears away if we do not finish. */
static enum status copy_to_spare(const char *folder, const struct segment_scan *scan,
                                 uint64_t *spare, const char *path, struct error *error)
{
    char from[SEGMENT_PATH_BYTES];
    segment_path(folder, *spare, ".spare", from);
    if (*spare == 0 || !has_size(from, scan->header.size_bytes))
        return STATUS_NOT_FOUND;
    if (rename(from, path) != 0)
        return error_set_errno(error, errno, "rename %s", from);
    /* What is written next must not be found under the name of a spare. */
    TRY(file_sync_folder(folder, error));
    *spare = 0;
    return copy_to(scan, path, 0, error);
}

enum status repair_tail(const char *folder, struct segment_scan *scan, uint64_t *spare,
                        struct error *error)
{
    char copy[SEGMENT_PATH_BYTES], path[SEGMENT_PATH_BYTES];
    segment_path(folder, scan->header.number, ".new", copy);
    segment_path(folder, scan->header.number, ".log", path);
    enum status status = copy_to(scan, copy, O_CREAT | O_TRUNC, error);
    if (status != STATUS_OK) {
        unlink(copy);
        enum status again = copy_to_spare(folder, scan, spare, copy, error);
        status = again == STATUS_NOT_FOUND ? status : again;
    }
    TRY(status);
    if (rename(copy, path) != 0)
        return error_set_errno(error, errno, "rename %s", copy);
    return file_sync_folder(folder, error);
}

/* Nothing yet, or all of a header: it was about to be put to use. */
static bool is_headed_well(const char *path)
{
    static const uint8_t zeros[SEGMENT_HEADER_BYTES];
    uint8_t bytes[SEGMENT_HEADER_BYTES];
    struct segment_header header;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool whole = fd >= 0 && pread(fd, bytes, sizeof bytes, 0) == (ssize_t)sizeof bytes;
    if (fd >= 0)
        close(fd);
    return whole &&
           (memcmp(bytes, zeros, sizeof bytes) == 0 || segment_header_decode(bytes, &header));
}

enum status repair_spare(const char *folder, uint64_t last, uint64_t spare, uint64_t segment_bytes,
                         bool *ready, struct error *error)
{
    char path[SEGMENT_PATH_BYTES];
    *ready = false;
    if (spare == 0)
        return STATUS_OK;
    segment_path(folder, spare, ".spare", path);
    if (spare == last + 1 && has_size(path, segment_bytes) && is_headed_well(path))
        *ready = true;
    else if (unlink(path) != 0)
        return error_set_errno(error, errno, "%s", path);
    return STATUS_OK;
}
