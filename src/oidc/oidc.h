/* Tokens of identity providers (OpenID Connect, RFC 7519) as proof of who is calling. A desk takes
 * tokens from the workers, has them judged by cofferdam-token (a confined program: no byte of a
 * token is parsed in this process), and keeps the providers' keys fresh through cofferdam-http.
 * Invariant: no keys, no verdict, no room: nobody gets in; and whoever asks never waits.
 * Threads: one that judges and one a provider; answers come from the first. */
#ifndef COFFERDAM_OIDC_OIDC_H
#define COFFERDAM_OIDC_OIDC_H

#include <netinet/in.h>

#include "base/buffer.h"
#include "base/status.h"
#include "identity/credential.h"
#include "policy/config.h"
#include "policy/policy.h"

enum { OIDC_TOKEN_BYTES = 16 * 1024, OIDC_WHY_ROOM = 256 };

enum oidc_outcome {
    OIDC_ADMITTED,
    OIDC_REFUSED,  /* no token of this provider, or somebody else's */
    OIDC_EXPIRED,  /* it was good, and its time is over */
    OIDC_REPLAYED, /* it was used from another address, or is used up */
    OIDC_AWAY,     /* it cannot be judged now: the provider's keys are not known */
};

struct oidc_login {
    const struct policy_oidc *oidc; /* what the agent's token must be */
    bool nobody; /* the name is not in the policy: good tokens are refused, too */
    struct slice token;
    struct in6_addr address;
    unsigned worker; /* who asks: comes back with the answer */
    uint64_t session;
};

struct oidc_answer {
    unsigned worker;
    uint64_t session;
    enum oidc_outcome outcome;
    struct credential credential; /* of an admitted and of a replayed one */
    char why[OIDC_WHY_ROOM];      /* for the log: not for who has shown nothing that is true */
};
typedef void oidc_answer_fn(void *context, const struct oidc_answer *answer);

struct oidc_desk;
/* Begins to fetch the keys at once. config is borrowed and has providers. */
MUST_USE enum status oidc_desk_open(const struct config *config, oidc_answer_fn *answer,
                                    void *context, struct oidc_desk **desk, struct error *error);
/* Gives up what is under way; no answer comes any more. NULL is fine. */
void oidc_desk_close(struct oidc_desk *desk);
/* A token that has opened a session before this start is bound to that address, and used, until it
 * ends. id: its credential's. Before anybody asks; times in order, the first address counts. */
void oidc_desk_remember(struct oidc_desk *desk, struct slice id, const struct in6_addr *address,
                        int64_t expires_ns);
/* Copies what it is given. STATUS_LIMIT 53400 where too many wait, STATUS_INVALID for a provider
 * that is not configured: then there will be no answer. */
MUST_USE enum status oidc_desk_ask(struct oidc_desk *desk, const struct oidc_login *login,
                                   struct error *error);

/* STATUS_INVALID where an agent's provider is not in the configuration. */
MUST_USE enum status oidc_check_policy(const struct config *config, const struct policy *policy,
                                       struct error *error);

/* ---- for staff: what would a token be? ---- */

struct oidc_check;
struct oidc_finding {
    bool good;        /* this agent's (without one: the provider's) */
    bool of_provider; /* it is good, and somebody else's */
    char id[CREDENTIAL_ID_ROOM];
    int64_t expires_s;
    char why[OIDC_WHY_ROOM]; /* not good */
};
/* Fetches the provider's keys now; waits. */
MUST_USE enum status oidc_check_open(const struct config_oidc *provider, struct oidc_check **check,
                                     struct error *error);
void oidc_check_close(struct oidc_check *check);
/* oidc NULL: is it a token of the provider at all? */
MUST_USE enum status oidc_check_ask(struct oidc_check *check, const struct policy_oidc *oidc,
                                    struct slice token, struct oidc_finding *finding,
                                    struct error *error);

#endif
