/* What a verified certificate says about its holder. The chain, the dates and the purpose have
 * been judged by TLS before; here only the name is compared and the end read.
 * Invariant: names are compared whole, as bytes with their lengths, so a NUL inside one or a
 * second one beside it proves nothing. No state, any thread. */
#include "identity/identity.h"

#include <limits.h>
#include <string.h>
#include <time.h>

#include <openssl/x509v3.h>

#include "identity/openssl.h"

static const int64_t ns_per_second = 1000000000;

/* The whole of der and nothing behind it; NULL otherwise. Returns owned. */
static X509 *read_der(struct slice der)
{
    const unsigned char *at = der.data;
    if (der.len == 0 || der.len > LONG_MAX)
        return NULL;
    X509 *certificate = d2i_X509(NULL, &at, (long)der.len);
    if (certificate != NULL && at == der.data + der.len)
        return certificate;
    X509_free(certificate);
    ERR_clear_error();
    return NULL;
}

static bool same_text(const ASN1_STRING *string, const char *text)
{
    struct slice bytes =
        slice_of(ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string));
    return slice_equal(bytes, slice_of_text(text));
}

/* SPIFFE wants exactly one URI in a certificate (X.509-SVID, section 2), and so do we for every
 * scheme: an identity must not depend on which of several is looked at. */
static bool has_uri(const X509 *certificate, const char *uri)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    int uris = 0, matches = 0;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_URI)
            continue;
        uris++;
        matches += same_text(name->d.uniformResourceIdentifier, uri);
    }
    GENERAL_NAMES_free(names);
    ERR_clear_error();
    return uris == 1 && matches == 1;
}

static bool has_common_name(const X509 *certificate, const char *common_name)
{
    const X509_NAME *subject = X509_get_subject_name(certificate);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0)
        return false;
    unsigned char *text;
    int len =
        ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    if (len < 0) {
        ERR_clear_error();
        return false;
    }
    bool same = slice_equal(slice_of(text, (size_t)len), slice_of_text(common_name));
    OPENSSL_free(text);
    return same;
}

static bool is_uri(const char *name)
{
    return strstr(name, "://") != NULL || strncmp(name, "urn:", 4) == 0;
}

enum status identity_check_certificate(const struct policy_agent *agent, struct slice der,
                                       struct error *error)
{
    X509 *certificate = read_der(der);
    bool proven = false;
    if (certificate != NULL && agent->certificate != NULL)
        proven = is_uri(agent->certificate) ? has_uri(certificate, agent->certificate)
                                            : has_common_name(certificate, agent->certificate);
    X509_free(certificate);
    if (proven)
        return STATUS_OK;
    return error_set(error, STATUS_DENIED, "28000", NULL,
                     "certificate authentication failed for \"%s\"", agent->login);
}

enum status identity_certificate_expiry(struct slice der, int64_t *not_after_ns,
                                        struct error *error)
{
    X509 *certificate = read_der(der);
    struct tm end;
    bool valid = certificate != NULL && ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) == 1;
    X509_free(certificate);
    if (!valid) {
        ERR_clear_error();
        return error_set(error, STATUS_INVALID, "28000", NULL, "not an X.509 certificate");
    }
    int64_t seconds = timegm(&end);
    if (seconds > INT64_MAX / ns_per_second) /* the year 9999 stands for "no end" (RFC 5280) */
        *not_after_ns = INT64_MAX;
    else
        *not_after_ns = seconds * ns_per_second;
    return STATUS_OK;
}
