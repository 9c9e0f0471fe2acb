/* See export.h: rows of a delivery, one at a time, from a session of the gateway. */
#include "cli/export.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum status told(PGconn *connection, const PGresult *result, struct error *error)
{
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
    const char *text = PQerrorMessage(connection);
    if (message == NULL) /* the connection broke: the error is libpq's own */
        return error_set(error, STATUS_IO, "08006", "Is the gateway running?", "%.*s",
                         (int)strcspn(text, "\n"), text);
    return error_set(error, STATUS_DENIED, sqlstate == NULL ? "XX000" : sqlstate, hint, "%s",
                     message);
}

static enum status refused(PGconn *connection, struct error *error)
{
    const char *text = PQerrorMessage(connection);
    const char *fatal = strstr(text, "FATAL:  ");
    text = fatal == NULL ? text : fatal + strlen("FATAL:  ");
    return error_set(error, STATUS_IO, "08001", fatal == NULL ? "Is the gateway running?" : NULL,
                     "%.*s", (int)strcspn(text, "\n"), text);
}

static enum status connect_to(struct export_fetch *fetch, const char *folder, uint16_t port,
                              const char *id, struct error *error)
{
    char host[EXPORT_PATH_ROOM], digits[8], options[64];
    snprintf(host, sizeof host, "%s/delivery", folder);
    snprintf(digits, sizeof digits, "%u", port);
    snprintf(options, sizeof options, "-c cofferdam.delivery=%s", id);
    /* The user is the delivery's, whatever is said here. */
    const char *const keywords[] = {"host",    "port",       "dbname",          "user", "options",
                                    "sslmode", "gssencmode", "connect_timeout", NULL};
    const char *const values[] = {host,      digits,    "cofferdam", "delivery", options,
                                  "disable", "disable", "10",        NULL};
    fetch->connection = PQconnectdbParams(keywords, values, 0);
    return PQstatus(fetch->connection) == CONNECTION_OK ? STATUS_OK
                                                        : refused(fetch->connection, error);
}

static enum status take_columns(struct export_fetch *fetch, struct error *error)
{
    fetch->count = (size_t)PQnfields(fetch->first);
    fetch->columns = calloc(fetch->count + 1, sizeof *fetch->columns);
    fetch->cells = calloc(fetch->count + 1, sizeof *fetch->cells);
    if (fetch->columns == NULL || fetch->cells == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    for (size_t i = 0; i < fetch->count; i++) {
        fetch->columns[i].name = strdup(PQfname(fetch->first, (int)i));
        fetch->columns[i].type = PQftype(fetch->first, (int)i);
        if (fetch->columns[i].name == NULL)
            return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    }
    return STATUS_OK;
}

static bool is_rows(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_SINGLE_TUPLE || status == PGRES_TUPLES_OK;
}

enum status export_fetch_open(struct export_fetch *fetch, const char *folder, uint16_t port,
                              const char *id, const char *sql, struct error *error)
{
    TRY(connect_to(fetch, folder, port, id, error));
    if (PQsendQueryParams(fetch->connection, sql, 0, NULL, NULL, NULL, NULL, 0) != 1 ||
        PQsetSingleRowMode(fetch->connection) != 1)
        return told(fetch->connection, NULL, error);
    fetch->first = PQgetResult(fetch->connection);
    if (!is_rows(fetch->first))
        return told(fetch->connection, fetch->first, error);
    return take_columns(fetch, error);
}

enum status export_fetch_next(struct export_fetch *fetch, const char *const **cells,
                              struct error *error)
{
    PQclear(fetch->lent);
    fetch->lent = fetch->first != NULL ? fetch->first : PQgetResult(fetch->connection);
    fetch->first = NULL;
    const PGresult *row = fetch->lent;
    if (!is_rows(row))
        return told(fetch->connection, row, error);
    if (PQntuples(row) == 0) /* the end, with the statement's command tag */
        return STATUS_NOT_FOUND;
    for (size_t i = 0; i < fetch->count; i++)
        fetch->cells[i] = PQgetisnull(row, 0, (int)i) ? NULL : PQgetvalue(row, 0, (int)i);
    *cells = fetch->cells;
    return STATUS_OK;
}

void export_fetch_close(struct export_fetch *fetch)
{
    PQclear(fetch->first);
    PQclear(fetch->lent);
    PQfinish(fetch->connection);
    for (size_t i = 0; i < fetch->count && fetch->columns != NULL; i++)
        free((char *)(uintptr_t)fetch->columns[i].name);
    free(fetch->columns);
    free(fetch->cells);
    *fetch = (struct export_fetch){0};
}
