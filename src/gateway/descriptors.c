/* Open files: reckoned from the bounds in cofferdam.yaml, so that a flood meets the lobby and not
 * EMFILE, at which a partner's login, the ledger's next segment and the admin socket would all fail
 * alike. */
#include "gateway/descriptors.h"

#include <errno.h>
#include <sys/resource.h>

/* Listeners, ledger, registry, index, loops, admin connections, publishing: a few dozen; and room
 * for what a command reads beside. */
enum { OTHER_FILES = 256 };

enum status descriptors_raise(const struct config *config, struct error *error)
{
    struct rlimit limit;
    /* An upstream connection may have a CancelRequest beside it. */
    rlim_t needed = (rlim_t)config->listen.max_sessions + config->listen.max_unauthenticated +
                    2 * (rlim_t)config->upstream.max_connections + OTHER_FILES;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return error_set_errno(error, errno, "cannot read the limit of open files");
    if (limit.rlim_cur >= needed)
        return STATUS_OK;
    if (limit.rlim_max < needed)
        return error_set(
            error, STATUS_INVALID, "53000",
            "raise the service's limit (LimitNOFILE= of systemd, ulimit -Hn), or lower "
            "listen.max_sessions, listen.max_unauthenticated or "
            "upstream.max_connections in cofferdam.yaml",
            "%llu open files are needed for what cofferdam.yaml allows, but the limit "
            "is %llu",
            (unsigned long long)needed, (unsigned long long)limit.rlim_max);
    limit.rlim_cur = needed;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        return error_set_errno(error, errno, "cannot raise the limit of open files");
    return STATUS_OK;
}
