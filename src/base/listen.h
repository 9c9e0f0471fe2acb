/* Addresses to listen on, as people write them: "127.0.0.1:8080", "[::1]:8080". Numbers only. */
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
/* The port that it got. */
uint16_t listen_port(int listener);

#endif
