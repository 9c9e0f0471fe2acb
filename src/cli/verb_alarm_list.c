/* cofferdam alarm list: what was raised, and who has been told. */
#include "cli/admin.h"
#include "cli/verbs.h"

static const struct cli_option options[] = {
    {"all", 'a', NULL, "those that somebody has acknowledged, too"},
    {NULL, 0, NULL, NULL},
};

static enum status run(struct cli_call *call, struct error *error)
{
    return cli_show_wrapped(call, "SHOW ALARMS", "STATE",
                            cli_value(call, "all") == NULL ? "open" : NULL, error);
}

const struct cli_command verb_alarm_list = {
    .arguments = "",
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .options = options,
    .description = "Lists the alarms that nobody has acknowledged yet, newest first: which figure "
                   "passed which\n"
                   "bound, who was contained by it, how often the same came again, and whether the "
                   "webhook and\n"
                   "the mail server have taken it.",
    .examples = "alarm list\n"
                "alarm list --all --json\n",
    .run = run,
};
