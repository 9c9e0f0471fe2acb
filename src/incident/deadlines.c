/* See deadlines.h. */
#include "incident/deadlines.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

static const int64_t second_ns = 1000000000;
enum { MINUTE_S = 60, HOUR_S = 3600, DAY_S = 86400, HOURS_UP_TO_S = 4 * DAY_S };

/* ---- arithmetic ---- */

int64_t deadline_due(int64_t noticed_ns, int64_t limit_ns)
{
    int64_t due_ns;
    if (limit_ns == INT64_MAX || __builtin_add_overflow(noticed_ns, limit_ns, &due_ns))
        return INT64_MAX;
    return due_ns;
}

/* The law counts 72 hours, so hours are shown up to four days. */
void deadline_duration(int64_t duration_ns, char text[static DEADLINE_ROOM])
{
    long long seconds = llabs((long long)(duration_ns / second_ns));
    if (seconds >= HOURS_UP_TO_S)
        snprintf(text, DEADLINE_ROOM, "%lld d %lld h", seconds / DAY_S, seconds % DAY_S / HOUR_S);
    else if (seconds >= HOUR_S)
        snprintf(text, DEADLINE_ROOM, "%lld h %02lld min", seconds / HOUR_S,
                 seconds % HOUR_S / MINUTE_S);
    else if (seconds >= MINUTE_S)
        snprintf(text, DEADLINE_ROOM, "%lld min %02lld s", seconds / MINUTE_S, seconds % MINUTE_S);
    else
        snprintf(text, DEADLINE_ROOM, "%lld s", seconds);
}

void deadline_tell(const struct deadline *deadline, int64_t noticed_ns, int64_t now_ns,
                   char text[static DEADLINE_ROOM])
{
    bool stopped = deadline->stopped_ns != INT64_MIN;
    int64_t at_ns = stopped ? deadline->stopped_ns : now_ns;
    char time[DEADLINE_ROOM];
    if (deadline->due_ns == INT64_MAX) {
        deadline_duration(at_ns - noticed_ns, time);
        snprintf(text, DEADLINE_ROOM, "%s %.60s", stopped ? "done after" : "open for", time);
        return;
    }
    bool late = at_ns > deadline->due_ns;
    deadline_duration(deadline->due_ns - at_ns, time);
    if (stopped && late)
        snprintf(text, DEADLINE_ROOM, "done %.60s late", time);
    else if (stopped)
        snprintf(text, DEADLINE_ROOM, "done, %.60s before it was due", time);
    else if (late)
        snprintf(text, DEADLINE_ROOM, "OVERDUE by %.60s", time);
    else
        snprintf(text, DEADLINE_ROOM, "%.60s left", time);
}

void deadline_containment(const struct incident *incident, char text[static DEADLINE_ROOM])
{
    char time[DEADLINE_ROOM];
    if (incident->contained_ns == INT64_MIN) {
        snprintf(text, DEADLINE_ROOM, "NOT CONTAINED");
        return;
    }
    int64_t after_ns = incident->contained_ns - incident->noticed_ns;
    deadline_duration(after_ns, time);
    snprintf(text, DEADLINE_ROOM, "contained %.60s %s the notice", time,
             after_ns < 0 ? "BEFORE" : "after");
}

/* ---- the clocks of an incident ---- */

/* The first filing with an authority; INT64_MIN where there is none. */
static int64_t first_filing(const struct table *filings, const char *authority)
{
    enum { AUTHORITY = 0, AT = 2 };
    int64_t first_ns = INT64_MIN;
    for (const struct table_row *row = filings->first; row != NULL; row = row->next) {
        int64_t at_ns;
        if (strcmp(row->cells[AUTHORITY], authority) == 0 &&
            clock_parse(row->cells[AT], &at_ns, NULL) == STATUS_OK &&
            (first_ns == INT64_MIN || at_ns < first_ns))
            first_ns = at_ns;
    }
    return first_ns;
}

static int64_t stopped_at(const struct jurisdiction_clock *clock, const struct incident *incident,
                          const struct deadline_stops *stops)
{
    switch (clock->stop) {
    case JURISDICTION_STOP_FILING:
        return first_filing(stops->filings, clock->authority);
    case JURISDICTION_STOP_NOTICES:
        return stops->notices_ns;
    case JURISDICTION_STOP_DOSSIER:
        return stops->dossier_ns;
    case JURISDICTION_STOP_NOTICED:
        return incident->noticed_ns;
    }
    return INT64_MIN;
}

static enum status load_laws(const struct casework *casework, struct deadlines *deadlines,
                             struct error *error)
{
    const struct policy_controller *controller = &casework->policy->controller;
    struct arena arena;
    enum { PATH_BYTES = 64 * 1024 };
    arena_init(&arena, PATH_BYTES);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < controller->jurisdiction_count && status == STATUS_OK; i++) {
        char name[128];
        const char *path = NULL;
        snprintf(name, sizeof name, "jurisdictions/%.64s.yaml", controller->jurisdictions[i]);
        status = casework_data(casework, name, &arena, &path, error);
        if (status == STATUS_OK)
            status = jurisdiction_load(path, &deadlines->laws[i], error);
        if (status == STATUS_OK)
            deadlines->law_count++;
    }
    arena_free(&arena);
    return status;
}

enum status deadlines_open(const struct casework *casework, const struct incident *incident,
                           const struct deadline_stops *stops, struct deadlines *deadlines,
                           struct error *error)
{
    size_t count = 0;
    deadlines->laws =
        calloc(casework->policy->controller.jurisdiction_count + 1, sizeof(struct jurisdiction *));
    if (deadlines->laws == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    TRY(load_laws(casework, deadlines, error));
    for (size_t i = 0; i < deadlines->law_count; i++)
        count += deadlines->laws[i]->clock_count;
    deadlines->list = calloc(count + 1, sizeof(struct deadline));
    if (deadlines->list == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    for (size_t i = 0; i < deadlines->law_count; i++) {
        const struct jurisdiction *law = deadlines->laws[i];
        for (size_t c = 0; c < law->clock_count; c++)
            deadlines->list[deadlines->count++] = (struct deadline){
                .law = law,
                .clock = &law->clocks[c],
                .due_ns = deadline_due(incident->noticed_ns, law->clocks[c].limit_ns),
                .stopped_ns = stopped_at(&law->clocks[c], incident, stops),
            };
    }
    return STATUS_OK;
}

void deadlines_free(struct deadlines *deadlines)
{
    for (size_t i = 0; i < deadlines->law_count; i++)
        jurisdiction_free(deadlines->laws[i]);
    free(deadlines->laws);
    free(deadlines->list);
    *deadlines = (struct deadlines){0};
}
