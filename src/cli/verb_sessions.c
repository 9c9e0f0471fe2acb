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
    .description =
        "Lists the sessions of partners: who, from where, since when, doing what, for which\n"
        "purpose; by which certificate, token or password each proved who it is, until when that\n"
        "counts, and on which approved requests it works. A session rests on its credential:\n"
        "cert revoke and partner contain --certificate or --token end it by its credential_id.",
    .examples = "sessions\n",
    .run = run,
};
