/* incident scope --confirm: compares a list of what was taken with the scope, and says how it went.
 * The people are in the new phase's scope; here are counts and numbers of lines. */
#ifndef COFFERDAM_CLI_CONFIRM_H
#define COFFERDAM_CLI_CONFIRM_H

#include "cli/cli.h"
#include "incident/casework.h"

/* Prints to standard error; *phase is the new one. */
MUST_USE enum status cli_confirm(struct casework *casework, int64_t incident, const char *path,
                                 int64_t *phase, struct error *error);

#endif
