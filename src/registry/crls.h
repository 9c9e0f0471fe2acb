/* The newest revocation list (CRL) that was seen of each authority: over restarts, too, none older
 * counts, whoever puts one back. In memory in front of the registry's file; thread-safe. */
#ifndef COFFERDAM_REGISTRY_CRLS_H
#define COFFERDAM_REGISTRY_CRLS_H

#include "registry/registry.h"

enum {
    CRLS_KEY_BYTES = 32,
    CRLS_NUMBER_BYTES = 20, /* RFC 5280, 5.2.3 */
    CRLS_ISSUER_ROOM = 128,
    CRLS_MOST = 4096, /* authorities */
};

struct crl_seen {
    uint8_t authority[CRLS_KEY_BYTES]; /* SHA-256 of its SubjectPublicKeyInfo (DER) */
    uint8_t number[CRLS_NUMBER_BYTES]; /* zeros: the list has none */
    uint8_t sha256[CRLS_KEY_BYTES];    /* of the list (DER) */
    int64_t this_update_ns;            /* when it was made, as it says */
    int64_t seen_ns;                   /* when it was taken here */
    char issuer[CRLS_ISSUER_ROOM];     /* the authority's name, for people */
};

/* What was seen of the authority; false: no list was. */
bool crls_find(struct registry *registry, const uint8_t authority[static CRLS_KEY_BYTES],
               struct crl_seen *seen);
/* Puts it in the place of what was seen of its authority: in memory whatever the disk says. A
 * failure is the store's, or STATUS_LIMIT; crls_settle() tries the store again. */
MUST_USE enum status crls_note(struct registry *registry, const struct crl_seen *seen,
                               struct error *error);
MUST_USE enum status crls_settle(struct registry *registry, struct error *error);
/* From now on any list of the authority counts. In force once it is stored. STATUS_NOT_FOUND: there
 * is nothing to forget. */
MUST_USE enum status crls_forget(struct registry *registry,
                                 const uint8_t authority[static CRLS_KEY_BYTES],
                                 struct error *error);
/* Until take returns false; seen is borrowed for the call, which must not call back. */
void crls_each(struct registry *registry, bool (*take)(void *context, const struct crl_seen *seen),
               void *context);

#endif
