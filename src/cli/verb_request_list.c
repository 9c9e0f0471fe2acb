/* cofferdam request list: who asked for what, and what became of it. */
#include "cli/admin.h"
#include "cli/verbs.h"

static enum status run(struct cli_call *call, struct error *error)
{
    const char *partner = call->argument_count > 0 ? call->arguments[0] : NULL;
    return cli_show(call, "SHOW REQUESTS", "PARTNER", partner, error);
}

const struct cli_command verb_request_list = {
    .arguments = "[PARTNER]",
    .most = 1,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .description =
        "Lists the requests of partners for grants that wait for approval, newest first: who\n"
        "asked, for which dataset and purpose, why, and who decided. Listed is what waits or is\n"
        "in force, and what ended within the last 30 days; the ledger has all. What nobody\n"
        "decides on within 30 days is closed. An agent has at most 32 open, a partner 256.",
    .examples = "request list\n"
                "request list north-mail --json\n",
    .run = run,
};
