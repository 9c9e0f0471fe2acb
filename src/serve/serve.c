/* A path is taken apart by the grammar of tiles before it names a file, and the kernel is told to
 * look beneath the folder only and to follow no link. Nothing is logged of a request. */
#include "serve/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/openat2.h>
#include <microhttpd.h>

#include "base/buffer.h"
#include "base/check.h"
#include "base/confine.h"
#include "base/file.h"
#include "base/listen.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "ledger/tiles.h"
#include "serve/deadline.h"

enum {
    CONNECTIONS_MOST = 500,
    CONNECTIONS_MOST_AN_ADDRESS = 50,
    CONNECTION_BYTES = 16 * 1024, /* request line and headers */
    IDLE_S_MOST = 10,
    PEM_BYTES_MOST = 256 * 1024,
};

/* A bundle of entries is 15 MB at most, and mostly below 100 kB. */
#define REQUEST_NS_MOST INT64_C(60000000000)

/* Running, so to speak. */
struct server {
    int folder;
    struct MHD_Response *missing, *wrong_method;
    struct deadline_ring connections;
};

/* ---- requests ---- */

static enum MHD_Result add_headers(struct MHD_Response *response, const char *type,
                                   const char *caching)
{
    return MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type) &&
                   MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, caching) &&
                   MHD_add_response_header(response, "X-Content-Type-Options", "nosniff")
               ? MHD_YES
               : MHD_NO;
}

/* -1 where there is none that may be served. */
static int open_file(const struct server *server, const char *path, uint64_t *size)
{
    const struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
                                 .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
    struct stat info;
    int fd = (int)syscall(SYS_openat2, server->folder, path, &how, sizeof how);
    if (fd < 0)
        return -1;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        close(fd);
        return -1;
    }
    *size = (uint64_t)info.st_size;
    return fd;
}

static enum MHD_Result not_found(const struct server *server, struct MHD_Connection *connection)
{
    return MHD_queue_response(connection, MHD_HTTP_NOT_FOUND, server->missing);
}

/* A tile under its name never changes, a partial one neither: only the checkpoint does. */
static enum MHD_Result get(const struct server *server, struct MHD_Connection *connection,
                           const char *path)
{
    struct tile tile;
    uint64_t size;
    bool is_checkpoint = strcmp(path, "checkpoint") == 0;
    if (!is_checkpoint && !tile_path_parse(slice_of_text(path), &tile))
        return not_found(server, connection);
    int fd = open_file(server, path, &size);
    if (fd < 0)
        return not_found(server, connection);
    struct MHD_Response *response = MHD_create_response_from_fd64(size, fd);
    if (response == NULL) {
        close(fd);
        return MHD_NO;
    }
    enum MHD_Result result =
        is_checkpoint
            ? add_headers(response, "text/plain; charset=utf-8", "no-cache")
            : add_headers(response, "application/octet-stream", "max-age=31536000, immutable");
    if (result == MHD_YES)
        result = MHD_queue_response(connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response); /* closes the file after the last byte */
    return result;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_len, void **request)
{
    static int seen;
    const struct server *server = context;
    if (*request == NULL) { /* headers only: an answer now would close the connection */
        *request = &seen;
        return MHD_YES;
    }
    if (*upload_len > 0) { /* nobody has anything to tell us */
        *upload_len = 0;
        return MHD_YES;
    }
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return MHD_queue_response(connection, MHD_HTTP_METHOD_NOT_ALLOWED, server->wrong_method);
    return path[0] == '/' ? get(server, connection, path + 1) : not_found(server, connection);
}

static void end_request(void *context, struct MHD_Connection *connection, void **request,
                        enum MHD_RequestTerminationCode why)
{
    struct server *server = context;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    if (info != NULL)
        deadline_renew(&server->connections, info->socket_context);
}

static void follow(void *context, struct MHD_Connection *connection, void **socket_context,
                   enum MHD_ConnectionNotificationCode what)
{
    struct server *server = context;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        deadline_end(&server->connections, *socket_context);
        return;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    CHECK(info != NULL);
    *socket_context = deadline_begin(&server->connections, info->connect_fd);
}

/* libmicrohttpd's words can hold a peer's bytes. */
static void say_nothing(void *context, const char *format, va_list arguments)
{
}

/* ---- life ---- */

static enum status start_daemon(struct server *server, int listener, const char *certificate,
                                const char *key, struct MHD_Daemon **daemon, struct error *error)
{
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)certificate},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)key},
        {MHD_OPTION_HTTPS_PRIORITIES, 0,
         (void *)(uintptr_t) "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
    /* The logger comes first: it is used while later options are read. */
    struct MHD_Daemon *started = MHD_start_daemon(
        flags | (certificate != NULL ? MHD_USE_TLS : 0U), 0, NULL, NULL, handle, server,
        MHD_OPTION_EXTERNAL_LOGGER, say_nothing, NULL, MHD_OPTION_LISTEN_SOCKET, listener,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MOST, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        (unsigned)CONNECTIONS_MOST_AN_ADDRESS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S_MOST,
        MHD_OPTION_NOTIFY_COMPLETED, end_request, server, MHD_OPTION_NOTIFY_CONNECTION, follow,
        server, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY, certificate != NULL ? tls : none,
        MHD_OPTION_END);
    if (started == NULL)
        return error_set(error, STATUS_IO, "58000",
                         certificate == NULL ? NULL
                                             : "are certificate and key PEM files of one pair?",
                         "the web server does not start");
    *daemon = started;
    return STATUS_OK;
}

static struct MHD_Response *make_text(const char *text)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);
    if (response != NULL &&
        add_headers(response, "text/plain; charset=utf-8", "no-cache") == MHD_NO) {
        MHD_destroy_response(response);
        response = NULL;
    }
    return response;
}

/* As the user that stays: what cannot be opened now cannot be opened later. */
static enum status prepare(struct server *server, const struct serve_options *options,
                           struct error *error)
{
    bool has_landlock = false;
    server->folder = open(options->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (server->folder < 0 && errno == ENOENT)
        return error_set(error, STATUS_NOT_FOUND, "58P01",
                         "the gateway publishes while it runs, unless ledger.tiles is false",
                         "%.300s: there are no tiles", options->folder);
    if (server->folder < 0)
        return error_set_errno(error, errno, "cannot open %s", options->folder);
    TRY(confine_files(server->folder, -1, &has_landlock, error));
    if (!has_landlock)
        log_event(LOG_WARNING, "serve_confinement",
                  "landlock=none only=\"the rights of the user\"");
    server->missing = make_text("not found\n");
    server->wrong_method = make_text("only GET and HEAD\n");
    if (server->missing == NULL || server->wrong_method == NULL ||
        MHD_add_response_header(server->wrong_method, MHD_HTTP_HEADER_ALLOW, "GET, HEAD") == MHD_NO)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "no memory to serve");
    return STATUS_OK;
}

static void release(struct server *server)
{
    if (server->missing != NULL)
        MHD_destroy_response(server->missing);
    if (server->wrong_method != NULL)
        MHD_destroy_response(server->wrong_method);
    if (server->folder >= 0)
        close(server->folder);
}

static void wait_for_end(const sigset_t *ends)
{
    int number;
    while (sigwait(ends, &number) != 0)
        continue;
    log_event(LOG_INFO, "serve_ends", "signal=%d", number);
}

static enum status serve(struct server *server, int listener, const char *certificate,
                         const char *key, struct error *error)
{
    struct MHD_Daemon *daemon = NULL;
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    if (!deadline_start(&server->connections, REQUEST_NS_MOST)) {
        close(listener);
        return error_set(error, STATUS_NOMEM, "53200", NULL, "no thread can be started");
    }
    enum status status = start_daemon(server, listener, certificate, key, &daemon, error);
    if (status != STATUS_OK) {
        deadline_stop(&server->connections);
        close(listener);
        return status;
    }
    status = confine_calls(error);
    if (status == STATUS_OK) {
        log_event(LOG_INFO, "serve_ready", "port=%u tls=%s", listen_port(listener),
                  certificate != NULL ? "yes" : "no");
        wait_for_end(&ends);
    }
    MHD_stop_daemon(daemon); /* closes the listener, and ends each connection */
    deadline_stop(&server->connections);
    return status;
}

static enum status open_listener(const struct serve_options *options, int *listener,
                                 struct error *error)
{
    struct listen_address address;
    TRY(listen_parse(options->listen, &address, error));
    if (options->certificate == NULL && !listen_is_loopback(&address))
        return error_set(error, STATUS_DENIED, "28000",
                         "give --certificate and --key, or listen on loopback behind a TLS proxy",
                         "who was told what does not travel in the clear");
    return listen_open(&address, listener, error);
}

static enum status run(struct server *server, const struct serve_options *options,
                       struct buffer *certificate, struct buffer *key, struct error *error)
{
    int listener = -1;
    if (options->certificate != NULL) {
        TRY(file_read(options->certificate, certificate, error));
        TRY(file_read_secret(options->key, key, error));
    }
    const char *certificate_pem = options->certificate != NULL ? buffer_text(certificate) : NULL;
    const char *key_pem = options->certificate != NULL ? buffer_text(key) : NULL;
    TRY(open_listener(options, &listener, error));
    enum status status = confine_user("ledger serve", options->user, error);
    if (status == STATUS_OK)
        status = prepare(server, options, error);
    if (status != STATUS_OK) {
        close(listener);
        return status;
    }
    return serve(server, listener, certificate_pem, key_pem, error);
}

enum status serve_run(const struct serve_options *options, struct error *error)
{
    struct server server = {.folder = -1};
    struct buffer certificate, key;
    if (close_range(STDERR_FILENO + 1, ~0U, 0) != 0) /* whatever our starter forgot to close */
        return error_set_errno(error, errno, "cannot close what is open already");
    buffer_init(&certificate, PEM_BYTES_MOST);
    buffer_init(&key, PEM_BYTES_MOST);
    signal(SIGPIPE, SIG_IGN);
    enum status status = run(&server, options, &certificate, &key, error);
    release(&server);
    if (key.data != NULL)
        crypto_wipe(key.data, key.capacity);
    buffer_free(&certificate);
    buffer_free(&key);
    return status;
}
