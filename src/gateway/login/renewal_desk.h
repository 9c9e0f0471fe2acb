/* Asks the issuer of certificates for the workers' sessions (issuer/issuer.h), one at a time, and
 * has the ledger hold what it made before the session is told. Whoever asks never waits.
 * Threads: one that asks, records and answers. */
#ifndef COFFERDAM_GATEWAY_RENEWAL_DESK_H
#define COFFERDAM_GATEWAY_RENEWAL_DESK_H

#include "identity/credential.h"
#include "issuer/issuer.h"
#include "policy/policy.h"

/* First word of the ledger's act of a renewal. */
#define RENEWAL_DESK_ACT "certificate-renewed"

struct server;
struct session;

/* One request, until it is answered; then the answer. */
struct renewal {
    struct renewal *next;
    unsigned worker; /* who asks */
    uint64_t session;
    char partner[65], agent[65];
    struct credential credential; /* that the session was proven by */
    struct buffer certificate, request, signature;
    int64_t human_most_ns, asked_ns;
    enum policy_alarm two_holders; /* what an alarm of that does */

    enum status decision;
    struct error error;          /* where it is not STATUS_OK */
    struct issuer_answer answer; /* where it is */
    struct credential made;
};
/* NULL when memory is exhausted, or for texts that are too long. */
struct renewal *renewal_make(const struct session *session, struct slice certificate,
                             struct slice request, struct slice signature);
void renewal_free(struct renewal *renewal);

struct renewal_desk;
/* Takes it, and hands it on. */
typedef void renewal_answer_fn(struct server *server, struct renewal *renewal);
MUST_USE enum status renewal_desk_open(struct server *server, renewal_answer_fn *answer,
                                       struct renewal_desk **desk, struct error *error);
/* Gives up what waits; no answer comes any more. NULL is fine. */
void renewal_desk_close(struct renewal_desk *desk);
/* Takes it where it succeeds. STATUS_LIMIT 53400 where too many wait. */
MUST_USE enum status renewal_desk_ask(struct renewal_desk *desk, struct renewal *renewal,
                                      struct error *error);

#endif
