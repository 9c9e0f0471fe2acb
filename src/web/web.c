/* Each step comes once what it takes away is no longer needed: the user before any file is opened
 * for good, files before the second thread, calls after the last. */
#include "web/web.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/check.h"
#include "base/confine.h"
#include "base/file.h"
#include "base/listen.h"
#include "base/log.h"
#include "crypto/crypto.h"

enum { PEM_BYTES_MOST = 256 * 1024 };

/* ---- libmicrohttpd ---- */

static void follow(void *context, struct MHD_Connection *connection, void **socket_context,
                   enum MHD_ConnectionNotificationCode what)
{
    struct web *web = context;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        deadline_end(&web->connections, *socket_context);
        return;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    CHECK(info != NULL);
    *socket_context = deadline_begin(&web->connections, info->connect_fd);
}

void web_request_done(struct web *web, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    if (info != NULL)
        deadline_renew(&web->connections, info->socket_context);
}

/* libmicrohttpd's words can hold a peer's bytes. */
static void say_nothing(void *context, const char *format, va_list arguments)
{
}

enum status web_start_daemon(struct web *web, const struct web_daemon *wanted,
                             struct MHD_Daemon **daemon, struct error *error)
{
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG | wanted->flags;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)web->certificate},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)web->key},
        {MHD_OPTION_HTTPS_PRIORITIES, 0,
         (void *)(uintptr_t) "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
    bool has_tls = web->certificate != NULL;
    /* The logger comes first: it is used while later options are read. */
    *daemon = MHD_start_daemon(
        flags | (has_tls ? MHD_USE_TLS : 0U), 0, NULL, NULL, wanted->handle, wanted->context,
        MHD_OPTION_EXTERNAL_LOGGER, say_nothing, NULL, MHD_OPTION_LISTEN_SOCKET, web->listener,
        MHD_OPTION_NOTIFY_COMPLETED, wanted->completed, wanted->context,
        MHD_OPTION_NOTIFY_CONNECTION, follow, web, MHD_OPTION_CONNECTION_LIMIT,
        wanted->connections_most, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        wanted->connections_most_an_address, MHD_OPTION_CONNECTION_TIMEOUT, wanted->idle_s_most,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, wanted->connection_bytes, MHD_OPTION_STRICT_FOR_CLIENT,
        1, MHD_OPTION_ARRAY, has_tls ? tls : none, MHD_OPTION_END);
    if (*daemon == NULL)
        return error_set(error, STATUS_IO, "58000",
                         has_tls ? "are certificate and key PEM files of one pair?" : NULL,
                         "the web server does not start");
    return STATUS_OK;
}

/* ---- life ---- */

static enum status open_listener(const struct web_service *service,
                                 const struct web_options *options, int *listener,
                                 struct error *error)
{
    struct listen_address address;
    TRY(listen_parse(options->listen, &address, error));
    if (options->certificate == NULL && !listen_is_loopback(&address))
        return error_set(error, STATUS_DENIED, "28000",
                         "give --certificate and --key, or listen on loopback behind a TLS proxy",
                         "%s", service->in_clear);
    return listen_open(&address, listener, error);
}

static void block_ends(sigset_t *ends)
{
    sigemptyset(ends);
    sigaddset(ends, SIGTERM);
    sigaddset(ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, ends, NULL);
}

static void wait_for_end(const struct web_service *service, const sigset_t *ends)
{
    int number;
    while (sigwait(ends, &number) != 0)
        continue;
    log_event(LOG_INFO, service->ends_event, "signal=%d", number);
}

static enum status serve(const struct web_service *service, struct web *web, void *context,
                         struct error *error)
{
    sigset_t ends;
    block_ends(&ends);
    if (!deadline_start(&web->connections, service->request_ns_most))
        return error_set(error, STATUS_NOMEM, "53200", NULL, "no thread can be started");
    enum status status = service->start(context, web, error);
    if (status == STATUS_OK) {
        status = confine_calls(error);
        if (status == STATUS_OK) {
            service->tell_ready(context, listen_port(web->listener));
            wait_for_end(service, &ends);
        }
        service->stop(context);
        web->listener = -1;
    }
    deadline_stop(&web->connections);
    return status;
}

static enum status run(const struct web_service *service, const struct web_options *options,
                       struct buffer *certificate, struct buffer *key, void *context,
                       struct error *error)
{
    struct web web = {.listener = -1};
    if (options->certificate != NULL) {
        TRY(file_read(options->certificate, certificate, error));
        TRY(file_read_secret(options->key, key, error));
        web.certificate = buffer_text(certificate);
        web.key = buffer_text(key);
    }
    TRY(open_listener(service, options, &web.listener, error));
    enum status status = confine_user(service->who, options->user, error);
    if (status == STATUS_OK)
        status = service->prepare(context, error);
    if (status == STATUS_OK)
        status = serve(service, &web, context, error);
    if (web.listener >= 0)
        close(web.listener);
    return status;
}

enum status web_run(const struct web_service *service, const struct web_options *options,
                    void *context, struct error *error)
{
    struct buffer certificate, key;
    if (close_range(STDERR_FILENO + 1, ~0U, 0) != 0) /* whatever our starter forgot to close */
        return error_set_errno(error, errno, "cannot close what is open already");
    buffer_init(&certificate, PEM_BYTES_MOST);
    buffer_init(&key, PEM_BYTES_MOST);
    signal(SIGPIPE, SIG_IGN);
    enum status status = run(service, options, &certificate, &key, context, error);
    if (key.data != NULL)
        crypto_wipe(key.data, key.capacity);
    buffer_free(&certificate);
    buffer_free(&key);
    return status;
}
