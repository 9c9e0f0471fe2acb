/* cofferdam alarm show: one alarm, and how far it has got with each receiver. */
#include "cli/alarm.h"
#include "cli/verbs.h"

enum { COMMAND_BYTES = 4096 };

static enum status run(struct cli_call *call, struct error *error)
{
    struct cli_admin *admin = NULL;
    struct cli_result result = {0};
    struct buffer command;
    TRY(cli_admin_open(call, &admin, error));
    buffer_init(&command, COMMAND_BYTES);
    buffer_append_text(&command, "SHOW ALARM");
    cli_admin_clause(&command, "ID", call->arguments[0]);
    enum status status = cli_admin_ask(admin, &command, &result, error);
    if (status == STATUS_OK)
        status = cli_print_alarm(call, &result, error);
    table_free(&result.table);
    buffer_free(&command);
    cli_admin_close(admin);
    return status;
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
