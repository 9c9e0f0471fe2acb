/* Making, naming and opening segment files. Every change of a name is followed by a sync of the
 * folder, and every file is synced before it gets the name by which it is trusted. */
#include "ledger/segment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/crypto.h"

enum { VERSION = 1, STEP_BYTES = 1024 * 1024, CRC_AT = SEGMENT_HEADER_BYTES - 4 };

static const uint8_t magic[8] = "CFLEDGER"; /* without a NUL */

void segment_header_encode(const struct segment_header *header,
                           uint8_t bytes[static SEGMENT_HEADER_BYTES])
{
    memset(bytes, 0, SEGMENT_HEADER_BYTES);
    memcpy(bytes, magic, sizeof magic);
    store_u32be(bytes + 8, VERSION);
    memcpy(bytes + 16, header->log_id, SEGMENT_ID_BYTES);
    store_u64be(bytes + 32, header->number);
    store_u64be(bytes + 40, header->first_sequence);
    store_u64be(bytes + 48, header->size_bytes);
    store_u64be(bytes + 56, header->epoch);
    store_u64be(bytes + 64, header->salt);
    memcpy(bytes + 72, header->previous_root, MERKLE_HASH_BYTES);
    store_u32be(bytes + CRC_AT, crypto_crc32c(0, bytes, CRC_AT));
}

bool segment_header_decode(const uint8_t bytes[static SEGMENT_HEADER_BYTES],
                           struct segment_header *header)
{
    if (memcmp(bytes, magic, sizeof magic) != 0 || load_u32be(bytes + 8) != VERSION ||
        load_u32be(bytes + CRC_AT) != crypto_crc32c(0, bytes, CRC_AT))
        return false;
    memcpy(header->log_id, bytes + 16, SEGMENT_ID_BYTES);
    header->number = load_u64be(bytes + 32);
    header->first_sequence = load_u64be(bytes + 40);
    header->size_bytes = load_u64be(bytes + 48);
    header->epoch = load_u64be(bytes + 56);
    header->salt = load_u64be(bytes + 64);
    memcpy(header->previous_root, bytes + 72, MERKLE_HASH_BYTES);
    return true;
}

void segment_path(const char *folder, uint64_t number, const char *suffix,
                  char path[static SEGMENT_PATH_BYTES])
{
    snprintf(path, SEGMENT_PATH_BYTES, "%.*s/segment-%010" PRIu64 "%s", SEGMENT_FOLDER_BYTES,
             folder, number, suffix);
}

/* "segment-0000000012.log" gives 12 and ".log"; any other name false. */
static bool parse_name(const char *name, uint64_t *number, const char **suffix)
{
    int used = 0;
    if (sscanf(name, "segment-%10" SCNu64 "%n", number, &used) != 1 || used != 18)
        return false;
    *suffix = name + used;
    return true;
}

static enum status open_folder(const char *folder, DIR **dir, struct error *error)
{
    *dir = opendir(folder);
    return *dir != NULL ? STATUS_OK : error_set_errno(error, errno, "%s", folder);
}

static enum status check_contiguous(const char *folder, uint64_t first, uint64_t last,
                                    struct error *error)
{
    char path[SEGMENT_PATH_BYTES];
    for (uint64_t number = first; number <= last; number++) {
        segment_path(folder, number, ".log", path);
        if (!file_exists(path))
            return error_set(error, STATUS_CORRUPT, "XX001", "Restore it from a replica.",
                             "%.300s: missing, though later segments exist", path);
    }
    return STATUS_OK;
}

enum status segment_list(const char *folder, uint64_t first, uint64_t *last, uint64_t *spare,
                         struct error *error)
{
    DIR *dir;
    uint64_t highest = 0, ready = 0, number;
    const char *suffix;
    TRY(open_folder(folder, &dir, error));
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (!parse_name(entry->d_name, &number, &suffix))
            continue;
        if (strcmp(suffix, ".log") == 0 && number > highest)
            highest = number;
        if (strcmp(suffix, ".spare") == 0 && number > ready)
            ready = number;
    }
    closedir(dir);
    if (first > 1 && highest < first)
        highest = first; /* it must be there */
    TRY(check_contiguous(folder, first, highest, error));
    *last = highest;
    *spare = ready;
    return STATUS_OK;
}

enum status segment_remove_unfinished(const char *folder, struct error *error)
{
    DIR *dir;
    uint64_t number;
    const char *suffix;
    enum status status = STATUS_OK;
    TRY(open_folder(folder, &dir, error));
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (!parse_name(entry->d_name, &number, &suffix) || strcmp(suffix, ".new") != 0)
            continue;
        if (unlinkat(dirfd(dir), entry->d_name, 0) != 0)
            status = error_set_errno(error, errno, "%s/%s", folder, entry->d_name);
    }
    closedir(dir);
    return status;
}

enum status segment_remove_below(const char *folder, uint64_t first, struct error *error)
{
    DIR *dir;
    uint64_t number;
    const char *suffix;
    enum status status = STATUS_OK;
    TRY(open_folder(folder, &dir, error));
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (!parse_name(entry->d_name, &number, &suffix) || strcmp(suffix, ".log") != 0 ||
            number >= first)
            continue;
        if (unlinkat(dirfd(dir), entry->d_name, 0) != 0)
            status = error_set_errno(error, errno, "%s/%s", folder, entry->d_name);
    }
    closedir(dir);
    return status;
}

enum status segment_maker_start(struct segment_maker *maker, const char *folder, uint64_t number,
                                uint64_t size_bytes, struct error *error)
{
    char path[SEGMENT_PATH_BYTES];
    segment_path(folder, number, ".new", path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, SEGMENT_FILE_MODE);
    if (fd < 0)
        return error_set_errno(error, errno, "%s", path);
    *maker = (struct segment_maker){.fd = fd, .number = number, .size_bytes = size_bytes};
    return STATUS_OK;
}

void segment_maker_cancel(struct segment_maker *maker, const char *folder)
{
    char path[SEGMENT_PATH_BYTES];
    if (maker->fd < 0)
        return;
    close(maker->fd);
    maker->fd = -1;
    segment_path(folder, maker->number, ".new", path);
    unlink(path);
}

static enum status publish_spare(struct segment_maker *maker, const char *folder,
                                 struct error *error)
{
    char from[SEGMENT_PATH_BYTES], to[SEGMENT_PATH_BYTES];
    segment_path(folder, maker->number, ".new", from);
    segment_path(folder, maker->number, ".spare", to);
    if (fsync(maker->fd) != 0 || rename(from, to) != 0)
        return error_set_errno(error, errno, "%s", from);
    close(maker->fd);
    maker->fd = -1;
    return file_sync_folder(folder, error);
}

enum status segment_maker_step(struct segment_maker *maker, const char *folder, bool *done,
                               struct error *error)
{
    static const uint8_t zeros[STEP_BYTES];
    uint64_t left = maker->size_bytes - maker->offset;
    size_t len = left < STEP_BYTES ? (size_t)left : STEP_BYTES;
    enum status status = file_write_at(maker->fd, zeros, len, maker->offset, error);
    if (status == STATUS_OK && fdatasync(maker->fd) != 0)
        status = error_set_errno(error, errno, "fdatasync");
    if (status == STATUS_OK && len == left)
        status = publish_spare(maker, folder, error);
    if (status != STATUS_OK) {
        segment_maker_cancel(maker, folder);
        return status;
    }
    maker->offset += len;
    *done = len == left;
    return STATUS_OK;
}

enum status segment_make_spare(const char *folder, uint64_t number, uint64_t size_bytes,
                               struct error *error)
{
    struct segment_maker maker;
    bool done = false;
    TRY(segment_maker_start(&maker, folder, number, size_bytes, error));
    while (!done)
        TRY(segment_maker_step(&maker, folder, &done, error));
    return STATUS_OK;
}

static enum status write_header(int fd, const struct segment_header *header, struct error *error)
{
    uint8_t bytes[SEGMENT_HEADER_BYTES];
    segment_header_encode(header, bytes);
    TRY(file_write_at(fd, bytes, sizeof bytes, 0, error));
    return fdatasync(fd) == 0 ? STATUS_OK : error_set_errno(error, errno, "fdatasync");
}

enum status segment_activate(const char *folder, const struct segment_header *header, int *fd,
                             struct error *error)
{
    char from[SEGMENT_PATH_BYTES], to[SEGMENT_PATH_BYTES];
    segment_path(folder, header->number, ".spare", from);
    segment_path(folder, header->number, ".log", to);
    int opened = open(from, O_RDWR | O_CLOEXEC);
    if (opened < 0)
        return error_set_errno(error, errno, "%s", from);
    enum status status = write_header(opened, header, error);
    if (status == STATUS_OK && rename(from, to) != 0)
        status = error_set_errno(error, errno, "rename %s", from);
    if (status == STATUS_OK)
        status = file_sync_folder(folder, error);
    if (status != STATUS_OK) {
        close(opened);
        return status;
    }
    *fd = opened;
    return STATUS_OK;
}
