/* cofferdam budget: what partners have used of what they may, and when it is used up. */
#include "cli/admin.h"
#include "cli/verbs.h"

static enum status run(struct cli_call *call, struct error *error)
{
    const char *partner = call->argument_count > 0 ? call->arguments[0] : NULL;
    return cli_show(call, "SHOW BUDGET", "PARTNER", partner, error);
}

const struct cli_command verb_budget = {
    .arguments = "[PARTNER]",
    .most = 1,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .description =
        "Shows how many distinct people each partner, or one, has been disclosed in the window of\n"
        "each limit, and how many probes and errors it has caused, against its budget.\n"
        "pace is in people a day: of a day or 24h those of the last 24 hours; of longer windows\n"
        "those of the last seven days over seven; of ever those who were new. used_up is when\n"
        "the limit is reached at that pace, room_from when a used up one has room again.",
    .examples = "budget\n"
                "budget north-mail --json\n"
                "budget raise north-mail --limit phones --to 900 --until 2026-12-01 -r recall\n",
    .run = run,
};
