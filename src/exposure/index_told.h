/* What statements told whom: for each partner, hour and statement (by the SHA-256 of its text) how
 * many people were new to the partner, how many rows there were, and every entry with its people.
 * Gathered from the ledger's entries in their order, since who is new depends on all before; kept
 * in the files of days (docs/INDEX-FORMAT.md). One thread. */
#ifndef COFFERDAM_EXPOSURE_INDEX_TOLD_H
#define COFFERDAM_EXPOSURE_INDEX_TOLD_H

#include "exposure/index_shelf.h"
#include "ledger/ledger.h"

/* Whether a series of this grade gave the partner anything to know: not so asking in vain, changing
 * rows, and attested deletions. */
bool told_grade_counts(uint8_t grade);

/* ---- the entries of a row, as bytes ---- */
struct told_entry {
    int64_t time_ns;
    uint64_t rows, fresh; /* fresh: people whom the partner had never had */
    const uint32_t *ids;  /* ascending, each once */
    size_t count;
};
void told_write(const struct told_entry *entry, int32_t hour, struct buffer *out);
typedef enum status (*told_visit)(void *context, const struct told_entry *entry,
                                  struct error *error);
/* Each entry of the bytes in order; what a visit says ends it. STATUS_CORRUPT unless there are as
 * many, of that hour. */
MUST_USE enum status told_each(struct slice bytes, uint32_t entries, int32_t hour, told_visit visit,
                               void *context, struct error *error);

/* ---- gathering ---- */
struct told; /* owned */

struct told_cell {
    const char *partner; /* the pool's */
    struct index_told row;
    struct buffer bytes;
};

/* The shelf (NULL: nothing) says what partners had before; borrowed, as the pool. */
MUST_USE enum status told_new(struct shelf *shelf, struct name_pool *pool, struct told **told,
                              struct error *error);
/* What was gathered is in the files of this shelf now, and more comes: whom partners had is kept.
 */
void told_go_on(struct told *told, struct shelf *shelf);
void told_free(struct told *told); /* NULL is fine */
/* Ids of the entry at hand, then the entry itself. */
void told_ids(struct told *told, uint8_t grade, const uint32_t *ids, size_t count);
MUST_USE enum status told_end(struct told *told, const struct ledger_entry *entry,
                              struct error *error);
size_t told_bytes(const struct told *told);
/* Whether told_end failed over files of the shelf. */
bool told_is_damaged(const struct told *told);
/* All that was gathered, by day, partner, hour and statement; the array is owned by the caller. */
MUST_USE enum status told_list(const struct told *told, struct told_cell ***cells, size_t *count,
                               struct error *error);

#endif
