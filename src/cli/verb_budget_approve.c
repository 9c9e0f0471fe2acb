/* cofferdam budget approve: what one has proposed, another approves. */
#include "cli/admin.h"
#include "cli/verbs.h"

static enum status run(struct cli_call *call, struct error *error)
{
    return cli_show(call, "APPROVE BUDGET", "ID", call->arguments[0], error);
}

const struct cli_command verb_budget_approve = {
    .arguments = "ID",
    .least = 1,
    .most = 1,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .description = "Approves a raise that another user has proposed: it is in force from now on.",
    .examples = "budget approve 4711\n",
    .run = run,
};
