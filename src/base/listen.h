/* Addresses to listen on, as people write them: "127.0.0.1:8080", "[::1]:8080". Numbers only; and
 * paths of Unix sockets. */
#ifndef COFFERDAM_BASE_LISTEN_H
#define COFFERDAM_BASE_LISTEN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/status.h"

struct listen_address {
    struct sockaddr_storage address;
    socklen_t len;
    const char *text; /* borrowed from listen_parse */
};

/* STATUS_INVALID 22023 for anything else. Port 0: one that is free. */
MUST_USE enum status listen_parse(const char *text, struct listen_address *address,
                                  struct error *error);
bool listen_is_loopback(const struct listen_address *address);
/* A listening TCP socket, non-blocking, closed on exec. */
MUST_USE enum status listen_open(const struct listen_address *address, int *listener,
                                 struct error *error);
/* A Unix socket at this path, bound and not listening yet, non-blocking, closed on exec. A dead one
 * is taken away; a live one is not: `rival` is then the hint. mode: of the path. */
MUST_USE enum status listen_bind_unix(const char *path, unsigned mode, const char *rival,
                                      int *listener, struct error *error);
/* A connection to such a one, non-blocking. It connects at once or not at all. */
MUST_USE enum status listen_connect_unix(const char *path, int *stream, struct error *error);
/* The port that it got. */
uint16_t listen_port(int listener);

#endif
