/* What the processes that serve strangers over HTTP (portal, serve) have in common: certificate and
 * key are read and the port opened as who starts us, then everything else is given up, for good;
 * they run until a signal; a connection has a deadline for each request; nothing is logged of one.
 * Threads: the first waits for the signal, libmicrohttpd's own serves, one holds the deadlines;
 * start() may add others. */
#ifndef COFFERDAM_WEB_WEB_H
#define COFFERDAM_WEB_WEB_H

#include <microhttpd.h>

#include "base/status.h"
#include "web/deadline.h"

struct web_options {
    const char *listen;            /* "127.0.0.1:8080", "[::]:443" */
    const char *certificate, *key; /* PEM files; both NULL: without TLS, on loopback only */
    const char *user;              /* to become; NULL: stay, unless that is root */
};

/* A running server; every member is web's own. */
struct web {
    int listener;
    const char *certificate, *key; /* PEM; both NULL: without TLS */
    struct deadline_ring connections;
};

/* One of the processes: who it is, and its steps in their order. A step's `context` is its own. */
struct web_service {
    const char *who;         /* for errors: "the portal" */
    const char *in_clear;    /* why TLS: "what people ask does not travel in the clear" */
    const char *ends_event;  /* "portal_ends" */
    int64_t request_ns_most; /* for one request and its answer */
    /* As the user that stays: opens what it needs, and gives up other files: confine_files(). */
    enum status (*prepare)(void *context, struct error *error);
    /* Starts all threads, with web_start_daemon(). Whatever it began it ends where it fails. */
    enum status (*start)(void *context, struct web *web, struct error *error);
    void (*tell_ready)(void *context, unsigned port);
    void (*stop)(void *context); /* ends what start() began; MHD_stop_daemon() closes the port */
};

/* Runs until SIGTERM or SIGINT. Closes all files that are open but standard input, output and
 * error; the process is confined, even where this fails. */
MUST_USE enum status web_run(const struct web_service *service, const struct web_options *options,
                             void *context, struct error *error);

struct web_daemon {
    unsigned flags; /* beyond those for epoll, a thread of its own and TLS */
    unsigned connections_most, connections_most_an_address, idle_s_most;
    size_t connection_bytes; /* request line and headers */
    MHD_AccessHandlerCallback handle;
    MHD_RequestCompletedCallback completed; /* calls web_request_done() */
    void *context;
};
MUST_USE enum status web_start_daemon(struct web *web, const struct web_daemon *wanted,
                                      struct MHD_Daemon **daemon, struct error *error);
/* The connection's next request has all the time again. */
void web_request_done(struct web *web, struct MHD_Connection *connection);

#endif
