/* What a certificate says of itself, for people and for naming it. Nothing is verified here: no
 * chain, no signature, no date. No state, any thread. */
#ifndef COFFERDAM_IDENTITY_DESCRIBE_H
#define COFFERDAM_IDENTITY_DESCRIBE_H

#include "identity/credential.h"

enum { DESCRIPTION_NAME_ROOM = 512 };

struct description {
    struct credential credential; /* serial, issuer and end */
    int64_t not_before_ns;        /* INT64_MIN: before 1970, or no time */
    char subject[DESCRIPTION_NAME_ROOM], issuer[DESCRIPTION_NAME_ROOM]; /* RFC 2253, cut if long */
    char names[DESCRIPTION_NAME_ROOM]; /* "URI:spiffe://…, DNS:…" */
    char key[32];                      /* "P-256", "Ed25519", … */
    char fingerprint[65];              /* SHA-256 of the certificate (DER), hex */
    char own_name[65];                 /* SHA-256 of its subject: what it issues has this issuer */
    bool authority;
};

/* From PEM (the first certificate in it) or DER. STATUS_INVALID 22023 if it is none. */
MUST_USE enum status identity_describe(struct slice bytes, struct description *description,
                                       struct error *error);

#endif
