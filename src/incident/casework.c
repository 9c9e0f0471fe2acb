/* See casework.h. */
#include "incident/casework.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "crypto/crypto.h"
#include "exposure/kinds.h"

enum { STEP_BYTES = 100, INCIDENT_BYTES = 64 * 1024 };

struct casework_owned {
    struct casework casework; /* first */
    struct config *config;
    char by[LIMIT_NAME_BYTES + 1];
};

/* Who sits at the terminal, also behind sudo; where there is none, who runs the program. */
static void name_actor(char by[static LIMIT_NAME_BYTES + 1])
{
    char room[4096];
    struct passwd entry, *found = NULL;
    if (getlogin_r(by, LIMIT_NAME_BYTES + 1) == 0 && by[0] != '\0')
        return;
    if (getpwuid_r(getuid(), &entry, room, sizeof room, &found) == 0 && found != NULL)
        snprintf(by, LIMIT_NAME_BYTES + 1, "%s", found->pw_name);
    else
        snprintf(by, LIMIT_NAME_BYTES + 1, "uid %u", (unsigned)getuid());
}

static enum status load(struct casework_owned *owned, const char *config_path, struct error *error)
{
    TRY(config_load(config_path, &owned->config, error));
    owned->casework.config = owned->config;
    return policy_load(owned->config->policy, &owned->casework.policy, error);
}

enum status casework_open_bare(const char *config_path, const char *by, struct casework **casework,
                               struct error *error)
{
    if (by != NULL && (by[0] == '\0' || strlen(by) > LIMIT_NAME_BYTES))
        return error_set(error, STATUS_INVALID, "22023", NULL,
                         "who acts needs a name of at most %d bytes", LIMIT_NAME_BYTES);
    struct casework_owned *owned = calloc(1, sizeof *owned);
    if (owned == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    if (by == NULL)
        name_actor(owned->by);
    else
        snprintf(owned->by, sizeof owned->by, "%s", by);
    owned->casework.by = owned->by;
    enum status status = load(owned, config_path, error);
    if (status == STATUS_OK)
        *casework = &owned->casework;
    else
        casework_close(&owned->casework);
    return status;
}

enum status casework_open(const char *config_path, const char *by, struct casework **casework,
                          struct error *error)
{
    struct casework *opened = NULL;
    TRY(casework_open_bare(config_path, by, &opened, error));
    /* By a policy that the gateway would refuse, customers would be taken for others. */
    enum status status = kinds_check(opened->config->state_folder, opened->policy, error);
    if (status == STATUS_OK)
        status = incidents_open(opened->config->incidents_folder, &opened->incidents, error);
    if (status == STATUS_OK)
        *casework = opened;
    else
        casework_close(opened);
    return status;
}

void casework_close(struct casework *casework)
{
    _Static_assert(offsetof(struct casework_owned, casework) == 0, "the casework comes first");
    if (casework == NULL)
        return;
    struct casework_owned *owned = (struct casework_owned *)casework;
    admin_client_close(casework->admin);
    incidents_close(casework->incidents);
    policy_release(casework->policy);
    config_free(owned->config);
    free(owned);
}

enum status casework_admin(struct casework *casework, struct admin_client **admin,
                           struct error *error)
{
    if (casework->admin == NULL)
        TRY(admin_client_open(casework->config->run_folder, casework->config->admin.port,
                              &casework->admin, error));
    *admin = casework->admin;
    return STATUS_OK;
}

void casework_act_text(int64_t incident, const char *step, const char *why,
                       char text[static CASEWORK_ACT_ROOM])
{
    struct slice content = slice_of_text(why);
    uint8_t digest[CRYPTO_SHA256_BYTES];
    char hex[2 * CRYPTO_SHA256_BYTES + 1];
    crypto_sha256(&content, 1, digest);
    crypto_hex(digest, sizeof digest, hex);
    snprintf(text, CASEWORK_ACT_ROOM, "incident %lld: %s; why sha256=%s", (long long)incident, step,
             hex);
}

enum status casework_decide(struct casework *casework, int64_t incident, const char *partner,
                            const char *step, const char *why, struct error *error)
{
    char text[CASEWORK_ACT_ROOM];
    if (why[0] == '\0' || step[0] == '\0' || strlen(step) > STEP_BYTES)
        return error_set(error, STATUS_INVALID, "22023",
                         "name the step in a few words, and say why",
                         "a decision needs a step of at most %d bytes and a reason", STEP_BYTES);
    struct admin_client *admin = NULL;
    TRY(casework_admin(casework, &admin, error));
    struct incident_decision decision = {
        .at_ns = clock_now_ns(), .by = casework->by, .step = step, .why = why};
    casework_act_text(incident, step, why, text);
    TRY(admin_client_record_act(admin, partner, casework->by, text, &decision.sequence, error));
    return incidents_add_decision(casework->incidents, incident, &decision, error);
}

/* ---- closed and open ---- */

static enum status find_incident(struct casework *casework, int64_t number, struct arena *arena,
                                 struct incident *incident, struct error *error)
{
    arena_init(arena, INCIDENT_BYTES);
    return incidents_get(casework->incidents, number, arena, incident, error);
}

enum status casework_check_open(struct casework *casework, int64_t incident, struct error *error)
{
    struct arena arena;
    struct incident found;
    enum status status = find_incident(casework, incident, &arena, &found, error);
    if (status == STATUS_OK && found.closed_ns != INT64_MIN)
        status = error_set(error, STATUS_DENIED, "55000", "cofferdam incident reopen N --why WHY",
                           "incident %lld is closed, and its dossier written", (long long)incident);
    arena_free(&arena);
    return status;
}

enum status casework_reopen(struct casework *casework, int64_t incident, const char *why,
                            struct error *error)
{
    struct arena arena;
    struct incident found;
    enum status status = find_incident(casework, incident, &arena, &found, error);
    if (status == STATUS_OK && found.closed_ns == INT64_MIN)
        status = error_set(error, STATUS_DENIED, "55000", NULL, "incident %lld is open",
                           (long long)incident);
    if (status == STATUS_OK)
        status = casework_decide(casework, incident, found.partner, "reopen", why, error);
    if (status == STATUS_OK)
        status = incidents_set_closed(casework->incidents, incident, INT64_MIN, error);
    arena_free(&arena);
    return status;
}

enum status casework_data(const struct casework *casework, const char *name, struct arena *arena,
                          const char **path, struct error *error)
{
    const char *made = arena_printf(arena, "%s/%s", casework->config->data_folder, name);
    if (made == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    *path = made;
    return STATUS_OK;
}
