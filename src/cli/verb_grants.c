/* cofferdam grants: the SQL for the database's administrator to read and run. */
#include "cli/offline.h"
#include "cli/verbs.h"

#include "base/check.h"
#include "cli/json.h"
#include "contact/contact.h"

enum { SQL_BYTES = 16 * 1024 * 1024 };

static const struct cli_option options[] = {
    {"contact", 0, NULL, "of the role that reads how people can be reached instead"},
    {"role", 0, "NAME", "the role's name, default the configuration's"},
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

static enum status gateway_sql(struct cli_offline *offline, const char *role, struct buffer *sql,
                               struct error *error)
{
    TRY(cli_offline_bind(offline, error));
    return model_grants_sql(offline->model, role, offline->config->upstream.database, sql, error);
}

static enum status run(struct cli_call *call, struct error *error)
{
    struct cli_offline offline = {0};
    struct buffer sql;
    buffer_init(&sql, SQL_BYTES);
    enum status status = cli_offline_open(call, &offline, error);
    if (status != STATUS_OK)
        goto done;
    struct config *config = offline.config;
    bool contact = cli_value(call, "contact") != NULL;
    const char *role = cli_value(call, "role"), *database = cli_value(call, "database");
    if (role == NULL)
        role = contact ? config->contact.user : config->upstream.user;
    if (role == NULL)
        role = CONTACT_DEFAULT_ROLE;
    if (database != NULL)
        config->upstream.database = database;
    if (contact)
        config->contact.user = role;
    status = contact ? contact_grants(config, offline.policy, &sql, error)
                     : gateway_sql(&offline, role, &sql, error);
    const char *text = status == STATUS_OK ? buffer_text(&sql) : NULL;
    if (text != NULL)
        status = print(call, role, config->upstream.database, text, error);
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
        "then run it as the database's administrator. With --contact: what the role needs that\n"
        "reads names and addresses when people must be told of a breach.",
    .examples = "grants > grants.sql\n"
                "grants | psql -d meridian\n"
                "grants --contact | psql -d meridian\n",
    .run = run,
};
