/* COPY … FROM STDIN: rows out of the bytes of CopyData, read as PostgreSQL's own COPY reads them
 * (src/backend/commands/copyfromparse.c of PostgreSQL 15), but for "\." that is not alone on its
 * line, which is an error in text format. Pure: the caller keeps the bytes and the rows. */
#ifndef COFFERDAM_WIRE_COPY_READ_H
#define COFFERDAM_WIRE_COPY_READ_H

#include "base/status.h"
#include "wire/copy.h"

enum wire_copy_line_end {
    WIRE_LINE_END_OPEN,
    WIRE_LINE_END_NL,
    WIRE_LINE_END_CR,
    WIRE_LINE_END_CRNL
};

struct wire_copy_reader {
    const struct wire_copy *copy; /* borrowed */
    const char *const *names;     /* of the columns, borrowed */
    size_t count;
    uint64_t line; /* that is read, from 1; BINARY: the row */
    enum wire_copy_line_end line_end;
    bool begun, ended; /* the header has been taken; the end marker has come */
    size_t scanned;    /* bytes of the line that have been looked at, and as what */
    bool quoted, escaped;
};

void wire_copy_read_begin(struct wire_copy_reader *reader, const struct wire_copy *copy,
                          const char *const *names, size_t count);
/* Takes *taken bytes off the front of data, which is all that has come and was not taken before;
 * `last`: nothing follows. STATUS_OK: `row` has one row more, its columns as Bind has them.
 * STATUS_AGAIN: more bytes are needed. STATUS_NOT_FOUND: there are no more rows, whatever follows.
 * *taken counts with all three. STATUS_DENIED: not the format that the options say (22P04), or a
 * character that no text has (22021); told with the line, without a value. */
MUST_USE enum status wire_copy_read(struct wire_copy_reader *reader, struct slice data, bool last,
                                    size_t *taken, struct buffer *row, struct error *error);
/* CopyInResponse. */
void wire_put_copy_in(struct buffer *out, const struct wire_copy *copy, size_t count);

#endif
