/* cofferdam cert crls: the newest revocation list that was seen of each authority. */
#include "cli/admin.h"
#include "cli/verbs.h"

static enum status run(struct cli_call *call, struct error *error)
{
    return cli_show(call, "SHOW CRLS", "", NULL, error);
}

const struct cli_command verb_cert_crls = {
    .arguments = "",
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .description =
        "Lists the newest revocation list (CRL) that the gateway has seen of each authority, and\n"
        "whether it, or a newer one, is in force. Where it is missing, and nothing as new is in\n"
        "the folder, that authority's certificates are refused: over restarts, too, no older\n"
        "list counts. `cert reset-crl` has what is in the folder accepted.",
    .examples = "cert crls\n"
                "cert crls --json\n",
    .run = run,
};
