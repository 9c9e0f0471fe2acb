/* CancelRequest to upstream, on a connection of its own. PostgreSQL forgets one that finds it
 * between two messages, about to begin what should be cancelled: so it is sent again, some times,
 * while upstream has not answered.
 * Invariant: a late cancel never hits a later statement. The session sends nothing upstream while
 * such a connection is open, and it is not repeated once upstream owes nothing of what was to be
 * cancelled, or anything behind the Sync that ended it. */
#ifndef COFFERDAM_GATEWAY_CANCEL_H
#define COFFERDAM_GATEWAY_CANCEL_H

#include "gateway/session.h"

/* Asks upstream to end what it does for this session. session->cancelling is set while a connection
 * is open. Failure is logged: the statement's own time-out then ends it. */
void cancel_ask(struct session *session);
/* The session's connection upstream ends: its cancel goes on alone, and is repeated if upstream
 * still owes an answer. */
void cancel_detach(struct session *session);
/* Is there any that has not been sent twice? A worker that stops waits for those. */
bool cancel_under_way(const struct worker *worker);
/* The worker has stopped: those that are left are given up. */
void cancel_close_all(struct worker *worker);

#endif
