/* The requests' table in the registry's file. Private to registry/. */
#ifndef COFFERDAM_REGISTRY_STORE_REQUESTS_H
#define COFFERDAM_REGISTRY_STORE_REQUESTS_H

#include "registry/requests.h"
#include "registry/store.h"

/* Oldest first; stops at take's first failure. STATUS_CORRUPT for a row that cannot be one. */
MUST_USE enum status store_read_requests(struct store *store,
                                         enum status (*take)(void *context,
                                                             const struct request *request),
                                         void *context, struct error *error);
/* Adds the request, or puts it in the place of the one with its id. */
MUST_USE enum status store_put_request(struct store *store, const struct request *request,
                                       struct error *error);
/* Forgets those with these ids, all or none. */
MUST_USE enum status store_forget_requests(struct store *store, const uint64_t *ids, size_t count,
                                           struct error *error);

#endif
