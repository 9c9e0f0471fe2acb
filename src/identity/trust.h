/* Trust: which authority may speak for which partner, and what their CRLs say. TLS has verified the
 * chain by then; here it is asked whether that chain may prove this agent, and asked again for as
 * long as the session lives. Readers share a lock that is held for a look-up; one thread refreshes.
 * Invariant: what cannot be read leaves the last good state in force, and a CRL in it that has
 * ended refuses all certificates of its CA. */
#ifndef COFFERDAM_IDENTITY_TRUST_H
#define COFFERDAM_IDENTITY_TRUST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"
#include "policy/config.h"

enum { TRUST_CHAIN_LINKS = 8 };

/* A certificate in a chain: SHA-256 of its DER, of its key (SubjectPublicKeyInfo), of its name. */
struct trust_link {
    uint8_t certificate[32], key[32], subject[32];
    uint8_t serial[20];
};
/* A verified chain, the holder's certificate first, each followed by its issuer's. */
struct trust_chain {
    size_t count;
    int64_t expires_ns; /* when the first of them ends */
    struct trust_link links[TRUST_CHAIN_LINKS];
};
/* ders: the certificates, one behind the other. STATUS_INVALID if they are none, or too many. */
MUST_USE enum status trust_chain_read(struct slice ders, struct trust_chain *chain,
                                      struct error *error);

struct registry;
struct trust; /* owned */
/* Reads listen.client_ca, .authorities and .crls; config is borrowed for its life. A file that does
 * not hold is a failure here. registry (borrowed; NULL: none) knows the newest lists that were seen
 * before: an authority whose list is older or gone lets nobody in. */
MUST_USE enum status trust_open(const struct config *config, struct registry *registry,
                                struct trust **trust, struct error *error);
void trust_close(struct trust *trust); /* NULL is fine */
/* Reads the files again if one of them has changed. What does not hold is logged, and the last that
 * did stays. True if anything changed. One thread at a time. */
bool trust_refresh(struct trust *trust);
/* From now on the lists of this authority (SHA-256 of its key) that are in the files count,
 * whatever was seen before. On failure nothing has changed: a file does not hold, or the
 * registry's. STATUS_NOT_FOUND: none was seen. Not beside trust_refresh(). */
MUST_USE enum status trust_reset(struct trust *trust, const uint8_t authority[static 32],
                                 struct error *error);
/* Is a list of this authority in force, be it past its end? */
bool trust_has_list(struct trust *trust, const uint8_t authority[static 32]);
/* Grows with every change. */
uint64_t trust_generation(const struct trust *trust);

/* May this chain prove an agent of this partner? issuer: the authority that the policy wants; or
 * NULL. False also when an authority in the chain is trusted no longer. */
bool trust_speaks_for(struct trust *trust, const struct trust_chain *chain, const char *partner,
                      const char *issuer);
/* Is nothing in the chain revoked, by lists that are in force? STATUS_DENIED 57P01 if not. Until
 * *until_ns, or the next generation, the answer stays STATUS_OK. */
MUST_USE enum status trust_check_revocation(struct trust *trust, const struct trust_chain *chain,
                                            int64_t now_ns, int64_t *until_ns, struct error *error);
/* Does a list say that something in the chain is revoked? */
bool trust_is_listed(struct trust *trust, const struct trust_chain *chain);

#endif
