/* cofferdam partner list: the partners and their state. */
#include "cli/admin.h"
#include "cli/verbs.h"

static const struct cli_option options[] = {
    {"contained", 0, NULL, "only what is contained: since when, why, by whom"},
    {NULL, 0, NULL, NULL},
};

static enum status run(struct cli_call *call, struct error *error)
{
    bool contained = cli_value(call, "contained") != NULL;
    return cli_show(call, contained ? "SHOW CONTAINMENT" : "SHOW PARTNERS", "", NULL, error);
}

const struct cli_command verb_partner_list = {
    .arguments = "",
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .options = options,
    .description = "Lists the partners of the policy in force, and whether they are contained.",
    .examples = "partner list\n"
                "partner list --contained --json\n",
    .run = run,
};
