/* Approvals in force for a session, and asking for one: just-in-time access. Gathered from the
 * registry when something has changed or ended, so that a statement costs a comparison. The
 * worker's thread. docs/decisions/0028 has the rules. */
#ifndef COFFERDAM_GATEWAY_APPROVALS_H
#define COFFERDAM_GATEWAY_APPROVALS_H

#include "registry/requests.h"
#include "sql/plan.h"

struct session;

struct approvals {
    struct plan_approval list[POLICY_APPROVALS_MOST]; /* marks borrowed from the session's policy */
    size_t count;
    uint64_t mark;       /* differs where the approvals do; 0: none */
    uint64_t generation; /* of the registry's requests, when they were gathered */
    uint64_t plan_epoch; /* of the session, likewise */
    int64_t until_ns;    /* then they are to be gathered again */
    bool gathered;
};

/* When the request's approval ends under the terms of the grant in force; INT64_MIN where it is not
 * approved by them. */
int64_t approvals_end_ns(const struct request *request, const struct policy_approval *terms);
/* Wants a session that is admitted. */
void approvals_renew(struct session *session, int64_t now_ns);
/* The statement needs this grant, which waits: finds or makes the request. Never STATUS_OK: 42501
 * with the request's number and what to do, or 53400. */
MUST_USE enum status approvals_ask(struct session *session, const struct policy_grant *grant,
                                   struct error *error);

#endif
