/* cofferdam stats: the running gateway's counters. */
#include "cli/admin.h"
#include "cli/verbs.h"

static enum status run(struct cli_call *call, struct error *error)
{
    return cli_show_properties(call, "SHOW STATS", error);
}

const struct cli_command verb_stats = {
    .arguments = "",
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .description = "Shows the running gateway's counters.",
    .examples = "stats --json\n",
    .run = run,
};
