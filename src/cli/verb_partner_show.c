/* cofferdam partner show: one partner as the gateway sees it now. */
#include "cli/admin.h"
#include "cli/verbs.h"

static enum status run(struct cli_call *call, struct error *error)
{
    return cli_show(call, "SHOW PARTNER", "", call->arguments[0], error);
}

const struct cli_command verb_partner_show = {
    .arguments = "PARTNER",
    .least = 1,
    .most = 1,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .description = "Tells about a partner: contract, contacts, agents, what it may see, its state.",
    .examples = "partner show north-mail\n",
    .run = run,
};
