/* The authority itself: making it, opening its sealed key, its CRLs. Invariant: the CA may sign
 * leaves and CRLs only (path length 0); a passphrase and an opened key are wiped. */
#include "identity/authority_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/file.h"
#include "crypto/crypto.h"

enum {
    CLOCK_SKEW_SECONDS = 300, /* a partner's clock may be behind ours when the kit arrives */
    MAX_CA_DAYS = 36500,
    /* scrypt (RFC 7914) with 16 MiB, five times over: the most that libcrypto opens by default */
    SCRYPT_N = 16384,
    SCRYPT_R = 8,
    SCRYPT_P = 5,
    SALT_BYTES = 16,
};
static const int64_t ns_per_second = 1000000000;

enum status authority_path(const char *folder, const char *name,
                           char path[static AUTHORITY_PATH_ROOM], struct error *error)
{
    if (snprintf(path, AUTHORITY_PATH_ROOM, "%s/%s", folder, name) >= AUTHORITY_PATH_ROOM)
        return error_set(error, STATUS_INVALID, "58030", NULL, "path is too long");
    return STATUS_OK;
}

/* ---- the key's file ---- */

/* RFC 5958 under PBES2 (RFC 8018) with scrypt. NULL on failure; owned. */
static X509_SIG *seal_key(const EVP_PKEY *key, struct slice passphrase)
{
    unsigned char salt[SALT_BYTES];
    PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8(key);
    X509_ALGOR *how = NULL;
    X509_SIG *sealed = NULL;
    if (plain != NULL && RAND_bytes(salt, sizeof salt) == 1)
        how = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), salt, sizeof salt, NULL, SCRYPT_N, SCRYPT_R,
                                    SCRYPT_P);
    if (how != NULL)
        sealed = PKCS8_set0_pbe((const char *)passphrase.data, (int)passphrase.len, plain, how);
    if (sealed == NULL)
        X509_ALGOR_free(how);
    PKCS8_PRIV_KEY_INFO_free(plain);
    return sealed;
}

static enum status print_pair(X509 *certificate, EVP_PKEY *key, struct slice passphrase,
                              struct buffer *certificate_pem, struct buffer *key_pem,
                              struct error *error)
{
    BIO *public = BIO_new(BIO_s_mem()), *private = BIO_new(BIO_s_secmem());
    X509_SIG *sealed = passphrase.len == 0 ? NULL : seal_key(key, passphrase);
    enum status status;
    bool printed =
        public != NULL && private != NULL && PEM_write_bio_X509(public, certificate) == 1;
    if (passphrase.len == 0)
        printed =
            printed && PEM_write_bio_PKCS8PrivateKey(private, key, NULL, NULL, 0, NULL, NULL) == 1;
    else
        printed = printed && sealed != NULL && PEM_write_bio_PKCS8(private, sealed) == 1;
    if (!printed) {
        status = openssl_failed(error, "cannot write the CA");
        goto done;
    }
    status = openssl_take(private, key_pem, error);
    if (status == STATUS_OK)
        status = openssl_take(public, certificate_pem, error);
done:
    X509_SIG_free(sealed);
    BIO_free(public);
    BIO_free(private);
    return status;
}

/* The key is written first: a certificate without its key would be of no use. */
static enum status write_pair(const char *folder, X509 *certificate, EVP_PKEY *key,
                              struct slice passphrase, struct error *error)
{
    char certificate_path[AUTHORITY_PATH_ROOM], key_path[AUTHORITY_PATH_ROOM];
    TRY(authority_path(folder, "ca.crt", certificate_path, error));
    TRY(authority_path(folder, "ca.key", key_path, error));
    struct buffer certificate_pem, key_pem;
    buffer_init(&certificate_pem, AUTHORITY_PEM_BYTES);
    buffer_init(&key_pem, AUTHORITY_PEM_BYTES);
    enum status status =
        print_pair(certificate, key, passphrase, &certificate_pem, &key_pem, error);
    if (status == STATUS_OK)
        status = file_replace(key_path, buffer_slice(&key_pem), 0600, error);
    if (status == STATUS_OK)
        status = file_replace(certificate_path, buffer_slice(&certificate_pem), 0644, error);
    if (key_pem.data != NULL)
        crypto_wipe(key_pem.data, key_pem.capacity);
    buffer_free(&key_pem);
    buffer_free(&certificate_pem);
    return status;
}

/* ---- making one ---- */

static enum status check_absent(const char *folder, struct error *error)
{
    char path[AUTHORITY_PATH_ROOM];
    static const char *const names[] = {"ca.key", "ca.crt"};
    for (size_t i = 0; i < 2; i++) {
        TRY(authority_path(folder, names[i], path, error));
        if (file_exists(path))
            return error_set(error, STATUS_INVALID, "58P02",
                             "Every certificate it issued would stop working.",
                             "%s exists and is not replaced", path);
    }
    return STATUS_OK;
}

enum status identity_ca_create(const char *folder, const struct identity_ca_plan *plan,
                               struct error *error)
{
    if (plan->days < 1 || plan->days > MAX_CA_DAYS)
        return error_set(error, STATUS_INVALID, "22023", NULL, "a CA is valid for 1 to %d days",
                         MAX_CA_DAYS);
    TRY(leaf_check_common_name(plan->name, error));
    TRY(file_make_folder(folder, 0700, error));
    TRY(check_absent(folder, error));
    int64_t now = clock_now_ns() / ns_per_second;
    EVP_PKEY *key = leaf_key_make(plan->key);
    X509 *ca = key == NULL ? NULL
                           : leaf_new(key, NULL, plan->name, now - CLOCK_SKEW_SECONDS,
                                      now + (int64_t)plan->days * 24 * 60 * 60);
    enum status status;
    if (ca == NULL || !leaf_extend(ca, ca, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
        !leaf_extend(ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign") ||
        !leaf_extend(ca, ca, NID_subject_key_identifier, "hash") ||
        X509_sign(ca, key, leaf_digest(key)) == 0)
        status = openssl_failed(error, "cannot make the CA's certificate");
    else
        status = write_pair(folder, ca, key, plan->passphrase, error);
    X509_free(ca);
    EVP_PKEY_free(key);
    return status;
}

/* ---- opening it ---- */

bool identity_key_sealed(struct slice key_pem)
{
    static const char mark[] = "-----BEGIN ENCRYPTED PRIVATE KEY-----";
    return memmem(key_pem.data, key_pem.len, mark, sizeof mark - 1) != NULL;
}

static enum status open_pair(struct identity_ca *ca, struct slice certificate_pem,
                             struct slice key_pem, struct slice passphrase, struct error *error)
{
    ca->certificate = openssl_read_certificate(certificate_pem);
    ca->key = openssl_read_key(key_pem, passphrase);
    if (ca->key == NULL && identity_key_sealed(key_pem))
        return error_set(error, STATUS_DENIED, "28P01", "give it with --passphrase-file",
                         "%s: the passphrase does not open the CA's key", ca->folder);
    if (ca->certificate == NULL || ca->key == NULL ||
        X509_check_private_key(ca->certificate, ca->key) != 1) {
        ERR_clear_error();
        return error_set(error, STATUS_INVALID, "F0000", NULL,
                         "%s: ca.crt and ca.key are not a CA and its key", ca->folder);
    }
    return STATUS_OK;
}

enum status identity_ca_open(const char *folder, struct slice key, struct slice passphrase,
                             struct identity_ca **ca, struct error *error)
{
    char certificate_path[AUTHORITY_PATH_ROOM], key_path[AUTHORITY_PATH_ROOM];
    TRY(authority_path(folder, "ca.crt", certificate_path, error));
    TRY(authority_path(folder, "ca.key", key_path, error));
    struct identity_ca *opened = calloc(1, sizeof *opened);
    if (opened == NULL || (opened->folder = strdup(folder)) == NULL) {
        free(opened);
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    }
    struct buffer certificate_pem, key_pem;
    buffer_init(&certificate_pem, AUTHORITY_PEM_BYTES);
    buffer_init(&key_pem, AUTHORITY_PEM_BYTES);
    enum status status = file_read(certificate_path, &certificate_pem, error);
    if (status == STATUS_OK && key.len == 0) {
        status = file_read_secret(key_path, &key_pem, error);
        key = buffer_slice(&key_pem);
    }
    if (status == STATUS_OK)
        status = open_pair(opened, buffer_slice(&certificate_pem), key, passphrase, error);
    if (key_pem.data != NULL)
        crypto_wipe(key_pem.data, key_pem.capacity);
    buffer_free(&key_pem);
    buffer_free(&certificate_pem);
    if (status == STATUS_OK)
        *ca = opened;
    else
        identity_ca_close(opened);
    return status;
}

void identity_ca_close(struct identity_ca *ca)
{
    if (ca == NULL)
        return;
    X509_free(ca->certificate);
    EVP_PKEY_free(ca->key);
    if (ca->issued != NULL)
        issued_close(ca->issued);
    free(ca->issued);
    free(ca->folder);
    free(ca);
}

enum status identity_ca_hold(struct identity_ca *ca, struct error *error)
{
    ca->issued = calloc(1, sizeof *ca->issued);
    if (ca->issued == NULL)
        return error_no_memory(error);
    ca->issued->fd = -1;
    TRY(issued_open(ca->folder, ca->issued, error));
    return file_inherit_owner(ca->issued->path, error);
}

enum status identity_ca_check_held(const struct identity_ca *ca, struct error *error)
{
    TRY(issued_lock(ca->issued, error));
    issued_unlock(ca->issued);
    return STATUS_OK;
}

void identity_ca_name(const struct identity_ca *ca, uint8_t digest[static 32])
{
    unsigned char *der = NULL;
    int len = i2d_X509_NAME(X509_get_subject_name(ca->certificate), &der);
    struct slice name = slice_of(der, len < 0 ? 0 : (size_t)len);
    crypto_sha256(&name, 1, digest);
    OPENSSL_free(der);
}

/* ---- its CRL ---- */

static bool add_revoked(X509_CRL *crl, const struct identity_revoked *revoked)
{
    X509_REVOKED *entry = X509_REVOKED_new();
    BIGNUM *number = NULL;
    ASN1_INTEGER *serial = NULL;
    ASN1_TIME *since = ASN1_TIME_set(NULL, (time_t)(revoked->since_ns / ns_per_second));
    bool added = entry != NULL && since != NULL && BN_hex2bn(&number, revoked->id) > 0 &&
                 (serial = BN_to_ASN1_INTEGER(number, NULL)) != NULL &&
                 X509_REVOKED_set_serialNumber(entry, serial) == 1 &&
                 X509_REVOKED_set_revocationDate(entry, since) == 1 &&
                 X509_CRL_add0_revoked(crl, entry) == 1;
    if (!added)
        X509_REVOKED_free(entry);
    ASN1_TIME_free(since);
    ASN1_INTEGER_free(serial);
    BN_free(number);
    return added;
}

/* RFC 5280, 5.2: an authority key identifier and a number, neither critical. */
static bool extend_crl(X509_CRL *crl, X509 *issuer, uint64_t number)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, NULL, NULL, crl, 0);
    X509_EXTENSION *key_id =
        X509V3_EXT_conf_nid(NULL, &context, NID_authority_key_identifier, "keyid:always");
    ASN1_INTEGER *count = ASN1_INTEGER_new();
    bool extended = key_id != NULL && X509_CRL_add_ext(crl, key_id, -1) == 1 && count != NULL &&
                    ASN1_INTEGER_set_uint64(count, number) == 1 &&
                    X509_CRL_add1_ext_i2d(crl, NID_crl_number, count, 0, 0) == 1;
    X509_EXTENSION_free(key_id);
    ASN1_INTEGER_free(count);
    return extended;
}

enum status identity_ca_crl(const struct identity_ca *ca, const struct identity_revoked *revoked,
                            size_t count, uint64_t number, int64_t now_ns, int64_t lifetime_s,
                            struct buffer *pem, struct error *error)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *from = ASN1_TIME_set(NULL, (time_t)(now_ns / ns_per_second));
    ASN1_TIME *until = ASN1_TIME_set(NULL, (time_t)(now_ns / ns_per_second + lifetime_s));
    BIO *bio = BIO_new(BIO_s_mem());
    bool made = crl != NULL && from != NULL && until != NULL && bio != NULL &&
                X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1 &&
                X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca->certificate)) == 1 &&
                X509_CRL_set1_lastUpdate(crl, from) == 1 &&
                X509_CRL_set1_nextUpdate(crl, until) == 1;
    for (size_t i = 0; made && i < count; i++)
        made = add_revoked(crl, &revoked[i]);
    made = made && extend_crl(crl, ca->certificate, number) && X509_CRL_sort(crl) == 1 &&
           X509_CRL_sign(crl, ca->key, leaf_digest(ca->key)) > 0 &&
           PEM_write_bio_X509_CRL(bio, crl) == 1;
    enum status status =
        made ? openssl_take(bio, pem, error) : openssl_failed(error, "cannot make the CRL");
    BIO_free(bio);
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
    X509_CRL_free(crl);
    return status;
}
