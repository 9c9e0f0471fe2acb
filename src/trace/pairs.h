/* Pairs: numbers for pairs of numbers, dense from 0 in the order in which they first came. A hash
 * table of our own numbers (ids, places in lists), never of what a file says. One thread. */
#ifndef COFFERDAM_TRACE_PAIRS_H
#define COFFERDAM_TRACE_PAIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct pairs {
    uint64_t *keys;  /* by number */
    uint32_t *slots; /* open addressing: number + 1; 0 empty */
    size_t count, capacity;
};

/* The number of the pair, the next one where it is new. STATUS_LIMIT beyond most of them. */
MUST_USE enum status pairs_number(struct pairs *pairs, uint32_t first, uint32_t second, size_t most,
                                  size_t *number, bool *is_new, struct error *error);
/* The number of a pair that has one. */
bool pairs_find(const struct pairs *pairs, uint32_t first, uint32_t second, size_t *number);
void pairs_free(struct pairs *pairs);

#endif
