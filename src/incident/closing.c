/* Closing an incident: only when nothing is open; the decision, the instant, the dossier. */
#include <stdlib.h>

#include "base/clock.h"
#include "incident/dossier.h"

enum { PATH_BYTES = 16 * 1024 };

static enum status refuse_open(const struct casefile *casefile, struct error *error)
{
    struct table table;
    char names[300] = "";
    size_t len = 0;
    TRY(casefile_duties(casefile, &table, error));
    size_t count = table.row_count;
    for (const struct table_row *row = table.first; row != NULL; row = row->next) {
        if (len < sizeof names)
            len += (size_t)snprintf(names + len, sizeof names - len, "%s%s",
                                    row == table.first ? "" : ", ", row->cells[0]);
    }
    table_free(&table);
    if (count == 0)
        return STATUS_OK;
    return error_set(error, STATUS_DENIED, "55000",
                     "do them, or waive one: --duty NAME --waive WHY", "%zu dut%s open: %s", count,
                     count == 1 ? "y is" : "ies are", names);
}

/* The dossier's folder, as it can be found from anywhere. */
static enum status find_folder(struct casework *casework, int64_t number, const char *out,
                               char folder[static DOSSIER_ROOM], struct error *error)
{
    struct arena arena;
    const char *path = out;
    arena_init(&arena, PATH_BYTES);
    enum status status = STATUS_OK;
    if (out == NULL)
        status = incidents_path(casework->incidents, number, "dossier", &arena, &path, error);
    if (status == STATUS_OK && snprintf(folder, DOSSIER_ROOM, "%s", path) >= DOSSIER_ROOM)
        status = error_set(error, STATUS_INVALID, "58030", NULL, "the folder's path is too long");
    arena_free(&arena);
    return status;
}

static enum status close_open(struct casework *casework, const struct casefile *casefile,
                              const char *why, struct error *error)
{
    const struct incident *incident = &casefile->incident;
    TRY(refuse_open(casefile, error));
    if (why == NULL || why[0] == '\0')
        return error_set(error, STATUS_INVALID, "22023", "--why WHY",
                         "closing an incident needs a reason");
    TRY(casework_decide(casework, incident->number, incident->partner, "close", why, error));
    return incidents_set_closed(casework->incidents, incident->number, clock_now_ns(), error);
}

enum status dossier_close_incident(struct casework *casework, int64_t number, const char *why,
                                   const char *out, char folder[static DOSSIER_ROOM],
                                   struct error *error)
{
    struct casefile casefile;
    TRY(find_folder(casework, number, out, folder, error));
    enum status status = casefile_open(casework, number, &casefile, error);
    if (status == STATUS_OK && casefile.incident.closed_ns == INT64_MIN)
        status = close_open(casework, &casefile, why, error);
    casefile_close(&casefile);
    TRY(status);
    status = casefile_open(casework, number, &casefile, error); /* as it stands closed */
    if (status == STATUS_OK)
        status = dossier_write(casework, &casefile, folder, error);
    if (status != STATUS_OK)
        error_prefix(error, "incident %lld is closed, but its dossier is not written",
                     (long long)number);
    casefile_close(&casefile);
    return status;
}
