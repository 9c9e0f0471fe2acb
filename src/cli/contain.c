/* Containing and restoring: one command, and how long the cut took, as the gateway measured it. */
#include "cli/contain.h"

#include <string.h>

#include "cli/admin.h"

enum { COMMAND_BYTES = 65536 };

static void print_cut(const struct cli_result *result, const char *who)
{
    const struct table *table = &result->table;
    const struct table_row *row = table->first;
    const char *sessions = cli_cell(table, row, "sessions");
    printf("%s is contained: %s session%s ended in %s ms\n", who, sessions,
           strcmp(sessions, "1") == 0 ? "" : "s", cli_cell(table, row, "cut_ms"));
}

static enum status print(const struct cli_call *call, const struct cli_result *result,
                         const char *act, struct error *error)
{
    const struct table *table = &result->table;
    bool measured = table->first != NULL && cli_column(table, "cut_ms") < table->column_count;
    if (call->json)
        return cli_print_result(call, result, error);
    if (strcmp(act, "RESTORE") == 0)
        printf("%s is restored\n", call->arguments[0]);
    else if (measured)
        print_cut(result, call->arguments[0]);
    else
        printf("%s is contained\n", call->arguments[0]);
    return STATUS_OK;
}

enum status cli_contain(struct cli_call *call, const char *act, struct error *error)
{
    char partner[CLI_NAME_ROOM], agent[CLI_NAME_ROOM];
    const char *reason = NULL;
    TRY(cli_split_agent(call, call->arguments[0], partner, agent, error));
    TRY(cli_require(call, "reason", &reason, error));
    struct cli_admin *admin = NULL;
    TRY(cli_admin_open(call, &admin, error));
    struct cli_result result = {0};
    struct buffer command;
    buffer_init(&command, COMMAND_BYTES);
    buffer_append_text(&command, act);
    cli_admin_clause(admin, &command, "PARTNER", partner);
    cli_admin_clause(admin, &command, "AGENT", agent[0] == '\0' ? NULL : agent);
    cli_admin_clause(admin, &command, "REASON", reason);
    enum status status = cli_admin_ask(admin, &command, &result, error);
    if (status == STATUS_OK)
        status = print(call, &result, act, error);
    table_free(&result.table);
    buffer_free(&command);
    cli_admin_close(admin);
    return status;
}
