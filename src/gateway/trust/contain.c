/* See contain.h: the act, from the command to the ledger. */
#include "gateway/trust/contain.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "gateway/admin/admin_asking.h"
#include "gateway/trust/contain_private.h"
#include "gateway/deliveries.h"
#include "gateway/session.h"
#include "registry/requests.h"

enum { WAIT_MS = 1000, LEDGER_WAIT_MS = 1000, LATE_S = 10 };

static const int64_t MS = 1000000;

enum status contain_open(struct server *server, struct contain **out, struct error *error)
{
    struct contain *contain = calloc(1, sizeof *contain);
    (void)server;
    if (contain == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    pthread_mutex_init(&contain->act_lock, NULL);
    pthread_mutex_init(&contain->lock, NULL);
    *out = contain;
    return STATUS_OK;
}

void contain_close(struct contain *contain)
{
    if (contain == NULL)
        return;
    free(contain->backends);
    pthread_mutex_destroy(&contain->act_lock);
    pthread_mutex_destroy(&contain->lock);
    free(contain);
}

/* ---- the ledger ---- */

/* Durable within the time that an act may wait for the disk? */
static bool await_durable(struct server *server, uint64_t sequence)
{
    int64_t until_ns = clock_monotonic_ns() + LEDGER_WAIT_MS * MS;
    while (ledger_durable(server->ledger) <= sequence) {
        if (clock_monotonic_ns() > until_ns)
            return false;
        nanosleep(&(struct timespec){.tv_nsec = MS}, NULL);
    }
    return true;
}

static enum status record_act(void *context, const struct registry_act *act)
{
    struct server *server = context;
    struct error error;
    char text[CONTAIN_TEXT_ROOM], at[21];
    bool late = clock_now_ns() - act->at_ns > (int64_t)LATE_S * 1000 * MS;
    bool proposes = act->verb[0] == 'p', named = act->credential[0] != '\0';
    clock_format_utc(act->at_ns, at);
    snprintf(text, sizeof text, "%s%s%s%s%s%s by=%s%s%s reason=%.1000s",
             proposes ? "restore-proposed" : act->verb, !proposes && named ? "-credential" : "",
             named ? " id=" : "", act->credential,
             act->proposed_by == NULL || proposes ? "" : " proposed-by=",
             act->proposed_by == NULL || proposes ? "" : act->proposed_by, act->by,
             late ? " at=" : "", late ? at : "", act->reason);
    struct ledger_entry entry = {.type = LEDGER_ACT,
                                 .chunk_count = 1,
                                 .partner = slice_of_text(act->partner),
                                 .agent = slice_of_text(act->agent),
                                 .text = slice_of_text(text)};
    uint64_t sequence;
    enum status status =
        ledger_append(server->ledger, &entry, slice_of(NULL, 0), &sequence, &error);
    if (status == STATUS_OK && !await_durable(server, sequence))
        status = STATUS_AGAIN;
    if (status != STATUS_OK)
        log_event(LOG_ERROR, "act_not_recorded", "act=\"%s\" partner=%s reason=\"%s\"", act->verb,
                  act->partner,
                  status == STATUS_AGAIN ? "the ledger's disk does not answer" : error.message);
    return status;
}

enum status contain_settle(struct server *server, struct error *error)
{
    return registry_settle(server->registry, record_act, server, error);
}

/* What the registry could not store is not among what it hands over. */
static bool record(struct server *server, const struct contain_order *order,
                   const struct contain_outcome *outcome)
{
    struct error error;
    bool recorded = contain_settle(server, &error) == STATUS_OK;
    if (outcome->is_stored)
        return recorded;
    recorded = true;
    for (size_t i = 0; i < order->count; i++) {
        const struct registry_target *target = &order->targets[i];
        struct registry_act act = {.verb = "contain",
                                   .partner = target->partner,
                                   .agent = target->agent == NULL ? "" : target->agent,
                                   .credential =
                                       target->credential == NULL ? "" : target->credential,
                                   .reason = order->reason,
                                   .by = order->by,
                                   .at_ns = clock_now_ns()};
        bool told = record_act(server, &act) == STATUS_OK;
        if (told)
            registry_told(server->registry, target);
        recorded = told && recorded;
    }
    return recorded;
}

/* ---- the cut ---- */

static size_t live(struct server *server, const struct contain_order *order)
{
    size_t count = 0;
    for (size_t i = 0; i < order->count; i++)
        count += server_live_count(server, &order->targets[i]);
    return count;
}

static double ms_since(int64_t since_ns)
{
    return (double)(clock_monotonic_ns() - since_ns) / 1e6;
}

static void begin(struct contain *contain)
{
    pthread_mutex_lock(&contain->lock);
    contain->is_acting = true;
    contain->undelivered = 0;
    contain->last_ns = 0;
    pthread_mutex_unlock(&contain->lock);
}

/* From now on whoever is still cut cancels for itself. */
static size_t take_backends(struct contain *contain, struct contain_backend **backends,
                            uint64_t *undelivered)
{
    pthread_mutex_lock(&contain->lock);
    size_t count = contain->backend_count;
    *backends = contain->backends;
    *undelivered = contain->undelivered;
    contain->backends = NULL;
    contain->backend_count = contain->backend_capacity = 0;
    contain->is_acting = false;
    pthread_mutex_unlock(&contain->lock);
    return count;
}

/* In memory first, for all of them, and the workers told; then stored, while these cut. Returns
 * when it was in memory. */
static int64_t enforce(struct server *server, const struct contain_order *order,
                       struct contain_outcome *outcome)
{
    struct error error;
    outcome->is_stored = true;
    for (size_t i = 0; i < order->count; i++)
        if (registry_enforce(server->registry, &order->targets[i], order->reason, order->by,
                             clock_now_ns(), &error) != STATUS_OK)
            log_event(LOG_ERROR, "contain_failed", "reason=\"%s\"", error.message);
    server_wake(server);
    int64_t enforced_ns = clock_monotonic_ns();
    for (size_t i = 0; i < order->count; i++) {
        enum status status = registry_contain(server->registry, &order->targets[i], order->reason,
                                              order->by, clock_now_ns(), &error);
        if (status != STATUS_OK && outcome->is_stored)
            outcome->stored = error;
        outcome->is_stored = outcome->is_stored && status == STATUS_OK;
    }
    return enforced_ns;
}

/* Waits until the workers have cut, a second at most, and tells when the last of it had happened.
 */
static int64_t await_cut(struct server *server, const struct contain_order *order,
                         int64_t enforced_ns, struct contain_outcome *outcome)
{
    int64_t until_ns = enforced_ns + WAIT_MS * MS, last_ns;
    size_t left;
    while ((left = live(server, order)) > 0 && clock_monotonic_ns() < until_ns)
        nanosleep(&(struct timespec){.tv_nsec = MS}, NULL);
    outcome->is_cut = left == 0;
    if (left > 0)
        return clock_monotonic_ns();
    pthread_mutex_lock(&server->contain->lock);
    last_ns = server->contain->last_ns;
    pthread_mutex_unlock(&server->contain->lock);
    return last_ns > enforced_ns ? last_ns : enforced_ns;
}

static void close_pending(struct server *server, const struct contain_order *order,
                          struct contain_outcome *outcome)
{
    for (size_t i = 0; i < order->count; i++) {
        const struct registry_target *target = &order->targets[i];
        if (target->credential != NULL)
            continue; /* what waits does not depend on how somebody proves who it is */
        outcome->closed +=
            deliveries_forget_agent(server->deliveries, target->partner, target->agent);
        outcome->closed += requests_close(server->registry, target->partner, target->agent,
                                          "contained", order->by, clock_now_ns());
        if (target->agent == NULL)
            outcome->closed += admin_close_raises(server, target->partner, order->by);
    }
}

void contain_now(struct server *server, const struct contain_order *order,
                 struct contain_outcome *outcome)
{
    struct contain *contain = server->contain;
    struct contain_backend *backends;
    *outcome = (struct contain_outcome){.is_cut = false};
    pthread_mutex_lock(&contain->act_lock);
    begin(contain);
    outcome->sessions = live(server, order);
    int64_t enforced_ns = enforce(server, order, outcome);
    int64_t cut_ns = await_cut(server, order, enforced_ns, outcome);
    outcome->cut_ms = (double)(cut_ns - order->arrived_ns) / 1e6;
    size_t count = take_backends(contain, &backends, &outcome->undelivered);
    outcome->backends = contain_cancel(server->config, backends, count);
    outcome->upstream_ms = ms_since(order->arrived_ns);
    free(backends);
    close_pending(server, order, outcome);
    outcome->recorded = record(server, order, outcome);
    pthread_mutex_unlock(&contain->act_lock);
    log_event(LOG_WARNING, "contained",
              "partner=%s agent=%s credential=%s count=%zu sessions=%zu cut_ms=%.1f cut=%s "
              "undelivered=%" PRIu64 " backends=%zu upstream_ms=%.1f",
              order->targets[0].partner,
              order->targets[0].agent == NULL ? "*" : order->targets[0].agent,
              order->targets[0].credential == NULL ? "*" : order->targets[0].credential,
              order->count, outcome->sessions, outcome->cut_ms, outcome->is_cut ? "yes" : "no",
              outcome->undelivered, outcome->backends, outcome->upstream_ms);
}
