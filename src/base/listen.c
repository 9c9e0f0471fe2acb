/* Plain sockets. No names are looked up: what listens must not depend on a resolver. */
#include "base/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HOST_ROOM = 64, BACKLOG = 256 };

static enum status not_listening(struct error *error, const char *text)
{
    return error_set(error, STATUS_INVALID, "22023",
                     "an address and a port: 127.0.0.1:8080, [::1]:8080",
                     "\"%s\" is no address to listen on", text);
}

bool listen_is_loopback(const struct listen_address *address)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&address->address;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&address->address;
    return address->address.ss_family == AF_INET
               ? ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET
               : IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) != 0;
}

enum status listen_parse(const char *text, struct listen_address *address, struct error *error)
{
    char host[HOST_ROOM];
    const char *colon = strrchr(text, ':');
    char *end = NULL;
    unsigned long port = colon == NULL ? 0 : strtoul(colon + 1, &end, 10);
    if (colon == NULL || colon == text || colon[1] < '0' || colon[1] > '9' || *end != '\0' ||
        port > UINT16_MAX)
        return not_listening(error, text);
    bool bracketed = text[0] == '[' && colon[-1] == ']';
    snprintf(host, sizeof host, "%.*s", (int)(colon - text) - 2 * bracketed, text + bracketed);
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    *address = (struct listen_address){.text = text};
    if (!bracketed && inet_pton(AF_INET, host, &v4.sin_addr) == 1) {
        memcpy(&address->address, &v4, address->len = sizeof v4);
        return STATUS_OK;
    }
    if (bracketed && inet_pton(AF_INET6, host, &v6.sin6_addr) == 1) {
        memcpy(&address->address, &v6, address->len = sizeof v6);
        return STATUS_OK;
    }
    return not_listening(error, text);
}

enum status listen_open(const struct listen_address *address, int *listener, struct error *error)
{
    int fd = socket(address->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1;
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(fd, (const struct sockaddr *)&address->address, address->len) == 0 &&
        listen(fd, BACKLOG) == 0) {
        *listener = fd;
        return STATUS_OK;
    }
    enum status status = error_set_errno(error, errno, "cannot listen on %s", address->text);
    if (fd >= 0)
        close(fd);
    return status;
}

uint16_t listen_port(int listener)
{
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof address;
    getsockname(listener, (struct sockaddr *)&address, &len);
    return ntohs(((struct sockaddr_in *)&address)->sin_port); /* at one place in both families */
}
