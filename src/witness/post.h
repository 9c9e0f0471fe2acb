/* One POST, made by a program of its own beside ours (cofferdam-post, post_main.c), so that neither
 * the gateway nor anything else here has libcurl in it. One thread. */
#ifndef COFFERDAM_WITNESS_POST_H
#define COFFERDAM_WITNESS_POST_H

#include "base/buffer.h"
#include "base/status.h"

enum { POST_ANSWER_BYTES = 64 * 1024, POST_TYPE_ROOM = 64, POST_REASON_BYTES = 256 };

/* How cofferdam-post ends. Called as `cofferdam-post URL [CA]` with the body on standard input, it
 * writes "CODE TYPE\n" and the answer's body, or else one line of why there is none. */
enum post_exit { POST_ANSWERED = 0, POST_FAILED = 10, POST_TOO_LONG = 11 };

struct post_answer {
    long code; /* of HTTP */
    char type[POST_TYPE_ROOM];
    struct buffer body; /* the caller initialises and frees it */
};

/* ca: PEM file, or NULL. STATUS_IO with the reason where there is no answer; STATUS_LIMIT where it
 * is over POST_ANSWER_BYTES. */
MUST_USE enum status post_send(const char *url, const char *ca, struct slice body,
                               struct post_answer *answer, struct error *error);

#endif
