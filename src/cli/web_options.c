/* See web_options.h. */
#include "cli/web_options.h"

enum status cli_web_options(struct cli_call *call, struct web_options *options, struct error *error)
{
    options->certificate = cli_value(call, "certificate");
    options->key = cli_value(call, "key");
    options->user = cli_value(call, "user");
    TRY(cli_require(call, "listen", &options->listen, error));
    if ((options->certificate == NULL) != (options->key == NULL))
        return cli_usage(call, error, "--certificate and --key go together");
    return STATUS_OK;
}
