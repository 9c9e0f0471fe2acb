/* See admin.h: admin/admin_client.h for the verbs, with JSON's types and the two options that say
 * where the gateway is. */
#include "cli/admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/admin_client.h"
#include "base/check.h"
#include "policy/config.h"

struct cli_admin {
    struct admin_client *client;
};

static enum status open_folder(const char *folder, uint16_t port, bool is_urgent,
                               struct admin_client **client, struct error *error)
{
    char urgent[4096];
    snprintf(urgent, sizeof urgent, "%s/urgent", folder);
    if (is_urgent && admin_client_open(urgent, port, client, error) == STATUS_OK)
        return STATUS_OK;
    return admin_client_open(folder, port, client, error);
}

static enum status open_client(const struct cli_call *call, bool is_urgent,
                               struct admin_client **client, struct error *error)
{
    if (call->admin_folder != NULL)
        return open_folder(call->admin_folder, 0, is_urgent, client, error);
    struct config *config = NULL;
    TRY(config_load(call->config_path, &config, error));
    enum status status =
        open_folder(config->run_folder, (uint16_t)config->admin.port, is_urgent, client, error);
    config_free(config);
    return status;
}

static enum status open_admin(const struct cli_call *call, bool is_urgent, struct cli_admin **out,
                              struct error *error)
{
    struct cli_admin *admin = calloc(1, sizeof *admin);
    if (admin == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    enum status status = open_client(call, is_urgent, &admin->client, error);
    if (status == STATUS_OK)
        *out = admin;
    else
        free(admin);
    return status;
}

enum status cli_admin_open(const struct cli_call *call, struct cli_admin **out, struct error *error)
{
    return open_admin(call, false, out, error);
}

enum status cli_admin_open_urgent(const struct cli_call *call, struct cli_admin **out,
                                  struct error *error)
{
    return open_admin(call, true, out, error);
}

void cli_admin_close(struct cli_admin *admin)
{
    if (admin == NULL)
        return;
    admin_client_close(admin->client);
    free(admin);
}

void cli_admin_clause(struct buffer *command, const char *keyword, const char *value)
{
    admin_client_clause(command, keyword, value);
}

/* The admin database sends everything as text. What is a number is known by its column's name, so
 * that a column has one type for ever. */
static enum cli_json_kind kind_of(const char *name)
{
    static const char *const numbers[] = {
        "agents",
        "backends",
        "both",
        "bound",
        "factor",
        "failures",
        "floor",
        "greatest",
        "gross",
        "net",
        "new",
        "now",
        "only_first",
        "only_second",
        "aggregate",
        "alarm",
        "attempts",
        "charged",
        "closed_waiting",
        "cut_ms",
        "datasets",
        "declared",
        "direct",
        "entries",
        "grants",
        "id",
        "influence",
        "known",
        "of",
        "pace",
        "partners",
        "per_day",
        "probe",
        "repeats",
        "rows",
        "sequence",
        "session",
        "sessions",
        "statements",
        "subjects",
        "subjects_today",
        "subjects_total",
        "time_ns",
        "to",
        "total",
        "tries",
        "undelivered_bytes",
        "unknown",
        "upstream_ms",
        "used",
        "wait_s",
        "witness",
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (strcmp(name, numbers[i]) == 0)
            return CLI_JSON_NUMBER;
    }
    return CLI_JSON_TEXT;
}

/* But the id of a key or of a certificate is hexadecimal, and some of those look like numbers. */
static bool has_text_ids(const struct table *table)
{
    for (size_t column = 0; column < table->column_count; column++)
        if (strcmp(table->columns[column], "key") == 0 ||
            strcmp(table->columns[column], "issuer") == 0)
            return true;
    return false;
}

void cli_result_kinds(struct cli_result *result)
{
    bool has_text_id = has_text_ids(&result->table);
    for (size_t column = 0; column < result->table.column_count; column++) {
        const char *name = result->table.columns[column];
        bool is_text = has_text_id && strcmp(name, "id") == 0;
        result->kinds[column] = is_text ? CLI_JSON_TEXT : kind_of(name);
    }
}

enum status cli_admin_ask(struct cli_admin *admin, struct buffer *command,
                          struct cli_result *result, struct error *error)
{
    TRY(admin_client_ask(admin->client, command, &result->table, error));
    cli_result_kinds(result);
    return STATUS_OK;
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

/* Beside the answer, so that JSON stays what programs know. */
static void tell_notice(const struct cli_call *call, const char *notice)
{
    if (notice[0] != '\0')
        fprintf(call->json ? stderr : stdout, "%s%s\n", call->json ? "" : "\n", notice);
}

/* A count has few digits; a serial number or a root is not one, whatever its digits are. */
static json_t *property(const char *value)
{
    enum { COUNT_DIGITS = 18 };
    size_t len = value == NULL ? 0 : strlen(value);
    if (value == NULL)
        return json_null();
    if (len == 0 || len > COUNT_DIGITS || strspn(value, "0123456789") != len)
        return cli_json_text(value);
    return json_integer(strtoll(value, NULL, 10));
}

static enum status print_properties(const struct cli_call *call, const struct cli_result *result,
                                    struct error *error)
{
    if (!call->json)
        return cli_print_result(call, result, error);
    json_t *object = json_object();
    for (const struct table_row *row = result->table.first; row != NULL; row = row->next) {
        char name[80];
        snprintf(name, sizeof name, "%s", row->cells[0]);
        for (char *c = name; *c != '\0'; c++)
            *c = *c == ' ' ? '_' : *c;
        int failure = json_object_set_new(object, name, property(row->cells[1]));
        CHECK(failure == 0);
    }
    return cli_json_print(object, false, error);
}

/* The columns in which some row has something. */
static void drop_empty_columns(const struct table *from, struct table *out)
{
    const char *columns[TABLE_MAX_COLUMNS + 1] = {NULL};
    size_t kept[TABLE_MAX_COLUMNS], count = 0;
    for (size_t column = 0; column < from->column_count; column++) {
        bool any = false;
        for (const struct table_row *row = from->first; row != NULL && !any; row = row->next)
            any = row->cells[column] != NULL && row->cells[column][0] != '\0';
        if (any) {
            columns[count] = from->columns[column];
            kept[count++] = column;
        }
    }
    table_init(out, CLI_RESULT_BYTES, columns);
    for (const struct table_row *row = from->first; row != NULL; row = row->next) {
        struct table_row *line = table_add(out);
        for (size_t i = 0; i < count; i++)
            if (row->cells[kept[i]] != NULL)
                table_set(out, line, i, "%s", row->cells[kept[i]]);
    }
}

static enum status print_wrapped(const struct cli_call *call, const struct cli_result *result,
                                 struct error *error)
{
    if (call->json)
        return cli_print_result(call, result, error);
    struct table narrow;
    drop_empty_columns(&result->table, &narrow);
    cli_print_wrapped(stdout, &narrow);
    table_free(&narrow);
    return STATUS_OK;
}

enum status cli_show_with(const struct cli_call *call, const char *words, const char *keyword,
                          const char *value, cli_print_function *print, struct error *error)
{
    struct cli_admin *admin = NULL;
    struct cli_result result = {0};
    struct buffer command;
    TRY(cli_admin_open(call, &admin, error));
    buffer_init(&command, ADMIN_CLIENT_COMMAND_BYTES);
    buffer_append_text(&command, words);
    cli_admin_clause(&command, keyword, value);
    enum status status = cli_admin_ask(admin, &command, &result, error);
    if (status == STATUS_OK)
        status = print(call, &result, error);
    table_free(&result.table);
    buffer_free(&command);
    cli_admin_close(admin);
    return status;
}

enum status cli_show_properties(const struct cli_call *call, const char *words, struct error *error)
{
    return cli_show_with(call, words, "", NULL, print_properties, error);
}

enum status cli_show_wrapped(const struct cli_call *call, const char *words, const char *keyword,
                             const char *value, struct error *error)
{
    return cli_show_with(call, words, keyword, value, print_wrapped, error);
}

enum status cli_tell(const struct cli_call *call, struct buffer *command, struct error *error)
{
    struct cli_admin *admin = NULL;
    struct cli_result result = {0};
    TRY(cli_admin_open(call, &admin, error));
    enum status status = cli_admin_ask(admin, command, &result, error);
    if (status == STATUS_OK)
        status = cli_print_result(call, &result, error);
    if (status == STATUS_OK)
        tell_notice(call, admin_client_notice(admin->client));
    table_free(&result.table);
    cli_admin_close(admin);
    return status;
}

enum status cli_show(const struct cli_call *call, const char *show, const char *keyword,
                     const char *value, struct error *error)
{
    struct buffer command;
    buffer_init(&command, ADMIN_CLIENT_COMMAND_BYTES);
    buffer_append_text(&command, show);
    cli_admin_clause(&command, keyword, value);
    enum status status = cli_tell(call, &command, error);
    buffer_free(&command);
    return status;
}

enum status cli_act(struct cli_call *call, const char *act, struct error *error)
{
    struct buffer command;
    const char *reason;
    TRY(cli_require(call, "reason", &reason, error));
    buffer_init(&command, ADMIN_CLIENT_COMMAND_BYTES);
    buffer_append_text(&command, act);
    cli_admin_clause(&command, "ID", call->arguments[0]);
    cli_admin_clause(&command, "REASON", reason);
    enum status status = cli_tell(call, &command, error);
    buffer_free(&command);
    return status;
}
