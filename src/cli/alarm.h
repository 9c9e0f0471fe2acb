/* One alarm, as alarm show and alarm test print it. */
#ifndef COFFERDAM_CLI_ALARM_H
#define COFFERDAM_CLI_ALARM_H

#include "cli/admin.h"

/* The answer to SHOW ALARM: what is known of it, each receiver, and the commands that may come
 * next; with --json the rows as they are. */
MUST_USE enum status cli_print_alarm(const struct cli_call *call, const struct cli_result *result,
                                     struct error *error);

#endif
