/* The issuer: a process that renews certificates for agents, and how the gateway asks it
 * (docs/decisions/0024). It holds the CA's key, the open issued.csv and a Unix socket, and nothing
 * else. Invariant: it serves nobody but the gateway's user, and believes nothing that the gateway
 * says: identity/renewal.h judges.
 * Threads: the issuer has one; issuer_ask() may be called by any, and waits. */
#ifndef COFFERDAM_ISSUER_ISSUER_H
#define COFFERDAM_ISSUER_ISSUER_H

#include "identity/renewal.h"

enum {
    ISSUER_REQUEST_BYTES = 16 * 1024,
    ISSUER_SIGNATURE_BYTES = 512,
    ISSUER_PEM_BYTES = 32 * 1024
};

struct issuer_options {
    struct identity_ca *ca; /* borrowed */
    const char *socket;
    const char *gateway_user; /* who may connect */
    const char *user;         /* to become; NULL: stay, unless that is root */
    struct identity_renewal_bounds bounds;
};
/* Runs until SIGTERM or SIGINT. The process is confined, even where this fails. */
MUST_USE enum status issuer_serve(const struct issuer_options *options, struct error *error);

struct issuer_question {
    struct slice certificate; /* of the session, DER */
    struct slice request;     /* as the agent wrote it: a CSR in PEM */
    struct slice signature;   /* as the agent wrote it: base64 */
    int64_t human_most_ns;    /* what the policy allows */
};
struct issuer_answer {
    char renews[CREDENTIAL_ID_ROOM], origin[CREDENTIAL_ID_ROOM];
    int64_t until_ns;
    bool again;
    struct buffer certificate; /* PEM; the caller's, initialised */
};
/* STATUS_IO where no issuer answers in time. Otherwise as it was decided: see identity_renew(). */
MUST_USE enum status issuer_ask(const char *socket, const struct issuer_question *question,
                                struct issuer_answer *answer, struct error *error);

#endif
