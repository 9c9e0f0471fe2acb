/* Private to identity/: the state of trust.h, read by trust.c and asked by trust_chain.c. */
#ifndef COFFERDAM_IDENTITY_TRUST_PRIVATE_H
#define COFFERDAM_IDENTITY_TRUST_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include <openssl/x509.h>

#include "identity/crl.h"
#include "identity/trust.h"

/* A certificate of an authority: SHA-256 of it, of its key and of its name. named: which of the
 * configuration's; SIZE_MAX: of client_ca. */
struct authority {
    uint8_t certificate[32], key[32], subject[32];
    size_t named;
};

struct state {
    STACK_OF(X509) * certificates; /* parallel to authorities */
    struct authority *authorities;
    size_t count;
    struct crl *crls;
};

struct trust {
    const struct config *config;
    uint8_t seen[32]; /* fingerprint of the files as they were last read; refreshing thread */
    pthread_rwlock_t lock;
    struct state *state; /* lock */
    _Atomic uint64_t generation;
};

bool trust_hash_certificate(const X509 *certificate, uint8_t hash[static 32]);
bool trust_hash_subject(const X509 *certificate, uint8_t hash[static 32]);

/* Outside of TLS: does the certificate, with others that came along (or NULL), chain to an
 * authority now, as a client's? STATUS_DENIED 28000 if not. */
MUST_USE enum status trust_verify(struct trust *trust, X509 *certificate, STACK_OF(X509) * others,
                                  struct trust_chain *chain, struct error *error);

#endif
