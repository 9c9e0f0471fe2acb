/* The portal's life: what it opens before everything else is given up, its threads, its end. */
#include "portal/portal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/confine.h"
#include "base/log.h"
#include "base/text.h"
#include "portal/service.h"

#define REQUEST_NS_MOST INT64_C(15000000000)

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

static enum status parse_proxy(const char *text, struct in6_addr *proxy, struct error *error)
{
    if (text_to_address(text, proxy))
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
static enum status prepare(void *context, struct error *error)
{
    struct service *service = context;
    const struct portal_options *options = service->options;
    char generation[NAME_MAX + 1];
    service->is_secure = options->web.certificate != NULL;
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

static void tell_ready(void *context, unsigned port)
{
    const struct service *service = context;
    log_event(LOG_INFO, "portal_ready", "port=%u tls=%s generation=%s marks=%zu issues=%zu", port,
              service->is_secure ? "yes" : "no", service->site->generation,
              service->site->marks.count, service->site->issue_count);
}

/* Answers what has been asked, then hangs up. */
static void stop(void *context)
{
    struct service *service = context;
    pthread_mutex_lock(&service->lock);
    service->is_stopping = true;
    pthread_cond_signal(&service->asked);
    pthread_mutex_unlock(&service->lock);
    pthread_join(service->answering, NULL);
    if (service->daemon != NULL)
        MHD_stop_daemon(service->daemon); /* closes the listener */
}

static enum status start(void *context, struct web *web, struct error *error)
{
    struct service *service = context;
    service->web = web;
    int created = pthread_create(&service->answering, NULL, answer_run, service);
    if (created != 0)
        return error_set_errno(error, created, "cannot start a thread");
    enum status status = serve_start(service, error);
    if (status != STATUS_OK)
        stop(service);
    return status;
}

enum status portal_run(const struct portal_options *options, struct error *error)
{
    static const struct web_service portal = {
        .who = "the portal",
        .in_clear = "what people ask does not travel in the clear",
        .ends_event = "portal_ends",
        .request_ns_most = REQUEST_NS_MOST,
        .prepare = prepare,
        .start = start,
        .tell_ready = tell_ready,
        .stop = stop,
    };
    struct service service = {.options = options};
    init(&service);
    enum status status = web_run(&portal, &options->web, &service, error);
    release(&service);
    return status;
}
