/* See id_union.h. The bitmap is made by way of its portable form (RoaringFormatSpec), which is a
 * copy of words where a container is dense. */
#include "exposure/id_union.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "exposure/subject_set.h"

enum {
    WORDS = 1024, /* of a bitset */
    BITSET_BYTES = WORDS * 8,
    HIGHS = 65536,
    COOKIE_NO_RUNS = 12346,
    ARRAY_MAX = 4096,
    HEAD_BYTES = 8,
    CONTAINER_HEAD = 8,   /* description and offset */
    SPARE_BYTES = 2 * 64, /* of one word's ids, by which an array proves too long */
};

struct id_union {
    uint64_t **bits; /* by the high half of an id; NULL: none of these yet */
    bool *is_used;   /* beside bits: it is not empty */
    size_t count;
    bool has_bits;
    struct slice only;   /* a first set, not read yet: often there is no second */
    struct buffer bytes; /* of id_union_take */
};

struct id_union *id_union_new(void)
{
    struct id_union *all = calloc(1, sizeof *all);
    if (all != NULL)
        buffer_init(&all->bytes,
                    (size_t)HIGHS * (BITSET_BYTES + CONTAINER_HEAD) + HEAD_BYTES + SPARE_BYTES);
    return all;
}

void id_union_free(struct id_union *all)
{
    if (all == NULL)
        return;
    for (size_t i = 0; i < all->count; i++)
        free(all->bits[i]);
    free(all->bits);
    free(all->is_used);
    buffer_free(&all->bytes);
    free(all);
}

static bool grow(struct id_union *all, uint32_t high)
{
    size_t count = (size_t)high + 1 + high / 2;
    if (count > HIGHS)
        count = HIGHS;
    uint64_t **grown = realloc(all->bits, count * sizeof *grown);
    if (grown == NULL)
        return false;
    all->bits = grown;
    bool *used = realloc(all->is_used, count * sizeof *used);
    if (used == NULL)
        return false;
    all->is_used = used;
    memset(grown + all->count, 0, (count - all->count) * sizeof *grown);
    memset(used + all->count, 0, (count - all->count) * sizeof *used);
    all->count = count;
    return true;
}

static uint64_t *bits_of(void *context, uint32_t high)
{
    struct id_union *all = context;
    if (high >= all->count && !grow(all, high))
        return NULL;
    if (all->bits[high] == NULL)
        all->bits[high] = calloc(WORDS, sizeof *all->bits[high]);
    all->is_used[high] = all->bits[high] != NULL;
    return all->bits[high];
}

enum status id_union_add(struct id_union *all, struct slice set)
{
    if (all->only.len == 0 && !all->has_bits) {
        all->only = set;
        return STATUS_OK;
    }
    all->has_bits = true;
    struct slice first = all->only;
    all->only = slice_of(NULL, 0);
    if (first.len > 0)
        TRY(subject_set_unite(first, bits_of, all));
    return subject_set_unite(set, bits_of, all);
}

/* ---- the bitmap ---- */

static void store_u16le(uint8_t *out, uint32_t value)
{
    out[0] = (uint8_t)value;
    out[1] = (uint8_t)(value >> 8);
}

static void store_u32le(uint8_t *out, uint32_t value)
{
    store_u16le(out, value & 0xFFFF);
    store_u16le(out + 2, value >> 16);
}

static uint32_t count_bits(const uint64_t *bits)
{
    uint32_t count = 0;
    for (size_t i = 0; i < WORDS; i++)
        count += (uint32_t)__builtin_popcountll(bits[i]);
    return count;
}

static void put_bitset(uint8_t *out, const uint64_t *bits)
{
    for (size_t i = 0; i < WORDS; i++) {
        store_u32le(out + 8 * i, (uint32_t)bits[i]);
        store_u32le(out + 8 * i + 4, (uint32_t)(bits[i] >> 32));
    }
}

/* Writes a container, as an array while it is one (a word more than that has room); returns how
 * many ids it holds. */
static uint32_t put_container(uint8_t *out, const uint64_t *bits)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < WORDS && count <= ARRAY_MAX; i++)
        for (uint64_t word = bits[i]; word != 0; word &= word - 1)
            store_u16le(out + 2 * (size_t)count++, i * 64 + (uint32_t)__builtin_ctzll(word));
    if (count <= ARRAY_MAX)
        return count;
    put_bitset(out, bits);
    return count_bits(bits);
}

/* Writes the portable form and empties the bitsets; room for all of it. Returns its length. */
static size_t serialize(struct id_union *all, uint32_t containers, uint8_t *out)
{
    uint8_t *description = out + HEAD_BYTES, *offset = description + 4 * (size_t)containers;
    size_t at = HEAD_BYTES + CONTAINER_HEAD * (size_t)containers;
    store_u32le(out, COOKIE_NO_RUNS);
    store_u32le(out + 4, containers);
    for (uint32_t high = 0; high < all->count; high++) {
        if (!all->is_used[high])
            continue;
        uint32_t count = put_container(out + at, all->bits[high]);
        store_u16le(description, high);
        store_u16le(description + 2, count - 1);
        store_u32le(offset, (uint32_t)at);
        description += 4;
        offset += 4;
        at += count > ARRAY_MAX ? BITSET_BYTES : 2 * (size_t)count;
        memset(all->bits[high], 0, BITSET_BYTES);
        all->is_used[high] = false;
    }
    return at;
}

static roaring_bitmap_t *deserialize(const uint8_t *bytes, size_t len)
{
    return roaring_bitmap_portable_deserialize_safe((const char *)bytes, len);
}

roaring_bitmap_t *id_union_take(struct id_union *all)
{
    struct slice only = all->only;
    size_t containers = 0;
    all->only = slice_of(NULL, 0);
    all->has_bits = false;
    if (only.len > 0)
        return deserialize(only.data, only.len);
    for (size_t high = 0; high < all->count; high++)
        containers += all->is_used[high];
    if (containers == 0)
        return roaring_bitmap_create();
    buffer_clear(&all->bytes);
    uint8_t *out = buffer_reserve(&all->bytes, HEAD_BYTES + SPARE_BYTES +
                                                   containers * (CONTAINER_HEAD + BITSET_BYTES));
    return out == NULL ? NULL : deserialize(out, serialize(all, (uint32_t)containers, out));
}
