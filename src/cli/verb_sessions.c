/* cofferdam sessions: who is connected. */
#include "cli/admin.h"
#include "cli/verbs.h"

static enum status run(struct cli_call *call, struct error *error)
{
    return cli_show(call, "SHOW SESSIONS", "", NULL, error);
}

const struct cli_command verb_sessions = {
    .arguments = "",
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .description = "Lists the sessions of partners: who, from where, since when, doing what.",
    .examples = "sessions\n",
    .run = run,
};
