/* People: who a partner was given in a period, one by one, as another process than the gateway
 * reads it from the ledger. Naming them is a reading of our own, so whoever asks records it first
 * and has that confirmed here; no line is told before. One thread. Memory: 32 bytes a person of the
 * dictionary's pages of 4096 that have any. */
#ifndef COFFERDAM_EXPOSURE_PEOPLE_H
#define COFFERDAM_EXPOSURE_PEOPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

struct people; /* owned */

struct people_wish {
    const char *subjects_folder, *ledger_folder, *partner;
    int64_t from_ns, to_ns; /* rounded to hours, as the questions of exposure.h are */
};
/* Reads the whole ledger. STATUS_DENIED 55000 where all of the period was dropped. */
MUST_USE enum status people_read(const struct people_wish *wish, struct people **people,
                                 struct error *error);
void people_free(struct people *people); /* NULL is fine */

struct people_count {
    uint64_t named, erased; /* erased: who it was is not known any more */
    int64_t since_ns;       /* base/since.h */
};
struct people_count people_count(const struct people *people);
/* Those of a kind who have a name, ascending; free() the array. */
MUST_USE enum status people_ids(struct people *people, uint16_t kind, uint32_t **ids, size_t *count,
                                struct error *error);
/* Reads on to the ledger's end, and finds there that a reading of our own, for this purpose, names
 * all of them: STATUS_DENIED 55000 where it does not. */
MUST_USE enum status people_confirm(struct people *people, const char *purpose,
                                    struct error *error);

struct people_line {
    const char *key;
    uint16_t kind;
    int64_t first_ns, last_ns; /* begin of the hour */
    const char *categories;    /* "name, phone (masked)"; "": presence only */
    bool statistics_only;      /* or influence on others' rows: no row of this person was given */
};
/* Each who has a name, by id: in the order in which they were first disclosed. After
 * people_confirm. */
MUST_USE enum status people_each(struct people *people,
                                 enum status (*tell)(void *context, const struct people_line *line,
                                                     struct error *error),
                                 void *context, struct error *error);

#endif
