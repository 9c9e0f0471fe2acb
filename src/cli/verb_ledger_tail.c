/* cofferdam ledger tail: the newest entries, and with --follow those to come. */
#include "cli/admin.h"
#include "cli/verbs.h"

#include <inttypes.h>
#include <poll.h>
#include <string.h>

enum {
    COMMAND_BYTES = 256,
    DEFAULT_COUNT = 20,
    MOST_COUNT = 1000000,
    POLL_MS = 500,
    MOST_TEXT = 60
};

static const struct cli_option options[] = {
    {"number", 'n', "N", "how many entries, default 20"},
    {"after", 0, "SEQUENCE", "entries after this one instead"},
    {"follow", 'f', NULL, "go on with new entries as they come; with --json one object a line"},
    {NULL, 0, NULL, NULL},
};

/* What is asked for: the last count entries, or, once that is known, those after a sequence. */
struct window {
    uint64_t count;
    const char *after;
    char last[32]; /* sequence of the newest entry shown; "" before the first */
};

static enum status ask(struct cli_admin *admin, const struct window *window,
                       struct cli_result *result, struct error *error)
{
    struct buffer command;
    buffer_init(&command, COMMAND_BYTES);
    if (window->last[0] != '\0')
        buffer_printf(&command, "SHOW LEDGER AFTER %s", window->last);
    else if (window->after != NULL)
        buffer_printf(&command, "SHOW LEDGER AFTER %s", window->after);
    else
        buffer_printf(&command, "SHOW LEDGER LAST %" PRIu64, window->count);
    enum status status = cli_admin_ask(admin, &command, result, error);
    buffer_free(&command);
    return status;
}

static enum status print_lines(const struct cli_result *result, struct error *error)
{
    for (const struct table_row *row = result->table.first; row != NULL; row = row->next)
        TRY(cli_json_print(cli_json_row(&result->table, row, result->kinds), true, error));
    return STATUS_OK;
}

/* Bytes of the first line, at most MOST_TEXT and no half of a UTF-8 character. */
static size_t line_bytes(const char *text)
{
    size_t len = strcspn(text, "\n");
    if (len <= MOST_TEXT)
        return len;
    for (len = MOST_TEXT; ((unsigned char)text[len] & 0xc0) == 0x80; len--)
        continue;
    return len;
}

/* For people: the columns that say most, the text on one line and cut. --json has all. */
static void narrow(const struct table *all, struct table *few)
{
    static const char *const names[] = {"sequence", "time", "type",     "partner",
                                        "agent",    "rows", "subjects", "outcome",
                                        "sqlstate", "text", NULL};
    table_init(few, CLI_RESULT_BYTES, names);
    for (const struct table_row *row = all->first; row != NULL; row = row->next) {
        struct table_row *copy = table_add(few);
        for (size_t column = 0; names[column] != NULL; column++) {
            const char *cell = cli_cell(all, row, names[column]);
            size_t len = line_bytes(cell);
            table_set(few, copy, column, "%.*s%s", (int)len, cell, cell[len] == '\0' ? "" : "...");
        }
    }
}

static enum status print_narrow(const struct cli_result *result, struct error *error)
{
    struct table few;
    narrow(&result->table, &few);
    enum status status = STATUS_OK;
    if (table_overflowed(&few))
        status = error_set(error, STATUS_LIMIT, "54000", "Ask for less.", "the answer is too long");
    else
        cli_print_table(stdout, &few);
    table_free(&few);
    return status;
}

static enum status show_once(const struct cli_call *call, struct cli_admin *admin,
                             struct window *window, bool follow, struct error *error)
{
    struct cli_result result = {0};
    TRY(ask(admin, window, &result, error));
    enum status status = STATUS_OK;
    if (follow && call->json)
        status = print_lines(&result, error);
    else if (call->json)
        status = cli_print_result(call, &result, error);
    else if (!follow || result.table.row_count > 0)
        status = print_narrow(&result, error);
    for (const struct table_row *row = result.table.first; row != NULL; row = row->next)
        snprintf(window->last, sizeof window->last, "%s", cli_cell(&result.table, row, "sequence"));
    table_free(&result.table);
    return status;
}

static enum status follow(const struct cli_call *call, struct cli_admin *admin,
                          struct window *window, struct error *error)
{
    for (;;) {
        TRY(show_once(call, admin, window, true, error));
        if (fflush(stdout) != 0)
            return STATUS_OK; /* whoever read us has gone */
        poll(NULL, 0, POLL_MS);
    }
}

static enum status run(struct cli_call *call, struct error *error)
{
    struct window window = {.after = cli_value(call, "after")};
    uint64_t after = 0;
    TRY(cli_number(call, "number", 1, MOST_COUNT, DEFAULT_COUNT, &window.count, error));
    TRY(cli_number(call, "after", 0, INT64_MAX, 0, &after, error));
    struct cli_admin *admin = NULL;
    TRY(cli_admin_open(call, &admin, error));
    enum status status = cli_value(call, "follow") != NULL
                             ? follow(call, admin, &window, error)
                             : show_once(call, admin, &window, false, error);
    cli_admin_close(admin);
    return status;
}

const struct cli_command verb_ledger_tail = {
    .arguments = "",
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Shows entries of the ledger, oldest first: disclosures, refusals, acts of staff. --json\n"
        "has every column, and texts whole.",
    .examples = "ledger tail\n"
                "ledger tail -n 100 --json\n"
                "ledger tail --follow\n",
    .run = run,
};
