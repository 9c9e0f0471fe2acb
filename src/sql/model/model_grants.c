/* The least rights of the upstream role, as SQL: SELECT on just the columns that some fence reads,
 * INSERT and UPDATE on just those that some grant lets be written, bounded in time, read only but
 * for sessions of agents that may write, and nothing of parameters in the server's log. */
#include <string.h>

#include "sql/model/model_private.h"
#include "sql/plan/plan_build.h"

/* Which columns of which tables: a flag for each column of the catalogue. */
struct needs {
    const struct model *model;
    bool **columns; /* by table, by column: read */
    bool **updated, **inserted;
    bool *deleted, *placed; /* by table: rows are deleted; found again by their place */
};

static void need(struct needs *needs, const struct catalog_table *table,
                 const struct catalog_column *column)
{
    needs->columns[table - needs->model->catalog->tables][column - table->columns] = true;
}

static void need_write(struct needs *needs, const struct model_grant *grant)
{
    const struct policy_write *write = &grant->policy->write;
    const struct catalog_table *table = grant->dataset->table;
    size_t t = (size_t)(table - needs->model->catalog->tables);
    for (size_t i = 0; i < write->update_count; i++)
        needs->updated[t][grant->dataset->columns[write->update[i]].catalog - table->columns] =
            true;
    for (size_t i = 0; i < write->insert_count; i++)
        needs->inserted[t][grant->dataset->columns[write->insert[i]].catalog - table->columns] =
            true;
    needs->deleted[t] = needs->deleted[t] || write->deletes;
    needs->placed[t] = needs->placed[t] || policy_writes(grant->policy);
}

struct filter_walk {
    struct needs *needs;
    const struct model_dataset *dataset;
};

static bool filter_walker(Node *node, void *context)
{
    struct filter_walk *walk = context;
    if (node == NULL)
        return false;
    if (IsA(node, ColumnRef)) {
        const struct catalog_column *column =
            catalog_find_column(walk->dataset->table, strVal(llast(((ColumnRef *)node)->fields)));
        if (column != NULL)
            need(walk->needs, walk->dataset->table, column);
        return false;
    }
    return raw_expression_tree_walker(node, filter_walker, context);
}

size_t model_identity(const struct model_dataset *dataset, const struct catalog_column **columns)
{
    const struct catalog_table *table = dataset->table;
    size_t count = 0;
    for (size_t c = 0; c < table->column_count; c++)
        if (table->columns[c].primary)
            columns[count++] = &table->columns[c];
    for (size_t k = 0; k < table->key_count && count == 0; k++)
        for (size_t c = 0; table->keys[k].primary && c < table->keys[k].column_count; c++)
            columns[count++] = table->keys[k].columns[c];
    if (count > 0)
        return count;
    for (size_t c = 0; c < dataset->column_count; c++)
        columns[c] = dataset->columns[c].catalog;
    return dataset->column_count;
}

/* Partners of statistics have their rows told apart: lineage_rows.c. */
static void need_identity(struct needs *needs, const struct model_dataset *dataset)
{
    const struct catalog_column **columns =
        palloc((dataset->table->column_count + 1) * sizeof(struct catalog_column *));
    size_t count = model_identity(dataset, columns);
    for (size_t c = 0; c < count; c++)
        need(needs, dataset->table, columns[c]);
}

static enum status need_grant(struct needs *needs, const struct model_grant *grant,
                              struct error *error)
{
    const struct model_dataset *dataset = grant->dataset;
    struct filter_walk walk = {needs, dataset};
    need_write(needs, grant);
    if (grant->partner->mode == POLICY_MODE_AGGREGATES)
        need_identity(needs, dataset);
    for (size_t i = 0; i < grant->column_count; i++)
        need(needs, dataset->table, grant->columns[i].column->catalog);
    for (size_t s = 0; s < dataset->subject_count; s++) {
        const struct model_subject *subject = &dataset->subjects[s];
        const struct model_dataset *at = dataset;
        for (size_t h = 0; h < subject->hop_count; h++) {
            need(needs, at->table, subject->hops[h].child_column);
            at = subject->hops[h].parent;
            need(needs, at->table, subject->hops[h].parent_column);
        }
        need(needs, at->table, subject->key);
    }
    if (grant->policy->rows == NULL)
        return STATUS_OK;
    Node *filter;
    TRY(parse_expression(grant->policy->rows, &filter, error));
    (void)filter_walker(filter, &walk);
    return STATUS_OK;
}

static void append_identifier(struct buffer *out, const char *name)
{
    buffer_append_text(out, "\"");
    for (; *name != 0; name++) {
        if (*name == '"')
            buffer_append_text(out, "\"");
        buffer_append_u8(out, (uint8_t)*name);
    }
    buffer_append_text(out, "\"");
}

/* Formats with each %I replaced by the next identifier. */
static void append_sql(struct buffer *out, const char *format, const char *const *names)
{
    for (; *format != 0; format++) {
        if (format[0] == '%' && format[1] == 'I') {
            append_identifier(out, *names++);
            format++;
        } else
            buffer_append_u8(out, (uint8_t)*format);
    }
}

static void append_right(struct buffer *out, const char *right, const struct catalog_table *table,
                         const bool *columns, const char *role)
{
    size_t count = 0;
    for (size_t c = 0; c < table->column_count; c++) {
        if (!columns[c])
            continue;
        buffer_append_text(out, count == 0 ? "GRANT " : ", ");
        if (count++ == 0) {
            buffer_append_text(out, right);
            buffer_append_text(out, " (");
        }
        append_identifier(out, table->columns[c].name);
    }
    if (count > 0)
        append_sql(out, ") ON TABLE %I.%I TO %I;\n",
                   (const char *const[]){table->schema, table->name, role});
}

static void append_table(struct buffer *out, const struct needs *needs, size_t t, const char *role)
{
    const struct catalog_table *table = &needs->model->catalog->tables[t];
    const char *const names[] = {table->schema, table->name, role};
    append_right(out, "SELECT", table, needs->columns[t], role);
    append_right(out, "INSERT", table, needs->inserted[t], role);
    append_right(out, "UPDATE", table, needs->updated[t], role);
    if (needs->deleted[t])
        append_sql(out, "GRANT DELETE ON TABLE %I.%I TO %I;\n", names);
    if (needs->placed[t])
        append_sql(out, "GRANT SELECT (ctid, tableoid) ON TABLE %I.%I TO %I;\n", names);
}

static void append_schemas(struct buffer *out, const struct needs *needs, const char *role)
{
    const struct catalog *catalog = needs->model->catalog;
    for (size_t t = 0; t < catalog->table_count; t++) {
        bool used = memchr(needs->columns[t], true, catalog->tables[t].column_count) != NULL;
        for (size_t before = 0; used && before < t; before++)
            used =
                strcmp(catalog->tables[before].schema, catalog->tables[t].schema) != 0 ||
                memchr(needs->columns[before], true, catalog->tables[before].column_count) == NULL;
        if (used)
            append_sql(out, "GRANT USAGE ON SCHEMA %I TO %I;\n",
                       (const char *const[]){catalog->tables[t].schema, role});
    }
}

static void append_role(struct buffer *out, const char *role)
{
    static const char *const settings[] = {
        "default_transaction_read_only = on",
        "statement_timeout = '10min'",
        "lock_timeout = '5s'",
        "idle_in_transaction_session_timeout = '10min'",
        "search_path = pg_catalog",
    };
    append_sql(out,
               "ALTER ROLE %I NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS "
               "CONNECTION LIMIT 210;\n",
               &role);
    for (size_t i = 0; i < lengthof(settings); i++) {
        append_sql(out, "ALTER ROLE %I SET ", &role);
        buffer_append_text(out, settings[i]);
        buffer_append_text(out, ";\n");
    }
    buffer_append_text(out, "-- Values must not reach the server's log (the first needs "
                            "superuser):\n");
    append_sql(out, "ALTER ROLE %I SET log_parameter_max_length = 0;\n", &role);
    append_sql(out, "ALTER ROLE %I SET log_parameter_max_length_on_error = 0;\n", &role);
}

static bool **new_flags(const struct catalog *catalog)
{
    bool **flags = palloc0((catalog->table_count + 1) * sizeof *flags);
    for (size_t t = 0; t < catalog->table_count; t++)
        flags[t] = palloc0(catalog->tables[t].column_count + 1);
    return flags;
}

static enum status append_all(struct needs *needs, const char *role, const char *database,
                              struct buffer *out, struct error *error)
{
    const struct catalog *catalog = needs->model->catalog;
    for (size_t g = 0; g < needs->model->grant_count; g++)
        TRY(need_grant(needs, &needs->model->grants[g], error));
    buffer_append_text(out, "-- What the gateway's role needs, and no more. Create the role and "
                            "its password first.\n");
    append_role(out, role);
    append_sql(out, "GRANT CONNECT ON DATABASE %I TO %I;\n", (const char *const[]){database, role});
    append_schemas(out, needs, role);
    for (size_t t = 0; t < catalog->table_count; t++)
        append_table(out, needs, t, role);
    if (out->overflowed)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "the SQL does not fit its buffer");
    return STATUS_OK;
}

enum status model_grants_sql(const struct model *model, const char *role, const char *database,
                             struct buffer *out, struct error *error)
{
    struct parse_scope scope;
    parse_begin(&scope);
    struct needs needs = {.model = model,
                          .columns = new_flags(model->catalog),
                          .updated = new_flags(model->catalog),
                          .inserted = new_flags(model->catalog),
                          .deleted = palloc0(model->catalog->table_count + 1),
                          .placed = palloc0(model->catalog->table_count + 1)};
    enum status status = append_all(&needs, role, database, out, error);
    parse_end(&scope);
    return status;
}
