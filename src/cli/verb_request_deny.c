/* cofferdam request deny: refuses what was asked for. */
#include "cli/admin.h"
#include "cli/verbs.h"

static const struct cli_option options[] = {
    {"reason", 'r', "TEXT", "why; it is kept in the ledger (needed)"},
    {NULL, 0, NULL, NULL},
};

static enum status run(struct cli_call *call, struct error *error)
{
    return cli_act(call, "DENY REQUEST", error);
}

const struct cli_command verb_request_deny = {
    .arguments = "ID",
    .least = 1,
    .most = 1,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Denies a request that waits for approval. The agent can ask again after an hour.",
    .examples = "request deny 17 --reason \"not before the audit\"\n",
    .run = run,
};
