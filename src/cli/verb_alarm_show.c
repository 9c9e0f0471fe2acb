/* cofferdam alarm show: one alarm, and how far it has got with each receiver. */
#include "cli/alarm.h"
#include "cli/verbs.h"

static enum status run(struct cli_call *call, struct error *error)
{
    return cli_show_with(call, "SHOW ALARM", "ID", call->arguments[0], cli_print_alarm, error);
}

const struct cli_command verb_alarm_show = {
    .arguments = "ALARM",
    .least = 1,
    .most = 1,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .description =
        "Shows all that is known of an alarm; for each receiver how often it was tried, what it\n"
        "answered last, and when it is tried again; and the commands that may come next.",
    .examples = "alarm show 12\n",
    .run = run,
};
