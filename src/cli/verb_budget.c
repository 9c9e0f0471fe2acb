/* cofferdam budget: what partners have used of what they may. */
#include "cli/admin.h"
#include "cli/verbs.h"

static enum status run(struct cli_call *call, struct error *error)
{
    const char *partner = call->argument_count > 0 ? call->arguments[0] : NULL;
    return cli_show(call, "SHOW BUDGET", "PARTNER", partner, error);
}

const struct cli_command verb_budget = {
    .arguments = "[PARTNER]",
    .most = 1,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .description =
        "Shows how many distinct people each partner, or one, has been disclosed today and\n"
        "in all, and how many probes and errors it has caused, against its budget.",
    .examples = "budget\n"
                "budget north-mail --json\n",
    .run = run,
};
