/* See seen.h. Open addressing; 0 is an empty place, and stands for itself as 1. */
#include "watch/seen.h"

#include <stdlib.h>

#include "base/check.h"

enum { FIRST_CAPACITY = 32 };

/* Fibonacci hashing (Knuth, TAOCP 3, 6.4): small numbers spread too. */
static size_t place_of(const uint64_t *places, size_t capacity, uint64_t number)
{
    size_t at = (size_t)((number * 0x9e3779b97f4a7c15u) >> 32) & (capacity - 1);
    while (places[at] != 0 && places[at] != number)
        at = (at + 1) & (capacity - 1);
    return at;
}

static uint64_t stored(uint64_t number)
{
    return number == 0 ? 1 : number;
}

bool seen_has(const struct seen *seen, uint64_t number)
{
    return seen->count > 0 &&
           seen->places[place_of(seen->places, seen->capacity, stored(number))] != 0;
}

static void grow(struct seen *seen)
{
    size_t capacity = seen->capacity == 0 ? FIRST_CAPACITY : 2 * seen->capacity;
    uint64_t *places = calloc(capacity, sizeof *places);
    CHECK(places != NULL);
    for (size_t i = 0; i < seen->capacity; i++)
        if (seen->places[i] != 0)
            places[place_of(places, capacity, seen->places[i])] = seen->places[i];
    free(seen->places);
    seen->places = places;
    seen->capacity = capacity;
}

bool seen_add(struct seen *seen, uint64_t number)
{
    if (seen_has(seen, number))
        return false;
    if (seen->count == SEEN_MOST)
        return true;
    if (2 * (seen->count + 1) > seen->capacity)
        grow(seen);
    seen->places[place_of(seen->places, seen->capacity, stored(number))] = stored(number);
    seen->count++;
    return true;
}

void seen_free(struct seen *seen)
{
    free(seen->places);
    *seen = (struct seen){0};
}
