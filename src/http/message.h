/* What http.c and cofferdam-http say to each other: a head of lines, a blank line, a body.
 *   request  "GET" or "POST", blank, URL; "timeout MS"; "ca PATH"; "header Name: value" …
 *   answer   "CODE"; "type TYPE"; "max-age SECONDS"
 * The URL is no argument of the program: those can be seen by everybody on the machine.
 * Private to http/. No I/O, any thread. */
#ifndef COFFERDAM_HTTP_MESSAGE_H
#define COFFERDAM_HTTP_MESSAGE_H

#include "http/http.h"

/* How cofferdam-http ends: with an answer, or with one line of why there is none. */
enum message_exit { MESSAGE_ANSWERED = 0, MESSAGE_FAILED = 10, MESSAGE_TOO_LONG = 11 };

enum { MESSAGE_HEAD_BYTES = (HTTP_HEADERS_MAX + 3) * (HTTP_LINE_BYTES + 16) };

/* STATUS_INVALID for lines with control characters or over HTTP_LINE_BYTES. */
MUST_USE enum status message_put_request(const struct http_request *request, struct buffer *out,
                                         struct error *error);
void message_put_answer(long code, const char *type, int64_t max_age_s, struct buffer *out);

struct message_request {
    struct http_request request;               /* borrows from what was read, and this */
    const char *headers[HTTP_HEADERS_MAX + 1]; /* ended by NULL */
};
/* Both cut the lines apart in place. STATUS_INVALID for what the other side does not write. */
MUST_USE enum status message_read_request(char *bytes, size_t len, struct message_request *made);
MUST_USE enum status message_read_answer(char *bytes, size_t len, struct http_answer *answer);

/* Of a Cache-Control header's value (RFC 9111, 5.2.2): as in struct http_answer. */
int64_t message_max_age(const char *cache_control);

#endif
