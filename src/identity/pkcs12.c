/* PKCS#12 (RFC 7292): key, certificate and CA in one file under a passphrase, in the algorithms
 * that current Java and Windows read: PBES2 with AES-256-CBC and HMAC-SHA-256, SHA-256 MAC.
 * No state, any thread. */
#include "identity/identity.h"

#include <string.h>

#include <openssl/pkcs12.h>

#include "crypto/crypto.h"
#include "identity/openssl.h"

enum { ITERATIONS = 100000, MAX_PASSPHRASE_BYTES = 1024 };

/* Terminated, into room for MAX_PASSPHRASE_BYTES + 1. */
static enum status copy_passphrase(struct slice passphrase, char *text, struct error *error)
{
    if (passphrase.len < 1 || passphrase.len > MAX_PASSPHRASE_BYTES ||
        memchr(passphrase.data, '\0', passphrase.len) != NULL)
        return error_set(error, STATUS_INVALID, "22023", NULL,
                         "a passphrase has 1 to %d bytes and no NUL", MAX_PASSPHRASE_BYTES);
    memcpy(text, passphrase.data, passphrase.len);
    text[passphrase.len] = '\0';
    return STATUS_OK;
}

static PKCS12 *make(X509 *certificate, EVP_PKEY *key, X509 *ca, const char *passphrase,
                    const char *name)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    PKCS12 *made = NULL;
    if (chain != NULL && sk_X509_push(chain, ca) > 0)
        made = PKCS12_create(passphrase, name, key, certificate, chain, NID_aes_256_cbc,
                             NID_aes_256_cbc, ITERATIONS, -1, 0);
    sk_X509_free(chain);
    if (made != NULL &&
        PKCS12_set_mac(made, passphrase, -1, NULL, 0, ITERATIONS, EVP_sha256()) != 1) {
        PKCS12_free(made);
        made = NULL;
    }
    return made;
}

enum status identity_pkcs12(struct slice certificate_pem, struct slice key_pem, struct slice ca_pem,
                            struct slice passphrase, const char *name, struct buffer *out,
                            struct error *error)
{
    char text[MAX_PASSPHRASE_BYTES + 1];
    TRY(copy_passphrase(passphrase, text, error));
    X509 *certificate = openssl_read_certificate(certificate_pem);
    X509 *ca = openssl_read_certificate(ca_pem);
    EVP_PKEY *key = openssl_read_key(key_pem, slice_of(NULL, 0));
    BIO *bio = BIO_new(BIO_s_mem());
    PKCS12 *made = NULL;
    enum status status;
    if (certificate == NULL || ca == NULL || key == NULL ||
        X509_check_private_key(certificate, key) != 1) {
        ERR_clear_error();
        status = error_set(error, STATUS_INVALID, "22023", NULL,
                           "not a certificate, its key and a CA in PEM");
        goto done;
    }
    made = make(certificate, key, ca, text, name);
    if (made == NULL || bio == NULL || i2d_PKCS12_bio(bio, made) != 1)
        status = openssl_failed(error, "cannot make the PKCS#12 file");
    else
        status = openssl_take(bio, out, error);
done:
    PKCS12_free(made);
    BIO_free(bio);
    EVP_PKEY_free(key);
    X509_free(ca);
    X509_free(certificate);
    crypto_wipe(text, sizeof text);
    return status;
}
