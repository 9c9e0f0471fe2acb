/* See describe.h. */
#include "identity/describe.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "crypto/crypto.h"
#include "identity/openssl.h"

static X509 *read_either(struct slice bytes)
{
    X509 *certificate = openssl_read_certificate(bytes);
    const unsigned char *at = bytes.data;
    if (certificate == NULL && bytes.len > 0 && bytes.len <= LONG_MAX)
        certificate = d2i_X509(NULL, &at, (long)bytes.len);
    if (certificate == NULL)
        ERR_clear_error();
    return certificate;
}

/* Moves what was written into room, cut and terminated. */
static void take_text(BIO *bio, char room[static DESCRIPTION_NAME_ROOM])
{
    char *data;
    long len = BIO_get_mem_data(bio, &data);
    size_t fits = len < 0 ? 0 : (size_t)len;
    if (fits > DESCRIPTION_NAME_ROOM - 1)
        fits = DESCRIPTION_NAME_ROOM - 1;
    if (fits > 0) /* data may be NULL then */
        memcpy(room, data, fits);
    room[fits] = '\0';
    BIO_free(bio);
}

static void print_name(const X509_NAME *name, char room[static DESCRIPTION_NAME_ROOM])
{
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio == NULL)
        return;
    X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253);
    take_text(bio, room);
}

static void print_alternatives(const X509 *certificate, char room[static DESCRIPTION_NAME_ROOM])
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    BIO *bio = BIO_new(BIO_s_mem());
    for (int i = 0; bio != NULL && i < sk_GENERAL_NAME_num(names); i++) {
        BIO_puts(bio, i == 0 ? "" : ", ");
        GENERAL_NAME_print(bio, sk_GENERAL_NAME_value(names, i));
    }
    if (bio != NULL)
        take_text(bio, room);
    GENERAL_NAMES_free(names);
}

static void name_key(const X509 *certificate, char room[static 32])
{
    EVP_PKEY *key = X509_get0_pubkey(certificate);
    char group[32];
    if (key == NULL)
        snprintf(room, 32, "unknown");
    else if (EVP_PKEY_get_group_name(key, group, sizeof group, NULL) == 1)
        snprintf(room, 32, "%s", strcmp(group, "prime256v1") == 0 ? "P-256" : group);
    else if (EVP_PKEY_is_a(key, "ED25519"))
        snprintf(room, 32, "Ed25519");
    else
        snprintf(room, 32, "%.20s %d", EVP_PKEY_get0_type_name(key), EVP_PKEY_get_bits(key));
}

static void hash_name(const X509_NAME *name, char hex[static 65])
{
    unsigned char *der = NULL;
    uint8_t digest[CRYPTO_SHA256_BYTES];
    int len = i2d_X509_NAME(name, &der);
    struct slice bytes = slice_of(der, len < 0 ? 0 : (size_t)len);
    crypto_sha256(&bytes, 1, digest);
    crypto_hex(digest, sizeof digest, hex);
    OPENSSL_free(der);
}

static void fingerprint(const X509 *certificate, char hex[static 65])
{
    unsigned char *der = NULL;
    uint8_t digest[CRYPTO_SHA256_BYTES];
    int len = i2d_X509(certificate, &der);
    struct slice bytes = slice_of(der, len < 0 ? 0 : (size_t)len);
    crypto_sha256(&bytes, 1, digest);
    crypto_hex(digest, sizeof digest, hex);
    OPENSSL_free(der);
}

static enum status credential_of(X509 *certificate, struct credential *credential,
                                 struct error *error)
{
    unsigned char *der = NULL;
    int len = i2d_X509(certificate, &der);
    enum status status =
        credential_of_certificate(slice_of(der, len < 0 ? 0 : (size_t)len), credential, error);
    OPENSSL_free(der);
    return status;
}

enum status identity_describe(struct slice bytes, struct description *description,
                              struct error *error)
{
    X509 *certificate = read_either(bytes);
    *description = (struct description){.not_before_ns = INT64_MIN};
    if (certificate == NULL)
        return error_set(error, STATUS_INVALID, "22023", "give a certificate as PEM or DER",
                         "not an X.509 certificate");
    enum status status = credential_of(certificate, &description->credential, error);
    if (!openssl_time(X509_get0_notBefore(certificate), &description->not_before_ns))
        description->not_before_ns = INT64_MIN;
    print_name(X509_get_subject_name(certificate), description->subject);
    print_name(X509_get_issuer_name(certificate), description->issuer);
    print_alternatives(certificate, description->names);
    name_key(certificate, description->key);
    hash_name(X509_get_subject_name(certificate), description->own_name);
    fingerprint(certificate, description->fingerprint);
    description->authority = X509_check_ca(certificate) == 1;
    X509_free(certificate);
    ERR_clear_error();
    return status;
}
