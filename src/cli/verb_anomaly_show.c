/* cofferdam anomaly show: what each agent does in this hour, against its own history. */
#include "cli/admin.h"
#include "cli/verbs.h"

enum { COMMAND_BYTES = 1024 };

static const struct cli_option options[] = {
    {"agent", 'a', "PARTNER[/AGENT]", "this partner or agent only"},
    {NULL, 0, NULL, NULL},
};

static enum status run(struct cli_call *call, struct error *error)
{
    const char *who = cli_value(call, "agent");
    char partner[CLI_NAME_ROOM] = "", agent[CLI_NAME_ROOM] = "";
    struct cli_admin *admin = NULL;
    struct cli_result result = {0};
    struct buffer command;
    if (who != NULL)
        TRY(cli_split_agent(call, who, partner, agent, error));
    buffer_init(&command, COMMAND_BYTES);
    buffer_append_text(&command, "SHOW ANOMALIES");
    cli_admin_clause(&command, "PARTNER", partner[0] == '\0' ? NULL : partner);
    cli_admin_clause(&command, "AGENT", agent[0] == '\0' ? NULL : agent);
    enum status status = cli_admin_open(call, &admin, error);
    if (status == STATUS_OK)
        status = cli_admin_ask(admin, &command, &result, error);
    if (status == STATUS_OK) {
        status = cli_print_result(call, &result, error);
        table_free(&result.table);
    }
    cli_admin_close(admin);
    buffer_free(&command);
    return status;
}

const struct cli_command verb_anomaly_show = {
    .arguments = "",
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Shows, for each agent and rule, the figure of this hour (UTC) and the bound that it is\n"
        "held against: the floor, or factor times the greatest hour of the days before today,\n"
        "whichever is more; while an agent is still learned, the floor alone. Of columns, hours\n"
        "and networks: how many were new in this hour, and how many are known.",
    .examples = "anomaly show\n"
                "anomaly show --agent north-mail/sync --json\n",
    .run = run,
};
