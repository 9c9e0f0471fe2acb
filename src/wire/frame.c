/* Reading fields and cutting messages out of a stream of bytes.
 * Invariant: a reader never looks past its slice, and after the first field that is missing it
 * only returns zeros and empties. No state, any thread; everything read borrows the caller's. */
#include "wire/protocol.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LENGTH_BYTES = 4, HEADER_BYTES = 1 + LENGTH_BYTES };

enum status wire_violation(struct error *error, const char *format, ...)
{
    char text[200];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return error_set(error, STATUS_PEER, "08P01", NULL, "%s", text);
}

struct wire_reader wire_reader_of(struct slice body)
{
    static const uint8_t nothing[1]; /* an empty body may have no address */
    return (struct wire_reader){.data = body.len > 0 ? body.data : nothing, .len = body.len};
}

/* Steps over len bytes and returns where they start; NULL, sticky, when they are not there. */
static const uint8_t *take(struct wire_reader *reader, size_t len)
{
    if (reader->failed || reader->len - reader->at < len) {
        reader->failed = true;
        return NULL;
    }
    const uint8_t *start = reader->data + reader->at;
    reader->at += len;
    return start;
}

uint8_t wire_read_u8(struct wire_reader *reader)
{
    const uint8_t *bytes = take(reader, 1);
    return bytes == NULL ? 0 : bytes[0];
}

uint16_t wire_read_u16(struct wire_reader *reader)
{
    const uint8_t *bytes = take(reader, 2);
    return bytes == NULL ? 0 : wire_load_u16(bytes);
}

uint32_t wire_read_u32(struct wire_reader *reader)
{
    const uint8_t *bytes = take(reader, 4);
    return bytes == NULL ? 0 : wire_load_u32(bytes);
}

const char *wire_read_text(struct wire_reader *reader)
{
    size_t left = reader->len - reader->at;
    const uint8_t *start = reader->failed || left == 0 ? NULL : reader->data + reader->at;
    const uint8_t *end = start == NULL ? NULL : memchr(start, '\0', left);
    if (end == NULL) {
        reader->failed = true;
        return "";
    }
    reader->at += (size_t)(end - start) + 1;
    return (const char *)start;
}

struct slice wire_read_bytes(struct wire_reader *reader, size_t len)
{
    const uint8_t *bytes = take(reader, len);
    return slice_of(bytes, bytes == NULL ? 0 : len);
}

bool wire_reader_done(const struct wire_reader *reader)
{
    return !reader->failed && reader->at == reader->len;
}

enum status wire_next_message(struct slice bytes, size_t max_bytes, struct wire_message *message,
                              size_t *size_needed, struct error *error)
{
    if (bytes.len < HEADER_BYTES) {
        *size_needed = 0;
        return STATUS_AGAIN;
    }
    /* The length counts itself but not the type, and is judged before anything is buffered. */
    uint32_t length = wire_load_u32(bytes.data + 1);
    if (length < LENGTH_BYTES || length > max_bytes)
        return wire_violation(error, "invalid message length");
    size_t size = (size_t)length + 1;
    if (bytes.len < size) {
        *size_needed = size;
        return STATUS_AGAIN;
    }
    *message = (struct wire_message){
        .type = bytes.data[0],
        .body = slice_of(bytes.data + HEADER_BYTES, size - HEADER_BYTES),
        .size = size,
    };
    return STATUS_OK;
}

enum status wire_next_startup(struct slice bytes, struct wire_message *message, struct error *error)
{
    if (bytes.len < LENGTH_BYTES)
        return STATUS_AGAIN;
    uint32_t length = wire_load_u32(bytes.data);
    if (length < LENGTH_BYTES + 4 || length > LIMIT_STARTUP_BYTES)
        return wire_violation(error, "invalid length of startup packet");
    if (bytes.len < length)
        return STATUS_AGAIN;
    *message = (struct wire_message){
        .body = slice_of(bytes.data + LENGTH_BYTES, length - LENGTH_BYTES),
        .size = length,
    };
    return STATUS_OK;
}
