/* The desk's rounds. A round that fails is tried again, later each time up to a bound; what is
 * left in the queue until it is too old is dropped there (requests.c). */
#include "incident/desk.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "incident/bounces.h"
#include "incident/canary_mail.h"
#include "incident/sending.h"
#include "incident/desk_private.h"

enum {
    BATCH = 100,       /* requests a round */
    POLL_S = 5,        /* between rounds that found nothing */
    MOST_WAIT_S = 300, /* between rounds that fail */
    AGAIN_S = 300,     /* until a request that had to wait is tried again */
    MAIL_EVERY_S = 30,
    PATH_BYTES = 4096
};

/* Delivery notices of one incident. The reader remembers which mail it has seen. */
struct desk_bounces {
    int64_t incident;
    struct maildir *bounces;
};
struct desk {
    const struct desk_order *order;
    struct desk_cases *cases; /* NULL: not opened yet, or thrown away after a failure */
    struct answered *answered;
    uint8_t private_key[32]; /* of the queue */
    char queue[PATH_BYTES];  /* "": there is no portal */
    int lock;                /* held by whoever answers; -1: there is no portal */
    struct desk_bounces bounces[DESK_CASES];
    size_t bounces_count;
    struct maildir *canaries; /* NULL: nothing was read yet, or there is no folder */
    int64_t mail_due_ns;      /* monotonic */
    struct request_file files[BATCH];
    struct requests_waiting waiting;
    int64_t waiting_until_ns; /* monotonic */
};

/* ---- mail ---- */

static enum status find_bounces(struct desk *desk, const char *folder, int64_t incident,
                                struct maildir **bounces, struct error *error)
{
    for (size_t i = 0; i < desk->bounces_count; i++)
        if (desk->bounces[i].incident == incident) {
            *bounces = desk->bounces[i].bounces;
            return STATUS_OK;
        }
    if (desk->bounces_count == DESK_CASES) { /* closed ones were never taken off: begin again */
        while (desk->bounces_count > 0)
            maildir_close(desk->bounces[--desk->bounces_count].bounces);
    }
    struct desk_bounces *made = &desk->bounces[desk->bounces_count];
    TRY(maildir_open(folder, &made->bounces, error));
    made->incident = incident;
    desk->bounces_count++;
    *bounces = made->bounces;
    return STATUS_OK;
}

static enum status read_bounces_of(struct desk *desk, struct casework *casework, int64_t incident,
                                   struct error *error)
{
    struct arena arena;
    struct maildir *bounces;
    struct outbox *outbox = NULL;
    const char *path;
    arena_init(&arena, PATH_BYTES * 2);
    enum status status =
        incidents_path(casework->incidents, incident, CASEWORK_OUTBOX, &arena, &path, error);
    bool is_there = status == STATUS_OK && file_exists(path);
    arena_free(&arena);
    if (status != STATUS_OK || !is_there)
        return status;
    TRY(find_bounces(desk, casework->config->mail.bounce_folder, incident, &bounces, error));
    TRY(sending_outbox(casework, incident, false, &outbox, error));
    uint64_t before = maildir_count(bounces).taken;
    status = bounces_read(bounces, outbox, clock_now_ns(), error);
    uint64_t taken = maildir_count(bounces).taken - before;
    if (taken > 0)
        log_event(LOG_INFO, "desk_bounces", "incident=%" PRId64 " taken=%" PRIu64, incident, taken);
    outbox_close(outbox);
    return status;
}

static enum status read_bounces(struct desk *desk, struct casework *casework, struct error *error)
{
    int64_t numbers[DESK_CASES];
    size_t count = 0;
    if (casework->config->mail.bounce_folder == NULL)
        return STATUS_OK;
    TRY(desk_incidents(casework, INT64_MAX, numbers, &count, error));
    for (size_t i = 0; i < count; i++)
        TRY(read_bounces_of(desk, casework, numbers[i], error));
    return STATUS_OK;
}

static enum status read_canaries(struct desk *desk, struct casework *casework, struct error *error)
{
    const char *folder = casework->config->canaries.mailbox_folder;
    uint64_t taken = 0;
    if (folder == NULL)
        return STATUS_OK;
    if (desk->canaries == NULL)
        TRY(maildir_open(folder, &desk->canaries, error));
    enum status status = canary_mail_read(desk->canaries, casework, &taken, error);
    if (taken > 0)
        log_event(LOG_INFO, "worker_canary_mail", "taken=%" PRIu64, taken);
    return status;
}

/* Of two steps that do not need each other, the first failure; the second's is logged. */
static enum status first_failure(enum status first, enum status second, const struct error *error)
{
    if (first != STATUS_OK && second != STATUS_OK)
        log_event(LOG_ERROR, "worker_mail_failed", "sqlstate=%s reason=\"%s\"", error->sqlstate,
                  error->message);
    return first != STATUS_OK ? first : second;
}

static enum status read_mail(struct desk *desk, struct error *error)
{
    struct casework *casework = NULL;
    struct error other = {0};
    if (clock_monotonic_ns() < desk->mail_due_ns)
        return STATUS_OK;
    desk->mail_due_ns = clock_monotonic_ns() + MAIL_EVERY_S * INT64_C(1000000000);
    TRY(casework_open(desk->order->config_path, "worker", &casework, error));
    enum status canaries = read_canaries(desk, casework, error);
    enum status bounces = read_bounces(desk, casework, canaries == STATUS_OK ? error : &other);
    casework_close(casework);
    return first_failure(canaries, bounces, &other);
}

/* ---- requests ---- */

static void log_round(const struct desk_counts *counts)
{
    if (counts->requests > 0 || counts->dropped.old > 0 || counts->dropped.broken > 0)
        log_event(LOG_INFO, "worker_round",
                  "requests=%" PRIu64 " mails=%" PRIu64 " letters=%" PRIu64 " repeated=%" PRIu64
                  " unknown=%" PRIu64 " kept=%" PRIu64 " old=%" PRIu64 " broken=%" PRIu64,
                  counts->requests, counts->mails, counts->letters, counts->repeated,
                  counts->unknown, counts->kept, counts->dropped.old, counts->dropped.broken);
}

static void forget_waiting(struct desk *desk)
{
    if (clock_monotonic_ns() < desk->waiting_until_ns)
        return;
    desk->waiting.count = 0;
    desk->waiting_until_ns = clock_monotonic_ns() + AGAIN_S * INT64_C(1000000000);
}

/* *more: there may be more to do at once. */
static enum status answer_requests(struct desk *desk, bool *more, struct error *error)
{
    struct desk_counts counts = {0};
    size_t count = 0;
    int64_t now_ns = clock_now_ns();
    *more = false;
    if (desk->queue[0] == '\0')
        return STATUS_OK;
    forget_waiting(desk);
    TRY(requests_read(desk->queue, desk->private_key, now_ns, &desk->waiting, desk->files, BATCH,
                      &count, &counts.dropped, error));
    enum status status = STATUS_OK;
    if (count > 0) {
        status = answered_turn(desk->answered, now_ns, error);
        if (status == STATUS_OK)
            status = desk_cases_open(desk->order->config_path, &desk->cases, error);
        if (status == STATUS_OK)
            status = desk_answer(desk->cases, desk->answered, desk->files, count, &counts, error);
        if (status != STATUS_OK) { /* whatever broke is opened anew */
            desk_cases_close(desk->cases);
            desk->cases = NULL;
        }
        for (size_t i = 0; i < count; i++)
            if (desk->files[i].waits)
                requests_wait(&desk->waiting, desk->files[i].name);
        crypto_wipe(desk->files, sizeof desk->files);
    }
    log_round(&counts);
    *more = status == STATUS_OK && count == BATCH && desk->waiting.count < REQUESTS_WAITING_MOST;
    return status;
}

/* ---- rounds ---- */

static bool is_stopped(const struct desk *desk)
{
    return desk->order->stop != NULL && *desk->order->stop;
}

/* A signal ends it early. */
static void wait_seconds(const struct desk *desk, unsigned seconds)
{
    for (unsigned i = 0; i < seconds && !is_stopped(desk); i++)
        nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
}

static enum status round_once(struct desk *desk, bool *more, struct error *error)
{
    struct error other = {0};
    enum status status = answer_requests(desk, more, error);
    enum status read = read_mail(desk, status == STATUS_OK ? error : &other);
    return first_failure(status, read, &other);
}

static enum status run_rounds(struct desk *desk, struct error *error)
{
    unsigned wait_s = POLL_S;
    while (!is_stopped(desk)) {
        bool more = false;
        enum status status = round_once(desk, &more, error);
        if (desk->order->once && !(status == STATUS_OK && more))
            return status;
        if (status != STATUS_OK) {
            log_event(LOG_ERROR, "worker_round_failed", "sqlstate=%s retry_s=%u reason=\"%s\"",
                      error->sqlstate, wait_s, error->message);
            wait_seconds(desk, wait_s);
            wait_s = wait_s * 2 > MOST_WAIT_S ? MOST_WAIT_S : wait_s * 2;
            continue;
        }
        wait_s = POLL_S;
        if (!more)
            wait_seconds(desk, POLL_S);
    }
    return STATUS_OK;
}

/* ---- beginning ---- */

static enum status check_config(const struct config *config, struct error *error)
{
    if (config->portal.queue == NULL && config->mail.bounce_folder == NULL &&
        config->canaries.mailbox_folder == NULL)
        return error_set(error, STATUS_INVALID, "F0000",
                         "write portal: {folder: …, queue: …}, mail: {bounce_folder: …} or "
                         "canaries: {mailbox_folder: …}",
                         "there is nothing for a worker to do: neither a portal nor a folder of "
                         "mail to read is configured");
    if (config->portal.queue != NULL && config->mail.host == NULL)
        return error_set(error, STATUS_INVALID, "F0000", "write mail: {host: …}",
                         "requests on the public page are answered by mail: no mail server is "
                         "configured");
    if (config->portal.queue != NULL && config->mail.sink)
        return error_set(error, STATUS_INVALID, "F0000",
                         "give mail: a server that delivers, or leave portal: out",
                         "mail.sink says that the mail server sends nothing on: nobody who asks on "
                         "the public page would get an answer");
    if (config->portal.queue != NULL && config->contact.user == NULL)
        return error_set(error, STATUS_INVALID, "F0000",
                         "write contact: {user: …}, see `cofferdam grants --contact`",
                         "no role is configured that may read how people can be reached");
    return STATUS_OK;
}

/* What one worker has answered another has not seen. */
static enum status take_lock(const char *path, int *lock, struct error *error)
{
    *lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (*lock < 0)
        return error_set_errno(error, errno, "%.300s", path);
    TRY(file_inherit_owner(path, error));
    if (flock(*lock, LOCK_EX | LOCK_NB) == 0)
        return STATUS_OK;
    return errno == EWOULDBLOCK
               ? error_set(error, STATUS_DENIED, "55006", "wait for it, or stop it",
                           "another worker answers what people ask")
               : error_set_errno(error, errno, "%.300s", path);
}

static enum status begin(struct desk *desk, struct casework *casework, struct error *error)
{
    uint8_t secret[32], public_key[32];
    char path[PATH_BYTES];
    const struct config *config = casework->config;
    struct desk_texts *texts = NULL;
    TRY(check_config(config, error));
    if (config->portal.queue == NULL)
        return STATUS_OK;
    TRY(desk_texts_open(casework, &texts, error)); /* a broken template is told now */
    desk_texts_close(texts);
    TRY(incidents_secret(casework->incidents, secret, error));
    request_box_keys(secret, desk->private_key, public_key);
    crypto_wipe(secret, sizeof secret);
    snprintf(desk->queue, sizeof desk->queue, "%s", config->portal.queue);
    snprintf(path, sizeof path, "%s/answered.lock", config->incidents_folder);
    TRY(take_lock(path, &desk->lock, error));
    snprintf(path, sizeof path, "%s/answered", config->incidents_folder);
    return answered_open(path, &desk->answered, error);
}

static void end(struct desk *desk)
{
    while (desk->bounces_count > 0)
        maildir_close(desk->bounces[--desk->bounces_count].bounces);
    maildir_close(desk->canaries);
    desk_cases_close(desk->cases);
    answered_close(desk->answered);
    if (desk->lock >= 0)
        close(desk->lock);
    crypto_wipe(desk, sizeof *desk);
    free(desk);
}

enum status desk_run(const struct desk_order *order, struct error *error)
{
    struct casework *casework = NULL;
    struct desk *desk = calloc(1, sizeof *desk);
    if (desk == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    desk->order = order;
    desk->lock = -1;
    enum status status = casework_open(order->config_path, "worker", &casework, error);
    if (status == STATUS_OK)
        status = begin(desk, casework, error);
    casework_close(casework);
    if (status == STATUS_OK) {
        if (!order->once)
            log_event(LOG_INFO, "worker_started", "portal=%s", desk->queue[0] ? "yes" : "no");
        status = run_rounds(desk, error);
    }
    end(desk);
    return status;
}
