/* cofferdam incident decide: an entry in the decision log. */
#include <string.h>

#include "cli/incident.h"
#include "cli/verbs.h"
#include "policy/suggest.h"

static const struct cli_option options[] = {
    {"step", 0, "STEP", "what was decided: restore, letters, public notice, statement, …"},
    {"why", 0, "WHY", "why"},
    CLI_INCIDENT_BY,
    {NULL, 0, NULL, NULL},
};

/* A slip of the hand would leave a duty open that its author believes to be done. */
static void tell_slip(const char *step)
{
    static const char *const steps[] = {"restore",       "letters",   "letter requests",
                                        "public notice", "statement", NULL};
    for (size_t i = 0; steps[i] != NULL; i++)
        if (strcmp(step, steps[i]) == 0)
            return;
    const char *nearest = suggest_nearest(step, steps);
    if (nearest != NULL)
        fprintf(stderr,
                "cofferdam: \"%s\" is in the log, and discharges no duty: did you mean \"%s\"?\n",
                step, nearest);
}

static enum status run(struct cli_call *call, struct error *error)
{
    int64_t number;
    const char *step = NULL, *why = NULL;
    struct casework *casework = NULL;
    struct casefile casefile;
    TRY(cli_incident_number(call, &number, error));
    TRY(cli_require(call, "step", &step, error));
    TRY(cli_require(call, "why", &why, error));
    TRY(cli_incident_casework(call, true, &casework, error));
    enum status status = casefile_open(casework, number, &casefile, error);
    if (status == STATUS_OK)
        status = casework_check_open(casework, number, error);
    if (status == STATUS_OK)
        status = casework_decide(casework, number, casefile.incident.partner, step, why, error);
    if (status == STATUS_OK)
        printf("decided by %s: %s\n", casework->by, step);
    if (status == STATUS_OK)
        tell_slip(step);
    casefile_close(&casefile);
    casework_close(casework);
    return status;
}

const struct cli_command verb_incident_decide = {
    .arguments = "N",
    .least = 1,
    .most = 1,
    .takes = CLI_TAKES_CONFIG,
    .options = options,
    .description =
        "Writes a decision into the incident's log, and an act with the hash of its reason into\n"
        "the ledger. Some steps discharge a duty: restore, letters, letter requests, public\n"
        "notice, statement.",
    .examples = "incident decide 1 --step statement --why \"published on 23 November\"\n"
                "incident decide 1 --step restore --why \"new keys, attested clean\" --by dpo\n",
    .run = run,
};
