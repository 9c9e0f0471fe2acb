/* One POST over libcurl: TLS verified, no redirects, bounded in time and size. One thread. */
#ifndef COFFERDAM_WITNESS_POST_H
#define COFFERDAM_WITNESS_POST_H

#include "base/buffer.h"
#include "base/status.h"

enum { POST_ANSWER_BYTES = 64 * 1024, POST_TYPE_ROOM = 64 };

struct post_answer {
    long code; /* of HTTP */
    char type[POST_TYPE_ROOM];
    struct buffer body; /* the caller initialises and frees it */
};

/* ca: PEM file, or NULL. STATUS_IO with the reason where there is no answer; STATUS_LIMIT where it
 * is over the body's limit. */
MUST_USE enum status post_send(const char *url, const char *ca, struct slice body,
                               struct post_answer *answer, struct error *error);

#endif
