/* What the files of net/ share: the insides of loops and streams.
 * A stream is allocated on its own, while its libuv handles (poll, deadline) are separate pieces of
 * memory that libuv gives back in its closing phase. A closed stream waits on its loop's `closed`
 * list and is freed at the start of a turn, when none of its callbacks can be on the stack. */
#ifndef COFFERDAM_NET_PRIVATE_H
#define COFFERDAM_NET_PRIVATE_H

#include <stdatomic.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <openssl/ssl.h>
#include <uv.h>

#include "net/net.h"

TAILQ_HEAD(net_stream_list, net_stream);

/* Handshakes that wait for their turn, by a keyed hash of the peer's address: handshakes.c. */
enum { HANDSHAKE_BUCKETS = 256 };
struct handshake_bucket {
    struct net_stream_list streams;
    TAILQ_ENTRY(handshake_bucket) link; /* on the ring; only while it has streams */
};
struct handshakes {
    struct handshake_bucket buckets[HANDSHAKE_BUCKETS];
    TAILQ_HEAD(handshake_ring, handshake_bucket) ring;
    uint64_t seed;
};

struct net_tls {
    atomic_uint references;
    SSL_CTX *context;
};

struct net_loop {
    uv_loop_t uv;
    uv_async_t async;     /* wake and stop, from any thread */
    uv_prepare_t prepare; /* before each wait for input: the turn */
    uv_idle_t idle;       /* active while streams still have bytes inside TLS: no waiting */
    void (*on_wake)(void *context);
    void *wake_context;
    void (*on_turn)(void *context);
    void *turn_context;
    atomic_bool stopping;
    struct net_stream_list pending; /* bytes inside TLS that the owner wants */
    struct net_stream_list closed;  /* to be freed */
    struct handshakes handshakes;
    size_t object_count; /* open streams, listeners and timers */
};

enum stream_state {
    STREAM_CONNECTING,
    STREAM_HANDSHAKE,
    STREAM_OPEN,
    STREAM_FAILED, /* ready() has told; only closing is left */
    STREAM_CLOSED,
};

struct net_attempt; /* connect.c: addresses still to be tried */

struct net_stream {
    struct net_loop *loop;
    enum stream_state state;
    int fd; /* -1 while no socket exists */
    const struct net_handlers *handlers;
    void *context;

    uv_poll_t *poll;
    int armed; /* UV_READABLE | UV_WRITABLE | UV_DISCONNECT: what libuv watches */
    bool want_read, want_write;
    bool hangup_told;
    uv_timer_t *deadline; /* of connect or handshake */

    struct net_tls *tls;
    SSL *ssl;
    bool read_needs_write, write_needs_read; /* TLS waits for the other direction */
    bool tls_more;                           /* TLS may have bytes without the socket's help */
    bool tls_broken;                         /* no close_notify may follow */
    unsigned tls_idle_records;               /* from the peer since it last sent data */
    bool queued;                             /* on loop->pending */
    bool serves;                             /* we are the server of this handshake */
    bool needs_alpn;                         /* direct TLS: ALPN is required */
    struct handshake_bucket *bucket;         /* in which the handshake waits; NULL: it does not */

    struct net_attempt *attempt;
    char *host; /* connected to, for certificate names; NULL for accepted and unix streams */
    bool has_peer;
    struct in6_addr peer_address;
    uint16_t peer_port;

    TAILQ_ENTRY(net_stream) link; /* on loop->pending, loop->closed or in a bucket */
};

/* ---- stream.c ---- */
/* A stream without a socket; NULL when memory is exhausted. */
struct net_stream *stream_new(struct net_loop *loop, enum stream_state state);
/* Gives the stream its socket. On failure the descriptor is still the caller's. */
enum status stream_attach(struct net_stream *stream, int fd);
/* Closes the socket, keeps the stream: the next address may be tried. */
void stream_detach(struct net_stream *stream);
void stream_set_peer(struct net_stream *stream, const struct sockaddr *address);
/* Watches just these events (0: none). */
void stream_watch(struct net_stream *stream, int events);
/* After wishes have changed. Those dropped stay watched until an event nobody wants comes: pausing
 * and resuming a reader costs no system call. */
void stream_rearm(struct net_stream *stream);
enum status stream_start_deadline(struct net_stream *stream, uint64_t after_ms, uv_timer_cb fn);
void stream_stop_deadline(struct net_stream *stream);
/* Connect and handshake have ended: tells the owner, who may close the stream in the call. */
void stream_succeed(struct net_stream *stream);
void stream_fail(struct net_stream *stream, const struct error *error);
/* Calls readable for streams with bytes inside TLS. */
void stream_run_pending(struct net_loop *loop);
void stream_enqueue_pending(struct net_stream *stream);
void stream_free(struct net_stream *stream);
/* NODELAY and keepalive for TCP; no effect on unix sockets. */
void stream_tune_socket(int fd);

/* ---- connect.c ---- */
void connect_continue(struct net_stream *stream); /* the socket is writable or broken */
void connect_forget(struct net_stream *stream);   /* drops stream->attempt */

/* ---- handshakes.c ---- */
void handshakes_open(struct handshakes *handshakes);
/* The peer has sent something: its handshake goes on when its turn comes. Unwatched until then. */
void handshakes_queue(struct net_stream *stream);
void handshakes_forget(struct net_stream *stream);
/* As many as a turn of the loop has time for. */
void handshakes_run(struct net_loop *loop);
bool handshakes_wait(const struct net_loop *loop);

/* ---- tls_context.c ---- */
/* The newest reason in OpenSSL's queue, which is emptied. */
const char *tls_last_reason(void);

/* ---- tls.c ---- */
void tls_handshake(struct net_stream *stream);
enum status tls_read(struct net_stream *stream, void *room, size_t len, size_t *got);
enum status tls_write(struct net_stream *stream, const void *data, size_t len, size_t *put);
void tls_close(struct net_stream *stream); /* close_notify if it can, and frees */
/* OpenSSL's message callback: each record of the peer's is told before it is worked on. */
void tls_on_message(int is_written, int version, int type, const void *data, size_t len, SSL *ssl,
                    void *context);

#endif
