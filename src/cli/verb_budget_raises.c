/* cofferdam budget raises: those that are proposed or in force. */
#include "cli/admin.h"
#include "cli/verbs.h"

static enum status run(struct cli_call *call, struct error *error)
{
    const char *partner = call->argument_count > 0 ? call->arguments[0] : NULL;
    return cli_show(call, "SHOW RAISES", "PARTNER", partner, error);
}

const struct cli_command verb_budget_raises = {
    .arguments = "[PARTNER]",
    .most = 1,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .description = "Lists the raises of budgets that are proposed or in force, with who proposed\n"
                   "and who approved them. What has ended stands in the ledger.",
    .examples = "budget raises\n"
                "budget raises north-mail --json\n",
    .run = run,
};
