/* cofferdam request revoke: takes an approval back, at once. */
#include "cli/admin.h"
#include "cli/verbs.h"

enum { COMMAND_BYTES = 8192 };

static const struct cli_option options[] = {
    {"reason", 'r', "TEXT", "why; it is kept in the ledger (needed)"},
    {NULL, 0, NULL, NULL},
};

static enum status ask(const struct cli_call *call, struct buffer *command, struct error *error)
{
    struct cli_admin *admin = NULL;
    struct cli_result result = {0};
    TRY(cli_admin_open(call, &admin, error));
    enum status status = cli_admin_ask(admin, command, &result, error);
    if (status == STATUS_OK)
        status = cli_print_result(call, &result, error);
    table_free(&result.table);
    cli_admin_close(admin);
    return status;
}

static enum status run(struct cli_call *call, struct error *error)
{
    struct buffer command;
    const char *reason;
    TRY(cli_require(call, "reason", &reason, error));
    buffer_init(&command, COMMAND_BYTES);
    buffer_append_text(&command, "REVOKE REQUEST");
    cli_admin_clause(&command, "ID", call->arguments[0]);
    cli_admin_clause(&command, "REASON", reason);
    enum status status = ask(call, &command, error);
    buffer_free(&command);
    return status;
}

const struct cli_command verb_request_revoke = {
    .arguments = "ID",
    .least = 1,
    .most = 1,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .options = options,
    .description = "Takes an approval back: what runs on it ends at once, with 57P01.",
    .examples = "request revoke 17 --reason \"done\"\n",
    .run = run,
};
