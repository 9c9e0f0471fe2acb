/* TLS on streams, with OpenSSL reading and writing the socket itself.
 * Invariants: nothing of one connection survives into another. Once OpenSSL has reported a fatal
 * error, the connection is not used again (SSL_get_error(3)). Handshakes in which we are the server
 * go through the loop's fair queue (handshakes.c). */
#include "net/private.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/check.h"

/* ---- records without data ---- */

/* OpenSSL works on all records that it can get before it returns, as long as they bring no data: a
 * stranger who sends key updates without an end would keep a loop for as long as he likes. Clients
 * send none, or one now and then. */
enum { IDLE_RECORDS_MOST = 32, HANDSHAKE_RECORDS_MOST = 128 };

static bool is_idling(const struct net_stream *stream)
{
    unsigned most = stream->state == STREAM_HANDSHAKE ? HANDSHAKE_RECORDS_MOST : IDLE_RECORDS_MOST;
    return stream->tls_idle_records > most;
}

/* What is read after the peer's farewell is thrown away and ends the call (SSL_set_shutdown(3)). */
void tls_on_message(int is_written, int version, int type, const void *data, size_t len, SSL *ssl,
                    void *context)
{
    (void)version, (void)data, (void)len, (void)context;
    struct net_stream *stream = SSL_get_app_data(ssl);
    if (is_written != 0 || type != SSL3_RT_HEADER)
        return;
    stream->tls_idle_records++;
    if (is_idling(stream))
        SSL_set_shutdown(ssl, SSL_get_shutdown(ssl) | SSL_RECEIVED_SHUTDOWN);
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

enum status net_stream_start_tls(struct net_stream *stream, struct net_tls *tls,
                                 enum net_tls_side side, uint32_t timeout_ms, struct error *error)
{
    bool server = side != NET_TLS_CLIENT;
    CHECK(stream->state == STREAM_OPEN && stream->ssl == NULL);
    if (!server && stream->host == NULL)
        return error_set(error, STATUS_INVALID, "08001", NULL,
                         "TLS needs a host name: it is not used over unix sockets");
    SSL *ssl = SSL_new(tls->context);
    if (ssl == NULL || SSL_set_fd(ssl, stream->fd) != 1 ||
        (!server && !expect_host(ssl, stream->host)) ||
        stream_start_deadline(stream, timeout_ms, on_deadline) != STATUS_OK) {
        SSL_free(ssl);
        return error_set(error, STATUS_NOMEM, "53200", NULL, "cannot start TLS: %s",
                         tls_last_reason());
    }
    SSL_set_app_data(ssl, stream);
    if (server)
        SSL_set_accept_state(ssl);
    else
        SSL_set_connect_state(ssl);
    stream->ssl = ssl;
    stream->serves = server;
    stream->needs_alpn = side == NET_TLS_SERVER_DIRECT;
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
        error_set(&error, STATUS_PEER, "08006", NULL, "TLS handshake failed: %s",
                  tls_last_reason());
    ERR_clear_error();
    stream_fail(stream, &error);
}

/* OpenSSL gathers a ClientHello of up to 128 KiB: too much room for a stranger. */
static void handshake_too_long(struct net_stream *stream)
{
    struct error error;
    error_set(&error, STATUS_PEER, "08006", NULL,
              "TLS handshake failed: more than %d bytes or %d records from the peer",
              NET_TLS_HANDSHAKE_BYTES, HANDSHAKE_RECORDS_MOST);
    stream->tls_broken = true;
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
        stream->tls_idle_records = 0;
        stream_succeed(stream);
        if (stream->state == STREAM_OPEN)
            stream_enqueue_pending(stream);
        return;
    }
    int kind = SSL_get_error(stream->ssl, result);
    bool is_long = stream->serves && kind == SSL_ERROR_WANT_READ &&
                   BIO_number_read(SSL_get_rbio(stream->ssl)) > NET_TLS_HANDSHAKE_BYTES;
    if (is_long || is_idling(stream))
        handshake_too_long(stream);
    else if (kind == SSL_ERROR_WANT_READ)
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
    if (kind == SSL_ERROR_ZERO_RETURN && !is_idling(stream))
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
    stream->tls_idle_records = 0;
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

bool net_stream_peer_chain(const struct net_stream *stream, struct buffer *ders)
{
    if (!net_stream_is_tls(stream) || SSL_get_verify_result(stream->ssl) != X509_V_OK)
        return false;
    STACK_OF(X509) *chain = SSL_get0_verified_chain(stream->ssl);
    for (int i = 0; i < sk_X509_num(chain); i++) {
        unsigned char *bytes = NULL;
        int len = i2d_X509(sk_X509_value(chain, i), &bytes);
        if (len <= 0)
            return false;
        buffer_append(ders, bytes, (size_t)len);
        OPENSSL_free(bytes);
    }
    return sk_X509_num(chain) > 0 && !ders->overflowed;
}

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
