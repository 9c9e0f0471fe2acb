/* Containment as the gateway carries it out (docs/decisions/0029): in force in memory, sessions cut
 * and waited for, statements upstream cancelled, what was pending closed, and then written down.
 * Workers cut their own sessions; one thread at a time contains, and it is none of theirs.
 * Invariant: nothing that may fail or wait stands before the cut. */
#ifndef COFFERDAM_GATEWAY_CONTAIN_H
#define COFFERDAM_GATEWAY_CONTAIN_H

#include "gateway/server.h"

struct session;
struct contain; /* owned by the server */

enum {
    CONTAIN_TAIL_MS = 150,   /* what a message that was begun has to come to its end */
    CONTAIN_DRAIN_MS = 2000, /* what the kernel has to deliver what it was given */
    CONTAIN_TEXT_ROOM = 1400,
};

struct contain_order {
    const struct registry_target *targets;
    size_t count;
    const char *reason, *by;
    int64_t arrived_ns; /* monotonic: when the command was there */
};

struct contain_outcome {
    size_t sessions; /* that were logged in, and are cut */
    bool is_cut;     /* false: after a second there were still some */
    double cut_ms;   /* arrived … no byte of a result can be written to any of their sockets */
    uint64_t undelivered; /* bytes that the kernel had for their clients when they were cut */
    size_t backends;      /* whose statements were cancelled upstream */
    double upstream_ms;   /* arrived … the last of these */
    size_t closed;        /* raises, requests and deliveries that waited */
    bool recorded;        /* in the ledger, durable */
    bool is_stored;       /* in the registry's file */
    struct error stored;  /* why not */
};

MUST_USE enum status contain_open(struct server *server, struct contain **contain,
                                  struct error *error);
void contain_close(struct contain *contain); /* NULL is fine */

/* Always in force when it returns. Any thread but the workers'. */
void contain_now(struct server *server, const struct contain_order *order,
                 struct contain_outcome *outcome);

/* Writes acts about containment that never got into the ledger: the gateway did not run, or the
 * ledger was full. Not a worker's thread. */
MUST_USE enum status contain_settle(struct server *server, struct error *error);

/* ---- of a worker, about a session of its own ---- */
/* What somebody contained is told: STATUS_DENIED 57P01, and whom to call. At login it counts as a
 * try, and once a minute stands in the ledger. */
enum status contain_refusal(const struct session *session, struct error *error);
/* The session is contained and ends: who contains cancels what it has running upstream, and is told
 * what the kernel still holds for the client. */
void contain_cut(struct session *session);
/* Looks at a cut session: has the last of it left? Ends what it did upstream, for as many sessions
 * as *room says. May free it. */
void contain_step(struct session *session, unsigned *room);
/* The session is cut and has nothing of a result left to write: it counts as live no longer. */
void contain_gone(struct session *session);

#endif
