/* TLS contexts: versions, ciphers, keys, the authorities that are believed.
 * Invariants: TLS 1.2 at least, AEAD with ephemeral keys only, no signature with SHA-1, no
 * renegotiation, compression, tickets or session cache, so nothing of one connection survives into
 * another. A net_tls is immutable and shared between threads by reference counting. */
#include "net/private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/check.h"
#include "base/file.h"

/* Level 2: keys and hashes of 112 bits at least (SSL_CTX_set_security_level(3)). */
enum { KEY_FILE_LIMIT = 64 * 1024, SECURITY_LEVEL = 2 };

static const char cipher_list[] = "ECDHE+AESGCM:ECDHE+CHACHA20";
static const char groups[] = "X25519:P-256:P-384";
static const char signatures[] =
    "ed25519:ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:"
    "RSA+SHA256:RSA+SHA384:RSA+SHA512";
static const unsigned char alpn_postgresql[] = "\012postgresql"; /* with its length in front */

const char *tls_last_reason(void)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = NULL;
    if (ERR_GET_LIB(code) != ERR_LIB_SYS)
        reason = ERR_reason_error_string(code);
    ERR_clear_error();
    return reason != NULL ? reason : "unknown reason";
}

/* ---- contexts ---- */

static int refuse_passphrase(char *room, int size, int writing, void *context)
{
    (void)room, (void)size, (void)writing, (void)context;
    return -1; /* a daemon must not prompt */
}

/* RFC 7301: a client that offers protocols but not ours speaks something else. */
static int select_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                       const unsigned char *offered, unsigned int offered_len, void *context)
{
    (void)ssl, (void)context;
    unsigned char *chosen = NULL;
    if (SSL_select_next_proto(&chosen, out_len, alpn_postgresql, sizeof alpn_postgresql - 1,
                              offered, offered_len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* Before anything is chosen. Whoever begins with TLS has to say what it wants to speak inside, as
 * PostgreSQL 17 has it: else a client of another protocol could be made to talk to us. */
static int on_client_hello(SSL *ssl, int *alert, void *context)
{
    (void)context;
    const struct net_stream *stream = SSL_get_app_data(ssl);
    const unsigned char *offered;
    size_t len;
    if (!stream->needs_alpn ||
        SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation, &offered,
                                  &len) == 1)
        return SSL_CLIENT_HELLO_SUCCESS;
    *alert = SSL_AD_NO_APPLICATION_PROTOCOL;
    return SSL_CLIENT_HELLO_ERROR;
}

static enum status tls_new(const SSL_METHOD *method, struct net_tls **out, struct error *error)
{
    struct net_tls *tls = calloc(1, sizeof *tls);
    SSL_CTX *context = tls == NULL ? NULL : SSL_CTX_new(method);
    if (context == NULL) {
        free(tls);
        return error_set(error, STATUS_NOMEM, "53200", NULL, "cannot make a TLS context: %s",
                         tls_last_reason());
    }
    atomic_init(&tls->references, 1);
    tls->context = context;
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_security_level(context, SECURITY_LEVEL); /* whatever openssl.cnf says */
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(context, 1); /* header and body of a record in one recv */
    SSL_CTX_set_default_passwd_cb(context, refuse_passphrase);
    SSL_CTX_set_msg_callback(context, tls_on_message);
    bool set = SSL_CTX_set_cipher_list(context, cipher_list) == 1 &&
               SSL_CTX_set1_groups_list(context, groups) == 1 &&
               SSL_CTX_set1_sigalgs_list(context, signatures) == 1 &&
               SSL_CTX_set1_client_sigalgs_list(context, signatures) == 1;
    CHECK(set);
    *out = tls;
    return STATUS_OK;
}

static enum status use_key(SSL_CTX *context, const char *path, struct error *error)
{
    struct buffer pem;
    buffer_init(&pem, KEY_FILE_LIMIT);
    EVP_PKEY *key = NULL;
    enum status status = file_read_secret(path, &pem, error);
    if (status != STATUS_OK)
        goto done;
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, refuse_passphrase, NULL);
    BIO_free(bio);
    if (key == NULL)
        status = error_set(error, STATUS_INVALID, "F0000",
                           "Give an unencrypted PEM key that only the service's user can read.",
                           "cannot read a private key from %s: %s", path, tls_last_reason());
    else if (SSL_CTX_use_PrivateKey(context, key) != 1 ||
             SSL_CTX_check_private_key(context) != 1) /* a key of another kind has its own place */
        status = error_set(error, STATUS_INVALID, "F0000", NULL,
                           "the key %s does not fit the certificate: %s", path, tls_last_reason());
done:
    if (pem.data != NULL)
        OPENSSL_cleanse(pem.data, pem.capacity);
    buffer_free(&pem);
    EVP_PKEY_free(key);
    return status;
}

static enum status use_ca(SSL_CTX *context, const char *path, struct error *error)
{
    if (SSL_CTX_load_verify_locations(context, path, NULL) != 1)
        return error_set(error, STATUS_INVALID, "F0000", NULL,
                         "cannot read CA certificates from %s: %s", path, tls_last_reason());
    return STATUS_OK;
}

static enum status use_client_ca(SSL_CTX *context, const char *path, struct error *error)
{
    TRY(use_ca(context, path, error));
    STACK_OF(X509_NAME) *names = SSL_CTX_get_client_CA_list(context);
    names = names == NULL ? sk_X509_NAME_new_null() : SSL_dup_CA_list(names);
    if (names == NULL || SSL_add_file_cert_subjects_to_stack(names, path) != 1) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return error_set(error, STATUS_INVALID, "F0000", NULL,
                         "cannot read CA certificates from %s: %s", path, tls_last_reason());
    }
    SSL_CTX_set_client_CA_list(context, names);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    return STATUS_OK;
}

enum status net_tls_server_open(const char *certificate, const char *key, const char *client_ca,
                                struct net_tls **out, struct error *error)
{
    static const unsigned char session_context[] = "cofferdam";
    struct net_tls *tls = NULL;
    TRY(tls_new(TLS_server_method(), &tls, error));
    SSL_CTX_set_alpn_select_cb(tls->context, select_alpn, NULL);
    SSL_CTX_set_client_hello_cb(tls->context, on_client_hello, NULL);
    SSL_CTX_set_max_cert_list(tls->context, NET_TLS_HANDSHAKE_BYTES);
    SSL_CTX_set_session_id_context(tls->context, session_context, sizeof session_context - 1);
    enum status status = STATUS_OK;
    if (SSL_CTX_use_certificate_chain_file(tls->context, certificate) != 1)
        status = error_set(error, STATUS_INVALID, "F0000", NULL,
                           "cannot read a certificate from %s: %s", certificate, tls_last_reason());
    if (status == STATUS_OK)
        status = use_key(tls->context, key, error);
    if (status == STATUS_OK && client_ca != NULL)
        status = use_client_ca(tls->context, client_ca, error);
    if (status != STATUS_OK) {
        net_tls_release(tls);
        return status;
    }
    *out = tls;
    return STATUS_OK;
}

enum status net_tls_server_trust(struct net_tls *tls, const char *client_ca, struct error *error)
{
    return use_client_ca(tls->context, client_ca, error);
}

enum status net_tls_client_open(const char *ca, struct net_tls **out, struct error *error)
{
    struct net_tls *tls = NULL;
    TRY(tls_new(TLS_client_method(), &tls, error));
    SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_alpn_protos(tls->context, alpn_postgresql, sizeof alpn_postgresql - 1);
    enum status status = use_ca(tls->context, ca, error);
    if (status != STATUS_OK) {
        net_tls_release(tls);
        return status;
    }
    *out = tls;
    return STATUS_OK;
}

/* ---- what a context shows ---- */

static void put_name(const X509_NAME *name, char *room, size_t size)
{
    BIO *bio = BIO_new(BIO_s_mem());
    int len = -1;
    if (bio != NULL && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0)
        len = BIO_read(bio, room, (int)size - 1);
    room[len < 0 ? 0 : len] = '\0';
    BIO_free(bio);
}

/* "DNS:a, IP Address:1.2.3.4", as OpenSSL prints the extension. */
static void put_alternatives(X509 *certificate, char *room, size_t size)
{
    BIO *bio = BIO_new(BIO_s_mem());
    int at = X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1), len = -1;
    if (bio != NULL && at >= 0 && X509V3_EXT_print(bio, X509_get_ext(certificate, at), 0, 0) == 1)
        len = BIO_read(bio, room, (int)size - 1);
    room[len < 0 ? 0 : len] = '\0';
    BIO_free(bio);
}

static void put_hex(const unsigned char *bytes, size_t len, char *room, size_t size)
{
    room[0] = '\0';
    for (size_t i = 0; i < len && 2 * i + 3 <= size; i++)
        snprintf(room + 2 * i, 3, "%02x", bytes[i]);
}

static void put_key(const EVP_PKEY *key, char *room, size_t size)
{
    char group[24] = "";
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA)
        snprintf(room, size, "RSA %d", EVP_PKEY_get_bits(key));
    else if (EVP_PKEY_get_group_name(key, group, sizeof group, NULL) == 1)
        snprintf(room, size, "%s", strcmp(group, "prime256v1") == 0 ? "P-256" : group);
    else
        snprintf(room, size, "%s", OBJ_nid2sn(EVP_PKEY_get_base_id(key)));
}

static int64_t time_ns(const ASN1_TIME *time)
{
    struct tm parts;
    if (ASN1_TIME_to_tm(time, &parts) != 1)
        return 0;
    return (int64_t)timegm(&parts) * 1000000000;
}

void net_tls_describe(const struct net_tls *tls, struct net_tls_certificate *out)
{
    X509 *certificate = SSL_CTX_get0_certificate(tls->context);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    *out = (struct net_tls_certificate){.ends_ns = 0};
    if (certificate == NULL)
        return;
    const ASN1_INTEGER *serial = X509_get0_serialNumber(certificate);
    put_name(X509_get_subject_name(certificate), out->subject, sizeof out->subject);
    put_name(X509_get_issuer_name(certificate), out->issuer, sizeof out->issuer);
    put_alternatives(certificate, out->names, sizeof out->names);
    put_hex(ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial), out->serial,
            sizeof out->serial);
    put_key(X509_get0_pubkey(certificate), out->key, sizeof out->key);
    if (X509_digest(certificate, EVP_sha256(), digest, &len) == 1)
        put_hex(digest, len, out->sha256, sizeof out->sha256);
    out->begins_ns = time_ns(X509_get0_notBefore(certificate));
    out->ends_ns = time_ns(X509_get0_notAfter(certificate));
    ERR_clear_error();
}

struct net_tls *net_tls_retain(struct net_tls *tls)
{
    atomic_fetch_add_explicit(&tls->references, 1, memory_order_relaxed);
    return tls;
}

void net_tls_release(struct net_tls *tls)
{
    if (tls == NULL || atomic_fetch_sub_explicit(&tls->references, 1, memory_order_acq_rel) != 1)
        return;
    SSL_CTX_free(tls->context);
    free(tls);
}
