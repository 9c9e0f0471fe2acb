/* Streams: a non-blocking socket, what its owner waits for, and reading and writing without
 * buffers in between.
 * Invariant: libuv watches at least what is wanted. uv_poll_start costs two epoll_ctl calls, so
 * what is no longer wanted for reading stays watched until an event comes that nobody wants.
 * After any callback the stream may be closed: look at its state before going on. */
#include "net/private.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/check.h"

enum {
    KEEPALIVE_IDLE_S = 60,
    KEEPALIVE_INTERVAL_S = 10,
    KEEPALIVE_COUNT = 3,
    UNSENT_BYTES = 128 * 1024,
    DRAIN_ROUNDS = 4, /* of DRAIN_BYTES each, at closing */
    DRAIN_BYTES = 16384,
};

struct net_stream *stream_new(struct net_loop *loop, enum stream_state state)
{
    struct net_stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL)
        return NULL;
    stream->loop = loop;
    stream->state = state;
    stream->fd = -1;
    loop->object_count++;
    return stream;
}

void stream_free(struct net_stream *stream)
{
    free(stream->host);
    free(stream);
}

/* What libuv has to watch for the owner, TLS's own needs included. */
static int wanted_events(const struct net_stream *stream)
{
    int events = stream->hangup_told ? 0 : UV_DISCONNECT;
    if (stream->want_read)
        events |= stream->read_needs_write ? UV_WRITABLE : UV_READABLE;
    if (stream->want_write)
        events |= stream->write_needs_read ? UV_READABLE : UV_WRITABLE;
    return events;
}

static void dispatch(struct net_stream *stream, int events)
{
    int wanted = wanted_events(stream);
    int unwanted = events & ~wanted;
    int read_event = stream->read_needs_write ? UV_WRITABLE : UV_READABLE;
    int write_event = stream->write_needs_read ? UV_READABLE : UV_WRITABLE;
    if (stream->want_read && (events & read_event) != 0)
        stream->handlers->readable(stream->context);
    if (stream->state == STREAM_OPEN && stream->want_write && (events & write_event) != 0)
        stream->handlers->writable(stream->context);
    if (stream->state == STREAM_OPEN && !stream->want_read && !stream->hangup_told &&
        (events & UV_DISCONNECT) != 0) {
        stream->hangup_told = true;
        unwanted |= UV_DISCONNECT;
        if (stream->handlers->hangup != NULL)
            stream->handlers->hangup(stream->context);
    }
    if (stream->state != STREAM_OPEN)
        return;
    if ((unwanted & ~wanted_events(stream)) != 0)
        stream_watch(stream, wanted_events(stream));
    else
        stream_rearm(stream);
}

static void on_poll(uv_poll_t *handle, int status, int events)
{
    struct net_stream *stream = handle->data;
    if (stream == NULL)
        return;
    if (status < 0) { /* EPOLLERR: libuv has stopped watching; the next call tells the errno */
        stream->armed = 0;
        events = UV_READABLE | UV_WRITABLE | UV_DISCONNECT;
    }
    switch (stream->state) {
    case STREAM_CONNECTING:
        connect_continue(stream);
        break;
    case STREAM_HANDSHAKE:
        if (stream->serves)
            handshakes_queue(stream);
        else
            tls_handshake(stream);
        break;
    case STREAM_OPEN:
        dispatch(stream, events);
        break;
    case STREAM_FAILED:
        stream_watch(stream, 0);
        break;
    case STREAM_CLOSED:
        break;
    }
}

void stream_watch(struct net_stream *stream, int events)
{
    if (stream->poll == NULL || stream->armed == events)
        return;
    stream->armed = events;
    if (events == 0)
        uv_poll_stop(stream->poll);
    else
        uv_poll_start(stream->poll, events, on_poll);
}

void stream_rearm(struct net_stream *stream)
{
    if (stream->state != STREAM_OPEN)
        return;
    int wanted = wanted_events(stream);
    int kept = stream->armed & UV_READABLE; /* an idle socket is mostly writable: drop that now */
    if ((wanted & ~stream->armed) != 0 || (stream->armed & ~wanted & ~kept) != 0)
        stream_watch(stream, wanted);
}

static void free_handle(uv_handle_t *handle)
{
    free(handle);
}

enum status stream_attach(struct net_stream *stream, int fd)
{
    uv_poll_t *poll = calloc(1, sizeof *poll);
    if (poll == NULL)
        return STATUS_NOMEM;
    if (uv_poll_init_socket(&stream->loop->uv, poll, fd) != 0) {
        free(poll);
        return STATUS_IO;
    }
    poll->data = stream;
    stream->poll = poll;
    stream->fd = fd;
    stream->armed = 0;
    return STATUS_OK;
}

void stream_detach(struct net_stream *stream)
{
    if (stream->poll == NULL)
        return;
    stream->poll->data = NULL;
    uv_close((uv_handle_t *)stream->poll, free_handle); /* the descriptor may be closed at once */
    stream->poll = NULL;
    close(stream->fd);
    stream->fd = -1;
}

void stream_tune_socket(int fd)
{
    static const struct {
        int level, name, value;
    } options[] = {
        {IPPROTO_TCP, TCP_NODELAY, 1},
        {SOL_SOCKET, SO_KEEPALIVE, 1},
        {IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S},
        {IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S},
        {IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_COUNT},
        /* What waits for the network waits with us, where it can still be cut. */
        {IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT_BYTES},
    };
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof(int));
}

/* ---- ends of connecting and of handshakes ---- */

enum status stream_start_deadline(struct net_stream *stream, uint64_t after_ms, uv_timer_cb fn)
{
    if (stream->deadline == NULL) {
        stream->deadline = calloc(1, sizeof *stream->deadline);
        if (stream->deadline == NULL)
            return STATUS_NOMEM;
        uv_timer_init(&stream->loop->uv, stream->deadline);
        stream->deadline->data = stream;
    }
    uv_update_time(&stream->loop->uv); /* a stale clock would make the deadline come early */
    uv_timer_start(stream->deadline, fn, after_ms, 0);
    return STATUS_OK;
}

void stream_stop_deadline(struct net_stream *stream)
{
    if (stream->deadline == NULL)
        return;
    uv_close((uv_handle_t *)stream->deadline, free_handle);
    stream->deadline = NULL;
}

void stream_succeed(struct net_stream *stream)
{
    stream_stop_deadline(stream);
    connect_forget(stream);
    stream->state = STREAM_OPEN;
    stream->handlers->ready(stream->context, NULL);
    if (stream->state == STREAM_OPEN)
        stream_watch(stream, wanted_events(stream));
}

void stream_fail(struct net_stream *stream, const struct error *error)
{
    stream_stop_deadline(stream);
    connect_forget(stream);
    handshakes_forget(stream);
    stream->state = STREAM_FAILED;
    stream_watch(stream, 0);
    stream->handlers->ready(stream->context, error);
}

/* ---- the owner's side ---- */

void net_stream_handle(struct net_stream *stream, const struct net_handlers *handlers,
                       void *context)
{
    stream->handlers = handlers;
    stream->context = context;
}

void net_stream_want(struct net_stream *stream, bool readable, bool writable)
{
    CHECK(stream->handlers != NULL);
    stream->want_read = readable;
    stream->want_write = writable;
    stream_enqueue_pending(stream);
    stream_rearm(stream);
}

enum status net_stream_read(struct net_stream *stream, void *room, size_t len, size_t *got)
{
    CHECK(len > 0);
    if (stream->state != STREAM_OPEN)
        return stream->state == STREAM_FAILED ? STATUS_PEER : STATUS_AGAIN;
    if (stream->ssl != NULL)
        return tls_read(stream, room, len, got);
    ssize_t count;
    do {
        count = recv(stream->fd, room, len, 0);
    } while (count < 0 && errno == EINTR);
    if (count > 0) {
        *got = (size_t)count;
        return STATUS_OK;
    }
    if (count == 0)
        return STATUS_CLOSED;
    return errno == EAGAIN ? STATUS_AGAIN : STATUS_PEER;
}

enum status net_stream_write(struct net_stream *stream, const void *data, size_t len, size_t *put)
{
    CHECK(len > 0);
    if (stream->state != STREAM_OPEN)
        return stream->state == STREAM_FAILED ? STATUS_PEER : STATUS_AGAIN;
    if (stream->ssl != NULL)
        return tls_write(stream, data, len, put);
    ssize_t count;
    do {
        count = send(stream->fd, data, len, MSG_NOSIGNAL);
    } while (count < 0 && errno == EINTR);
    if (count >= 0) {
        *put = (size_t)count;
        return STATUS_OK;
    }
    return errno == EAGAIN ? STATUS_AGAIN : STATUS_PEER;
}

/* Reads away what the peer has sent: a socket closed with unread bytes is reset, and the reset
 * may overtake our last words (an ErrorResponse, a TLS alert). */
static void drain(int fd)
{
    char waste[DRAIN_BYTES];
    shutdown(fd, SHUT_WR);
    for (int round = 0; round < DRAIN_ROUNDS; round++) {
        if (recv(fd, waste, sizeof waste, MSG_DONTWAIT) <= 0)
            return;
    }
}

void net_stream_close(struct net_stream *stream)
{
    if (stream == NULL)
        return;
    struct net_loop *loop = stream->loop;
    CHECK(stream->state != STREAM_CLOSED);
    tls_close(stream);
    if (stream->queued)
        TAILQ_REMOVE(&loop->pending, stream, link);
    handshakes_forget(stream);
    if (stream->fd >= 0 && stream->state != STREAM_CONNECTING)
        drain(stream->fd);
    stream->state = STREAM_CLOSED;
    stream_stop_deadline(stream);
    connect_forget(stream);
    stream_detach(stream);
    loop->object_count--;
    TAILQ_INSERT_TAIL(&loop->closed, stream, link);
}

size_t net_stream_unsent(const struct net_stream *stream)
{
    int unsent = 0;
    if (stream->fd < 0 || ioctl(stream->fd, SIOCOUTQ, &unsent) != 0 || unsent < 0)
        return 0;
    return (size_t)unsent;
}

void net_stream_reset(struct net_stream *stream)
{
    static const struct linger none = {.l_onoff = 1, .l_linger = 0};
    stream->tls_broken = true; /* its farewell would be dropped, too */
    if (stream->fd >= 0)
        (void)setsockopt(stream->fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
}

/* ---- bytes inside TLS ---- */

void stream_enqueue_pending(struct net_stream *stream)
{
    if (stream->queued || !stream->tls_more || !stream->want_read || stream->state != STREAM_OPEN)
        return;
    stream->queued = true;
    TAILQ_INSERT_TAIL(&stream->loop->pending, stream, link);
}

void stream_run_pending(struct net_loop *loop)
{
    if (TAILQ_EMPTY(&loop->pending))
        return;
    /* Streams that queue themselves anew belong to the next turn: up to a marker, since any other
     * one may be closed by a callback. */
    struct net_stream marker = {.state = STREAM_CLOSED};
    TAILQ_INSERT_TAIL(&loop->pending, &marker, link);
    struct net_stream *stream;
    while ((stream = TAILQ_FIRST(&loop->pending)) != &marker) {
        TAILQ_REMOVE(&loop->pending, stream, link);
        stream->queued = false;
        if (!stream->want_read || !stream->tls_more)
            continue;
        stream->handlers->readable(stream->context);
        if (stream->state == STREAM_OPEN) {
            stream_enqueue_pending(stream);
            stream_rearm(stream);
        }
    }
    TAILQ_REMOVE(&loop->pending, &marker, link);
}

/* ---- facts about the peer ---- */

bool net_stream_peek(const struct net_stream *stream, uint8_t *byte)
{
    CHECK(stream->ssl == NULL);
    return stream->state == STREAM_OPEN && recv(stream->fd, byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}

uint64_t net_address_block(const struct in6_addr *address)
{
    uint64_t block = 0;
    size_t from = IN6_IS_ADDR_V4MAPPED(address) ? 8 : 0; /* 0, 0xffff and the four bytes */
    for (size_t i = from; i < from + 8; i++)
        block = block << 8 | address->s6_addr[i];
    return block;
}

void stream_set_peer(struct net_stream *stream, const struct sockaddr *address)
{
    if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)address;
        stream->peer_address = in6->sin6_addr;
        stream->peer_port = ntohs(in6->sin6_port);
        stream->has_peer = true;
    } else if (address->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;
        memset(&stream->peer_address, 0, sizeof stream->peer_address);
        stream->peer_address.s6_addr[10] = stream->peer_address.s6_addr[11] = 0xff;
        memcpy(&stream->peer_address.s6_addr[12], &in->sin_addr, 4);
        stream->peer_port = ntohs(in->sin_port);
        stream->has_peer = true;
    }
}

bool net_stream_peer_address(const struct net_stream *stream, struct in6_addr *address,
                             uint16_t *port)
{
    if (!stream->has_peer)
        return false;
    *address = stream->peer_address;
    *port = stream->peer_port;
    return true;
}

bool net_stream_peer_user(const struct net_stream *stream, uid_t *uid, pid_t *pid)
{
    struct ucred credentials;
    socklen_t len = sizeof credentials;
    int domain = 0;
    socklen_t domain_len = sizeof domain;
    if (stream->fd < 0 ||
        getsockopt(stream->fd, SOL_SOCKET, SO_DOMAIN, &domain, &domain_len) != 0 ||
        domain != AF_UNIX ||
        getsockopt(stream->fd, SOL_SOCKET, SO_PEERCRED, &credentials, &len) != 0)
        return false;
    *uid = credentials.uid;
    *pid = credentials.pid;
    return true;
}

bool net_stream_is_tls(const struct net_stream *stream)
{
    return stream->ssl != NULL && stream->state == STREAM_OPEN;
}
