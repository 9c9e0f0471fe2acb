/* base64url without padding (RFC 7515, 2), strictly: one text for each value. Otherwise a token
 * could be written in several ways and be taken for several. No state, any thread. */
#ifndef COFFERDAM_OIDC_BASE64URL_H
#define COFFERDAM_OIDC_BASE64URL_H

#include "base/buffer.h"
#include "base/status.h"

/* Appends the bytes. STATUS_INVALID for anything that is not the canonical form. */
MUST_USE enum status base64url_decode(struct slice text, struct buffer *out);

#endif
