/* One exchange over HTTP, by a program beside ours (cofferdam-http, http_main.c), so that neither
 * the gateway nor anything else here has libcurl in it. TLS is verified, redirects are not
 * followed, time and size are bounded. The caller waits: never call this on a worker's loop.
 * Any thread. */
#ifndef COFFERDAM_HTTP_HTTP_H
#define COFFERDAM_HTTP_HTTP_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/status.h"

enum {
    HTTP_ANSWER_BYTES = 256 * 1024,
    HTTP_BODY_BYTES = 4 * 1024 * 1024,
    HTTP_HEADERS_MAX = 16,
    HTTP_LINE_BYTES = 4096, /* a URL, a path, a header */
    HTTP_TYPE_ROOM = 64,
    HTTP_TIMEOUT_MS = 30000,
};

enum http_method { HTTP_GET, HTTP_POST };

struct http_request {
    enum http_method method;
    const char *url;
    const char *ca;             /* PEM file, or NULL: the system's */
    const char *const *headers; /* "Name: value", ended by NULL; may be NULL */
    struct slice body;          /* of a POST */
    uint32_t timeout_ms;        /* of the whole; 0: HTTP_TIMEOUT_MS */
    const int *stop;            /* once it can be read, the exchange is given up; may be NULL */
};

struct http_answer {
    long code;
    char type[HTTP_TYPE_ROOM]; /* Content-Type, cut; "" if none */
    int64_t max_age_s;         /* of Cache-Control; 0: not to be kept; -1: it does not say */
    struct buffer body;        /* the caller initialises and frees it; its limit is the answer's */
};

/* STATUS_INVALID for a request that cannot be sent, STATUS_IO with the reason where there is no
 * answer, STATUS_LIMIT where it is longer than the body's limit or HTTP_ANSWER_BYTES. */
MUST_USE enum status http_send(const struct http_request *request, struct http_answer *answer,
                               struct error *error);

/* https, or http to this machine itself ("localhost", 127.x, [::1]); no user and no blanks. */
bool http_url_is_safe(const char *url);

#endif
