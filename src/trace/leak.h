/* A leaked sample: a file in CSV, or with one JSON object a line, as columns and lines of cells.
 * The file is hostile: sizes and counts are bounded, and what is no such file is refused with the
 * line and a hint. Texts live as long as the leak. One thread. */
#ifndef COFFERDAM_TRACE_LEAK_H
#define COFFERDAM_TRACE_LEAK_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/status.h"

enum {
    LEAK_FILE_BYTES = 256 * 1024 * 1024,
    LEAK_LINES = 200000,
    LEAK_COLUMNS = 256,
    LEAK_NAME_BYTES = 255,      /* of a column */
    LEAK_CELL_BYTES = 64 * 1024 /* of a cell, and of JSON one line's worth of them */
};

enum leak_format { LEAK_GUESS, LEAK_CSV, LEAK_JSON_LINES };

struct leak_line {
    size_t number; /* in the file, from 1 */
    size_t cell_count;
    const char *const *cells; /* by column; NULL: nothing there, or blanks only */
};
struct leak {
    struct arena arena;
    enum leak_format format; /* never LEAK_GUESS */
    bool has_header;         /* of CSV: otherwise columns are named "1", "2" … */
    const char *columns[LEAK_COLUMNS];
    size_t column_count;
    struct leak_line *lines;
    size_t line_count, line_capacity;
    char sha256[65]; /* of the file */
};

/* Free *leak in any case. STATUS_INVALID 22P04 for what is no such file, STATUS_LIMIT 54000 for one
 * that is too large. */
MUST_USE enum status leak_read(const char *path, enum leak_format format, struct leak *leak,
                               struct error *error);
MUST_USE enum status leak_parse(struct slice text, enum leak_format format, struct leak *leak,
                                struct error *error);
void leak_free(struct leak *leak);
/* NULL where there is nothing. */
const char *leak_cell(const struct leak *leak, size_t line, size_t column);

/* ---- for leak_json.c ---- */
/* Adds a line of count cells (copied into the arena, blanks at the ends cut off). */
MUST_USE enum status leak_add_line(struct leak *leak, size_t number, const char *const *cells,
                                   size_t count, struct error *error);
/* The place of a column of this name, added where it is new. */
MUST_USE enum status leak_column(struct leak *leak, const char *name, size_t number, size_t *at,
                                 struct error *error);
MUST_USE enum status leak_parse_json(struct slice text, struct leak *leak, struct error *error);

#endif
