/* cofferdam partner list: the partners and their state. */
#include "cli/admin.h"
#include "cli/verbs.h"

static enum status run(struct cli_call *call, struct error *error)
{
    return cli_show(call, "SHOW PARTNERS", "", NULL, error);
}

const struct cli_command verb_partner_list = {
    .arguments = "",
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .description = "Lists the partners of the policy in force, and whether they are contained.",
    .examples = "partner list\n",
    .run = run,
};
