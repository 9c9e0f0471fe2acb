/* Event loops, listeners, byte streams (plain or TLS), timers. One thread runs one loop; a loop's
 * objects are touched by its own thread only, but for net_loop_wake and net_loop_stop.
 * Streams do no buffering: reads and writes go straight to the socket or to SSL_read/SSL_write;
 * the owner keeps the bytes and says what it waits for. Callbacks may close their own stream:
 * memory is freed after the callback has returned. */
#ifndef COFFERDAM_NET_NET_H
#define COFFERDAM_NET_NET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "base/status.h"

struct net_loop;
struct net_listener;
struct net_stream;
struct net_timer;
struct net_tls;

/* ---- loop ---- */
/* Ignores SIGPIPE in the whole process. */
MUST_USE enum status net_loop_open(struct net_loop **loop, struct error *error);
/* Called on the loop's thread after net_loop_wake (many wakes may be one call). */
void net_loop_on_wake(struct net_loop *loop, void (*fn)(void *context), void *context);
/* Called once each turn of the loop, after its callbacks of input and timers and just before it
 * waits again: the place to flush. */
void net_loop_on_turn(struct net_loop *loop, void (*fn)(void *context), void *context);
void net_loop_run(struct net_loop *loop);  /* until net_loop_stop */
void net_loop_wake(struct net_loop *loop); /* any thread */
void net_loop_stop(struct net_loop *loop); /* any thread */
/* After run has returned; frees. Streams, listeners and timers must have been closed before. */
void net_loop_close(struct net_loop *loop);

/* ---- timers: owner closes them ---- */
MUST_USE enum status net_timer_open(struct net_loop *loop, void (*fn)(void *context), void *context,
                                    struct net_timer **timer);
/* Starts or restarts; repeat_ms 0: once. */
void net_timer_start(struct net_timer *timer, uint64_t after_ms, uint64_t repeat_ms);
void net_timer_stop(struct net_timer *timer);
void net_timer_close(struct net_timer *timer); /* NULL is fine */

/* ---- listeners ---- */
typedef void (*net_accept_fn)(void *context, struct net_stream *stream);
/* TCP with SO_REUSEPORT, so that each loop may listen on the same port. port 0 takes a free one;
 * *bound_port tells which. TCP_NODELAY is set on accepted streams. */
MUST_USE enum status net_listen_tcp(struct net_loop *loop, const char *address, uint16_t port,
                                    net_accept_fn fn, void *context, uint16_t *bound_port,
                                    struct net_listener **listener, struct error *error);
/* Unix socket; replaces a dead one at the path, refuses a live one. */
MUST_USE enum status net_listen_unix(struct net_loop *loop, const char *path, unsigned mode,
                                     net_accept_fn fn, void *context,
                                     struct net_listener **listener, struct error *error);
void net_listener_close(struct net_listener *listener); /* NULL is fine */

/* ---- streams ---- */
struct net_handlers {
    void (*readable)(void *context);
    void (*writable)(void *context);
    /* connect or TLS handshake ended; error is NULL on success. After an error only closing is
     * left. */
    void (*ready)(void *context, const struct error *error);
    /* The peer is gone, or will send no more, while readable is not wanted (where it is, reading
     * tells). Once; may be NULL. Bytes sent before may still be unread. */
    void (*hangup)(void *context);
};
void net_stream_handle(struct net_stream *stream, const struct net_handlers *handlers,
                       void *context); /* handlers is borrowed for the stream's life */
/* What to be called back for. TLS may need the other direction underneath: that is net's affair.
 * Level-triggered: readable is called again as long as bytes wait, those inside TLS too. */
void net_stream_want(struct net_stream *stream, bool readable, bool writable);

/* STATUS_OK: *got >= 1 bytes. STATUS_AGAIN, STATUS_CLOSED (orderly), STATUS_PEER (reset, TLS
 * failure), never blocks. */
enum status net_stream_read(struct net_stream *stream, void *room, size_t len, size_t *got);
/* STATUS_OK: *put >= 1 bytes taken (maybe not all). STATUS_AGAIN, STATUS_PEER. After STATUS_AGAIN
 * the next write must begin with the same bytes and be no shorter (TLS may have begun a record
 * with them); they may have moved. */
enum status net_stream_write(struct net_stream *stream, const void *data, size_t len, size_t *put);
/* Takes the stream away; pending callbacks do not come. Sends TLS close_notify if it can.
 * What was written before is still delivered. */
void net_stream_close(struct net_stream *stream); /* NULL is fine */

/* Bytes that the kernel has taken and the peer has not acknowledged; 0 where that cannot be told.
 */
size_t net_stream_unsent(const struct net_stream *stream);
/* What the kernel still holds is dropped when the stream is closed, and the peer told so (RST);
 * nothing more may be written. */
void net_stream_reset(struct net_stream *stream);

/* Connects; handlers->ready tells the outcome (also of failures found at once). host with a
 * leading '/' is a folder with a .s.PGSQL.<port> socket; otherwise a name or an address. Name
 * look-up happens off the loop. timeout_ms covers all of it. */
MUST_USE enum status net_connect(struct net_loop *loop, const char *host, uint16_t port,
                                 uint32_t timeout_ms, const struct net_handlers *handlers,
                                 void *context, struct net_stream **stream, struct error *error);

/* The next byte that the peer has sent, left where it is; false where none waits. Plain streams. */
bool net_stream_peek(const struct net_stream *stream, uint8_t *byte);

/* Whose an address is where connections are counted: of IPv4 each address on its own, of IPv6 each
 * /64, since a host has all of one (RFC 4291, 2.5.4). */
uint64_t net_address_block(const struct in6_addr *address);
/* Peer's address, IPv4 as ::ffff:a.b.c.d. False for unix sockets. */
bool net_stream_peer_address(const struct net_stream *stream, struct in6_addr *address,
                             uint16_t *port);
/* Peer's user of a unix socket (SO_PEERCRED). */
bool net_stream_peer_user(const struct net_stream *stream, uid_t *uid, pid_t *pid);

/* ---- TLS ---- */
/* Server context: TLS 1.2 at least, 1.3 preferred, groups X25519, P-256 and P-384, no signature
 * with SHA-1, no renegotiation, no compression, session tickets off. With client_ca (may be NULL) a
 * client certificate is asked for and verified, but not required: whether one is needed is decided
 * when the agent is known. ALPN "postgresql" is accepted. The key file must not be readable by
 * others. */
MUST_USE enum status net_tls_server_open(const char *certificate, const char *key,
                                         const char *client_ca, struct net_tls **tls,
                                         struct error *error);
/* Trusts the authorities in one more file for clients' certificates. Before the context is used. */
MUST_USE enum status net_tls_server_trust(struct net_tls *tls, const char *client_ca,
                                          struct error *error);
/* Client context: verifies the chain against ca and the name against the host connected to. */
MUST_USE enum status net_tls_client_open(const char *ca, struct net_tls **tls, struct error *error);
/* Of the certificate that a server context shows. Texts are cut where they do not fit. */
struct net_tls_certificate {
    char subject[256], issuer[256]; /* RFC 2253 */
    char names[512];                /* DNS names and addresses, with ", " between them */
    char serial[64];                /* lower-case hex */
    char key[32];                   /* "RSA 2048", "P-256", "ED25519" */
    char sha256[65];                /* of its DER, lower-case hex */
    int64_t begins_ns, ends_ns;
};
void net_tls_describe(const struct net_tls *tls, struct net_tls_certificate *certificate);
struct net_tls *net_tls_retain(struct net_tls *tls);
void net_tls_release(struct net_tls *tls); /* NULL is fine; thread-safe */

enum net_tls_side {
    NET_TLS_CLIENT,
    NET_TLS_SERVER,
    NET_TLS_SERVER_DIRECT, /* nothing was said before: ALPN is required */
};
enum { NET_TLS_FIRST_BYTE = 0x16 }; /* of a ClientHello: the handshake record (RFC 8446, 5.1) */
/* What a server takes of one: a ClientHello and a chain of certificates are a few kilobytes. */
enum { NET_TLS_HANDSHAKE_BYTES = 16 * 1024 };
/* Starts a handshake; handlers->ready tells the outcome. Bytes that the owner has already read
 * past the SSLRequest are a protocol violation that the owner must catch (CVE-2021-23214). A
 * server's handshakes wait for each other: see handshakes.c. */
MUST_USE enum status net_stream_start_tls(struct net_stream *stream, struct net_tls *tls,
                                          enum net_tls_side side, uint32_t timeout_ms,
                                          struct error *error);
bool net_stream_is_tls(const struct net_stream *stream);
/* DER of the peer's verified certificate, appended to *der; false where there is none. */
bool net_stream_peer_certificate(const struct net_stream *stream, struct buffer *der);
/* The chain that was verified, one certificate (DER) behind the other, the peer's own first and the
 * authority that is trusted last; false where there is none. */
bool net_stream_peer_chain(const struct net_stream *stream, struct buffer *ders);
/* The hash of the server's certificate for channel binding of type tls-server-end-point (RFC 5929,
 * section 4.1): SHA-256 where its signature is over MD5 or SHA-1, else the signature's own hash.
 * Either end gets the same. 0: no TLS, or a signature without a hash of its own (Ed25519, RSA-PSS),
 * for which clients do not agree. Returns the number of bytes. */
enum { NET_END_POINT_BYTES = 64 };
size_t net_stream_end_point(const struct net_stream *stream,
                            uint8_t hash[static NET_END_POINT_BYTES]);
/* "TLSv1.3"; "" for plain streams. */
const char *net_stream_tls_version(const struct net_stream *stream);

#endif
