/* What proved an identity: kept by a session for as long as it lives, so that it can be asked
 * again whether that still proves it, and named by staff who revoke it. No state, any thread. */
#ifndef COFFERDAM_IDENTITY_CREDENTIAL_H
#define COFFERDAM_IDENTITY_CREDENTIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"

enum credential_kind {
    CREDENTIAL_NONE, /* nothing has been proven yet */
    CREDENTIAL_CERTIFICATE,
    CREDENTIAL_TOKEN,
    CREDENTIAL_PASSWORD,
    CREDENTIAL_STAFF, /* a delivery: staff act for the partner, known by their socket */
};

/* A serial number has at most 20 octets (RFC 5280, 4.1.2.2). */
enum { CREDENTIAL_ID_ROOM = 2 * 20 + 1 };

struct credential {
    enum credential_kind kind;
    int64_t expires_ns; /* INT64_MAX: it does not end by itself */
    /* What staff call it: a certificate's serial number in lower-case hex, without leading zeros;
     * of a token 32 hex digits of SHA-256 over issuer and id; of a password as many over its salt,
     * which is new with each password, and which whoever begins a login is told anyway. */
    char id[CREDENTIAL_ID_ROOM];
    uint8_t issuer[32]; /* SHA-256 of the issuer's name (DER), or of a token's `iss`; or zeros */
};

/* Has it a name by which staff can mean it alone? */
bool credential_is_named(const struct credential *credential);
const char *credential_kind_name(enum credential_kind kind); /* "certificate", … */

/* Of a password whose verifier has this salt: it does not end by itself. */
void credential_of_password(struct slice salt, struct credential *credential);

/* Of a certificate that was verified. STATUS_INVALID 28000 for bytes that are none and for a serial
 * number that is longer than RFC 5280 allows or negative. */
MUST_USE enum status credential_of_certificate(struct slice der, struct credential *credential,
                                               struct error *error);

#endif
