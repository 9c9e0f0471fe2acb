/* Letting go of a log's oldest entries: whole segments, with a signed statement of what went.
 * docs/LEDGER-FORMAT.md, "Base", has the order of the steps and why each crash is safe.
 * Invariant: nothing is unlinked before the statement is an acknowledged entry under a stored
 * checkpoint, and `base` with what it carries is synced. One thread at a time. */
#ifndef COFFERDAM_LEDGER_RETENTION_H
#define COFFERDAM_LEDGER_RETENTION_H

#include "ledger/base.h"

struct retention_wish {
    int64_t before_ns;      /* only segments whose every entry is older; INT64_MAX: any */
    uint64_t keep_segments; /* at least so many stay; 2 is the least */
    const char *reason;     /* one plain line, at most BASE_REASON_BYTES */
    /* A tree that others vouch for: nothing newer goes. UINT64_MAX: the newest stored checkpoint
     * is enough. */
    uint64_t vouched;
};

struct retention_plan {
    struct base_statement statement;
    struct buffer carried;    /* entries that stay, as in the file beside `base` */
    uint64_t segments, bytes; /* that go */
    uint64_t newly;           /* entries that go now, and did not before */
    int64_t newly_first_ns;   /* time of the earliest of those */
};

/* Reads the log up to the cut, and holds it against its frames' roots. Changes nothing.
 * STATUS_NOT_FOUND 02000 where nothing can go, with why; STATUS_INVALID for a reason that is none.
 * Free the plan after STATUS_OK. */
MUST_USE enum status retention_plan(const char *folder, const struct retention_wish *wish,
                                    struct retention_plan *plan, struct error *error);
void retention_plan_free(struct retention_plan *plan);
/* Carries it out on the log in this folder, which the caller has open; its publisher may run. After
 * a failure the log is whole: with its oldest segments, or without them. In two steps: once the
 * base is in place nobody reads what is below, and what is derived from the log can be made anew;
 * then the files go. A start does the second step again. */
MUST_USE enum status retention_state(struct ledger *ledger, const char *folder,
                                     const struct retention_plan *plan, struct error *error);
MUST_USE enum status retention_sweep(const char *folder, const struct retention_plan *plan,
                                     struct error *error);
/* Both. */
MUST_USE enum status retention_drop(struct ledger *ledger, const char *folder,
                                    const struct retention_plan *plan, struct error *error);

#endif
