/* Answers about sessions, partners, budgets and the server itself. */
#include "gateway/admin/admin_asking.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "crypto/crypto.h"
#include "gateway/login/tls_desk.h"
#include "gateway/worker.h"

void admin_tell_since(const struct asking *asking, struct table *table)
{
    struct ledger_since since;
    exposure_since(asking->server->exposure, &since);
    if (since.dropped && since.entries > 0)
        since_format(since_after(since.last_ns), table->since);
}

/* Columns 8 to 10. */
static void describe_credential(struct table *table, struct table_row *row,
                                const struct credential *credential)
{
    char until[21];
    table_set(table, row, 8, "%s", credential_kind_name(credential->kind));
    if (credential->id[0] != '\0')
        table_set(table, row, 9, "%s", credential->id);
    if (credential->expires_ns == INT64_MAX)
        return;
    clock_format_utc(credential->expires_ns, until);
    table_set(table, row, 10, "%s", until);
}

enum status admin_show_sessions(struct asking *asking, struct table *table, struct error *error)
{
    enum { CAPACITY = 10000 };
    static const char *const columns[] = {
        "session", "agent",      "address",       "state",   "since",     "purpose", "statements",
        "tls",     "credential", "credential_id", "expires", "approvals", NULL};
    struct worker_session_info *lines = calloc(CAPACITY, sizeof lines[0]);
    if (lines == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    size_t count = worker_list_sessions(asking->server, lines, CAPACITY);
    table_init(table, ADMIN_TABLE_BYTES, columns);
    for (size_t i = 0; i < count && i < CAPACITY; i++) {
        char since[21];
        clock_format_utc(lines[i].since_ns, since);
        struct table_row *row = table_add(table);
        table_set(table, row, 0, "%llu", (unsigned long long)lines[i].id);
        table_set(table, row, 1, "%s", lines[i].login);
        table_set(table, row, 2, "%s", lines[i].address);
        table_set(table, row, 3, "%s", lines[i].state);
        table_set(table, row, 4, "%s", since);
        table_set(table, row, 5, "%s", lines[i].purpose);
        table_set(table, row, 6, "%llu", (unsigned long long)lines[i].statements);
        table_set(table, row, 7, "%s", lines[i].tls);
        describe_credential(table, row, &lines[i].credential);
        if (lines[i].approvals[0] != '\0')
            table_set(table, row, 11, "%s", lines[i].approvals);
    }
    free(lines);
    return STATUS_OK;
}

/* True if the partner, with all its agents, is contained. */
static const char *partner_state(struct server *server, const struct policy_partner *partner)
{
    if (registry_contained(server->registry, partner->name, NULL, NULL))
        return "contained";
    int64_t now = clock_now_ns();
    return now < partner->valid_from_ns || now >= partner->valid_until_ns ? "expired" : "active";
}

enum status admin_show_partners(struct asking *asking, struct table *table, struct error *error)
{
    static const char *const columns[] = {
        "partner",        "state",   "mode",           "agents", "grants",
        "subjects_today", "per_day", "subjects_total", "total",  NULL};
    (void)error;
    struct snapshot *snapshot = server_snapshot(asking->server);
    table_init(table, ADMIN_TABLE_BYTES, columns);
    admin_tell_since(asking, table);
    for (size_t i = 0; i < snapshot->policy->partner_count; i++) {
        const struct policy_partner *partner = &snapshot->policy->partners[i];
        struct exposure_budget used;
        exposure_budget(asking->server->exposure, partner, clock_now_ns(), &used);
        struct table_row *row = table_add(table);
        table_set(table, row, 0, "%s", partner->name);
        table_set(table, row, 1, "%s", partner_state(asking->server, partner));
        table_set(table, row, 2, "%s",
                  partner->mode == POLICY_MODE_AGGREGATES ? "aggregates" : "rows");
        table_set(table, row, 3, "%zu", partner->agent_count);
        table_set(table, row, 4, "%zu", partner->grant_count);
        table_set(table, row, 5, "%llu", (unsigned long long)used.subjects_today);
        if (partner->budget.subjects_per_day > 0)
            table_set(table, row, 6, "%llu", (unsigned long long)partner->budget.subjects_per_day);
        table_set(table, row, 7, "%llu", (unsigned long long)used.subjects_total);
        if (partner->budget.subjects_total > 0)
            table_set(table, row, 8, "%llu", (unsigned long long)partner->budget.subjects_total);
    }
    snapshot_release(snapshot);
    return STATUS_OK;
}

void admin_property(struct table *table, const char *name, const char *value)
{
    struct table_row *row = table_add(table);
    table_set(table, row, 0, "%s", name);
    if (value != NULL)
        table_set(table, row, 1, "%s", value);
}

static void agent_rows(struct asking *asking, const struct policy_partner *partner,
                       struct table *table)
{
    for (size_t i = 0; i < partner->agent_count; i++) {
        const struct policy_agent *agent = &partner->agents[i];
        bool other = agent->scram_file != NULL || agent->oidc != NULL;
        char text[500];
        snprintf(text, sizeof text, "%s%s%s%.63s%s",
                 agent->certificate == NULL ? "" : agent->certificate,
                 agent->certificate != NULL && other ? ", " : "",
                 agent->scram_file != NULL ? "SCRAM password"
                 : agent->oidc != NULL     ? "token of "
                                           : "",
                 agent->oidc == NULL ? "" : agent->oidc->provider,
                 registry_contained(asking->server->registry, partner->name, agent->name, NULL)
                     ? " (contained)"
                     : "");
        char name[100];
        snprintf(name, sizeof name, "agent %.63s", agent->name);
        admin_property(table, name, text);
    }
}

static void grant_rows(const struct snapshot *snapshot, const struct policy_partner *partner,
                       struct table *table)
{
    static const char *const forms[] = {"clear", "masked", "token"};
    for (size_t g = 0; g < partner->grant_count; g++) {
        const struct policy_grant *grant = &partner->grants[g];
        const struct policy_dataset *dataset = &snapshot->policy->datasets[grant->dataset];
        struct buffer text;
        buffer_init(&text, 64 * 1024);
        for (size_t c = 0; c < grant->column_count; c++) {
            const struct policy_granted_column *column = &grant->columns[c];
            buffer_printf(&text, "%s%s", c == 0 ? "" : ", ", dataset->columns[column->column].name);
            if (column->form != POLICY_FORM_CLEAR)
                buffer_printf(&text, " (%s)",
                              column->mask == NULL ? forms[column->form] : column->mask);
        }
        if (grant->rows != NULL)
            buffer_printf(&text, " where %s", grant->rows);
        if (grant->agent != NULL)
            buffer_printf(&text, " [agent %s]", grant->agent);
        char name[100];
        snprintf(name, sizeof name, "grant %.63s", dataset->name);
        admin_property(table, name, buffer_text(&text));
        buffer_free(&text);
    }
}

/* "limit phones: 10 of 500 people, day (phone, clear)". */
static void limit_rows(struct asking *asking, const struct policy_partner *partner,
                       struct table *table)
{
    enum { NAMED = EXPOSURE_LIMITS - POLICY_LIMITS_MAX };
    struct exposure_limit limits[EXPOSURE_LIMITS];
    size_t count = exposure_limits(asking->server->exposure, partner, clock_now_ns(), limits);
    for (size_t i = 0; i < count; i++) {
        char name[80], text[600], selection[ADMIN_SELECTION_ROOM] = "";
        if (limits[i].of == 0)
            continue;
        if (i >= NAMED)
            admin_limit_selection(&partner->budget.limits[i - NAMED], selection);
        snprintf(name, sizeof name, "limit %.63s", limits[i].name);
        snprintf(text, sizeof text, "%llu of %llu people, %s%s%s%s",
                 (unsigned long long)limits[i].used, (unsigned long long)limits[i].of,
                 limits[i].window, selection[0] == '\0' ? "" : " (", selection,
                 selection[0] == '\0' ? "" : ")");
        admin_property(table, name, text);
    }
}

/* Of everybody; claims about single people stand in the ledger alone. */
static void deletion_row(struct asking *asking, const struct policy_partner *partner,
                         struct table *table)
{
    int64_t before_ns;
    char before[21], text[80];
    if (exposure_deleted_before(asking->server->exposure, partner->name, &before_ns) != STATUS_OK)
        return;
    clock_format_utc(before_ns, before);
    snprintf(text, sizeof text, "all it had before %s, by its own word", before);
    admin_property(table, "deletion attested", text);
}

enum status admin_show_partner(struct asking *asking, struct table *table, struct error *error)
{
    static const char *const columns[] = {"property", "value", NULL};
    const struct policy_partner *partner;
    struct snapshot *snapshot = server_snapshot(asking->server);
    enum status status =
        policy_need_partner(snapshot->policy, admin_option(asking, "PARTNER"), &partner, error);
    if (status == STATUS_OK) {
        table_init(table, ADMIN_TABLE_BYTES, columns);
        admin_tell_since(asking, table);
        admin_property(table, "partner", partner->name);
        admin_property(table, "state", partner_state(asking->server, partner));
        admin_property(table, "agreement", partner->agreement);
        admin_property(table, "breach contact", partner->breach_contact_name);
        admin_property(table, "breach phone", partner->breach_contact_phone);
        admin_property(table, "mode",
                       partner->mode == POLICY_MODE_AGGREGATES ? "aggregates" : "rows");
        for (size_t i = 0; i < partner->purpose_count; i++)
            admin_property(table, "purpose", partner->purposes[i]);
        deletion_row(asking, partner, table);
        limit_rows(asking, partner, table);
        agent_rows(asking, partner, table);
        grant_rows(snapshot, partner, table);
    }
    snapshot_release(snapshot);
    return status;
}

enum status admin_show_containment(struct asking *asking, struct table *table, struct error *error)
{
    (void)error;
    registry_list(asking->server->registry, table);
    return STATUS_OK;
}

enum status admin_show_stats(struct asking *asking, struct table *table, struct error *error)
{
    static const char *const columns[] = {"property", "value", NULL};
    struct server *server = asking->server;
    struct ledger_state state;
    char text[80];
    (void)error;
    ledger_state(server->ledger, &state);
    table_init(table, ADMIN_TABLE_BYTES, columns);
    const struct {
        const char *name;
        unsigned long long value;
    } numbers[] = {
        {"sessions", atomic_load(&server->session_count)},
        {"unauthenticated connections", atomic_load(&server->lobby_count)},
        {"unauthenticated connections dropped", atomic_load(&server->lobby_dropped)},
        {"upstream connections", atomic_load(&server->upstream_count)},
        {"policy epoch", atomic_load(&server->epoch)},
        {"ledger entries", state.entries},
        {"ledger segments", state.segments},
        {"ledger bytes", state.bytes},
        {"ledger syncs", state.syncs},
        {"ledger full", state.full},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        snprintf(text, sizeof text, "%llu", numbers[i].value);
        admin_property(table, numbers[i].name, text);
    }
    crypto_hex(state.root, sizeof state.root, text);
    admin_property(table, "ledger root", text);
    return STATUS_OK;
}

enum status admin_show_tls(struct asking *asking, struct table *table, struct error *error)
{
    (void)error;
    tls_desk_tell(asking->server->tls, table);
    return STATUS_OK;
}

enum status admin_show_version(struct asking *asking, struct table *table, struct error *error)
{
    static const char *const columns[] = {"version", NULL};
    (void)asking;
    (void)error;
    table_init(table, ADMIN_TABLE_BYTES, columns);
    table_set(table, table_add(table), 0, "cofferdam " COFFERDAM_VERSION);
    return STATUS_OK;
}
