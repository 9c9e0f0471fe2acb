/* Names of what proves an identity. */
#include "identity/credential.h"

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
