/* cofferdam alarm test: do those who are to be told answer? The gateway delivers; this asks it
 * until each receiver has been tried. */
#include "cli/alarm.h"
#include "cli/verbs.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"

enum { WAIT_S = 30, LOOK_MS = 100 };

static const int64_t SECOND_NS = INT64_C(1000000000);

static enum status ask(struct cli_admin *admin, const char *words, const char *id,
                       struct cli_result *result, struct error *error)
{
    struct buffer command;
    buffer_init(&command, 4096);
    buffer_append_text(&command, words);
    cli_admin_clause(&command, "ID", id);
    enum status status = cli_admin_ask(admin, &command, result, error);
    buffer_free(&command);
    return status;
}

/* Every receiver that has been tried, or is not to be. */
static bool all_tried(const struct table *table)
{
    for (const struct table_row *row = table->first; row != NULL; row = row->next)
        if (strcmp(cli_cell(table, row, "state"), "waiting") == 0 &&
            strcmp(cli_cell(table, row, "attempts"), "0") == 0)
            return false;
    return true;
}

static enum status wait_for_answers(struct cli_admin *admin, const char *id,
                                    struct cli_result *result, struct error *error)
{
    const int64_t deadline_ns = clock_monotonic_ns() + WAIT_S * SECOND_NS;
    for (;;) {
        TRY(ask(admin, "SHOW ALARM", id, result, error));
        if (all_tried(&result->table) || clock_monotonic_ns() > deadline_ns)
            return STATUS_OK;
        table_free(&result->table);
        *result = (struct cli_result){0};
        nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * 1000000L}, NULL);
    }
}

static enum status judge(const struct table *table, struct error *error)
{
    size_t taken = 0;
    for (const struct table_row *row = table->first; row != NULL; row = row->next)
        taken += strcmp(cli_cell(table, row, "state"), "taken") == 0;
    if (table->first != NULL && cli_cell(table, table->first, "receiver")[0] == '\0')
        return error_set(error, STATUS_INVALID, "F0000",
                         "alarms: in cofferdam.yaml takes a webhook and a mail address",
                         "nobody is configured to be told: alarms go to the log and the ledger");
    return taken == table->row_count
               ? STATUS_OK
               : error_set(error, STATUS_IO, "58000", "the answers above say why",
                           "%zu of %zu receivers took the test alarm", taken, table->row_count);
}

static enum status test(const struct cli_call *call, struct cli_admin *admin, struct error *error)
{
    char id[24];
    struct cli_result raised = {0}, result = {0};
    enum status status = ask(admin, "TEST ALARMS", NULL, &raised, error);
    if (status == STATUS_OK)
        snprintf(id, sizeof id, "%s",
                 raised.table.first == NULL ? ""
                                            : cli_cell(&raised.table, raised.table.first, "alarm"));
    table_free(&raised.table);
    if (status == STATUS_OK)
        status = wait_for_answers(admin, id, &result, error);
    if (status == STATUS_OK)
        status = cli_print_alarm(call, &result, error);
    if (status == STATUS_OK)
        status = judge(&result.table, error);
    table_free(&result.table);
    return status;
}

static enum status run(struct cli_call *call, struct error *error)
{
    struct cli_admin *admin = NULL;
    TRY(cli_admin_open(call, &admin, error));
    enum status status = test(call, admin, error);
    cli_admin_close(admin);
    return status;
}

const struct cli_command verb_alarm_test = {
    .arguments = "",
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .description = "Raises an alarm of the rule \"test\" and shows what the webhook and the mail "
                   "server answer.\n"
                   "What waits for them is tried at once, in order before it; one that had said "
                   "that it wants\n"
                   "no more (HTTP 410) is asked again.",
    .examples = "alarm test\n",
    .exits = "a receiver has not taken it, or there is none",
    .run = run,
};
