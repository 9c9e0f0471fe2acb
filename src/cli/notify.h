/* What incident notify shows: how far the messages are, and while they are being sent. */
#ifndef COFFERDAM_CLI_NOTIFY_H
#define COFFERDAM_CLI_NOTIFY_H

#include "cli/cli.h"
#include "incident/sending.h"

/* state, people, meaning: a row for each state that has people, then when the first and the last
 * were handed over. Fills an unopened table. */
MUST_USE enum status cli_notify_states(const struct outbox_counts *counts, struct table *table,
                                       struct error *error);

/* The summary of notice_summary: a table, and below it the notes. */
void cli_notify_print_summary(FILE *out, const struct table *summary);

/* ---- while it runs: sending_order.show ---- */
struct cli_notify_bar {
    bool is_terminal;
    int64_t next_line_ns; /* where it is none */
};
void cli_notify_bar_start(struct cli_notify_bar *bar);
void cli_notify_bar_show(void *bar, const struct sending_progress *progress);
void cli_notify_bar_end(struct cli_notify_bar *bar);

#endif
