/* COPY … TO STDOUT: rows of a result as CopyData, byte for byte as PostgreSQL's own COPY writes
 * them (src/backend/commands/copyto.c of PostgreSQL 15). Pure; borrows what it reads. */
#ifndef COFFERDAM_WIRE_COPY_H
#define COFFERDAM_WIRE_COPY_H

#include "base/buffer.h"

enum wire_copy_format { WIRE_COPY_TEXT, WIRE_COPY_CSV, WIRE_COPY_BINARY };

/* Options of one COPY, checked by whoever made them. */
struct wire_copy {
    enum wire_copy_format format;
    bool header;             /* TEXT, CSV: the first line has the columns' names */
    char delimiter;          /* TEXT, CSV */
    char quote, escape;      /* CSV */
    const char *null;        /* TEXT, CSV: what stands for NULL */
    const bool *force_quote; /* CSV: by column; NULL: none */
    /* FROM only. */
    bool header_match;                       /* the header must name the columns */
    const bool *force_not_null, *force_null; /* CSV: by column; NULL: none */
};

/* CopyOutResponse, and the CopyData that stands before all rows, where there is one. */
void wire_put_copy_begin(struct buffer *out, const struct wire_copy *copy, const char *const *names,
                         size_t count);
/* One row: `values` are count columns as they stand in a DataRow behind its column count (binary
 * results for BINARY, text otherwise), known to be whole. */
void wire_put_copy_row(struct buffer *out, const struct wire_copy *copy, struct slice values,
                       size_t count);
/* What stands behind all rows, and CopyDone. */
void wire_put_copy_end(struct buffer *out, const struct wire_copy *copy);

#endif
