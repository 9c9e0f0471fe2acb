/* Roster: the agents of a policy by login, with how each proves itself, and the verifiers of their
 * passwords. Invariant: what is found for a name that has no way to log in looks like what is found
 * for one that has, takes as long, and stays the same over restarts; decision 0026.
 * Verifiers are read from their files and read again when those have changed. Thread-safe. */
#ifndef COFFERDAM_IDENTITY_ROSTER_H
#define COFFERDAM_IDENTITY_ROSTER_H

#include <stdbool.h>

#include "base/status.h"
#include "policy/policy.h"
#include "wire/scram.h"

struct roster;

/* Of all agents of the policy, which must outlive it. secret is copied; stable per server. Files
 * that cannot be used are logged. */
MUST_USE enum status roster_open(const struct policy *policy, struct slice secret,
                                 struct roster **roster, struct error *error);
void roster_close(struct roster *roster); /* NULL is fine */

/* What a login that is not proven by a certificate is asked for. */
enum roster_method { ROSTER_SCRAM, ROSTER_TOKEN };

/* Which password a verifier is of: a keyed hash of all of it, stable over reloads and restarts. It
 * is compared, and written nowhere. */
enum { ROSTER_PASSWORD_BYTES = 32 };

struct roster_found {
    const struct policy_partner *partner; /* NULL with agent */
    const struct policy_agent *agent;     /* NULL: nobody is called so */
    enum roster_method method;
    bool known; /* the agent has this method; else nothing proves it, and the verifier is a mock */
    struct scram_verifier verifier;          /* of ROSTER_SCRAM; the caller wipes it */
    uint8_t password[ROSTER_PASSWORD_BYTES]; /* of that verifier */
    const struct policy_oidc *oidc; /* of ROSTER_TOKEN; the neighbour's where it is not known */
};
void roster_find(struct roster *roster, const char *login, struct roster_found *found);

/* What has become of the password that an agent logged in by? Looks at its file. */
enum roster_password { ROSTER_SAME, ROSTER_CHANGED, ROSTER_GONE };
enum roster_password roster_password_now(struct roster *roster, const char *login,
                                         const uint8_t password[static ROSTER_PASSWORD_BYTES]);

#endif
