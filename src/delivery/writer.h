/* Writer: rows as a file for a partner. CSV is RFC 4180 with a head line, CRLF, UTF-8; NULL is an
 * empty field, an empty text a quoted one, as PostgreSQL's COPY has it. JSON lines (jsonlines.org)
 * are an object a row, its members in the order of the columns: numbers, booleans and jsonb as they
 * are, NaN and infinities and everything else as texts. One thread; values are borrowed. */
#ifndef COFFERDAM_DELIVERY_WRITER_H
#define COFFERDAM_DELIVERY_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

enum delivery_format { DELIVERY_CSV, DELIVERY_CSV_DISARMED /* csv.h */, DELIVERY_JSONL };

struct delivery_column {
    const char *name;
    uint32_t type; /* OID of pg_type */
};

struct delivery_writer; /* owned */

/* Writes the head. fd and columns are borrowed for the writer's life. */
MUST_USE enum status delivery_writer_open(int fd, enum delivery_format format,
                                          const struct delivery_column *columns, size_t count,
                                          struct delivery_writer **writer, struct error *error);
/* cells: one a column, in PostgreSQL's text form; NULL is SQL NULL. */
MUST_USE enum status delivery_writer_row(struct delivery_writer *writer, const char *const *cells,
                                         struct error *error);
/* Everything has been handed to the file; it is not synced. */
MUST_USE enum status delivery_writer_finish(struct delivery_writer *writer, struct error *error);
void delivery_writer_close(struct delivery_writer *writer); /* NULL is fine */

/* ---- rows put aside, to be read again in order ---- */
struct delivery_spool; /* owned */

MUST_USE enum status delivery_spool_open(int fd, size_t columns, struct delivery_spool **spool,
                                         struct error *error);
void delivery_spool_close(struct delivery_spool *spool); /* NULL is fine */
MUST_USE enum status delivery_spool_add(struct delivery_spool *spool, const char *const *cells,
                                        struct error *error);
/* Back to the first row. */
MUST_USE enum status delivery_spool_rewind(struct delivery_spool *spool, struct error *error);
/* *cells until the next call; STATUS_NOT_FOUND, without a text, behind the last row. */
MUST_USE enum status delivery_spool_next(struct delivery_spool *spool, const char *const **cells,
                                         struct error *error);

#endif
