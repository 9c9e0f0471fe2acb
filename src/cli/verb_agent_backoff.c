/* cofferdam agent backoff: whose logins fail, and how long the next ones wait. */
#include "cli/admin.h"
#include "cli/verbs.h"

static enum status run(struct cli_call *call, struct error *error)
{
    return cli_show(call, "SHOW BACKOFF", "", NULL, error);
}

const struct cli_command verb_agent_backoff = {
    .arguments = "",
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .description =
        "Lists logins that have failed lately, by agent and address, by address, and by\n"
        "name from anywhere, and how long the answer to the next one waits, right or\n"
        "wrong. One failure is forgotten each minute.",
    .examples = "agent backoff\n",
    .run = run,
};
