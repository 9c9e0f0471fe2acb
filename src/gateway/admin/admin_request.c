/* Requests for just-in-time access: listing and deciding them. What gives access is durable in the
 * ledger before it is in force; what takes it away is in force first. Who acts is the peer's user,
 * as the kernel tells it. Admin thread. */
#include "gateway/admin/admin_asking.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "gateway/admin/admin_recording.h"
#include "gateway/trust/approvals.h"

enum { ID, PARTNER, AGENT, DATASET, PURPOSE, STATE, ASKED, REASON, BY, UNTIL, DECISION };
static const char *const columns[] = {"id",    "partner", "agent", "dataset", "purpose",  "state",
                                      "asked", "reason",  "by",    "until",   "decision", NULL};

static const int64_t SECOND_NS = 1000000000;

static void put_instant(struct table *table, struct table_row *row, size_t column, int64_t time_ns)
{
    char text[21];
    clock_format_utc(time_ns, text);
    table_set(table, row, column, "%s", text);
}

/* The terms of the grant that the request is for; of several that are, the strictest. False where
 * the policy no longer has one. */
static bool find_terms(const struct snapshot *snapshot, const struct request *request,
                       struct policy_approval *terms)
{
    const struct policy_partner *partner = policy_find_partner(snapshot->policy, request->partner);
    *terms = (struct policy_approval){.for_ns = 0};
    for (size_t g = 0; partner != NULL && g < partner->grant_count; g++) {
        const struct policy_approval *each = &partner->grants[g].approval;
        if (!approvals_cover(&partner->grants[g], request))
            continue;
        if (terms->for_ns == 0 || each->for_ns < terms->for_ns)
            terms->for_ns = each->for_ns;
        if (each->needed > terms->needed)
            terms->needed = each->needed;
    }
    return terms->for_ns != 0;
}

static const char *state_of(const struct request *request, const struct policy_approval *terms,
                            int64_t now_ns)
{
    bool open = request->state == REQUEST_ASKED || request->state == REQUEST_APPROVED;
    if (open && terms->for_ns == 0)
        return "closed";
    if (request->state == REQUEST_APPROVED && now_ns >= approvals_end_ns(request, terms))
        return "ended";
    return request_state_name(request->state);
}

static void put_request(struct asking *asking, const struct snapshot *snapshot, struct table *table,
                        const struct request *request)
{
    struct table_row *row = table_add(table);
    struct policy_approval terms;
    bool granted = find_terms(snapshot, request, &terms);
    int64_t now_ns = clock_by_line_ns(asking->server->clock_line);
    table_set(table, row, ID, "%" PRIu64, request->id);
    table_set(table, row, PARTNER, "%s", request->partner);
    table_set(table, row, AGENT, "%s", request->agent);
    table_set(table, row, DATASET, "%s", request->dataset);
    table_set(table, row, PURPOSE, "%s", request->purpose);
    table_set(table, row, STATE, "%s", state_of(request, &terms, now_ns));
    put_instant(table, row, ASKED, request->asked_ns);
    if (request->reason[0] != '\0')
        table_set(table, row, REASON, "%s", request->reason);
    if (request->decided_by[0] != '\0')
        table_set(table, row, BY, "%s", request->decided_by);
    else if (request->approvals > 0)
        table_set(table, row, BY, "%s%s%s", request->approved_by[0],
                  request->approvals > 1 ? ", " : "", request->approved_by[1]);
    int64_t until_ns = approvals_end_ns(request, &terms);
    if (granted && until_ns != INT64_MIN)
        put_instant(table, row, UNTIL, until_ns);
    if (request->decision[0] != '\0')
        table_set(table, row, DECISION, "%s", request->decision);
}

struct listing {
    struct asking *asking;
    struct snapshot *snapshot;
    struct table *table;
    const char *partner;
    uint64_t id; /* 0: all */
};

static bool list_one(void *context, const struct request *request)
{
    struct listing *listing = context;
    if ((listing->partner == NULL || strcmp(listing->partner, request->partner) == 0) &&
        (listing->id == 0 || listing->id == request->id))
        put_request(listing->asking, listing->snapshot, listing->table, request);
    return !table_overflowed(listing->table);
}

static void list(struct asking *asking, struct table *table, const char *partner, uint64_t id)
{
    struct listing listing = {.asking = asking,
                              .snapshot = server_snapshot(asking->server),
                              .table = table,
                              .partner = partner,
                              .id = id};
    table_init(table, ADMIN_TABLE_BYTES, columns);
    requests_each(asking->server->registry, list_one, &listing);
    snapshot_release(listing.snapshot);
}

static enum status read_id(struct asking *asking, uint64_t *id, struct error *error)
{
    const char *text = admin_option(asking, "ID");
    char *end = NULL;
    *id = text == NULL || text[0] < '1' || text[0] > '9' ? 0 : strtoull(text, &end, 10);
    if (end == NULL || *end != '\0' || *id > INT64_MAX)
        return error_set(error, STATUS_DENIED, "22023", "cofferdam request list has them",
                         "\"%.40s\" is not the number of a request", text == NULL ? "" : text);
    return STATUS_OK;
}

/* ---- by itself ---- */

static void record_lapse(void *context, const struct request *request)
{
    struct server *server = context;
    struct error error;
    char text[RECORDING_TEXT_BYTES + 1000];
    snprintf(text, sizeof text, "request-lapsed\nid=%" PRIu64 "\ndataset=%s\npurpose=%s\nby=%s\n",
             request->id, request->dataset, request->purpose, request->decided_by);
    if (server_record_act(server, request->partner, request->agent, text, false, &error) !=
        STATUS_OK)
        log_event(LOG_ERROR, "act_not_recorded", "act=request-lapsed reason=\"%s\"", error.message);
    log_event(LOG_WARNING, "request_lapsed", "id=%" PRIu64 " partner=%s", request->id,
              request->partner);
}

void admin_prune_requests(struct server *server)
{
    struct error error;
    if (requests_prune(server->registry, clock_by_line_ns(server->clock_line), record_lapse, server,
                       &error) != STATUS_OK)
        log_event(LOG_WARNING, "requests_not_pruned", "reason=\"%s\"", error.message);
}

/* ---- listing ---- */

/* A name without requests is told from a slip. */
static enum status know_partner(struct asking *asking, struct table *table, struct error *error)
{
    const struct policy_partner *found;
    struct snapshot *snapshot = server_snapshot(asking->server);
    enum status status =
        policy_need_partner(snapshot->policy, admin_option(asking, "PARTNER"), &found, error);
    snapshot_release(snapshot);
    if (status != STATUS_OK)
        table_free(table);
    return status;
}

enum status admin_show_requests(struct asking *asking, struct table *table, struct error *error)
{
    uint64_t id = 0;
    if (admin_option(asking, "ID") != NULL)
        TRY(read_id(asking, &id, error));
    admin_prune_requests(asking->server); /* what is due by now is not shown as open */
    list(asking, table, admin_option(asking, "PARTNER"), id);
    if (table->row_count == 0 && admin_option(asking, "PARTNER") != NULL)
        TRY(know_partner(asking, table, error));
    if (id != 0 && table->row_count == 0) {
        table_free(table);
        return error_set(error, STATUS_NOT_FOUND, "42704", "cofferdam request list has them",
                         "there is no request %" PRIu64, id);
    }
    return STATUS_OK;
}

/* "90m", "8h": at most what the policy says. */
static enum status read_for(struct asking *asking, const struct policy_approval *terms,
                            int64_t *for_ns, struct error *error)
{
    const char *text = admin_option(asking, "FOR");
    *for_ns = terms->for_ns;
    if (text == NULL)
        return STATUS_OK;
    char *end, most[21];
    long count = strtol(text, &end, 10);
    int64_t unit_s = *end == 'm' ? 60 : *end == 'h' ? 3600 : *end == 'd' ? 86400 : 0;
    if (count < 1 || count > 100000 || unit_s == 0 || end[1] != '\0')
        return error_set(error, STATUS_DENIED, "22023", "write 90m, 8h or 2d",
                         "\"%.20s\" is no time to approve it for", text);
    clock_format_span(terms->for_ns, most);
    if (count * unit_s * SECOND_NS > terms->for_ns)
        return error_set(error, STATUS_DENIED, "22023", "approve it for less, or change the policy",
                         "the policy gives this grant for %s at most", most);
    *for_ns = count * unit_s * SECOND_NS;
    return STATUS_OK;
}

static enum status record(struct asking *asking, const struct request *request, const char *word,
                          const char *more, struct error *error)
{
    char text[RECORDING_TEXT_BYTES + 1000];
    snprintf(text, sizeof text, "%s\nid=%" PRIu64 "\ndataset=%s\npurpose=%s\nby=%s\n%s\n", word,
             request->id, request->dataset, request->purpose, asking->by, more);
    return server_record_act(asking->server, request->partner, request->agent, text, true, error);
}

static enum status approve(struct asking *asking, const struct snapshot *snapshot, uint64_t id,
                           struct error *error)
{
    struct request request;
    struct registry *registry = asking->server->registry;
    char more[100];
    int64_t for_ns;
    TRY(requests_may_approve(registry, id, asking->by, &request, error));
    struct policy_approval terms;
    if (!find_terms(snapshot, &request, &terms))
        return error_set(error, STATUS_DENIED, "55000", "the partner asks again if it needs it",
                         "the grant that request %" PRIu64 " is for is no longer in the policy",
                         id);
    TRY(read_for(asking, &terms, &for_ns, error));
    snprintf(more, sizeof more, "approval=%u of %u\nminutes=%lld", request.approvals + 1,
             terms.needed, (long long)(for_ns / SECOND_NS / 60));
    TRY(record(asking, &request, "request-approved", more, error));
    TRY(requests_approve(registry, id, asking->by, terms.needed, for_ns,
                         clock_by_line_ns(asking->server->clock_line), &request, error));
    log_event(LOG_WARNING, "request_approved", "id=%" PRIu64 " partner=%s by=\"%s\" state=%s", id,
              request.partner, asking->by, request_state_name(request.state));
    return STATUS_OK;
}

enum status admin_approve_request(struct asking *asking, struct table *table, struct error *error)
{
    uint64_t id;
    TRY(read_id(asking, &id, error));
    struct snapshot *snapshot = server_snapshot(asking->server);
    enum status status = approve(asking, snapshot, id, error);
    snapshot_release(snapshot);
    TRY(status);
    server_wake(asking->server);
    list(asking, table, NULL, id);
    return STATUS_OK;
}

/* DENY and REVOKE: which of the two it is follows from the request; the word must fit. */
static enum status end(struct asking *asking, struct table *table, enum request_state wanted,
                       struct error *error)
{
    struct request request;
    const char *reason;
    char more[RECORDING_TEXT_BYTES + 20];
    uint64_t id;
    TRY(read_id(asking, &id, error));
    TRY(recording_text(asking, "REASON", true, &reason, error));
    if (strlen(reason) >= REQUEST_TEXT_ROOM)
        return error_set(error, STATUS_DENIED, "22023", NULL, "REASON is longer than %d bytes",
                         REQUEST_TEXT_ROOM - 1);
    enum status status =
        requests_end(asking->server->registry, id, wanted, asking->by, reason,
                     clock_by_line_ns(asking->server->clock_line), &request, error);
    if (status == STATUS_DENIED || status == STATUS_NOT_FOUND)
        return status;
    server_wake(asking->server);
    if (status != STATUS_OK) /* it is in force; what follows tells the ledger, and staff the rest */
        log_event(LOG_ERROR, "request_not_stored", "id=%" PRIu64 " reason=\"%s\"", id,
                  error->message);
    snprintf(more, sizeof more, "reason=%s", reason);
    TRY(record(asking, &request, wanted == REQUEST_DENIED ? "request-denied" : "request-revoked",
               more, error));
    if (status != STATUS_OK)
        return error_set(error, STATUS_IO, "58030",
                         "the gateway tries again by itself; its log says why it could not",
                         "request %" PRIu64
                         " is %s, but not stored: do not start the gateway again "
                         "before it is",
                         id, request_state_name(wanted));
    list(asking, table, NULL, id);
    return STATUS_OK;
}

enum status admin_deny_request(struct asking *asking, struct table *table, struct error *error)
{
    return end(asking, table, REQUEST_DENIED, error);
}

enum status admin_revoke_request(struct asking *asking, struct table *table, struct error *error)
{
    return end(asking, table, REQUEST_REVOKED, error);
}
