/* Plain sockets. No names are looked up: what listens must not depend on a resolver. */
#include "base/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
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

/* ---- unix ---- */

static enum status unix_address(const char *path, struct sockaddr_un *address, struct error *error)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address->sun_path)
        return error_set(error, STATUS_INVALID, "22023", "choose a shorter path",
                         "socket path \"%s\" is longer than %zu bytes", path,
                         sizeof address->sun_path - 1);
    memcpy(address->sun_path, path, strlen(path) + 1);
    return STATUS_OK;
}

/* Removes a socket that nobody listens on; refuses a live one and anything that is no socket. */
static enum status clear_path(const struct sockaddr_un *address, const char *rival,
                              struct error *error)
{
    struct stat found;
    if (lstat(address->sun_path, &found) != 0) {
        if (errno == ENOENT)
            return STATUS_OK;
        return error_set_errno(error, errno, "cannot look at %s", address->sun_path);
    }
    if (!S_ISSOCK(found.st_mode))
        return error_set(error, STATUS_INVALID, "58P01", NULL, "%s exists and is not a socket",
                         address->sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_set_errno(error, errno, "cannot make a socket");
    int result = connect(fd, (const struct sockaddr *)address, sizeof *address);
    int failure = errno;
    close(fd);
    if (result != 0 && failure == ECONNREFUSED) {
        if (unlink(address->sun_path) != 0)
            return error_set_errno(error, errno, "cannot remove the dead socket %s",
                                   address->sun_path);
        return STATUS_OK;
    }
    if (result == 0 || failure == EAGAIN) /* EAGAIN: alive, its backlog is full */
        return error_set(error, STATUS_INVALID, "55006", rival, "another process listens on %s",
                         address->sun_path);
    return error_set_errno(error, failure, "cannot tell whether %s is in use", address->sun_path);
}

enum status listen_bind_unix(const char *path, unsigned mode, const char *rival, int *listener,
                             struct error *error)
{
    struct sockaddr_un address;
    TRY(unix_address(path, &address, error));
    TRY(clear_path(&address, rival, error));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_set_errno(error, errno, "cannot make a socket");
    /* The mode goes onto the descriptor first, so that the path never has a wider one. */
    if (fchmod(fd, (mode_t)mode) != 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        chmod(path, (mode_t)mode) != 0) {
        enum status status = error_set_errno(error, errno, "cannot listen on %s", path);
        close(fd);
        return status;
    }
    *listener = fd;
    return STATUS_OK;
}

enum status listen_connect_unix(const char *path, int *stream, struct error *error)
{
    struct sockaddr_un address;
    TRY(unix_address(path, &address, error));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_set_errno(error, errno, "cannot make a socket");
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        enum status status = error_set_errno(error, errno, "cannot connect to %s", path);
        close(fd);
        return status;
    }
    *stream = fd;
    return STATUS_OK;
}
