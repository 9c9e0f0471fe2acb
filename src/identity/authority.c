/* Our own certificate authority, for partners' kits and the demo: P-256 keys, certificates after
 * RFC 5280. Invariant: the CA may sign leaves only (path length 0), a leaf can sign nothing, and
 * no leaf outlives the CA. No state, any thread. */
#include "identity/identity.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/file.h"
#include "crypto/crypto.h"
#include "identity/openssl.h"

enum {
    SERIAL_BITS = 128,
    MAX_PEM_BYTES = 64 * 1024,
    MAX_PATH_BYTES = 4096,
    CLOCK_SKEW_SECONDS = 300, /* a partner's clock may be behind ours when the kit arrives */
    MAX_CA_DAYS = 36500,
    MAX_COMMON_NAME_BYTES = 64,
};
static const int64_t ns_per_second = 1000000000;

/* ---- parts of a certificate; false on failure ---- */

static bool set_serial(X509 *certificate)
{
    BIGNUM *serial = BN_new();
    bool set = serial != NULL &&
               BN_rand(serial, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
               BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(certificate)) != NULL;
    BN_free(serial);
    return set;
}

static bool set_times(X509 *certificate, int64_t not_before, int64_t not_after)
{
    return ASN1_TIME_set(X509_getm_notBefore(certificate), (time_t)not_before) != NULL &&
           ASN1_TIME_set(X509_getm_notAfter(certificate), (time_t)not_after) != NULL;
}

static bool set_subject(X509 *certificate, const char *common_name)
{
    return X509_NAME_add_entry_by_NID(X509_get_subject_name(certificate), NID_commonName,
                                      MBSTRING_UTF8, (const unsigned char *)common_name, -1, -1,
                                      0) == 1;
}

/* value in the syntax of x509v3_config(5): constants of ours only. */
static bool add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool added = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

static X509 *new_certificate(EVP_PKEY *key, const X509_NAME *issuer, const char *common_name,
                             int64_t not_before, int64_t not_after)
{
    X509 *certificate = X509_new();
    if (certificate == NULL)
        return NULL;
    bool made =
        X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
        set_times(certificate, not_before, not_after) && set_subject(certificate, common_name) &&
        X509_set_issuer_name(certificate,
                             issuer != NULL ? issuer : X509_get_subject_name(certificate)) == 1 &&
        X509_set_pubkey(certificate, key) == 1;
    if (made)
        return certificate;
    X509_free(certificate);
    return NULL;
}

/* ---- alternative names: from text of the caller's, so not through the configuration syntax,
 * in which a comma would begin another name ---- */

/* Takes value; frees it on failure. */
static bool push_name(GENERAL_NAMES *names, int type, ASN1_STRING *value)
{
    GENERAL_NAME *name = value == NULL ? NULL : GENERAL_NAME_new();
    if (name == NULL) {
        ASN1_STRING_free(value);
        return false;
    }
    GENERAL_NAME_set0_value(name, type, value);
    if (sk_GENERAL_NAME_push(names, name) > 0)
        return true;
    GENERAL_NAME_free(name);
    return false;
}

static ASN1_STRING *ia5_string(const char *text)
{
    ASN1_STRING *string = ASN1_STRING_type_new(V_ASN1_IA5STRING);
    if (string != NULL && ASN1_STRING_set(string, text, -1) != 1) {
        ASN1_STRING_free(string);
        return NULL;
    }
    return string;
}

static bool add_alternative_names(X509 *certificate, const struct identity_leaf *leaf)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    bool added = names != NULL;
    if (leaf->san_uri != NULL)
        added = added && push_name(names, GEN_URI, ia5_string(leaf->san_uri));
    if (leaf->san_dns != NULL)
        added = added && push_name(names, GEN_DNS, ia5_string(leaf->san_dns));
    if (leaf->san_ip != NULL)
        added = added && push_name(names, GEN_IPADD, a2i_IPADDRESS(leaf->san_ip));
    if (added && sk_GENERAL_NAME_num(names) > 0)
        added = X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, 0) == 1;
    GENERAL_NAMES_free(names);
    return added;
}

/* ---- files ---- */

static enum status path_in(const char *folder, const char *name, char path[static MAX_PATH_BYTES],
                           struct error *error)
{
    if (snprintf(path, MAX_PATH_BYTES, "%s/%s", folder, name) >= MAX_PATH_BYTES)
        return error_set(error, STATUS_INVALID, "58030", NULL, "path is too long");
    return STATUS_OK;
}

static enum status print_pem(X509 *certificate, EVP_PKEY *key, struct buffer *certificate_pem,
                             struct buffer *key_pem, struct error *error)
{
    BIO *public = BIO_new(BIO_s_mem()), *private = BIO_new(BIO_s_secmem());
    enum status status;
    if (public == NULL || private == NULL || PEM_write_bio_X509(public, certificate) != 1 ||
        PEM_write_bio_PKCS8PrivateKey(private, key, NULL, NULL, 0, NULL, NULL) != 1) {
        status = openssl_failed(error, "cannot write a certificate");
        goto done;
    }
    status = openssl_take(private, key_pem, error);
    if (status == STATUS_OK)
        status = openssl_take(public, certificate_pem, error);
done:
    BIO_free(public);
    BIO_free(private);
    return status;
}

/* The key is written first: a certificate without its key would be of no use. */
static enum status write_pair(const char *folder, X509 *certificate, EVP_PKEY *key,
                              struct error *error)
{
    char certificate_path[MAX_PATH_BYTES], key_path[MAX_PATH_BYTES];
    TRY(path_in(folder, "ca.crt", certificate_path, error));
    TRY(path_in(folder, "ca.key", key_path, error));
    struct buffer certificate_pem, key_pem;
    buffer_init(&certificate_pem, MAX_PEM_BYTES);
    buffer_init(&key_pem, MAX_PEM_BYTES);
    enum status status = print_pem(certificate, key, &certificate_pem, &key_pem, error);
    if (status == STATUS_OK)
        status = file_replace(key_path, buffer_slice(&key_pem), 0600, error);
    if (status == STATUS_OK)
        status = file_replace(certificate_path, buffer_slice(&certificate_pem), 0644, error);
    crypto_wipe(key_pem.data, key_pem.capacity);
    buffer_free(&key_pem);
    buffer_free(&certificate_pem);
    return status;
}

/* X.520 allows 64 characters; bytes are what fits whatever the encoding. */
static enum status check_common_name(const char *name, struct error *error)
{
    size_t len = strlen(name);
    if (len < 1 || len > MAX_COMMON_NAME_BYTES)
        return error_set(error, STATUS_INVALID, "22023", NULL, "a common name has 1 to %d bytes",
                         MAX_COMMON_NAME_BYTES);
    return STATUS_OK;
}

static enum status check_absent(const char *folder, struct error *error)
{
    char path[MAX_PATH_BYTES];
    static const char *const names[] = {"ca.key", "ca.crt"};
    for (size_t i = 0; i < 2; i++) {
        TRY(path_in(folder, names[i], path, error));
        if (file_exists(path))
            return error_set(error, STATUS_INVALID, "58P02",
                             "Every certificate it issued would stop working.",
                             "%s exists and is not replaced", path);
    }
    return STATUS_OK;
}

enum status identity_ca_create(const char *folder, const char *name, int days, struct error *error)
{
    if (days < 1 || days > MAX_CA_DAYS)
        return error_set(error, STATUS_INVALID, "22023", NULL, "a CA is valid for 1 to %d days",
                         MAX_CA_DAYS);
    TRY(check_common_name(name, error));
    TRY(file_make_folder(folder, 0700, error));
    TRY(check_absent(folder, error));
    int64_t now = clock_now_ns() / ns_per_second;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *ca = key == NULL ? NULL
                           : new_certificate(key, NULL, name, now - CLOCK_SKEW_SECONDS,
                                             now + (int64_t)days * 24 * 60 * 60);
    enum status status;
    if (ca == NULL || !add_extension(ca, ca, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
        !add_extension(ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign") ||
        !add_extension(ca, ca, NID_subject_key_identifier, "hash") ||
        X509_sign(ca, key, EVP_sha256()) == 0)
        status = openssl_failed(error, "cannot make the CA's certificate");
    else
        status = write_pair(folder, ca, key, error);
    X509_free(ca);
    EVP_PKEY_free(key);
    return status;
}

/* ---- leaves ---- */

struct authority {
    X509 *certificate;
    EVP_PKEY *key;
};

static void authority_free(struct authority *ca)
{
    X509_free(ca->certificate);
    EVP_PKEY_free(ca->key);
}

/* On STATUS_OK *ca is owned. */
static enum status authority_read(const char *folder, struct authority *ca, struct error *error)
{
    char certificate_path[MAX_PATH_BYTES], key_path[MAX_PATH_BYTES];
    TRY(path_in(folder, "ca.crt", certificate_path, error));
    TRY(path_in(folder, "ca.key", key_path, error));
    struct buffer certificate_pem, key_pem;
    buffer_init(&certificate_pem, MAX_PEM_BYTES);
    buffer_init(&key_pem, MAX_PEM_BYTES);
    enum status status = file_read(certificate_path, &certificate_pem, error);
    if (status == STATUS_OK)
        status = file_read_secret(key_path, &key_pem, error);
    if (status == STATUS_OK) {
        struct authority read = {openssl_read_certificate(buffer_slice(&certificate_pem)),
                                 openssl_read_key(buffer_slice(&key_pem))};
        if (read.certificate != NULL && read.key != NULL &&
            X509_check_private_key(read.certificate, read.key) == 1) {
            *ca = read;
        } else {
            authority_free(&read);
            ERR_clear_error();
            status = error_set(error, STATUS_INVALID, "F0000", NULL,
                               "%s: ca.crt and ca.key are not a CA and its key", folder);
        }
    }
    crypto_wipe(key_pem.data, key_pem.capacity);
    buffer_free(&key_pem);
    buffer_free(&certificate_pem);
    return status;
}

/* Characters that URIs, host names and addresses are made of. */
static bool is_plain(const char *text)
{
    if (text == NULL)
        return true;
    for (const char *at = text; *at != '\0'; at++)
        if (*at <= ' ' || *at > '~')
            return false;
    return text[0] != '\0';
}

static bool is_address(const char *text)
{
    ASN1_OCTET_STRING *address = a2i_IPADDRESS(text);
    bool valid = address != NULL;
    ASN1_OCTET_STRING_free(address);
    ERR_clear_error();
    return valid;
}

static enum status check_leaf(const struct identity_leaf *leaf, const X509 *ca, struct error *error)
{
    if (!is_plain(leaf->san_uri) || !is_plain(leaf->san_dns) || !is_plain(leaf->san_ip))
        return error_set(error, STATUS_INVALID, "22023", NULL,
                         "a certificate's alternative names are ASCII without spaces");
    if (leaf->san_ip != NULL && !is_address(leaf->san_ip))
        return error_set(error, STATUS_INVALID, "22023", NULL, "%s is not an IP address",
                         leaf->san_ip);
    TRY(check_common_name(leaf->common_name, error));
    if (leaf->not_before_ns >= leaf->not_after_ns)
        return error_set(error, STATUS_INVALID, "22023", NULL,
                         "a certificate must end after it begins");
    time_t end = (time_t)(leaf->not_after_ns / ns_per_second);
    if (X509_cmp_time(X509_get0_notAfter(ca), &end) != 1)
        return error_set(error, STATUS_INVALID, "22023", NULL,
                         "a certificate cannot outlive its CA's");
    return STATUS_OK;
}

static X509 *make_leaf(const struct identity_leaf *leaf, EVP_PKEY *key, const struct authority *ca)
{
    X509 *certificate =
        new_certificate(key, X509_get_subject_name(ca->certificate), leaf->common_name,
                        leaf->not_before_ns / ns_per_second, leaf->not_after_ns / ns_per_second);
    X509 *issuer = ca->certificate;
    if (certificate != NULL &&
        add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
        add_extension(certificate, issuer, NID_key_usage, "critical,digitalSignature") &&
        add_extension(certificate, issuer, NID_ext_key_usage,
                      leaf->server ? "serverAuth" : "clientAuth") &&
        add_extension(certificate, issuer, NID_subject_key_identifier, "hash") &&
        add_extension(certificate, issuer, NID_authority_key_identifier, "keyid:always") &&
        add_alternative_names(certificate, leaf) &&
        X509_sign(certificate, ca->key, EVP_sha256()) != 0)
        return certificate;
    X509_free(certificate);
    return NULL;
}

enum status identity_issue(const char *folder, const struct identity_leaf *leaf,
                           struct buffer *certificate_pem, struct buffer *key_pem,
                           struct error *error)
{
    struct authority ca = {0};
    EVP_PKEY *key = NULL;
    X509 *certificate = NULL;
    TRY(authority_read(folder, &ca, error));
    enum status status = check_leaf(leaf, ca.certificate, error);
    if (status != STATUS_OK)
        goto done;
    key = EVP_EC_gen("P-256");
    certificate = key == NULL ? NULL : make_leaf(leaf, key, &ca);
    if (certificate == NULL)
        status = openssl_failed(error, "cannot make the certificate");
    else
        status = print_pem(certificate, key, certificate_pem, key_pem, error);
done:
    X509_free(certificate);
    EVP_PKEY_free(key);
    authority_free(&ca);
    return status;
}
