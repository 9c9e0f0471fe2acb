/* cofferdam incident verify: is the case what it was? */
#include "cli/incident.h"
#include "cli/verbs.h"
#include "incident/verify.h"

static enum status run(struct cli_call *call, struct error *error)
{
    int64_t number;
    struct casework *casework = NULL;
    struct verified verified = {0};
    TRY(cli_incident_number(call, &number, error));
    TRY(cli_incident_casework(call, false, &casework, error));
    enum status status = verify_case(casework, number, &verified, error);
    casework_close(casework);
    TRY(status);
    printf("incident %lld: %llu decisions and %llu phases agree with the ledger's %llu entries, "
           "%llu files with their hashes\n",
           (long long)number, (unsigned long long)verified.decisions,
           (unsigned long long)verified.phases, (unsigned long long)verified.entries,
           (unsigned long long)verified.files);
    return STATUS_OK;
}

const struct cli_command verb_incident_verify = {
    .arguments = "N",
    .least = 1,
    .most = 1,
    .takes = CLI_TAKES_CONFIG,
    .description =
        "Holds each decision of an incident against its act in the ledger, each phase against\n"
        "the ledger's tree, each file of evidence against its hash; tells the first difference.",
    .examples = "incident verify 1\n",
    .exits = "failed, or something differs",
    .run = run,
};
