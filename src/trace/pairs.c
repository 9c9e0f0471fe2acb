/* See pairs.h. At most half of the slots are full. */
#include "trace/pairs.h"

#include <stdlib.h>

enum { FIRST = 1024 };

/* The finaliser of MurmurHash3: every bit of the key changes half of the hash. */
static size_t slot_of(uint64_t key, size_t slots)
{
    key ^= key >> 33;
    key *= 0xff51afd7ed558ccdULL;
    key ^= key >> 33;
    key *= 0xc4ceb9fe1a85ec53ULL;
    key ^= key >> 33;
    return (size_t)key & (slots - 1);
}

static size_t find_slot(const struct pairs *pairs, uint64_t key)
{
    size_t slots = 2 * pairs->capacity, at = slot_of(key, slots);
    while (pairs->slots[at] != 0 && pairs->keys[pairs->slots[at] - 1] != key)
        at = (at + 1) & (slots - 1);
    return at;
}

static enum status grow(struct pairs *pairs, struct error *error)
{
    size_t capacity = pairs->capacity == 0 ? FIRST : 2 * pairs->capacity;
    uint64_t *keys = reallocarray(pairs->keys, capacity, sizeof *keys);
    if (keys != NULL)
        pairs->keys = keys;
    uint32_t *slots = calloc(2 * capacity, sizeof *slots);
    if (keys == NULL || slots == NULL) {
        free(slots);
        return error_set(error, STATUS_NOMEM, "53200", "take a smaller sample", "out of memory");
    }
    free(pairs->slots);
    pairs->slots = slots;
    pairs->capacity = capacity;
    for (size_t i = 0; i < pairs->count; i++)
        pairs->slots[find_slot(pairs, pairs->keys[i])] = (uint32_t)i + 1;
    return STATUS_OK;
}

enum status pairs_number(struct pairs *pairs, uint32_t first, uint32_t second, size_t most,
                         size_t *number, bool *is_new, struct error *error)
{
    uint64_t key = (uint64_t)first << 32 | second;
    if (pairs->count == pairs->capacity)
        TRY(grow(pairs, error));
    size_t at = find_slot(pairs, key);
    *is_new = pairs->slots[at] == 0;
    if (*is_new && pairs->count == most)
        return error_set(error, STATUS_LIMIT, "54000", "take a smaller sample",
                         "the ledger tells more of these people than can be held against them");
    if (*is_new) {
        pairs->keys[pairs->count] = key;
        pairs->slots[at] = (uint32_t)++pairs->count;
    }
    *number = pairs->slots[at] - 1;
    return STATUS_OK;
}

bool pairs_find(const struct pairs *pairs, uint32_t first, uint32_t second, size_t *number)
{
    if (pairs->count == 0)
        return false;
    size_t at = find_slot(pairs, (uint64_t)first << 32 | second);
    if (pairs->slots[at] == 0)
        return false;
    *number = pairs->slots[at] - 1;
    return true;
}

void pairs_free(struct pairs *pairs)
{
    free(pairs->keys);
    free(pairs->slots);
    *pairs = (struct pairs){0};
}
