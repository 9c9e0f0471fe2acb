/* The shelf: the files of one manifest, mapped, and what a question needs of them. Immutable once
 * open; any thread may read. Its series are those of the file of all time; a day's and a month's
 * are numbered by them at first use. Keys point into the pool, which lives longer. */
#ifndef COFFERDAM_EXPOSURE_INDEX_SHELF_H
#define COFFERDAM_EXPOSURE_INDEX_SHELF_H

#include "exposure/id_union.h"
#include "exposure/index_manifest.h"
#include "exposure/index_tail.h"

struct shelf_file {
    struct index_file *file;
    pthread_mutex_t mutex;
    _Atomic bool numbered;
    uint32_t *numbers; /* of its series, ascending */
};

struct shelf {
    struct index_manifest manifest;
    struct shelf_file *files; /* as in the manifest */
    struct index_file *ever;  /* the last one */
    struct name_pool *pool;
    struct index_key *keys; /* ascending */
    size_t key_count;
};

/* Reads the manifest and maps its files; the file of all time is checked whole. STATUS_NOT_FOUND
 * where there is no manifest, or a file went while they were being opened (try again). */
MUST_USE enum status shelf_open(const char *folder, struct name_pool *pool, struct shelf **shelf,
                                struct error *error);
void shelf_close(struct shelf *shelf); /* NULL is fine */

/* The partner's keys: [*from, *until). */
void shelf_partner(const struct shelf *shelf, const char *partner, size_t *from, size_t *until);
/* The key's number; false where no file has it. */
bool shelf_find(const struct shelf *shelf, const struct index_key *key, size_t *number);
/* Unites what the series has in the range into *ids, and widens the hours to what it spans. */
MUST_USE enum status shelf_collect(struct shelf *shelf, size_t number, struct index_range range,
                                   struct id_union *ids, int64_t *first_hour, int64_t *last_hour,
                                   struct error *error);
/* Asks for the memory that shelf_holds of all the partner's series will touch first: a hint. */
void shelf_fetch(const struct shelf *shelf, const char *partner, uint32_t id);
/* Whether the series holds the id, and widens the hours from its first to its last. */
MUST_USE enum status shelf_holds(struct shelf *shelf, size_t number, uint32_t id, bool *held,
                                 int64_t *first_hour, int64_t *last_hour, struct error *error);
/* What was said of the partner, added to *facts; *known stays as it is where nothing was. */
MUST_USE enum status shelf_facts(struct shelf *shelf, const char *partner, struct tail_facts *facts,
                                 bool *known, struct error *error);

/* The file of a level and period, its tables checked and its series numbered; NULL: there is none.
 */
MUST_USE enum status shelf_file_of(struct shelf *shelf, enum index_level level, int32_t first,
                                   struct shelf_file **file, struct error *error);

#endif
