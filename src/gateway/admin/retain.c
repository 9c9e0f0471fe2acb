/* See retain.h. The order is that of docs/LEDGER-FORMAT.md, "Base": each step is durable before the
 * next begins, and a start goes on wherever a crash has left it. */
#include "gateway/admin/retain.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "exposure/forgetting.h"
#include "gateway/admin/retain_needs.h"
#include "ledger/retention.h"

enum { PATH_ROOM = 4096, NAME_ROOM = 64, ACT_ROOM = 4 * RETAIN_TEXT_ROOM, TIME_ROOM = 21 };

enum retain_state {
    RETAIN_NONE,
    RETAIN_RUNNING,
    RETAIN_RECKONED,
    RETAIN_PROPOSED,
    RETAIN_DONE,
    RETAIN_FAILED
};

/* What one user has proposed, for another. A restart forgets it: whoever still wants it asks again.
 */
struct retain_proposal {
    bool is_open;
    struct retain_wish wish;
    int64_t made_ns;
    uint64_t below; /* what was shown: no more goes */
};

struct retain_total {
    char partner[NAME_ROOM], limit[NAME_ROOM];
    uint64_t now, after;
};

struct retain_report {
    uint64_t entries, bytes, segments, below, deliveries, people;
    int64_t first_ns, last_ns;
    struct retain_total *totals; /* owned */
    size_t total_count;
    bool shrinks; /* any total */
    bool index_late;
};

struct retain {
    struct server *server;
    char ledger[PATH_ROOM];
    pthread_t thread;
    bool has_thread;  /* to be joined */
    atomic_bool stop; /* give up what can be given up */
    struct retain_wish wish;
    bool approves;                   /* the wish is another's proposal */
    struct retain_proposal proposal; /* of the thread while there is one */
    pthread_mutex_t lock;            /* of what follows */
    enum retain_state state;
    struct retain_report report;
    struct error error;
};

enum status retain_open(struct server *server, struct retain **out, struct error *error)
{
    struct retain *retain = calloc(1, sizeof *retain);
    if (retain == NULL)
        return error_no_memory(error);
    retain->server = server;
    pthread_mutex_init(&retain->lock, NULL);
    if (snprintf(retain->ledger, sizeof retain->ledger, "%s/ledger",
                 server->config->state_folder) >= (int)sizeof retain->ledger) {
        retain_close(retain);
        return error_set(error, STATUS_INVALID, "58030", NULL, "path is too long");
    }
    *out = retain;
    return STATUS_OK;
}

void retain_close(struct retain *retain)
{
    if (retain == NULL)
        return;
    atomic_store(&retain->stop, true);
    if (retain->has_thread)
        pthread_join(retain->thread, NULL);
    pthread_mutex_destroy(&retain->lock);
    free(retain->report.totals);
    free(retain);
}

/* ---- reckoning ---- */

static void add_total(void *context, const struct forgetting_limit *limit)
{
    struct retain_report *report = context;
    struct retain_total *grown = realloc(report->totals, (report->total_count + 1) * sizeof *grown);
    CHECK(grown != NULL);
    report->totals = grown;
    struct retain_total *total = &grown[report->total_count++];
    *total = (struct retain_total){.now = limit->now, .after = limit->after};
    snprintf(total->partner, sizeof total->partner, "%.63s", limit->partner);
    snprintf(total->limit, sizeof total->limit, "%.63s", limit->limit);
    report->shrinks = report->shrinks || limit->after < limit->now;
}

static void report_plan(const struct retention_plan *plan, int64_t first_ns,
                        struct retain_report *report)
{
    report->entries = plan->newly;
    report->bytes = plan->bytes;
    report->segments = plan->segments;
    report->below = plan->statement.tree.size;
    report->first_ns = first_ns;
    report->last_ns = plan->statement.last_ns;
}

static enum status refuse_shrinking(const struct retain_report *report, struct error *error)
{
    size_t at = 0;
    while (at < report->total_count && report->totals[at].after >= report->totals[at].now)
        at++;
    if (at == report->total_count)
        return STATUS_OK;
    const struct retain_total *total = &report->totals[at];
    return error_set(error, STATUS_DENIED, "55000",
                     "--dry-run lists them all. --forget-totals allows it: such a partner may get "
                     "that many people again.",
                     "the limit %s of %s would count %" PRIu64 " people instead of %" PRIu64,
                     total->limit, total->partner, total->after, total->now);
}

/* ---- the act ---- */

static enum status act(struct retain *retain, const char *partner, const char *text,
                       struct error *error)
{
    return server_record_act(retain->server, partner, NULL, text, true, error);
}

/* Who wanted it, and what is forgotten by it: acts stay when entries go. */
static enum status record(struct retain *retain, const struct retain_report *report,
                          struct error *error)
{
    char text[ACT_ROOM], before[TIME_ROOM];
    clock_format_utc(retain->wish.before_ns, before);
    snprintf(text, sizeof text,
             "retain before=%s below=%" PRIu64 " entries=%" PRIu64 " people=%" PRIu64
             "%s%s by=%s reason=%s",
             before, report->below, report->entries, report->people,
             retain->approves ? " proposed-by=" : "",
             retain->approves ? retain->proposal.wish.by : "", retain->wish.by,
             retain->wish.reason);
    TRY(act(retain, NULL, text, error));
    for (size_t i = 0; i < report->total_count; i++) {
        const struct retain_total *total = &report->totals[i];
        if (total->after >= total->now)
            continue;
        snprintf(text, sizeof text,
                 "total-forgotten\nlimit=%s\nused=%" PRIu64 "\nleft=%" PRIu64 "\nbelow=%" PRIu64
                 "\nby=%s\nreason=%s\n",
                 total->limit, total->now, total->after, report->below, retain->wish.by,
                 retain->wish.reason);
        TRY(act(retain, total->partner, text, error));
    }
    return STATUS_OK;
}

/* Into the ledger first: a proposal that nobody takes up is told of too. */
static enum status propose(struct retain *retain, const struct retain_report *report,
                           struct error *error)
{
    char text[ACT_ROOM], before[TIME_ROOM];
    clock_format_utc(retain->wish.before_ns, before);
    snprintf(text, sizeof text,
             "retain-proposed before=%s below=%" PRIu64 " entries=%" PRIu64 " people=%" PRIu64
             " forget-totals=%s by=%s reason=%s",
             before, report->below, report->entries, report->people,
             retain->wish.forget_totals ? "yes" : "no", retain->wish.by, retain->wish.reason);
    TRY(act(retain, NULL, text, error));
    retain->proposal = (struct retain_proposal){
        .is_open = true, .wish = retain->wish, .made_ns = clock_now_ns(), .below = report->below};
    return STATUS_OK;
}

static bool is_alone(const struct retain *retain)
{
    return retain->server->config->budget.approvals > 1 && !retain->approves;
}

static enum status carry_out(struct retain *retain, const struct retention_plan *plan,
                             const struct forgetting *forgetting, struct retain_report *report,
                             struct error *error)
{
    struct server *server = retain->server;
    struct error late;
    TRY(retain_check_incidents(server->config, error));
    TRY(forgetting_settle(server->exposure, forgetting, error));
    TRY(record(retain, report, error));
    TRY(retention_state(server->ledger, retain->ledger, plan, error));
    /* From here on it is done: what fails is made up for by the next start. */
    if (forgetting_done(server->exposure, forgetting, &late) != STATUS_OK) {
        report->index_late = true;
        log_event(LOG_ERROR, "exposure_index_not_written", "error=\"%s\"", late.message);
    }
    log_event(LOG_WARNING, "ledger_retained",
              "below=%" PRIu64 " entries=%" PRIu64 " segments=%" PRIu64, report->below,
              report->entries, report->segments);
    return retention_sweep(retain->ledger, plan, error);
}

static enum status go_on(struct retain *retain, const struct policy *policy,
                         const struct retention_plan *plan, struct retain_report *report,
                         struct error *error)
{
    struct forgetting *forgetting = NULL;
    int64_t now_ns = clock_now_ns();
    TRY(retain_check_needs(retain->server->config, policy, plan, now_ns, &report->deliveries,
                           error));
    TRY(forgetting_reckon(retain->server->exposure, retain->ledger, plan->statement.tree.size,
                          &retain->stop, &forgetting, error));
    report->people = forgetting_people(forgetting);
    forgetting_limits(forgetting, policy, now_ns, add_total, report);
    enum status status = STATUS_OK;
    if (!retain->wish.dry && !retain->wish.forget_totals)
        status = refuse_shrinking(report, error);
    if (status == STATUS_OK && !retain->wish.dry && is_alone(retain))
        status = propose(retain, report, error);
    else if (status == STATUS_OK && !retain->wish.dry)
        status = carry_out(retain, plan, forgetting, report, error);
    forgetting_free(forgetting);
    return status;
}

static enum status run(struct retain *retain, struct retain_report *report, struct error *error)
{
    struct retention_wish wish = {.before_ns = retain->wish.before_ns,
                                  .reason = retain->wish.reason};
    struct retention_plan plan;
    TRY(retain_vouched(retain->server->config, retain->ledger, &wish.vouched, error));
    if (retain->approves && retain->proposal.below < wish.vouched)
        wish.vouched = retain->proposal.below;
    TRY(retention_plan(retain->ledger, &wish, &plan, error));
    report_plan(&plan, plan.newly_first_ns, report);
    struct snapshot *snapshot = server_snapshot(retain->server);
    enum status status = go_on(retain, snapshot->policy, &plan, report, error);
    snapshot_release(snapshot);
    retention_plan_free(&plan);
    return status;
}

static void *run_thread(void *context)
{
    struct retain *retain = context;
    struct retain_report report = {0};
    struct error error = {0};
    enum status status = run(retain, &report, &error);
    pthread_mutex_lock(&retain->lock);
    free(retain->report.totals);
    retain->report = report;
    retain->error = error;
    retain->state = status != STATUS_OK ? RETAIN_FAILED
                    : retain->wish.dry  ? RETAIN_RECKONED
                    : is_alone(retain)  ? RETAIN_PROPOSED
                                        : RETAIN_DONE;
    if (retain->state == RETAIN_DONE)
        retain->proposal.is_open = false;
    pthread_mutex_unlock(&retain->lock);
    return NULL;
}

/* Has another user proposed just this, and not too long ago? */
static bool is_approval(const struct retain *retain, const struct retain_wish *wish)
{
    static const int64_t day_ns = 86400LL * 1000000000;
    const struct retain_proposal *proposal = &retain->proposal;
    int64_t age_ns = clock_now_ns() - proposal->made_ns;
    return proposal->is_open && !wish->dry && strcmp(proposal->wish.user, wish->user) != 0 &&
           proposal->wish.before_ns == wish->before_ns &&
           proposal->wish.forget_totals == wish->forget_totals && age_ns >= 0 &&
           age_ns < RETAIN_PROPOSAL_DAYS * day_ns;
}

enum status retain_begin(struct retain *retain, const struct retain_wish *wish, struct error *error)
{
    pthread_mutex_lock(&retain->lock);
    bool running = retain->state == RETAIN_RUNNING;
    pthread_mutex_unlock(&retain->lock);
    if (running)
        return error_set(error, STATUS_DENIED, "55006", "SHOW RETENTION tells how it goes.",
                         "another retention is under way");
    if (retain->has_thread)
        pthread_join(retain->thread, NULL);
    retain->has_thread = false;
    retain->wish = *wish;
    retain->approves = is_approval(retain, wish);
    retain->state = RETAIN_RUNNING;
    int failed = pthread_create(&retain->thread, NULL, run_thread, retain);
    retain->has_thread = failed == 0;
    if (failed == 0)
        return STATUS_OK;
    retain->state = RETAIN_NONE;
    return error_set_errno(error, failed, "thread for retention");
}

bool retain_is_dropping(struct retain *retain)
{
    pthread_mutex_lock(&retain->lock);
    bool dropping = retain->state == RETAIN_RUNNING && !retain->wish.dry;
    pthread_mutex_unlock(&retain->lock);
    return dropping;
}

/* ---- telling ---- */

static void put(struct table *table, const char *property, const char *value)
{
    struct table_row *row = table_add(table);
    table_set(table, row, 0, "%s", property);
    table_set(table, row, 2, "%s", value);
}

static void put_number(struct table *table, const char *property, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, value);
    put(table, property, text);
}

static void put_time(struct table *table, const char *property, int64_t time_ns)
{
    char text[TIME_ROOM];
    clock_format_utc(time_ns, text);
    put(table, property, text);
}

static void tell_failure(struct table *table, const struct error *error)
{
    put(table, "sqlstate", error->sqlstate);
    put(table, "message", error->message);
    put(table, "hint", error->hint);
}

static void tell_proposal(struct table *table, const struct retain_proposal *proposal)
{
    put(table, "proposed_by", proposal->wish.by);
    put_time(table, "proposed_before", proposal->wish.before_ns);
    put_number(table, "proposed_below", proposal->below);
    put(table, "proposed_forget_totals", proposal->wish.forget_totals ? "true" : "false");
}

static void tell_report(struct table *table, const struct retain_report *report)
{
    put_number(table, "entries", report->entries);
    put_number(table, "segments", report->segments);
    put_number(table, "bytes", report->bytes);
    put_number(table, "below", report->below);
    put_time(table, "first", report->first_ns);
    put_time(table, "last", report->last_ns);
    put_number(table, "people", report->people);
    put_number(table, "deliveries", report->deliveries);
    put(table, "totals_shrink", report->shrinks ? "true" : "false");
    put(table, "index_late", report->index_late ? "true" : "false");
    for (size_t i = 0; i < report->total_count; i++) {
        const struct retain_total *total = &report->totals[i];
        struct table_row *row = table_add(table);
        table_set(table, row, 0, "%s", total->limit);
        table_set(table, row, 1, "%s", total->partner);
        table_set(table, row, 2, "%" PRIu64, total->now);
        table_set(table, row, 3, "%" PRIu64, total->after);
    }
}

void retain_tell(struct retain *retain, struct table *table)
{
    static const char *const states[] = {
        [RETAIN_NONE] = "none",         [RETAIN_RUNNING] = "running",
        [RETAIN_RECKONED] = "reckoned", [RETAIN_PROPOSED] = "proposed",
        [RETAIN_DONE] = "done",         [RETAIN_FAILED] = "failed"};
    pthread_mutex_lock(&retain->lock);
    put(table, "state", states[retain->state]);
    if (retain->state == RETAIN_FAILED)
        tell_failure(table, &retain->error);
    if (retain->state != RETAIN_RUNNING && retain->proposal.is_open)
        tell_proposal(table, &retain->proposal);
    if (retain->state == RETAIN_RECKONED || retain->state == RETAIN_PROPOSED ||
        retain->state == RETAIN_DONE)
        tell_report(table, &retain->report);
    pthread_mutex_unlock(&retain->lock);
}
