/* Catalogue: read from the upstream database with libpq, blocking. Used at start, on reload and by
 * the command line, never on a worker's thread. */
#include "gateway/gateway.h"
#include "gateway/service.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "crypto/crypto.h"

enum { CATALOG_BYTES = 64 * 1024 * 1024 };

/* libpq's texts about our own service connection are for the operator, never for a partner. */
static enum status failed(struct error *error, const char *what, PGconn *connection)
{
    char text[200];
    snprintf(text, sizeof text, "%s", PQerrorMessage(connection));
    text[strcspn(text, "\r\n")] = '\0';
    return error_set(error, STATUS_IO, "08001",
                     "check upstream: in cofferdam.yaml, and `cofferdam grants`", "%s: %s", what,
                     text);
}

enum status service_connect(const struct config *config, PGconn **out, struct error *error)
{
    char port[8], timeout[16];
    struct buffer password;
    buffer_init(&password, 4096);
    if (config->upstream.password_file != NULL)
        TRY(file_read_secret(config->upstream.password_file, &password, error));
    snprintf(port, sizeof port, "%u", config->upstream.port);
    snprintf(timeout, sizeof timeout, "%u", config->upstream.connect_timeout_ms / 1000 + 1);
    bool local = config->upstream.host[0] == '/' || config->upstream.tls_off;
    static const char *const bindings[] = {[CONFIG_BINDING_PREFER] = "prefer",
                                           [CONFIG_BINDING_REQUIRE] = "require",
                                           [CONFIG_BINDING_DISABLE] = "disable"};
    /* What lies in the service's home (certificates, passwords) plays no part: hence the paths that
     * name nothing. */
    const struct {
        const char *name, *value;
    } options[] = {
        {"host", config->upstream.host},
        {"port", port},
        {"dbname", config->upstream.database},
        {"user", config->upstream.user},
        {"password", password.len > 0 ? buffer_text(&password) : NULL},
        {"passfile", "/dev/null"},
        {"connect_timeout", timeout},
        {"sslmode", local ? "disable" : "verify-full"},
        {"sslrootcert", local ? NULL : config->upstream.tls_ca},
        {"channel_binding", bindings[config->upstream.channel_binding]},
        {"sslcert", "/nonexistent"},
        {"gssencmode", "disable"},
        {"client_encoding", "UTF8"},
        {"application_name", "cofferdam catalogue"},
    };
    enum { OPTIONS = sizeof options / sizeof options[0] };
    const char *keywords[OPTIONS + 1] = {NULL}, *values[OPTIONS + 1] = {NULL};
    for (size_t i = 0; i < OPTIONS; i++) {
        keywords[i] = options[i].name;
        values[i] = options[i].value;
    }
    PGconn *connection = PQconnectdbParams(keywords, values, 0);
    if (password.data != NULL)
        crypto_wipe(password.data, password.capacity);
    buffer_free(&password);
    if (PQstatus(connection) != CONNECTION_OK) {
        enum status status = failed(error, "upstream", connection);
        PQfinish(connection);
        return status;
    }
    *out = connection;
    return STATUS_OK;
}

static enum status no_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory for the catalogue");
}

static enum status query(PGconn *connection, const char *sql, const char *const *values,
                         int value_count, PGresult **out, struct error *error)
{
    PGresult *result = PQexecParams(connection, sql, value_count, NULL, values, NULL, NULL, 0);
    if (PQresultStatus(result) != PGRES_TUPLES_OK) {
        PQclear(result);
        return failed(error, "reading the catalogue", connection);
    }
    *out = result;
    return STATUS_OK;
}

/* One row a column of every relation; the caller picks those that the policy names. Domains are
 * followed to their base type; a unique index counts if it covers just the one column, is valid,
 * immediate, without condition or expression. */
static const char column_sql[] =
    "WITH RECURSIVE base(oid, root) AS ("
    "  SELECT t.oid, t.oid FROM pg_catalog.pg_type t WHERE t.typtype <> 'd'"
    "  UNION ALL SELECT d.oid, b.root FROM pg_catalog.pg_type d JOIN base b ON d.typbasetype = "
    "b.oid"
    "  WHERE d.typtype = 'd')"
    " SELECT n.nspname, c.relname, c.oid, c.relkind, a.attname, t.oid,"
    "  pg_catalog.format_type(t.oid, NULL), t.typcategory,"
    "  tn.nspname = 'pg_catalog',"
    /* Tables that inherit from this one may lack its constraints, and always its indexes. */
    "  a.attnotnull AND (c.relkind = 'p' OR NOT c.relhassubclass),"
    "  (c.relkind = 'p' OR NOT c.relhassubclass) AND EXISTS (SELECT FROM pg_catalog.pg_index i "
    "WHERE i.indrelid = c.oid AND i.indisunique"
    "    AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL"
    "    AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum),"
    "  coalesce(co.collisdeterministic, true), nullif(a.attcollation, 100),"
    "  EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisvalid"
    "    AND i.indpred IS NULL AND i.indkey[0] = a.attnum), c.reltuples,"
    "  EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisprimary"
    "    AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum)"
    " FROM pg_catalog.pg_class c"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
    " JOIN base ON base.oid = a.atttypid"
    " JOIN pg_catalog.pg_type t ON t.oid = base.root"
    " JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace"
    " LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation"
    " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')"
    " AND (n.nspname, c.relname) IN (SELECT * FROM ROWS FROM"
    "   (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[])))"
    " ORDER BY n.nspname, c.relname, a.attnum";

static bool is_true(PGresult *result, int row, int column)
{
    return PQgetvalue(result, row, column)[0] == 't';
}

static void fill_column(struct arena *arena, PGresult *result, int row,
                        struct catalog_column *column)
{
    *column = (struct catalog_column){
        .name = arena_strdup(arena, PQgetvalue(result, row, 4)),
        .type_oid = (uint32_t)strtoul(PQgetvalue(result, row, 5), NULL, 10),
        .type_name = arena_strdup(arena, PQgetvalue(result, row, 6)),
        .type_category = PQgetvalue(result, row, 7)[0],
        .type_builtin = is_true(result, row, 8),
        .not_null = is_true(result, row, 9),
        .unique = is_true(result, row, 10),
        .deterministic = is_true(result, row, 11),
        .collation = (uint32_t)strtoul(PQgetvalue(result, row, 12), NULL, 10),
        .indexed = is_true(result, row, 13),
        .primary = is_true(result, row, 15),
    };
}

/* Rows are ordered by table: counts how many from `first` on are of the same one. */
static int table_rows(PGresult *result, int first)
{
    int row = first;
    while (row < PQntuples(result) &&
           strcmp(PQgetvalue(result, row, 2), PQgetvalue(result, first, 2)) == 0)
        row++;
    return row - first;
}

static bool fill_catalog(struct catalog *catalog, PGresult *result, struct catalog_table **out)
{
    int rows = PQntuples(result), tables = 0;
    for (int row = 0; row < rows; row += table_rows(result, row))
        tables++;
    struct catalog_table *list =
        arena_array(&catalog->arena, struct catalog_table, (size_t)tables + 1);
    if (list == NULL)
        return false;
    *out = list;
    int index = 0;
    for (int row = 0; row < rows; index++) {
        int count = table_rows(result, row);
        struct catalog_column *columns =
            arena_array(&catalog->arena, struct catalog_column, (size_t)count);
        if (columns == NULL)
            return false;
        for (int c = 0; c < count; c++)
            fill_column(&catalog->arena, result, row + c, &columns[c]);
        list[index] = (struct catalog_table){
            .schema = arena_strdup(&catalog->arena, PQgetvalue(result, row, 0)),
            .name = arena_strdup(&catalog->arena, PQgetvalue(result, row, 1)),
            .oid = (uint32_t)strtoul(PQgetvalue(result, row, 2), NULL, 10),
            .kind = PQgetvalue(result, row, 3)[0],
            .columns = columns,
            .column_count = (size_t)count,
            .rows = strtod(PQgetvalue(result, row, 14), NULL)};
        row += count;
    }
    catalog->tables = list;
    catalog->table_count = (size_t)tables;
    return !catalog->arena.overflowed;
}

/* One row a column of every unique index over several columns that may not be NULL; by table and
 * index, in the index's order. */
static const char key_sql[] =
    "SELECT n.nspname, c.relname, i.indexrelid, a.attname, i.indisprimary"
    " FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indrelid"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " CROSS JOIN LATERAL pg_catalog.unnest(i.indkey) WITH ORDINALITY AS k(attnum, number)"
    " JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum"
    " WHERE i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL"
    " AND i.indexprs IS NULL AND i.indnkeyatts > 1 AND k.number <= i.indnkeyatts"
    " AND (c.relkind = 'p' OR NOT c.relhassubclass)"
    " AND NOT EXISTS (SELECT FROM pg_catalog.unnest(i.indkey) WITH ORDINALITY AS o(attnum, number)"
    "   JOIN pg_catalog.pg_attribute b ON b.attrelid = c.oid AND b.attnum = o.attnum"
    "   WHERE o.number <= i.indnkeyatts AND NOT b.attnotnull)"
    " AND (n.nspname, c.relname) IN (SELECT * FROM ROWS FROM"
    "   (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[])))"
    " ORDER BY n.nspname, c.relname, i.indexrelid, k.number";

/* One row a foreign key of one column that holds at every moment: none that is deferrable, not
 * validated or switched off; and none to a table with row policies, which the upstream role may not
 * see all of. */
static const char reference_sql[] =
    "SELECT n.nspname, c.relname, a.attname, k.confrelid, p.attname"
    " FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " JOIN pg_catalog.pg_class f ON f.oid = k.confrelid"
    " JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]"
    " JOIN pg_catalog.pg_attribute p ON p.attrelid = k.confrelid AND p.attnum = k.confkey[1]"
    " WHERE k.contype = 'f' AND k.convalidated AND NOT k.condeferrable"
    " AND pg_catalog.cardinality(k.conkey) = 1 AND (c.relkind = 'p' OR NOT c.relhassubclass)"
    " AND NOT f.relrowsecurity AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger t"
    "   WHERE t.tgconstraint = k.oid AND t.tgenabled NOT IN ('O', 'A'))"
    " AND (n.nspname, c.relname) IN (SELECT * FROM ROWS FROM"
    "   (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[])))"
    " ORDER BY n.nspname, c.relname";

/* One row every two columns of a foreign key of several, none of which may be NULL; it holds as
 * those above do. */
static const char agreement_sql[] =
    "SELECT n.nspname, c.relname, a.attname, b.attname, k.confrelid, p.attname, q.attname"
    " FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " JOIN pg_catalog.pg_class f ON f.oid = k.confrelid"
    " CROSS JOIN LATERAL pg_catalog.generate_subscripts(k.conkey, 1) AS i(n)"
    " CROSS JOIN LATERAL pg_catalog.generate_subscripts(k.conkey, 1) AS j(n)"
    " JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[i.n]"
    " JOIN pg_catalog.pg_attribute b ON b.attrelid = k.conrelid AND b.attnum = k.conkey[j.n]"
    " JOIN pg_catalog.pg_attribute p ON p.attrelid = k.confrelid AND p.attnum = k.confkey[i.n]"
    " JOIN pg_catalog.pg_attribute q ON q.attrelid = k.confrelid AND q.attnum = k.confkey[j.n]"
    " WHERE k.contype = 'f' AND k.convalidated AND NOT k.condeferrable AND i.n <> j.n"
    " AND (c.relkind = 'p' OR NOT c.relhassubclass) AND NOT f.relrowsecurity"
    " AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute o WHERE o.attrelid = k.conrelid"
    "   AND o.attnum = ANY (k.conkey) AND NOT o.attnotnull)"
    " AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger t"
    "   WHERE t.tgconstraint = k.oid AND t.tgenabled NOT IN ('O', 'A'))"
    " AND (n.nspname, c.relname) IN (SELECT * FROM ROWS FROM"
    "   (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[])))"
    " ORDER BY n.nspname, c.relname";

/* One row a column of every foreign key: for clients to see, so it need not hold at every moment.
 */
static const char link_sql[] =
    "SELECT n.nspname, c.relname, k.oid, a.attname, k.confrelid, p.attname"
    " FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " CROSS JOIN LATERAL pg_catalog.generate_subscripts(k.conkey, 1) AS i(n)"
    " JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[i.n]"
    " JOIN pg_catalog.pg_attribute p ON p.attrelid = k.confrelid AND p.attnum = k.confkey[i.n]"
    " WHERE k.contype = 'f' AND (n.nspname, c.relname) IN (SELECT * FROM ROWS FROM"
    "   (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[])))"
    " ORDER BY n.nspname, c.relname, k.conname, k.oid, i.n";

/* Does this row tell of the table? */
static bool is_of_table(PGresult *result, int row, const struct catalog_table *table)
{
    return strcmp(PQgetvalue(result, row, 0), table->schema) == 0 &&
           strcmp(PQgetvalue(result, row, 1), table->name) == 0;
}

static bool fill_key(struct arena *arena, PGresult *result, int first, int count,
                     const struct catalog_table *table, struct catalog_key *key)
{
    const struct catalog_column **columns =
        arena_array(arena, const struct catalog_column *, (size_t)count);
    if (columns == NULL)
        return false;
    for (int c = 0; c < count; c++) {
        columns[c] = catalog_find_column(table, PQgetvalue(result, first + c, 3));
        if (columns[c] == NULL)
            return false;
    }
    *key = (struct catalog_key){
        .columns = columns, .column_count = (size_t)count, .primary = is_true(result, first, 4)};
    return true;
}

static bool fill_keys(struct arena *arena, PGresult *result, struct catalog_table *table)
{
    int rows = PQntuples(result);
    struct catalog_key *keys = arena_array(arena, struct catalog_key, (size_t)rows + 1);
    if (keys == NULL)
        return false;
    table->keys = keys;
    for (int row = 0; row < rows; row += table_rows(result, row)) {
        int count = table_rows(result, row);
        if (is_of_table(result, row, table) &&
            !fill_key(arena, result, row, count, table, &keys[table->key_count++]))
            return false;
    }
    return true;
}

static bool fill_references(struct arena *arena, PGresult *result, struct catalog_table *table)
{
    int rows = PQntuples(result);
    struct catalog_reference *references =
        arena_array(arena, struct catalog_reference, (size_t)rows + 1);
    if (references == NULL)
        return false;
    table->references = references;
    for (int row = 0; row < rows; row++)
        if (is_of_table(result, row, table))
            references[table->reference_count++] = (struct catalog_reference){
                .column = catalog_find_column(table, PQgetvalue(result, row, 2)),
                .table = (uint32_t)strtoul(PQgetvalue(result, row, 3), NULL, 10),
                .table_column = arena_strdup(arena, PQgetvalue(result, row, 4))};
    return true;
}

static bool fill_agreements(struct arena *arena, PGresult *result, struct catalog_table *table)
{
    int rows = PQntuples(result);
    struct catalog_agreement *agreements =
        arena_array(arena, struct catalog_agreement, (size_t)rows + 1);
    if (agreements == NULL)
        return false;
    table->agreements = agreements;
    for (int row = 0; row < rows; row++)
        if (is_of_table(result, row, table))
            agreements[table->agreement_count++] = (struct catalog_agreement){
                .column = catalog_find_column(table, PQgetvalue(result, row, 2)),
                .other = catalog_find_column(table, PQgetvalue(result, row, 3)),
                .table = (uint32_t)strtoul(PQgetvalue(result, row, 4), NULL, 10),
                .table_column = arena_strdup(arena, PQgetvalue(result, row, 5)),
                .table_other = arena_strdup(arena, PQgetvalue(result, row, 6))};
    return true;
}

static bool fill_link(struct arena *arena, PGresult *result, int first, int count,
                      const struct catalog_table *table, struct catalog_link *link)
{
    const struct catalog_column **columns =
        arena_array(arena, const struct catalog_column *, (size_t)count);
    const char **table_columns = arena_array(arena, const char *, (size_t)count);
    if (columns == NULL || table_columns == NULL)
        return false;
    for (int c = 0; c < count; c++) {
        columns[c] = catalog_find_column(table, PQgetvalue(result, first + c, 3));
        table_columns[c] = arena_strdup(arena, PQgetvalue(result, first + c, 5));
    }
    *link =
        (struct catalog_link){.columns = columns,
                              .table = (uint32_t)strtoul(PQgetvalue(result, first, 4), NULL, 10),
                              .table_columns = table_columns,
                              .column_count = (size_t)count};
    return true;
}

static bool fill_links(struct arena *arena, PGresult *result, struct catalog_table *table)
{
    int rows = PQntuples(result);
    struct catalog_link *links = arena_array(arena, struct catalog_link, (size_t)rows + 1);
    if (links == NULL)
        return false;
    table->links = links;
    for (int row = 0; row < rows; row += table_rows(result, row))
        if (is_of_table(result, row, table) &&
            !fill_link(arena, result, row, table_rows(result, row), table,
                       &links[table->link_count++]))
            return false;
    return true;
}

/* A PostgreSQL array literal of quoted texts. */
static void append_element(struct buffer *array, const char *text)
{
    buffer_append_text(array, array->len == 0 ? "{\"" : ",\"");
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            buffer_append_u8(array, '\\');
        buffer_append(array, text, 1);
    }
    buffer_append_text(array, "\"");
}

static enum status query_tables(PGconn *connection, const struct policy *policy, const char *sql,
                                PGresult **result, struct error *error)
{
    struct buffer schemas, tables;
    buffer_init(&schemas, 1024 * 1024);
    buffer_init(&tables, 1024 * 1024);
    for (size_t i = 0; i < policy->dataset_count; i++) {
        append_element(&schemas, policy->datasets[i].schema);
        append_element(&tables, policy->datasets[i].table);
    }
    buffer_append_text(&schemas, schemas.len == 0 ? "{}" : "}");
    buffer_append_text(&tables, tables.len == 0 ? "{}" : "}");
    const char *const values[] = {buffer_text(&schemas), buffer_text(&tables)};
    enum status status = values[0] == NULL || values[1] == NULL
                             ? error_set(error, STATUS_LIMIT, "54000", NULL, "too many datasets")
                             : query(connection, sql, values, 2, result, error);
    buffer_free(&schemas);
    buffer_free(&tables);
    return status;
}

/* Keys and foreign keys of the tables that have been read. */
static enum status load_links(PGconn *connection, const struct policy *policy,
                              struct catalog *catalog, struct catalog_table *tables,
                              struct error *error)
{
    PGresult *keys = NULL, *references = NULL, *agreements = NULL, *links = NULL;
    enum status status = query_tables(connection, policy, key_sql, &keys, error);
    if (status == STATUS_OK)
        status = query_tables(connection, policy, reference_sql, &references, error);
    if (status == STATUS_OK)
        status = query_tables(connection, policy, agreement_sql, &agreements, error);
    if (status == STATUS_OK)
        status = query_tables(connection, policy, link_sql, &links, error);
    bool filled = status == STATUS_OK;
    for (size_t t = 0; filled && t < catalog->table_count; t++)
        filled = fill_keys(&catalog->arena, keys, &tables[t]) &&
                 fill_references(&catalog->arena, references, &tables[t]) &&
                 fill_agreements(&catalog->arena, agreements, &tables[t]) &&
                 fill_links(&catalog->arena, links, &tables[t]);
    PQclear(links);
    PQclear(keys);
    PQclear(references);
    PQclear(agreements);
    if (status == STATUS_OK && (!filled || catalog->arena.overflowed))
        status = no_memory(error);
    return status;
}

static enum status load(PGconn *connection, const struct policy *policy, struct catalog **out,
                        struct error *error)
{
    PGresult *result = NULL;
    struct catalog_table *tables = NULL;
    TRY(query_tables(connection, policy, column_sql, &result, error));
    struct catalog *catalog = calloc(1, sizeof *catalog);
    bool filled = false;
    if (catalog != NULL) {
        arena_init(&catalog->arena, CATALOG_BYTES);
        const char *version = PQparameterStatus(connection, "server_version");
        catalog->server_version = arena_strdup(&catalog->arena, version == NULL ? "" : version);
        catalog->server_version_number = PQserverVersion(connection);
        filled = fill_catalog(catalog, result, &tables);
    }
    PQclear(result);
    enum status status =
        filled ? load_links(connection, policy, catalog, tables, error) : no_memory(error);
    if (status == STATUS_OK)
        *out = catalog;
    else
        catalog_free(catalog);
    return status;
}

enum status gateway_catalog_load(const struct config *config, const struct policy *policy,
                                 struct catalog **catalog, struct error *error)
{
    PGconn *connection;
    TRY(service_connect(config, &connection, error));
    enum status status = load(connection, policy, catalog, error);
    PQfinish(connection);
    return status;
}

/* Roles that can log in and read a fenced table by another way: superusers, owners, and whoever
 * holds SELECT on the table or one of its columns. */
static const char side_door_sql[] =
    "SELECT r.rolname, n.nspname || '.' || c.relname,"
    "  CASE WHEN r.rolsuper THEN 'superuser'"
    "       WHEN pg_catalog.pg_has_role(r.oid, c.relowner, 'USAGE') THEN 'owner'"
    "       ELSE 'may SELECT' END"
    " FROM pg_catalog.pg_roles r CROSS JOIN pg_catalog.pg_class c"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE r.rolcanlogin AND r.rolname <> current_user"
    " AND (n.nspname, c.relname) IN (SELECT * FROM ROWS FROM"
    "   (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[])))"
    " AND (r.rolsuper OR pg_catalog.has_any_column_privilege(r.oid, c.oid, 'SELECT'))"
    " ORDER BY 1, 2";

/* The contact role is no side door: who reads by it writes down whom (contact/contact.h), and
 * contact_check() tells what it may read beyond need. */
static bool is_contact_role(const struct config *config, PGresult *result, int row)
{
    return config->contact.user != NULL &&
           strcmp(PQgetvalue(result, row, 0), config->contact.user) == 0 &&
           strcmp(PQgetvalue(result, row, 2), "may SELECT") == 0;
}

static void fill_doors(const struct config *config, struct table *table, PGresult *result)
{
    for (int row = 0; row < PQntuples(result); row++) {
        if (is_contact_role(config, result, row))
            continue;
        struct table_row *line = table_add(table);
        for (int column = 0; column < PQnfields(result); column++)
            table_set(table, line, (size_t)column, "%s", PQgetvalue(result, row, column));
    }
}

static void fill_table(struct table *table, PGresult *result)
{
    for (int row = 0; row < PQntuples(result); row++) {
        struct table_row *line = table_add(table);
        for (int column = 0; column < PQnfields(result); column++)
            if (!PQgetisnull(result, row, column))
                table_set(table, line, (size_t)column, "%s", PQgetvalue(result, row, column));
    }
}

enum status gateway_side_doors(const struct config *config, const struct policy *policy,
                               struct table *table, struct error *error)
{
    static const char *const columns[] = {"role", "table", "why", NULL};
    PGconn *connection;
    PGresult *result = NULL;
    TRY(service_connect(config, &connection, error));
    enum status status = query_tables(connection, policy, side_door_sql, &result, error);
    if (status == STATUS_OK) {
        table_init(table, CATALOG_BYTES, columns);
        fill_doors(config, table, result);
        PQclear(result);
    }
    PQfinish(connection);
    return status;
}

/* What `cofferdam grants` asks for, as the service role's own session sees it. */
static const char role_sql[] =
    "SELECT w.name, pg_catalog.current_setting(w.name, true), w.wanted,"
    "  CASE WHEN CASE w.rule"
    "    WHEN 'is' THEN pg_catalog.current_setting(w.name, true) = w.wanted"
    "    ELSE pg_catalog.current_setting(w.name, true) NOT IN ('0', '-1') END"
    "  THEN 'yes' ELSE 'no' END"
    " FROM (VALUES ('default_transaction_read_only', 'on', 'is'),"
    "  ('log_parameter_max_length', '0', 'is'),"
    "  ('log_parameter_max_length_on_error', '0', 'is'),"
    "  ('statement_timeout', 'a bound', 'bounded'), ('lock_timeout', 'a bound', 'bounded'),"
    "  ('idle_in_transaction_session_timeout', 'a bound', 'bounded'))"
    " AS w(name, wanted, rule)"
    " UNION ALL SELECT 'superuser', r.rolsuper::pg_catalog.text, 'false',"
    "  CASE WHEN r.rolsuper THEN 'no' ELSE 'yes' END"
    " FROM pg_catalog.pg_roles r WHERE r.rolname = current_user"
    " UNION ALL SELECT 'connection limit', r.rolconnlimit::pg_catalog.text, 'a bound',"
    "  CASE WHEN r.rolconnlimit < 0 THEN 'no' ELSE 'yes' END"
    " FROM pg_catalog.pg_roles r WHERE r.rolname = current_user";

enum status gateway_role_settings(const struct config *config, struct table *table,
                                  struct error *error)
{
    static const char *const columns[] = {"setting", "value", "wanted", "fine", NULL};
    PGconn *connection;
    PGresult *result = NULL;
    TRY(service_connect(config, &connection, error));
    enum status status = query(connection, role_sql, NULL, 0, &result, error);
    if (status == STATUS_OK) {
        table_init(table, CATALOG_BYTES, columns);
        fill_table(table, result);
        PQclear(result);
    }
    PQfinish(connection);
    return status;
}
