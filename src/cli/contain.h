/* What contain and restore share. */
#ifndef COFFERDAM_CLI_CONTAIN_H
#define COFFERDAM_CLI_CONTAIN_H

#include "cli/cli.h"

/* act: "CONTAIN" or "RESTORE" of the partner or agent in the call's argument, for --reason. */
MUST_USE enum status cli_contain(struct cli_call *call, const char *act, struct error *error);

#endif
