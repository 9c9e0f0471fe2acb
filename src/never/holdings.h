/* Holdings: for each subject id, what was ever disclosed of it, as a set of questions (partner and
 * column, either of them or both) whose answer is no longer "never". Taken from the ledger's
 * entries in order. Equal sets are kept once, so an id costs 4 bytes. Invariant: whatever the
 * exposure counts is in here; what is here and was no disclosure (a column that a statement could
 * have read) refuses a certificate and never gives one. One thread. Private to never/. */
#ifndef COFFERDAM_NEVER_HOLDINGS_H
#define COFFERDAM_NEVER_HOLDINGS_H

#include "base/status.h"
#include "ledger/ledger.h"
#include "never/interned.h"

enum { HOLDINGS_NOTHING = 0 /* the number of the empty set */ };

struct holdings {
    struct interned questions; /* length of the partner's name (1), partner, column */
    struct interned sets;      /* rising numbers of questions, 4 bytes each, the machine's order */
    struct interned groups;    /* column set (4), partner: what an item adds to a set */
    uint32_t *group_sets;      /* by group: the set of its questions */
    size_t group_capacity;
    struct interned steps; /* set, group: what has been worked out … */
    uint32_t *step_sets;   /* … gives this set */
    size_t step_capacity;
    struct interned column_sets; /* id (4), text: as the ledger defined them, in order */
    uint32_t *ids;               /* by subject id: a set */
    size_t id_count;             /* allocated; ids behind have nothing */
    uint32_t everybody;          /* the set of what was disclosed of anybody */
    uint64_t entries;            /* taken so far: all below this sequence */
};

MUST_USE enum status holdings_init(struct holdings *holdings, struct error *error);
void holdings_free(struct holdings *holdings);
/* The entry at holdings->entries. STATUS_CORRUPT where it makes no sense, STATUS_NOMEM. */
MUST_USE enum status holdings_take(struct holdings *holdings, const struct ledger_entry *entry,
                                   struct error *error);

/* Does it tell a partner something, so that it is counted? */
bool holdings_counts(const struct ledger_entry *entry);

uint32_t holdings_of(const struct holdings *holdings, uint32_t id); /* HOLDINGS_NOTHING: nothing */
/* The union of two sets. */
MUST_USE enum status holdings_union(struct holdings *holdings, uint32_t a, uint32_t b,
                                    uint32_t *sum, struct error *error);
/* The numbers of a set's questions; borrowed. */
const uint32_t *holdings_set(const struct holdings *holdings, uint32_t set, size_t *count);
/* Borrowed; empty: any. */
void holdings_question(const struct holdings *holdings, uint32_t question, struct slice *partner,
                       struct slice *column);
/* Is this disclosed in a set? */
bool holdings_has(const struct holdings *holdings, uint32_t set, struct slice partner,
                  struct slice column);

/* Appends all of it, and reads it back. STATUS_CORRUPT for bytes that are none. */
void holdings_write(const struct holdings *holdings, struct buffer *out);
MUST_USE enum status holdings_read(struct slice bytes, struct holdings *holdings,
                                   struct error *error);
/* All but which ids hold what. */
MUST_USE enum status holdings_read_sets(struct slice bytes, struct holdings *holdings,
                                        struct error *error);

#endif
