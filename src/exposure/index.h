/* The index: per partner x column set x kind x grade x purpose a set of all subject ids ever, and
 * one for each UTC hour. The hour at hand is a bitmap; closed hours are frozen to bytes (4 an id in
 * small hours, down to bits an id in large ones, and 12 for the hour). Thread-safe: a lock for the
 * list of partners, one for each partner. Visitors get copies and run unlocked, so that a question
 * never stops a session for longer than one copy takes. */
#ifndef COFFERDAM_EXPOSURE_INDEX_H
#define COFFERDAM_EXPOSURE_INDEX_H

#include <roaring/roaring.h>

#include "base/buffer.h"
#include "base/status.h"

struct index; /* owned */

/* Grade of exports that staff declared; the others are the ledger's (1 direct … 5 probe). */
enum { INDEX_GRADE_DECLARED = 0 };

MUST_USE enum status index_new(struct index **index, struct error *error);
void index_free(struct index *index);

struct index_place {
    struct slice partner;
    uint32_t column_set;
    uint16_t kind;
    uint8_t grade;
    struct slice purpose; /* empty: none stated; without NUL */
};
/* Adds ids (ascending) at an instant. */
void index_add(struct index *index, const struct index_place *place, int64_t time_ns,
               const uint32_t *ids, size_t count);
/* Notes that an entry of the partner names this column set, whether or not anyone was in it. */
void index_add_column_set(struct index *index, struct slice partner, uint32_t column_set);

bool index_has_partner(struct index *index, const char *partner);
/* Notes, and tells, the latest instant before which all that the partner had is said to be deleted;
 * INT64_MIN: never said. */
void index_add_deletion(struct index *index, struct slice partner, int64_t before_ns);
int64_t index_deleted_before(struct index *index, const char *partner);

/* Hours since 1970, half open; INT64_MIN and INT64_MAX: no bound. */
struct index_range {
    int64_t from_hour, until_hour;
};
struct index_range index_range(int64_t from_ns, int64_t until_ns);

struct index_view {
    const char *partner;
    uint32_t column_set;
    uint16_t kind;
    uint8_t grade;
    const char *purpose;           /* lives as the index */
    int64_t first_hour, last_hour; /* of its ids in the range */
    const roaring_bitmap_t *ids;   /* of the visit only; not empty */
};
typedef enum status (*index_visit)(void *context, const struct index_view *view,
                                   struct error *error);

/* Names of partners, ascending, terminated by NULL; free() the array. Names live as the index. */
MUST_USE enum status index_partners(struct index *index, const char ***names, struct error *error);
/* Each series of the partner with ids in the range, until one visit fails. */
MUST_USE enum status index_each(struct index *index, const char *partner, struct index_range range,
                                index_visit visit, void *context, struct error *error);
/* Each series of the partner that holds the id; view->ids is NULL. */
MUST_USE enum status index_each_of(struct index *index, const char *partner, uint32_t id,
                                   index_visit visit, void *context, struct error *error);
/* A copy of the column sets its entries named; NULL for an unknown partner. Owned by the caller. */
roaring_bitmap_t *index_column_sets(struct index *index, const char *partner);

#endif
