/* Renewal: a certificate for a new key, on the word of the old one's, without a human
 * (docs/decisions/0024). Everything that is asked is judged here, by the certificate itself, the
 * signature and issued.csv: who passes a request on is not believed. One thread each. */
#ifndef COFFERDAM_IDENTITY_RENEWAL_H
#define COFFERDAM_IDENTITY_RENEWAL_H

#include "identity/authority.h"

/* SQLSTATE of a second request under one certificate: two have its key. */
#define RENEWAL_TWO_HOLDERS "42710"

struct identity_renewal {
    struct slice certificate; /* the old one, DER */
    struct slice request;     /* CSR, PEM or DER */
    struct slice signature;   /* of the request's DER by the old key: ECDSA with SHA-256, as DER
                                 (RFC 3279), or Ed25519 (RFC 8032) */
    int64_t human_most_ns;    /* as human_most_ns below; the shorter one counts */
};
struct identity_renewal_bounds {
    unsigned last_percent;    /* of its life, in which it may be renewed: 1 to 100 */
    int64_t lifetime_most_ns; /* INT64_MAX: as long as the old one's */
    int64_t human_most_ns;    /* from when a human issued the first of the line to the last's end */
};

struct identity_renewed {
    struct description made;
    char renews[CREDENTIAL_ID_ROOM], origin[CREDENTIAL_ID_ROOM]; /* serials; see authority.h */
    int64_t until_ns; /* no renewal of this line ends later */
    bool again;       /* it was made before, for the same request */
};

/* Appends the certificate as PEM, with the CA's behind it where that is no root. It is in
 * issued.csv before this returns. STATUS_DENIED or STATUS_INVALID with the reason; 42710 as above.
 */
MUST_USE enum status identity_renew(const struct identity_ca *ca,
                                    const struct identity_renewal *asked,
                                    const struct identity_renewal_bounds *bounds,
                                    struct identity_renewed *renewed, struct buffer *pem,
                                    struct error *error);

#endif
