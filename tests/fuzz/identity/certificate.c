/* Fuzz target: certificates, one or a chain in DER, or PEM: those that other authorities have
 * signed say what their holders like. Whom a certificate proves is what its DER has in it. */
#include <string.h>

#include <openssl/err.h>

#include "base/check.h"
#include "identity/describe.h"
#include "identity/identity.h"
#include "identity/trust.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_names(struct slice der)
{
    static const char *const names[] = {"spiffe://clinic/app", "app"};
    struct error error;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct policy_agent agent = {.login = "clinic.app", .certificate = names[i]};
        if (identity_check_certificate(&agent, der, &error) == STATUS_OK)
            CHECK(memmem(der.data, der.len, names[i], strlen(names[i])) != NULL || i == 1);
    }
    const struct policy_agent none = {.login = "clinic.app"};
    CHECK(identity_check_certificate(&none, der, &error) != STATUS_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct description description;
    struct credential credential;
    struct trust_chain chain;
    struct error error;
    struct slice bytes = slice_of(data, size);
    check_names(bytes);
    if (credential_of_certificate(bytes, &credential, &error) == STATUS_OK) {
        CHECK(credential_is_named(&credential) && credential.expires_ns >= 0);
        CHECK(strspn(credential.id, "0123456789abcdef") == strlen(credential.id));
    } else {
        CHECK(!credential_is_named(&credential));
    }
    if (trust_chain_read(bytes, &chain, &error) == STATUS_OK)
        CHECK(chain.count >= 1 && chain.count <= TRUST_CHAIN_LINKS && chain.expires_ns >= 0);
    if (identity_describe(bytes, &description, &error) == STATUS_OK) {
        CHECK(memchr(description.subject, '\0', sizeof description.subject) != NULL);
        CHECK(memchr(description.names, '\0', sizeof description.names) != NULL);
        CHECK(description.not_before_ns == INT64_MIN || description.not_before_ns >= 0);
        CHECK(strlen(description.fingerprint) == 64 && strlen(description.own_name) == 64);
    }
    CHECK(ERR_peek_error() == 0);
    return 0;
}
