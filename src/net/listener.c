/* Listeners: sockets that accept. Accepting goes on in bounded bursts; when the process is out of
 * descriptors or memory it pauses, since a level-triggered listener would spin. */
#include "net/private.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/listen.h"
#include "base/log.h"

enum { ACCEPT_BURST = 64, PAUSE_MS = 100, LOG_INTERVAL_NS = 1000000000 };

struct net_listener {
    struct net_loop *loop;
    int fd;
    net_accept_fn fn;
    void *context;
    uv_poll_t poll;
    uv_timer_t resume;
    unsigned open_handles;
    bool closed;
    int64_t logged_ns;
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* "" for TCP */
    struct stat bound; /* of path: unlink only what is still ours */
};

static void on_acceptable(uv_poll_t *handle, int status, int events);

static void on_resume(uv_timer_t *handle)
{
    struct net_listener *listener = handle->data;
    uv_poll_start(&listener->poll, UV_READABLE, on_acceptable);
}

static void pause_accepting(struct net_listener *listener, int failure)
{
    int64_t now_ns = clock_monotonic_ns();
    if (listener->logged_ns == 0 || now_ns - listener->logged_ns >= LOG_INTERVAL_NS) {
        log_event(LOG_ERROR, "accept_failed", "reason=\"%s\" pause_ms=%d", strerror(failure),
                  PAUSE_MS);
        listener->logged_ns = now_ns;
    }
    uv_poll_stop(&listener->poll);
    uv_timer_start(&listener->resume, on_resume, PAUSE_MS, 0);
}

static void take(struct net_listener *listener, int fd, const struct sockaddr *address)
{
    struct net_stream *stream = stream_new(listener->loop, STREAM_OPEN);
    if (stream == NULL) {
        close(fd);
        return;
    }
    if (stream_attach(stream, fd) != STATUS_OK) {
        close(fd);
        net_stream_close(stream);
        return;
    }
    if (listener->path[0] == '\0')
        stream_tune_socket(fd);
    stream_set_peer(stream, address);
    listener->fn(listener->context, stream);
}

static void on_acceptable(uv_poll_t *handle, int status, int events)
{
    struct net_listener *listener = handle->data;
    for (int i = 0; i < ACCEPT_BURST && !listener->closed; i++) {
        struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
        socklen_t len = sizeof address;
        int fd =
            accept4(listener->fd, (struct sockaddr *)&address, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            take(listener, fd, (struct sockaddr *)&address);
            continue;
        }
        if (errno == EAGAIN)
            return;
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            pause_accepting(listener, errno);
            return;
        }
        /* Anything else concerns the one connection, which is gone (accept(2), "Error
         * handling"). */
    }
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct net_listener *listener = handle->data;
    if (--listener->open_handles == 0)
        free(listener);
}

/* Takes fd, which is bound; on failure too. */
static enum status start(struct net_loop *loop, int fd, const char *path, net_accept_fn fn,
                         void *context, struct net_listener **out, struct error *error)
{
    struct net_listener *listener = calloc(1, sizeof *listener);
    if (listener == NULL) {
        close(fd);
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    }
    if (listen(fd, SOMAXCONN) != 0 || uv_poll_init_socket(&loop->uv, &listener->poll, fd) != 0) {
        enum status status = error_set_errno(error, errno, "cannot listen");
        close(fd);
        free(listener);
        return status;
    }
    uv_timer_init(&loop->uv, &listener->resume);
    listener->poll.data = listener->resume.data = listener;
    listener->open_handles = 2;
    listener->loop = loop;
    listener->fd = fd;
    listener->fn = fn;
    listener->context = context;
    if (path != NULL) {
        snprintf(listener->path, sizeof listener->path, "%s", path);
        stat(path, &listener->bound);
    }
    uv_poll_start(&listener->poll, UV_READABLE, on_acceptable);
    loop->object_count++;
    *out = listener;
    return STATUS_OK;
}

void net_listener_close(struct net_listener *listener)
{
    if (listener == NULL)
        return;
    listener->closed = true;
    listener->loop->object_count--;
    struct stat now;
    if (listener->path[0] != '\0' && stat(listener->path, &now) == 0 &&
        now.st_ino == listener->bound.st_ino && now.st_dev == listener->bound.st_dev)
        unlink(listener->path);
    uv_close((uv_handle_t *)&listener->poll, on_handle_closed);
    uv_close((uv_handle_t *)&listener->resume, on_handle_closed);
    close(listener->fd);
}

/* ---- TCP ---- */

/* A bound socket, or -1 with errno. */
static int bind_tcp(const struct addrinfo *info)
{
    const int on = 1, off = 0;
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (info->ai_family == AF_INET6) /* "::" takes IPv4 too */
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, info->ai_addr, info->ai_addrlen) != 0) {
        int failure = errno;
        close(fd);
        errno = failure;
        return -1;
    }
    return fd;
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        return 0;
    /* sin_port and sin6_port stand at the same place. */
    return ntohs(((const struct sockaddr_in *)(const void *)&address)->sin_port);
}

enum status net_listen_tcp(struct net_loop *loop, const char *address, uint16_t port,
                           net_accept_fn fn, void *context, uint16_t *bound_port,
                           struct net_listener **listener, struct error *error)
{
    char service[8];
    snprintf(service, sizeof service, "%u", port);
    struct addrinfo hints = {.ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM}, *found = NULL;
    int failure = getaddrinfo(address, service, &hints, &found);
    if (failure != 0)
        return error_set(error, STATUS_INVALID, "22023", NULL, "cannot listen on \"%s\": %s",
                         address, gai_strerror(failure));
    int fd = bind_tcp(found);
    int bind_errno = errno;
    freeaddrinfo(found);
    if (fd < 0)
        return error_set_errno(error, bind_errno, "cannot listen on %s port %u", address, port);
    uint16_t bound = port_of(fd);
    TRY(start(loop, fd, NULL, fn, context, listener, error));
    if (bound_port != NULL)
        *bound_port = bound;
    return STATUS_OK;
}

/* ---- unix ---- */

enum status net_listen_unix(struct net_loop *loop, const char *path, unsigned mode,
                            net_accept_fn fn, void *context, struct net_listener **listener,
                            struct error *error)
{
    int fd;
    TRY(listen_bind_unix(path, mode, "Is another gateway running with the same run folder?", &fd,
                         error));
    return start(loop, fd, path, fn, context, listener, error);
}
