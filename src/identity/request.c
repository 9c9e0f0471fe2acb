/* Requests for certificates (PKCS#10, RFC 2986): bytes of strangers, of which one thing is taken,
 * the public key, and that only with proof that its private half signed the request. Names and
 * extensions are ours to give. No state, any thread. */
#include "identity/authority_private.h"

#include <limits.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

enum { REQUEST_BYTES = 64 * 1024 };

static enum status refused(struct error *error, const char *why)
{
    ERR_clear_error();
    return error_set(error, STATUS_INVALID, "22023",
                     "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
                     "-keyout client.key -subj /CN=agent",
                     "the request is refused: %s", why);
}

X509_REQ *request_read(struct slice bytes)
{
    if (bytes.len == 0 || bytes.len > REQUEST_BYTES)
        return NULL;
    BIO *bio = BIO_new_mem_buf(bytes.data, (int)bytes.len);
    X509_REQ *request =
        bio == NULL ? NULL : PEM_read_bio_X509_REQ(bio, NULL, openssl_no_passphrase, NULL);
    BIO_free(bio);
    const unsigned char *at = bytes.data;
    if (request == NULL)
        request = d2i_X509_REQ(NULL, &at, (long)bytes.len);
    ERR_clear_error();
    return request;
}

/* Whoever asks for another name than the agent's has something else in mind than we do. */
static bool names_agree(X509_REQ *request, const char *uri)
{
    STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(request);
    GENERAL_NAMES *names = X509V3_get_d2i(extensions, NID_subject_alt_name, NULL, NULL);
    bool agree = true;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_URI)
            continue;
        const ASN1_STRING *text = name->d.uniformResourceIdentifier;
        struct slice asked =
            slice_of(ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text));
        agree = agree && uri != NULL && slice_equal(asked, slice_of_text(uri));
    }
    GENERAL_NAMES_free(names);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    ERR_clear_error();
    return agree;
}

enum status request_check(X509_REQ *request, const char *uri, EVP_PKEY **key, struct error *error)
{
    EVP_PKEY *asked = X509_REQ_get0_pubkey(request);
    if (asked == NULL || !leaf_key_allowed(asked))
        return refused(error, "its key is neither P-256 nor Ed25519");
    if (X509_REQ_verify(request, asked) != 1)
        return refused(error, "it is not signed with its own key");
    if (!names_agree(request, uri))
        return refused(error, "it names a URI that is not the agent's");
    if (EVP_PKEY_up_ref(asked) != 1)
        return openssl_failed(error, "cannot keep a key");
    *key = asked;
    return STATUS_OK;
}

enum status request_key(struct slice bytes, const char *uri, EVP_PKEY **key, struct error *error)
{
    X509_REQ *request = request_read(bytes);
    enum status status = request == NULL
                             ? refused(error, "it is no certificate request in PEM or DER")
                             : request_check(request, uri, key, error);
    X509_REQ_free(request);
    return status;
}
