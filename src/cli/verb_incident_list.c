/* cofferdam incident list: the incidents and how they stand. */
#include "cli/incident.h"
#include "cli/verbs.h"
#include "incident/caselist.h"

static enum status run(struct cli_call *call, struct error *error)
{
    struct casework *casework = NULL;
    struct table table;
    TRY(cli_incident_casework(call, false, &casework, error));
    enum status status = caselist_fill(casework, &table, error);
    casework_close(casework);
    TRY(status);
    status = cli_incident_print_table(call, &table, error);
    table_free(&table);
    return status;
}

const struct cli_command verb_incident_list = {
    .arguments = "",
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_JSON,
    .description =
        "Lists the incidents: when they were noticed, how long until they were contained, and the\n"
        "clock that runs out next.",
    .examples = "incident list\n",
    .run = run,
};
