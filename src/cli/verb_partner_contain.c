/* cofferdam partner contain: the red button. */
#include "cli/contain.h"
#include "cli/verbs.h"

static const struct cli_option options[] = {
    {"reason", 'r', "TEXT", "why; it is kept in the ledger (needed)"},
    {NULL, 0, NULL, NULL},
};

static enum status run(struct cli_call *call, struct error *error)
{
    return cli_contain(call, "CONTAIN", error);
}

const struct cli_command verb_partner_contain = {
    .arguments = "PARTNER[/AGENT]",
    .least = 1,
    .most = 1,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Ends the partner's, or one agent's, running statements and sessions and refuses new\n"
        "ones, at once and until it is restored, over restarts too. Nobody else is touched.",
    .examples = "partner contain north-mail --reason \"breach notice of 22 November\"\n"
                "partner contain ringway/desk -r \"key lost\"\n",
    .run = run,
};
