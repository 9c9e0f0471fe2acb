/* See watching.h. */
#include "gateway/trust/watching.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "gateway/server.h"
#include "watch/watch.h"

static const char *columns_of(void *context, uint32_t column_set)
{
    const struct server *server = context;
    return server->ledger == NULL ? NULL : ledger_column_set_text(server->ledger, column_set);
}

static bool key_of(void *context, uint32_t id, uint16_t *kind, char key[static 256])
{
    const struct server *server = context;
    return exposure_key(server->exposure, id, kind, key) == STATUS_OK;
}

enum status watching_open(struct server *server, struct error *error)
{
    TRY(watch_new(&server->watch, error));
    watching_attach(server);
    return STATUS_OK;
}

void watching_attach(struct server *server)
{
    const struct watch_sources sources = {.context = server, .columns = columns_of, .key = key_of};
    watch_know(server->watch, &sources);
}

void watching_replay(struct server *server, const struct ledger_entry *entry)
{
    char login[2 * LIMIT_NAME_BYTES + 2];
    const struct policy_partner *partner = NULL;
    const struct policy_agent *agent = NULL;
    struct watch_verdict verdict;
    int len = snprintf(login, sizeof login, "%.*s.%.*s", (int)entry->partner.len,
                       (const char *)entry->partner.data, (int)entry->agent.len,
                       (const char *)entry->agent.data);
    if (entry->agent.len > 0 && len < (int)sizeof login)
        agent = policy_find_agent(server->snapshot->policy, login, &partner);
    watch_take(server->watch, agent == NULL ? NULL : partner, agent, WATCH_REPLAY, entry, &verdict);
}

static void raise_alarm(struct server *server, const struct policy_partner *partner,
                        const struct policy_agent *agent, const struct watch_alarm *alarm)
{
    alarm_raise(server->alarms,
                &(struct alarm){.rule = watch_rule_name(alarm->rule),
                                .partner = partner->name,
                                .agent = agent->name,
                                .text = alarm->text,
                                .contain = alarm->contain ? ALARM_CONTAIN_AGENT : ALARM_TELL});
}

enum status watching_take(struct server *server, const struct policy_partner *partner,
                          const struct policy_agent *agent, const struct ledger_entry *entry,
                          struct error *error)
{
    struct watch_verdict verdict;
    watch_take(server->watch, partner, agent, WATCH_LIVE, entry, &verdict);
    for (size_t i = 0; i < verdict.count; i++)
        raise_alarm(server, partner, agent, &verdict.alarms[i]);
    if (!verdict.contain)
        return STATUS_OK;
    return error_set(error, STATUS_DENIED, "57P01",
                     "your access is suspended; call the data controller's contact",
                     "what agent %s does is far from what it used to do", agent->login);
}

void watching_note(struct server *server, const struct policy_partner *partner,
                   const struct policy_agent *agent, const struct ledger_entry *entry)
{
    struct error held;
    enum status ignored = watching_take(server, partner, agent, entry, &held);
    (void)ignored;
}
