/* The registry's table of revoked credentials. Private to registry/; the writer's lock is held. */
#ifndef COFFERDAM_REGISTRY_STORE_REVOCATIONS_H
#define COFFERDAM_REGISTRY_STORE_REVOCATIONS_H

#include "registry/store.h"

struct store_revocation {
    const char *issuer; /* 64 lower-case hexadecimal digits */
    const char *id, *reason, *by;
    int64_t since_ns;
};

/* Calls take for each, oldest first; stops at its first failure. Texts are borrowed for the call.
 */
MUST_USE enum status
store_read_revocations(struct store *store,
                       enum status (*take)(void *context, const struct store_revocation *entry),
                       void *context, struct error *error);
/* Adds the entry; keeps one that is there already. */
MUST_USE enum status store_revoke(struct store *store, const struct store_revocation *entry,
                                  struct error *error);

#endif
