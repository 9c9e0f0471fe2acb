/* cofferdam reload: a changed policy, taken into force whole or not at all. */
#include "cli/admin.h"
#include "cli/verbs.h"

static enum status run(struct cli_call *call, struct error *error)
{
    return cli_show(call, "RELOAD", "", NULL, error);
}

const struct cli_command verb_reload = {
    .arguments = "",
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .description =
        "Makes the running gateway read its policy, the certificate of its listener and the\n"
        "revocation lists again. A policy or a certificate that does not hold changes neither;\n"
        "the reason is told.",
    .examples = "reload\n",
    .run = run,
};
