/* What the parts of the index share: the key of a series, the pool of names that keys point into,
 * and the calendar. A series is all that one agent of a partner took for one purpose, of one column
 * set, kind of subject and grade. The pool lives as long as the index; equal names are the same
 * pointer. The pool is thread-safe; the rest has no state. */
#ifndef COFFERDAM_EXPOSURE_INDEX_KEY_H
#define COFFERDAM_EXPOSURE_INDEX_KEY_H

#include <pthread.h>
#include <stdint.h>

#include "exposure/name_map.h"

/* Grades of series: the ledger's (1 direct … 6 changed) and these. */
enum {
    INDEX_GRADE_DECLARED = 0, /* exports that staff told of */
    INDEX_GRADE_FEW = 7,      /* influence of too few people: charged, as direct is */
    INDEX_GRADE_DELETED = 8,  /* people of whom the partner attested a deletion; not a disclosure */
    INDEX_GRADES = 9,
};

struct index_key {
    const char *partner, *agent, *purpose; /* of the pool, or of whoever compares; never NULL */
    uint32_t column_set;
    uint16_t kind;
    uint8_t grade;
};

/* By partner, column set, kind, grade, agent, purpose; names byte by byte. */
int index_key_compare(const struct index_key *a, const struct index_key *b);

struct name_pool {
    pthread_rwlock_t lock;
    struct name_map map;
};

void name_pool_init(struct name_pool *pool);
void name_pool_free(struct name_pool *pool);
/* The pool's own copy, terminated. */
const char *name_pool_get(struct name_pool *pool, struct slice name);

/* Hours, days (since 1970-01-01 UTC) and months (year * 12 + month - 1). */
enum { INDEX_HOURS_MAX = 2562047 }; /* either way: nanoseconds since 1970 reach no further */
int64_t index_hour_of(int64_t time_ns);
int32_t index_day_of(int32_t hour);
int32_t index_month_of_day(int32_t day);
int32_t index_first_day(int32_t month);

#endif
