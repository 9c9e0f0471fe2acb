/* The portal's life: open what is needed, give up everything else, serve, end. Signals are waited
 * for by the first thread; the two others are in service.h. */
#include "portal/portal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/confine.h"
#include "base/file.h"
#include "base/listen.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "portal/service.h"

enum { PEM_BYTES_MOST = 256 * 1024, HOST_ROOM = 64 };

/* A reference has 100 bits, so that these are no defence against guessing but against load; and a
 * question costs a file, so that there are fewer of them. */
static const struct allowance_rate one_allowed[ASK_KINDS] = {
    [ASK_GENUINE] = {.most = 20, .interval_ms = 10000},
    [ASK_AFFECTED] = {.most = 10, .interval_ms = 60000},
};
static const struct allowance_rate all_allowed[ASK_KINDS] = {
    [ASK_GENUINE] = {.most = 10000, .interval_ms = 10},
    [ASK_AFFECTED] = {.most = 5000, .interval_ms = 200},
};

/* ---- addresses ---- */

static enum status open_listener(const struct portal_options *options, int *listener,
                                 struct error *error)
{
    struct listen_address address;
    TRY(listen_parse(options->listen, &address, error));
    if (options->certificate == NULL && !listen_is_loopback(&address))
        return error_set(error, STATUS_DENIED, "28000",
                         "give --certificate and --key, or listen on loopback behind a TLS proxy",
                         "what people ask does not travel in the clear");
    return listen_open(&address, listener, error);
}

static enum status parse_proxy(const char *text, struct in6_addr *proxy, struct error *error)
{
    char mapped[HOST_ROOM];
    snprintf(mapped, sizeof mapped, "::ffff:%s", text);
    if (inet_pton(AF_INET6, text, proxy) == 1 || inet_pton(AF_INET6, mapped, proxy) == 1)
        return STATUS_OK;
    return error_set(error, STATUS_INVALID, "22023", "such as 127.0.0.1",
                     "\"%s\" is no address of a proxy", text);
}

/* ---- beginning and end ---- */

static enum status open_folder(const char *path, int flags, int *fd, struct error *error)
{
    *fd = open(path, flags | O_DIRECTORY | O_CLOEXEC);
    if (*fd < 0)
        return error_set_errno(error, errno, "cannot open %s", path);
    return STATUS_OK;
}

static void init(struct service *service)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&service->lock, NULL);
    pthread_cond_init(&service->asked, &monotonic);
    pthread_condattr_destroy(&monotonic);
    service->folder = service->queue = -1;
    service->last = &service->first;
    service->connections.next = service->connections.previous = &service->connections;
}

static void release(struct service *service)
{
    site_free(service->site);
    site_free(service->retired);
    for (size_t i = 0; i < ASK_KINDS; i++)
        allowance_free(service->allowances[i]);
    if (service->folder >= 0)
        close(service->folder);
    if (service->queue >= 0)
        close(service->queue);
    pthread_cond_destroy(&service->asked);
    pthread_mutex_destroy(&service->lock);
}

/* As the user that stays: what cannot be opened now cannot be opened later. */
static enum status prepare(struct service *service, const struct portal_options *options,
                           struct error *error)
{
    char generation[NAME_MAX + 1];
    service->is_secure = options->certificate != NULL;
    service->has_proxy = options->proxy != NULL;
    if (options->proxy != NULL)
        TRY(parse_proxy(options->proxy, &service->proxy, error));
    TRY(open_folder(options->folder, O_RDONLY, &service->folder, error));
    TRY(open_folder(options->queue, O_PATH, &service->queue, error));
    if (faccessat(service->queue, ".", W_OK | X_OK, AT_EACCESS) != 0)
        return error_set_errno(error, errno, "cannot write to the queue %s", options->queue);
    for (size_t i = 0; i < ASK_KINDS; i++)
        TRY(allowance_new(one_allowed[i], all_allowed[i], &service->allowances[i]));
    bool has_landlock = false;
    TRY(confine_files(service->folder, service->queue, &has_landlock, error));
    if (!has_landlock)
        log_event(LOG_WARNING, "portal_confinement",
                  "landlock=none only=\"the rights of the user\"");
    TRY(site_current(service->folder, generation, error));
    return site_load(service->folder, generation, service->is_secure, &service->site, error);
}

static void tell_ready(const struct service *service, int listener)
{
    log_event(LOG_INFO, "portal_ready", "port=%u tls=%s generation=%s marks=%zu issues=%zu",
              listen_port(listener), service->is_secure ? "yes" : "no", service->site->generation,
              service->site->marks.count, service->site->issue_count);
}

static void wait_for_end(const sigset_t *ends)
{
    int number;
    while (sigwait(ends, &number) != 0)
        continue;
    log_event(LOG_INFO, "portal_ends", "signal=%d", number);
}

/* Answers what has been asked, then hangs up. */
static void stop(struct service *service, struct MHD_Daemon *daemon, pthread_t answering)
{
    pthread_mutex_lock(&service->lock);
    service->is_stopping = true;
    pthread_cond_signal(&service->asked);
    pthread_mutex_unlock(&service->lock);
    pthread_join(answering, NULL);
    if (daemon != NULL)
        MHD_stop_daemon(daemon); /* closes the listener */
}

static enum status serve(struct service *service, int listener, const char *certificate,
                         const char *key, struct error *error)
{
    struct MHD_Daemon *daemon = NULL;
    pthread_t answering;
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    int created = pthread_create(&answering, NULL, answer_run, service);
    if (created != 0)
        return error_set_errno(error, created, "cannot start a thread");
    enum status status = serve_start(service, listener, certificate, key, &daemon, error);
    if (status == STATUS_OK)
        status = confine_calls(error);
    if (status == STATUS_OK) {
        tell_ready(service, listener);
        wait_for_end(&ends);
    }
    stop(service, daemon, answering);
    return status;
}

static enum status run(struct service *service, const struct portal_options *options,
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
    enum status status = confine_user("the portal", options->user, error);
    if (status == STATUS_OK)
        status = prepare(service, options, error);
    if (status != STATUS_OK) {
        close(listener);
        return status;
    }
    return serve(service, listener, certificate_pem, key_pem, error);
}

enum status portal_run(const struct portal_options *options, struct error *error)
{
    struct service service = {0};
    struct buffer certificate, key;
    if (close_range(STDERR_FILENO + 1, ~0U, 0) != 0) /* whatever our starter forgot to close */
        return error_set_errno(error, errno, "cannot close what is open already");
    buffer_init(&certificate, PEM_BYTES_MOST);
    buffer_init(&key, PEM_BYTES_MOST);
    init(&service);
    signal(SIGPIPE, SIG_IGN);
    enum status status = run(&service, options, &certificate, &key, error);
    release(&service);
    if (key.data != NULL)
        crypto_wipe(key.data, key.capacity);
    buffer_free(&certificate);
    buffer_free(&key);
    return status;
}
