/* Trust: is a session still who it was, is it admitted here and now, and is what it has under way
 * still granted? Asked for every statement, each half second, and when policy or registry change.
 * No state of its own; the worker's thread. docs/decisions/0028 says why. */
#ifndef COFFERDAM_GATEWAY_TRUST_H
#define COFFERDAM_GATEWAY_TRUST_H

#include "gateway/session.h"

/* What passes while it lives; the later of the wall clock and the session's line (clock.h). */
int64_t trust_now_ns(const struct session *session);
/* Is the agent still allowed? Renews partner and agent after a reload. STATUS_DENIED with a text
 * for the partner. */
MUST_USE enum status trust_admits(struct session *session, struct error *error);
/* May what was planned go on: under the policy in force, and under approvals in force? */
bool trust_holds(const struct session *session, const struct planned *planned);
/* Has what proved it been revoked, by us or by its authority's list? */
bool trust_is_revoked(const struct session *session);
/* Do its results that are under way, and its writes that are not committed, still stand on grants
 * in force? STATUS_DENIED 57P01. Wants trust_admits() first. */
MUST_USE enum status trust_stands(const struct session *session, struct error *error);

#endif
