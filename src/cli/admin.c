/* See admin.h. The connection takes nothing from the environment: an operator's PGSERVICE or
 * PGOPTIONS are meant for other servers. */
#include "cli/admin.h"

#include <dirent.h>
#include <errno.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "policy/config.h"

enum { PORT_ROOM = 8, COMMAND_BYTES = 65536 };

struct cli_admin {
    PGconn *connection;
};

/* ---- where ---- */

struct place {
    char folder[256];
    char port[PORT_ROOM];
};

/* The only gateway's socket in a folder names its port. */
static enum status find_socket(const char *folder, struct place *place, struct error *error)
{
    static const char prefix[] = ".s.PGSQL.";
    DIR *entries = opendir(folder);
    if (entries == NULL)
        return error_set_errno(error, errno, "cannot look into %s", folder);
    size_t found = 0;
    for (const struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        const char *port = entry->d_name + sizeof prefix - 1;
        if (strncmp(entry->d_name, prefix, sizeof prefix - 1) != 0 || port[0] == '\0' ||
            port[strspn(port, "0123456789")] != '\0' || strlen(port) >= sizeof place->port)
            continue;
        memcpy(place->port, port, strlen(port) + 1);
        found++;
    }
    closedir(entries);
    if (found != 1)
        return error_set(error, STATUS_NOT_FOUND, "08001",
                         "Is the gateway running? Name its configuration with -c FILE.",
                         found == 0 ? "there is no admin socket in %s"
                                    : "there are several admin sockets in %s",
                         folder);
    snprintf(place->folder, sizeof place->folder, "%s", folder);
    return STATUS_OK;
}

static enum status find_place(const struct cli_call *call, struct place *place, struct error *error)
{
    if (call->admin_folder != NULL)
        return find_socket(call->admin_folder, place, error);
    struct config *config = NULL;
    TRY(config_load(call->config_path, &config, error));
    snprintf(place->folder, sizeof place->folder, "%s", config->run_folder);
    snprintf(place->port, sizeof place->port, "%u", config->admin.port);
    config_free(config);
    return STATUS_OK;
}

/* ---- errors ---- */

/* libpq's texts end in a newline, and may have several lines. */
static enum status connection_error(PGconn *connection, struct error *error)
{
    const char *text = PQerrorMessage(connection);
    return error_set(error, STATUS_IO, "08001", "Is the gateway running?", "%.*s",
                     (int)strcspn(text, "\n"), text);
}

static enum status result_error(PGconn *connection, const PGresult *result, struct error *error)
{
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
    if (message == NULL) /* the connection broke: the error is libpq's own */
        return connection_error(connection, error);
    return error_set(error, STATUS_DENIED, sqlstate == NULL ? "XX000" : sqlstate, hint, "%s",
                     message);
}

/* ---- the connection ---- */

static void forget_environment(void)
{
    static const char *const names[] = {
        "PGSERVICE",   "PGSERVICEFILE", "PGOPTIONS",    "PGHOSTADDR",           "PGPASSWORD",
        "PGPASSFILE",  "PGREQUIREPEER", "PGREQUIRESSL", "PGCHANNELBINDING",     "PGSSLMODE",
        "PGDATESTYLE", "PGTZ",          "PGGEQO",       "PGTARGETSESSIONATTRS",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unsetenv(names[i]);
}

static PGconn *connect_to(const struct place *place)
{
    const char *const keywords[] = {"host",    "port",       "dbname",          "connect_timeout",
                                    "sslmode", "gssencmode", "client_encoding", "application_name",
                                    NULL};
    const char *const values[] = {place->folder, place->port, "cofferdam", "10", "disable",
                                  "disable",     "UTF8",      "cofferdam", NULL};
    forget_environment();
    return PQconnectdbParams(keywords, values, 0);
}

static void ignore_notice(void *context, const char *message)
{
    (void)context, (void)message;
}

enum status cli_admin_open(const struct cli_call *call, struct cli_admin **out, struct error *error)
{
    struct place place;
    TRY(find_place(call, &place, error));
    struct cli_admin *admin = calloc(1, sizeof *admin);
    if (admin == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    admin->connection = connect_to(&place);
    if (PQstatus(admin->connection) != CONNECTION_OK) {
        enum status status = connection_error(admin->connection, error);
        cli_admin_close(admin);
        return status;
    }
    PQsetNoticeProcessor(admin->connection, ignore_notice, NULL);
    *out = admin;
    return STATUS_OK;
}

void cli_admin_close(struct cli_admin *admin)
{
    if (admin == NULL)
        return;
    PQfinish(admin->connection);
    free(admin);
}

void cli_admin_clause(struct buffer *command, const char *keyword, const char *value)
{
    if (value == NULL)
        return;
    buffer_printf(command, "%s%s '", keyword[0] == '\0' ? "" : " ", keyword);
    for (; *value != '\0'; value++) {
        if (*value == '\'')
            buffer_append_u8(command, '\'');
        buffer_append_u8(command, (uint8_t)*value);
    }
    buffer_append_u8(command, '\'');
}

/* ---- asking ---- */

/* The admin database sends everything as text. What is a number is known by its column's name, so
 * that a column has one type for ever. */
static enum cli_json_kind kind_of(const char *name)
{
    static const char *const numbers[] = {
        "agents",   "aggregate",      "charged",        "cut_ms",  "datasets", "declared",
        "direct",   "grants",         "influence",      "of",      "partners", "per_day",
        "probe",    "rows",           "sequence",       "session", "sessions", "statements",
        "subjects", "subjects_today", "subjects_total", "total",   "used",     "witness",
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (strcmp(name, numbers[i]) == 0)
            return CLI_JSON_NUMBER;
    }
    return CLI_JSON_TEXT;
}

static enum status take(const PGresult *answer, struct cli_result *result, struct error *error)
{
    const char *names[TABLE_MAX_COLUMNS + 1] = {NULL};
    int columns = PQnfields(answer);
    if (columns > TABLE_MAX_COLUMNS)
        return error_set(error, STATUS_LIMIT, "54000", NULL, "the answer has %d columns", columns);
    for (int column = 0; column < columns; column++) {
        names[column] = PQfname(answer, column);
        result->kinds[column] = kind_of(names[column]);
    }
    table_init(&result->table, CLI_RESULT_BYTES, names);
    for (int at = 0; at < PQntuples(answer); at++) {
        struct table_row *row = table_add(&result->table);
        for (int column = 0; column < columns; column++) {
            if (!PQgetisnull(answer, at, column))
                table_set(&result->table, row, (size_t)column, "%s",
                          PQgetvalue(answer, at, column));
        }
    }
    if (!table_overflowed(&result->table))
        return STATUS_OK;
    table_free(&result->table);
    return error_set(error, STATUS_LIMIT, "54000", "Ask for less.", "the answer is too long");
}

enum status cli_admin_ask(struct cli_admin *admin, struct buffer *command,
                          struct cli_result *result, struct error *error)
{
    const char *text = command->overflowed ? NULL : buffer_text(command);
    if (text == NULL)
        return error_set(error, STATUS_LIMIT, "54000", NULL, "the command is too long");
    PGresult *answer = PQexec(admin->connection, text);
    enum status status;
    if (PQresultStatus(answer) == PGRES_TUPLES_OK || PQresultStatus(answer) == PGRES_COMMAND_OK)
        status = take(answer, result, error);
    else
        status = result_error(admin->connection, answer, error);
    PQclear(answer);
    return status;
}

enum status cli_print_result(const struct cli_call *call, const struct cli_result *result,
                             struct error *error)
{
    if (call->json)
        return cli_json_print(cli_json_table(&result->table, result->kinds), false, error);
    if (result->table.column_count > 0)
        cli_print_table(stdout, &result->table);
    return STATUS_OK;
}

enum status cli_show(const struct cli_call *call, const char *show, const char *keyword,
                     const char *value, struct error *error)
{
    struct cli_admin *admin = NULL;
    TRY(cli_admin_open(call, &admin, error));
    struct cli_result result = {0};
    struct buffer command;
    buffer_init(&command, COMMAND_BYTES);
    buffer_append_text(&command, show);
    cli_admin_clause(&command, keyword, value);
    enum status status = cli_admin_ask(admin, &command, &result, error);
    if (status == STATUS_OK)
        status = cli_print_result(call, &result, error);
    table_free(&result.table);
    buffer_free(&command);
    cli_admin_close(admin);
    return status;
}
