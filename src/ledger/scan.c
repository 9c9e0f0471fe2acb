/* Reading a segment's frames through a window, and judging what stands behind the last good one.
 * The file may be damaged or hostile: no length is believed before it is bounded by the file. */
#include "ledger/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads up to len bytes at offset into out; short only at the end of the file. */
static enum status read_at(int fd, struct buffer *out, size_t len, uint64_t offset,
                           struct error *error)
{
    uint8_t *room = buffer_reserve(out, len);
    if (room == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "no memory to read the ledger");
    size_t got = 0;
    while (got < len) {
        ssize_t part = pread(fd, room + got, len - got, (off_t)(offset + got));
        if (part < 0 && errno == EINTR)
            continue;
        if (part < 0)
            return error_set_errno(error, errno, "reading the ledger");
        if (part == 0)
            break;
        got += (size_t)part;
    }
    out->len += got;
    return STATUS_OK;
}

void segment_scan_forget(struct segment_scan *scan)
{
    buffer_clear(&scan->window);
    scan->window_at = scan->offset;
}

/* The len bytes at offset; *bytes is shorter where the file ends. */
static enum status look(struct segment_scan *scan, uint64_t offset, size_t len, struct slice *bytes,
                        struct error *error)
{
    uint64_t end = scan->window_at + scan->window.len;
    if (offset < scan->window_at || offset + len > end) {
        size_t want = len > SEGMENT_WINDOW_BYTES ? len : SEGMENT_WINDOW_BYTES;
        buffer_clear(&scan->window);
        scan->window_at = offset;
        TRY(read_at(scan->fd, &scan->window, want, offset, error));
        end = offset + scan->window.len;
    }
    size_t have = end > offset ? (size_t)(end - offset) : 0;
    *bytes = slice_of(scan->window.data + (offset - scan->window_at), have < len ? have : len);
    return STATUS_OK;
}

static enum status read_header(struct segment_scan *scan, const char *path, uint64_t number,
                               struct error *error)
{
    struct slice bytes;
    TRY(look(scan, 0, SEGMENT_HEADER_BYTES, &bytes, error));
    if (bytes.len < SEGMENT_HEADER_BYTES || !segment_header_decode(bytes.data, &scan->header) ||
        scan->header.number != number)
        return error_set(error, STATUS_CORRUPT, "XX001", "Restore it from a replica.",
                         "%.300s: byte 0: the segment's header is damaged", path);
    return STATUS_OK;
}

enum status segment_scan_open(const char *folder, uint64_t number, struct segment_scan *scan,
                              struct error *error)
{
    char path[SEGMENT_PATH_BYTES];
    struct stat info;
    segment_path(folder, number, ".log", path);
    *scan = (struct segment_scan){.fd = open(path, O_RDONLY | O_CLOEXEC)};
    if (scan->fd < 0 && errno == ENOENT)
        return error_set(error, STATUS_NOT_FOUND, "58P01", NULL, "%.300s: missing", path);
    if (scan->fd < 0)
        return error_set_errno(error, errno, "%s", path);
    buffer_init(&scan->window, SEGMENT_MAX_BYTES);
    enum status status =
        fstat(scan->fd, &info) == 0 ? STATUS_OK : error_set_errno(error, errno, "%s", path);
    if (status == STATUS_OK)
        status = read_header(scan, path, number, error);
    if (status != STATUS_OK) {
        segment_scan_close(scan);
        return status;
    }
    scan->file_bytes = (uint64_t)info.st_size;
    scan->offset = SEGMENT_HEADER_BYTES;
    return STATUS_OK;
}

void segment_scan_close(struct segment_scan *scan)
{
    if (scan->fd >= 0)
        close(scan->fd);
    scan->fd = -1;
    buffer_free(&scan->window);
}

/* A whole frame at offset, of whatever sequence. */
static enum status frame_at(struct segment_scan *scan, uint64_t offset, struct frame_view *view,
                            size_t *padded, struct error *error)
{
    struct slice bytes;
    *padded = 0;
    if (offset + FRAME_ALIGN_BYTES > scan->file_bytes)
        return STATUS_OK;
    TRY(look(scan, offset, FRAME_ALIGN_BYTES, &bytes, error));
    if (bytes.len < FRAME_ALIGN_BYTES)
        return STATUS_OK;
    uint64_t salt = scan->header.salt;
    size_t len = frame_pad(frame_claimed_length(bytes.data, salt, offset));
    if (len == 0 || len > scan->file_bytes - offset)
        return STATUS_OK;
    TRY(look(scan, offset, len, &bytes, error));
    if (bytes.len == len && frame_decode(bytes, salt, offset, view))
        *padded = len;
    return STATUS_OK;
}

enum status segment_scan_next(struct segment_scan *scan, uint64_t sequence, struct frame_view *view,
                              bool *found, struct error *error)
{
    struct frame_view read;
    size_t padded;
    TRY(frame_at(scan, scan->offset, &read, &padded, error));
    *found = padded > 0 && read.first == sequence;
    if (*found) {
        scan->offset += padded;
        *view = read;
    }
    return STATUS_OK;
}

enum status segment_scan_peek(struct segment_scan *scan, struct frame_view *view, size_t *padded,
                              struct error *error)
{
    return frame_at(scan, scan->offset, view, padded, error);
}

static bool block_is_zero(struct slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        if (bytes.data[i] != 0)
            return false;
    return true;
}

enum status segment_scan_rest(struct segment_scan *scan, uint64_t *durable, bool *all_zero,
                              struct error *error)
{
    uint64_t highest = 0;
    bool zero = true;
    struct frame_view view;
    struct slice bytes;
    size_t padded;
    for (uint64_t at = scan->offset; at < scan->file_bytes; at += FRAME_ALIGN_BYTES) {
        TRY(look(scan, at, FRAME_ALIGN_BYTES, &bytes, error));
        if (block_is_zero(bytes))
            continue;
        zero = false;
        TRY(frame_at(scan, at, &view, &padded, error));
        if (padded > 0 && view.durable > highest)
            highest = view.durable;
    }
    *durable = highest;
    *all_zero = zero;
    return STATUS_OK;
}
