/* Fuzz target: a revocation list, as it lies in a file. The authority has signed the seeds. */
#include <string.h>

#include <openssl/err.h>

#include "base/check.h"
#include "identity/crl.h"
#include "identity/openssl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char authority[] = "-----BEGIN CERTIFICATE-----\n"
                                "MIIBijCCAS+gAwIBAgIUAsk2IBDg4DReaSxvF9QV+Yqo5nkwCgYIKoZIzj0EAwIw\n"
                                "EjEQMA4GA1UEAwwHZnV6eiBDQTAeFw0yNjExMjMwNzExMjhaFw0yNjEyMjMwNzEx\n"
                                "MjhaMBIxEDAOBgNVBAMMB2Z1enogQ0EwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC\n"
                                "AAT3WD91AnsSh5yFR04J5ijkyK+EtOrveFDVNkJANTAsfuA82GL49J7vvr7LNpLG\n"
                                "7EMJzDNa4rIUonMkUUIu6339o2MwYTAdBgNVHQ4EFgQUWJMXidUl5SCJq28PkGlJ\n"
                                "gX3WL6IwHwYDVR0jBBgwFoAUWJMXidUl5SCJq28PkGlJgX3WL6IwDwYDVR0TAQH/\n"
                                "BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAQYwCgYIKoZIzj0EAwIDSQAwRgIhAKPDt9lv\n"
                                "miChQP+OhpgoinNYJO+bwBjiG2AKQK5KQgoNAiEA4fMnoL7l0rRpa5Y1ZwdbaLZj\n"
                                "RhjAV1fE5gYGxl0weoM=\n"
                                "-----END CERTIFICATE-----\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static STACK_OF(X509) * authorities;
    struct crl *list = NULL;
    struct error error;
    if (authorities == NULL) {
        authorities = sk_X509_new_null();
        CHECK(sk_X509_push(authorities, openssl_read_certificate(slice_of_text(authority))) == 1);
    }
    enum status status = crl_read(slice_of(data, size), authorities, INT64_MAX / 2, &list, &error);
    CHECK((status == STATUS_OK) == (list != NULL));
    for (const struct crl *crl = list; crl != NULL; crl = crl->next)
        for (size_t i = 0; i < crl->count; i++) {
            CHECK(crl_has(crl, &crl->serials[i]));
            CHECK(i == 0 || memcmp(&crl->serials[i - 1], &crl->serials[i], 20) <= 0);
        }
    CHECK(ERR_peek_error() == 0);
    crl_free(list);
    return 0;
}
