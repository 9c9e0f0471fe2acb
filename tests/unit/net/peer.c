/* See peer.h. */
#include "peer.h"

#include "base/check.h"

enum { CHUNK = 16384, WATCHDOG_MS = 20000 };

static uint8_t pattern(size_t at)
{
    return (uint8_t)(at * 31 + at / 251);
}

/* ---- echo ---- */

static void echo_finish(struct echo *echo, enum status reason)
{
    echo->ended = true;
    echo->reason = reason;
    net_stream_close(echo->stream);
    echo->stream = NULL;
}

static void echo_flush(struct echo *echo)
{
    while (echo->held.len > 0) {
        size_t put = 0;
        enum status status = net_stream_write(echo->stream, echo->held.data, echo->held.len, &put);
        if (status == STATUS_AGAIN)
            break;
        if (status != STATUS_OK) {
            echo_finish(echo, status);
            return;
        }
        buffer_consume(&echo->held, put);
    }
    net_stream_want(echo->stream, echo->held.len<PEER_ECHO_LIMIT, echo->held.len> 0);
}

static void echo_readable(void *context)
{
    struct echo *echo = context;
    uint8_t room[CHUNK];
    size_t got = 0;
    enum status status = net_stream_read(echo->stream, room, sizeof room, &got);
    if (status == STATUS_AGAIN)
        return;
    if (status != STATUS_OK) {
        echo_finish(echo, status);
        return;
    }
    buffer_append(&echo->held, room, got);
    if (echo->held.len > echo->most_held)
        echo->most_held = echo->held.len;
    echo_flush(echo);
}

static void echo_writable(void *context)
{
    echo_flush(context);
}

static void echo_ready(void *context, const struct error *error)
{
    struct echo *echo = context;
    if (error != NULL)
        echo_finish(echo, error->status);
    else
        net_stream_want(echo->stream, true, false);
}

const struct net_handlers echo_handlers = {
    .readable = echo_readable,
    .writable = echo_writable,
    .ready = echo_ready,
};

void echo_start(struct echo *echo, struct net_stream *stream)
{
    echo->stream = stream;
    buffer_init(&echo->held, PEER_ECHO_LIMIT + CHUNK);
    net_stream_handle(stream, &echo_handlers, echo);
}

void echo_end(struct echo *echo)
{
    net_stream_close(echo->stream);
    echo->stream = NULL;
    buffer_free(&echo->held);
}

/* ---- sender ---- */

static void sender_readable(void *context)
{
    struct sender *sender = context;
    uint8_t room[3000]; /* less than a TLS record, so that bytes stay inside TLS */
    size_t got = 0;
    enum status status = net_stream_read(sender->stream, room, sizeof room, &got);
    if (status == STATUS_AGAIN)
        return;
    if (status != STATUS_OK) {
        sender->failed = true;
        net_loop_stop(sender->loop);
        return;
    }
    for (size_t i = 0; i < got; i++)
        sender->wrong |= room[i] != pattern(sender->received + i);
    sender->received += got;
    if (sender->received >= sender->total)
        net_loop_stop(sender->loop);
}

static void sender_writable(void *context)
{
    struct sender *sender = context;
    while (sender->sent < sender->total) {
        uint8_t bytes[CHUNK];
        size_t len = sender->total - sender->sent, put = 0;
        if (len > sizeof bytes)
            len = sizeof bytes;
        for (size_t i = 0; i < len; i++)
            bytes[i] = pattern(sender->sent + i);
        enum status status = net_stream_write(sender->stream, bytes, len, &put);
        if (status == STATUS_AGAIN)
            break;
        if (status != STATUS_OK) {
            sender->failed = true;
            net_loop_stop(sender->loop);
            return;
        }
        sender->sent += put;
    }
    net_stream_want(sender->stream, true, sender->sent < sender->total);
}

static void sender_ready(void *context, const struct error *error)
{
    struct sender *sender = context;
    sender->ready = true;
    if (error != NULL) {
        sender->failed = true;
        sender->error = *error;
        net_loop_stop(sender->loop);
    } else {
        sender_begin(sender);
    }
}

const struct net_handlers sender_handlers = {
    .readable = sender_readable,
    .writable = sender_writable,
    .ready = sender_ready,
};

void sender_begin(struct sender *sender)
{
    net_stream_want(sender->stream, true, true);
}

static void on_watchdog(void *context)
{
    (void)context;
    CHECK(!"the test hangs");
}

struct net_timer *watchdog_start(struct net_loop *loop)
{
    struct net_timer *timer = NULL;
    CHECK(net_timer_open(loop, on_watchdog, NULL, &timer) == STATUS_OK);
    net_timer_start(timer, WATCHDOG_MS, 0);
    return timer;
}
