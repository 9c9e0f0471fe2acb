/* See caselist.h. */
#include "incident/caselist.h"

#include <stdlib.h>

#include "base/clock.h"
#include "incident/casefile.h"

enum { TABLE_BYTES = 4 * 1024 * 1024, ARENA_BYTES = 256 * 1024, NEXT_ROOM = 300 };
enum { NUMBER, PARTNER, NOTICED, CONTAINMENT, NEXT, CLOSED, PHASES };
enum { LIST_NUMBER = 0, LIST_CLOSED = 5, LIST_PHASES = 6 }; /* of incidents_list */

/* The running clock that ends first; one without a number comes last. */
static const struct deadline *find_next(const struct casefile *casefile)
{
    const struct deadline *next = NULL;
    for (size_t i = 0; i < casefile->deadlines.count; i++) {
        const struct deadline *deadline = &casefile->deadlines.list[i];
        char duty[CASEFILE_DUTY_ROOM];
        casefile_clock_duty(deadline->clock, duty);
        if (deadline->stopped_ns != INT64_MIN || casefile_waived(casefile, duty) ||
            deadline->clock->stop == JURISDICTION_STOP_NOTICED)
            continue;
        if (next == NULL || deadline->due_ns < next->due_ns)
            next = deadline;
    }
    return next;
}

static void tell_next(const struct casefile *casefile, char text[static NEXT_ROOM])
{
    char state[DEADLINE_ROOM];
    const struct deadline *next = find_next(casefile);
    text[0] = '\0';
    if (next == NULL || casefile->incident.closed_ns != INT64_MIN)
        return;
    deadline_tell(next, casefile->incident.noticed_ns, clock_now_ns(), state);
    snprintf(text, NEXT_ROOM, "%.150s: %s", next->clock->duty, state);
}

static enum status read_case(struct casework *casework, int64_t number, struct casefile *casefile,
                             struct error *error)
{
    TRY(incidents_get(casework->incidents, number, &casefile->arena, &casefile->incident, error));
    TRY(incidents_decisions(casework->incidents, number, &casefile->decisions, error));
    TRY(incidents_filings(casework->incidents, number, &casefile->filings, error));
    enum status status = incidents_get_notice(casework->incidents, number, 0, &casefile->arena,
                                              &casefile->notice, error);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    struct deadline_stops stops = {
        .filings = &casefile->filings,
        .notices_ns = status == STATUS_OK ? casefile->notice.finished_ns : INT64_MIN,
        .dossier_ns = casefile->incident.closed_ns,
    };
    return deadlines_open(casework, &casefile->incident, &stops, &casefile->deadlines, error);
}

static enum status add_case(struct casework *casework, const struct table_row *listed,
                            struct table *table, struct error *error)
{
    char noticed[21], containment[DEADLINE_ROOM], next[NEXT_ROOM];
    struct casefile casefile = {0};
    arena_init(&casefile.arena, ARENA_BYTES);
    enum status status =
        read_case(casework, strtoll(listed->cells[LIST_NUMBER], NULL, 10), &casefile, error);
    if (status == STATUS_OK) {
        clock_format_utc(casefile.incident.noticed_ns, noticed);
        deadline_containment(&casefile.incident, containment);
        tell_next(&casefile, next);
        struct table_row *row = table_add(table);
        table_set(table, row, NUMBER, "%s", listed->cells[LIST_NUMBER]);
        table_set(table, row, PARTNER, "%s", casefile.incident.partner);
        table_set(table, row, NOTICED, "%s", noticed);
        table_set(table, row, CONTAINMENT, "%s", containment);
        if (next[0] != '\0')
            table_set(table, row, NEXT, "%s", next);
        if (listed->cells[LIST_CLOSED] != NULL)
            table_set(table, row, CLOSED, "%s", listed->cells[LIST_CLOSED]);
        table_set(table, row, PHASES, "%s", listed->cells[LIST_PHASES]);
    }
    casefile_close(&casefile);
    return status;
}

enum status caselist_fill(struct casework *casework, struct table *table, struct error *error)
{
    static const char *const columns[] = {"number", "partner", "noticed", "containment",
                                          "next",   "closed",  "phases",  NULL};
    struct table listed;
    TRY(incidents_list(casework->incidents, &listed, error));
    table_init(table, TABLE_BYTES, columns);
    enum status status = STATUS_OK;
    for (const struct table_row *row = listed.first; row != NULL && status == STATUS_OK;
         row = row->next)
        status = add_case(casework, row, table, error);
    table_free(&listed);
    if (status == STATUS_OK && table_overflowed(table))
        status = error_set(error, STATUS_LIMIT, "54000", NULL, "there are too many incidents");
    if (status != STATUS_OK)
        table_free(table);
    return status;
}
