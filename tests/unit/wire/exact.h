/* Helper of the wire tests: bytes on the heap without a byte to spare, so that a read past the
 * end is seen by the address sanitizer; and buffers shown as text where they differ. */
#ifndef COFFERDAM_TESTS_WIRE_EXACT_H
#define COFFERDAM_TESTS_WIRE_EXACT_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "crypto/crypto.h"

/* Owned: free with exact_free. */
static inline struct slice exact_copy(const void *data, size_t len)
{
    if (len > PTRDIFF_MAX) /* so that the optimizer knows */
        abort();
    uint8_t *copy = calloc(len > 0 ? len : 1, 1);
    if (copy == NULL)
        abort();
    if (len > 0)
        memcpy(copy, data, len);
    return slice_of(copy, len);
}

static inline void exact_free(struct slice copy)
{
    free((void *)(uintptr_t)copy.data);
}

/* Compares as hexadecimal, so that cmocka prints both. */
static inline void assert_bytes(const struct buffer *actual, const void *expected, size_t len)
{
    char *actual_hex = malloc(2 * actual->len + 1), *expected_hex = malloc(2 * len + 1);
    if (actual_hex == NULL || expected_hex == NULL)
        abort();
    crypto_hex(actual->data, actual->len, actual_hex);
    crypto_hex(expected, len, expected_hex);
    assert_false(actual->overflowed);
    assert_string_equal(actual_hex, expected_hex);
    free(actual_hex);
    free(expected_hex);
}

/* For string literals with NULs inside. */
#define assert_literal(buffer, literal) assert_bytes((buffer), (literal), sizeof(literal) - 1)
#define slice_of_literal(literal)       slice_of((literal), sizeof(literal) - 1)

#endif
