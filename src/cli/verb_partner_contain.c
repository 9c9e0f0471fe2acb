/* cofferdam partner contain: the red button. */
#include "cli/contain.h"
#include "cli/verbs.h"

static const struct cli_option options[] = {
    {"reason", 'r', "TEXT", "why; it is kept in the ledger (needed)"},
    {"certificate", 0, "SERIAL", "contain this certificate alone, as cert show prints its serial"},
    {"token", 0, "ID", "contain this token alone, as sessions prints its id"},
    {"all", 0, NULL, "contain every partner of the policy at once"},
    {NULL, 0, NULL, NULL},
};

static enum status run(struct cli_call *call, struct error *error)
{
    return cli_contain(call, "CONTAIN", error);
}

const struct cli_command verb_partner_contain = {
    .arguments = "[PARTNER[/AGENT]]",
    .least = 0,
    .most = 1,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Ends the partner's, or one agent's, running statements and sessions and refuses new\n"
        "ones, at once and until it is restored, over restarts too. Nobody else is touched.\n"
        "Printed is the time until no byte of a result could be written any more. Works\n"
        "through a door of its own, and when the gateway does not run.",
    .examples = "partner contain north-mail --reason \"breach notice of 22 November\"\n"
                "partner contain ringway/desk -r \"key lost\"\n"
                "partner contain ringway --certificate 4f:0a:31 -r \"laptop stolen\"\n"
                "partner contain --all -r \"we are attacked\"\n",
    .run = run,
};
