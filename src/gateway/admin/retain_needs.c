/* See retain_needs.h. */
#include "gateway/admin/retain_needs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "exposure/forgetting.h"
#include "ledger/kept.h"
#include "registry/deliveries.h"
#include "registry/incidents.h"

enum { DECIMAL = 10, PATH_ROOM = 4096, RECORD_BYTES = 1 << 20, TIME_ROOM = 21 };

static const int64_t day_ns = 86400LL * 1000000000;

/* ---- limits and statistics ---- */

/* How long entries are needed for what is in force, and by whom; NULL: by every limit's window. */
static int64_t needed_days(const struct policy *policy, const char **partner)
{
    int64_t most = FORGETTING_WINDOW_DAYS;
    *partner = NULL;
    for (size_t i = 0; i < policy->partner_count; i++)
        if (policy->partners[i].remember_days > most) {
            most = policy->partners[i].remember_days;
            *partner = policy->partners[i].name;
        }
    return most;
}

/* A statement's last entries come after its first: one day more than what is looked at. */
static enum status check_windows(const struct policy *policy, const struct retention_plan *plan,
                                 int64_t now_ns, struct error *error)
{
    const char *partner;
    char last[TIME_ROOM], until[TIME_ROOM], hint[200];
    int64_t days = needed_days(policy, &partner);
    int64_t bound_ns = now_ns - (days + 1) * day_ns;
    if (plan->statement.last_ns < bound_ns)
        return STATUS_OK;
    clock_format_utc(plan->statement.last_ns, last);
    clock_format_utc(bound_ns, until);
    snprintf(hint, sizeof hint, "--before %s is the latest now", until);
    if (partner == NULL)
        return error_set(error, STATUS_DENIED, "55000", hint,
                         "entries up to %s would go, and limits look back %" PRId64 " days", last,
                         days);
    return error_set(error, STATUS_DENIED, "55000", hint,
                     "entries up to %s would go, and statistics given to %s are remembered for "
                     "%" PRId64 " days (aggregates: {remember: …})",
                     last, partner, days);
}

/* ---- incidents ---- */

/* A scope is all that the partner was ever given, and its hash is fixed: it is of the ledger as it
 * was then. The portal answers from a closed case as long. */
static const int64_t INCIDENT_NS = 400 * INT64_C(86400000000000);

static enum status check_incident(struct incidents *incidents, int64_t number, struct error *error)
{
    struct incident incident;
    struct arena arena;
    arena_init(&arena, RECORD_BYTES);
    enum status status = incidents_get(incidents, number, &arena, &incident, error);
    bool is_open = status == STATUS_OK && incident.closed_ns == INT64_MIN;
    bool answers = status == STATUS_OK && !is_open && !incident.is_drill &&
                   incident.closed_ns > clock_now_ns() - INCIDENT_NS;
    if (is_open)
        status = error_set(error, STATUS_DENIED, "55000",
                           "Retention waits until 400 days after an incident was closed.",
                           "incident %" PRId64 " about %s is open, and its scope begins with the "
                           "ledger",
                           number, incident.partner);
    if (answers)
        status =
            error_set(error, STATUS_DENIED, "55000",
                      "Retention waits until 400 days after an incident was closed.",
                      "incident %" PRId64 " about %s was closed less than 400 days ago: people "
                      "who ask are answered from its scope, which begins with the ledger",
                      number, incident.partner);
    arena_free(&arena);
    return status;
}

static enum status check_all(struct incidents *incidents, struct error *error)
{
    struct table list;
    TRY(incidents_list(incidents, &list, error));
    enum status status = table_overflowed(&list)
                             ? error_set(error, STATUS_LIMIT, "54000", NULL, "too many incidents")
                             : STATUS_OK;
    for (const struct table_row *row = list.first; status == STATUS_OK && row != NULL;
         row = row->next)
        status = check_incident(incidents, strtoll(row->cells[0], NULL, DECIMAL), error);
    table_free(&list);
    return status;
}

enum status retain_check_incidents(const struct config *config, struct error *error)
{
    char path[PATH_ROOM];
    struct incidents *incidents = NULL;
    if (snprintf(path, sizeof path, "%s/incidents.sqlite", config->incidents_folder) >=
        (int)sizeof path)
        return error_set(error, STATUS_INVALID, "58030", NULL, "path is too long");
    if (!file_exists(path))
        return STATUS_OK;
    TRY(incidents_open(config->incidents_folder, &incidents, error));
    enum status status = check_all(incidents, error);
    incidents_close(incidents);
    return status;
}

/* ---- deliveries ---- */

static enum status check_delivery(struct deliveries *deliveries, const char *id,
                                  const struct retention_plan *plan, uint64_t gone_before,
                                  int64_t now_ns, uint64_t *count, struct error *error)
{
    struct delivery delivery;
    struct arena arena;
    char opened[TIME_ROOM];
    arena_init(&arena, RECORD_BYTES);
    enum status status = deliveries_get(deliveries, id, &arena, &delivery, error);
    uint64_t at = status == STATUS_OK ? (uint64_t)delivery.opened_at : 0;
    if (status == STATUS_OK && at >= gone_before && at < plan->statement.tree.size) {
        ++*count;
        clock_format_utc(delivery.opened_ns, opened);
        if (delivery.opened_ns > now_ns - RETAIN_TRACE_DAYS * day_ns)
            status = error_set(error, STATUS_DENIED, "55000", "Give --before an earlier time.",
                               "delivery %s to %s is of %s: what it released is kept for %d days, "
                               "so that a leaked copy can be traced",
                               delivery.id, delivery.partner, opened, RETAIN_TRACE_DAYS);
    }
    arena_free(&arena);
    return status;
}

static enum status check_deliveries(const struct config *config, const struct retention_plan *plan,
                                    int64_t now_ns, uint64_t *count, struct error *error)
{
    char path[PATH_ROOM], folder[PATH_ROOM];
    struct deliveries *deliveries = NULL;
    struct ledger_since since;
    struct table list;
    snprintf(path, sizeof path, "%.4000s/deliveries.sqlite", config->state_folder);
    snprintf(folder, sizeof folder, "%.4000s/ledger", config->state_folder);
    *count = 0;
    TRY(ledger_since(folder, &since, error));
    TRY(deliveries_open(path, &deliveries, error));
    enum status status = deliveries_list(deliveries, NULL, &list, error);
    if (status == STATUS_OK) {
        if (table_overflowed(&list))
            status = error_set(error, STATUS_LIMIT, "54000", NULL, "too many deliveries");
        for (const struct table_row *row = list.first; status == STATUS_OK && row != NULL;
             row = row->next)
            status =
                check_delivery(deliveries, row->cells[0], plan, since.below, now_ns, count, error);
        table_free(&list);
    }
    deliveries_close(deliveries);
    return status;
}

enum status retain_check_needs(const struct config *config, const struct policy *policy,
                               const struct retention_plan *plan, int64_t now_ns,
                               uint64_t *deliveries, struct error *error)
{
    TRY(check_windows(policy, plan, now_ns, error));
    TRY(retain_check_incidents(config, error));
    return check_deliveries(config, plan, now_ns, deliveries, error);
}

/* ---- witnesses ---- */

enum status retain_vouched(const struct config *config, const char *ledger_folder, uint64_t *size,
                           struct error *error)
{
    size_t count = config->ledger.witness_count, quorum = config->ledger.witness_quorum;
    quorum = quorum == 0 ? 1 : quorum; /* whoever has witnesses wants to be vouched for */
    *size = UINT64_MAX;
    if (count == 0)
        return STATUS_OK;
    struct note_key *keys = calloc(count, sizeof *keys);
    if (keys == NULL)
        return error_no_memory(error);
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        status = note_key_parse(slice_of_text(config->ledger.witnesses[i].key), &keys[i], error);
    if (status == STATUS_OK)
        status = kept_cosigned(ledger_folder, keys, count, quorum, size, error);
    free(keys);
    return status;
}
