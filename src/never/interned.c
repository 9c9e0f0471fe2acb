/* See interned.h. Arrays are outside of the arena, so that an outgrown one is given back. */
#include "never/interned.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { FIRST_CAPACITY = 64 };

void interned_init(struct interned *table, size_t limit_bytes)
{
    *table = (struct interned){0};
    arena_init(&table->arena, limit_bytes);
}

void interned_free(struct interned *table)
{
    arena_free(&table->arena);
    free(table->items);
    free(table->slots);
    *table = (struct interned){0};
}

/* FNV-1a: names come from our own policy and log, not from a peer who could choose collisions. */
static uint64_t hash_of(struct slice bytes)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < bytes.len; i++)
        hash = (hash ^ bytes.data[i]) * 0x100000001b3;
    return hash ^ hash >> 32;
}

static uint32_t *slot_of(const struct interned *table, struct slice bytes)
{
    uint64_t mask = 2 * (uint64_t)table->capacity - 1;
    for (uint64_t at = hash_of(bytes) & mask;; at = (at + 1) & mask) {
        uint32_t held = table->slots[at];
        if (held == 0 || slice_equal(table->items[held - 1], bytes))
            return &table->slots[at];
    }
}

static bool grow(struct interned *table)
{
    uint32_t capacity = table->capacity == 0 ? FIRST_CAPACITY : 2 * table->capacity;
    struct slice *items = realloc(table->items, capacity * sizeof *items);
    if (items == NULL)
        return false;
    table->items = items;
    uint32_t *slots = calloc(2 * (size_t)capacity, sizeof *slots);
    if (slots == NULL)
        return false;
    free(table->slots);
    table->slots = slots;
    table->capacity = capacity;
    for (uint32_t i = 0; i < table->count; i++)
        *slot_of(table, items[i]) = i + 1;
    return true;
}

bool interned_add(struct interned *table, struct slice bytes, uint32_t *number)
{
    if (table->count == table->capacity && !grow(table))
        return false;
    uint32_t *slot = slot_of(table, bytes);
    if (*slot == 0) {
        const char *copy = arena_copy(&table->arena, (const char *)bytes.data, bytes.len);
        if (copy == NULL)
            return false;
        table->items[table->count] = slice_of(copy, bytes.len);
        *slot = ++table->count;
    }
    *number = *slot - 1;
    return true;
}

int64_t interned_find(const struct interned *table, struct slice bytes)
{
    uint32_t held = table->capacity == 0 ? 0 : *slot_of(table, bytes);
    return held == 0 ? INTERNED_NONE : (int64_t)held - 1;
}

struct slice interned_get(const struct interned *table, uint32_t number)
{
    CHECK(number < table->count);
    return table->items[number];
}
