/* How many people can be reached under a grant: counted by the database, over the service role's
 * own connection. Only numbers come back. Used by the command line alone. */
#include "gateway/gateway.h"
#include "gateway/service.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"

enum { QUERY_BYTES = 1024 * 1024 };

struct gateway_counter {
    PGconn *connection;
};

static void put_name(struct buffer *sql, const char *name)
{
    buffer_append_text(sql, "\"");
    for (const char *c = name; *c != '\0'; c++)
        buffer_append(sql, *c == '"' ? "\"\"" : c, *c == '"' ? 2 : 1);
    buffer_append_text(sql, "\"");
}

/* (SELECT a AS up, b AS down FROM table): how a dataset joins the one before and the one behind. */
static void put_table(struct buffer *sql, const struct policy_dataset *dataset, const char *up,
                      const char *down, const char *rows)
{
    buffer_append_text(sql, "(SELECT ");
    if (up != NULL) {
        put_name(sql, up);
        buffer_append_text(sql, " AS up, ");
    }
    put_name(sql, down);
    buffer_append_text(sql, " AS down FROM ");
    put_name(sql, dataset->schema);
    buffer_append_text(sql, ".");
    put_name(sql, dataset->table);
    if (rows != NULL) {
        buffer_append_text(sql, " WHERE (");
        buffer_append_text(sql, rows);
        buffer_append_text(sql, "\n)");
    }
    buffer_append_text(sql, ")");
}

/* SELECT the people's keys as k, one a row of the dataset. */
static void put_people(struct buffer *sql, const struct gateway_reach *reach,
                       const struct policy_subject *subject)
{
    const struct policy_dataset *datasets = reach->policy->datasets;
    char number[64];
    snprintf(number, sizeof number, "SELECT t%zu.down::text AS k FROM ", subject->hop_count);
    buffer_append_text(sql, number);
    const char *up = NULL;
    size_t dataset = reach->grant->dataset;
    for (size_t i = 0; i <= subject->hop_count; i++) {
        const char *down = i < subject->hop_count ? subject->hops[i].child_column : subject->key;
        if (i > 0)
            buffer_append_text(sql, " JOIN ");
        put_table(sql, &datasets[dataset], up, down, i == 0 ? reach->grant->rows : NULL);
        snprintf(number, sizeof number, " t%zu", i);
        buffer_append_text(sql, number);
        if (i > 0) {
            snprintf(number, sizeof number, " ON t%zu.down = t%zu.up", i - 1, i);
            buffer_append_text(sql, number);
        }
        if (i < subject->hop_count) {
            up = subject->hops[i].parent_column;
            dataset = subject->hops[i].dataset;
        }
    }
    snprintf(number, sizeof number, " WHERE t%zu.down IS NOT NULL", subject->hop_count);
    buffer_append_text(sql, number);
}

static void put_reach(struct buffer *sql, const struct gateway_reach *reach, const char *kind)
{
    bool any = false;
    const struct policy_dataset *dataset =
        reach->grant == NULL ? NULL : &reach->policy->datasets[reach->grant->dataset];
    for (size_t i = 0; dataset != NULL && i < dataset->subject_count; i++) {
        if (strcmp(reach->policy->kinds[dataset->subjects[i].kind].name, kind) != 0)
            continue;
        buffer_append_text(sql, any ? " UNION " : "");
        put_people(sql, reach, &dataset->subjects[i]);
        any = true;
    }
    if (!any)
        buffer_append_text(sql, "SELECT NULL::text AS k WHERE false");
}

enum status gateway_counter_open(const struct config *config, struct gateway_counter **counter,
                                 struct error *error)
{
    struct gateway_counter *opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    enum status status = service_connect(config, &opened->connection, error);
    if (status == STATUS_OK)
        *counter = opened;
    else
        free(opened);
    return status;
}

void gateway_counter_close(struct gateway_counter *counter)
{
    if (counter == NULL)
        return;
    PQfinish(counter->connection);
    free(counter);
}

static enum status read_counts(PGresult *result, struct gateway_people *people, struct error *error)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        return error_set(error, STATUS_IO, sqlstate == NULL ? "08006" : sqlstate,
                         "The gateway's role needs what `cofferdam grants` prints for that policy.",
                         "people cannot be counted: %.200s", PQresultErrorMessage(result));
    uint64_t *const numbers[] = {&people->before, &people->after, &people->gained, &people->lost};
    for (int i = 0; i < 4; i++)
        *numbers[i] = strtoull(PQgetvalue(result, 0, i), NULL, 10);
    return STATUS_OK;
}

enum status gateway_count_people(struct gateway_counter *counter,
                                 const struct gateway_reach *before,
                                 const struct gateway_reach *after, const char *kind,
                                 struct gateway_people *people, struct error *error)
{
    struct buffer sql;
    buffer_init(&sql, QUERY_BYTES);
    buffer_append_text(&sql, "WITH b AS (SELECT DISTINCT k FROM (");
    put_reach(&sql, before, kind);
    buffer_append_text(&sql, ") x), a AS (SELECT DISTINCT k FROM (");
    put_reach(&sql, after, kind);
    buffer_append_text(&sql, ") x) SELECT (SELECT count(*) FROM b), (SELECT count(*) FROM a), "
                             "(SELECT count(*) FROM (SELECT k FROM a EXCEPT SELECT k FROM b) x), "
                             "(SELECT count(*) FROM (SELECT k FROM b EXCEPT SELECT k FROM a) x)");
    const char *text = buffer_text(&sql);
    PGresult *result = text == NULL ? NULL
                                    : PQexecParams(counter->connection, text, 0, NULL, NULL, NULL,
                                                   NULL, 0); /* one statement, whatever it holds */
    enum status status = result == NULL
                             ? error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory")
                             : read_counts(result, people, error);
    PQclear(result);
    buffer_free(&sql);
    return status;
}
