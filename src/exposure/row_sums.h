/* What a statistic is made of: for each table whose rows it reads, a number a person, the sum of
 * secret marks of that person's rows (docs/decisions/0023). As bytes in an item of grade aggregate:
 * LEDGER-FORMAT.md, "Row sums". Numbers are of the field of 2^61 - 1: a sum, and a sum of sums, is
 * one, and what is told twice is twice as much.
 * Of many people the numbers are added up in as many as there is room for, each with a weight of
 * its own, so that two people's do not cancel out. No state, any thread. */
#ifndef COFFERDAM_EXPOSURE_ROW_SUMS_H
#define COFFERDAM_EXPOSURE_ROW_SUMS_H

#include "base/buffer.h"

struct roaring_bitmap_s;

enum {
    ROW_SUMS_NUMBERS = 2048,           /* of all sources of a statistic */
    ROW_SUMS_SOURCES = 64,             /* LIMIT_RELATIONS */
    ROW_SUMS_BYTES = 16 * 1024 + 1024, /* the most that row_sums_encode() appends */
};
#define ROW_SUMS_PRIME ((UINT64_C(1) << 61) - 1)

uint64_t row_sums_add(uint64_t a, uint64_t b);
/* Decimal digits, with a sign or without; false: something else. */
bool row_sums_parse(struct slice text, uint64_t *out);

/* ids ascending, each once; values: of each id, one a source. */
void row_sums_encode(const uint64_t *sources, size_t source_count, const uint32_t *ids,
                     const uint64_t *values, size_t count, struct buffer *out);
/* Is it what row_sums_encode() could have written of so many people? Nothing at all is, too. */
bool row_sums_valid(struct slice bytes, uint64_t people);

/* A statistic: its people, and its row sums as bytes. */
struct row_sums {
    const struct roaring_bitmap_s *ids;
    uint64_t count;
    struct slice bytes;
};
/* Adds who is in both, the whole and one (and other, unless that is NULL, whose numbers are added
 * to those of one), with different rows, where they are fewer than `below`. Multiples of the whole
 * are tried too: what weighs all rows alike tells as much. Of more than ROW_SUMS_NUMBERS people
 * those who share a number with one that differs are added as well. */
void row_sums_compare(const struct row_sums *whole, const struct row_sums *one,
                      const struct row_sums *other, uint64_t below,
                      struct roaring_bitmap_s *differing);

#endif
