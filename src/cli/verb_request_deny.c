/* cofferdam request deny: refuses what was asked for. */
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
    buffer_append_text(&command, "DENY REQUEST");
    cli_admin_clause(&command, "ID", call->arguments[0]);
    cli_admin_clause(&command, "REASON", reason);
    enum status status = ask(call, &command, error);
    buffer_free(&command);
    return status;
}

const struct cli_command verb_request_deny = {
    .arguments = "ID",
    .least = 1,
    .most = 1,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Denies a request that waits for approval. The agent can ask again after an hour.",
    .examples = "request deny 17 --reason \"not before the audit\"\n",
    .run = run,
};
