/* Private to portal/: the state of the running portal, and what two of its threads hand each other.
 * The serving thread (libmicrohttpd's own) reads requests and sends responses; the answering thread
 * does the work of questions and sends all answers off together. */
#ifndef COFFERDAM_PORTAL_SERVICE_H
#define COFFERDAM_PORTAL_SERVICE_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>

#include "portal/allowance.h"
#include "portal/portal.h"
#include "portal/site.h"

enum { FORM_BYTES_MOST = 4096 };

enum ask_kind { ASK_GENUINE, ASK_AFFECTED, ASK_KINDS };

/* A question that somebody posted. Made and freed by the serving thread; the answering thread's
 * from service_ask() until it is answered. */
struct ask {
    struct ask *next;
    struct MHD_Connection *connection;
    enum ask_kind kind;
    char brand[sizeof((struct request *)0)->brand], language[sizeof((struct request *)0)->language];
    uint8_t body[FORM_BYTES_MOST];
    size_t body_len;
    bool is_answered;
    struct MHD_Response *answer; /* of a site that is kept until it has been queued */
    unsigned code;
};

struct service {
    const struct portal_options *options;
    struct web *web;
    struct MHD_Daemon *daemon; /* NULL before it runs */
    pthread_t answering;
    int folder, queue; /* folders; the queue's can only be written to */
    bool is_secure;
    bool has_proxy;
    struct in6_addr proxy;                   /* whose word on who asks is taken */
    struct allowance *allowances[ASK_KINDS]; /* the serving thread's */

    pthread_mutex_t lock; /* of all below */
    pthread_cond_t asked; /* on CLOCK_MONOTONIC */
    struct site *site, *retired;
    struct ask *first, **last;
    unsigned unsent; /* answers given, but not queued yet: their site must stay */
    bool is_stopping;
};

/* ---- serve.c: the serving thread's callbacks ---- */
MUST_USE enum status serve_start(struct service *service, struct error *error);

/* ---- answer.c ---- */
/* Suspends the ask's connection until its answer; false once the service is stopping. */
bool service_ask(struct service *service, struct ask *ask);
/* The answering thread's function; context: the service. Ends soon after is_stopping is set. */
void *answer_run(void *service);

#endif
