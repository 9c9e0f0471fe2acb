/* cofferdam incident reported: a report was filed with an authority. */
#include "cli/incident.h"
#include "cli/verbs.h"
#include "incident/facts.h"

static const struct cli_option options[] = {
    {"authority", 0, "NAME", "with whom: ico, eu"},
    {"reference", 0, "REF", "the authority's reference"},
    {"at", 0, "TIME", "when; default: now"},
    {"sheet", 0, "FILE", "what was filed: kept as evidence"},
    CLI_INCIDENT_BY,
    {NULL, 0, NULL, NULL},
};

static enum status print_clocks(struct cli_call *call, struct casework *casework, int64_t number,
                                struct error *error)
{
    static const char *const sections[] = {"clocks", NULL};
    struct casefile casefile;
    enum status status = casefile_open(casework, number, &casefile, error);
    if (status == STATUS_OK)
        status = cli_incident_print(call, &casefile, sections, error);
    casefile_close(&casefile);
    return status;
}

static enum status run(struct cli_call *call, struct error *error)
{
    int64_t number;
    struct casework *casework = NULL;
    struct filing_request request = {.at = cli_value(call, "at"),
                                     .sheet = cli_value(call, "sheet")};
    TRY(cli_incident_number(call, &number, error));
    TRY(cli_require(call, "authority", &request.authority, error));
    TRY(cli_require(call, "reference", &request.reference, error));
    TRY(cli_incident_casework(call, true, &casework, error));
    enum status status = filing_record(casework, number, &request, error);
    if (status == STATUS_OK)
        status = print_clocks(call, casework, number, error);
    casework_close(casework);
    return status;
}

const struct cli_command verb_incident_reported = {
    .arguments = "N",
    .least = 1,
    .most = 1,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Records that a report was filed with an authority, first or as a follow-up. The first\n"
        "one stops that authority's clock.",
    .examples = "incident reported 1 --authority ico --reference IC-123456 --sheet sheet.txt\n",
    .run = run,
};
