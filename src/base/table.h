/* Table: named columns and rows of text, the form in which the gateway answers its operators.
 * The admin database sends one as a result set; the command line prints it or writes JSON. */
#ifndef COFFERDAM_BASE_TABLE_H
#define COFFERDAM_BASE_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/since.h"

enum { TABLE_MAX_COLUMNS = 32 };

struct table_row {
    struct table_row *next;
    const char *cells[]; /* NULL is SQL NULL */
};

struct table {
    struct arena arena; /* owns every text */
    const char *columns[TABLE_MAX_COLUMNS];
    size_t column_count, row_count;
    struct table_row *first, *last;
    char since[SINCE_TEXT_ROOM]; /* covers what came from then on; "": from ever on */
};

/* columns: NULL-terminated names, copied. limit_bytes bounds the whole table. */
void table_init(struct table *table, size_t limit_bytes, const char *const *columns);
void table_free(struct table *table);
/* A row of NULLs to be filled with table_set; NULL once the table's limit is passed. */
struct table_row *table_add(struct table *table);
/* Formats into the cell; no effect where row is NULL. */
void table_set(struct table *table, struct table_row *row, size_t column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* RFC 3339, UTC; leaves the cell NULL for INT64_MIN and INT64_MAX, which are no instants. */
void table_set_instant(struct table *table, struct table_row *row, size_t column, int64_t time_ns);
/* True once rows or texts did not fit: the table must not be shown as complete. */
bool table_overflowed(const struct table *table);

#endif
