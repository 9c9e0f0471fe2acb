/* COPY FROM STDIN of a session: the client's data becomes rows, and rows become INSERTs of the
 * partner, some at a time, with all that an INSERT of the client would meet: grant, row filter,
 * ledger. No Sync stands between them, so they are one transaction and stand or fall together.
 * Invariant: data is read only while nothing of ours or of upstream is owed. So an error of an
 * INSERT ends the COPY before more is sent, and what came before the COPY is known to have ended
 * well when the client is asked for data. */
#ifndef COFFERDAM_GATEWAY_COPY_IN_H
#define COFFERDAM_GATEWAY_COPY_IN_H

#include "base/buffer.h"
#include "base/status.h"
#include "sql/plan.h"
#include "wire/copy_read.h"
#include "wire/wire.h"

struct session;

enum { COPY_IN_ROWS = 256 }; /* of one INSERT */

struct copy_in {
    struct plan *plan; /* owned reference; NULL: there is no COPY */
    bool simple;       /* of a simple query, so that a Sync of ours stands behind it */
    bool hungry;       /* nothing can be done without more data */
    bool done;         /* CopyDone has come */
    bool ended;        /* all rows have been read */
    struct wire_copy_reader reader;
    struct buffer data; /* that has come; of it, data_at bytes have been read */
    size_t data_at;
    struct buffer rows;        /* not yet sent, as parameters of Bind */
    size_t ends[COPY_IN_ROWS]; /* of each, in `rows` */
    size_t row_count;
    uint64_t bytes, given, written; /* in all: of data; rows sent; rows that are there */
};

/* Asks the client for data, in its place among the answers. */
MUST_USE enum status copy_in_begin(struct session *session, struct plan *plan, struct error *error);
/* Is a COPY under way? Then all of the client's messages are its own. */
bool copy_in_active(const struct session *session);
/* It was asked for by a simple query. */
void copy_in_simple(struct session *session);
/* May the client's next message be looked at? */
bool copy_in_hungry(const struct session *session);
void copy_in_message(struct session *session, const struct wire_message *message);
/* Goes on with the data that is there, as far as it can. */
void copy_in_continue(struct session *session);
/* An INSERT of it has written rows. */
void copy_in_written(struct session *session, uint64_t rows);
/* The client has been told of an error: that was the end of it. */
void copy_in_failed(struct session *session);
void copy_in_drop(struct session *session);

#endif
