/* The file of marks: building, mapping, searching. See the header for the format. */
#include "crypto/mark_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/crypto.h"

enum {
    MAGIC_BYTES = 8,
    HEADER_BYTES = MARK_FILE_HEADER_BYTES,
    RECORD_BYTES = MARK_FILE_RECORD_BYTES
};
static const char magic[MAGIC_BYTES + 1] = "CFMARK1\n";

static int compare(const void *a, const void *b)
{
    const struct mark_record *left = a, *right = b;
    return memcmp(left->mark, right->mark, REFERENCE_MARK_BYTES);
}

void mark_file_build(struct mark_record *records, size_t count, struct buffer *out)
{
    if (count > 0)
        qsort(records, count, sizeof *records, compare);
    buffer_append(out, magic, MAGIC_BYTES);
    buffer_append_u64be(out, count);
    for (size_t i = 0; i < count; i++) {
        buffer_append(out, records[i].mark, REFERENCE_MARK_BYTES);
        buffer_append_u32be(out, records[i].incident);
        buffer_append_u32be(out, records[i].issue);
        buffer_append_u32be(out, (uint32_t)records[i].last_day);
        buffer_append_u32be(out, 0);
    }
}

static const uint8_t *record_at(const struct mark_file *file, size_t at)
{
    return file->bytes + HEADER_BYTES + at * RECORD_BYTES;
}

/* The header fits the length, and the records ascend. */
static bool is_whole(const struct mark_file *file)
{
    if (file->len < HEADER_BYTES || memcmp(file->bytes, magic, MAGIC_BYTES) != 0)
        return false;
    uint64_t count = load_u64be(file->bytes + MAGIC_BYTES);
    if ((file->len - HEADER_BYTES) % RECORD_BYTES != 0 ||
        count != (file->len - HEADER_BYTES) / RECORD_BYTES)
        return false;
    for (size_t i = 1; i < count; i++) {
        if (memcmp(record_at(file, i - 1), record_at(file, i), REFERENCE_MARK_BYTES) > 0)
            return false;
    }
    return true;
}

enum status mark_file_open(int folder, const char *name, struct mark_file *file,
                           struct error *error)
{
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return error_set_errno(error, errno, "cannot open %s", name);
    struct stat about;
    struct mark_file opened = {0};
    void *bytes = MAP_FAILED;
    if (fstat(fd, &about) == 0 && about.st_size >= HEADER_BYTES) {
        opened.len = (size_t)about.st_size;
        /* Populated, so that which pages somebody asked for before cannot be felt. */
        bytes = mmap(NULL, opened.len, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    }
    close(fd);
    if (bytes == MAP_FAILED)
        return error_set(error, STATUS_CORRUPT, "XX001", "publish the incident again",
                         "%s is no file of marks", name);
    opened.bytes = bytes;
    if (!is_whole(&opened)) {
        mark_file_close(&opened);
        return error_set(error, STATUS_CORRUPT, "XX001", "publish the incident again",
                         "%s is no file of marks", name);
    }
    opened.count = (opened.len - HEADER_BYTES) / RECORD_BYTES;
    *file = opened;
    return STATUS_OK;
}

void mark_file_close(struct mark_file *file)
{
    if (file->bytes != NULL)
        munmap((void *)(uintptr_t)file->bytes, file->len);
    *file = (struct mark_file){0};
}

void mark_file_get(const struct mark_file *file, size_t at, struct mark_record *record)
{
    const uint8_t *bytes = record_at(file, at);
    memcpy(record->mark, bytes, REFERENCE_MARK_BYTES);
    record->incident = load_u32be(bytes + REFERENCE_MARK_BYTES);
    record->issue = load_u32be(bytes + REFERENCE_MARK_BYTES + 4);
    record->last_day = (int32_t)load_u32be(bytes + REFERENCE_MARK_BYTES + 8);
}

bool mark_file_find(const struct mark_file *file, const uint8_t mark[static REFERENCE_MARK_BYTES],
                    struct mark_record *record)
{
    size_t below = 0, step = 1; /* records below the mark; the count's highest bit */
    while (step <= file->count / 2)
        step *= 2;
    for (; step > 0; step /= 2) {
        bool within = below + step <= file->count;
        size_t at = within ? below + step - 1 : 0; /* without: compared for the work's sake */
        if (file->count > 0 && memcmp(record_at(file, at), mark, REFERENCE_MARK_BYTES) < 0)
            below += within ? step : 0;
    }
    if (below >= file->count || !crypto_equal(record_at(file, below), mark, REFERENCE_MARK_BYTES))
        return false;
    mark_file_get(file, below, record);
    return true;
}
