/* The index: per partner x agent x purpose x column set x kind x grade a set of all subject ids
 * ever, and one for each UTC hour. What the ledger said up to some entry lies in mapped files (the
 * shelf), what came since in memory (the tail); decision 18 and docs/INDEX-FORMAT.md. Invariants:
 * an answer is exact or refused; the tail holds at most INDEX_TAIL_MOST bytes, and a session that
 * adds to it never waits for a question, a fold or the disk. Thread-safe. Visitors get copies; the
 * files that they came from stay mapped meanwhile. */
#ifndef COFFERDAM_EXPOSURE_INDEX_H
#define COFFERDAM_EXPOSURE_INDEX_H

#include <roaring/roaring.h>

#include "base/buffer.h"
#include "base/status.h"
#include "exposure/index_tail.h"
#include "ledger/ledger.h"

struct index; /* owned */

enum {
    INDEX_TAIL_SOFT = 32 << 20,  /* bytes at which a fold begins */
    INDEX_TAIL_MOST = 128 << 20, /* from here on questions are refused until a fold has caught up */
    INDEX_READ_MOST = 1 << 30,   /* tail of another process than the gateway */
};

/* In memory alone, without bound or files: for tests. */
MUST_USE enum status index_new(struct index **index, struct error *error);
/* With files in the folder (made if need be, mode 0700), brought up to all that the ledger has
 * acknowledged. Files that are damaged or not of this ledger are thrown away and made anew. Call
 * before ledger_open. */
MUST_USE enum status index_open(const char *folder, const char *ledger_folder, struct index **index,
                                struct error *error);
/* As another process sees it: writes nothing, locks nothing. Without usable files all is read from
 * the ledger; STATUS_LIMIT where that is more than INDEX_READ_MOST. */
MUST_USE enum status index_open_reading(const char *folder, const char *ledger_folder,
                                        struct index **index, struct error *error);
void index_free(struct index *index); /* stops the thread */

/* Starts the thread that folds: when the tail is large, and when a day has closed. */
MUST_USE enum status index_start(struct index *index, struct error *error);
/* Folds now. STATUS_DENIED 55006 where another process is at it. */
MUST_USE enum status index_fold(struct index *index, struct error *error);

/* Adds ids (ascending) at an instant. Passes without effect where the files have that entry. */
void index_add(struct index *index, const struct index_place *place, int64_t time_ns,
               const uint32_t *ids, size_t count);
/* Notes that an entry of the partner names this column set, whether or not anyone was in it. */
void index_add_column_set(struct index *index, struct slice partner, uint32_t column_set,
                          uint64_t sequence);
/* Notes, and tells, the latest instant before which all that the partner had is said to be deleted;
 * INT64_MIN: never said. */
void index_add_deletion(struct index *index, struct slice partner, int64_t before_ns,
                        uint64_t sequence);

/* False, and INT64_MIN, also where the files cannot be read. */
bool index_has_partner(struct index *index, const char *partner);
int64_t index_deleted_before(struct index *index, const char *partner);
/* The text of a column set, where the ledger is not open; NULL: unknown. Lives as the index. */
const char *index_column_text(struct index *index, uint32_t id);

struct index_range index_range(int64_t from_ns, int64_t until_ns);

struct index_view {
    const char *partner, *agent;
    uint32_t column_set;
    uint16_t kind;
    uint8_t grade;                 /* as in an entry, or INDEX_GRADE_DECLARED */
    bool charged;                  /* to the partner's budget */
    const char *purpose;           /* names live as the index */
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
/* People of whom the partner attested a deletion, hour by hour, latest first; view->first_hour is
 * the hour up to which what it had is said to be deleted, view->ids who. */
MUST_USE enum status index_each_deleted(struct index *index, const char *partner, index_visit visit,
                                        void *context, struct error *error);
/* A copy of the column sets its entries named; NULL for an unknown partner. Owned by the caller. */
MUST_USE enum status index_column_sets(struct index *index, const char *partner,
                                       roaring_bitmap_t **sets, struct error *error);

/* Makes the files anew and takes them over: the ledger has another base. Without files (tests)
 * nothing. */
MUST_USE enum status index_remake(struct index *index, struct error *error);
/* Since when the answers tell: docs/INDEX-FORMAT.md, "Manifest". */
void index_since(struct index *index, struct ledger_since *since);

struct index_state {
    uint64_t sequence;   /* up to which the files speak */
    uint64_t file_bytes; /* of all files together */
    size_t files, tail_bytes;
    bool behind; /* the tail is full: questions are refused */
};
void index_state(struct index *index, struct index_state *state);

#endif
