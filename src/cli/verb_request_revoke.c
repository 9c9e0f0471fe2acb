/* cofferdam request revoke: takes an approval back, at once. */
#include "cli/admin.h"
#include "cli/verbs.h"

static const struct cli_option options[] = {
    {"reason", 'r', "TEXT", "why; it is kept in the ledger (needed)"},
    {NULL, 0, NULL, NULL},
};

static enum status run(struct cli_call *call, struct error *error)
{
    return cli_act(call, "REVOKE REQUEST", error);
}

const struct cli_command verb_request_revoke = {
    .arguments = "ID",
    .least = 1,
    .most = 1,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .options = options,
    .description = "Takes an approval back: what runs on it ends at once, with 57P01.",
    .examples = "request revoke 17 --reason \"done\"\n",
    .run = run,
};
