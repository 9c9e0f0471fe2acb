/* How long a connection may take over one request and its answer. libmicrohttpd's timeout begins
 * anew with every byte, so that who sends, or reads, one every few seconds would hold a connection
 * for ever. A socket is closed only after deadline_end(), so that no number in the ring is another
 * connection's. Threads: any; one lock. */
#ifndef COFFERDAM_WEB_DEADLINE_H
#define COFFERDAM_WEB_DEADLINE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* An open connection. */
struct deadline {
    struct deadline *next, *previous;
    int fd;
    int64_t since_ns; /* it opened, or its last request was done with */
};

struct deadline_ring {
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t ends;  /* on CLOCK_MONOTONIC */
    bool stopping;
    pthread_t thread;
    int64_t most_ns;
    struct deadline head;
};

/* Starts the thread that looks each second, or four times in most_ns. False if there can be none.
 */
bool deadline_start(struct deadline_ring *ring, int64_t most_ns);
void deadline_stop(struct deadline_ring *ring);

/* NULL, and the socket shut down, where there is no memory to remember it. */
struct deadline *deadline_begin(struct deadline_ring *ring, int fd);
/* A request is done with: the next has all the time again. deadline may be NULL, as below. */
void deadline_renew(struct deadline_ring *ring, struct deadline *deadline);
void deadline_end(struct deadline_ring *ring, struct deadline *deadline);

#endif
