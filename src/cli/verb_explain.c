/* cofferdam explain: a statement through an agent's eyes, without running it. */
#include "cli/admin.h"
#include "cli/verbs.h"

#include <errno.h>
#include <string.h>

#include "base/limits.h"

/* The statement from the command line, or all of standard input. */
static enum status read_statement(const struct cli_call *call, struct buffer *statement,
                                  struct error *error)
{
    if (call->argument_count > 1 && strcmp(call->arguments[1], "-") != 0) {
        buffer_append_text(statement, call->arguments[1]);
        return STATUS_OK;
    }
    char part[4096];
    size_t len;
    while ((len = fread(part, 1, sizeof part, stdin)) > 0)
        buffer_append(statement, part, len);
    if (ferror(stdin))
        return error_set_errno(error, errno, "cannot read the statement");
    return STATUS_OK;
}

static enum status print(const struct cli_call *call, const struct cli_result *result,
                         struct error *error)
{
    if (call->json)
        return cli_print_result(call, result, error);
    for (const struct table_row *row = result->table.first; row != NULL; row = row->next)
        cli_print_pair(stdout, cli_cell(&result->table, row, "topic"),
                       cli_cell(&result->table, row, "text"));
    return STATUS_OK;
}

static enum status ask(const struct cli_call *call, const char *statement, struct error *error)
{
    struct cli_admin *admin = NULL;
    TRY(cli_admin_open(call, &admin, error));
    char login[2 * CLI_NAME_ROOM];
    snprintf(login, sizeof login, "%s", call->arguments[0]);
    char *slash = strchr(login, '/');
    if (slash != NULL)
        *slash = '.'; /* PARTNER/AGENT is written everywhere else; both are understood */
    struct cli_result result = {0};
    struct buffer command;
    buffer_init(&command, 4 * LIMIT_MESSAGE_BYTES);
    buffer_append_text(&command, "EXPLAIN");
    cli_admin_clause(&command, "AGENT", login);
    cli_admin_clause(&command, "", statement);
    enum status status = cli_admin_ask(admin, &command, &result, error);
    if (status == STATUS_OK)
        status = print(call, &result, error);
    table_free(&result.table);
    buffer_free(&command);
    cli_admin_close(admin);
    return status;
}

static enum status run(struct cli_call *call, struct error *error)
{
    struct buffer statement;
    buffer_init(&statement, LIMIT_MESSAGE_BYTES);
    enum status status = read_statement(call, &statement, error);
    const char *text = status == STATUS_OK ? buffer_text(&statement) : NULL;
    if (text != NULL)
        status = ask(call, text, error);
    else if (status == STATUS_OK)
        status = error_set(error, STATUS_LIMIT, "54000", NULL, "the statement is too long");
    buffer_free(&statement);
    return status;
}

const struct cli_command verb_explain = {
    .arguments = "PARTNER/AGENT [STATEMENT]",
    .least = 1,
    .most = 2,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .description =
        "Tells what the gateway would make of a statement of this agent: the fenced text, the\n"
        "columns read and recorded, or why it is refused. Nothing runs.\n"
        "Without STATEMENT, or with -, the statement is read from standard input.",
    .examples = "explain north-mail/sync \"SELECT full_name FROM customer\"\n"
                "explain ringway/desk < lookup.sql\n",
    .run = run,
};
