/* A file being written: bytes gathered, then put at its end. Private to delivery/. */
#ifndef COFFERDAM_DELIVERY_SINK_H
#define COFFERDAM_DELIVERY_SINK_H

#include "base/buffer.h"
#include "base/status.h"

enum { SINK_GATHER = 256 * 1024, SINK_BYTES = 160 * 1024 * 1024 };

struct sink {
    int fd; /* borrowed */
    uint64_t at;
    struct buffer bytes; /* limit SINK_BYTES: one row may be long */
};

/* Puts what has been gathered if it is much, or all the same where `now`. STATUS_LIMIT where a row
 * did not fit; STATUS_IO. */
MUST_USE enum status sink_put(struct sink *sink, bool now, struct error *error);

#endif
