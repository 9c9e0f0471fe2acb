/* Budgets: how they stand, and raising one. A raise is an act in the ledger, proposed by one member
 * of staff and approved by another (or by the same, where config says that one suffices). Who acts
 * is the peer's user, as the kernel tells it. In force once its act is durable. Admin thread. */
#include "gateway/admin/admin_asking.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "gateway/admin/admin_recording.h"

static const uint64_t MOST = 1000000000000;

/* ---- how budgets stand ---- */

static void put_instant(struct table *table, struct table_row *row, size_t column, int64_t time_ns)
{
    char text[21];
    clock_format_utc(time_ns, text);
    table_set(table, row, column, "%s", text);
}

void admin_limit_selection(const struct policy_limit *limit, char text[static ADMIN_SELECTION_ROOM])
{
    static const char *const forms[] = {"clear", "masked", "token"};
    snprintf(text, ADMIN_SELECTION_ROOM, "%s%s%s%s%s%s%s", limit->category == NULL ? "" : ", ",
             limit->category == NULL ? "" : limit->category, limit->has_form ? ", " : "",
             limit->has_form ? forms[limit->form] : "", limit->agent == NULL ? "" : ", agent ",
             limit->agent == NULL ? "" : limit->agent, limit->purpose == NULL ? "" : ", purpose ");
    size_t len = strlen(text), comma = strlen(", ");
    snprintf(text + len, ADMIN_SELECTION_ROOM - len, "%s",
             limit->purpose == NULL ? "" : limit->purpose);
    if (text[0] != '\0')
        memmove(text, text + comma, strlen(text) - comma + 1);
}

static void put_selection(struct table *table, struct table_row *row, size_t column,
                          const struct policy_limit *limit)
{
    char text[ADMIN_SELECTION_ROOM];
    admin_limit_selection(limit, text);
    if (text[0] != '\0')
        table_set(table, row, column, "%s", text);
}

enum { PARTNER, LIMIT, USED, OF, WINDOW, COUNTS, STATE, RAISED_UNTIL, PACE, USED_UP, ROOM_FROM };

static void limit_line(struct table *table, const struct policy_partner *partner, size_t at,
                       const struct exposure_limit *limit, int64_t now_ns)
{
    struct table_row *row = table_add(table);
    const struct policy_budget *budget = &partner->budget;
    table_set(table, row, PARTNER, "%s", partner->name);
    table_set(table, row, LIMIT, "%s", at < 2 ? "subjects" : limit->name);
    table_set(table, row, USED, "%" PRIu64, limit->used);
    table_set(table, row, WINDOW, "%s", at == 1 ? "total" : limit->window);
    if (at >= 2)
        put_selection(table, row, COUNTS, &budget->limits[at - 2]);
    table_set(table, row, PACE, "%.1f", limit->pace);
    if (limit->of == 0)
        return;
    table_set(table, row, OF, "%" PRIu64, limit->of);
    table_set(table, row, STATE, "%s",
              limit->used >= limit->of ? "used up"
              : limit->warned          ? "warned"
                                       : "ok");
    if (limit->raised_until_ns != 0)
        put_instant(table, row, RAISED_UNTIL, limit->raised_until_ns);
    if (limit->used >= limit->of)
        table_set(table, row, USED_UP, "now");
    else if (limit->used_up_ns == INT64_MAX)
        table_set(table, row, USED_UP, "not at this pace");
    else
        put_instant(table, row, USED_UP, limit->used_up_ns > now_ns ? limit->used_up_ns : now_ns);
    if (limit->used >= limit->of && limit->frees_at_ns != INT64_MAX)
        put_instant(table, row, ROOM_FROM, limit->frees_at_ns);
}

static void count_line(struct table *table, const char *partner, const char *limit, uint64_t used,
                       uint64_t bound)
{
    struct table_row *row = table_add(table);
    table_set(table, row, PARTNER, "%s", partner);
    table_set(table, row, LIMIT, "%s", limit);
    table_set(table, row, USED, "%" PRIu64, used);
    if (bound > 0)
        table_set(table, row, OF, "%" PRIu64, bound);
    table_set(table, row, WINDOW, "day");
}

static void partner_lines(struct asking *asking, const struct policy_partner *partner,
                          struct table *table)
{
    struct exposure_limit limits[EXPOSURE_LIMITS];
    struct exposure_budget used;
    int64_t now_ns = clock_now_ns();
    size_t count = exposure_limits(asking->server->exposure, partner, now_ns, limits);
    for (size_t i = 0; i < count; i++)
        limit_line(table, partner, i, &limits[i], now_ns);
    exposure_budget(asking->server->exposure, partner, now_ns, &used);
    count_line(table, partner->name, "probes", used.probes_today, partner->budget.probes_per_day);
    count_line(table, partner->name, "errors", used.errors_today, partner->budget.errors_per_day);
}

enum status admin_show_budget(struct asking *asking, struct table *table, struct error *error)
{
    static const char *const columns[] = {"partner", "limit",   "used",      "of",
                                          "window",  "counts",  "state",     "raised_until",
                                          "pace",    "used_up", "room_from", NULL};
    const char *only = admin_option(asking, "PARTNER");
    struct snapshot *snapshot = server_snapshot(asking->server);
    (void)error;
    table_init(table, ADMIN_TABLE_BYTES, columns);
    admin_tell_since(asking, table);
    for (size_t i = 0; i < snapshot->policy->partner_count; i++) {
        const struct policy_partner *partner = &snapshot->policy->partners[i];
        if (only == NULL || strcmp(only, partner->name) == 0)
            partner_lines(asking, partner, table);
    }
    snapshot_release(snapshot);
    return STATUS_OK;
}

/* ---- raises ---- */

static bool raise_line(void *context, const struct exposure_raise *raise)
{
    struct table *table = context;
    struct table_row *row = table_add(table);
    char until[21];
    clock_format_utc(raise->until_ns, until);
    table_set(table, row, 0, "%" PRIu64, raise->id);
    table_set(table, row, 1, "%s", raise->partner);
    table_set(table, row, 2, "%s", raise->limit);
    table_set(table, row, 3, "%" PRIu64, raise->to);
    table_set(table, row, 4, "%s", until);
    table_set(table, row, 5, "%s",
              raise->state == EXPOSURE_RAISE_APPROVED ? "in force" : "to be approved");
    table_set(table, row, 6, "%s", raise->by);
    if (raise->approved_by[0] != '\0')
        table_set(table, row, 7, "%s", raise->approved_by);
    return true;
}

static const char *const raise_columns[] = {"id",    "partner", "limit",       "to", "until",
                                            "state", "by",      "approved_by", NULL};

enum status admin_show_raises(struct asking *asking, struct table *table, struct error *error)
{
    (void)error;
    table_init(table, ADMIN_TABLE_BYTES, raise_columns);
    exposure_raises(asking->server->exposure, admin_option(asking, "PARTNER"), clock_now_ns(),
                    raise_line, table);
    return STATUS_OK;
}

/* Writes the act, waits until it is durable, and then lets it be in force. */
static enum status act(struct server *server, const char *partner, const char *text,
                       uint64_t *sequence, struct error *error)
{
    struct ledger_entry entry = {.type = LEDGER_ACT,
                                 .chunk_count = 1,
                                 .time_ns = clock_now_ns(),
                                 .partner = slice_of_text(partner),
                                 .text = slice_of_text(text)};
    TRY(ledger_append(server->ledger, &entry, slice_of(NULL, 0), sequence, error));
    ledger_wait(server->ledger, *sequence);
    exposure_record(server->exposure, *sequence, &entry);
    return STATUS_OK;
}

static enum status read_number(struct asking *asking, const char *name, uint64_t *number,
                               struct error *error)
{
    const char *text = admin_option(asking, name);
    char *end = NULL;
    *number = text == NULL || text[0] < '0' || text[0] > '9' ? 0 : strtoull(text, &end, 10);
    if (end == NULL || *end != '\0' || *number > MOST)
        return error_set(error, STATUS_DENIED, "22023", "write digits alone",
                         "%s 'number' is wanted", name);
    return STATUS_OK;
}

static enum status read_until(struct asking *asking, int64_t *until_ns, struct error *error)
{
    static const int64_t YEAR_NS = 366LL * 24 * 3600 * 1000000000;
    const char *text;
    TRY(recording_text(asking, "UNTIL", true, &text, error));
    enum status status = clock_parse(text, until_ns, error);
    int64_t now_ns = clock_now_ns();
    if (status == STATUS_OK && (*until_ns <= now_ns || *until_ns > now_ns + YEAR_NS))
        return error_set(error, STATUS_DENIED, "22008", "for longer, change the policy",
                         "UNTIL must be within the next 366 days");
    if (status != STATUS_OK)
        error_prefix(error, "UNTIL");
    return status;
}

/* The bound in force for the partner's limit of that name. */
static enum status find_limit(struct asking *asking, const struct policy_partner *partner,
                              const char *name, uint64_t *bound, struct error *error)
{
    struct exposure_limit limits[EXPOSURE_LIMITS];
    size_t count = exposure_limits(asking->server->exposure, partner, clock_now_ns(), limits);
    for (size_t i = 0; i < count; i++)
        if (strcmp(limits[i].name, name) == 0 && limits[i].of != 0) {
            *bound = limits[i].of;
            return STATUS_OK;
        }
    return error_set(error, STATUS_NOT_FOUND, "42704",
                     "per_day, total, or a name under budget: limits in the policy",
                     "partner %s has no bound \"%.60s\"", partner->name, name);
}

static enum status check_raise(struct asking *asking, const char **partner, const char *limit,
                               uint64_t to, struct error *error)
{
    uint64_t bound = 0;
    const struct policy_partner *found;
    struct snapshot *snapshot = server_snapshot(asking->server);
    enum status status = policy_need_partner(snapshot->policy, *partner, &found, error);
    if (status == STATUS_OK)
        status = find_limit(asking, found, limit, &bound, error);
    snapshot_release(snapshot);
    if (status == STATUS_OK && to <= bound)
        return error_set(error, STATUS_DENIED, "22023",
                         "to lower it, revoke a raise or change the policy",
                         "%" PRIu64 " is no raise: the bound is %" PRIu64, to, bound);
    return status;
}

static bool find_raise(void *context, const struct exposure_raise *raise)
{
    struct exposure_raise *wanted = context;
    if (raise->id != wanted->id)
        return true;
    *wanted = *raise;
    return false;
}

static enum status named_raise(struct asking *asking, struct exposure_raise *raise,
                               struct error *error)
{
    *raise = (struct exposure_raise){0};
    TRY(read_number(asking, "ID", &raise->id, error));
    exposure_raises(asking->server->exposure, NULL, clock_now_ns(), find_raise, raise);
    if (raise->partner[0] == '\0')
        return error_set(error, STATUS_NOT_FOUND, "42704", "cofferdam budget raises lists them",
                         "no raise %" PRIu64 " is proposed or in force", raise->id);
    return STATUS_OK;
}

static enum status approve(struct asking *asking, struct exposure_raise *raise, struct error *error)
{
    uint64_t sequence;
    char text[400], until[21];
    clock_format_utc(raise->until_ns, until);
    snprintf(text, sizeof text,
             "%s\nid=%" PRIu64 "\nlimit=%s\nto=%" PRIu64 "\nuntil=%s\nproposed_by=%s\nby=%s\n",
             EXPOSURE_ACT_RAISED, raise->id, raise->limit, raise->to, until, raise->by, asking->by);
    TRY(act(asking->server, raise->partner, text, &sequence, error));
    raise->state = EXPOSURE_RAISE_APPROVED;
    snprintf(raise->approved_by, sizeof raise->approved_by, "%s", asking->by);
    log_event(LOG_WARNING, "budget_raised", "partner=%s limit=%s to=%" PRIu64 " until=%s",
              raise->partner, raise->limit, raise->to, until);
    return STATUS_OK;
}

static void answer(struct table *table, const struct exposure_raise *raise)
{
    table_init(table, ADMIN_TABLE_BYTES, raise_columns);
    raise_line(table, raise);
}

enum status admin_raise_budget(struct asking *asking, struct table *table, struct error *error)
{
    const char *partner = admin_option(asking, "PARTNER"), *limit, *reason;
    char text[RECORDING_TEXT_BYTES + 400], until[21];
    struct exposure_raise raise = {.state = EXPOSURE_RAISE_PROPOSED};
    TRY(recording_text(asking, "LIMIT", true, &limit, error));
    TRY(recording_text(asking, "REASON", true, &reason, error));
    TRY(read_number(asking, "TO", &raise.to, error));
    TRY(read_until(asking, &raise.until_ns, error));
    TRY(check_raise(asking, &partner, limit, raise.to, error));
    snprintf(raise.partner, sizeof raise.partner, "%s", partner);
    snprintf(raise.limit, sizeof raise.limit, "%s", limit);
    snprintf(raise.by, sizeof raise.by, "%s", asking->by);
    clock_format_utc(raise.until_ns, until);
    snprintf(text, sizeof text, "%s\nlimit=%s\nto=%" PRIu64 "\nuntil=%s\nby=%s\nreason=%s\n",
             EXPOSURE_ACT_PROPOSED, raise.limit, raise.to, until, raise.by, reason);
    TRY(act(asking->server, partner, text, &raise.id, error));
    if (asking->server->config->budget.approvals == 1)
        TRY(approve(asking, &raise, error));
    answer(table, &raise);
    return STATUS_OK;
}

enum status admin_approve_budget(struct asking *asking, struct table *table, struct error *error)
{
    struct exposure_raise raise;
    TRY(named_raise(asking, &raise, error));
    if (raise.state != EXPOSURE_RAISE_PROPOSED)
        return error_set(error, STATUS_DENIED, "55000", NULL, "raise %" PRIu64 " is in force",
                         raise.id);
    if (asking->server->config->budget.approvals > 1 && strcmp(raise.by, asking->by) == 0)
        return error_set(
            error, STATUS_DENIED, "42501",
            "another user must approve it; cofferdam.yaml can set budget: {approvals: 1}",
            "raise %" PRIu64 " was proposed by the same user", raise.id);
    TRY(approve(asking, &raise, error));
    answer(table, &raise);
    return STATUS_OK;
}

/* Anybody of the staff may take one back, at once. */
enum status admin_revoke_budget(struct asking *asking, struct table *table, struct error *error)
{
    static const char *const columns[] = {"id", "partner", "limit", "state", NULL};
    struct exposure_raise raise;
    const char *reason;
    uint64_t sequence;
    char text[RECORDING_TEXT_BYTES + 200];
    TRY(recording_text(asking, "REASON", true, &reason, error));
    TRY(named_raise(asking, &raise, error));
    snprintf(text, sizeof text, "%s\nid=%" PRIu64 "\nlimit=%s\nby=%s\nreason=%s\n",
             EXPOSURE_ACT_REVOKED, raise.id, raise.limit, asking->by, reason);
    TRY(act(asking->server, raise.partner, text, &sequence, error));
    table_init(table, ADMIN_TABLE_BYTES, columns);
    struct table_row *row = table_add(table);
    table_set(table, row, 0, "%" PRIu64, raise.id);
    table_set(table, row, 1, "%s", raise.partner);
    table_set(table, row, 2, "%s", raise.limit);
    table_set(table, row, 3, "revoked");
    return STATUS_OK;
}

struct closing {
    struct server *server;
    const char *by;
    size_t count;
};

static bool close_raise(void *context, const struct exposure_raise *raise)
{
    struct closing *closing = context;
    struct error error;
    uint64_t sequence;
    char text[400];
    snprintf(text, sizeof text, "%s\nid=%" PRIu64 "\nlimit=%s\nby=%s\nreason=contained\n",
             EXPOSURE_ACT_REVOKED, raise->id, raise->limit, closing->by);
    if (act(closing->server, raise->partner, text, &sequence, &error) == STATUS_OK)
        closing->count++;
    else
        log_event(LOG_ERROR, "raise_not_closed", "partner=%s reason=\"%s\"", raise->partner,
                  error.message);
    return true;
}

size_t admin_close_raises(struct server *server, const char *partner, const char *by)
{
    struct closing closing = {.server = server, .by = by};
    exposure_raises(server->exposure, partner, clock_now_ns(), close_raise, &closing);
    return closing.count;
}
