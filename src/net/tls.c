/* TLS on streams, with OpenSSL reading and writing the socket itself.
 * Invariants: TLS 1.2 at least, AEAD with ephemeral keys only, no renegotiation, compression,
 * tickets or session cache, so nothing of one connection survives into another. Once OpenSSL has
 * reported a fatal error, the connection is not used again (SSL_get_error(3)).
 * A net_tls is immutable and shared between threads by reference counting. */
#include "net/private.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/check.h"
#include "base/file.h"

enum { KEY_FILE_LIMIT = 64 * 1024 };

static const char cipher_list[] = "ECDHE+AESGCM:ECDHE+CHACHA20";
static const unsigned char alpn_postgresql[] = "\012postgresql"; /* with its length in front */

struct net_tls {
    atomic_uint references;
    SSL_CTX *context;
};

/* The newest reason in OpenSSL's queue, which is emptied. */
static const char *last_reason(void)
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

static enum status tls_new(const SSL_METHOD *method, struct net_tls **out, struct error *error)
{
    struct net_tls *tls = calloc(1, sizeof *tls);
    SSL_CTX *context = tls == NULL ? NULL : SSL_CTX_new(method);
    if (context == NULL) {
        free(tls);
        return error_set(error, STATUS_NOMEM, "53200", NULL, "cannot make a TLS context: %s",
                         last_reason());
    }
    atomic_init(&tls->references, 1);
    tls->context = context;
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(context, 1); /* header and body of a record in one recv */
    SSL_CTX_set_default_passwd_cb(context, refuse_passphrase);
    int set = SSL_CTX_set_cipher_list(context, cipher_list);
    CHECK(set == 1);
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
                           "cannot read a private key from %s: %s", path, last_reason());
    else if (SSL_CTX_use_PrivateKey(context, key) != 1)
        status = error_set(error, STATUS_INVALID, "F0000", NULL,
                           "the key %s does not fit the certificate: %s", path, last_reason());
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
                         "cannot read CA certificates from %s: %s", path, last_reason());
    return STATUS_OK;
}

static enum status use_client_ca(SSL_CTX *context, const char *path, struct error *error)
{
    TRY(use_ca(context, path, error));
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(path);
    if (names == NULL)
        return error_set(error, STATUS_INVALID, "F0000", NULL,
                         "cannot read CA certificates from %s: %s", path, last_reason());
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
    SSL_CTX_set_session_id_context(tls->context, session_context, sizeof session_context - 1);
    enum status status = STATUS_OK;
    if (SSL_CTX_use_certificate_chain_file(tls->context, certificate) != 1)
        status = error_set(error, STATUS_INVALID, "F0000", NULL,
                           "cannot read a certificate from %s: %s", certificate, last_reason());
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

/* ---- handshake ---- */

static void on_deadline(uv_timer_t *handle)
{
    struct net_stream *stream = handle->data;
    struct error error;
    error_set(&error, STATUS_PEER, "08006", NULL, "TLS handshake timed out");
    stream_fail(stream, &error);
}

/* The certificate must be for the host that was connected to (RFC 6125). */
static bool expect_host(SSL *ssl, const char *host)
{
    struct in6_addr address;
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    if (inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1;
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

enum status net_stream_start_tls(struct net_stream *stream, struct net_tls *tls, bool server,
                                 uint32_t timeout_ms, struct error *error)
{
    CHECK(stream->state == STREAM_OPEN && stream->ssl == NULL);
    if (!server && stream->host == NULL)
        return error_set(error, STATUS_INVALID, "08001", NULL,
                         "TLS needs a host name: it is not used over unix sockets");
    SSL *ssl = SSL_new(tls->context);
    if (ssl == NULL || SSL_set_fd(ssl, stream->fd) != 1 ||
        (!server && !expect_host(ssl, stream->host)) ||
        stream_start_deadline(stream, timeout_ms, on_deadline) != STATUS_OK) {
        SSL_free(ssl);
        return error_set(error, STATUS_NOMEM, "53200", NULL, "cannot start TLS: %s", last_reason());
    }
    if (server)
        SSL_set_accept_state(ssl);
    else
        SSL_set_connect_state(ssl);
    stream->ssl = ssl;
    stream->tls = net_tls_retain(tls);
    stream->state = STREAM_HANDSHAKE;
    stream_watch(stream, server ? UV_READABLE : UV_WRITABLE);
    return STATUS_OK;
}

static void handshake_failed(struct net_stream *stream, int kind, int failure)
{
    struct error error;
    long verified = SSL_get_verify_result(stream->ssl);
    stream->tls_broken = true;
    if (verified != X509_V_OK)
        error_set(&error, STATUS_PEER, "08006", NULL,
                  "TLS handshake failed: peer's certificate was refused: %s",
                  X509_verify_cert_error_string(verified));
    else if (kind == SSL_ERROR_SYSCALL)
        error_set(&error, STATUS_PEER, "08006", NULL, "TLS handshake failed: %s",
                  failure == 0 ? "the peer closed the connection" : strerror(failure));
    else
        error_set(&error, STATUS_PEER, "08006", NULL, "TLS handshake failed: %s", last_reason());
    ERR_clear_error();
    stream_fail(stream, &error);
}

void tls_handshake(struct net_stream *stream)
{
    ERR_clear_error();
    errno = 0;
    int result = SSL_do_handshake(stream->ssl);
    int failure = errno;
    if (result == 1) {
        stream->tls_more = SSL_has_pending(stream->ssl) == 1;
        stream_succeed(stream);
        if (stream->state == STREAM_OPEN)
            stream_enqueue_pending(stream);
        return;
    }
    int kind = SSL_get_error(stream->ssl, result);
    if (kind == SSL_ERROR_WANT_READ)
        stream_watch(stream, UV_READABLE);
    else if (kind == SSL_ERROR_WANT_WRITE)
        stream_watch(stream, UV_WRITABLE);
    else
        handshake_failed(stream, kind, failure);
}

/* ---- bytes ---- */

/* What a read or write that gave nothing means; needs_other tells that TLS waits for the other
 * direction of the socket than the caller's. */
static enum status judge(struct net_stream *stream, int result, int other, bool *needs_other)
{
    int kind = SSL_get_error(stream->ssl, result);
    if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) {
        *needs_other = kind == other;
        stream_rearm(stream);
        return STATUS_AGAIN;
    }
    if (kind == SSL_ERROR_ZERO_RETURN)
        return STATUS_CLOSED;
    stream->tls_broken = true;
    ERR_clear_error();
    return STATUS_PEER;
}

enum status tls_read(struct net_stream *stream, void *room, size_t len, size_t *got)
{
    if (stream->tls_broken)
        return STATUS_PEER;
    ERR_clear_error();
    stream->read_needs_write = false;
    int result = SSL_read_ex(stream->ssl, room, len, got);
    if (result != 1) {
        stream->tls_more = false;
        return judge(stream, result, SSL_ERROR_WANT_WRITE, &stream->read_needs_write);
    }
    /* With read-ahead this may be part of a record only; then the next read says AGAIN. */
    stream->tls_more = SSL_has_pending(stream->ssl) == 1;
    stream_enqueue_pending(stream);
    return STATUS_OK;
}

enum status tls_write(struct net_stream *stream, const void *data, size_t len, size_t *put)
{
    if (stream->tls_broken)
        return STATUS_PEER;
    ERR_clear_error();
    stream->write_needs_read = false;
    int result = SSL_write_ex(stream->ssl, data, len, put);
    if (result == 1)
        return STATUS_OK;
    enum status status = judge(stream, result, SSL_ERROR_WANT_READ, &stream->write_needs_read);
    return status == STATUS_CLOSED ? STATUS_PEER : status;
}

void tls_close(struct net_stream *stream)
{
    if (stream->ssl == NULL)
        return;
    if (stream->state == STREAM_OPEN && !stream->tls_broken)
        SSL_shutdown(stream->ssl);
    ERR_clear_error();
    SSL_free(stream->ssl);
    net_tls_release(stream->tls);
    stream->ssl = NULL;
    stream->tls = NULL;
}

/* ---- facts ---- */

bool net_stream_peer_certificate(const struct net_stream *stream, struct buffer *der)
{
    if (!net_stream_is_tls(stream) || SSL_get_verify_result(stream->ssl) != X509_V_OK)
        return false;
    X509 *certificate = SSL_get0_peer_certificate(stream->ssl);
    unsigned char *bytes = NULL;
    int len = certificate == NULL ? -1 : i2d_X509(certificate, &bytes);
    if (len <= 0)
        return false;
    buffer_append(der, bytes, (size_t)len);
    OPENSSL_free(bytes);
    return !der->overflowed;
}

size_t net_stream_end_point(const struct net_stream *stream,
                            uint8_t hash[static NET_END_POINT_BYTES])
{
    static_assert(NET_END_POINT_BYTES >= EVP_MAX_MD_SIZE, "any digest has room");
    int digest_id;
    unsigned len;
    if (!net_stream_is_tls(stream))
        return 0;
    X509 *certificate = SSL_is_server(stream->ssl) ? SSL_get_certificate(stream->ssl)
                                                   : SSL_get0_peer_certificate(stream->ssl);
    if (certificate == NULL ||
        OBJ_find_sigid_algs(X509_get_signature_nid(certificate), &digest_id, NULL) != 1)
        return 0;
    if (digest_id == NID_md5 || digest_id == NID_sha1)
        digest_id = NID_sha256;
    const EVP_MD *digest = digest_id == NID_undef ? NULL : EVP_get_digestbynid(digest_id);
    if (digest == NULL || X509_digest(certificate, digest, hash, &len) != 1) {
        ERR_clear_error();
        return 0;
    }
    return len;
}

const char *net_stream_tls_version(const struct net_stream *stream)
{
    return net_stream_is_tls(stream) ? SSL_get_version(stream->ssl) : "";
}
