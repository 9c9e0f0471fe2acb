/* Retention: staff have the ledger's oldest entries dropped (docs/decisions/0017). A thread of its
 * own does it, beside sessions and the admin database, since it reads the whole ledger; who asked
 * looks again. Refused are cuts that something in force still needs. It takes as many users as a
 * raised limit does: what one has proposed, another carries out by the same wish, no further.
 * Invariant: what goes, and what is forgotten by it, stands in the ledger, durable, before any of
 * it goes. Called on the admin thread; the report is guarded by a lock. */
#ifndef COFFERDAM_GATEWAY_RETAIN_H
#define COFFERDAM_GATEWAY_RETAIN_H

#include "base/table.h"
#include "gateway/server.h"

struct retain; /* owned by the server */

enum { RETAIN_TEXT_ROOM = 1024, RETAIN_USER_ROOM = 64, RETAIN_PROPOSAL_DAYS = 7 };

struct retain_wish {
    int64_t before_ns;
    char reason[RETAIN_TEXT_ROOM], by[RETAIN_TEXT_ROOM];
    char user[RETAIN_USER_ROOM]; /* who asks, by the kernel */
    bool dry;                    /* only reckon */
    bool forget_totals;          /* limits of all time may count fewer people afterwards */
};

MUST_USE enum status retain_open(struct server *server, struct retain **retain,
                                 struct error *error);
/* Stops reckoning, or waits until what was begun is done. NULL is fine. */
void retain_close(struct retain *retain);
/* STATUS_DENIED 55006 while one is running. */
MUST_USE enum status retain_begin(struct retain *retain, const struct retain_wish *wish,
                                  struct error *error);
/* Is one under way that may drop entries? None begins while the admin thread does something else.
 */
bool retain_is_dropping(struct retain *retain);
/* property, partner, value, after: how the last one goes, or went. */
void retain_tell(struct retain *retain, struct table *table);

#endif
