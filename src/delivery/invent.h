/* Invent: canaries for a delivery, made from what its rows look like (docs/decisions/0020). All
 * rows are shown to it first; then each canary begins as a copy of a row, and every value by which
 * a person could be told is replaced by one that is nobody's, in the form that the column has in
 * this file. One thread. Memory is bounded by a sample of the rows. */
#ifndef COFFERDAM_DELIVERY_INVENT_H
#define COFFERDAM_DELIVERY_INVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Texts are borrowed for the life of what is opened with them. */
struct invent_column {
    const char *name;     /* in the file */
    const char *of;       /* the dataset's column that it is; NULL: as `name` */
    uint32_t type;        /* OID of pg_type */
    const char *category; /* NULL: about nobody */
    bool is_clear;        /* neither masked nor a token */
    bool is_key;          /* of a person */
};
struct invent_words {
    const char *const *words;
    size_t count;
};
struct invent_lists {
    struct invent_words given, family, streets;
    struct invent_words phones; /* "+44 7700 900###": # is any digit */
    const char *mailbox_domain; /* where mail to canaries arrives; NULL: nowhere */
};

/* The lists of a data folder (canaries/given.txt and so on); lists borrows the library. */
struct invent_library; /* owned */
MUST_USE enum status invent_library_open(const char *folder, struct invent_library **library,
                                         struct invent_lists *lists, struct error *error);
void invent_library_close(struct invent_library *library); /* NULL is fine */

struct invent; /* owned */

MUST_USE enum status invent_open(const struct invent_column *columns, size_t count,
                                 const struct invent_lists *lists, struct invent **invent,
                                 struct error *error);
void invent_close(struct invent *invent); /* NULL is fine */

/* A row of the result; NULL is SQL NULL. */
MUST_USE enum status invent_see(struct invent *invent, const char *const *cells,
                                struct error *error);
/* After the last row. STATUS_DENIED where there was none, and where an e-mail address is wanted and
 * there is no domain for it. */
MUST_USE enum status invent_ready(struct invent *invent, struct error *error);

/* One more canary. *cells (one a column) until the next call. *invented: is the value made up for
 * this one? Otherwise rows of the file have it too. */
MUST_USE enum status invent_row(struct invent *invent, const char *const **cells,
                                const bool **invented, struct error *error);

/* Whole numbers of the column were all taken: from here on they are among the `room` numbers above
 * `floor`. Tables without gaps have no others. */
void invent_raise(struct invent *invent, size_t column, int64_t floor, uint64_t room);

/* The column in whose order the file is; the count of columns where it is in none. */
size_t invent_order(const struct invent *invent);
/* In that order, does a row with value a stand before one with value b? */
bool invent_before(const struct invent *invent, const char *a, const char *b);

/* ---- how many it takes ---- */
/* The least c for which one of c canaries is in a random part f of a list with probability p:
 * 1 - (1 - f)^c >= p. */
uint64_t invent_needed(double fraction, double probability);

#endif
