/* Buffer: bytes that grow up to a limit, with a sticky overflow flag; and slice, borrowed bytes.
 * Append many times, check `overflowed` once. Owner frees with buffer_free. Not thread-safe. */
#ifndef COFFERDAM_BASE_BUFFER_H
#define COFFERDAM_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed bytes: valid as long as their owner says. */
struct slice {
    const uint8_t *data;
    size_t len;
};

struct slice slice_of(const void *data, size_t len);
struct slice slice_of_text(const char *text);
bool slice_equal(struct slice a, struct slice b);

struct buffer {
    uint8_t *data;
    size_t len, capacity, limit; /* len <= capacity <= limit */
    bool overflowed;
};

/* An empty buffer; allocates at the first append. */
void buffer_init(struct buffer *buffer, size_t limit);
void buffer_free(struct buffer *buffer);
/* Forgets the content and the overflow, keeps the memory. */
void buffer_clear(struct buffer *buffer);

/* Room for len more bytes at the end, not yet counted in len; NULL on overflow. */
uint8_t *buffer_reserve(struct buffer *buffer, size_t len);
void buffer_append(struct buffer *buffer, const void *data, size_t len);
void buffer_append_text(struct buffer *buffer, const char *text); /* without the NUL */
void buffer_append_u8(struct buffer *buffer, uint8_t value);
void buffer_append_u16be(struct buffer *buffer, uint16_t value);
void buffer_append_u32be(struct buffer *buffer, uint32_t value);
void buffer_append_u64be(struct buffer *buffer, uint64_t value);
void buffer_printf(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Drops len bytes from the front (len <= buffer->len). */
void buffer_consume(struct buffer *buffer, size_t len);
/* Terminates the text and returns it (borrowed, until the next append); NULL on overflow. */
const char *buffer_text(struct buffer *buffer);
struct slice buffer_slice(const struct buffer *buffer);

/* Big-endian loads and stores; no alignment needed. */
uint16_t load_u16be(const uint8_t *bytes);
uint32_t load_u32be(const uint8_t *bytes);
uint64_t load_u64be(const uint8_t *bytes);
void store_u16be(uint8_t *bytes, uint16_t value);
void store_u32be(uint8_t *bytes, uint32_t value);
void store_u64be(uint8_t *bytes, uint64_t value);

#endif
