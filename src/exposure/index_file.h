/* One file of the exposure index, read from its mapping: docs/INDEX-FORMAT.md has every byte.
 * Invariants: a page's checksum is compared before a byte of it is used; nothing in the file is
 * believed, so that any bytes give STATUS_CORRUPT at worst. Immutable; any thread may read once
 * index_file_open has returned; the tables are judged at first use, by index_file_check. */
#ifndef COFFERDAM_EXPOSURE_INDEX_FILE_H
#define COFFERDAM_EXPOSURE_INDEX_FILE_H

#include <roaring/roaring.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"
#include "exposure/index_key.h"

enum { INDEX_PAGE_BYTES = 4096, INDEX_VERSION = 2 };
#define INDEX_MAGIC "CFEXPIDX"

enum index_level { INDEX_DAY = 0, INDEX_MONTH = 1, INDEX_EVER = 2 };
/* What a cell's set covers. A cell of span DELETED holds whose data was deleted up to its hour. */
enum index_span { SPAN_HOUR = 0, SPAN_DAY = 1, SPAN_MONTH = 2, SPAN_EVER = 3, SPAN_DELETED = 4 };

/* Rows of the file's tables; big-endian. */
enum {
    INDEX_STRING_ROW = 12,  /* offset 8, length 4 */
    INDEX_PARTNER_ROW = 24, /* name 4, deleted before 8, column sets: offset 8, length 4 */
    INDEX_SERIES_ROW = 24,  /* partner, agent, purpose 4 each, column set 4, kind 2, grade 1, 0,
                             * first cell 4 */
    INDEX_CELL_ROW = 32, /* span 4, first hour 4, last hour 4, count 4, offset 8, length 4, 0 4 */
    INDEX_TOLD_ROW = 88, /* partner 4, hour 4, entries 4, length 4, new 8, rows 8, first 8, last 8,
                          * offset 8, hash 32 */
};

struct index_cell {
    uint32_t number; /* in its file */
    enum index_span span;
    int32_t first_hour, last_hour;
    uint32_t count; /* of ids; not 0 */
    uint64_t offset;
    uint32_t bytes;
};

struct index_partner {
    struct slice name;
    int64_t deleted_before_ns; /* INT64_MIN: never said */
    struct slice column_sets;  /* a subject set of column-set ids; empty: none */
};

/* What one statement gave one partner in one hour: index_told.h. */
struct index_told {
    uint8_t hash[32];
    int32_t hour;
    uint32_t entries;
    uint64_t fresh, rows;
    int64_t first_ns, last_ns;
};

struct index_file; /* owned */

/* Maps the file. seal: of its checksums, as the manifest says. STATUS_NOT_FOUND, _CORRUPT, _IO. */
MUST_USE enum status index_file_open(const char *path, uint64_t size, uint32_t seal,
                                     struct index_file **file, struct error *error);
/* As index_file_open, over bytes that live as long as the file; for tests and the fuzzer. */
MUST_USE enum status index_file_over(struct slice bytes, uint32_t seal, struct index_file **file,
                                     struct error *error);
void index_file_close(struct index_file *file); /* NULL is fine */

/* The seal of bytes laid out as a file: the CRC-32C of its checksums. */
uint32_t index_file_seal(struct slice bytes);

/* Judges the tables, once. first: the day or month; 0 for the file of all time. */
MUST_USE enum status index_file_check(struct index_file *file, enum index_level level,
                                      int32_t first, struct error *error);

/* The statements of one partner, [*from, *until), in a day's file that no other thread has and
 * index_file_check has not seen: judges the names, and of the rows those that it looks at. For the
 * functions about what statements told, and no others. */
MUST_USE enum status index_file_find_told(struct index_file *file, int32_t first,
                                          struct slice partner, size_t *from, size_t *until,
                                          struct error *error);

/* ---- after index_file_check ---- */
size_t index_file_series(const struct index_file *file);
/* Names are borrowed from the pool. */
void index_file_key(const struct index_file *file, size_t series, struct name_pool *pool,
                    struct index_key *key);
/* Against a key, without a pool. */
int index_file_compare(const struct index_file *file, size_t series, const struct index_key *key);
size_t index_file_cells(const struct index_file *file, size_t series, size_t *first);
void index_file_cell(const struct index_file *file, size_t cell, struct index_cell *found);
/* The cell's bytes, its pages checked. */
MUST_USE enum status index_file_set(struct index_file *file, const struct index_cell *cell,
                                    struct slice *set, struct error *error);
/* Asks for what a look-up of the id in the cell will touch first, and then, once that is there, for
 * the rest. Hints. */
void index_file_fetch(const struct index_file *file, size_t cell, uint32_t id);
void index_file_fetch_rest(const struct index_file *file, size_t cell, uint32_t id);
/* As index_file_set, every container checked, and that there are as many ids as the cell says. */
MUST_USE enum status index_file_sound_set(struct index_file *file, const struct index_cell *cell,
                                          struct slice *set, struct error *error);
/* The cell's ids, checked so; owned by the caller. */
MUST_USE enum status index_file_ids(struct index_file *file, const struct index_cell *cell,
                                    roaring_bitmap_t **ids, struct error *error);
/* The cell's ids as a list of as many as the cell says, ascending; checked so, owned by the caller.
 */
MUST_USE enum status index_file_list(struct index_file *file, const struct index_cell *cell,
                                     uint32_t **ids, struct error *error);
size_t index_file_partners(const struct index_file *file);
MUST_USE enum status index_file_partner(struct index_file *file, size_t at,
                                        struct index_partner *partner, struct error *error);
/* What statements told, by partner, hour and statement; only in files of days. */
size_t index_file_told(const struct index_file *file);
void index_file_told_row(const struct index_file *file, size_t at, struct slice *partner,
                         struct index_told *row);
/* The row's entries. */
MUST_USE enum status index_file_told_bytes(struct index_file *file, size_t at, struct slice *bytes,
                                           struct error *error);
/* Texts of column sets, id - 1 from 0; only in the file of all time. */
size_t index_file_texts(const struct index_file *file);
MUST_USE enum status index_file_text(struct index_file *file, size_t at, struct slice *text,
                                     struct error *error);

#endif
