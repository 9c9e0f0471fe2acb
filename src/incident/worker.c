/* The worker's rounds. A round that fails is tried again, later each time up to a bound; what is
 * left in the queue until it is too old is dropped there (requests.c). */
#include "incident/worker.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "incident/bounces.h"
#include "incident/sending.h"
#include "incident/worker_private.h"

enum {
    BATCH = 100,       /* requests a round */
    POLL_S = 5,        /* between rounds that found nothing */
    MOST_WAIT_S = 300, /* between rounds that fail */
    BOUNCES_EVERY_S = 30,
    PATH_BYTES = 4096
};

/* Delivery notices of one incident. The reader remembers which mail it has seen. */
struct worker_bounces {
    int64_t incident;
    struct bounces *bounces;
};
struct worker {
    const struct worker_order *order;
    struct worker_cases *cases; /* NULL: not opened yet, or thrown away after a failure */
    struct answered *answered;
    uint8_t private_key[32]; /* of the queue */
    char queue[PATH_BYTES];  /* "": there is no portal */
    struct worker_bounces bounces[WORKER_CASES];
    size_t bounces_count;
    int64_t bounces_due_ns; /* monotonic */
    struct request_file files[BATCH];
};

/* ---- delivery notices ---- */

static enum status find_bounces(struct worker *worker, const char *folder, int64_t incident,
                                struct bounces **bounces, struct error *error)
{
    for (size_t i = 0; i < worker->bounces_count; i++)
        if (worker->bounces[i].incident == incident) {
            *bounces = worker->bounces[i].bounces;
            return STATUS_OK;
        }
    if (worker->bounces_count == WORKER_CASES) { /* closed ones were never taken off: begin again */
        while (worker->bounces_count > 0)
            bounces_close(worker->bounces[--worker->bounces_count].bounces);
    }
    struct worker_bounces *made = &worker->bounces[worker->bounces_count];
    TRY(bounces_open(folder, &made->bounces, error));
    made->incident = incident;
    worker->bounces_count++;
    *bounces = made->bounces;
    return STATUS_OK;
}

static enum status read_bounces_of(struct worker *worker, struct casework *casework,
                                   int64_t incident, struct error *error)
{
    struct arena arena;
    struct bounces *bounces;
    struct outbox *outbox = NULL;
    const char *path;
    arena_init(&arena, PATH_BYTES * 2);
    enum status status =
        incidents_path(casework->incidents, incident, CASEWORK_OUTBOX, &arena, &path, error);
    bool is_there = status == STATUS_OK && file_exists(path);
    arena_free(&arena);
    if (status != STATUS_OK || !is_there)
        return status;
    TRY(find_bounces(worker, casework->config->mail.bounce_folder, incident, &bounces, error));
    TRY(sending_outbox(casework, incident, false, &outbox, error));
    uint64_t before = bounces_count(bounces).taken;
    status = bounces_read(bounces, outbox, clock_now_ns(), error);
    uint64_t taken = bounces_count(bounces).taken - before;
    if (taken > 0)
        log_event(LOG_INFO, "worker_bounces", "incident=%" PRId64 " taken=%" PRIu64, incident,
                  taken);
    outbox_close(outbox);
    return status;
}

static enum status read_bounces(struct worker *worker, struct error *error)
{
    struct casework *casework = NULL;
    int64_t numbers[WORKER_CASES];
    size_t count = 0;
    if (clock_monotonic_ns() < worker->bounces_due_ns)
        return STATUS_OK;
    worker->bounces_due_ns = clock_monotonic_ns() + BOUNCES_EVERY_S * INT64_C(1000000000);
    TRY(casework_open(worker->order->config_path, "worker", &casework, error));
    enum status status = STATUS_OK;
    if (casework->config->mail.bounce_folder != NULL)
        status = worker_open_incidents(casework, numbers, WORKER_CASES, &count, error);
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = read_bounces_of(worker, casework, numbers[i], error);
    casework_close(casework);
    return status;
}

/* ---- requests ---- */

static void log_round(const struct worker_counts *counts)
{
    if (counts->requests > 0 || counts->dropped.old > 0 || counts->dropped.broken > 0)
        log_event(LOG_INFO, "worker_round",
                  "requests=%" PRIu64 " mails=%" PRIu64 " letters=%" PRIu64 " repeated=%" PRIu64
                  " unknown=%" PRIu64 " kept=%" PRIu64 " old=%" PRIu64 " broken=%" PRIu64,
                  counts->requests, counts->mails, counts->letters, counts->repeated,
                  counts->unknown, counts->kept, counts->dropped.old, counts->dropped.broken);
}

/* *more: there may be more to do at once. */
static enum status answer_requests(struct worker *worker, bool *more, struct error *error)
{
    struct worker_counts counts = {0};
    size_t count = 0;
    int64_t now_ns = clock_now_ns();
    *more = false;
    if (worker->queue[0] == '\0')
        return STATUS_OK;
    TRY(requests_read(worker->queue, worker->private_key, now_ns, worker->files, BATCH, &count,
                      &counts.dropped, error));
    enum status status = STATUS_OK;
    if (count > 0) {
        status = answered_turn(worker->answered, now_ns, error);
        if (status == STATUS_OK)
            status = worker_cases_open(worker->order->config_path, &worker->cases, error);
        if (status == STATUS_OK)
            status = worker_answer(worker->cases, worker->answered, worker->files, count, &counts,
                                   error);
        if (status != STATUS_OK) { /* whatever broke is opened anew */
            worker_cases_close(worker->cases);
            worker->cases = NULL;
        }
        crypto_wipe(worker->files, sizeof worker->files);
    }
    log_round(&counts);
    *more = status == STATUS_OK && count == BATCH && counts.kept == 0;
    return status;
}

/* ---- rounds ---- */

static bool is_stopped(const struct worker *worker)
{
    return worker->order->stop != NULL && *worker->order->stop != 0;
}

/* A signal ends it early. */
static void wait_seconds(const struct worker *worker, unsigned seconds)
{
    for (unsigned i = 0; i < seconds && !is_stopped(worker); i++)
        nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
}

static enum status round_once(struct worker *worker, bool *more, struct error *error)
{
    struct error other = {0};
    enum status status = answer_requests(worker, more, error);
    enum status read = read_bounces(worker, status == STATUS_OK ? error : &other);
    if (status == STATUS_OK)
        return read;
    if (read != STATUS_OK)
        log_event(LOG_ERROR, "worker_bounces_failed", "sqlstate=%s reason=\"%s\"", other.sqlstate,
                  other.message);
    return status;
}

static enum status run_rounds(struct worker *worker, struct error *error)
{
    unsigned wait_s = POLL_S;
    while (!is_stopped(worker)) {
        bool more = false;
        enum status status = round_once(worker, &more, error);
        if (worker->order->once && !(status == STATUS_OK && more))
            return status;
        if (status != STATUS_OK) {
            log_event(LOG_ERROR, "worker_round_failed", "sqlstate=%s retry_s=%u reason=\"%s\"",
                      error->sqlstate, wait_s, error->message);
            wait_seconds(worker, wait_s);
            wait_s = wait_s * 2 > MOST_WAIT_S ? MOST_WAIT_S : wait_s * 2;
            continue;
        }
        wait_s = POLL_S;
        if (!more)
            wait_seconds(worker, POLL_S);
    }
    return STATUS_OK;
}

/* ---- beginning ---- */

static enum status check_config(const struct config *config, struct error *error)
{
    if (config->portal.queue == NULL && config->mail.bounce_folder == NULL)
        return error_set(error, STATUS_INVALID, "F0000",
                         "write portal: {folder: …, queue: …}, or mail: {bounce_folder: …}",
                         "there is nothing for a worker to do: neither a portal nor a folder of "
                         "delivery notices is configured");
    if (config->portal.queue != NULL && config->mail.host == NULL)
        return error_set(error, STATUS_INVALID, "F0000", "write mail: {host: …}",
                         "requests on the public page are answered by mail: no mail server is "
                         "configured");
    if (config->portal.queue != NULL && config->contact.user == NULL)
        return error_set(error, STATUS_INVALID, "F0000",
                         "write contact: {user: …}, see `cofferdam grants --contact`",
                         "no role is configured that may read how people can be reached");
    return STATUS_OK;
}

static enum status begin(struct worker *worker, struct casework *casework, struct error *error)
{
    uint8_t secret[32], public_key[32];
    char path[PATH_BYTES];
    const struct config *config = casework->config;
    struct worker_texts *texts = NULL;
    TRY(check_config(config, error));
    if (config->portal.queue == NULL)
        return STATUS_OK;
    TRY(worker_texts_open(casework, &texts, error)); /* a broken template is told now */
    worker_texts_close(texts);
    TRY(incidents_secret(casework->incidents, secret, error));
    request_box_keys(secret, worker->private_key, public_key);
    crypto_wipe(secret, sizeof secret);
    snprintf(worker->queue, sizeof worker->queue, "%s", config->portal.queue);
    snprintf(path, sizeof path, "%s/answered", config->incidents_folder);
    return answered_open(path, &worker->answered, error);
}

static void end(struct worker *worker)
{
    while (worker->bounces_count > 0)
        bounces_close(worker->bounces[--worker->bounces_count].bounces);
    worker_cases_close(worker->cases);
    answered_close(worker->answered);
    crypto_wipe(worker, sizeof *worker);
    free(worker);
}

enum status worker_run(const struct worker_order *order, struct error *error)
{
    struct casework *casework = NULL;
    struct worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    worker->order = order;
    enum status status = casework_open(order->config_path, "worker", &casework, error);
    if (status == STATUS_OK)
        status = begin(worker, casework, error);
    casework_close(casework);
    if (status == STATUS_OK) {
        if (!order->once)
            log_event(LOG_INFO, "worker_started", "portal=%s", worker->queue[0] ? "yes" : "no");
        status = run_rounds(worker, error);
    }
    end(worker);
    return status;
}
