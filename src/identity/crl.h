/* Certificate revocation lists (RFC 5280, section 5) of the authorities that we trust: complete,
 * direct, signed by the CA itself. What could mean anything else is refused, since an entry that
 * is not understood may be the one that matters. Immutable once read. Private to identity/. */
#ifndef COFFERDAM_IDENTITY_CRL_H
#define COFFERDAM_IDENTITY_CRL_H

#include <openssl/x509.h>
#include <stdbool.h>

#include "base/buffer.h"
#include "base/status.h"

enum {
    CRL_FILE_BYTES = 32 * 1024 * 1024,
    CRL_MOST_ENTRIES = 1000000,
    CRL_MOST_IN_FILE = 64,
    CRL_SERIAL_BYTES = 20, /* RFC 5280, 4.1.2.2 */
};

/* A number of up to 20 octets, zeros in front: as bytes they compare as numbers. */
struct crl_serial {
    uint8_t octets[CRL_SERIAL_BYTES];
};
/* False if it is negative or longer. */
bool crl_serial_of(const ASN1_INTEGER *number, struct crl_serial *serial);

struct crl {
    struct crl *next;
    uint8_t issuer_key[32]; /* SHA-256 of the CA's SubjectPublicKeyInfo (DER) */
    uint8_t sha256[32];     /* of the list (DER) */
    int64_t this_update_ns, next_update_ns;
    struct crl_serial number;
    struct crl_serial *serials; /* ascending */
    size_t count;
    bool told_end; /* its reader has said that it has ended */
    char issuer[128];
};

/* SHA-256 of the key (DER of its SubjectPublicKeyInfo). */
bool crl_key_hash(const X509 *certificate, uint8_t hash[static 32]);

/* All CRLs in a file's bytes, PEM or DER, put in front of *list; each is judged by its form and
 * verified with the key of one of the authorities. On failure *list is as it was. */
MUST_USE enum status crl_read(struct slice bytes, STACK_OF(X509) * authorities, int64_t now_ns,
                              struct crl **list, struct error *error);
void crl_free(struct crl *list); /* the whole list; NULL is fine */
bool crl_has(const struct crl *crl, const struct crl_serial *serial);

#endif
