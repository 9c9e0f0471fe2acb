/* A run of sending: workers, one connection each, and the calling thread, which reads delivery
 * notices, resolves doubts and shows how far it is. */
#include "incident/sending.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "crypto/crypto.h"
#include "incident/bounces.h"
#include "incident/sending_private.h"

enum { PATH_ROOM = 8192, PASSWORD_BYTES = 4096, MOST_FAILURES = 6 };
/* Between two looks lies as much as LOOK_SHARE looks take: they cost a fifth at most. */
enum { LOOK_SHARE = 4 };
static const int64_t SECOND_NS = INT64_C(1000000000), TICK_NS = INT64_C(50000000),
                     LOOK_NS = INT64_C(100000000);

enum status sending_outbox(struct casework *casework, int64_t incident, bool for_sending,
                           struct outbox **outbox, struct error *error)
{
    struct arena arena;
    const char *path;
    arena_init(&arena, PATH_ROOM);
    enum status status =
        incidents_path(casework->incidents, incident, "outbox.sqlite", &arena, &path, error);
    if (status == STATUS_OK)
        status = outbox_open(path, for_sending, outbox, error);
    arena_free(&arena);
    return status;
}

/* ---- the mail server ---- */

enum status sending_server_open(const struct config *config, struct sending_server *opened,
                                struct error *error)
{
    static const enum mail_tls tls[] = {
        [CONFIG_MAIL_STARTTLS] = MAIL_STARTTLS,
        [CONFIG_MAIL_TLS] = MAIL_TLS,
        [CONFIG_MAIL_OFF] = MAIL_PLAIN,
    };
    if (config->mail.host == NULL || config->mail.bounces == NULL)
        return error_set(error, STATUS_INVALID, "F0000",
                         "add mail: with host and bounces to it; see cofferdam.yaml(5)",
                         "%s names no mail server, or no address for bounces", config->path);
    mail_start();
    buffer_init(&opened->password, PASSWORD_BYTES);
    if (config->mail.password_file != NULL)
        TRY(file_read_secret(config->mail.password_file, &opened->password, error));
    opened->server = (struct mail_server){
        .host = config->mail.host,
        .port = config->mail.port,
        .tls = tls[config->mail.tls],
        .ca_file = config->mail.ca,
        .user = config->mail.user,
        .password = buffer_slice(&opened->password),
        .hello = config->mail.hello,
    };
    return STATUS_OK;
}

void sending_server_close(struct sending_server *server)
{
    if (server->password.data != NULL)
        crypto_wipe(server->password.data, server->password.len);
    buffer_free(&server->password);
}

enum status sending_check(const struct config *config, struct error *error)
{
    struct sending_server server = {0};
    enum status status = sending_server_open(config, &server, error);
    sending_server_close(&server);
    return status;
}

/* ---- stopping ---- */

bool sending_is_stopped(const struct sending *sending)
{
    return sending->order->stop != NULL && *sending->order->stop;
}

void sending_fail(struct sending *sending, enum status status, const struct error *error)
{
    if (sending->status == STATUS_OK && status != STATUS_OK) {
        sending->status = status;
        sending->error = *error;
    }
    sending->is_over = true;
}

void sending_sleep_until(const struct sending *sending, int64_t monotonic_ns)
{
    int64_t left;
    while (!sending_is_stopped(sending) && (left = monotonic_ns - clock_monotonic_ns()) > 0) {
        struct timespec nap = {.tv_nsec = left < TICK_NS ? left : TICK_NS};
        nanosleep(&nap, NULL);
    }
}

/* ---- workers ---- */

struct worker {
    struct sending *sending;
    pthread_t thread;
    bool is_started;
};

static bool is_over(struct sending *sending)
{
    pthread_mutex_lock(&sending->lock);
    bool over = sending->is_over || sending_is_stopped(sending);
    pthread_mutex_unlock(&sending->lock);
    return over;
}

/* After a failure of the mail server: seconds, twice as many each time, and in the end no more. */
static void back_off(struct sending *sending, enum status status, const struct error *error)
{
    pthread_mutex_lock(&sending->lock);
    if (clock_monotonic_ns() >= sending->quiet_until_ns) /* else: the others' outage, counted */
        sending->failures++;
    if (status != STATUS_IO || sending->failures > MOST_FAILURES)
        sending_fail(sending, status, error);
    sending->trouble = *error;
    sending->quiet_until_ns = clock_monotonic_ns() + (SECOND_NS << (sending->failures - 1));
    pthread_mutex_unlock(&sending->lock);
}

static enum status prepare(struct sending *sending, struct sending_batch *batch, size_t *count,
                           int64_t *quiet_until_ns)
{
    struct error error;
    enum status status = STATUS_OK;
    *count = 0;
    pthread_mutex_lock(&sending->lock);
    *quiet_until_ns = sending->quiet_until_ns;
    if (!sending->is_over && clock_monotonic_ns() >= *quiet_until_ns) {
        status = sending_batch_prepare(batch, count, &error);
        if (status != STATUS_OK)
            sending_fail(sending, status, &error);
    }
    pthread_mutex_unlock(&sending->lock);
    return status;
}

static void work_with(struct sending *sending, struct sending_batch *batch)
{
    while (!is_over(sending)) {
        size_t count = 0;
        int64_t quiet_until_ns;
        if (prepare(sending, batch, &count, &quiet_until_ns) != STATUS_OK)
            return;
        if (count == 0) {
            sending_sleep_until(sending, clock_monotonic_ns() + TICK_NS);
            continue;
        }
        struct error error = {0};
        enum status status = sending_batch_send(batch, &error);
        if (is_over(sending))
            return;
        if (status != STATUS_OK) {
            back_off(sending, status, &error);
            continue;
        }
        pthread_mutex_lock(&sending->lock);
        sending->failures = 0;
        pthread_mutex_unlock(&sending->lock);
    }
}

static void *work(void *context)
{
    struct worker *worker = context;
    struct sending *sending = worker->sending;
    struct sending_batch *batch = NULL;
    struct error error;
    enum status status = sending_batch_open(sending, &batch, &error);
    if (status == STATUS_OK)
        work_with(sending, batch);
    sending_batch_close(batch);
    if (status != STATUS_OK) {
        pthread_mutex_lock(&sending->lock);
        sending_fail(sending, status, &error);
        pthread_mutex_unlock(&sending->lock);
    }
    return NULL;
}

/* ---- the calling thread ---- */

/* What is looked at again and again while the workers work. */
struct watch {
    struct sending *sending;
    struct maildir *bounces; /* NULL: there is no folder */
    bool is_unread;          /* notices lie in it that no look has read yet */
    int64_t started_ns, next_look_ns, next_show_ns;
    char trouble[sizeof((struct error *)NULL)->message]; /* of progress, which others may not change
                                                          */
    struct sending_progress progress;
    enum sending_end end;
};

static bool waits_for_notices(const struct watch *watch)
{
    const struct config *config = watch->sending->casework->config;
    return watch->bounces != NULL && config->mail.doubt_s > 0;
}

/* The server promised a notice for what it takes, and none came in time: it took nothing. */
static enum status resolve_doubts(struct watch *watch, struct error *error)
{
    struct sending *sending = watch->sending;
    const struct incident *incident = &sending->scope->incident;
    uint32_t wait_s = sending->casework->config->mail.doubt_s;
    uint64_t count = 0;
    char why[160];
    TRY(outbox_expire_doubt(sending->outbox, sending->order->notice, wait_s * SECOND_NS,
                            clock_now_ns(), &count, error));
    if (count == 0)
        return STATUS_OK;
    snprintf(why, sizeof why,
             "%" PRIu64 " messages without an answer; the mail server promises delivery notices and"
             " sent none for %" PRIu32 " s",
             count, wait_s);
    return casework_decide(sending->casework, incident->number, incident->partner,
                           "send again those in doubt", why, error);
}

static enum status look(struct watch *watch, struct error *error)
{
    struct sending *sending = watch->sending;
    if (watch->bounces != NULL)
        TRY(bounces_look(watch->bounces, sending->outbox, clock_now_ns(), &watch->is_unread,
                         error));
    if (waits_for_notices(watch) && !watch->is_unread && watch->progress.counts.promised > 0)
        TRY(resolve_doubts(watch, error));
    return outbox_count(sending->outbox, sending->order->notice, &watch->progress.counts, error);
}

/* Everybody who may still be sent something by this run. */
static uint64_t count_pending(const struct watch *watch)
{
    const uint64_t *states = watch->progress.counts.states;
    uint64_t doubts = watch->is_unread           ? states[OUTBOX_IN_DOUBT]
                      : waits_for_notices(watch) ? watch->progress.counts.promised
                                                 : 0;
    return states[OUTBOX_READY] + states[OUTBOX_OFFERED] + states[OUTBOX_BEGUN] +
           states[OUTBOX_DEFERRED] + doubts;
}

static void fill_progress(struct watch *watch)
{
    const struct sending *sending = watch->sending;
    struct sending_progress *progress = &watch->progress;
    const uint64_t *states = progress->counts.states;
    uint64_t due = states[OUTBOX_READY] + states[OUTBOX_OFFERED] + states[OUTBOX_BEGUN];
    progress->handed_over = sending->handed_over;
    progress->elapsed_ns = clock_monotonic_ns() - watch->started_ns;
    progress->waiting_ns =
        due == 0 && states[OUTBOX_DEFERRED] > 0 ? progress->counts.next_retry_ns : INT64_MIN;
    memcpy(watch->trouble, sending->trouble.message, sizeof watch->trouble);
    progress->trouble = sending->quiet_until_ns > clock_monotonic_ns() ? watch->trouble : NULL;
    if (watch->bounces != NULL) {
        struct maildir_counts counts = maildir_count(watch->bounces);
        progress->notices = counts.taken;
        progress->unknown = counts.unknown;
    }
}

/* One look at everything. Under the lock. */
static enum status watch_once(struct watch *watch, bool *may_show, struct error *error)
{
    struct sending *sending = watch->sending;
    int64_t before_ns = clock_monotonic_ns();
    bool is_paused = false;
    TRY(outbox_paused(sending->outbox, &is_paused, error));
    TRY(look(watch, error));
    fill_progress(watch);
    if (is_paused)
        watch->end = SENDING_PAUSED;
    else if (count_pending(watch) == 0)
        watch->end =
            watch->progress.counts.states[OUTBOX_IN_DOUBT] > 0 ? SENDING_IN_DOUBT : SENDING_DONE;
    sending->is_over |= is_paused || count_pending(watch) == 0;
    int64_t now_ns = clock_monotonic_ns();
    watch->next_look_ns = now_ns + LOOK_NS + LOOK_SHARE * (now_ns - before_ns);
    *may_show = sending->order->show != NULL && now_ns >= watch->next_show_ns;
    if (*may_show)
        watch->next_show_ns = now_ns + SECOND_NS;
    return STATUS_OK;
}

static void watch_workers(struct watch *watch)
{
    struct sending *sending = watch->sending;
    while (!is_over(sending)) {
        struct error error;
        bool may_show = false;
        pthread_mutex_lock(&sending->lock);
        enum status status = watch_once(watch, &may_show, &error);
        if (status != STATUS_OK)
            sending_fail(sending, status, &error);
        pthread_mutex_unlock(&sending->lock);
        if (may_show)
            sending->order->show(sending->order->context, &watch->progress);
        while (!is_over(sending) && clock_monotonic_ns() < watch->next_look_ns)
            sending_sleep_until(sending, clock_monotonic_ns() + TICK_NS);
    }
}

static enum status start_workers(struct sending *sending, struct worker *workers, size_t count,
                                 struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        workers[i] = (struct worker){.sending = sending};
        int code = pthread_create(&workers[i].thread, NULL, work, &workers[i]);
        if (code != 0)
            return error_set_errno(error, code, "a thread for sending");
        workers[i].is_started = true;
    }
    return STATUS_OK;
}

static void run_workers(struct watch *watch)
{
    struct sending *sending = watch->sending;
    struct worker workers[CONFIG_MAIL_CONNECTIONS] = {0};
    size_t count = sending->casework->config->mail.connections;
    struct error error;
    enum status status = start_workers(sending, workers, count > 0 ? count : 1, &error);
    if (status == STATUS_OK)
        watch_workers(watch);
    pthread_mutex_lock(&sending->lock);
    sending_fail(sending, status, &error); /* over, whether it failed or not */
    pthread_mutex_unlock(&sending->lock);
    for (size_t i = 0; i < CONFIG_MAIL_CONNECTIONS; i++)
        if (workers[i].is_started)
            pthread_join(workers[i].thread, NULL);
}

/* An exercise frightens nobody: real people's addresses are read, and only the operator knows which
 * server sends nothing on; one on this machine may well. Nor is anybody told of a breach by a
 * server that keeps what it is given. */
static enum status check_exercise(const struct sending *sending, struct error *error)
{
    const struct config *config = sending->casework->config;
    const struct incident *incident = &sending->scope->incident;
    if (config->mail.host == NULL || incident->is_drill == config->mail.sink)
        return STATUS_OK;
    if (incident->is_drill)
        return error_set(error, STATUS_DENIED, "55000",
                         "look at the texts with --dry-run --sample DIR or --test ADDRESS; "
                         "cofferdam drill has a mail server and people of its own",
                         "incident %" PRId64 " is an exercise: its messages go to a mail server "
                         "that sends nothing on alone, and %s does not say mail.sink: true",
                         incident->number, config->path);
    return error_set(error, STATUS_DENIED, "55000",
                     "name the mail server that people are reached by, without sink",
                     "incident %" PRId64 " is no exercise, and by mail.sink in %s the mail server "
                     "sends nothing on: nobody would get a message",
                     incident->number, config->path);
}

static enum status open_all(struct watch *watch, struct error *error)
{
    struct sending *sending = watch->sending;
    struct casework *casework = sending->casework;
    const struct outbox_person *people;
    const char *folder = casework->config->mail.bounce_folder;
    TRY(check_exercise(sending, error));
    TRY(sending_server_open(casework->config, &sending->mail, error));
    if (folder != NULL)
        TRY(maildir_open(folder, &watch->bounces, error));
    TRY(casework_admin(casework, &sending->admin, error));
    TRY(contact_open(casework->config, casework->policy, &sending->reader, error));
    TRY(sending_outbox(casework, sending->scope->incident.number, true, &sending->outbox, error));
    size_t count = notice_people(sending->notice, &people);
    TRY(outbox_fill(sending->outbox, sending->order->notice, people, count, error));
    /* Before anything goes out: a notice may prove that somebody who would be sent one has it. */
    if (watch->bounces != NULL)
        TRY(bounces_read(watch->bounces, sending->outbox, clock_now_ns(), error));
    return outbox_dsn(sending->outbox, &sending->offers_dsn, error);
}

/* The last word: how it stands, and that the notice is finished if it is. */
static enum status finish(struct watch *watch, struct error *error)
{
    struct sending *sending = watch->sending;
    TRY(outbox_count(sending->outbox, sending->order->notice, &watch->progress.counts, error));
    fill_progress(watch);
    if (sending_is_stopped(sending))
        watch->end = SENDING_STOPPED;
    if (sending->status != STATUS_OK) {
        *error = sending->error;
        return sending->status;
    }
    if (watch->end != SENDING_DONE)
        return STATUS_OK;
    return incidents_set_notice_finished(sending->casework->incidents,
                                         sending->scope->incident.number, sending->order->notice,
                                         clock_now_ns(), error);
}

enum status sending_run(struct casework *casework, const struct scope *scope,
                        const struct notice *notice, const struct sending_order *order,
                        enum sending_end *end, struct sending_progress *progress,
                        struct error *error)
{
    struct sending sending = {.casework = casework,
                              .scope = scope,
                              .notice = notice,
                              .order = order,
                              .lock = PTHREAD_MUTEX_INITIALIZER};
    struct watch watch = {
        .sending = &sending, .started_ns = clock_monotonic_ns(), .end = SENDING_STOPPED};
    struct error own = {0};
    enum status status = open_all(&watch, &own);
    if (status == STATUS_OK) {
        run_workers(&watch);
        status = finish(&watch, &own);
    }
    outbox_close(sending.outbox);
    contact_close(sending.reader);
    maildir_close(watch.bounces);
    sending_server_close(&sending.mail);
    pthread_mutex_destroy(&sending.lock);
    *progress = watch.progress;
    progress->trouble = NULL;
    if (status == STATUS_OK)
        *end = watch.end;
    else if (error != NULL)
        *error = own;
    return status;
}
