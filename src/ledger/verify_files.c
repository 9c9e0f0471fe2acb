/* See verify_files.h. A running gateway replaces `checkpoint`, overwrites `durable` and uses up the
 * spare while we read; what is torn is therefore read again before it is called damaged. */
#include "ledger/verify_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { DURABLE_BYTES = 512, TRIES = 20, CHUNK_BYTES = 64 * 1024 };

void verify_proven_by(struct verify_proven *proven, uint64_t entries, const char *source)
{
    if (entries <= proven->entries)
        return;
    proven->entries = entries;
    snprintf(proven->source, sizeof proven->source, "%s", source);
}

static enum status damaged(struct verify_damage *damage, const char *folder, const char *name,
                           uint64_t byte, const char *check, const char *what, struct error *error)
{
    damage->check = check;
    snprintf(damage->file, sizeof damage->file, "%.440s/%.60s", folder, name);
    damage->byte = byte;
    damage->sequence = 0;
    return error_set(error, STATUS_CORRUPT, "XX001", NULL, "%.200s/%.60s: byte %llu: %s: %s",
                     folder, name, (unsigned long long)byte, check, what);
}

/* ---- durable ---- */

/* The first byte that is not as durable_store writes it; DURABLE_BYTES if all are. */
static size_t first_wrong(const uint8_t bytes[static DURABLE_BYTES])
{
    static const uint8_t zeros[DURABLE_BYTES];
    uint8_t want[DURABLE_BYTES] = {0};
    if (memcmp(bytes, zeros, sizeof zeros) == 0)
        return DURABLE_BYTES; /* made, and nothing stored yet */
    memcpy(want, "CFDURABL", 8);
    memcpy(want + 8, bytes + 8, 8);
    store_u64be(want + 16, ~load_u64be(bytes + 8));
    for (size_t i = 0; i < DURABLE_BYTES; i++)
        if (bytes[i] != want[i])
            return i;
    return DURABLE_BYTES;
}

static enum status check_durable(const char *folder, struct verify_proven *proven,
                                 struct verify_damage *damage, struct error *error)
{
    char path[SEGMENT_PATH_BYTES];
    const struct timespec pause = {.tv_nsec = 1000000};
    uint8_t bytes[DURABLE_BYTES + 1];
    size_t wrong = 0;
    snprintf(path, sizeof path, "%.*s/durable", SEGMENT_FOLDER_BYTES, folder);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return damaged(damage, folder, "durable", 0, "durable", "missing or unreadable", error);
    for (int i = 0; i < TRIES; i++) {
        ssize_t got = pread(fd, bytes, sizeof bytes, 0);
        wrong = got == DURABLE_BYTES ? first_wrong(bytes) : 0;
        if (wrong == DURABLE_BYTES)
            break;
        nanosleep(&pause, NULL);
    }
    close(fd);
    if (wrong < DURABLE_BYTES)
        return damaged(damage, folder, "durable", wrong, "durable", "not as it was written", error);
    verify_proven_by(proven, load_u64be(bytes + 8), "the file durable");
    return STATUS_OK;
}

/* ---- all of them ---- */

enum status verify_files(const char *folder, uint8_t log_id[static SEGMENT_ID_BYTES],
                         struct checkpoint *checkpoint, struct verify_proven *proven,
                         struct verify_damage *damage, struct error *error)
{
    enum status status = log_id_read(folder, log_id, error);
    if (status == STATUS_CORRUPT)
        return damaged(damage, folder, "log-id", 0, "log-id", "not as it was written", error);
    TRY(status);
    status = checkpoint_read(folder, log_id, checkpoint, error);
    if (status == STATUS_NOT_FOUND)
        return damaged(damage, folder, "checkpoint", 0, "checkpoint", "missing", error);
    if (status == STATUS_CORRUPT)
        return damaged(damage, folder, "checkpoint", 0, "checkpoint",
                       "not as it was written, or another log's", error);
    TRY(status);
    verify_proven_by(proven, checkpoint->size, "the file checkpoint");
    return check_durable(folder, proven, damage, error);
}

enum status verify_missing_segment(const char *folder, uint64_t first, struct verify_damage *damage,
                                   struct error *error)
{
    char path[SEGMENT_PATH_BYTES], name[64];
    uint64_t number = first;
    for (;; number++) {
        segment_path(folder, number, ".log", path);
        if (access(path, F_OK) != 0)
            break;
    }
    snprintf(name, sizeof name, "segment-%010llu.log", (unsigned long long)number);
    return damaged(damage, folder, name, 0, "segments", "missing, though later ones exist", error);
}

/* ---- the spare ---- */

static size_t first_set(const uint8_t *bytes, size_t len)
{
    size_t at = 0;
    while (at < len && bytes[at] == 0)
        at++;
    return at;
}

static enum status check_spare(int fd, const char *name, const char *folder,
                               struct verify_damage *damage, struct error *error)
{
    uint8_t bytes[CHUNK_BYTES];
    for (uint64_t at = 0;;) {
        ssize_t got = pread(fd, bytes, sizeof bytes, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_errno(error, errno, "%s", name);
        if (got == 0)
            return STATUS_OK;
        size_t from = at == 0 && got >= SEGMENT_HEADER_BYTES ? SEGMENT_HEADER_BYTES : 0;
        struct segment_header header;
        if (from > 0 && first_set(bytes, from) < from && !segment_header_decode(bytes, &header))
            return damaged(damage, folder, name, first_set(bytes, from), "spare",
                           "bytes that must be zero are not", error);
        size_t set = first_set(bytes + from, (size_t)got - from);
        if (set < (size_t)got - from)
            return damaged(damage, folder, name, at + from + set, "spare",
                           "bytes that must be zero are not", error);
        at += (uint64_t)got;
    }
}

/* It is a segment by now, and was written to: then it says nothing about a spare. */
static bool was_put_to_use(const char *path)
{
    return access(path, F_OK) != 0;
}

enum status verify_spare(const char *folder, uint64_t number, struct verify_damage *damage,
                         struct error *error)
{
    char path[SEGMENT_PATH_BYTES], name[64];
    if (number == 0)
        return STATUS_OK;
    segment_path(folder, number, ".spare", path);
    snprintf(name, sizeof name, "segment-%010llu.spare", (unsigned long long)number);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? STATUS_OK : error_set_errno(error, errno, "%s", path);
    enum status status = check_spare(fd, name, folder, damage, error);
    close(fd);
    if (status == STATUS_CORRUPT && was_put_to_use(path)) {
        *damage = (struct verify_damage){0};
        return STATUS_OK;
    }
    return status;
}

/* ---- the tail ---- */

enum status verify_tail_settled(const char *folder, uint64_t number, uint64_t offset,
                                uint64_t sequence, bool *settled, struct error *error)
{
    struct segment_scan scan;
    struct frame_view view;
    uint64_t durable;
    bool found = false, all_zero = false;
    TRY(segment_scan_open(folder, number, &scan, error));
    scan.offset = offset;
    segment_scan_forget(&scan);
    enum status status = segment_scan_next(&scan, sequence, &view, &found, error);
    if (status == STATUS_OK && !found)
        status = segment_scan_rest(&scan, &durable, &all_zero, error);
    segment_scan_close(&scan);
    if (status == STATUS_OK)
        *settled = found || all_zero;
    return status;
}
