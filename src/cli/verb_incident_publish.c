/* cofferdam incident publish: what the portal serves. */
#include "cli/incident.h"
#include "cli/verbs.h"
#include "incident/publish.h"

#include <inttypes.h>

enum { ARENA_BYTES = 1024 * 1024 };

static const struct cli_option options[] = {
    {"out", 'o', "DIR", "the portal's folder, instead of the configuration's"},
    {"grades", 0, "LIST", "who is to be told, where notify is given the same; see there"},
    CLI_INCIDENT_BY,
    {NULL, 0, NULL, NULL},
};

/* The public page is no place for an invented breach. */
static enum status check_exercise(struct cli_call *call, struct casework *casework, int64_t number,
                                  struct error *error)
{
    struct arena arena;
    struct incident incident;
    arena_init(&arena, ARENA_BYTES);
    enum status status = incidents_get(casework->incidents, number, &arena, &incident, error);
    if (status == STATUS_OK && incident.is_drill && cli_value(call, "out") == NULL)
        status = error_set(error, STATUS_DENIED, "55000", "name another folder: --out DIR",
                           "incident %" PRId64 " is an exercise: it is not put on the public page",
                           number);
    arena_free(&arena);
    return status;
}

static enum status run(struct cli_call *call, struct error *error)
{
    int64_t number;
    struct casework *casework = NULL;
    struct publish_result result;
    scope_grades grades;
    TRY(cli_incident_grades(call, &grades, error));
    TRY(cli_incident_number(call, &number, error));
    TRY(cli_incident_casework(call, true, &casework, error));
    enum status status = check_exercise(call, casework, number, error);
    if (status == STATUS_OK)
        status = publish_incident(casework, number, grades, cli_value(call, "out"), &result, error);
    if (status == STATUS_OK)
        printf("published in %zu languages: %zu messages, %" PRIu64 " references\n",
               result.languages, result.messages, result.references);
    casework_close(casework);
    return status;
}

const struct cli_command verb_incident_publish = {
    .arguments = "N",
    .least = 1,
    .most = 1,
    .takes = CLI_TAKES_CONFIG,
    .options = options,
    .description =
        "Writes what the portal serves: the public statement, what our messages look like, and\n"
        "the marks by which it knows a genuine reference. A portal that runs takes it up within\n"
        "seconds; what other incidents and earlier notices published stays. Do it before sending.",
    .examples = "incident publish 1\n"
                "incident publish 1 --out /srv/portal/site\n",
    .run = run,
};
