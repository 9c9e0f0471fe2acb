/* A cancel: connect, send 16 bytes, wait for the end; a pause, and once more if it is wanted. */
#include "gateway/cancel.h"

#include <stdlib.h>

#include "base/log.h"

enum { TIMEOUT_MS = 3000 };

/* Before each repetition. */
static const uint64_t pauses_ms[] = {50, 250, 1000};
enum { REPETITIONS = sizeof pauses_ms / sizeof pauses_ms[0] };

struct cancel {
    struct cancel *next, **link; /* of the worker's list */
    struct worker *worker;
    struct session *session;   /* NULL: it has ended */
    struct net_stream *stream; /* NULL: between two */
    struct net_timer *timer;
    uint32_t pid, secret;
    uint64_t sync;    /* number of the Sync that ends what is to be cancelled */
    uint64_t owed;    /* number of the last reply that was owed then */
    bool goes_on;     /* it is a request whose statements are sent one after the other */
    unsigned repeats; /* begun */
};

static void close_stream(struct cancel *cancel)
{
    net_stream_close(cancel->stream);
    cancel->stream = NULL;
    if (cancel->session == NULL)
        return;
    cancel->session->cancelling = false;
    session_touch(cancel->session);
}

static void finish(struct cancel *cancel)
{
    close_stream(cancel);
    if (cancel->session != NULL)
        cancel->session->cancel = NULL;
    *cancel->link = cancel->next;
    if (cancel->next != NULL)
        cancel->next->link = cancel->link;
    net_timer_close(cancel->timer);
    free(cancel);
}

void cancel_close_all(struct worker *worker)
{
    while (worker->upstream_cancels != NULL)
        finish(worker->upstream_cancels);
}

bool cancel_under_way(const struct worker *worker)
{
    for (const struct cancel *cancel = worker->upstream_cancels; cancel != NULL;
         cancel = cancel->next)
        if (cancel->stream != NULL || cancel->repeats <= 1)
            return true;
    return false;
}

/* ---- once ---- */

static void repeat_later(struct cancel *cancel)
{
    if (cancel->repeats < REPETITIONS)
        net_timer_start(cancel->timer, pauses_ms[cancel->repeats++], 0);
    else
        finish(cancel);
}

static void cancel_ready(void *context, const struct error *error)
{
    struct cancel *cancel = context;
    struct buffer request;
    size_t put;
    if (error != NULL) {
        log_event(LOG_WARNING, "cancel_failed", "reason=\"%s\"", error->message);
        close_stream(cancel);
        repeat_later(cancel);
        return;
    }
    buffer_init(&request, 64);
    wire_put_cancel_request(&request, cancel->pid, cancel->secret);
    enum status status = net_stream_write(cancel->stream, request.data, request.len, &put);
    buffer_free(&request);
    if (status == STATUS_OK) {
        net_stream_want(cancel->stream, true, false);
        return;
    }
    close_stream(cancel);
    repeat_later(cancel);
}

static void cancel_readable(void *context)
{
    struct cancel *cancel = context;
    uint8_t byte;
    size_t got;
    if (net_stream_read(cancel->stream, &byte, 1, &got) == STATUS_AGAIN)
        return;
    close_stream(cancel);
    repeat_later(cancel);
}

static void cancel_writable(void *context)
{
    (void)context;
}

static const struct net_handlers handlers = {
    .readable = cancel_readable, .writable = cancel_writable, .ready = cancel_ready};

static void send_now(struct cancel *cancel)
{
    const struct config *config = cancel->worker->server->config;
    struct session *session = cancel->session;
    struct error error;
    if (session != NULL) {
        cancel->pid = session->upstream.pid;
        cancel->secret = session->upstream.secret;
    }
    if (cancel->pid == 0) { /* upstream has not even told its key */
        repeat_later(cancel);
        return;
    }
    if (net_connect(cancel->worker->loop, config->upstream.host, config->upstream.port, TIMEOUT_MS,
                    &handlers, cancel, &cancel->stream, &error) != STATUS_OK) {
        log_event(LOG_WARNING, "cancel_failed", "reason=\"%s\"", error.message);
        repeat_later(cancel);
        return;
    }
    if (session != NULL)
        session->cancelling = true;
}

/* ---- again ---- */

/* Number of the Sync that upstream comes to next. */
static uint64_t next_sync(const struct session *session)
{
    const struct replies *replies = &session->replies;
    for (size_t i = 0; i < replies->count; i++) {
        const struct reply *reply = &replies->ring[(replies->first + i) % replies->capacity];
        if (reply->kind == REPLY_SYNC)
            return reply->serial;
    }
    return session->syncs + 1;
}

/* Who has ended waits for nothing: no later statement can be hit. Without a Sync in between, what
 * a client has sent since it asked is another statement all the same. */
static bool still_wanted(const struct cancel *cancel)
{
    const struct session *session = cancel->session;
    if (session == NULL)
        return true;
    return next_sync(session) == cancel->sync &&
           (cancel->goes_on || session->replies.popped < cancel->owed) &&
           replies_wait_for_upstream(&session->replies) &&
           !replies_wait_beyond_sync(&session->replies);
}

static void on_pause_over(void *context)
{
    struct cancel *cancel = context;
    if (still_wanted(cancel))
        send_now(cancel);
    else
        finish(cancel);
}

static struct cancel *make_cancel(struct session *session)
{
    struct worker *worker = session->worker;
    struct cancel *cancel = calloc(1, sizeof *cancel);
    if (cancel == NULL)
        return NULL;
    *cancel = (struct cancel){.next = worker->upstream_cancels,
                              .link = &worker->upstream_cancels,
                              .worker = worker,
                              .session = session};
    if (net_timer_open(worker->loop, on_pause_over, cancel, &cancel->timer) != STATUS_OK) {
        free(cancel);
        return NULL;
    }
    if (cancel->next != NULL)
        cancel->next->link = &cancel->next;
    worker->upstream_cancels = cancel;
    return cancel;
}

void cancel_ask(struct session *session)
{
    if (session->upstream.stream == NULL || session->is_adopted)
        return;
    if (session->cancel == NULL)
        session->cancel = make_cancel(session);
    struct cancel *cancel = session->cancel;
    if (cancel == NULL)
        return;
    cancel->sync = next_sync(session);
    cancel->owed = session->replies.popped + session->replies.count;
    cancel->goes_on = session->several.sql != NULL || copy_in_active(session);
    cancel->repeats = 0;
    if (cancel->stream != NULL) /* one is under way: it may be too early, so it is repeated */
        return;
    net_timer_stop(cancel->timer);
    send_now(cancel);
}

void cancel_detach(struct session *session)
{
    struct cancel *cancel = session->cancel;
    session->cancel = NULL;
    session->cancelling = false;
    if (cancel == NULL)
        return;
    cancel->session = NULL;
    if (session->upstream.state == UPSTREAM_READY && replies_wait_for_upstream(&session->replies))
        return;
    cancel->repeats = REPETITIONS; /* there is nothing more to cancel */
    if (cancel->stream == NULL)
        finish(cancel);
}
