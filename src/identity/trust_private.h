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
    uint8_t (*missing)[32]; /* keys of which a list was seen, and none that is as new is here */
    size_t missing_count;
};

struct trust {
    const struct config *config;
    struct registry *registry; /* NULL: what was seen is not kept */
    uint8_t seen[32]; /* fingerprint of the files as they were last read; refreshing thread */
    pthread_rwlock_t lock;
    struct state *state; /* lock */
    _Atomic uint64_t generation;
};

/* By the number, which never goes back (RFC 5280, 5.2.3), whatever the list says of its time; by
 * the time where one of them has no number. */
bool trust_is_older(const struct crl *crl, const struct crl *than);

/* ---- trust_seen.c ---- */
/* Room for what is missing, where lists are looked at at all. */
MUST_USE enum status trust_seen_room(const struct config *config, struct state *state,
                                     struct error *error);
/* Drops what is older than what was seen, and finds what is missing then. */
void trust_seen_judge(struct state *state, struct registry *registry);
/* Keeps what is newer. */
void trust_seen_note(const struct state *state, struct registry *registry);

bool trust_hash_certificate(const X509 *certificate, uint8_t hash[static 32]);
bool trust_hash_subject(const X509 *certificate, uint8_t hash[static 32]);

/* Outside of TLS: does the certificate, with others that came along (or NULL), chain to an
 * authority now, as a client's? STATUS_DENIED 28000 if not. */
MUST_USE enum status trust_verify(struct trust *trust, X509 *certificate, STACK_OF(X509) * others,
                                  struct trust_chain *chain, struct error *error);

#endif
