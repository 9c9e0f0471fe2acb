/* Worker: thread, loop, tick, mailbox. */
#include "gateway/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "identity/trust.h"
#include "crypto/crypto.h"
#include "gateway/cancel.h"
#include "gateway/trust/contain.h"
#include "gateway/deliveries.h"
#include "gateway/login/login_token.h"
#include "gateway/statement/renew.h"
#include "gateway/session.h"

/* libpg_query recurses: plan.h asks for this much. */
enum {
    STACK_BYTES = 128 * 1024 * 1024,
    TICK_MS = 500,
    STOP_TICKS = 3,
    CUT_WATCH_MS = 5,
    ENDS_EVERY = 8,  /* watches of a cut between two that close connections upstream */
    ENDS_SHARE = 100 /* of those that are left, each time, one in so many; and one more */
};

/* True if there is another. */
static bool renew_snapshot(struct worker *worker)
{
    struct server *server = worker->server;
    if (atomic_load(&server->epoch) == worker->snapshot->epoch)
        return false;
    struct snapshot *old = worker->snapshot;
    worker->snapshot = server_snapshot(server);
    worker->validity = snapshot_validity(worker->snapshot, clock_by_line_ns(server->clock_line));
    worker->plan_epoch++;
    plans_clear(worker->plans);
    snapshot_release(old);
    return true;
}

static void renew_validity(struct worker *worker)
{
    int64_t now_ns = clock_by_line_ns(worker->server->clock_line);
    uint64_t validity = snapshot_validity(worker->snapshot, now_ns);
    if (validity == worker->validity)
        return;
    worker->validity = validity;
    worker->plan_epoch++;
    plans_clear(worker->plans);
}

static void publish_sessions(struct worker *worker);

static void review_sessions(struct worker *worker)
{
    for (struct session *session = worker->sessions, *next; session != NULL; session = next) {
        next = session->next;
        session_review(session);
    }
}

/* The secret is compared in constant time; a wrong key counts against the address that sent it. */
/* Where an address has guessed too much, sessions from there may still be cancelled from there: its
 * neighbours shall not keep an agent from that, and 56 bits are enough. */
static void run_cancel(struct worker *worker, const struct worker_cancel *cancel)
{
    bool right = false;
    uint64_t from = net_address_block(&cancel->address);
    for (struct session *session = worker->sessions; session != NULL && session->counted;
         session = session->next) {
        if ((!cancel->allowed && net_address_block(&session->address) != from) ||
            session->cancel_pid != cancel->pid ||
            !crypto_equal(&session->cancel_secret, &cancel->secret, sizeof cancel->secret))
            continue;
        right = true;
        if (replies_wait_for_upstream(&session->replies)) {
            session->cancel_asked = true;
            cancel_ask(session);
        }
    }
    if (!right && cancel->allowed)
        backoff_cancel_wrong(worker->server->backoff, &cancel->address, clock_monotonic_ns());
}

static void run_cancels(struct worker *worker)
{
    pthread_mutex_lock(&worker->mailbox_lock);
    struct worker_cancel *cancels = worker->cancels;
    worker->cancels = NULL;
    pthread_mutex_unlock(&worker->mailbox_lock);
    while (cancels != NULL) {
        struct worker_cancel *cancel = cancels;
        cancels = cancel->next;
        run_cancel(worker, cancel);
        free(cancel);
    }
}

/* Sessions whose oldest gate has opened. What waits for an entry upstream has a gate on it, too. */
static void touch_waiting(struct worker *worker)
{
    uint64_t durable = ledger_durable(worker->server->ledger);
    for (struct session *session = worker->sessions; session != NULL && session->counted;
         session = session->next)
        if (outqueue_opens(&session->out, durable))
            session_touch(session);
}

/* Sessions are told, and what they have running upstream is cancelled, before the loop ends. */
static void begin_stop(struct worker *worker)
{
    if (worker->stop_ticks == 0)
        worker->stop_ticks = STOP_TICKS;
    for (struct session *session = worker->sessions; session != NULL; session = session->next)
        session_end(session, LEDGER_OUTCOME_ABANDONED, "57P01", "the gateway is stopping",
                    "connect again in a moment");
}

/* Grows with each change of the registry, of authorities and of their CRLs: each only grows. */
static uint64_t changes(const struct server *server)
{
    return registry_generation(server->registry) +
           (server->trust == NULL ? 0 : trust_generation(server->trust));
}

static void on_wake(void *context)
{
    struct worker *worker = context;
    pthread_mutex_lock(&worker->mailbox_lock);
    bool stop = worker->stop;
    pthread_mutex_unlock(&worker->mailbox_lock);
    if (stop) {
        begin_stop(worker);
        return;
    }
    uint64_t generation = changes(worker->server);
    bool changed = renew_snapshot(worker);
    if (changed || generation != worker->changes) { /* before anything more is sent */
        worker->changes = generation;
        review_sessions(worker);
        publish_sessions(worker);
    }
    touch_waiting(worker);
    run_cancels(worker);
    login_token_verdicts(worker);
    renew_answers(worker);
}

static void on_turn(void *context)
{
    struct worker *worker = context;
    /* What a flush touches again waits for the next turn of this loop, not of the event loop. */
    for (int round = 0; round < 4 && worker->dirty != NULL; round++) {
        struct session *list = worker->dirty;
        worker->dirty = NULL;
        worker->flushing = list;
        while (worker->flushing != NULL) {
            struct session *session = worker->flushing;
            worker->flushing = session->next_dirty;
            session->dirty = false;
            session_flush(session);
        }
    }
    if (worker->dirty != NULL)
        net_loop_wake(worker->loop);
    if (worker->stop_ticks > 0 && worker->sessions == NULL && !cancel_under_way(worker))
        net_loop_stop(worker->loop);
}

/* Says once that the clock was set back, and once that it is right again. */
static void watch_clock(struct worker *worker)
{
    enum { NOTABLE_S = 2 };
    int64_t behind_ns = clock_by_line_ns(worker->server->clock_line) - clock_now_ns();
    bool behind = behind_ns > NOTABLE_S * 1000000000LL;
    if (behind == worker->clock_behind)
        return;
    worker->clock_behind = behind;
    if (behind)
        log_event(LOG_WARNING, "clock_set_back", "seconds=%lld trust_ends_by=\"time since start\"",
                  (long long)(behind_ns / 1000000000));
    else
        log_event(LOG_INFO, "clock_right_again", "trust_ends_by=\"clock\"");
}

static void on_tick(void *context)
{
    struct worker *worker = context;
    if (worker->stop_ticks > 0) {
        if (--worker->stop_ticks == 0)
            net_loop_stop(worker->loop);
        return;
    }
    if (worker->index == 0)
        watch_clock(worker);
    renew_validity(worker);
    review_sessions(worker);
    publish_sessions(worker);
    arrival_tell(worker);
    if (worker->index == 0)
        login_report_failures(worker->server, false);
}

static void on_cut_watch(void *context)
{
    struct worker *worker = context;
    bool any = false;
    unsigned room = 0, left = 0;
    if (worker->cut_watches++ % ENDS_EVERY == 0)
        room = 1 + worker->cut_left / ENDS_SHARE;
    for (struct session *session = worker->sessions, *next; session != NULL; session = next) {
        next = session->next;
        any = any || session->cut_ns != 0;
        left += session->is_unfinished;
        if (session->cut_ns != 0)
            contain_step(session, &room);
    }
    worker->cut_left = left;
    if (!any)
        net_timer_stop(worker->cut_watch);
}

void worker_watch_cut(struct worker *worker)
{
    net_timer_start(worker->cut_watch, CUT_WATCH_MS, CUT_WATCH_MS);
}

static void on_durable(void *context)
{
    struct worker *worker = context;
    net_loop_wake(worker->loop);
}

static void *worker_main(void *context)
{
    struct worker *worker = context;
    net_loop_run(worker->loop);
    while (worker->sessions != NULL)
        session_destroy(worker->sessions);
    cancel_close_all(worker);
    return NULL;
}

static enum status start_thread(struct worker *worker, struct error *error)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    int failed = pthread_create(&worker->thread, &attributes, worker_main, worker);
    pthread_attr_destroy(&attributes);
    return failed == 0 ? STATUS_OK : error_set_errno(error, failed, "pthread_create");
}

enum status worker_open(struct server *server, unsigned index, uint16_t port, uint16_t *bound_port,
                        struct worker **out, struct error *error)
{
    struct worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    worker->server = server;
    worker->index = index;
    worker->snapshot = server_snapshot(server);
    worker->plan_epoch = 1;
    worker->validity = snapshot_validity(worker->snapshot, clock_by_line_ns(server->clock_line));
    worker->changes = changes(server);
    worker->plans = plans_open();
    worker->lobby = arrival_lobby(server->config);
    CHECK(worker->plans != NULL && worker->lobby != NULL);
    pthread_mutex_init(&worker->mailbox_lock, NULL);
    pthread_mutex_init(&worker->lines_lock, NULL);
    TRY(net_loop_open(&worker->loop, error));
    net_loop_on_wake(worker->loop, on_wake, worker);
    net_loop_on_turn(worker->loop, on_turn, worker);
    TRY(net_timer_open(worker->loop, on_tick, worker, &worker->tick));
    net_timer_start(worker->tick, TICK_MS, TICK_MS);
    TRY(net_timer_open(worker->loop, on_cut_watch, worker, &worker->cut_watch));
    TRY(net_listen_tcp(worker->loop, server->config->listen.address, port, session_accept, worker,
                       bound_port, &worker->listener, error));
    if (index == 0)
        TRY(deliveries_listen(server->config, worker->loop, session_accept_staff, worker,
                              &worker->staff_listener, error));
    ledger_subscribe(server->ledger, on_durable, worker);
    *out = worker;
    return STATUS_OK;
}

enum status worker_run(struct worker *worker, struct error *error)
{
    TRY(start_thread(worker, error));
    worker->running = true;
    return STATUS_OK;
}

void worker_stop(struct worker *worker)
{
    if (!worker->running)
        return;
    pthread_mutex_lock(&worker->mailbox_lock);
    worker->stop = true;
    pthread_mutex_unlock(&worker->mailbox_lock);
    net_loop_wake(worker->loop);
    pthread_join(worker->thread, NULL);
}

void worker_free(struct worker *worker)
{
    net_timer_close(worker->tick);
    net_timer_close(worker->cut_watch);
    net_listener_close(worker->listener);
    net_listener_close(worker->staff_listener);
    net_loop_close(worker->loop);
    plans_close(worker->plans);
    lobby_close(worker->lobby);
    snapshot_release(worker->snapshot);
    crypto_wipe(&worker->upstream_keys, sizeof worker->upstream_keys);
    while (worker->cancels != NULL) { /* those that came too late */
        struct worker_cancel *cancel = worker->cancels;
        worker->cancels = cancel->next;
        free(cancel);
    }
    login_token_drop(worker);
    renew_drop(worker);
    free(worker->lines);
    free(worker);
}

void worker_post_cancel(struct server *server, uint32_t pid, uint32_t secret,
                        const struct in6_addr *address)
{
    uint32_t index = (pid >> 24) - 1;
    int64_t now_ns = clock_monotonic_ns();
    bool allowed = backoff_cancel_allowed(server->backoff, address, now_ns);
    if (index >= server->worker_count) {
        if (allowed)
            backoff_cancel_wrong(server->backoff, address, now_ns);
        return;
    }
    struct worker *worker = server->workers[index];
    struct worker_cancel *cancel = calloc(1, sizeof *cancel);
    if (cancel == NULL)
        return;
    *cancel = (struct worker_cancel){
        .pid = pid, .secret = secret, .address = *address, .allowed = allowed};
    pthread_mutex_lock(&worker->mailbox_lock);
    cancel->next = worker->cancels;
    worker->cancels = cancel;
    pthread_mutex_unlock(&worker->mailbox_lock);
    net_loop_wake(worker->loop);
}

/* ---- what the admin thread may see ---- */

static const char *state_name(const struct session *session)
{
    if (session->state != SESSION_READY)
        return "login";
    return session->replies.count > 0 ? "active" : "idle";
}

/* "17, 18" */
static void describe_approvals(const struct session *session, struct worker_session_info *line)
{
    size_t len = 0;
    for (size_t i = 0; i < session->approvals.count && len < sizeof line->approvals; i++)
        len += (size_t)snprintf(line->approvals + len, sizeof line->approvals - len, "%s%llu",
                                i == 0 ? "" : ", ",
                                (unsigned long long)session->approvals.list[i].request);
}

static void describe(const struct session *session, struct worker_session_info *line)
{
    int64_t age_ns = clock_monotonic_ns() - session->started_ns;
    *line = (struct worker_session_info){.id = session->id,
                                         .since_ns = clock_now_ns() - age_ns,
                                         .credential = session->credential,
                                         .statements = session->statements_done};
    snprintf(line->login, sizeof line->login, "%s", session->agent == NULL ? "" : session->login);
    if (session->has_address)
        text_of_address(&session->address, line->address);
    snprintf(line->purpose, sizeof line->purpose, "%s",
             session->purpose == NULL ? "" : session->purpose);
    describe_approvals(session, line);
    snprintf(line->state, sizeof line->state, "%s", state_name(session));
    snprintf(line->tls, sizeof line->tls, "%s", net_stream_tls_version(session->client));
}

static void publish_sessions(struct worker *worker)
{
    size_t count = 0, at = 0;
    for (struct session *session = worker->sessions; session != NULL; session = session->next)
        count++;
    struct worker_session_info *lines = calloc(count + 1, sizeof lines[0]);
    if (lines == NULL)
        return;
    for (struct session *session = worker->sessions; session != NULL; session = session->next)
        if (session->state != SESSION_CLOSING) /* ended: only its last words are under way */
            describe(session, &lines[at++]);
    pthread_mutex_lock(&worker->lines_lock);
    struct worker_session_info *old = worker->lines;
    worker->lines = lines;
    worker->line_count = at;
    pthread_mutex_unlock(&worker->lines_lock);
    free(old);
}

size_t worker_list_sessions(struct server *server, struct worker_session_info *lines,
                            size_t capacity)
{
    size_t total = 0;
    for (size_t w = 0; w < server->worker_count; w++) {
        struct worker *worker = server->workers[w];
        pthread_mutex_lock(&worker->lines_lock);
        for (size_t i = 0; i < worker->line_count; i++, total++)
            if (total < capacity)
                lines[total] = worker->lines[i];
        pthread_mutex_unlock(&worker->lines_lock);
    }
    return total;
}
