/* The least rights of the contact role, as SQL: SELECT on the contact columns and the keys, read
 * only, bounded in time, and nothing of parameters in the server's log. */
#include <string.h>

#include "contact/private.h"

static void append_role(struct buffer *sql, const char *role)
{
    static const char *const settings[] = {
        "default_transaction_read_only = on",
        "statement_timeout = '1min'",
        "lock_timeout = '5s'",
        "idle_in_transaction_session_timeout = '1min'",
        "search_path = pg_catalog",
    };
    buffer_append_text(sql, "ALTER ROLE ");
    contact_sql_identifier(sql, role);
    buffer_append_text(sql, " NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS "
                            "CONNECTION LIMIT 10;\n");
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        buffer_append_text(sql, "ALTER ROLE ");
        contact_sql_identifier(sql, role);
        buffer_printf(sql, " SET %s;\n", settings[i]);
    }
    buffer_append_text(sql, "-- Values must not reach the server's log (the first needs "
                            "superuser):\n");
    for (int on_error = 0; on_error <= 1; on_error++) {
        buffer_append_text(sql, "ALTER ROLE ");
        contact_sql_identifier(sql, role);
        buffer_printf(sql, " SET log_parameter_max_length%s = 0;\n", on_error ? "_on_error" : "");
    }
}

struct grant_walk {
    struct buffer *sql;
    const char *key;
};

static void append_granted(void *context, const char *column)
{
    struct grant_walk *walk = context;
    if (strcmp(column, walk->key) == 0)
        return;
    buffer_append_text(walk->sql, ", ");
    contact_sql_identifier(walk->sql, column);
}

static void append_kind(const struct policy *policy, const struct policy_kind *kind,
                        const char *role, struct buffer *sql)
{
    const struct policy_dataset *dataset = contact_dataset(policy, kind);
    struct grant_walk walk = {sql, kind->key};
    buffer_append_text(sql, "GRANT USAGE ON SCHEMA ");
    contact_sql_identifier(sql, dataset->schema);
    buffer_append_text(sql, " TO ");
    contact_sql_identifier(sql, role);
    buffer_append_text(sql, ";\nGRANT SELECT (");
    contact_sql_identifier(sql, kind->key);
    contact_each_column(kind, false, append_granted, &walk);
    buffer_append_text(sql, ") ON TABLE ");
    contact_sql_table(sql, dataset);
    buffer_append_text(sql, " TO ");
    contact_sql_identifier(sql, role);
    buffer_append_text(sql, ";\n");
}

enum status contact_grants(const struct config *config, const struct policy *policy,
                           struct buffer *sql, struct error *error)
{
    const char *role = config->contact.user == NULL ? CONTACT_DEFAULT_ROLE : config->contact.user;
    size_t known = 0;
    buffer_append_text(sql, "-- What the role needs that reads how people can be reached, and no "
                            "more. Create the\n-- role and its password first.\n");
    append_role(sql, role);
    buffer_append_text(sql, "GRANT CONNECT ON DATABASE ");
    contact_sql_identifier(sql, config->upstream.database);
    buffer_append_text(sql, " TO ");
    contact_sql_identifier(sql, role);
    buffer_append_text(sql, ";\n");
    for (size_t k = 0; k < policy->kind_count; k++)
        if (contact_is_known(&policy->kinds[k])) {
            append_kind(policy, &policy->kinds[k], role, sql);
            known++;
        }
    if (known == 0)
        return error_set(error, STATUS_INVALID, "F0000",
                         "write contact: {name: …, email: …} under subjects: in the policy",
                         "the policy names no column by which people can be reached");
    if (sql->overflowed)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "the SQL does not fit its buffer");
    return STATUS_OK;
}
