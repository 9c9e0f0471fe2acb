/* Durable: one 512-byte sector, overwritten in place, whose number stands there twice, the second
 * time inverted, so that a torn write is told from a true one. */
#include "ledger/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/crypto.h"

enum { DURABLE_BYTES = 512 };

static const uint8_t durable_magic[8] = "CFDURABL"; /* without a NUL */

static void path_of(const char *folder, const char *name, char path[static SEGMENT_PATH_BYTES])
{
    snprintf(path, SEGMENT_PATH_BYTES, "%.*s/%s", SEGMENT_FOLDER_BYTES, folder, name);
}

enum status durable_open(const char *folder, int *fd, struct error *error)
{
    static const uint8_t zeros[DURABLE_BYTES];
    char path[SEGMENT_PATH_BYTES];
    path_of(folder, "durable", path);
    int opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC, SEGMENT_FILE_MODE);
    if (opened < 0)
        return error_set_errno(error, errno, "%s", path);
    enum status status = STATUS_OK;
    if (lseek(opened, 0, SEEK_END) < DURABLE_BYTES)
        status = file_write_at(opened, zeros, sizeof zeros, 0, error);
    if (status == STATUS_OK && fsync(opened) != 0)
        status = error_set_errno(error, errno, "%s", path);
    if (status != STATUS_OK) {
        close(opened);
        return status;
    }
    *fd = opened;
    return STATUS_OK;
}

enum status durable_store(int fd, uint64_t sequence, struct error *error)
{
    uint8_t bytes[24];
    memcpy(bytes, durable_magic, sizeof durable_magic);
    store_u64be(bytes + 8, sequence);
    store_u64be(bytes + 16, ~sequence);
    return file_write_at(fd, bytes, sizeof bytes, 0, error);
}

uint64_t durable_load(const char *folder)
{
    char path[SEGMENT_PATH_BYTES];
    uint8_t bytes[24];
    path_of(folder, "durable", path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t got = pread(fd, bytes, sizeof bytes, 0);
    close(fd);
    if (got != sizeof bytes || memcmp(bytes, durable_magic, sizeof durable_magic) != 0)
        return 0;
    uint64_t sequence = load_u64be(bytes + 8);
    return load_u64be(bytes + 16) == ~sequence ? sequence : 0;
}

enum status log_id_write(const char *folder, const uint8_t id[static SEGMENT_ID_BYTES],
                         struct error *error)
{
    char path[SEGMENT_PATH_BYTES], hex[2 * SEGMENT_ID_BYTES + 2];
    crypto_hex(id, SEGMENT_ID_BYTES, hex);
    hex[2 * SEGMENT_ID_BYTES] = '\n';
    path_of(folder, "log-id", path);
    return file_replace(path, slice_of(hex, sizeof hex - 1), SEGMENT_FILE_MODE, error);
}

enum status log_id_read(const char *folder, uint8_t id[static SEGMENT_ID_BYTES],
                        struct error *error)
{
    char path[SEGMENT_PATH_BYTES], hex[2 * SEGMENT_ID_BYTES + 1];
    uint8_t read[SEGMENT_ID_BYTES] = {0};
    struct buffer text;
    buffer_init(&text, 256);
    path_of(folder, "log-id", path);
    enum status status = file_read(path, &text, error);
    bool good = text.len == 2 * SEGMENT_ID_BYTES + 1;
    for (size_t i = 0; good && i < SEGMENT_ID_BYTES; i++) {
        const char digits[3] = {(char)text.data[2 * i], (char)text.data[2 * i + 1], '\0'};
        unsigned byte;
        good = sscanf(digits, "%2x", &byte) == 1;
        read[i] = (uint8_t)byte;
    }
    crypto_hex(read, sizeof read, hex);
    good = good && memcmp(hex, text.data, 2 * SEGMENT_ID_BYTES) == 0 &&
           text.data[2 * SEGMENT_ID_BYTES] == '\n';
    buffer_free(&text);
    if (status == STATUS_OK && !good)
        return error_set(error, STATUS_CORRUPT, "XX001", NULL, "%.300s: damaged", path);
    if (status == STATUS_OK)
        memcpy(id, read, sizeof read);
    return status;
}
