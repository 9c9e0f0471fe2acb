/* Timers on a loop: a thin skin over uv_timer_t, whose memory libuv gives back after closing. */
#include "net/private.h"

#include <stdlib.h>

struct net_timer {
    uv_timer_t uv;
    struct net_loop *loop;
    void (*fn)(void *context);
    void *context;
};

static void on_timer(uv_timer_t *handle)
{
    struct net_timer *timer = handle->data;
    timer->fn(timer->context);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

enum status net_timer_open(struct net_loop *loop, void (*fn)(void *context), void *context,
                           struct net_timer **out)
{
    struct net_timer *timer = calloc(1, sizeof *timer);
    if (timer == NULL)
        return STATUS_NOMEM;
    uv_timer_init(&loop->uv, &timer->uv);
    timer->uv.data = timer;
    timer->loop = loop;
    timer->fn = fn;
    timer->context = context;
    loop->object_count++;
    *out = timer;
    return STATUS_OK;
}

void net_timer_start(struct net_timer *timer, uint64_t after_ms, uint64_t repeat_ms)
{
    uv_update_time(&timer->loop->uv); /* a stale clock would make the timer fire early */
    uv_timer_start(&timer->uv, on_timer, after_ms, repeat_ms);
}

void net_timer_stop(struct net_timer *timer)
{
    uv_timer_stop(&timer->uv);
}

void net_timer_close(struct net_timer *timer)
{
    if (timer == NULL)
        return;
    timer->loop->object_count--;
    uv_close((uv_handle_t *)&timer->uv, on_closed);
}
