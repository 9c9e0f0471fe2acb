/* A cancel under way: connect, send 16 bytes, wait for the end. */
#include "gateway/cancel.h"

#include <stdlib.h>

#include "base/log.h"

struct cancel {
    struct cancel *next, **link; /* of the worker's list */
    struct session *session;     /* NULL: it has ended */
    struct net_stream *stream;
    uint32_t pid, secret;
};

static void finish(struct cancel *cancel)
{
    if (cancel->session != NULL) {
        cancel->session->cancelling = false;
        cancel->session->cancel = NULL;
        session_touch(cancel->session);
    }
    *cancel->link = cancel->next;
    if (cancel->next != NULL)
        cancel->next->link = cancel->link;
    net_stream_close(cancel->stream);
    free(cancel);
}

static void link_cancel(struct worker *worker, struct cancel *cancel)
{
    cancel->next = worker->upstream_cancels;
    cancel->link = &worker->upstream_cancels;
    if (cancel->next != NULL)
        cancel->next->link = &cancel->next;
    worker->upstream_cancels = cancel;
}

void cancel_close_all(struct worker *worker)
{
    while (worker->upstream_cancels != NULL)
        finish(worker->upstream_cancels);
}

static void cancel_ready(void *context, const struct error *error)
{
    struct cancel *cancel = context;
    struct buffer request;
    size_t put;
    if (error != NULL) {
        log_event(LOG_WARNING, "cancel_failed", "reason=\"%s\"", error->message);
        finish(cancel);
        return;
    }
    buffer_init(&request, 64);
    wire_put_cancel_request(&request, cancel->pid, cancel->secret);
    enum status status = net_stream_write(cancel->stream, request.data, request.len, &put);
    buffer_free(&request);
    if (status != STATUS_OK)
        finish(cancel);
    else
        net_stream_want(cancel->stream, true, false);
}

static void cancel_readable(void *context)
{
    struct cancel *cancel = context;
    uint8_t byte;
    size_t got;
    if (net_stream_read(cancel->stream, &byte, 1, &got) != STATUS_AGAIN)
        finish(cancel);
}

static void cancel_writable(void *context)
{
    (void)context;
}

static const struct net_handlers handlers = {
    .readable = cancel_readable, .writable = cancel_writable, .ready = cancel_ready};

void cancel_send(struct session *session, const char *host, uint16_t port, uint32_t pid,
                 uint32_t secret)
{
    enum { TIMEOUT_MS = 3000 };
    struct error error;
    struct cancel *cancel = calloc(1, sizeof *cancel);
    if (cancel == NULL)
        return;
    *cancel = (struct cancel){.session = session, .pid = pid, .secret = secret};
    if (net_connect(session->worker->loop, host, port, TIMEOUT_MS, &handlers, cancel,
                    &cancel->stream, &error) != STATUS_OK) {
        log_event(LOG_WARNING, "cancel_failed", "reason=\"%s\"", error.message);
        free(cancel);
        return;
    }
    link_cancel(session->worker, cancel);
    session->cancel = cancel;
    session->cancelling = true;
}

void cancel_detach(struct session *session)
{
    if (session->cancel != NULL)
        session->cancel->session = NULL;
    session->cancel = NULL;
    session->cancelling = false;
}
