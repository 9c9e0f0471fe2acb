/* Private to registry/: what is behind a struct registry, for the files that each keep one kind of
 * thing in it.
 * Threads: `writer` serialises everything that writes the store; what is in memory has locks of its
 * own. Whoever changes anything that ends a session makes `generation` grow, after the change. */
#ifndef COFFERDAM_REGISTRY_REGISTRY_PRIVATE_H
#define COFFERDAM_REGISTRY_REGISTRY_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "registry/registry.h"
#include "registry/store.h"

struct crls;
struct entry;
struct requests;
struct revocations;

struct registry {
    pthread_rwlock_t lock;
    pthread_mutex_t writer;
    struct store *store;   /* writer */
    struct entry *entries; /* lock; in order of time */
    atomic_size_t count;
    struct revocations *revocations;
    struct requests *requests;
    struct crls *crls;
    _Atomic uint64_t generation;
};

/* ---- revocations.c ---- */
MUST_USE enum status revocations_open(struct store *store, struct revocations **revocations,
                                      struct error *error);
void revocations_close(struct revocations *revocations); /* NULL is fine */
/* Under `writer`: stores those that could not be stored when they were made. */
MUST_USE enum status revocations_store_late(struct registry *registry, struct error *error);

/* ---- crls.c ---- */
MUST_USE enum status crls_open(struct store *store, struct crls **crls, struct error *error);
void crls_free(struct crls *crls); /* NULL is fine */

/* ---- requests.c ---- */
MUST_USE enum status requests_open(struct store *store, struct requests **requests,
                                   struct error *error);
void requests_free(struct requests *requests); /* NULL is fine */
/* At the start: closes what a containment, or an approval under a clock in the future, left open.
 */
void requests_mend(struct registry *registry);
/* Under `writer`: stores ends that could not be stored then. */
MUST_USE enum status requests_store_ended(struct registry *registry, struct error *error);

#endif
