/* Approvals in force for a session, and asking for one: just-in-time access. Gathered from the
 * registry when something has changed or ended, so that a statement costs a comparison. The
 * worker's thread. docs/decisions/0028 has the rules. */
#ifndef COFFERDAM_GATEWAY_APPROVALS_H
#define COFFERDAM_GATEWAY_APPROVALS_H

#include "registry/requests.h"
#include "sql/plan.h"

struct session;

struct approvals {
    struct plan_approval list[POLICY_APPROVALS_MOST]; /* grants borrowed from a policy */
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
/* Is the request one for this grant, which needs approval? Its agent and purpose count: grants that
 * give the same may differ in their terms. */
bool approvals_cover(const struct policy_grant *grant, const struct request *request);

struct approvals_of {
    const struct policy_partner *partner;
    const char *agent, *purpose;
};
/* Those in force at now_ns; generation, plan_epoch and gathered are the caller's. */
void approvals_gather(struct registry *registry, const struct approvals_of *of, int64_t now_ns,
                      struct approvals *approvals);
/* Wants a session that is admitted. */
void approvals_renew(struct session *session, int64_t now_ns);
/* The statement needs this grant, which waits: finds or makes the request. Never STATUS_OK: 42501
 * with the request's number and what to do, or 53400. */
MUST_USE enum status approvals_ask(struct session *session, const struct policy_grant *grant,
                                   struct error *error);

#endif
