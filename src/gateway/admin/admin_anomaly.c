/* SHOW ANOMALIES: how each agent stands against its own history, rule by rule. Admin thread. */
#include "gateway/admin/admin_asking.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "watch/watch.h"

enum {
    PARTNER,
    AGENT,
    RULE,
    NOW,
    BOUND,
    FLOOR,
    FACTOR,
    GREATEST,
    GREATEST_ON,
    KNOWN,
    STATE,
    CONTAIN
};
static const int64_t DAY_NS = 86400LL * 1000000000;

static void set_number(struct table *table, struct table_row *row, size_t column, uint64_t number)
{
    table_set(table, row, column, "%" PRIu64, number);
}

static void set_state(struct table *table, struct table_row *row,
                      const struct policy_anomalies *anomalies, bool is_off,
                      const struct watch_figure *figure, const struct watch_standing *standing)
{
    if (is_off)
        table_set(table, row, STATE, "off");
    else if (figure->alarmed)
        table_set(table, row, STATE, "alarm raised");
    else if (!standing->learned)
        table_set(table, row, STATE, "learning (%u of %u days)", standing->worked_days,
                  anomalies->learn);
    else
        table_set(table, row, STATE, "ok");
}

static void set_rate(struct table *table, struct table_row *row,
                     const struct policy_anomaly_rule *rule, const struct watch_figure *figure)
{
    char on[21];
    set_number(table, row, BOUND, figure->bound);
    set_number(table, row, FLOOR, rule->floor);
    set_number(table, row, FACTOR, rule->factor);
    set_number(table, row, GREATEST, figure->greatest);
    if (figure->greatest == 0)
        return;
    clock_format_utc(figure->greatest_on * DAY_NS, on);
    table_set(table, row, GREATEST_ON, "%.10s", on);
}

static void agent_lines(struct asking *asking, const struct policy_partner *partner,
                        const struct policy_agent *agent, struct table *table)
{
    struct watch_standing standing;
    watch_standing(asking->server->watch, partner, agent, clock_now_ns(), &standing);
    for (int at = 0; at < POLICY_ANOMALIES; at++) {
        const struct policy_anomaly_rule *rule = &partner->anomalies.rules[at];
        const struct watch_figure *figure = &standing.figures[at];
        struct table_row *row = table_add(table);
        table_set(table, row, PARTNER, "%s", partner->name);
        table_set(table, row, AGENT, "%s", agent->name);
        table_set(table, row, RULE, "%s", policy_anomaly_names[at]);
        set_number(table, row, NOW, figure->now);
        if (policy_anomaly_is_rate((enum policy_anomaly)at))
            set_rate(table, row, rule, figure);
        else
            set_number(table, row, KNOWN, figure->greatest); /* hours: by quarters */
        set_state(table, row, &partner->anomalies, rule->off, figure, &standing);
        table_set(table, row, CONTAIN, "%s", rule->contain ? "yes" : "no");
    }
}

enum status admin_show_anomalies(struct asking *asking, struct table *table, struct error *error)
{
    static const char *const columns[] = {"partner", "agent",   "rule",     "now",         "bound",
                                          "floor",   "factor",  "greatest", "greatest_on", "known",
                                          "state",   "contain", NULL};
    const char *only = admin_option(asking, "PARTNER"), *name = admin_option(asking, "AGENT");
    const struct policy_partner *found = NULL;
    const struct policy_agent *agent;
    struct snapshot *snapshot = server_snapshot(asking->server);
    enum status status = STATUS_OK;
    if (only != NULL || name != NULL)
        status = policy_need_partner(snapshot->policy, only, &found, error);
    if (status == STATUS_OK && name != NULL)
        status = policy_need_agent(found, name, &agent, error);
    if (status == STATUS_OK) {
        table_init(table, ADMIN_TABLE_BYTES, columns);
        admin_tell_since(asking, table);
        for (size_t i = 0; i < snapshot->policy->partner_count; i++) {
            const struct policy_partner *partner = &snapshot->policy->partners[i];
            for (size_t a = 0; a < partner->agent_count; a++)
                if ((found == NULL || found == partner) &&
                    (name == NULL || strcmp(name, partner->agents[a].name) == 0))
                    agent_lines(asking, partner, &partner->agents[a], table);
        }
    }
    snapshot_release(snapshot);
    return status;
}
