/* Opening a scope: the scan, then what is kept with the phase, then the hash. */
#include "incident/scope.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "incident/scope_private.h"
#include "incident/scope_traits.h"

enum { PATH_BYTES = 4096 };
static const size_t ARENA_BYTES = (size_t)1 << 30;

static enum status out_of_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", "use a machine with more memory",
                     "no memory for the people of the scope");
}

void scope_close(struct scope *scope)
{
    if (scope == NULL)
        return;
    struct scope_private *made = scope->private;
    scope_scan_free(&made->scan);
    names_close(made->names);
    free(made->people);
    free(made->times);
    free(made->places);
    free(made->sums);
    arena_free(&made->arena);
    free(made);
}

/* ---- opening ---- */

/* The name behind "agent:", "delivery:"; NULL: something else is suspected, or nothing. The ledger
 * does not hold which certificate an agent had. */
static const char *suspect_of(const struct incident *incident, const char *prefix)
{
    size_t len = strlen(prefix);
    bool is_one = incident->suspect != NULL && strncmp(incident->suspect, prefix, len) == 0;
    return is_one ? incident->suspect + len : NULL;
}

static enum status scan(struct casework *casework, struct scope_private *made, struct error *error)
{
    const struct incident *incident = &made->scope.incident;
    char subjects[PATH_BYTES], ledger[PATH_BYTES];
    if (snprintf(subjects, sizeof subjects, "%s/subjects", casework->config->state_folder) >=
            (int)sizeof subjects ||
        snprintf(ledger, sizeof ledger, "%s/ledger", casework->config->state_folder) >=
            (int)sizeof ledger)
        return error_set(error, STATUS_INVALID, "58030", NULL, "state_folder: path is too long");
    struct scope_query query = {.ledger_folder = ledger,
                                .partner = incident->partner,
                                .cutoff = made->scope.phase.cutoff,
                                .from_ns = incident->from_ns,
                                .to_ns = incident->to_ns};
    memcpy(query.root, made->scope.phase.root, sizeof query.root);
    query.agent = suspect_of(incident, "agent:");
    query.delivery = suspect_of(incident, "delivery:");
    TRY(names_open(subjects, &made->names, error));
    TRY(scope_scan_run(&query, made->names, &made->scan, error));
    return scope_since_is_accepted(casework, incident->number, made->scan.since_ns, error);
}

static enum status confirm(void *context, const struct incident_confirmation *confirmation,
                           struct error *error)
{
    struct scope_private *made = context;
    for (uint64_t i = 0; i < confirmation->matched; i++) {
        uint32_t id = confirmation->ids[i];
        if (id < made->place_count && made->places[id] != 0)
            made->people[made->places[id] - 1].flags |= SCOPE_CONFIRMED;
    }
    return STATUS_OK;
}

/* Who has no key any more can be counted, and not be written to. Not a part of the hash: the law
 * lets people be forgotten while a case is open. */
static void mark_erased(struct scope_private *made)
{
    char key[256];
    uint16_t kind;
    for (size_t i = 0; i < made->scope.person_count; i++)
        if (names_key(made->names, made->people[i].id, &kind, key) != STATUS_OK)
            made->people[i].flags |= SCOPE_ERASED;
}

/* The hash stands in the case file and, through the decision's act, in the ledger: whoever rewrites
 * one is betrayed by the other. While the gateway is away the scope is there and not fixed; what is
 * kept with the phase makes the next opening give the same. */
static enum status fix_hash(struct casework *casework, const struct scope *scope,
                            struct error *error)
{
    char why[200];
    struct scope_totals totals;
    struct error ignored;
    scope_total(scope, &totals);
    snprintf(why, sizeof why,
             "phase %" PRId64 ": %" PRIu64 " people, %" PRIu64 " to be notified; sha256 %s",
             scope->phase.number, totals.people, totals.notified, scope->sha256);
    if (casework_decide(casework, scope->incident.number, scope->incident.partner, "scope", why,
                        &ignored) != STATUS_OK)
        return STATUS_OK;
    return incidents_set_scope(casework->incidents, scope->incident.number, scope->phase.number,
                               scope->sha256, error);
}

/* The first computation fixes the hash; every later one must give the same. */
static enum status check_hash(struct casework *casework, struct scope_private *made,
                              struct error *error)
{
    struct scope *scope = &made->scope;
    const char *fixed = scope->phase.scope_sha256;
    TRY(scope_hash(made, error));
    if (fixed == NULL)
        return fix_hash(casework, scope, error);
    if (strcmp(fixed, scope->sha256) == 0)
        return STATUS_OK;
    return error_set(error, STATUS_CORRUPT, "XX001",
                     "Compare the incident's evidence folder with a backup.",
                     "the scope of incident %" PRId64 ", phase %" PRId64
                     ", is not the one that was fixed (%.16s…, now %.16s…): its evidence files "
                     "were changed, or another version of the program counts otherwise",
                     scope->incident.number, scope->phase.number, fixed, scope->sha256);
}

static enum status open_all(struct casework *casework, int64_t incident, int64_t phase,
                            struct scope_private *made, struct error *error)
{
    struct scope *scope = &made->scope;
    TRY(incidents_get(casework->incidents, incident, &made->arena, &scope->incident, error));
    TRY(incidents_get_phase(casework->incidents, incident, phase, &made->arena, &scope->phase,
                            error));
    TRY(scan(casework, made, error));
    TRY(scope_settle(made, error));
    TRY(scope_traits_settle(casework, made, error));
    TRY(scope_settle_never(made, error));
    TRY(incidents_each_confirmation(casework->incidents, incident, scope->phase.number, confirm,
                                    made, error));
    TRY(check_hash(casework, made, error));
    mark_erased(made);
    return STATUS_OK;
}

enum status scope_open(struct casework *casework, int64_t incident, int64_t phase,
                       struct scope **scope, struct error *error)
{
    struct scope_private *made = calloc(1, sizeof *made);
    if (made == NULL)
        return out_of_memory(error);
    arena_init(&made->arena, ARENA_BYTES);
    made->scope.private = made;
    enum status status = open_all(casework, incident, phase, made, error);
    if (status != STATUS_OK)
        scope_close(&made->scope);
    else
        *scope = &made->scope;
    return status;
}

/* ---- people by key ---- */

enum status scope_key(const struct scope *scope, uint32_t id, char key[256])
{
    uint16_t kind;
    return names_key(scope->private->names, id, &kind, key);
}

enum status scope_find(const struct scope *scope, uint16_t kind, struct slice key, size_t *at)
{
    const struct scope_private *made = scope->private;
    uint32_t id;
    TRY(names_find(made->names, kind, key, &id));
    if (id >= made->place_count || made->places[id] == 0)
        return STATUS_NOT_FOUND;
    *at = made->places[id] - 1;
    return STATUS_OK;
}

const char *scope_without_traits(const struct scope *scope)
{
    return scope->private->without;
}
