/* cofferdam export: a file for a partner, through all that a session of the partner goes through.
 */
#include "cli/admin.h"
#include "cli/export.h"
#include "cli/verbs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { COMMAND_BYTES = ADMIN_CLIENT_COMMAND_BYTES };

static const struct cli_option options[] = {
    {"partner", 'p', "PARTNER", "for whom; with --list, only theirs"},
    {"agent", 0, "AGENT", "by this agent's grants; default: those that are for no agent alone"},
    {"purpose", 0, "PURPOSE", "what for, where the partner has several purposes"},
    {"format", 0, "FORMAT", "csv or jsonl; default by the file's name, else csv"},
    {"disarm", 0, NULL, "CSV: an apostrophe before what a spreadsheet takes for a formula"},
    {"canaries", 0, "N", "put N invented people among the rows, to tell this copy from others"},
    {"force", 'f', NULL, "replace the file if it is there"},
    {"by", 0, "WHO", "who asked for it, beside the user's number"},
    {"list", 'l', NULL, "list the deliveries, newest first"},
    {"show", 0, "ID", "tell of a delivery, and what the ledger has of it"},
    {NULL, 0, NULL, NULL},
};

/* ---- the admin database ---- */

static enum status ask(struct export *export, struct buffer *command, struct table *table,
                       struct error *error)
{
    enum status status = admin_client_ask(export->admin, command, table, error);
    buffer_free(command);
    return status;
}

static enum status open_delivery(struct export *export, struct error *error)
{
    const struct cli_call *call = export->call;
    char count[24];
    struct buffer command;
    buffer_init(&command, COMMAND_BYTES);
    snprintf(count, sizeof count, "%" PRIu64, export->canaries);
    buffer_append_text(&command, "DELIVERY OPEN");
    admin_client_clause(&command, "PARTNER", cli_value(call, "partner"));
    admin_client_clause(&command, "AGENT", cli_value(call, "agent"));
    admin_client_clause(&command, "PURPOSE", cli_value(call, "purpose"));
    admin_client_clause(&command, "CANARIES", count);
    admin_client_clause(&command, "FILE", export->file.path);
    admin_client_clause(&command, "FORMAT", export->format == DELIVERY_JSONL ? "jsonl" : "csv");
    admin_client_clause(&command, "BY", cli_value(call, "by"));
    admin_client_clause(&command, "STATEMENT", export->sql);
    TRY(ask(export, &command, &export->readable, error));
    snprintf(export->id, sizeof export->id, "%s",
             cli_cell(&export->readable, export->readable.first, "delivery"));
    return STATUS_OK;
}

/* hash NULL: there is no file, and outcome says why. */
static enum status close_delivery(struct export *export, const char *outcome, const char *hash,
                                  struct table *answer, struct error *error)
{
    char rows[24];
    struct buffer command;
    buffer_init(&command, COMMAND_BYTES);
    snprintf(rows, sizeof rows, "%" PRIu64, export->rows);
    buffer_append_text(&command, "DELIVERY CLOSE");
    admin_client_clause(&command, "", export->id);
    admin_client_clause(&command, "OUTCOME", outcome);
    admin_client_clause(&command, "SHA256", hash);
    admin_client_clause(&command, "ROWS", rows);
    admin_client_clause(&command, "BY", cli_value(export->call, "by"));
    return ask(export, &command, answer, error);
}

/* ---- the file ---- */

static enum status write_rows(struct export *export, struct error *error)
{
    const char *const *cells;
    enum status status;
    while ((status = export_fetch_next(&export->fetch, &cells, error)) == STATUS_OK) {
        TRY(delivery_writer_row(export->writer, cells, error));
        export->rows++;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status fill(struct export *export, char hash[static EXPORT_HASH_ROOM],
                        struct error *error)
{
    TRY(export_fetch_open(&export->fetch, export->folder, export->config->admin.port, export->id,
                          export->sql, error));
    TRY(delivery_writer_open(export->file.fd, export->format, export->fetch.columns,
                             export->fetch.count, &export->writer, error));
    if (export->canaries > 0)
        TRY(export_with_canaries(export, error));
    else
        TRY(write_rows(export, error));
    TRY(delivery_writer_finish(export->writer, error));
    return export_file_settle(&export->file, hash, error);
}

static enum status print_done(const struct export *export, const char *hash, struct table *answer,
                              struct error *error)
{
    const struct table_row *row = answer->first;
    const char *people = cli_cell(answer, row, "people");
    if (export->call->json) {
        static const char *const columns[] = {"delivery", "file",     "sha256",   "rows",
                                              "people",   "canaries", "sequence", NULL};
        static const enum cli_json_kind kinds[] = {
            CLI_JSON_TEXT,   CLI_JSON_TEXT,   CLI_JSON_TEXT,  CLI_JSON_NUMBER,
            CLI_JSON_NUMBER, CLI_JSON_NUMBER, CLI_JSON_NUMBER};
        struct table table;
        table_init(&table, COMMAND_BYTES, columns);
        struct table_row *line = table_add(&table);
        table_set(&table, line, 0, "%s", export->id);
        table_set(&table, line, 1, "%s", export->file.path);
        table_set(&table, line, 2, "%s", hash);
        table_set(&table, line, 3, "%" PRIu64, export->rows);
        table_set(&table, line, 4, "%s", people);
        table_set(&table, line, 5, "%s", cli_cell(answer, row, "canaries"));
        table_set(&table, line, 6, "%s", cli_cell(answer, row, "sequence"));
        enum status status = cli_json_print(cli_json_row(&table, line, kinds), false, error);
        table_free(&table);
        return status;
    }
    printf("%s: %s, %" PRIu64 " %s about %s %s (ledger entry %s)\nsha256 %s\n", export->id,
           export->file.path, export->rows, export->rows == 1 ? "row" : "rows", people,
           strcmp(people, "1") == 0 ? "person" : "people", cli_cell(answer, row, "sequence"), hash);
    if (export->canaries > 0)
        export_tell_canaries(export->canaries);
    return STATUS_OK;
}

/* The closing act first: a file that has its name is one that the ledger knows of. */
static enum status finish(struct export *export, const char *hash, struct error *error)
{
    struct table answer;
    TRY(close_delivery(export, "complete", hash, &answer, error));
    enum status status =
        export_file_publish(&export->file, cli_value(export->call, "force") != NULL, error);
    if (status == STATUS_OK)
        status = print_done(export, hash, &answer, error);
    else
        fprintf(stderr,
                "%s: there is no file, though the ledger has it as complete: what was written did "
                "not get its name\n",
                export->id);
    table_free(&answer);
    return status;
}

/* There is no file: what has been released all the same, so that staff need not guess. */
static void give_up(struct export *export, const struct error *why)
{
    char outcome[64];
    struct table answer;
    struct error error;
    snprintf(outcome, sizeof outcome, "cut by %.5s", why->sqlstate);
    if (close_delivery(export, outcome, NULL, &answer, &error) != STATUS_OK) {
        fprintf(stderr,
                "%s is unfinished, and there is no file. What was released by then is in the "
                "ledger: cofferdam export --show %s\n",
                export->id, export->id);
        return;
    }
    fprintf(stderr,
            "%s: no file was written; %s rows about %s people had been released, and stay in "
            "the ledger\n",
            export->id, cli_cell(&answer, answer.first, "rows"),
            cli_cell(&answer, answer.first, "people"));
    table_free(&answer);
}

static enum status deliver(struct export *export, struct error *error)
{
    char hash[EXPORT_HASH_ROOM];
    TRY(admin_client_open(export->folder, export->config->admin.port, &export->admin, error));
    TRY(open_delivery(export, error));
    enum status status = fill(export, hash, error);
    if (status == STATUS_OK)
        return finish(export, hash, error);
    give_up(export, error);
    return status;
}

/* ---- the verb ---- */

static enum status choose_format(struct export *export, const char *path, struct error *error)
{
    const char *format = cli_value(export->call, "format");
    size_t len = strlen(path);
    if (format == NULL)
        format = len > 6 && strcmp(path + len - 6, ".jsonl") == 0 ? "jsonl" : "csv";
    if (strcmp(format, "csv") != 0 && strcmp(format, "jsonl") != 0)
        return cli_usage(export->call, error, "--format is csv or jsonl");
    bool disarmed = cli_value(export->call, "disarm") != NULL, csv = strcmp(format, "csv") == 0;
    if (disarmed && !csv)
        return cli_usage(export->call, error, "--disarm is for csv alone");
    export->format = !csv ? DELIVERY_JSONL : disarmed ? DELIVERY_CSV_DISARMED : DELIVERY_CSV;
    return STATUS_OK;
}

/* The gateway's records name the file wherever the command was given. */
static enum status open_file(struct export *export, const char *path, struct error *error)
{
    char whole[EXPORT_PATH_ROOM];
    char here[EXPORT_PATH_ROOM] = "";
    if (path[0] != '/' && realpath(".", here) == NULL)
        return error_set(error, STATUS_IO, "58030", NULL, "the current folder has no path");
    if (snprintf(whole, sizeof whole, "%s%s%s", here, path[0] == '/' ? "" : "/", path) >=
        (int)sizeof whole)
        return error_set(error, STATUS_INVALID, "22023", NULL, "the file's path is too long");
    return export_file_open(&export->file, whole, cli_value(export->call, "force") != NULL, error);
}

static enum status export_to(struct cli_call *call, struct error *error)
{
    const char *partner;
    struct export export = {.call = call, .file = {.fd = -1}};
    if (call->argument_count != 2)
        return cli_usage(call, error, "say what: the statement, and the file");
    TRY(cli_require(call, "partner", &partner, error));
    TRY(choose_format(&export, call->arguments[1], error));
    TRY(cli_number(call, "canaries", 0, EXPORT_CANARIES, 0, &export.canaries, error));
    export.sql = call->arguments[0];
    enum status status = config_load(call->config_path, &export.config, error);
    if (status == STATUS_OK) {
        export.folder = call->admin_folder != NULL ? call->admin_folder : export.config->run_folder;
        status = open_file(&export, call->arguments[1], error);
    }
    if (status == STATUS_OK && export.canaries > 0)
        status = export_read_lists(&export, error);
    if (status == STATUS_OK)
        status = deliver(&export, error);
    if (export.id[0] != '\0')
        table_free(&export.readable);
    delivery_writer_close(export.writer);
    export_fetch_close(&export.fetch);
    export_file_close(&export.file);
    admin_client_close(export.admin);
    invent_library_close(export.library);
    config_free(export.config);
    return status;
}

static enum status run(struct cli_call *call, struct error *error)
{
    const char *id = cli_value(call, "show");
    bool list = cli_value(call, "list") != NULL;
    if ((list || id != NULL) && call->argument_count > 0)
        return cli_usage(call, error, "--list and --show take neither statement nor file");
    if (list)
        return cli_show(call, "SHOW DELIVERIES", "PARTNER", cli_value(call, "partner"), error);
    if (id != NULL)
        return cli_show(call, "SHOW DELIVERY", "", id, error);
    return export_to(call, error);
}

const struct cli_command verb_export = {
    .arguments = "[SQL FILE]",
    .least = 0,
    .most = 2,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Writes the result of a query into a file for a partner: through the same fence, masks,\n"
        "budgets and ledger as if the partner had asked. The delivery gets an id, which stands in\n"
        "all its ledger entries and narrows the scope of an incident (--suspect delivery:ID). The\n"
        "file appears whole, or not at all; what was released before a cut stays in the ledger.\n"
        "Canaries are invented people, with values in the forms of the file; they are in no count\n"
        "and no notice, and `cofferdam trace` knows them when a list turns up.",
    .examples = "export --partner ringway \"SELECT * FROM vehicle\" vehicles.csv\n"
                "export --partner ringway --agent batch --format jsonl \"SELECT * FROM customer\" "
                "out.jsonl\n"
                "export --partner ringway --disarm \"SELECT * FROM enquirer\" for-excel.csv\n"
                "export --partner ringway --canaries 44 \"SELECT * FROM customer\" customers.csv\n"
                "export --list\n"
                "export --show D-2026-11-22-7F3KQ\n",
    .run = run,
};
