/* Reads a case file: the incident, its logs, its clocks, the state of its notices. */
#include "incident/casefile.h"

#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "incident/letter_requests.h"

enum { ARENA_BYTES = 16 * 1024 * 1024, COMMAND_BYTES = 256 };

static enum status read_messages(struct casework *casework, struct casefile *casefile,
                                 struct error *error)
{
    int64_t number = casefile->incident.number;
    const char *path = NULL;
    TRY(incidents_path(casework->incidents, number, CASEWORK_OUTBOX, &casefile->arena, &path,
                       error));
    if (!casefile->has_notice || !file_exists(path))
        return STATUS_OK;
    struct outbox *outbox = NULL;
    TRY(outbox_open(path, false, &outbox, error));
    struct standing *standing = NULL;
    enum status status = standing_open(outbox, casefile->notice.number, &standing, error);
    if (status == STATUS_OK)
        standing_count(standing, &casefile->messages);
    standing_close(standing);
    if (status == STATUS_OK)
        status = outbox_paused(outbox, &casefile->paused, error);
    outbox_close(outbox);
    casefile->has_outbox = status == STATUS_OK;
    return status;
}

static enum status read_notice(struct casework *casework, struct casefile *casefile,
                               struct error *error)
{
    enum status status = incidents_get_notice(casework->incidents, casefile->incident.number, 0,
                                              &casefile->arena, &casefile->notice, error);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    casefile->has_notice = status == STATUS_OK;
    return status;
}

static enum status read_tables(struct casework *casework, struct casefile *casefile,
                               struct error *error)
{
    struct incidents *incidents = casework->incidents;
    int64_t number = casefile->incident.number;
    TRY(incidents_phases(incidents, number, &casefile->phases, error));
    TRY(incidents_decisions(incidents, number, &casefile->decisions, error));
    TRY(incidents_facts(incidents, number, &casefile->facts, error));
    TRY(incidents_filings(incidents, number, &casefile->filings, error));
    return incidents_evidence(incidents, number, &casefile->evidence, error);
}

enum status casefile_containment(struct casework *casework, const char *partner, int64_t *since_ns,
                                 struct error *error)
{
    enum { PARTNER = 0, AGENT = 1, SINCE = 3 };
    struct admin_client *admin = NULL;
    struct buffer command;
    struct table table;
    TRY(casework_admin(casework, &admin, error));
    buffer_init(&command, COMMAND_BYTES);
    buffer_append_text(&command, "SHOW CONTAINMENT");
    enum status status = admin_client_ask(admin, &command, &table, error);
    buffer_free(&command);
    TRY(status);
    int64_t found_ns = INT64_MIN;
    for (const struct table_row *row = table.first; row != NULL && status == STATUS_OK;
         row = row->next) {
        bool whole = row->cells[AGENT] == NULL || row->cells[AGENT][0] == '\0';
        if (whole && strcmp(row->cells[PARTNER], partner) == 0)
            status = clock_parse(row->cells[SINCE], &found_ns, error);
    }
    table_free(&table);
    if (status == STATUS_OK)
        *since_ns = found_ns;
    return status;
}

/* A partner that was left connected at first, and contained later. */
static enum status note_containment(struct casework *casework, struct incident *incident,
                                    int64_t since_ns, struct error *error)
{
    if (incident->contained_ns != INT64_MIN || since_ns == INT64_MIN ||
        incident->closed_ns != INT64_MIN)
        return STATUS_OK;
    incident->contained_ns = since_ns;
    return incidents_set_contained(casework->incidents, incident->number, since_ns, error);
}

/* Those listed since the case was opened, or since they were last decided to be dealt with. A drill
 * has none. */
static enum status read_letter_requests(struct casework *casework, struct casefile *casefile,
                                        struct error *error)
{
    static const char *const steps[] = {"letter requests", "waive letter-requests"};
    const char *folder = casework->config->incidents_folder;
    int64_t after_ns = casefile->incident.opened_ns;
    casefile->letter_requests_file =
        arena_printf(&casefile->arena, "%s/%s", folder, LETTER_REQUESTS_FILE);
    if (casefile->letter_requests_file == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        int64_t decided_ns = standing_decided_ns(&casefile->decisions, steps[i]);
        if (decided_ns > after_ns)
            after_ns = decided_ns;
    }
    return casefile->incident.is_drill
               ? STATUS_OK
               : letter_requests_count(folder, casefile->incident.number, after_ns,
                                       &casefile->letter_requests, error);
}

static enum status read_all(struct casework *casework, int64_t number, struct casefile *casefile,
                            struct error *error)
{
    struct incident *incident = &casefile->incident;
    int64_t since_ns = INT64_MIN;
    TRY(incidents_get(casework->incidents, number, &casefile->arena, incident, error));
    TRY(incidents_get_phase(casework->incidents, number, 0, &casefile->arena, &casefile->phase,
                            error));
    TRY(read_tables(casework, casefile, error));
    TRY(read_notice(casework, casefile, error));
    TRY(read_messages(casework, casefile, error));
    TRY(read_letter_requests(casework, casefile, error));
    casefile->partner = policy_find_partner(casework->policy, incident->partner);
    casefile->now_ns = incident->closed_ns == INT64_MIN ? clock_now_ns() : incident->closed_ns;
    if (scope_read_later(casework, incident->partner, &casefile->phase, &casefile->later, NULL) !=
        STATUS_OK) {
        casefile->later = (struct scope_later){0};
        casefile->later_unknown = true;
    }
    if (casefile_containment(casework, incident->partner, &since_ns, NULL) == STATUS_OK)
        casefile->contained = since_ns == INT64_MIN ? CASEFILE_OPEN : CASEFILE_CONTAINED;
    TRY(note_containment(casework, incident, since_ns, error));
    struct deadline_stops stops = {
        .filings = &casefile->filings,
        .notices_ns = casefile->has_notice ? casefile->notice.finished_ns : INT64_MIN,
        .dossier_ns = incident->closed_ns,
    };
    return deadlines_open(casework, incident, &stops, &casefile->deadlines, error);
}

enum status casefile_open(struct casework *casework, int64_t number, struct casefile *casefile,
                          struct error *error)
{
    *casefile = (struct casefile){.contained = CASEFILE_UNKNOWN};
    arena_init(&casefile->arena, ARENA_BYTES);
    return read_all(casework, number, casefile, error);
}

void casefile_close(struct casefile *casefile)
{
    struct table *const tables[] = {&casefile->phases, &casefile->decisions, &casefile->facts,
                                    &casefile->filings, &casefile->evidence};
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        table_free(tables[i]);
    deadlines_free(&casefile->deadlines);
    arena_free(&casefile->arena);
}

bool casefile_decided(const struct casefile *casefile, const char *step)
{
    enum { STEP = 3 };
    for (const struct table_row *row = casefile->decisions.first; row != NULL; row = row->next) {
        if (strcmp(row->cells[STEP], step) == 0)
            return true;
    }
    return false;
}
