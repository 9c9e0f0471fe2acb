/* cofferdam request show: one request. */
#include "cli/admin.h"
#include "cli/verbs.h"

static enum status run(struct cli_call *call, struct error *error)
{
    return cli_show(call, "SHOW REQUESTS", "ID", call->arguments[0], error);
}

const struct cli_command verb_request_show = {
    .arguments = "ID",
    .least = 1,
    .most = 1,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .description = "Shows one request of a partner for a grant that waits for approval.",
    .examples = "request show 17\n",
    .run = run,
};
