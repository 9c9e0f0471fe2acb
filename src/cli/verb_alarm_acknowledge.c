/* cofferdam alarm acknowledge: somebody has seen to it. */
#include "cli/admin.h"
#include "cli/verbs.h"

static const struct cli_option options[] = {
    {"note", 'n', "TEXT", "what was found; it is kept in the ledger (needed)"},
    {NULL, 0, NULL, NULL},
};

static enum status acknowledge(const struct cli_call *call, struct cli_admin *admin,
                               const char *note, struct error *error)
{
    struct cli_result result = {0};
    struct buffer command;
    buffer_init(&command, 64 * 1024);
    buffer_append_text(&command, "ACKNOWLEDGE ALARM");
    cli_admin_clause(&command, "ID", call->arguments[0]);
    cli_admin_clause(&command, "NOTE", note);
    enum status status = cli_admin_ask(admin, &command, &result, error);
    if (status == STATUS_OK && call->json)
        status = cli_print_result(call, &result, error);
    else if (status == STATUS_OK)
        printf("alarm %s is acknowledged\n", call->arguments[0]);
    table_free(&result.table);
    buffer_free(&command);
    return status;
}

static enum status run(struct cli_call *call, struct error *error)
{
    const char *note;
    struct cli_admin *admin = NULL;
    TRY(cli_require(call, "note", &note, error));
    TRY(cli_admin_open(call, &admin, error));
    enum status status = acknowledge(call, admin, note, error);
    cli_admin_close(admin);
    return status;
}

const struct cli_command verb_alarm_acknowledge = {
    .arguments = "ALARM",
    .least = 1,
    .most = 1,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Says that somebody has seen to an alarm, and what was found. It is not listed any\n"
        "more, and the ledger has who said so. Who is contained stays so.",
    .examples = "alarm acknowledge 12 --note \"a colleague's test of the import\"\n",
    .run = run,
};
