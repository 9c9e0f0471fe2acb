/* CSV as people save it: RFC 4180, with what spreadsheets do besides: a UTF-8 byte order mark,
 * lines that end in CRLF, LF or CR, and semicolons or tabs in place of commas (told from the first
 * line). A field may be quoted and then hold separators, line breaks and doubled quotes. Blank
 * lines are passed over. Reads bytes in memory, which it borrows; holds one row at a time. */
#ifndef COFFERDAM_BASE_CSV_H
#define COFFERDAM_BASE_CSV_H

#include "base/buffer.h"
#include "base/status.h"

enum { CSV_MOST_FIELDS = 256, CSV_FIELD_BYTES = 64 * 1024 };

struct csv {
    struct slice text; /* what is left, without the mark */
    size_t at;
    size_t line; /* at which the next row begins, from 1 */
    char separator;
    struct buffer values; /* of the row that was read, each terminated */
    size_t starts[CSV_MOST_FIELDS];
    const char *fields[CSV_MOST_FIELDS];
};
struct csv_row {
    size_t line;               /* at which it begins */
    const char *const *fields; /* terminated; until the next row is read */
    size_t count;
};

/* STATUS_INVALID for what is not UTF-8 text (UTF-16 is told by name) or holds a NUL. Close it also
 * after a failure. */
MUST_USE enum status csv_open(struct csv *csv, struct slice text, struct error *error);
void csv_close(struct csv *csv);
/* STATUS_NOT_FOUND, without an error text, behind the last row; STATUS_INVALID with the line where
 * the text is no CSV. */
MUST_USE enum status csv_next(struct csv *csv, struct csv_row *row, struct error *error);
/* The position in a row of the field that is one of these names, without regard to case, blanks and
 * underscores ("Full Name" is full_name); row->count where there is none. */
size_t csv_column(const struct csv_row *row, const char *const *names);
/* Appends a field, quoted where it has to be. */
void csv_append(struct buffer *out, const char *field);
/* The same with an apostrophe ahead of what a spreadsheet would compute: a field that begins with
 * = + - @, a tab or a carriage return, and is no plain number (OWASP, "CSV Injection"). */
void csv_append_disarmed(struct buffer *out, const char *field);

#endif
