/* cofferdam ledger tail: the newest entries, and with --follow those to come. */
#include "cli/admin.h"
#include "cli/verbs.h"

#include <inttypes.h>
#include <poll.h>

enum { COMMAND_BYTES = 256, DEFAULT_COUNT = 20, MOST_COUNT = 1000000, POLL_MS = 500 };

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

static enum status show_once(const struct cli_call *call, struct cli_admin *admin,
                             struct window *window, bool follow, struct error *error)
{
    struct cli_result result = {0};
    TRY(ask(admin, window, &result, error));
    enum status status = STATUS_OK;
    if (follow && call->json)
        status = print_lines(&result, error);
    else if (!follow || result.table.row_count > 0)
        status = cli_print_result(call, &result, error);
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
        "Shows entries of the ledger, oldest first: disclosures, refusals, acts of staff.",
    .examples = "ledger tail\n"
                "ledger tail -n 100 --json\n"
                "ledger tail --follow\n",
    .run = run,
};
