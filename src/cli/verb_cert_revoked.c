/* cofferdam cert revoked: what has been revoked, when, why and by whom. */
#include "cli/admin.h"
#include "cli/verbs.h"

static enum status run(struct cli_call *call, struct error *error)
{
    return cli_show(call, "SHOW REVOKED", "", NULL, error);
}

const struct cli_command verb_cert_revoked = {
    .arguments = "",
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .description = "Lists the certificates and tokens that have been revoked, oldest first.",
    .examples = "cert revoked\n",
    .run = run,
};
