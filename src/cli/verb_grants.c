/* cofferdam grants: the SQL for the database's administrator to read and run. */
#include "cli/offline.h"
#include "cli/verbs.h"

#include "base/check.h"
#include "cli/json.h"

enum { SQL_BYTES = 16 * 1024 * 1024 };

static const struct cli_option options[] = {
    {"role", 0, "NAME", "the gateway's role, default the configuration's upstream user"},
    {"database", 0, "NAME", "the database, default the configuration's"},
    {NULL, 0, NULL, NULL},
};

static enum status print(const struct cli_call *call, const char *role, const char *database,
                         const char *sql, struct error *error)
{
    if (!call->json) {
        fputs(sql, stdout);
        return STATUS_OK;
    }
    json_t *value = json_pack("{s:s, s:s, s:s}", "role", role, "database", database, "sql", sql);
    if (value == NULL)
        return error_set(error, STATUS_INVALID, "22021", NULL, "the SQL is not UTF-8");
    return cli_json_print(value, false, error);
}

static enum status run(struct cli_call *call, struct error *error)
{
    struct cli_offline offline = {0};
    struct buffer sql;
    buffer_init(&sql, SQL_BYTES);
    enum status status = cli_offline_open(call, &offline, error);
    if (status == STATUS_OK)
        status = cli_offline_bind(&offline, error);
    if (status != STATUS_OK)
        goto done;
    const char *role = cli_value(call, "role"), *database = cli_value(call, "database");
    role = role == NULL ? offline.config->upstream.user : role;
    database = database == NULL ? offline.config->upstream.database : database;
    status = model_grants_sql(offline.model, role, database, &sql, error);
    const char *text = status == STATUS_OK ? buffer_text(&sql) : NULL;
    if (text != NULL)
        status = print(call, role, database, text, error);
    else if (status == STATUS_OK)
        status = error_set(error, STATUS_LIMIT, "54000", NULL, "the SQL is too long");
done:
    buffer_free(&sql);
    cli_offline_free(&offline);
    return status;
}

const struct cli_command verb_grants = {
    .arguments = "",
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Prints the SQL that gives the gateway's database role just what the policy needs:\n"
        "columns, read only, time-outs, a bound on connections. Nothing is changed: read it,\n"
        "then run it as the database's administrator.",
    .examples = "grants > grants.sql\n"
                "grants | psql -d meridian\n",
    .run = run,
};
