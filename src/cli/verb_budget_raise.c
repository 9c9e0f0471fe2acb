/* cofferdam budget raise: proposes a higher bound for a time, or takes one back. */
#include "cli/admin.h"
#include "cli/verbs.h"

#include <stdio.h>
#include <string.h>

enum { COMMAND_BYTES = 65536 };

static const struct cli_option options[] = {
    {"limit", 'l', "NAME", "per_day, total, or a name under budget: limits in the policy"},
    {"to", 't', "N", "the bound that is to hold"},
    {"until", 'u', "TIME", "when it falls back by itself, RFC 3339; at most 366 days"},
    {"reason", 'r', "TEXT", "why; it is kept in the ledger (needed)"},
    {"revoke", 0, "ID", "take this raise back instead, at once"},
    {NULL, 0, NULL, NULL},
};

static enum status put_raise(struct cli_call *call, struct buffer *command, struct error *error)
{
    const char *limit, *to, *until;
    TRY(cli_require(call, "limit", &limit, error));
    TRY(cli_require(call, "to", &to, error));
    TRY(cli_require(call, "until", &until, error));
    if (call->argument_count == 0)
        return cli_usage(call, error, "whose budget?");
    buffer_append_text(command, "RAISE BUDGET");
    cli_admin_clause(command, "PARTNER", call->arguments[0]);
    cli_admin_clause(command, "LIMIT", limit);
    cli_admin_clause(command, "TO", to);
    cli_admin_clause(command, "UNTIL", until);
    return STATUS_OK;
}

static void tell(const struct cli_call *call, const struct cli_result *result)
{
    const struct table_row *row = result->table.first;
    const char *id = cli_cell(&result->table, row, "id");
    const char *state = cli_cell(&result->table, row, "state");
    if (cli_value(call, "revoke") != NULL)
        printf("raise %s is revoked\n", id);
    else if (strcmp(state, "in force") == 0)
        printf("raise %s is in force\n", id);
    else
        printf("raise %s is proposed; another user approves it by: cofferdam budget approve %s\n",
               id, id);
}

static enum status ask(const struct cli_call *call, struct buffer *command, struct error *error)
{
    struct cli_admin *admin = NULL;
    struct cli_result result = {0};
    TRY(cli_admin_open(call, &admin, error));
    enum status status = cli_admin_ask(admin, command, &result, error);
    if (status == STATUS_OK && call->json)
        status = cli_print_result(call, &result, error);
    else if (status == STATUS_OK)
        tell(call, &result);
    table_free(&result.table);
    cli_admin_close(admin);
    return status;
}

static enum status run(struct cli_call *call, struct error *error)
{
    const char *reason, *revoke = cli_value(call, "revoke");
    struct buffer command;
    TRY(cli_require(call, "reason", &reason, error));
    buffer_init(&command, COMMAND_BYTES);
    enum status status = STATUS_OK;
    if (revoke == NULL) {
        status = put_raise(call, &command, error);
    } else {
        buffer_append_text(&command, "REVOKE BUDGET");
        cli_admin_clause(&command, "ID", revoke);
    }
    cli_admin_clause(&command, "REASON", reason);
    if (status == STATUS_OK)
        status = ask(call, &command, error);
    buffer_free(&command);
    return status;
}

const struct cli_command verb_budget_raise = {
    .arguments = "[PARTNER]",
    .most = 1,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Proposes that a limit of the partner's budget be higher for a time. It is in force once\n"
        "another user has approved it (with budget: {approvals: 1} in cofferdam.yaml at once),\n"
        "over restarts too, and falls back by itself. All of it stands in the ledger.",
    .examples =
        "budget raise north-mail --limit per_day --to 9000 --until 2026-12-01 -r \"recall\"\n"
        "budget raise --revoke 4711 --reason \"mailing is out\"\n",
    .run = run,
};
