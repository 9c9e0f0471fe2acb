/* cofferdam incident log: who decided what, when and why. */
#include "cli/incident.h"
#include "cli/verbs.h"

static enum status run(struct cli_call *call, struct error *error)
{
    static const char *const sections[] = {"decisions", NULL};
    int64_t number;
    struct casework *casework = NULL;
    struct casefile casefile;
    TRY(cli_incident_number(call, &number, error));
    TRY(cli_incident_casework(call, false, &casework, error));
    enum status status = casefile_open(casework, number, &casefile, error);
    if (status == STATUS_OK && call->json)
        status = cli_incident_print_table(call, &casefile.decisions, error);
    else if (status == STATUS_OK)
        status = cli_incident_print(call, &casefile, sections, error);
    casefile_close(&casefile);
    casework_close(casework);
    return status;
}

const struct cli_command verb_incident_log = {
    .arguments = "N",
    .least = 1,
    .most = 1,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_JSON,
    .description = "Shows the decision log of an incident. Each decision is an act in the ledger\n"
                   "as well: its sequence stands beside it.",
    .examples = "incident log 1\n",
    .run = run,
};
