/* cofferdam partner restore: undoes partner contain. */
#include "cli/contain.h"
#include "cli/verbs.h"

static const struct cli_option options[] = {
    {"reason", 'r', "TEXT", "why; it is kept in the ledger (needed)"},
    {"certificate", 0, "SERIAL", "restore this certificate, contained by itself"},
    {"token", 0, "ID", "restore this token, contained by itself"},
    {NULL, 0, NULL, NULL},
};

static enum status run(struct cli_call *call, struct error *error)
{
    return cli_contain(call, "RESTORE", error);
}

const struct cli_command verb_partner_restore = {
    .arguments = "PARTNER[/AGENT]",
    .least = 1,
    .most = 1,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Lets a contained partner, or one agent, connect again. An agent stays out while its\n"
        "partner is contained. Where the policy says restore: {approvals: 2}, the first user\n"
        "proposes, and another restores by the same command within 7 days. What was contained\n"
        "by itself is restored by itself; partner list --contained has all of it.",
    .examples = "partner restore north-mail --reason \"forensic report received\"\n"
                "partner restore ringway --certificate 4f:0a:31 -r \"laptop found\"\n",
    .run = run,
};
