/* Leaves: certificates that our authority issues, after RFC 5280. Invariant: a leaf can sign
 * nothing, none outlives the CA, and none is handed out that is not in issued.csv. */
#include "identity/authority_private.h"

#include <string.h>
#include <time.h>

#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

enum { SERIAL_BITS = 128, MAX_COMMON_NAME_BYTES = 64 };
static const int64_t ns_per_second = 1000000000;

/* ---- keys ---- */

enum status identity_key_named(const char *name, enum identity_key *key, struct error *error)
{
    if (strcmp(name, "p256") == 0)
        *key = IDENTITY_KEY_P256;
    else if (strcmp(name, "ed25519") == 0)
        *key = IDENTITY_KEY_ED25519;
    else
        return error_set(error, STATUS_INVALID, "22023", "p256 or ed25519",
                         "no kind of key is called \"%.40s\"", name);
    return STATUS_OK;
}

EVP_PKEY *leaf_key_make(enum identity_key kind)
{
    return kind == IDENTITY_KEY_ED25519 ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
                                        : EVP_EC_gen("P-256");
}

const EVP_MD *leaf_digest(const EVP_PKEY *key)
{
    return EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256();
}

/* A curve that was spelled out instead of named may be another one with the same name's look
 * (CVE-2020-0601). */
bool leaf_key_allowed(const EVP_PKEY *key)
{
    char group[32];
    int spelled_out = 0;
    if (EVP_PKEY_is_a(key, "ED25519"))
        return true;
    if (!EVP_PKEY_is_a(key, "EC"))
        return false;
    bool named = EVP_PKEY_get_group_name(key, group, sizeof group, NULL) == 1 &&
                 strcmp(group, "prime256v1") == 0;
    bool told = EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
                                       &spelled_out) == 1;
    ERR_clear_error();
    return named && told && spelled_out == 0;
}

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

bool leaf_extend(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool added = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

X509 *leaf_new(EVP_PKEY *key, const X509_NAME *issuer, const char *common_name, int64_t not_before,
               int64_t not_after)
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

/* ---- leaves ---- */

/* X.520 allows 64 characters; bytes are what fits whatever the encoding. */
enum status leaf_check_common_name(const char *name, struct error *error)
{
    size_t len = strlen(name);
    if (len < 1 || len > MAX_COMMON_NAME_BYTES)
        return error_set(error, STATUS_INVALID, "22023", NULL, "a common name has 1 to %d bytes",
                         MAX_COMMON_NAME_BYTES);
    return STATUS_OK;
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

enum status leaf_check(const struct identity_leaf *leaf, const X509 *ca, struct error *error)
{
    if (!is_plain(leaf->san_uri) || !is_plain(leaf->san_dns) || !is_plain(leaf->san_ip))
        return error_set(error, STATUS_INVALID, "22023", NULL,
                         "a certificate's alternative names are ASCII without spaces");
    if (leaf->san_ip != NULL && !is_address(leaf->san_ip))
        return error_set(error, STATUS_INVALID, "22023", NULL, "%s is not an IP address",
                         leaf->san_ip);
    TRY(leaf_check_common_name(leaf->common_name, error));
    if (leaf->not_before_ns >= leaf->not_after_ns)
        return error_set(error, STATUS_INVALID, "22023", NULL,
                         "a certificate must end after it begins");
    time_t end = (time_t)(leaf->not_after_ns / ns_per_second);
    if (X509_cmp_time(X509_get0_notAfter(ca), &end) != 1)
        return error_set(error, STATUS_INVALID, "22023", NULL,
                         "a certificate cannot outlive its CA's");
    return STATUS_OK;
}

X509 *leaf_make(const struct identity_ca *ca, const struct identity_leaf *leaf, EVP_PKEY *key)
{
    X509 *certificate =
        leaf_new(key, X509_get_subject_name(ca->certificate), leaf->common_name,
                 leaf->not_before_ns / ns_per_second, leaf->not_after_ns / ns_per_second);
    X509 *issuer = ca->certificate;
    if (certificate != NULL &&
        leaf_extend(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
        leaf_extend(certificate, issuer, NID_key_usage, "critical,digitalSignature") &&
        leaf_extend(certificate, issuer, NID_ext_key_usage,
                    leaf->server ? "serverAuth" : "clientAuth") &&
        leaf_extend(certificate, issuer, NID_subject_key_identifier, "hash") &&
        leaf_extend(certificate, issuer, NID_authority_key_identifier, "keyid:always") &&
        add_alternative_names(certificate, leaf) &&
        X509_sign(certificate, ca->key, leaf_digest(ca->key)) != 0)
        return certificate;
    X509_free(certificate);
    return NULL;
}

static enum status print_key(EVP_PKEY *key, struct buffer *pem, struct error *error)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    enum status status;
    if (bio == NULL || PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1)
        status = openssl_failed(error, "cannot write a key");
    else
        status = openssl_take(bio, pem, error);
    BIO_free(bio);
    return status;
}

static enum status record(const struct identity_ca *ca, const struct identity_leaf *leaf,
                          const struct description *made, struct error *error)
{
    struct issued_file file;
    TRY(issued_open(ca->folder, &file, error));
    enum status status = issued_lock(&file, error);
    if (status == STATUS_OK)
        status =
            issued_add(&file, leaf->who == NULL ? leaf->common_name : leaf->who, made, NULL, error);
    issued_close(&file); /* and with it the lock */
    return status;
}

enum status leaf_print(X509 *certificate, struct buffer *pem, struct error *error)
{
    BIO *bio = BIO_new(BIO_s_mem());
    enum status status = bio == NULL || PEM_write_bio_X509(bio, certificate) != 1
                             ? openssl_failed(error, "cannot write a certificate")
                             : openssl_take(bio, pem, error);
    BIO_free(bio);
    return status;
}

/* Recorded, then printed: what cannot be recorded is handed to nobody. */
static enum status hand_out(const struct identity_ca *ca, const struct identity_leaf *leaf,
                            X509 *certificate, struct buffer *pem, struct error *error)
{
    struct description description;
    struct buffer made;
    buffer_init(&made, AUTHORITY_PEM_BYTES);
    enum status status = leaf_print(certificate, &made, error);
    if (status == STATUS_OK)
        status = identity_describe(buffer_slice(&made), &description, error);
    if (status == STATUS_OK)
        status = record(ca, leaf, &description, error);
    if (status == STATUS_OK)
        buffer_append(pem, made.data, made.len);
    if (status == STATUS_OK && pem->overflowed)
        status = error_set(error, STATUS_NOMEM, "53200", NULL, "no room for the certificate");
    buffer_free(&made);
    return status;
}

enum status identity_issue(const struct identity_ca *ca, const struct identity_leaf *leaf,
                           struct buffer *certificate_pem, struct buffer *key_pem,
                           struct error *error)
{
    EVP_PKEY *key = NULL;
    X509 *certificate = NULL;
    size_t before = key_pem == NULL ? 0 : key_pem->len;
    bool asked = leaf->request.len > 0;
    TRY(leaf_check(leaf, ca->certificate, error));
    if (asked)
        TRY(request_key(leaf->request, leaf->san_uri, &key, error));
    else
        key = leaf_key_make(leaf->key);
    certificate = key == NULL ? NULL : leaf_make(ca, leaf, key);
    enum status status = STATUS_OK;
    if (certificate == NULL)
        status = openssl_failed(error, "cannot make the certificate");
    else if (!asked)
        status = print_key(key, key_pem, error);
    if (status == STATUS_OK)
        status = hand_out(ca, leaf, certificate, certificate_pem, error);
    if (status != STATUS_OK && key_pem != NULL)
        key_pem->len = before;
    X509_free(certificate);
    EVP_PKEY_free(key);
    return status;
}
