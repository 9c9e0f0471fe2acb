/* Connecting: look-up off the loop, then one address after the other, under one deadline.
 * The attempt outlives a stream that is closed while its look-up is running: the look-up's
 * callback frees it. Outcomes found at once are told by the deadline timer, never from within
 * net_connect. */
#include "net/private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/check.h"
#include "base/clock.h"

enum { MAX_ADDRESSES = 8, UNIX_RETRY_MS = 10, MS_NS = 1000000 };

struct target {
    struct sockaddr_storage address;
    socklen_t len;
};

struct net_attempt {
    struct net_stream *stream; /* NULL once the stream is gone */
    uv_getaddrinfo_t lookup;
    bool looking;
    int64_t deadline_ns; /* monotonic */
    uint16_t port;
    struct target targets[MAX_ADDRESSES];
    size_t target_count, next;
    struct error error; /* of the last address tried */
    char host[];
};

static void try_next(struct net_stream *stream);

static void on_deadline(uv_timer_t *handle)
{
    struct net_stream *stream = handle->data;
    struct error error;
    error_set(&error, STATUS_IO, "08001", NULL, "connecting to %s port %u timed out",
              stream->attempt->host, stream->attempt->port);
    stream_fail(stream, &error);
}

static void on_retry(uv_timer_t *handle)
{
    try_next(handle->data);
}

static void on_failed_at_once(uv_timer_t *handle)
{
    struct net_stream *stream = handle->data;
    struct error error = stream->attempt->error;
    stream_fail(stream, &error);
}

static uint64_t remaining_ms(const struct net_attempt *attempt)
{
    int64_t left_ns = attempt->deadline_ns - clock_monotonic_ns();
    return left_ns <= 0 ? 0 : (uint64_t)(left_ns + MS_NS - 1) / MS_NS;
}

static void note_failure(struct net_attempt *attempt, int failure)
{
    error_set(&attempt->error, STATUS_IO, "08001", NULL, "cannot connect to %s port %u: %s",
              attempt->host, attempt->port, strerror(failure));
}

/* Restarting a deadline that exists cannot fail: net_connect has made it. */
static void schedule(struct net_stream *stream, uint64_t after_ms, uv_timer_cb fn)
{
    enum status status = stream_start_deadline(stream, after_ms, fn);
    CHECK(status == STATUS_OK);
}

/* Starts connecting to one address. STATUS_AGAIN: a unix socket's backlog is full. */
static enum status start_one(struct net_stream *stream, const struct target *target)
{
    struct net_attempt *attempt = stream->attempt;
    int fd = socket(target->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        note_failure(attempt, errno);
        return STATUS_IO;
    }
    int result = connect(fd, (const struct sockaddr *)&target->address, target->len);
    if (result != 0 && errno != EINPROGRESS) {
        int failure = errno;
        note_failure(attempt, failure);
        close(fd);
        return failure == EAGAIN ? STATUS_AGAIN : STATUS_IO;
    }
    if (stream_attach(stream, fd) != STATUS_OK) {
        note_failure(attempt, ENOMEM);
        close(fd);
        return STATUS_IO;
    }
    stream_watch(stream, UV_WRITABLE);
    return STATUS_OK;
}

static void try_next(struct net_stream *stream)
{
    struct net_attempt *attempt = stream->attempt;
    schedule(stream, remaining_ms(attempt), on_deadline);
    while (attempt->next < attempt->target_count) {
        enum status status = start_one(stream, &attempt->targets[attempt->next]);
        if (status == STATUS_OK) {
            attempt->next++;
            return;
        }
        if (status == STATUS_AGAIN && remaining_ms(attempt) > UNIX_RETRY_MS) {
            schedule(stream, UNIX_RETRY_MS, on_retry);
            return;
        }
        attempt->next++;
    }
    schedule(stream, 0, on_failed_at_once);
}

void connect_continue(struct net_stream *stream)
{
    struct net_attempt *attempt = stream->attempt;
    int failure = 0;
    socklen_t len = sizeof failure;
    if (getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &failure, &len) != 0)
        failure = errno;
    if (failure != 0) {
        note_failure(attempt, failure);
        stream_detach(stream);
        try_next(stream);
        return;
    }
    const struct target *target = &attempt->targets[attempt->next - 1];
    stream_set_peer(stream, (const struct sockaddr *)&target->address);
    if (target->address.ss_family != AF_UNIX)
        stream_tune_socket(stream->fd);
    stream_watch(stream, 0);
    stream_succeed(stream);
}

void connect_forget(struct net_stream *stream)
{
    struct net_attempt *attempt = stream->attempt;
    stream->attempt = NULL;
    if (attempt == NULL)
        return;
    attempt->stream = NULL;
    if (attempt->looking)
        uv_cancel((uv_req_t *)&attempt->lookup); /* on_looked_up comes in any case */
    else
        free(attempt);
}

/* ---- where to connect to ---- */

static void on_looked_up(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
    struct net_attempt *attempt = request->data;
    attempt->looking = false;
    if (attempt->stream == NULL) {
        uv_freeaddrinfo(found);
        free(attempt);
        return;
    }
    if (status != 0)
        error_set(&attempt->error, STATUS_IO, "08001", NULL, "cannot look up \"%s\": %s",
                  attempt->host, uv_strerror(status));
    for (const struct addrinfo *at = found; at != NULL; at = at->ai_next) {
        if (attempt->target_count == MAX_ADDRESSES ||
            at->ai_addrlen > sizeof(struct sockaddr_storage))
            break;
        struct target *target = &attempt->targets[attempt->target_count++];
        memcpy(&target->address, at->ai_addr, at->ai_addrlen);
        target->len = at->ai_addrlen;
    }
    uv_freeaddrinfo(found);
    try_next(attempt->stream);
}

static enum status add_unix(struct net_attempt *attempt, struct error *error)
{
    struct target *target = &attempt->targets[0];
    struct sockaddr_un *address = (struct sockaddr_un *)(void *)&target->address;
    address->sun_family = AF_UNIX;
    int len = snprintf(address->sun_path, sizeof address->sun_path, "%s/.s.PGSQL.%u", attempt->host,
                       attempt->port);
    if (len < 0 || (size_t)len >= sizeof address->sun_path)
        return error_set(error, STATUS_INVALID, "22023", NULL, "socket folder \"%s\" is too long",
                         attempt->host);
    target->len = sizeof *address;
    attempt->target_count = 1;
    return STATUS_OK;
}

/* True if host is an IPv4 or IPv6 address. */
static bool add_numeric(struct net_attempt *attempt)
{
    struct target *target = &attempt->targets[0];
    struct sockaddr_in *in = (struct sockaddr_in *)(void *)&target->address;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)&target->address;
    if (inet_pton(AF_INET, attempt->host, &in->sin_addr) == 1) {
        in->sin_family = AF_INET;
        in->sin_port = htons(attempt->port);
        target->len = sizeof *in;
    } else if (inet_pton(AF_INET6, attempt->host, &in6->sin6_addr) == 1) {
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(attempt->port);
        target->len = sizeof *in6;
    } else {
        return false;
    }
    attempt->target_count = 1;
    return true;
}

static enum status start_lookup(struct net_loop *loop, struct net_attempt *attempt)
{
    char service[8];
    snprintf(service, sizeof service, "%u", attempt->port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    attempt->lookup.data = attempt;
    int failure =
        uv_getaddrinfo(&loop->uv, &attempt->lookup, on_looked_up, attempt->host, service, &hints);
    attempt->looking = failure == 0;
    return failure == 0 ? STATUS_OK : STATUS_NOMEM;
}

static enum status resolve(struct net_loop *loop, struct net_stream *stream, uint32_t timeout_ms,
                           struct error *error)
{
    struct net_attempt *attempt = stream->attempt;
    if (attempt->host[0] == '/') {
        TRY(add_unix(attempt, error));
        schedule(stream, 0, on_retry);
        return STATUS_OK;
    }
    stream->host = strdup(attempt->host);
    if (stream->host == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    if (add_numeric(attempt)) {
        schedule(stream, 0, on_retry);
        return STATUS_OK;
    }
    schedule(stream, timeout_ms, on_deadline);
    if (start_lookup(loop, attempt) != STATUS_OK)
        return error_set(error, STATUS_INVALID, "08001", NULL, "cannot look up \"%s\"",
                         attempt->host);
    return STATUS_OK;
}

enum status net_connect(struct net_loop *loop, const char *host, uint16_t port, uint32_t timeout_ms,
                        const struct net_handlers *handlers, void *context, struct net_stream **out,
                        struct error *error)
{
    struct net_stream *stream = stream_new(loop, STREAM_CONNECTING);
    if (stream == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    net_stream_handle(stream, handlers, context);
    struct net_attempt *attempt = calloc(1, sizeof *attempt + strlen(host) + 1);
    stream->attempt = attempt;
    if (attempt == NULL || stream_start_deadline(stream, timeout_ms, on_deadline) != STATUS_OK) {
        net_stream_close(stream);
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    }
    memcpy(attempt->host, host, strlen(host) + 1);
    attempt->stream = stream;
    attempt->port = port;
    attempt->deadline_ns = clock_monotonic_ns() + (int64_t)timeout_ms * MS_NS;
    enum status status = resolve(loop, stream, timeout_ms, error);
    if (status != STATUS_OK) {
        net_stream_close(stream);
        return status;
    }
    *out = stream;
    return STATUS_OK;
}
