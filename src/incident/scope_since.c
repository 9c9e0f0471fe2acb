/* Going on without what retention has dropped. A scope counts all that the partner was ever given;
 * where entries are gone it counts too few, and that must be somebody's decision, in the log of the
 * case and as an act in the ledger: whom we know we notify, and we say that earlier records are
 * gone. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "incident/brief.h"
#include "incident/scope_private.h"

enum { FOLDER_ROOM = 4096, WHY_ROOM = 1200, REGISTRY_ROOM = 64 * 1024 };

/* Does the decision speak of this very instant? What goes later wants another one. */
static bool accepts(const struct table *decisions, const char *since)
{
    size_t len = strlen(since);
    for (const struct table_row *row = decisions->first; row != NULL; row = row->next) {
        const char *why = brief_cell(decisions, row, "why");
        if (strcmp(brief_cell(decisions, row, "step"), SCOPE_ACCEPT_SINCE) == 0 &&
            strncmp(why, since, len) == 0 && (why[len] == ':' || why[len] == '\0'))
            return true;
    }
    return false;
}

enum status scope_since_is_accepted(struct casework *casework, int64_t incident, int64_t since_ns,
                                    struct error *error)
{
    struct table decisions;
    char since[SINCE_TEXT_ROOM], hint[200];
    if (since_ns == SINCE_EVER)
        return STATUS_OK;
    since_format(since_ns, since);
    TRY(incidents_decisions(casework->incidents, incident, &decisions, error));
    bool is_accepted = accepts(&decisions, since);
    table_free(&decisions);
    if (is_accepted)
        return STATUS_OK;
    snprintf(hint, sizeof hint,
             "Restore a backup of the ledger from before, or decide to go on: cofferdam incident "
             "scope %" PRId64 " --accept-since --reason WHY",
             incident);
    return error_set(error, STATUS_DENIED, "55000", hint,
                     "records before %s were dropped by retention: whom the partner had only then "
                     "would not be in the scope",
                     since);
}

enum status scope_accept_since(struct casework *casework, int64_t incident, const char *reason,
                               struct error *error)
{
    char folder[FOLDER_ROOM], since[SINCE_TEXT_ROOM], why[WHY_ROOM];
    struct ledger_since gone;
    struct incident found;
    struct arena arena;
    snprintf(folder, sizeof folder, "%s/ledger", casework->config->state_folder);
    TRY(casework_check_open(casework, incident, error));
    TRY(ledger_since(folder, &gone, error));
    if (!gone.dropped || gone.entries == 0)
        return error_set(error, STATUS_NOT_FOUND, "02000", NULL,
                         "nothing was dropped from the ledger: there is nothing to accept");
    since_format(since_after(gone.last_ns), since);
    if (snprintf(why, sizeof why, "%s: %s", since, reason) >= WHY_ROOM)
        return error_set(error, STATUS_INVALID, "22023", NULL, "the reason is too long");
    arena_init(&arena, REGISTRY_ROOM);
    enum status status = incidents_get(casework->incidents, incident, &arena, &found, error);
    if (status == STATUS_OK)
        status = casework_decide(casework, incident, found.partner, SCOPE_ACCEPT_SINCE, why, error);
    arena_free(&arena);
    return status;
}
