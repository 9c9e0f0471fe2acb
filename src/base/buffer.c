/* Growable bounded buffer and byte-order helpers. No global state. */
#include "base/buffer.h"
#include "base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct slice slice_of(const void *data, size_t len)
{
    return (struct slice){.data = data, .len = len};
}

struct slice slice_of_text(const char *text)
{
    return slice_of(text, strlen(text));
}

bool slice_equal(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

void buffer_init(struct buffer *buffer, size_t limit)
{
    *buffer = (struct buffer){.limit = limit};
}

void buffer_free(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){.limit = buffer->limit};
}

void buffer_clear(struct buffer *buffer)
{
    buffer->len = 0;
    buffer->overflowed = false;
}

static bool grow(struct buffer *buffer, size_t need)
{
    if (need > buffer->limit - buffer->len)
        return false;
    size_t capacity = buffer->capacity == 0 ? 256 : buffer->capacity;
    while (capacity - buffer->len < need)
        capacity = capacity > buffer->limit / 2 ? buffer->limit : capacity * 2;
    if (capacity > buffer->limit)
        capacity = buffer->limit;
    uint8_t *data = realloc(buffer->data, capacity);
    if (data == NULL)
        return false;
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

uint8_t *buffer_reserve(struct buffer *buffer, size_t len)
{
    if (buffer->overflowed)
        return NULL;
    if (buffer->data == NULL || buffer->capacity - buffer->len < len) {
        if (!grow(buffer, len)) {
            buffer->overflowed = true;
            return NULL;
        }
    }
    return buffer->data + buffer->len;
}

void buffer_append(struct buffer *buffer, const void *data, size_t len)
{
    uint8_t *room = buffer_reserve(buffer, len);
    if (room == NULL || len == 0)
        return;
    memcpy(room, data, len);
    buffer->len += len;
}

void buffer_append_text(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, text, strlen(text));
}

void buffer_append_u8(struct buffer *buffer, uint8_t value)
{
    buffer_append(buffer, &value, 1);
}

void buffer_append_u16be(struct buffer *buffer, uint16_t value)
{
    uint8_t bytes[2];
    store_u16be(bytes, value);
    buffer_append(buffer, bytes, sizeof bytes);
}

void buffer_append_u32be(struct buffer *buffer, uint32_t value)
{
    uint8_t bytes[4];
    store_u32be(bytes, value);
    buffer_append(buffer, bytes, sizeof bytes);
}

void buffer_append_u64be(struct buffer *buffer, uint64_t value)
{
    uint8_t bytes[8];
    store_u64be(bytes, value);
    buffer_append(buffer, bytes, sizeof bytes);
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    uint8_t *room = len < 0 ? NULL : buffer_reserve(buffer, (size_t)len + 1);
    if (room != NULL) {
        vsnprintf((char *)room, (size_t)len + 1, format, again);
        buffer->len += (size_t)len;
    }
    va_end(again);
}

void buffer_consume(struct buffer *buffer, size_t len)
{
    CHECK(len <= buffer->len);
    if (len < buffer->len)
        memmove(buffer->data, buffer->data + len, buffer->len - len);
    buffer->len -= len;
}

const char *buffer_text(struct buffer *buffer)
{
    uint8_t *room = buffer_reserve(buffer, 1);
    if (room == NULL)
        return NULL;
    *room = '\0';
    return (const char *)buffer->data;
}

struct slice buffer_slice(const struct buffer *buffer)
{
    return slice_of(buffer->data, buffer->len);
}

uint16_t load_u16be(const uint8_t *b)
{
    return (uint16_t)(b[0] << 8 | b[1]);
}

uint32_t load_u32be(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

uint64_t load_u64be(const uint8_t *b)
{
    return (uint64_t)load_u32be(b) << 32 | load_u32be(b + 4);
}

void store_u16be(uint8_t *b, uint16_t v)
{
    b[0] = (uint8_t)(v >> 8);
    b[1] = (uint8_t)v;
}

void store_u32be(uint8_t *b, uint32_t v)
{
    store_u16be(b, (uint16_t)(v >> 16));
    store_u16be(b + 2, (uint16_t)v);
}

void store_u64be(uint8_t *b, uint64_t v)
{
    store_u32be(b, (uint32_t)(v >> 32));
    store_u32be(b + 4, (uint32_t)v);
}
