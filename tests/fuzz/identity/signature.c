/* Fuzz target: a partner's signature over a document (CMS), before an authority that has signed the
 * seeds' certificate. Whatever is sent proves nothing of another document or another agent. */
#include <pthread.h>
#include <string.h>

#include <openssl/err.h>

#include "base/check.h"
#include "crypto/crypto.h"
#include "identity/identity.h"
#include "identity/openssl.h"
#include "identity/trust_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char authority_pem[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBijCCATGgAwIBAgIUXd0uwxAGVL4j4I77y8i0FdrTKcEwCgYIKoZIzj0EAwIw\n"
    "EjEQMA4GA1UEAwwHZnV6eiBDQTAgFw0yNjExMjMwOTE2MzJaGA8yMTI2MTAzMDA5\n"
    "MTYzMlowEjEQMA4GA1UEAwwHZnV6eiBDQTBZMBMGByqGSM49AgEGCCqGSM49AwEH\n"
    "A0IABCudTX7A9AZu6PNpm+cJVCEAm2MXJQOYr3vfBbRAN8cWomywehSSLhSqgTAZ\n"
    "eBFBdwa2buZIqW6qPmttqHJ1LgajYzBhMB0GA1UdDgQWBBQVCQMjGYkhBSBeYW+5\n"
    "TxqrwyiQRTAfBgNVHSMEGDAWgBQVCQMjGYkhBSBeYW+5TxqrwyiQRTAOBgNVHQ8B\n"
    "Af8EBAMCAQYwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiBCSMXd\n"
    "0MRKSv8piRWGTUViv8+T2mkYpzKEPQqgrRcIkAIgJIWNZ0AHesLezZLXAZIWh8Vb\n"
    "8LKl/UtfpNdcScHQ/W0=\n"
    "-----END CERTIFICATE-----\n";

/* The authority, in memory: as trust_open() would have read it. */
static struct trust *open_trust(void)
{
    static const struct config config;
    static struct authority authority = {.named = SIZE_MAX};
    static struct state state = {.authorities = &authority, .count = 1};
    static struct trust trust = {.config = &config, .state = &state};
    X509 *certificate = openssl_read_certificate(slice_of_text(authority_pem));
    CHECK(certificate != NULL && pthread_rwlock_init(&trust.lock, NULL) == 0);
    CHECK(trust_hash_certificate(certificate, authority.certificate) &&
          trust_hash_subject(certificate, authority.subject) &&
          crl_key_hash(certificate, authority.key));
    state.certificates = sk_X509_new_null();
    CHECK(sk_X509_push(state.certificates, certificate) == 1);
    return &trust;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct trust *trust;
    static const struct slice document = {(const uint8_t *)"the document", 12};
    struct policy_agent agents[] = {
        {.login = "clinic.other", .certificate = "spiffe://clinic/other"},
        {.login = "clinic.app", .certificate = "spiffe://clinic/app"}};
    const struct policy_partner partner = {.name = "clinic", .agents = agents, .agent_count = 2};
    const struct policy_partner stranger = {.name = "shop", .agents = agents, .agent_count = 1};
    struct identity_signature signature;
    struct error error;
    uint8_t digest[32];
    if (trust == NULL)
        trust = open_trust();
    crypto_sha256(&document, 1, digest);
    struct slice bytes = slice_of(data, size);
    if (identity_check_signature(bytes, digest, trust, &partner, &signature, &error) == STATUS_OK) {
        CHECK(signature.agent == &agents[1] && credential_is_named(&signature.credential));
        CHECK(strlen(signature.certificate_sha256) == 64);
        CHECK(identity_check_signature(bytes, digest, trust, &stranger, &signature, &error) !=
              STATUS_OK);
    }
    digest[0] ^= 1;
    CHECK(identity_check_signature(bytes, digest, trust, &partner, &signature, &error) !=
          STATUS_OK);
    CHECK(ERR_peek_error() == 0);
    return 0;
}
