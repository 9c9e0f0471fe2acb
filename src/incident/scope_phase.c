/* A new phase: a new cut-off, for facts that came after the last one. */
#include <string.h>

#include "incident/scope.h"

enum { ARENA_BYTES = 256 * 1024 };

enum status scope_confirmed_phase(struct casework *casework, int64_t incident, const char *reason,
                                  const struct incident_confirmation *confirmation, int64_t *number,
                                  struct error *error)
{
    struct admin_client *admin;
    struct admin_cutoff cutoff;
    struct incident found;
    struct arena arena;
    if (reason == NULL || reason[0] == '\0')
        return error_set(error, STATUS_INVALID, "22023", "add --reason",
                         "a new phase needs a reason: people will ask what changed");
    arena_init(&arena, ARENA_BYTES);
    enum status status = incidents_get(casework->incidents, incident, &arena, &found, error);
    if (status == STATUS_OK)
        status = casework_admin(casework, &admin, error);
    if (status == STATUS_OK)
        status = admin_client_cutoff(admin, &cutoff, error);
    if (status == STATUS_OK) {
        struct incident_phase phase = {.at_ns = cutoff.time_ns,
                                       .cutoff = cutoff.entries,
                                       .by = casework->by,
                                       .reason = reason};
        memcpy(phase.root, cutoff.root, sizeof phase.root);
        status = incidents_add_confirmed_phase(casework->incidents, incident, &phase, confirmation,
                                               error);
        if (status == STATUS_OK)
            *number = phase.number;
    }
    if (status == STATUS_OK)
        status = casework_decide(casework, incident, found.partner, "new phase", reason, error);
    arena_free(&arena);
    return status;
}

enum status scope_new_phase(struct casework *casework, int64_t incident, const char *reason,
                            int64_t *number, struct error *error)
{
    return scope_confirmed_phase(casework, incident, reason, NULL, number, error);
}
