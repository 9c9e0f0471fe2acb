/* ledger prove --never: a certificate that something was never disclosed. */
#ifndef COFFERDAM_CLI_PROVE_NEVER_H
#define COFFERDAM_CLI_PROVE_NEVER_H

#include "cli/cli.h"

/* Reads the options kind, subject, partner, column and output of the call. */
MUST_USE enum status cli_prove_never(struct cli_call *call, struct error *error);

#endif
