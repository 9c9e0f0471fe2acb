/* Signatures of partners over documents: CMS (RFC 5652), detached, one signer. The document itself
 * is not needed: its hash is an attribute that the signature covers (section 5.4), beside the type
 * of the content, which must be there too (section 11.1). No state, any thread. */
#include "identity/identity.h"

#include <limits.h>
#include <string.h>
#include <time.h>

#include <openssl/pem.h> /* before cms.h, which looks whether it is there */

#include <openssl/cms.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "crypto/crypto.h"
#include "identity/openssl.h"
#include "identity/trust_private.h"

static enum status refused(struct error *error, const char *hint, const char *why)
{
    ERR_clear_error();
    return error_set(error, STATUS_DENIED, "28000", hint, "the signature is not accepted: %s", why);
}

/* DER or PEM; the whole of it. Returns owned, or NULL. */
static CMS_ContentInfo *read_cms(struct slice bytes)
{
    const unsigned char *at = bytes.data;
    if (bytes.len == 0 || bytes.len > IDENTITY_SIGNATURE_BYTES)
        return NULL;
    CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)bytes.len);
    if (cms != NULL && at == bytes.data + bytes.len)
        return cms;
    CMS_ContentInfo_free(cms);
    BIO *bio = BIO_new_mem_buf(bytes.data, (int)bytes.len);
    cms = bio == NULL ? NULL : PEM_read_bio_CMS(bio, NULL, openssl_no_passphrase, NULL);
    BIO_free(bio);
    return cms;
}

/* The one signer, whose certificate is in the message; NULL otherwise. Borrowed. */
static CMS_SignerInfo *find_signer(CMS_ContentInfo *cms, X509 **certificate)
{
    if (OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed || CMS_is_detached(cms) != 1 ||
        CMS_set1_signers_certs(cms, NULL, 0) != 1)
        return NULL;
    STACK_OF(CMS_SignerInfo) *signers = CMS_get0_SignerInfos(cms);
    if (sk_CMS_SignerInfo_num(signers) != 1)
        return NULL;
    CMS_SignerInfo *signer = sk_CMS_SignerInfo_value(signers, 0);
    CMS_SignerInfo_get0_algs(signer, NULL, certificate, NULL, NULL);
    return *certificate == NULL ? NULL : signer;
}

/* What is signed says that it is of a content of this type with this hash. */
static bool is_of(CMS_ContentInfo *cms, CMS_SignerInfo *signer, const uint8_t digest[static 32])
{
    enum { ONE = -3 }; /* the attribute is there once, and has one value */
    X509_ALGOR *algorithm = NULL;
    const ASN1_OBJECT *object = NULL;
    CMS_SignerInfo_get0_algs(signer, NULL, NULL, &algorithm, NULL);
    X509_ALGOR_get0(&object, NULL, NULL, algorithm);
    const ASN1_OBJECT *type =
        CMS_signed_get0_data_by_OBJ(signer, OBJ_nid2obj(NID_pkcs9_contentType), ONE, V_ASN1_OBJECT);
    const ASN1_OCTET_STRING *hash = CMS_signed_get0_data_by_OBJ(
        signer, OBJ_nid2obj(NID_pkcs9_messageDigest), ONE, V_ASN1_OCTET_STRING);
    return OBJ_obj2nid(object) == NID_sha256 && type != NULL && hash != NULL &&
           OBJ_cmp(type, CMS_get0_eContentType(cms)) == 0 &&
           slice_equal(slice_of(ASN1_STRING_get0_data(hash), (size_t)ASN1_STRING_length(hash)),
                       slice_of(digest, 32));
}

/* To an authority that agents' certificates come from, and for what they are for. */
static enum status verify(struct trust *trust, CMS_ContentInfo *cms, X509 *certificate,
                          struct trust_chain *chain, struct error *error)
{
    STACK_OF(X509) *others = CMS_get1_certs(cms);
    enum status status = trust_verify(trust, certificate, others, chain, error);
    sk_X509_pop_free(others, X509_free);
    return status == STATUS_OK
               ? STATUS_OK
               : refused(error,
                         "the certificate must be valid, and from listen.client_ca or "
                         "listen.authorities",
                         "its certificate is not trusted");
}

/* The agent of the partner that the certificate, by its name and its authorities, proves; NULL for
 * none. */
static const struct policy_agent *agent_of(struct trust *trust,
                                           const struct policy_partner *partner, struct slice der,
                                           const struct trust_chain *chain)
{
    struct error ignored;
    for (size_t i = 0; i < partner->agent_count; i++)
        if (identity_check_certificate(&partner->agents[i], der, &ignored) == STATUS_OK &&
            trust_speaks_for(trust, chain, partner->name, partner->agents[i].certificate_issuer))
            return &partner->agents[i];
    return NULL;
}

static enum status name_signer(struct trust *trust, const struct policy_partner *partner,
                               X509 *certificate, const struct trust_chain *chain,
                               struct identity_signature *signature, struct error *error)
{
    unsigned char *der = NULL;
    int len = i2d_X509(certificate, &der);
    if (len <= 0)
        return refused(error, NULL, "its certificate cannot be written");
    const struct slice bytes = slice_of(der, (size_t)len);
    uint8_t digest[32];
    crypto_sha256(&bytes, 1, digest);
    crypto_hex(digest, sizeof digest, signature->certificate_sha256);
    signature->agent = agent_of(trust, partner, bytes, chain);
    enum status status = signature->agent == NULL
                             ? refused(error,
                                       "an agent of the partner must sign, with its own "
                                       "certificate, from an authority that may speak for it",
                                       "its certificate is of no agent of this partner")
                             : credential_of_certificate(bytes, &signature->credential, error);
    OPENSSL_free(der);
    return status;
}

/* Lists of today count: who says when it was signed is the signer, who may be the thief. */
static enum status check_lists(struct trust *trust, const struct trust_chain *chain,
                               struct error *error)
{
    int64_t until_ns;
    struct error inner;
    if (trust_check_revocation(trust, chain, clock_now_ns(), &until_ns, &inner) == STATUS_OK)
        return STATUS_OK;
    return refused(error, inner.hint, inner.message);
}

/* When the signer says that it signed: INT64_MIN where it does not. */
static int64_t signing_time(CMS_SignerInfo *signer)
{
    struct tm parts;
    int at = CMS_signed_get_attr_by_NID(signer, NID_pkcs9_signingTime, -1);
    X509_ATTRIBUTE *attribute = at < 0 ? NULL : CMS_signed_get_attr(signer, at);
    const ASN1_TYPE *value = attribute == NULL ? NULL : X509_ATTRIBUTE_get0_type(attribute, 0);
    if (value == NULL || (value->type != V_ASN1_UTCTIME && value->type != V_ASN1_GENERALIZEDTIME) ||
        ASN1_TIME_to_tm(value->value.asn1_string, &parts) != 1)
        return INT64_MIN;
    int64_t seconds = timegm(&parts);
    return seconds < 0 || seconds > INT64_MAX / 1000000000 ? INT64_MIN : seconds * 1000000000;
}

static enum status check(CMS_ContentInfo *cms, const uint8_t digest[static 32], struct trust *trust,
                         const struct policy_partner *partner, struct identity_signature *signature,
                         struct error *error)
{
    X509 *certificate = NULL;
    struct trust_chain chain;
    CMS_SignerInfo *signer = find_signer(cms, &certificate);
    if (signer == NULL)
        return refused(error, "openssl cms -sign -binary -outform DER: one signer, detached",
                       "it is not of one signer, detached, with the signer's certificate");
    if (CMS_signed_get_attr_count(signer) <= 0 || !is_of(cms, signer, digest))
        return refused(error, "sign the very file, with -binary and SHA-256",
                       "it is of another document");
    if (CMS_SignerInfo_verify(signer) != 1)
        return refused(error, NULL, "it was not made with the key of its certificate");
    TRY(verify(trust, cms, certificate, &chain, error));
    TRY(name_signer(trust, partner, certificate, &chain, signature, error));
    TRY(check_lists(trust, &chain, error));
    signature->signed_ns = signing_time(signer);
    time_t signed_s = (time_t)(signature->signed_ns / 1000000000);
    if (signature->signed_ns != INT64_MIN &&
        X509_cmp_time(X509_get0_notBefore(certificate), &signed_s) > 0)
        return refused(error, NULL, "it is said to be older than its certificate");
    return STATUS_OK;
}

enum status identity_check_signature(struct slice bytes, const uint8_t digest[static 32],
                                     struct trust *trust, const struct policy_partner *partner,
                                     struct identity_signature *signature, struct error *error)
{
    struct identity_signature found;
    CMS_ContentInfo *cms = read_cms(bytes);
    if (cms == NULL)
        return refused(error, "openssl cms -sign -binary -outform DER",
                       "it is no CMS message in DER or PEM");
    enum status status = check(cms, digest, trust, partner, &found, error);
    CMS_ContentInfo_free(cms);
    ERR_clear_error();
    if (status == STATUS_OK)
        *signature = found;
    return status;
}
