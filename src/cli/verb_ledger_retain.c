/* cofferdam ledger retain: has the gateway drop the ledger's oldest entries. First it reckons and
 * shows what that would mean; then it asks, or needs --yes. */
#include "cli/admin.h"
#include "cli/verbs.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"

enum { COMMAND_BYTES = 65536, DECIMAL = 10, POLL_FIRST_MS = 10, POLL_MOST_MS = 500 };

static const struct cli_option options[] = {
    {"before", 'b', "TIME", "drop entries that are older, as far as whole segments are (needed)"},
    {"reason", 'r', "TEXT", "why; it is kept in the ledger and in its signed base (needed)"},
    {"dry-run", 'n', NULL, "only say what would go and what would be forgotten"},
    {"forget-totals", 0, NULL, "also where limits of all time would count fewer people"},
    {"yes", 'y', NULL, "do not ask"},
    {"by", 0, "WHO", "who drops them, beside the user's number"},
    {NULL, 0, NULL, NULL},
};

/* ---- asking the gateway ---- */

static const char *value_of(const struct table *table, const char *property)
{
    for (const struct table_row *row = table->first; row != NULL; row = row->next)
        if (strcmp(cli_cell(table, row, "property"), property) == 0 &&
            cli_cell(table, row, "partner")[0] == '\0')
            return cli_cell(table, row, "value");
    return "";
}

static bool is_state(const struct cli_result *result, const char *state)
{
    return strcmp(value_of(&result->table, "state"), state) == 0;
}

static enum status ask(struct cli_admin *admin, struct buffer *command, struct cli_result *result,
                       struct error *error)
{
    table_free(&result->table);
    *result = (struct cli_result){0};
    return cli_admin_ask(admin, command, result, error);
}

/* It may take as long as reading the whole ledger. */
static enum status await(struct cli_admin *admin, struct cli_result *result, struct error *error)
{
    static const long millisecond_ns = 1000000;
    struct buffer command;
    enum status status = STATUS_OK;
    long wait_ms = POLL_FIRST_MS;
    buffer_init(&command, COMMAND_BYTES);
    while (status == STATUS_OK && is_state(result, "running")) {
        nanosleep(&(struct timespec){.tv_nsec = wait_ms * millisecond_ns}, NULL);
        wait_ms = wait_ms * 2 > POLL_MOST_MS ? POLL_MOST_MS : wait_ms * 2;
        buffer_clear(&command);
        buffer_append_text(&command, "SHOW RETENTION");
        status = ask(admin, &command, result, error);
    }
    buffer_free(&command);
    return status;
}

static enum status retain(const struct cli_call *call, struct cli_admin *admin, bool dry,
                          struct cli_result *result, struct error *error)
{
    struct buffer command;
    buffer_init(&command, COMMAND_BYTES);
    buffer_append_text(&command, "RETAIN");
    cli_admin_clause(&command, "BEFORE", cli_value(call, "before"));
    cli_admin_clause(&command, "REASON", cli_value(call, "reason"));
    cli_admin_clause(&command, "BY", cli_value(call, "by"));
    if (dry)
        cli_admin_clause(&command, "DRY", "run");
    if (cli_value(call, "forget-totals") != NULL)
        cli_admin_clause(&command, "FORGET", "totals");
    enum status status = ask(admin, &command, result, error);
    buffer_free(&command);
    if (status == STATUS_OK)
        status = await(admin, result, error);
    TRY(status);
    if (!is_state(result, "failed"))
        return STATUS_OK;
    const struct table *table = &result->table;
    const char *hint = value_of(table, "hint");
    return error_set(error, STATUS_DENIED, value_of(table, "sqlstate"),
                     hint[0] == '\0' ? NULL : hint, "%s", value_of(table, "message"));
}

/* ---- telling ---- */

static json_int_t number_of(const struct table *table, const char *property)
{
    return (json_int_t)strtoull(value_of(table, property), NULL, DECIMAL);
}

static json_t *totals_of(const struct table *table)
{
    json_t *totals = json_array();
    for (const struct table_row *row = table->first; row != NULL; row = row->next) {
        const char *partner = cli_cell(table, row, "partner");
        if (partner[0] == '\0')
            continue;
        json_array_append_new(
            totals, json_pack("{s:o, s:o, s:I, s:I}", "partner", cli_json_text(partner), "limit",
                              cli_json_text(cli_cell(table, row, "property")), "people",
                              (json_int_t)strtoull(cli_cell(table, row, "value"), NULL, DECIMAL),
                              "people_after",
                              (json_int_t)strtoull(cli_cell(table, row, "after"), NULL, DECIMAL)));
    }
    return totals;
}

static enum status print_json(const struct table *table, struct error *error)
{
    bool done = strcmp(value_of(table, "state"), "done") == 0;
    json_t *told = json_pack(
        "{s:b, s:b, s:I, s:I, s:I, s:I, s:s, s:s, s:I, s:I, s:b, s:b, s:o}", "dropped", done,
        "proposed", strcmp(value_of(table, "state"), "proposed") == 0, "entries",
        number_of(table, "entries"), "segments", number_of(table, "segments"), "bytes",
        number_of(table, "bytes"), "below", number_of(table, "below"), "first",
        value_of(table, "first"), "last", value_of(table, "last"), "people",
        number_of(table, "people"), "deliveries", number_of(table, "deliveries"), "totals_shrink",
        strcmp(value_of(table, "totals_shrink"), "true") == 0, "index_late",
        strcmp(value_of(table, "index_late"), "true") == 0, "totals", totals_of(table));
    CHECK(told != NULL);
    return cli_json_print(told, false, error);
}

static void print_totals(FILE *out, const struct table *table)
{
    static const char *const columns[] = {"partner", "limit", "people now", "people after", NULL};
    struct table totals;
    table_init(&totals, CLI_RESULT_BYTES, columns);
    for (const struct table_row *row = table->first; row != NULL; row = row->next) {
        if (cli_cell(table, row, "partner")[0] == '\0')
            continue;
        struct table_row *total = table_add(&totals);
        table_set(&totals, total, 0, "%s", cli_cell(table, row, "partner"));
        table_set(&totals, total, 1, "%s", cli_cell(table, row, "property"));
        table_set(&totals, total, 2, "%s", cli_cell(table, row, "value"));
        table_set(&totals, total, 3, "%s", cli_cell(table, row, "after"));
    }
    cli_print_table(out, &totals);
    table_free(&totals);
}

static void print(FILE *out, const struct table *table)
{
    bool done = strcmp(value_of(table, "state"), "done") == 0;
    fprintf(out, "%s %s entries below %s, from %s to %s: %s segments, %s bytes\n",
            done ? "dropped" : "would drop", value_of(table, "entries"), value_of(table, "below"),
            value_of(table, "first"), value_of(table, "last"), value_of(table, "segments"),
            value_of(table, "bytes"));
    fprintf(out, "%s people %s in no entry any more\n", value_of(table, "people"),
            done ? "are" : "would be");
    if (strcmp(value_of(table, "deliveries"), "0") != 0)
        fprintf(out, "copies of %s deliveries cannot be traced by what they released any more\n",
                value_of(table, "deliveries"));
    fprintf(out, "limits of all time count:\n");
    print_totals(out, table);
    if (!done && strcmp(value_of(table, "totals_shrink"), "true") == 0)
        fprintf(out, "Who is counted no more can be disclosed again under that limit: such a cut "
                     "needs --forget-totals.\n");
    if (strcmp(value_of(table, "state"), "proposed") == 0)
        fprintf(out,
                "Nothing was dropped yet. It is proposed: another user carries it out within 7 "
                "days by the\nsame command, with this --before%s (a restart of the gateway "
                "forgets it).\n",
                strcmp(value_of(table, "proposed_forget_totals"), "true") == 0
                    ? " and --forget-totals"
                    : "");
    else if (!done && value_of(table, "proposed_by")[0] != '\0')
        fprintf(out, "%s has proposed to drop those before %s, below %s%s.\n",
                value_of(table, "proposed_by"), value_of(table, "proposed_before"),
                value_of(table, "proposed_below"),
                strcmp(value_of(table, "proposed_forget_totals"), "true") == 0
                    ? ", with --forget-totals"
                    : "");
    if (done)
        fprintf(out, "Where ledger prove --never is used: run cofferdam ledger commit now. Until "
                     "then its index\nkeeps marks of these people, and proves nothing.\n");
    if (strcmp(value_of(table, "index_late"), "true") == 0)
        fprintf(out, "The exposure index could not be made anew yet: see the gateway's log; "
                     "a restart does it.\n");
}

/* ---- the verb ---- */

static enum status confirm(struct error *error)
{
    char answer[16] = "";
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        return error_set(error, STATUS_DENIED, "57014", "--yes says that you mean it.",
                         "nothing was dropped: nobody is there to be asked");
    fprintf(stderr, "Drop them for good? Nobody can bring them back but from a backup. [y/N] ");
    if (fgets(answer, sizeof answer, stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y'))
        return STATUS_OK;
    return error_set(error, STATUS_DENIED, "57014", NULL, "nothing was dropped");
}

static enum status run_both(const struct cli_call *call, struct cli_admin *admin,
                            struct cli_result *result, struct error *error)
{
    bool dry = cli_value(call, "dry-run") != NULL;
    if (dry || cli_value(call, "yes") == NULL)
        TRY(retain(call, admin, true, result, error));
    if (!dry && cli_value(call, "yes") == NULL) {
        print(stderr, &result->table);
        TRY(confirm(error));
    }
    if (!dry)
        TRY(retain(call, admin, false, result, error));
    if (call->json)
        return print_json(&result->table, error);
    print(stdout, &result->table);
    return STATUS_OK;
}

static enum status run(struct cli_call *call, struct error *error)
{
    struct cli_admin *admin = NULL;
    struct cli_result result = {0};
    const char *needed;
    TRY(cli_require(call, "before", &needed, error));
    TRY(cli_require(call, "reason", &needed, error));
    TRY(cli_admin_open(call, &admin, error));
    enum status status = run_both(call, admin, &result, error);
    table_free(&result.table);
    cli_admin_close(admin);
    return status;
}

const struct cli_command verb_ledger_retain = {
    .arguments = "",
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Drops the ledger's oldest entries about people, where disclosure records may not be kept\n"
        "for ever. Whole segments go whose every entry is older than --before; a signed statement\n"
        "of what went stays, and so do policies, acts and keys, so that ledger verify holds for "
        "the\n"
        "rest. Every answer says from then on since when it is. Refused while a limit, remembered\n"
        "statistics, an incident or a delivery of the last 400 days needs what would go, "
        "and,\n"
        "without --forget-totals, where a limit of all time would forget people. What one user "
        "asks\n"
        "for is proposed; another user carries it out by the same command (with budget:\n"
        "{approvals: 1} in cofferdam.yaml at once). Take a backup first if the law lets you keep\n"
        "one. The gateway must be running.",
    .examples = "ledger retain --before 2023-11-23 --reason \"kept for three years\" --dry-run\n"
                "ledger retain --before 2023-11-23 --reason \"kept for three years\" --yes\n",
    .run = run,
};
