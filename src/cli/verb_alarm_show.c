/* cofferdam alarm show: one alarm, and how far it has got with each receiver. */
#include "cli/admin.h"
#include "cli/verbs.h"

static enum status run(struct cli_call *call, struct error *error)
{
    return cli_show(call, "SHOW ALARM", "ID", call->arguments[0], error);
}

const struct cli_command verb_alarm_show = {
    .arguments = "ALARM",
    .least = 1,
    .most = 1,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .description =
        "Shows an alarm: for each receiver how often it was tried, what it answered last,\n"
        "and when it is tried again.",
    .examples = "alarm show 12\n",
    .run = run,
};
