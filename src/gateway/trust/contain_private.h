/* What the files of containment share. */
#ifndef COFFERDAM_GATEWAY_CONTAIN_PRIVATE_H
#define COFFERDAM_GATEWAY_CONTAIN_PRIVATE_H

#include "gateway/trust/contain.h"

struct contain_backend { /* of the database; it knows its statement by both */
    uint32_t pid, secret;
};

struct contain {
    pthread_mutex_t act_lock; /* one act at a time */
    pthread_mutex_t lock;     /* guards all below */
    bool is_acting;           /* somebody waits for the workers and will cancel for them */
    struct contain_backend *backends;
    size_t backend_count, backend_capacity;
    uint64_t undelivered;
    int64_t last_ns; /* monotonic: when the last cut session had nothing left to write */
};

/* Asks the database, one after the other, to end what these run; returns how many were asked. Their
 * connections are closed already. Blocks, for some seconds at most. */
size_t contain_cancel(const struct config *config, const struct contain_backend *backends,
                      size_t count);

#endif
