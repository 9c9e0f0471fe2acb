/* Names of what proves an identity. */
#include "identity/credential.h"

#include "crypto/crypto.h"

bool credential_is_named(const struct credential *credential)
{
    return credential->id[0] != '\0';
}

const char *credential_kind_name(enum credential_kind kind)
{
    switch (kind) {
    case CREDENTIAL_CERTIFICATE:
        return "certificate";
    case CREDENTIAL_TOKEN:
        return "token";
    case CREDENTIAL_PASSWORD:
        return "password";
    case CREDENTIAL_STAFF:
        return "staff";
    case CREDENTIAL_NONE:
        break;
    }
    return "none";
}

void credential_of_password(struct slice salt, struct credential *credential)
{
    enum { NAME_BYTES = 16 };
    struct slice parts[] = {slice_of_text("cofferdam password\n"), salt};
    uint8_t digest[CRYPTO_SHA256_BYTES];
    crypto_sha256(parts, 2, digest);
    *credential = (struct credential){.kind = CREDENTIAL_PASSWORD, .expires_ns = INT64_MAX};
    crypto_hex(digest, NAME_BYTES, credential->id);
}
