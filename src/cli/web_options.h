/* What portal and ledger serve are both told: --listen, --certificate, --key, --user. */
#ifndef COFFERDAM_CLI_WEB_OPTIONS_H
#define COFFERDAM_CLI_WEB_OPTIONS_H

#include "cli/cli.h"
#include "web/web.h"

MUST_USE enum status cli_web_options(struct cli_call *call, struct web_options *options,
                                     struct error *error);

#endif
