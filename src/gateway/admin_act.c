/* Acts of staff: contain, restore, reload. Each goes into the ledger. */
#include "gateway/admin_asking.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"

static enum status named_partner(struct asking *asking, const char **partner, const char **agent,
                                 const char **reason, struct error *error)
{
    const struct policy_partner *found;
    *partner = admin_option(asking, "PARTNER");
    *agent = admin_option(asking, "AGENT");
    *reason = admin_option(asking, "REASON");
    if (*reason == NULL || (*reason)[0] == '\0')
        return error_set(error, STATUS_DENIED, "22023", "add REASON 'why'",
                         "a reason is required: it goes into the ledger");
    struct snapshot *snapshot = server_snapshot(asking->server);
    enum status status = admin_find_partner(snapshot, *partner, &found, error);
    if (status == STATUS_OK && *agent != NULL) {
        size_t i = 0;
        while (i < found->agent_count && strcmp(found->agents[i].name, *agent) != 0)
            i++;
        if (i == found->agent_count)
            status = error_set(error, STATUS_NOT_FOUND, "42704", "SHOW PARTNER lists its agents",
                               "partner %s has no agent \"%.60s\"", *partner, *agent);
    }
    snapshot_release(snapshot);
    return status;
}

static void record(struct asking *asking, const char *verb, const char *partner, const char *agent,
                   const char *reason)
{
    char text[1200];
    struct error error;
    snprintf(text, sizeof text, "%s by=%s reason=%.1000s", verb, asking->by, reason);
    if (server_record_act(asking->server, partner, agent, text, true, &error) != STATUS_OK)
        log_event(LOG_ERROR, "act_not_recorded", "act=%s reason=\"%s\"", verb, error.message);
}

/* Enforced first, recorded second: also when neither registry nor ledger can take it. */
enum status admin_contain(struct asking *asking, struct table *table, struct error *error)
{
    static const char *const columns[] = {"partner", "agent",  "state", "sessions",
                                          "cut_ms",  "stored", NULL};
    const char *partner, *agent, *reason;
    TRY(named_partner(asking, &partner, &agent, &reason, error));
    struct server *server = asking->server;
    int64_t begun = clock_monotonic_ns();
    size_t sessions = server_live_count(server, partner, agent);
    struct error stored;
    enum status status = registry_contain(server->registry, partner, agent, reason, asking->by,
                                          clock_now_ns(), &stored);
    server_wake(server);
    enum { WAIT_STEPS = 500 };
    for (int i = 0; i < WAIT_STEPS && server_live_count(server, partner, agent) > 0; i++)
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    double cut_ms = (double)(clock_monotonic_ns() - begun) / 1e6;
    record(asking, "contain", partner, agent, reason);
    log_event(LOG_WARNING, "contained", "partner=%s agent=%s sessions=%zu cut_ms=%.1f", partner,
              agent == NULL ? "*" : agent, sessions, cut_ms);
    table_init(table, ADMIN_TABLE_BYTES, columns);
    struct table_row *row = table_add(table);
    table_set(table, row, 0, "%s", partner);
    table_set(table, row, 1, "%s", agent == NULL ? "*" : agent);
    table_set(table, row, 2, "contained");
    table_set(table, row, 3, "%zu", sessions);
    table_set(table, row, 4, "%.1f", cut_ms);
    table_set(table, row, 5, "%s", status == STATUS_OK ? "yes" : stored.message);
    return STATUS_OK;
}

enum status admin_restore(struct asking *asking, struct table *table, struct error *error)
{
    static const char *const columns[] = {"partner", "agent", "state", NULL};
    const char *partner, *agent, *reason;
    TRY(named_partner(asking, &partner, &agent, &reason, error));
    TRY(registry_restore(asking->server->registry, partner, agent, reason, asking->by,
                         clock_now_ns(), error));
    server_wake(asking->server);
    record(asking, "restore", partner, agent, reason);
    table_init(table, ADMIN_TABLE_BYTES, columns);
    struct table_row *row = table_add(table);
    table_set(table, row, 0, "%s", partner);
    table_set(table, row, 1, "%s", agent == NULL ? "*" : agent);
    table_set(table, row, 2, "active");
    return STATUS_OK;
}

static pthread_mutex_t reload_lock = PTHREAD_MUTEX_INITIALIZER;

enum status admin_reload(struct server *server, struct error *error)
{
    pthread_mutex_lock(&reload_lock);
    enum status status = server_reload(server, error);
    if (status == STATUS_OK)
        status = server_record_act(server, NULL, NULL, "reload", false, error);
    pthread_mutex_unlock(&reload_lock);
    return status;
}

enum status admin_reload_policy(struct asking *asking, struct table *table, struct error *error)
{
    static const char *const columns[] = {"policy", "partners", "datasets", NULL};
    TRY(admin_reload(asking->server, error));
    struct snapshot *snapshot = server_snapshot(asking->server);
    table_init(table, ADMIN_TABLE_BYTES, columns);
    struct table_row *row = table_add(table);
    table_set(table, row, 0, "%s", snapshot->policy->id);
    table_set(table, row, 1, "%zu", snapshot->policy->partner_count);
    table_set(table, row, 2, "%zu", snapshot->policy->dataset_count);
    snapshot_release(snapshot);
    return STATUS_OK;
}
