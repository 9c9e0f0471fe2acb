/* Tables about time and about others: day (day, kind, people), window (part, agent, statements,
 * refused, people, rows, first, last), net (kind, gross, deleted, net), deletion (recorded, before,
 * request, people), partners (partner, agent, state, since, last). */
#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "incident/scope_tables.h"

static const int64_t DAY_NS = INT64_C(86400000000000);

/* Days in UTC. Whoever was given on several days stands in each. */
enum status scope_table_day(const struct scope *scope, struct table *table, struct error *error)
{
    static const char *const columns[] = {"day", "kind", "people", NULL};
    const struct scope_scan *scan = &scope->private->scan;
    table_init(table, SCOPE_TABLE_BYTES, columns);
    for (size_t i = 0; i < scan->day_count; i++) {
        char text[21];
        if (scan->days[i].people.count == 0)
            continue;
        struct table_row *row = table_add(table);
        clock_format_utc(scan->days[i].day * DAY_NS, text);
        table_set(table, row, 0, "%.10s", text);
        table_set(table, row, 1, "%s", scope_kind(scope, scan->days[i].kind));
        table_set(table, row, 2, "%" PRIu64, scan->days[i].people.count);
    }
    return STATUS_OK;
}

/* What each agent did while the attacker was inside ("inside"; one agent alone where one is
 * suspected), and what came after and is not in scope ("after"). */
enum status scope_table_window(const struct scope *scope, struct table *table, struct error *error)
{
    static const char *const columns[] = {"part", "agent", "statements", "refused", "people",
                                          "rows", "first", "last",       NULL};
    const struct scope_scan *scan = &scope->private->scan;
    table_init(table, SCOPE_TABLE_BYTES, columns);
    for (size_t i = 0; i < scan->actor_count; i++) {
        const struct scope_actor *actor = &scan->actors[i];
        struct table_row *row = table_add(table);
        table_set(table, row, 0, "%s", actor->after ? "after" : "inside");
        table_set(table, row, 1, "%s", actor->agent);
        table_set(table, row, 2, "%" PRIu64, actor->statements);
        table_set(table, row, 3, "%" PRIu64, actor->refused);
        table_set(table, row, 4, "%" PRIu64, actor->people.count);
        table_set(table, row, 5, "%" PRIu64, actor->rows);
        table_set_instant(table, row, 6, actor->first_ns);
        table_set_instant(table, row, 7, actor->last_ns);
    }
    return STATUS_OK;
}

/* Gross is what the partner was given; net is without those that it attested to have deleted
 * since. An attestation is a claim: notices go out from gross. */
enum status scope_table_net(const struct scope *scope, struct table *table, struct error *error)
{
    static const char *const columns[] = {"kind", "gross", "deleted", "net", NULL};
    table_init(table, SCOPE_TABLE_BYTES, columns);
    for (size_t at = 0; at < scope->person_count;) {
        uint16_t kind = scope->people[at].kind;
        uint64_t gross = 0, deleted = 0;
        for (; at < scope->person_count && scope->people[at].kind == kind; at++) {
            if (scope_asked_only(scope, &scope->people[at]))
                continue;
            gross++;
            deleted += (scope->people[at].flags & SCOPE_DELETED) != 0;
        }
        if (gross == 0)
            continue;
        struct table_row *row = table_add(table);
        table_set(table, row, 0, "%s", scope_kind(scope, kind));
        table_set(table, row, 1, "%" PRIu64, gross);
        table_set(table, row, 2, "%" PRIu64, deleted);
        table_set(table, row, 3, "%" PRIu64, gross - deleted);
    }
    return STATUS_OK;
}

enum status scope_table_deletion(const struct scope *scope, struct table *table,
                                 struct error *error)
{
    static const char *const columns[] = {"recorded", "before", "request", "people", NULL};
    const struct scope_scan *scan = &scope->private->scan;
    table_init(table, SCOPE_TABLE_BYTES, columns);
    for (size_t i = 0; i < scan->deletion_count; i++) {
        const struct scope_deletion *deletion = &scan->deletions[i];
        struct table_row *row = table_add(table);
        table_set_instant(table, row, 0, deletion->at_ns);
        table_set_instant(table, row, 1, deletion->before_ns);
        table_set(table, row, 2, "%s", deletion->request);
        if (deletion->everybody)
            table_set(table, row, 3, "all");
        else
            table_set(table, row, 3, "%" PRIu64, deletion->people);
    }
    return STATUS_OK;
}

/* Every partner that an entry names, as it was at the cut-off. */
enum status scope_table_partners(const struct scope *scope, struct table *table,
                                 struct error *error)
{
    static const char *const columns[] = {"partner", "agent", "state", "since", "last", NULL};
    const struct scope_scan *scan = &scope->private->scan;
    table_init(table, SCOPE_TABLE_BYTES, columns);
    for (size_t i = 0; i < scan->state_count; i++) {
        const struct scope_state *state = &scan->states[i];
        struct table_row *row = table_add(table);
        table_set(table, row, 0, "%s", state->partner);
        table_set(table, row, 1, "%s", state->agent[0] == '\0' ? "*" : state->agent);
        table_set(table, row, 2, "%s", state->contained ? "contained" : "active");
        table_set_instant(table, row, 3, state->since_ns);
        table_set_instant(table, row, 4, state->last_ns);
    }
    return STATUS_OK;
}
