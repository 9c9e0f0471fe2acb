/* See admin_client.h. The connection takes nothing from the environment: an operator's PGSERVICE or
 * PGOPTIONS are meant for other servers. */
#include "admin/admin_client.h"

#include <dirent.h>
#include <errno.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PORT_ROOM = 8, FOLDER_ROOM = 256, NOTICE_ROOM = 1000 };

struct admin_client {
    PGconn *connection;
    char notice[NOTICE_ROOM]; /* the last one with the last answer; "" for none */
};

/* ---- where ---- */

/* The only gateway's socket in a folder names its port. */
static enum status find_port(const char *folder, char port[static PORT_ROOM], struct error *error)
{
    static const char prefix[] = ".s.PGSQL.";
    DIR *entries = opendir(folder);
    if (entries == NULL)
        return error_set_errno(error, errno, "cannot look into %s", folder);
    size_t found = 0;
    for (const struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        const char *digits = entry->d_name + sizeof prefix - 1;
        if (strncmp(entry->d_name, prefix, sizeof prefix - 1) != 0 || digits[0] == '\0' ||
            digits[strspn(digits, "0123456789")] != '\0' || strlen(digits) >= PORT_ROOM)
            continue;
        memcpy(port, digits, strlen(digits) + 1);
        found++;
    }
    closedir(entries);
    if (found != 1)
        return error_set(error, STATUS_NOT_FOUND, "08001",
                         "Is the gateway running? Name its configuration with -c FILE.",
                         found == 0 ? "there is no admin socket in %s"
                                    : "there are several admin sockets in %s",
                         folder);
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

static PGconn *connect_to(const char *folder, const char *port)
{
    const char *const keywords[] = {"host",    "port",       "dbname",          "connect_timeout",
                                    "sslmode", "gssencmode", "client_encoding", "application_name",
                                    NULL};
    const char *const values[] = {folder,    port,   "cofferdam", "10", "disable",
                                  "disable", "UTF8", "cofferdam", NULL};
    forget_environment();
    return PQconnectdbParams(keywords, values, 0);
}

static void keep_notice(void *context, const PGresult *notice)
{
    struct admin_client *client = context;
    const char *text = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
    snprintf(client->notice, sizeof client->notice, "%s", text == NULL ? "" : text);
}

const char *admin_client_notice(const struct admin_client *client)
{
    return client->notice;
}

enum status admin_client_open(const char *folder, uint16_t port, struct admin_client **out,
                              struct error *error)
{
    char digits[PORT_ROOM];
    if (port == 0)
        TRY(find_port(folder, digits, error));
    else
        snprintf(digits, sizeof digits, "%u", port);
    struct admin_client *client = calloc(1, sizeof *client);
    if (client == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    client->connection = connect_to(folder, digits);
    if (PQstatus(client->connection) != CONNECTION_OK) {
        enum status status = connection_error(client->connection, error);
        admin_client_close(client);
        return status;
    }
    PQsetNoticeReceiver(client->connection, keep_notice, client);
    *out = client;
    return STATUS_OK;
}

void admin_client_close(struct admin_client *client)
{
    if (client == NULL)
        return;
    PQfinish(client->connection);
    free(client);
}

/* ---- asking ---- */

void admin_client_clause(struct buffer *command, const char *keyword, const char *value)
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

static enum status take(const PGresult *answer, struct table *table, struct error *error)
{
    const char *names[TABLE_MAX_COLUMNS + 1] = {NULL};
    int columns = PQnfields(answer);
    if (columns > TABLE_MAX_COLUMNS)
        return error_set(error, STATUS_LIMIT, "54000", NULL, "the answer has %d columns", columns);
    for (int column = 0; column < columns; column++)
        names[column] = PQfname(answer, column);
    table_init(table, ADMIN_CLIENT_RESULT_BYTES, names);
    for (int at = 0; at < PQntuples(answer); at++) {
        struct table_row *row = table_add(table);
        for (int column = 0; column < columns; column++) {
            if (!PQgetisnull(answer, at, column))
                table_set(table, row, (size_t)column, "%s", PQgetvalue(answer, at, column));
        }
    }
    if (!table_overflowed(table))
        return STATUS_OK;
    table_free(table);
    return error_set(error, STATUS_LIMIT, "54000", "Ask for less.", "the answer is too long");
}

enum status admin_client_ask(struct admin_client *client, struct buffer *command,
                             struct table *table, struct error *error)
{
    const char *text = command->overflowed ? NULL : buffer_text(command);
    if (text == NULL)
        return error_set(error, STATUS_LIMIT, "54000", NULL, "the command is too long");
    client->notice[0] = '\0';
    PGresult *answer = PQexec(client->connection, text);
    enum status status;
    if (PQresultStatus(answer) == PGRES_TUPLES_OK || PQresultStatus(answer) == PGRES_COMMAND_OK)
        status = take(answer, table, error);
    else
        status = result_error(client->connection, answer, error);
    PQclear(answer);
    return status;
}
