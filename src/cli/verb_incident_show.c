/* cofferdam incident show: all that is known of an incident, and what remains to be done. */
#include "cli/incident.h"
#include "cli/verbs.h"

static enum status run(struct cli_call *call, struct error *error)
{
    int64_t number;
    struct casework *casework = NULL;
    struct casefile casefile;
    TRY(cli_incident_number(call, &number, error));
    TRY(cli_incident_casework(call, false, &casework, error));
    enum status status = casefile_open(casework, number, &casefile, error);
    if (status == STATUS_OK)
        status = cli_incident_print(call, &casefile, NULL, error);
    casefile_close(&casefile);
    casework_close(casework);
    return status;
}

const struct cli_command verb_incident_show = {
    .arguments = "N",
    .least = 1,
    .most = 1,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_JSON,
    .description =
        "Shows an incident: the partner and whom to call back there, the time from notice to\n"
        "containment, the clocks, phases, facts, filings, messages, evidence, the decision log,\n"
        "and what remains to be done before it can be closed.",
    .examples = "incident show 1\n"
                "incident show 1 --json\n",
    .run = run,
};
