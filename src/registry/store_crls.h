/* The registry's table of revocation lists that were seen. Private to registry/; the writer's lock
 * is held. */
#ifndef COFFERDAM_REGISTRY_STORE_CRLS_H
#define COFFERDAM_REGISTRY_STORE_CRLS_H

#include "registry/crls.h"
#include "registry/store.h"

/* Stops at take's first failure. STATUS_CORRUPT for a row that cannot be one. */
MUST_USE enum status store_read_crls(struct store *store,
                                     enum status (*take)(void *context, const struct crl_seen *seen,
                                                         struct error *error),
                                     void *context, struct error *error);
/* Adds it, or puts it in the place of its authority's. */
MUST_USE enum status store_put_crl(struct store *store, const struct crl_seen *seen,
                                   struct error *error);
MUST_USE enum status store_forget_crl(struct store *store, const uint8_t *authority,
                                      struct error *error);

#endif
