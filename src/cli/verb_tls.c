/* cofferdam tls: the certificate that the running gateway shows. */
#include "cli/admin.h"
#include "cli/verbs.h"

static enum status run(struct cli_call *call, struct error *error)
{
    return cli_show_properties(call, "SHOW TLS", error);
}

const struct cli_command verb_tls = {
    .arguments = "",
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .description = "Shows which certificate partners get to see, when it ends, and whether a new "
                   "one was refused.",
    .examples = "tls\n"
                "tls --json\n",
    .run = run,
};
