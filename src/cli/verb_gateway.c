/* cofferdam gateway: loads the configuration and becomes the gateway. */
#include "cli/verbs.h"

#include "gateway/gateway.h"
#include "policy/config.h"

static enum status run(struct cli_call *call, struct error *error)
{
    struct config *config = NULL;
    TRY(config_load(call->config_path, &config, error));
    return gateway_run(config, error); /* takes config */
}

const struct cli_command verb_gateway = {
    .arguments = "",
    .takes = CLI_TAKES_CONFIG,
    .description =
        "Runs the gateway in the foreground until SIGTERM or SIGINT; SIGHUP reloads the\n"
        "policy. Events go to standard error, one line each.",
    .examples = "gateway\n"
                "gateway -c /srv/cofferdam/cofferdam.yaml\n",
    .exits = "the gateway could not start or had to stop",
    .run = run,
};
