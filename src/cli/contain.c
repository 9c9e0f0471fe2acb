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

/* Containment is enforced first and stored second; an unstored one ends with the process. */
static enum status judge_stored(const struct table *table, struct error *error)
{
    const char *stored = table->first == NULL ? "" : cli_cell(table, table->first, "stored");
    if (stored[0] == '\0' || strcmp(stored, "yes") == 0)
        return STATUS_OK;
    return error_set(error, STATUS_IO, "58030",
                     "It is in force, but will not survive a restart of the gateway.",
                     "not stored: %s", stored);
}

static enum status print(const struct cli_call *call, const struct cli_result *result,
                         const char *act, struct error *error)
{
    const struct table *table = &result->table;
    bool measured = table->first != NULL && cli_column(table, "cut_ms") < table->column_count;
    if (call->json)
        TRY(cli_print_result(call, result, error));
    else if (strcmp(act, "RESTORE") == 0)
        printf("%s is restored\n", call->arguments[0]);
    else if (measured)
        print_cut(result, call->arguments[0]);
    else
        printf("%s is contained\n", call->arguments[0]);
    return judge_stored(table, error);
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
    cli_admin_clause(&command, "PARTNER", partner);
    cli_admin_clause(&command, "AGENT", agent[0] == '\0' ? NULL : agent);
    cli_admin_clause(&command, "REASON", reason);
    enum status status = cli_admin_ask(admin, &command, &result, error);
    if (status == STATUS_OK)
        status = print(call, &result, act, error);
    table_free(&result.table);
    buffer_free(&command);
    cli_admin_close(admin);
    return status;
}
