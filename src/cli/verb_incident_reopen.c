/* cofferdam incident reopen: a closed case goes on. */
#include "cli/incident.h"
#include "cli/verbs.h"

static const struct cli_option options[] = {
    {"why", 0, "WHY", "why it was not over (needed)"},
    CLI_INCIDENT_BY,
    {NULL, 0, NULL, NULL},
};

static enum status run(struct cli_call *call, struct error *error)
{
    int64_t number;
    const char *why = NULL;
    struct casework *casework = NULL;
    TRY(cli_incident_number(call, &number, error));
    TRY(cli_require(call, "why", &why, error));
    TRY(cli_incident_casework(call, true, &casework, error));
    enum status status = casework_reopen(casework, number, why, error);
    casework_close(casework);
    if (status == STATUS_OK)
        printf("incident %lld is open again; closing it writes a new dossier\n", (long long)number);
    return status;
}

const struct cli_command verb_incident_reopen = {
    .arguments = "N",
    .least = 1,
    .most = 1,
    .takes = CLI_TAKES_CONFIG,
    .options = options,
    .description =
        "Opens a closed incident again: for people found later, a late bounce, an authority that\n"
        "asks. Until then its file takes no fact, phase, filing, decision or message.",
    .examples = "incident reopen 1 --why \"the partner found another export\" --by dpo\n",
    .run = run,
};
