/* One event loop: waiting, waking from other threads, and the turn.
 * The turn runs just before each wait (uv_prepare), so that it comes after every callback of input
 * and of timers: what they queued is flushed before the thread sleeps. In a turn, closed streams
 * are freed, bytes inside TLS are offered to their owners, then the owner's hook runs.
 * Only async and stopping are touched by other threads. */
#include "net/private.h"

#include <signal.h>
#include <stdlib.h>

#include "base/check.h"

static void free_closed_streams(struct net_loop *loop)
{
    struct net_stream *stream;
    while ((stream = TAILQ_FIRST(&loop->closed)) != NULL) {
        TAILQ_REMOVE(&loop->closed, stream, link);
        stream_free(stream);
    }
}

static void on_idle(uv_idle_t *handle)
{
    (void)handle; /* being active is its whole purpose: epoll_wait does not block */
}

static void on_prepare(uv_prepare_t *handle)
{
    struct net_loop *loop = handle->data;
    free_closed_streams(loop);
    stream_run_pending(loop);
    handshakes_run(loop);
    if (loop->on_turn != NULL)
        loop->on_turn(loop->turn_context);
    if (TAILQ_EMPTY(&loop->pending) && !handshakes_wait(loop))
        uv_idle_stop(&loop->idle);
    else
        uv_idle_start(&loop->idle, on_idle);
}

static void on_async(uv_async_t *handle)
{
    struct net_loop *loop = handle->data;
    if (atomic_exchange(&loop->stopping, false))
        uv_stop(&loop->uv);
    else if (loop->on_wake != NULL)
        loop->on_wake(loop->wake_context);
}

enum status net_loop_open(struct net_loop **out, struct error *error)
{
    struct net_loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    int failure = uv_loop_init(&loop->uv);
    if (failure != 0) {
        free(loop);
        return error_set_errno(error, -failure, "cannot make an event loop");
    }
    failure = uv_async_init(&loop->uv, &loop->async, on_async);
    if (failure != 0) {
        uv_loop_close(&loop->uv);
        free(loop);
        return error_set_errno(error, -failure, "cannot make an event loop");
    }
    signal(SIGPIPE, SIG_IGN); /* OpenSSL writes without MSG_NOSIGNAL */
    uv_prepare_init(&loop->uv, &loop->prepare);
    uv_idle_init(&loop->uv, &loop->idle);
    loop->async.data = loop->prepare.data = loop;
    uv_prepare_start(&loop->prepare, on_prepare);
    TAILQ_INIT(&loop->pending);
    TAILQ_INIT(&loop->closed);
    handshakes_open(&loop->handshakes);
    *out = loop;
    return STATUS_OK;
}

void net_loop_on_wake(struct net_loop *loop, void (*fn)(void *context), void *context)
{
    loop->on_wake = fn;
    loop->wake_context = context;
}

void net_loop_on_turn(struct net_loop *loop, void (*fn)(void *context), void *context)
{
    loop->on_turn = fn;
    loop->turn_context = context;
}

void net_loop_run(struct net_loop *loop)
{
    uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void net_loop_wake(struct net_loop *loop)
{
    uv_async_send(&loop->async);
}

void net_loop_stop(struct net_loop *loop)
{
    atomic_store(&loop->stopping, true);
    uv_async_send(&loop->async);
}

void net_loop_close(struct net_loop *loop)
{
    if (loop == NULL)
        return;
    CHECK(loop->object_count == 0);
    free_closed_streams(loop);
    uv_close((uv_handle_t *)&loop->async, NULL);
    uv_close((uv_handle_t *)&loop->prepare, NULL);
    uv_close((uv_handle_t *)&loop->idle, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT); /* closing callbacks and cancelled look-ups */
    int failure = uv_loop_close(&loop->uv);
    CHECK(failure == 0);
    free(loop);
}
