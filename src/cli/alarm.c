/* See alarm.h. A row of the answer is a receiver, and has the alarm beside it. */
#include "cli/alarm.h"

#include <string.h>

enum { FACTS = 12, RECEIVER_BYTES = 1024 * 1024 };

static void print_receivers(const struct table *from)
{
    static const char *const columns[] = {"receiver", "state", "attempts", "next", "answer", NULL};
    struct table table;
    table_init(&table, RECEIVER_BYTES, columns);
    for (const struct table_row *row = from->first; row != NULL; row = row->next) {
        struct table_row *line = table_add(&table);
        for (size_t column = 0; columns[column] != NULL; column++)
            table_set(&table, line, column, "%s", cli_cell(from, row, columns[column]));
    }
    putchar('\n');
    cli_print_table(stdout, &table);
    table_free(&table);
}

enum status cli_print_alarm(const struct cli_call *call, const struct cli_result *result,
                            struct error *error)
{
    const struct table *table = &result->table;
    const struct table_row *row = table->first;
    if (call->json || row == NULL)
        return cli_print_result(call, result, error);
    for (size_t column = 0; column < FACTS && column < table->column_count; column++)
        if (row->cells[column] != NULL)
            cli_print_pair(stdout, table->columns[column], row->cells[column]);
    if (cli_cell(table, row, "receiver")[0] != '\0')
        print_receivers(table);
    if (cli_cell(table, row, "commands")[0] == '\0')
        return STATUS_OK;
    putchar('\n');
    cli_print_heading(stdout, "What may come next");
    cli_print_text(stdout, cli_cell(table, row, "commands"), 4);
    return STATUS_OK;
}
