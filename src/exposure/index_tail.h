/* The tail of the index: what no file speaks of yet, in memory, as plain arrays of ids by series
 * and hour. An array is a sorted part without duplicates and an unsorted one of at most an eighth
 * of it (or 1,024), so that adding costs an append and now and then a merge, and looking one id up
 * a binary search and a short scan. Thread-safe: a lock for the list of partners, one for each. The
 * functions below "alone" are for a tail that nobody else adds to. */
#ifndef COFFERDAM_EXPOSURE_INDEX_TAIL_H
#define COFFERDAM_EXPOSURE_INDEX_TAIL_H

#include <roaring/roaring.h>
#include <stdbool.h>

#include "base/status.h"
#include "exposure/index_key.h"

struct tail; /* owned */

struct index_place {
    struct slice partner, agent;
    uint32_t column_set;
    uint16_t kind;
    uint8_t grade;
    struct slice purpose; /* empty: none stated; without NUL */
    uint64_t sequence;    /* of the entry that says so */
};

/* Hours since 1970, half open; INT64_MIN and INT64_MAX: no bound. */
struct index_range {
    int64_t from_hour, until_hour;
};

/* The pool lives longer than the tail. */
MUST_USE enum status tail_new(struct name_pool *pool, struct tail **tail, struct error *error);
void tail_free(struct tail *tail); /* NULL is fine */

/* Ends the process where there is no memory: what cannot be counted must not be served. */
void tail_add(struct tail *tail, const struct index_place *place, int32_t hour, const uint32_t *ids,
              size_t count);
void tail_add_column_set(struct tail *tail, struct slice partner, uint32_t column_set);
void tail_add_deletion(struct tail *tail, struct slice partner, int64_t before_ns);
/* There is something of an entry here, if only a column set or a deletion: tail_end. */
void tail_reach(struct tail *tail, uint64_t sequence);
/* The text of a column set; they come in the order of their ids. Alone. */
void tail_add_text(struct tail *tail, uint32_t id, struct slice text);

size_t tail_bytes(const struct tail *tail);
/* One more than the highest sequence added; 0: none. */
uint64_t tail_end(const struct tail *tail);

/* Appends keys of the partner's series, ascending; *keys grows by realloc. */
MUST_USE enum status tail_keys(struct tail *tail, const char *partner, struct index_key **keys,
                               size_t *count, struct error *error);
/* Unites what the series has in the range into *ids, and widens the hours. */
void tail_collect(struct tail *tail, const struct index_key *key, struct index_range range,
                  roaring_bitmap_t *ids, int64_t *first_hour, int64_t *last_hour);
/* Whether the series holds the id, and widens the hours to those in which it does. */
bool tail_holds(struct tail *tail, const struct index_key *key, uint32_t id, int64_t *first_hour,
                int64_t *last_hour);

struct tail_facts {
    int64_t deleted_before_ns; /* INT64_MIN: never said */
    roaring_bitmap_t *column_sets;
};
/* What was said of the partner; adds to *facts. False: it is unknown here. */
bool tail_facts(struct tail *tail, const char *partner, struct tail_facts *facts);

/* ---- alone ---- */
struct tail_bucket {
    int32_t hour;
    uint32_t *ids;
    uint32_t sorted, count, capacity;
};
struct tail_series {
    struct index_key key;
    struct tail_bucket *buckets; /* ascending by hour */
    size_t count, capacity;
};
/* All series ascending by key, every bucket sorted; the array is owned by the caller. */
MUST_USE enum status tail_all(struct tail *tail, struct tail_series ***series, size_t *count,
                              struct error *error);
/* Names of its partners, ascending; the array is owned by the caller, names by the pool. */
MUST_USE enum status tail_partners(struct tail *tail, const char ***names, size_t *count,
                                   struct error *error);
size_t tail_texts(const struct tail *tail, uint32_t *first_id);
struct slice tail_text(const struct tail *tail, size_t at);

#endif
