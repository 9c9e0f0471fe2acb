/* See id_seen.h. An array is merged from its back; it holds at most what an eighth of a bitset
 * takes, so that memory is at most eight bytes an id. */
#include "exposure/id_seen.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    WORDS = 1024, /* of a bitset */
    HIGHS = 65536,
    ARRAY_MAX = 1024,
    ARRAY_LEAST = 16,
    FETCHED = 256, /* of one run's ids */
};

/* Ids of one high half. */
struct part {
    uint64_t *bits; /* NULL: the array */
    uint16_t *lows; /* ascending */
    uint32_t count, capacity;
};

struct id_seen {
    struct part *parts; /* by the high half */
    size_t count;
};

struct id_seen *id_seen_new(void)
{
    return calloc(1, sizeof(struct id_seen));
}

void id_seen_free(struct id_seen *seen)
{
    if (seen == NULL)
        return;
    for (size_t i = 0; i < seen->count; i++) {
        free(seen->parts[i].bits);
        free(seen->parts[i].lows);
    }
    free(seen->parts);
    free(seen);
}

static bool grow(struct id_seen *seen, uint32_t high)
{
    size_t count = (size_t)high + 1 + high / 2;
    if (count > HIGHS)
        count = HIGHS;
    struct part *grown = realloc(seen->parts, count * sizeof *grown);
    if (grown == NULL)
        return false;
    memset(grown + seen->count, 0, (count - seen->count) * sizeof *grown);
    seen->parts = grown;
    seen->count = count;
    return true;
}

static uint64_t set_bits(uint64_t *bits, const uint32_t *ids, size_t count)
{
    uint64_t fresh = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t *word = &bits[(ids[i] & 0xFFFF) / 64], before = *word;
        *word = before | (uint64_t)1 << ids[i] % 64;
        fresh += *word != before;
    }
    return fresh;
}

static bool become_bits(struct part *part)
{
    part->bits = calloc(WORDS, sizeof *part->bits);
    if (part->bits == NULL)
        return false;
    for (uint32_t i = 0; i < part->count; i++)
        part->bits[part->lows[i] / 64] |= (uint64_t)1 << part->lows[i] % 64;
    free(part->lows);
    part->lows = NULL;
    return true;
}

static bool make_room(struct part *part, uint32_t need)
{
    uint32_t capacity = part->capacity == 0 ? ARRAY_LEAST : part->capacity;
    if (need <= part->capacity)
        return true;
    while (capacity < need)
        capacity *= 2;
    uint16_t *grown = realloc(part->lows, capacity * sizeof *grown);
    if (grown == NULL)
        return false;
    part->lows = grown;
    part->capacity = capacity;
    return true;
}

/* How many of the ids the array has not. */
static uint32_t count_fresh(const struct part *part, const uint32_t *ids, uint32_t count)
{
    uint32_t fresh = 0, from = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t low = ids[i] & 0xFFFF, until = part->count;
        while (from < until) {
            uint32_t middle = from + (until - from) / 2;
            if (part->lows[middle] < low)
                from = middle + 1;
            else
                until = middle;
        }
        fresh += from == part->count || part->lows[from] != low;
    }
    return fresh;
}

/* Room for `fresh` more is there. From the back: once those have their places, the rest stays. */
static void merge(struct part *part, const uint32_t *ids, uint32_t count, uint32_t fresh)
{
    uint32_t left = part->count, right = count, at = left + fresh;
    part->count = at;
    while (at > left) {
        uint32_t low = ids[right - 1] & 0xFFFF;
        if (left > 0 && part->lows[left - 1] > low) {
            part->lows[--at] = part->lows[--left];
            continue;
        }
        left -= left > 0 && part->lows[left - 1] == low;
        part->lows[--at] = (uint16_t)low;
        right--;
    }
}

/* Ids of one high half. */
static bool add_part(struct part *part, const uint32_t *ids, uint32_t count, uint64_t *fresh)
{
    uint32_t more = 0;
    if (part->bits == NULL) {
        more = count_fresh(part, ids, count);
        if (part->count + more > ARRAY_MAX && !become_bits(part))
            return false;
    }
    if (part->bits != NULL) {
        *fresh += set_bits(part->bits, ids, count);
        return true;
    }
    if (!make_room(part, part->count + more))
        return false;
    merge(part, ids, count, more);
    *fresh += more;
    return true;
}

/* All that is far away is on its way before the first of it is needed. */
static void fetch(const struct id_seen *seen, const uint32_t *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct part *part = &seen->parts[ids[i] >> 16];
        if (part->bits != NULL)
            __builtin_prefetch(&part->bits[(ids[i] & 0xFFFF) / 64], 1);
    }
}

enum status id_seen_add(struct id_seen *seen, const uint32_t *ids, size_t count, uint64_t *fresh,
                        struct error *error)
{
    *fresh = 0;
    if (count > 0 && ids[count - 1] >> 16 >= seen->count && !grow(seen, ids[count - 1] >> 16))
        return error_no_memory(error);
    fetch(seen, ids, count < FETCHED ? count : FETCHED);
    for (size_t from = 0, until = 0; from < count; from = until) {
        uint32_t high = ids[from] >> 16;
        while (until < count && ids[until] >> 16 == high)
            until++;
        if (!add_part(&seen->parts[high], ids + from, (uint32_t)(until - from), fresh))
            return error_no_memory(error);
    }
    return STATUS_OK;
}
