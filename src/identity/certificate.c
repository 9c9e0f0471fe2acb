/* What a verified certificate says about its holder. The chain, the dates and the purpose have
 * been judged by TLS before; here only the name is compared and the end read.
 * Invariant: names are compared whole, as bytes with their lengths, so a NUL inside one or a
 * second one beside it proves nothing. No state, any thread. */
#include "identity/identity.h"

#include <limits.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "crypto/crypto.h"
#include "identity/credential.h"
#include "identity/openssl.h"

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

/* Who issues certificates is no agent: X.509-SVID, section 4.1. */
static bool is_authority(X509 *certificate)
{
    bool is_one = (X509_get_extension_flags(certificate) & EXFLAG_CA) != 0;
    ERR_clear_error();
    return is_one;
}

enum status identity_check_certificate(const struct policy_agent *agent, struct slice der,
                                       struct error *error)
{
    X509 *certificate = read_der(der);
    bool proven = false;
    if (certificate != NULL && agent->certificate != NULL) {
        bool uri = has_uri(certificate, agent->certificate); /* both: it takes as long for either */
        bool name = has_common_name(certificate, agent->certificate);
        bool is_leaf = !is_authority(certificate);
        proven = (is_uri(agent->certificate) ? uri : name) && is_leaf;
    }
    X509_free(certificate);
    if (proven)
        return STATUS_OK;
    return error_set(error, STATUS_DENIED, "28000", NULL,
                     "certificate authentication failed for \"%s\"", agent->login);
}

/* ---- what it is called ---- */

static bool serial_of(const X509 *certificate, char id[static CREDENTIAL_ID_ROOM])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t octets[(CREDENTIAL_ID_ROOM - 1) / 2];
    BIGNUM *serial = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
    int len = serial == NULL ? -1 : BN_num_bytes(serial);
    bool fits = len >= 0 && (size_t)len <= sizeof octets && !BN_is_negative(serial);
    if (fits)
        BN_bn2bin(serial, octets);
    BN_free(serial);
    if (!fits)
        return false;
    char *at = id;
    for (int i = 0; i < len; i++) {
        if (i > 0 || octets[i] >> 4 != 0)
            *at++ = digits[octets[i] >> 4];
        *at++ = digits[octets[i] & 15];
    }
    if (len == 0)
        *at++ = '0';
    *at = '\0';
    return true;
}

static bool hash_issuer(const X509 *certificate, uint8_t digest[static 32])
{
    unsigned char *der = NULL;
    int len = i2d_X509_NAME(X509_get_issuer_name(certificate), &der);
    if (len < 0)
        return false;
    struct slice name = slice_of(der, (size_t)len);
    crypto_sha256(&name, 1, digest);
    OPENSSL_free(der);
    return true;
}

enum status credential_of_certificate(struct slice der, struct credential *credential,
                                      struct error *error)
{
    *credential = (struct credential){.kind = CREDENTIAL_CERTIFICATE};
    X509 *certificate = read_der(der);
    bool valid = certificate != NULL &&
                 openssl_time(X509_get0_notAfter(certificate), &credential->expires_ns) &&
                 serial_of(certificate, credential->id) &&
                 hash_issuer(certificate, credential->issuer);
    X509_free(certificate);
    if (valid)
        return STATUS_OK;
    ERR_clear_error();
    *credential = (struct credential){.kind = CREDENTIAL_NONE};
    return error_set(error, STATUS_INVALID, "28000", NULL,
                     "not a certificate that RFC 5280 allows");
}
