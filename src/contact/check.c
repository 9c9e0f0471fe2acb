/* What `cofferdam check` says of the contact role: can it read all that a notice needs, and nothing
 * else? Looks as the role itself. Findings name tables and columns, never a value. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "contact/private.h"

enum { FINDING_ROOM = 512, ARRAY_BYTES = 1024 * 1024, SQL_BYTES = 64 * 1024 };

static void add(struct table *findings, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add(struct table *findings, const char *format, ...)
{
    char text[FINDING_ROOM];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct table_row *row = table_add(findings);
    table_set(findings, row, 1, "contact: %s", text);
}

/* ---- one kind's table ---- */

/* Every column of a table: name, type with domains followed, may we read it? */
static const char columns_sql[] =
    "WITH RECURSIVE up(attnum, oid, base) AS ("
    "  SELECT a.attnum, t.oid, CASE WHEN t.typtype = 'd' THEN t.typbasetype END"
    "  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    "  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
    "  JOIN pg_type t ON t.oid = a.atttypid WHERE n.nspname = $1 AND c.relname = $2"
    "  UNION ALL SELECT up.attnum, t.oid, CASE WHEN t.typtype = 'd' THEN t.typbasetype END"
    "  FROM up JOIN pg_type t ON t.oid = up.base)"
    " SELECT a.attname, format_type(up.oid, -1),"
    "  has_schema_privilege(n.oid, 'USAGE') AND has_column_privilege(c.oid, a.attnum, 'SELECT')"
    " FROM up JOIN pg_namespace n ON n.nspname = $1"
    " JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = $2"
    " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = up.attnum"
    " WHERE up.base IS NULL ORDER BY a.attnum";

enum { COLUMN_NAME, COLUMN_TYPE, COLUMN_READABLE };

struct kind_check {
    const struct policy_kind *kind;
    const struct policy_dataset *dataset;
    const PGresult *columns;
    struct table *findings;
    bool complete; /* every column is there and readable */
};

static int row_of(const struct kind_check *check, const char *column)
{
    for (int row = 0; row < PQntuples(check->columns); row++)
        if (strcmp(PQgetvalue(check->columns, row, COLUMN_NAME), column) == 0)
            return row;
    return -1;
}

static void look_at_column(void *context, const char *column)
{
    struct kind_check *check = context;
    const char *table = check->dataset->name;
    int row = row_of(check, column);
    bool readable = row >= 0 && PQgetvalue(check->columns, row, COLUMN_READABLE)[0] == 't';
    if (row < 0)
        add(check->findings, "the database has no column %s of dataset %s", column, table);
    else if (!readable)
        add(check->findings, "the role may not read %s.%s", table, column);
    check->complete = check->complete && readable;
}

static bool is_one_of(const char *text, const char *const *words)
{
    while (*words != NULL && strcmp(*words, text) != 0)
        words++;
    return *words != NULL;
}

static void look_at_type(const struct kind_check *check, const char *column, const char *what,
                         const char *const *types)
{
    int row = column == NULL ? -1 : row_of(check, column);
    if (row >= 0 && !is_one_of(PQgetvalue(check->columns, row, COLUMN_TYPE), types))
        add(check->findings, "%s.%s is of type %s; %s is wanted", check->dataset->name, column,
            PQgetvalue(check->columns, row, COLUMN_TYPE), what);
}

static void look_at_types(const struct kind_check *check)
{
    static const char *const booleans[] = {"boolean", NULL};
    static const char *const dates[] = {"date", "timestamp without time zone",
                                        "timestamp with time zone", NULL};
    const struct policy_contact *contact = &check->kind->contact;
    look_at_type(check, contact->gone_away, "boolean", booleans);
    look_at_type(check, contact->deceased, "boolean", booleans);
    look_at_type(check, contact->safe_contact, "boolean", booleans);
    look_at_type(check, contact->birth_date, "a date", dates);
}

struct search {
    const char *column;
    bool found;
};

static void compare(void *context, const char *column)
{
    struct search *search = context;
    search->found = search->found || strcmp(search->column, column) == 0;
}

/* Some other kind may be listed in the same table. */
static bool is_wanted(const struct policy *policy, const struct policy_dataset *dataset,
                      const char *column)
{
    struct search search = {column, false};
    for (size_t k = 0; k < policy->kind_count; k++) {
        const struct policy_kind *kind = &policy->kinds[k];
        const struct policy_dataset *at = contact_dataset(policy, kind);
        if (!contact_is_known(kind) || strcmp(at->schema, dataset->schema) != 0 ||
            strcmp(at->table, dataset->table) != 0)
            continue;
        compare(&search, kind->key);
        contact_each_column(kind, false, compare, &search);
    }
    return search.found;
}

static void look_for_more(const struct kind_check *check, const struct policy *policy)
{
    for (int row = 0; row < PQntuples(check->columns); row++) {
        const char *column = PQgetvalue(check->columns, row, COLUMN_NAME);
        if (PQgetvalue(check->columns, row, COLUMN_READABLE)[0] == 't' &&
            !is_wanted(policy, check->dataset, column))
            add(check->findings, "the role may read %s.%s.%s, which it does not need",
                check->dataset->schema, check->dataset->table, column);
    }
}

/* How many brands stand in the table that the policy does not know: their people get the
 * controller's own words. */
static enum status look_at_brands(PGconn *connection, const struct policy *policy,
                                  const struct kind_check *check, struct error *error)
{
    struct buffer sql, names;
    PGresult *result = NULL;
    buffer_init(&sql, SQL_BYTES);
    buffer_init(&names, ARRAY_BYTES);
    buffer_append_u8(&names, '{');
    for (size_t i = 0; i < policy->controller.brand_count; i++)
        buffer_printf(&names, "%s\"%s\"", i == 0 ? "" : ",", policy->controller.brands[i].name);
    buffer_append_u8(&names, '}');
    buffer_append_text(&sql, "SELECT count(DISTINCT t.b) FROM (SELECT ");
    contact_sql_identifier(&sql, check->kind->contact.brand);
    buffer_append_text(&sql, "::text AS b FROM ");
    contact_sql_table(&sql, check->dataset);
    buffer_append_text(&sql, ") AS t WHERE t.b <> ALL ($1::text[])");
    const char *value = buffer_text(&names);
    enum status status = contact_query(connection, buffer_text(&sql), &value, 1, &result, error);
    if (status == STATUS_OK && strcmp(PQgetvalue(result, 0, 0), "0") != 0)
        add(check->findings, "%s.%s has %s value(s) that are none of the controller's brands",
            check->dataset->name, check->kind->contact.brand, PQgetvalue(result, 0, 0));
    PQclear(result);
    buffer_free(&names);
    buffer_free(&sql);
    return status;
}

static enum status look_at_kind(PGconn *connection, const struct policy *policy,
                                const struct policy_kind *kind, struct table *findings,
                                struct error *error)
{
    struct kind_check check = {kind, contact_dataset(policy, kind), NULL, findings, true};
    const char *const values[] = {check.dataset->schema, check.dataset->table};
    PGresult *columns;
    if (!contact_is_known(kind)) {
        add(findings, "the policy names no column by which a %s can be reached", kind->name);
        return STATUS_OK;
    }
    TRY(contact_query(connection, columns_sql, values, 2, &columns, error));
    check.columns = columns;
    look_at_column(&check, kind->key);
    contact_each_column(kind, false, look_at_column, &check);
    look_at_types(&check);
    look_for_more(&check, policy);
    enum status status = STATUS_OK;
    if (check.complete && kind->contact.brand != NULL)
        status = look_at_brands(connection, policy, &check, error);
    PQclear(columns);
    return status;
}

/* ---- the role ---- */

/* Relations besides the kinds' own that the role may read, or anything at all that it may change.
 */
static const char more_sql[] =
    "SELECT n.nspname || '.' || c.relname, 'read'"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND has_schema_privilege(n.oid, 'USAGE')"
    " AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_toast'"
    " AND has_any_column_privilege(c.oid, 'SELECT')"
    " AND (n.nspname, c.relname) NOT IN (SELECT * FROM ROWS FROM"
    "   (unnest($1::text[]), unnest($2::text[])))"
    " UNION ALL SELECT n.nspname || '.' || c.relname, 'change'"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind IN ('r', 'p', 'v', 'f') AND has_schema_privilege(n.oid, 'USAGE')"
    " AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_toast'"
    " AND (has_any_column_privilege(c.oid, 'INSERT, UPDATE')"
    "   OR has_table_privilege(c.oid, 'DELETE, TRUNCATE'))"
    " UNION ALL SELECT NULL, 'be a superuser, bypass row security, replicate or make roles'"
    " FROM pg_roles WHERE rolname = current_user AND "
    " (rolsuper OR rolbypassrls OR rolcreaterole OR rolreplication)"
    " ORDER BY 1 NULLS FIRST LIMIT 20";

static enum status look_at_role(PGconn *connection, const struct policy *policy,
                                struct table *findings, struct error *error)
{
    struct buffer schemas, tables;
    PGresult *result = NULL;
    buffer_init(&schemas, ARRAY_BYTES);
    buffer_init(&tables, ARRAY_BYTES);
    for (size_t k = 0; k < policy->kind_count; k++) {
        const struct policy_dataset *dataset = contact_dataset(policy, &policy->kinds[k]);
        buffer_printf(&schemas, "%s\"%s\"", k == 0 ? "{" : ",", dataset->schema);
        buffer_printf(&tables, "%s\"%s\"", k == 0 ? "{" : ",", dataset->table);
    }
    buffer_append_u8(&schemas, '}');
    buffer_append_u8(&tables, '}');
    const char *const values[] = {buffer_text(&schemas), buffer_text(&tables)};
    enum status status = contact_query(connection, more_sql, values, 2, &result, error);
    for (int row = 0; status == STATUS_OK && row < PQntuples(result); row++)
        add(findings, "the role may %s%s%s, which it does not need", PQgetvalue(result, row, 1),
            PQgetisnull(result, row, 0) ? "" : " ", PQgetvalue(result, row, 0));
    PQclear(result);
    buffer_free(&tables);
    buffer_free(&schemas);
    return status;
}

enum status contact_check(const struct config *config, const struct policy *policy,
                          struct table *findings, struct error *error)
{
    size_t known = 0;
    for (size_t k = 0; k < policy->kind_count; k++)
        known += contact_is_known(&policy->kinds[k]);
    if (config->contact.user == NULL && known == 0)
        return STATUS_OK;
    if (config->contact.user == NULL) {
        add(findings, "no role is configured that may read how people can be reached");
        return STATUS_OK;
    }
    PGconn *connection;
    struct error refused = {0};
    if (contact_connect(config, &connection, &refused) != STATUS_OK) {
        add(findings, "%s", refused.message);
        return STATUS_OK;
    }
    enum status status = look_at_role(connection, policy, findings, error);
    for (size_t k = 0; k < policy->kind_count && status == STATUS_OK; k++)
        status = look_at_kind(connection, policy, &policy->kinds[k], findings, error);
    PQfinish(connection);
    return status;
}
