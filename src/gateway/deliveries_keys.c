/* Whether invented keys are anybody's: asked of the database by the gateway's own role. */
#include "gateway/deliveries.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/service.h"

enum { ARRAY_BYTES = 1024 * 1024, SQL_BYTES = 4096 };

/* An array literal: each element quoted. */
static void put_array(struct buffer *out, const char *const *keys, size_t count)
{
    buffer_append_u8(out, '{');
    for (size_t i = 0; i < count; i++) {
        buffer_append_text(out, i == 0 ? "\"" : ",\"");
        for (const char *c = keys[i]; *c != '\0'; c++) {
            if (*c == '"' || *c == '\\')
                buffer_append_u8(out, '\\');
            buffer_append_u8(out, (uint8_t)*c);
        }
        buffer_append_u8(out, '"');
    }
    buffer_append_u8(out, '}');
}

static void put_name(struct buffer *out, const char *name)
{
    buffer_append_u8(out, '"');
    for (const char *c = name; *c != '\0'; c++)
        buffer_append(out, *c == '"' ? "\"\"" : c, *c == '"' ? 2 : 1);
    buffer_append_u8(out, '"');
}

/* The column that is the kind's key, and its table. */
struct key_column {
    const struct catalog_table *table;
    const struct catalog_column *column;
};

static enum status find_key(const struct model *model, size_t kind, struct key_column *key,
                            struct error *error)
{
    const struct policy *policy = model_policy(model);
    const struct policy_dataset *dataset = policy_find_dataset(policy, policy->kinds[kind].dataset);
    key->table = dataset == NULL
                     ? NULL
                     : catalog_find(model_catalog(model), dataset->schema, dataset->table);
    key->column =
        key->table == NULL ? NULL : catalog_find_column(key->table, policy->kinds[kind].key);
    return key->column != NULL
               ? STATUS_OK
               : error_set(error, STATUS_INVALID, "42704", NULL, "kind %s has no table of its own",
                           policy->kinds[kind].name);
}

static void put_from(const struct key_column *key, struct buffer *sql)
{
    buffer_append_text(sql, " FROM ");
    put_name(sql, key->table->schema);
    buffer_append_u8(sql, '.');
    put_name(sql, key->table->name);
}

/* By the key's own type, so that its index serves. */
static enum status put_question(const struct model *model, size_t kind, struct buffer *sql,
                                struct error *error)
{
    struct key_column key;
    TRY(find_key(model, kind, &key, error));
    buffer_append_text(sql, "SELECT ");
    put_name(sql, key.column->name);
    buffer_append_text(sql, "::text");
    put_from(&key, sql);
    buffer_append_text(sql, " WHERE ");
    put_name(sql, key.column->name);
    buffer_printf(sql, " = ANY ($1::text[]::%s[])", key.column->type_name);
    return STATUS_OK;
}

static enum status ask(PGconn *connection, struct buffer *sql, struct buffer *array,
                       const char *const *keys, size_t count, bool *taken, struct error *error)
{
    const char *const values[] = {buffer_text(array)};
    const char *text = buffer_text(sql);
    if (values[0] == NULL || text == NULL)
        return error_set(error, STATUS_LIMIT, "54000", "send fewer at a time", "too many keys");
    PGresult *result = PQexecParams(connection, text, 1, NULL, values, NULL, NULL, 0);
    bool answered = PQresultStatus(result) == PGRES_TUPLES_OK;
    for (size_t i = 0; i < count && answered; i++) {
        taken[i] = false;
        for (int row = 0; row < PQntuples(result) && !taken[i]; row++)
            taken[i] = strcmp(PQgetvalue(result, row, 0), keys[i]) == 0;
    }
    PQclear(result);
    return answered ? STATUS_OK
                    : error_set(error, STATUS_IO, "58030", "see the database's log",
                                "the database does not tell whether the invented keys are free");
}

enum status deliveries_keys_taken(const struct config *config, struct model *model, size_t kind,
                                  const char *const *keys, size_t count, bool *taken,
                                  struct error *error)
{
    PGconn *connection;
    struct buffer sql, array;
    buffer_init(&sql, SQL_BYTES);
    buffer_init(&array, ARRAY_BYTES);
    enum status status = put_question(model, kind, &sql, error);
    if (status == STATUS_OK)
        status = service_connect(config, &connection, error);
    if (status == STATUS_OK) {
        put_array(&array, keys, count);
        status = ask(connection, &sql, &array, keys, count, taken, error);
        PQfinish(connection);
    }
    buffer_free(&sql);
    buffer_free(&array);
    return status;
}

/* ---- the greatest ---- */

static enum status ask_greatest(PGconn *connection, struct buffer *sql,
                                char number[static DELIVERIES_NUMBER_ROOM], struct error *error)
{
    const char *text = buffer_text(sql);
    if (text == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    PGresult *result = PQexec(connection, text);
    bool answered = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1;
    if (answered)
        snprintf(number, DELIVERIES_NUMBER_ROOM, "%s", PQgetvalue(result, 0, 0));
    PQclear(result);
    return answered ? STATUS_OK
                    : error_set(error, STATUS_IO, "58030", "see the database's log",
                                "the database does not tell its greatest key");
}

enum status deliveries_greatest_key(const struct config *config, struct model *model, size_t kind,
                                    char number[static DELIVERIES_NUMBER_ROOM], struct error *error)
{
    enum { INT8_OID = 20, INT2_OID = 21, INT4_OID = 23 };
    PGconn *connection;
    struct key_column key;
    struct buffer sql;
    number[0] = '\0';
    TRY(find_key(model, kind, &key, error));
    uint32_t type = key.column->type_oid;
    if (type != INT2_OID && type != INT4_OID && type != INT8_OID)
        return STATUS_OK;
    TRY(service_connect(config, &connection, error));
    buffer_init(&sql, SQL_BYTES);
    buffer_append_text(&sql, "SELECT max(");
    put_name(&sql, key.column->name);
    buffer_append_text(&sql, ")::text");
    put_from(&key, &sql);
    enum status status = ask_greatest(connection, &sql, number, error);
    buffer_free(&sql);
    PQfinish(connection);
    return status;
}
