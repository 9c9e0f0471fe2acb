/* The key file's blocks: a head of 16 bytes with a CRC over length, count, payload and the block's
 * own offset, so that a block moved or left over from elsewhere is no block. */
#include "exposure/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "crypto/crypto.h"

enum {
    FILE_HEAD_BYTES = 16,
    BLOCK_HEAD_BYTES = 16, /* magic, payload length, record count, CRC-32C */
    BLOCK_PAYLOAD_MAX = 1 << 20,
    RECORD_HEAD_BYTES = 7,    /* id, kind, key length */
    BLOCK_MAGIC = 0x434B4231, /* "CKB1" */
};

static const uint8_t file_head[FILE_HEAD_BYTES] = "COFFERDAM KEYS1";

/* Over everything in the block but the CRC itself. */
static uint32_t block_crc(const uint8_t *block, uint32_t length, uint64_t offset)
{
    uint8_t place[8];
    store_u64be(place, offset);
    uint32_t crc = crypto_crc32c(0, place, sizeof place);
    crc = crypto_crc32c(crc, block, 12);
    return crypto_crc32c(crc, block + BLOCK_HEAD_BYTES, length);
}

/* ---- reading ---- */

static bool read_fully(int fd, uint8_t *bytes, size_t len, uint64_t offset)
{
    while (len > 0) {
        ssize_t got = pread(fd, bytes, len, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        bytes += got;
        len -= (size_t)got;
        offset += (uint64_t)got;
    }
    return true;
}

/* Reads the block at offset; false where there is no valid one. */
static bool read_block(int fd, uint64_t offset, uint8_t *block, uint32_t *length, uint32_t *count)
{
    if (!read_fully(fd, block, BLOCK_HEAD_BYTES, offset) || load_u32be(block) != BLOCK_MAGIC)
        return false;
    *length = load_u32be(block + 4);
    *count = load_u32be(block + 8);
    return *length <= BLOCK_PAYLOAD_MAX &&
           read_fully(fd, block + BLOCK_HEAD_BYTES, *length, offset + BLOCK_HEAD_BYTES) &&
           block_crc(block, *length, offset) == load_u32be(block + 12);
}

static enum status learn_records(struct key_file *file, struct dictionary *dictionary,
                                 struct slice payload, uint32_t count, struct error *error)
{
    for (uint32_t i = 0; i < count; i++) {
        if (payload.len < RECORD_HEAD_BYTES || payload.len - RECORD_HEAD_BYTES < payload.data[6])
            return STATUS_CORRUPT;
        uint32_t id = load_u32be(payload.data);
        size_t size = RECORD_HEAD_BYTES + (size_t)payload.data[6];
        if (id < file->written_below)
            return STATUS_CORRUPT;
        TRY(dictionary_learn(dictionary, id, load_u16be(payload.data + 4),
                             slice_of(payload.data + RECORD_HEAD_BYTES, payload.data[6]), error));
        file->written_below = id + 1;
        payload = slice_of(payload.data + size, payload.len - size);
    }
    return payload.len == 0 ? STATUS_OK : STATUS_CORRUPT;
}

static enum status load_blocks(struct key_file *file, struct dictionary *dictionary, uint8_t *block,
                               struct error *error)
{
    uint8_t head[FILE_HEAD_BYTES];
    uint32_t length, count;
    if (!read_fully(file->fd, head, sizeof head, 0) || memcmp(head, file_head, sizeof head) != 0)
        return error_set(error, STATUS_CORRUPT, "XX001", "restore the file from a backup",
                         "%s: not a key file", file->path);
    file->size = FILE_HEAD_BYTES;
    while (read_block(file->fd, file->size, block, &length, &count)) {
        struct slice payload = slice_of(block + BLOCK_HEAD_BYTES, length);
        enum status status = learn_records(file, dictionary, payload, count, error);
        if (status == STATUS_CORRUPT)
            return error_set(error, status, "XX001", "restore the file from a backup",
                             "%s: contradicting records in the block at byte %llu", file->path,
                             (unsigned long long)file->size);
        TRY(status);
        file->clean = count == 0;
        file->size += BLOCK_HEAD_BYTES + length;
    }
    return STATUS_OK;
}

static enum status load_all(struct key_file *file, struct dictionary *dictionary,
                            struct error *error)
{
    uint8_t *block = malloc(BLOCK_HEAD_BYTES + BLOCK_PAYLOAD_MAX);
    if (block == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    enum status status = load_blocks(file, dictionary, block, error);
    crypto_wipe(block, BLOCK_HEAD_BYTES + BLOCK_PAYLOAD_MAX);
    free(block);
    return status;
}

/* What stands behind the last valid block is a torn tail, or was never ours. */
static enum status judge_tail(struct key_file *file, struct error *error)
{
    struct stat info;
    if (fstat(file->fd, &info) != 0)
        return error_set_errno(error, errno, "%s", file->path);
    file->clean = file->clean && (uint64_t)info.st_size == file->size;
    if ((uint64_t)info.st_size != file->size)
        log_event(LOG_WARNING, "key_file_tail", "file=%s valid_bytes=%llu bytes=%llu", file->path,
                  (unsigned long long)file->size, (unsigned long long)info.st_size);
    return STATUS_OK;
}

/* Opens folder/keys; file->fd stays -1 where there is none. */
static enum status open_file(struct key_file *file, const char *folder, int mode,
                             struct error *error)
{
    *file = (struct key_file){.fd = -1};
    if (snprintf(file->path, sizeof file->path - 8, "%s/keys", folder) >=
        (int)sizeof file->path - 8)
        return error_set(error, STATUS_INVALID, "58030", NULL, "path is too long");
    file->fd = open(file->path, mode | O_CLOEXEC);
    if (file->fd < 0 && errno != ENOENT)
        return error_set_errno(error, errno, "%s", file->path);
    return STATUS_OK;
}

enum status key_file_load(struct key_file *file, const char *folder, struct dictionary *dictionary,
                          struct error *error)
{
    TRY(open_file(file, folder, O_RDWR, error));
    if (file->fd < 0)
        return STATUS_OK;
    if (fchmod(file->fd, 0600) != 0) /* it may come from a backup */
        log_event(LOG_WARNING, "key_file_mode", "file=%s errno=%d", file->path, errno);
    enum status status = load_all(file, dictionary, error);
    if (status == STATUS_OK)
        status = judge_tail(file, error);
    if (status == STATUS_OK)
        dictionary_settle_below(dictionary, file->written_below);
    else
        key_file_close(file, false);
    return status;
}

enum status key_file_read(const char *folder, struct dictionary *dictionary, struct error *error)
{
    struct key_file file;
    TRY(open_file(&file, folder, O_RDONLY, error));
    if (file.fd < 0)
        return STATUS_OK;
    enum status status = load_all(&file, dictionary, error);
    close(file.fd);
    return status;
}

/* ---- writing ---- */

struct filling {
    struct buffer block;
    uint32_t count;
};

static bool add_record(void *context, uint32_t id, uint16_t kind, struct slice key)
{
    struct filling *filling = context;
    if (filling->block.len + RECORD_HEAD_BYTES + key.len > BLOCK_HEAD_BYTES + BLOCK_PAYLOAD_MAX)
        return false;
    buffer_append_u32be(&filling->block, id);
    buffer_append_u16be(&filling->block, kind);
    buffer_append_u8(&filling->block, (uint8_t)key.len);
    buffer_append(&filling->block, key.data, key.len);
    filling->count++;
    return true;
}

/* Completes the head and writes the block. A block without records is a closing mark. */
static enum status write_block(struct key_file *file, struct filling *filling, struct error *error)
{
    struct buffer *block = &filling->block;
    if (block->overflowed)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    uint32_t length = (uint32_t)(block->len - BLOCK_HEAD_BYTES);
    store_u32be(block->data, BLOCK_MAGIC);
    store_u32be(block->data + 4, length);
    store_u32be(block->data + 8, filling->count);
    store_u32be(block->data + 12, block_crc(block->data, length, file->size));
    TRY(file_write_at(file->fd, block->data, block->len, file->size, error));
    file->size += block->len;
    return STATUS_OK;
}

static void begin_block(struct filling *filling)
{
    static const uint8_t head[BLOCK_HEAD_BYTES];
    buffer_clear(&filling->block);
    buffer_append(&filling->block, head, sizeof head);
    filling->count = 0;
}

/* Writes known ids [from, until) behind the file's end. The lock is held for a block at a time. */
static enum status write_pairs(struct key_file *file, struct dictionary *dictionary, uint32_t from,
                               uint32_t until, struct error *error)
{
    struct filling filling;
    enum status status = STATUS_OK;
    buffer_init(&filling.block, BLOCK_HEAD_BYTES + BLOCK_PAYLOAD_MAX);
    while (from < until && status == STATUS_OK) {
        uint32_t end = until - from > 65536 ? from + 65536 : until;
        begin_block(&filling);
        from = dictionary_each(dictionary, from, end, add_record, &filling);
        if (filling.count > 0)
            status = write_block(file, &filling, error);
    }
    if (filling.block.data != NULL)
        crypto_wipe(filling.block.data, filling.block.capacity);
    buffer_free(&filling.block);
    return status;
}

static enum status sync_file(const struct key_file *file, struct error *error)
{
    return fdatasync(file->fd) == 0 ? STATUS_OK
                                    : error_set_errno(error, errno, "fdatasync %s", file->path);
}

static enum status write_replacement(struct key_file *fresh, const char *path,
                                     struct dictionary *dictionary, const char *folder,
                                     struct error *error)
{
    uint32_t until = dictionary_next_id(dictionary);
    TRY(file_write_at(fresh->fd, file_head, sizeof file_head, 0, error));
    fresh->size = sizeof file_head;
    TRY(write_pairs(fresh, dictionary, 0, until, error));
    TRY(sync_file(fresh, error));
    if (rename(fresh->path, path) != 0)
        return error_set_errno(error, errno, "rename %s", path);
    TRY(file_sync_folder(folder, error));
    fresh->written_below = until;
    return STATUS_OK;
}

enum status key_file_rewrite(struct key_file *file, struct dictionary *dictionary,
                             struct error *error)
{
    struct key_file fresh = {.fd = -1};
    char folder[sizeof file->path];
    if (file->failed)
        return error_set(error, STATUS_IO, "58030", "restart once the disk is well",
                         "%s: an earlier write failed", file->path);
    snprintf(fresh.path, sizeof fresh.path, "%.*s.new", (int)sizeof fresh.path - 8, file->path);
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(file->path, '/') - file->path),
             file->path);
    unlink(fresh.path);
    fresh.fd = open(fresh.path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fresh.fd < 0)
        return error_set_errno(error, errno, "%s", fresh.path);
    enum status status = write_replacement(&fresh, file->path, dictionary, folder, error);
    if (status != STATUS_OK) {
        close(fresh.fd);
        unlink(fresh.path);
        return status;
    }
    if (file->fd >= 0)
        close(file->fd);
    memcpy(fresh.path, file->path, sizeof fresh.path);
    *file = fresh;
    dictionary_settle_below(dictionary, file->written_below);
    return STATUS_OK;
}

enum status key_file_append(struct key_file *file, struct dictionary *dictionary,
                            struct error *error)
{
    uint32_t until = dictionary_next_id(dictionary);
    if (file->failed)
        return error_set(error, STATUS_IO, "58030", NULL, "%s: an earlier write failed",
                         file->path);
    if (until <= file->written_below)
        return STATUS_OK;
    enum status status = write_pairs(file, dictionary, file->written_below, until, error);
    if (status == STATUS_OK)
        status = sync_file(file, error);
    if (status != STATUS_OK) {
        file->failed = true;
        return status;
    }
    file->written_below = until;
    dictionary_settle_below(dictionary, until);
    return STATUS_OK;
}

void key_file_close(struct key_file *file, bool mark)
{
    struct filling filling;
    if (file->fd < 0)
        return;
    buffer_init(&filling.block, BLOCK_HEAD_BYTES);
    begin_block(&filling);
    struct error error;
    if (mark && !file->failed &&
        (write_block(file, &filling, &error) != STATUS_OK || sync_file(file, &error) != STATUS_OK))
        log_event(LOG_ERROR, "key_file_close", "error=\"%s\"", error.message);
    buffer_free(&filling.block);
    close(file->fd);
    file->fd = -1;
}
