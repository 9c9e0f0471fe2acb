/* A path is taken apart by the grammar of tiles before it names a file, and the kernel is told to
 * look beneath the folder only and to follow no link. Nothing is logged of a request. */
#include "serve/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/openat2.h>
#include <microhttpd.h>

#include "base/check.h"
#include "base/confine.h"
#include "base/log.h"
#include "ledger/tiles.h"

enum { CONNECTION_BYTES = 16 * 1024 }; /* request line and headers */

/* A bundle of entries is 15 MB at most, and mostly below 100 kB. */
#define REQUEST_NS_MOST INT64_C(60000000000)

/* Running, so to speak. */
struct server {
    const struct serve_options *options;
    int folder;
    struct MHD_Response *missing, *wrong_method;
    struct web *web;
    struct MHD_Daemon *daemon;
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
    web_request_done(server->web, connection);
}

/* ---- life ---- */

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
static enum status prepare(void *context, struct error *error)
{
    struct server *server = context;
    const struct serve_options *options = server->options;
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

static enum status start(void *context, struct web *web, struct error *error)
{
    struct server *server = context;
    const struct web_daemon wanted = {.connections_most = 500,
                                      .connections_most_an_address = 50,
                                      .idle_s_most = 10,
                                      .connection_bytes = CONNECTION_BYTES,
                                      .handle = handle,
                                      .completed = end_request,
                                      .context = server};
    server->web = web;
    return web_start_daemon(web, &wanted, &server->daemon, error);
}

static void tell_ready(void *context, unsigned port)
{
    const struct server *server = context;
    log_event(LOG_INFO, "serve_ready", "port=%u tls=%s", port,
              server->web->certificate != NULL ? "yes" : "no");
}

static void stop(void *context)
{
    struct server *server = context;
    MHD_stop_daemon(server->daemon); /* closes the listener, and ends each connection */
}

enum status serve_run(const struct serve_options *options, struct error *error)
{
    static const struct web_service service = {
        .who = "ledger serve",
        .in_clear = "who was told what does not travel in the clear",
        .ends_event = "serve_ends",
        .request_ns_most = REQUEST_NS_MOST,
        .prepare = prepare,
        .start = start,
        .tell_ready = tell_ready,
        .stop = stop,
    };
    struct server server = {.options = options, .folder = -1};
    enum status status = web_run(&service, &options->web, &server, error);
    release(&server);
    return status;
}
