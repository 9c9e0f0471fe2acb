/* Revocations: single certificates and tokens that are never accepted again. Thread-safe.
 * A credential is named by its issuer (SHA-256 of the issuer's name) and an id (identity's
 * credential.h): a certificate's serial, a token's hash. Final: nothing takes one back. */
#ifndef COFFERDAM_REGISTRY_REVOCATIONS_H
#define COFFERDAM_REGISTRY_REVOCATIONS_H

#include "registry/registry.h"

enum { REVOCATION_ISSUER_BYTES = 32, REVOCATION_ID_BYTES = 64 };

struct credential_name {
    const uint8_t *issuer; /* REVOCATION_ISSUER_BYTES */
    const char *id;        /* 1 to REVOCATION_ID_BYTES lower-case hexadecimal digits */
};

/* In force in memory the moment it returns, whatever the disk says; the status tells whether it was
 * also stored (STATUS_INVALID: the id is none, nothing is changed). Revoking twice keeps the first.
 * Makes registry_generation grow. */
MUST_USE enum status registry_revoke(struct registry *registry, const struct credential_name *name,
                                     const char *reason, const char *by, int64_t now_ns,
                                     struct error *error);
bool registry_revoked(struct registry *registry, const uint8_t issuer[static 32], const char *id);
/* issuer, id, since, reason, by, stored; oldest first. */
void registry_list_revoked(struct registry *registry, struct table *table);

#endif
