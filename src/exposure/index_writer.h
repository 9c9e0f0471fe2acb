/* Writes one file of the exposure index: docs/INDEX-FORMAT.md. Give it series ascending by key,
 * their cells in the order that index_file_check wants, then partners ascending, then texts by id.
 * What it writes follows from what it is given alone: sets are brought into one form first.
 * Failures are kept until index_writer_finish. One thread. */
#ifndef COFFERDAM_EXPOSURE_INDEX_WRITER_H
#define COFFERDAM_EXPOSURE_INDEX_WRITER_H

#include "exposure/index_file.h"

struct index_writer; /* owned */

/* Makes the file (mode 0600), which must not be there. */
MUST_USE enum status index_writer_open(const char *path, enum index_level level, int32_t first,
                                       struct index_writer **writer, struct error *error);
void index_writer_series(struct index_writer *writer, const struct index_key *key);
/* Of the last series; ids not empty, and changed in form. */
void index_writer_cell(struct index_writer *writer, enum index_span span, int32_t first_hour,
                       int32_t last_hour, roaring_bitmap_t *ids);
/* The same of ids that ascend, at least one. */
void index_writer_ids(struct index_writer *writer, enum index_span span, int32_t first_hour,
                      int32_t last_hour, uint32_t *ids, size_t count);
/* A cell of another file as it stands there. */
void index_writer_copy(struct index_writer *writer, const struct index_cell *cell,
                       struct slice set);
void index_writer_partner(struct index_writer *writer, const char *name, int64_t deleted_before_ns,
                          roaring_bitmap_t *column_sets);
/* In the order that index_file_check wants; the row's entries are those of both, one behind the
 * other. */
void index_writer_told(struct index_writer *writer, const char *partner,
                       const struct index_told *row, struct slice entries, struct slice more);
void index_writer_text(struct index_writer *writer, struct slice text);
/* Completes, syncs and closes the file, and frees the writer, also on failure; the file is then
 * removed. */
MUST_USE enum status index_writer_finish(struct index_writer *writer, uint64_t *size,
                                         uint32_t *seal, struct error *error);
void index_writer_abandon(struct index_writer *writer); /* NULL is fine */

#endif
