/* The list of people whom a partner was given: `cofferdam exposure show --list`. */
#ifndef COFFERDAM_CLI_EXPOSURE_LIST_H
#define COFFERDAM_CLI_EXPOSURE_LIST_H

#include "cli/cli.h"

/* Prints a line a person once the gateway has recorded that all of them are read. */
MUST_USE enum status exposure_list(const struct cli_call *call, const char *partner,
                                   struct error *error);

#endif
