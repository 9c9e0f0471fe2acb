/* CancelRequests for everything that contained sessions had running, on one connection at a time:
 * each costs the database a process, so they come with pauses: as many at once as there were
 * sessions would be felt by everybody else (docs/decisions/0029). A backend that finds its
 * connection closed ends by itself; these are for those that reckon and do not look. */
#include "gateway/trust/contain_private.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "wire/wire.h"

enum { BOUND_MS = 3000, TIMEOUT_MS = 500, PAUSE_MS = 8, PAUSES_MS = 1500 };

struct place {
    struct sockaddr_storage address;
    socklen_t len;
};

static bool find_place(const struct config *config, struct place *place)
{
    const char *host = config->upstream.host;
    if (host[0] == '/') {
        struct sockaddr_un local = {.sun_family = AF_UNIX};
        int len = snprintf(local.sun_path, sizeof local.sun_path, "%s/.s.PGSQL.%u", host,
                           config->upstream.port);
        memcpy(&place->address, &local, sizeof local);
        place->len = sizeof local;
        return len > 0 && (size_t)len < sizeof local.sun_path;
    }
    char port[8];
    struct addrinfo wanted = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    snprintf(port, sizeof port, "%u", config->upstream.port);
    if (getaddrinfo(host, port, &wanted, &found) != 0 || found == NULL)
        return false;
    memcpy(&place->address, found->ai_addr, found->ai_addrlen);
    place->len = found->ai_addrlen;
    freeaddrinfo(found);
    return true;
}

/* The database closes once it has passed the request on. */
static bool cancel_one(const struct place *place, const struct contain_backend *backend)
{
    static const struct timeval bound = {.tv_usec = TIMEOUT_MS * 1000};
    int fd = socket(place->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof bound); /* bounds connect too */
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
    struct buffer request;
    buffer_init(&request, 64);
    wire_put_cancel_request(&request, backend->pid, backend->secret);
    uint8_t byte;
    bool asked = connect(fd, (const struct sockaddr *)&place->address, place->len) == 0 &&
                 send(fd, request.data, request.len, MSG_NOSIGNAL) == (ssize_t)request.len &&
                 recv(fd, &byte, 1, 0) == 0;
    buffer_free(&request);
    close(fd);
    return asked;
}

size_t contain_cancel(const struct config *config, const struct contain_backend *backends,
                      size_t count)
{
    struct place place;
    size_t asked = 0;
    int64_t until_ns = clock_monotonic_ns() + (int64_t)BOUND_MS * 1000000;
    if (count == 0)
        return 0;
    bool found = find_place(config, &place);
    long pause_ms = count * PAUSE_MS > PAUSES_MS ? (long)(PAUSES_MS / count) : PAUSE_MS;
    for (size_t i = 0; found && i < count && clock_monotonic_ns() < until_ns; i++) {
        if (i > 0)
            nanosleep(&(struct timespec){.tv_nsec = pause_ms * 1000000}, NULL);
        asked += cancel_one(&place, &backends[i]);
    }
    if (asked < count)
        log_event(LOG_WARNING, "cancel_failed", "asked=%zu of=%zu", asked, count);
    return asked;
}
