/* When each subject was last charged, a series for each (agent, purpose, column set) of a partner:
 * what any limit needs, whose windows all end now, in whatever policy is in force.
 * A series holds all its ids ever, and for the last 33 days the ids by the quarter of an hour in
 * which they were last charged. Invariant: an id stands in one quarter, and in the newest one
 * besides, until the next begins. Memory: two to four bytes a series and id where ids lie close,
 * at most 68 in each of the two sets, and about 150 for each quarter that still holds somebody.
 * The owner locks. Ends the process when there is no memory: who cannot be counted must not be
 * served. */
#ifndef COFFERDAM_EXPOSURE_SERIES_H
#define COFFERDAM_EXPOSURE_SERIES_H

#include <roaring/roaring.h>

#include "base/buffer.h"

enum { SERIES_GROWTH_DAYS = 8 };

struct series_quarter {
    int64_t number;
    roaring_bitmap_t *ids;
};

struct series {
    char *agent, *purpose;
    uint32_t column_set;
    roaring_bitmap_t *total;
    struct series_quarter *quarters; /* ascending */
    size_t quarter_count, quarter_capacity;
    uint64_t growth[SERIES_GROWTH_DAYS]; /* ids new to the total, by UTC day modulo 8 */
    int64_t growth_day;                  /* the newest of them */
};

struct series_list {
    struct series **all;
    size_t count, capacity;
    uint32_t *slots; /* open addressing: index + 1, 0 empty; a power of two */
    size_t slot_count;
};

struct series_name {
    struct slice agent, purpose;
    uint32_t column_set;
};

void series_free(struct series_list *list);
/* Made where new. */
struct series *series_at(struct series_list *list, const struct series_name *name);
/* NULL where there is none. */
const struct series *series_find(const struct series_list *list, const struct series_name *name);
/* Forgets all but whom `kept` (NULL: nobody) has, and those charged in the quarters that windows at
 * this quarter can reach. */
void series_keep(struct series *series, const struct series *kept, int64_t quarter);
/* Ids ascending. Again and again makes no difference. */
void series_add(struct series *series, int64_t quarter, const uint32_t *ids, size_t count);
/* Adds to `ids` all who were charged in that quarter or later; INT64_MIN: ever. */
void series_union(const struct series *series, int64_t from, roaring_bitmap_t *ids);
/* The earliest quarter from `from` on that still holds somebody; INT64_MAX: none. */
int64_t series_earliest(const struct series *series, int64_t from);
/* Ids new to this series in the last seven days before the end of that quarter. */
uint64_t series_growth(const struct series *series, int64_t quarter);

#endif
