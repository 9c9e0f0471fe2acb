/* Worker: one thread, one event loop, the sessions that live on it. Sessions never migrate.
 * Everything here is touched by the worker's own thread, except the mailbox. */
#ifndef COFFERDAM_GATEWAY_WORKER_H
#define COFFERDAM_GATEWAY_WORKER_H

#include <pthread.h>

#include "gateway/statement/plans.h"
#include "gateway/server.h"
#include "identity/credential.h"
#include "wire/scram.h"

struct lobby;
struct session;

/* One line for SHOW SESSIONS, refreshed each tick, copied under a lock. */
struct worker_session_info {
    uint64_t id;
    char login[130], address[64], purpose[80], state[16], tls[32];
    char approvals[160]; /* the requests that they were given on: "17, 18" */
    struct credential credential;
    int64_t since_ns;
    uint64_t statements, rows;
};

struct worker_cancel { /* a CancelRequest that arrived elsewhere */
    struct worker_cancel *next;
    uint32_t pid, secret;
    struct in6_addr address; /* from which it came */
    bool allowed;            /* it may be for a session of any address */
};

struct cancel;
struct worker_verdict; /* of a token: login_token.c */
struct renewal;        /* of a certificate: renew.c */

struct worker {
    struct server *server;
    unsigned index;
    pthread_t thread;
    bool running;
    struct net_loop *loop;
    struct net_listener *listener;
    struct net_listener *staff_listener; /* of the first worker; NULL: none */
    struct net_timer *tick;
    struct lobby *lobby;            /* sessions whose identity is not proven yet */
    uint64_t lobby_dropped;         /* since it was last told */
    struct net_timer *cut_watch;    /* runs while there are sessions that are cut */
    unsigned cut_watches, cut_left; /* turns of it; sessions still connected upstream */
    struct session *sessions;       /* those that are logged in before those in the lobby */
    struct session *last_session;
    struct session *dirty;           /* sessions with something to flush this turn */
    struct session *flushing;        /* those of this turn that are still to be flushed */
    unsigned stop_ticks;             /* until the loop ends in any case; 0: it goes on */
    struct cancel *upstream_cancels; /* CancelRequests under way to upstream */
    struct snapshot *snapshot;       /* retained; renewed on wake */
    uint64_t validity;               /* snapshot_validity at the last tick */
    uint64_t plan_epoch;             /* grows when snapshot or validity change */
    uint64_t changes;  /* of registry and authorities, when the sessions were reviewed last */
    bool clock_behind; /* the wall clock is behind the server's line */
    struct plans *plans;
    struct scram_memory upstream_keys; /* of the service role's password */

    pthread_mutex_t mailbox_lock;
    struct worker_cancel *cancels;   /* under mailbox_lock */
    struct worker_verdict *verdicts; /* under mailbox_lock */
    struct renewal *renewals;        /* answered; under mailbox_lock */
    bool stop;                       /* under mailbox_lock */

    pthread_mutex_t lines_lock;
    struct worker_session_info *lines; /* under lines_lock */
    size_t line_count;                 /* under lines_lock */
};

/* Makes the worker; it listens, and serves nobody before worker_run. */
MUST_USE enum status worker_open(struct server *server, unsigned index, uint16_t port,
                                 uint16_t *bound_port, struct worker **worker, struct error *error);
/* Starts the thread. All workers are open by then: any may be handed another's CancelRequest. */
MUST_USE enum status worker_run(struct worker *worker, struct error *error);
void worker_stop(struct worker *worker); /* closes sessions, joins */
void worker_free(struct worker *worker); /* once the ledger can no longer call */

/* A session is cut: looks at such every few milliseconds until there are none. Its own thread. */
void worker_watch_cut(struct worker *worker);

/* Hands a CancelRequest to the worker that its pid names; wrong keys are ignored, and count against
 * the address; from one that has tried many, so are right ones (backoff.h). Any thread. */
void worker_post_cancel(struct server *server, uint32_t pid, uint32_t secret,
                        const struct in6_addr *address);

/* Copies up to capacity lines; returns how many there are. Any thread. */
size_t worker_list_sessions(struct server *server, struct worker_session_info *lines,
                            size_t capacity);
#endif
