/* cofferdam request approve: gives what was asked for, for a time. */
#include "cli/admin.h"
#include "cli/verbs.h"

enum { COMMAND_BYTES = 8192 };

static const struct cli_option options[] = {
    {"for", 0, "TIME", "90m, 8h or 2d; at most what the policy says, which is the default"},
    {NULL, 0, NULL, NULL},
};

static enum status run(struct cli_call *call, struct error *error)
{
    struct buffer command;
    buffer_init(&command, COMMAND_BYTES);
    buffer_append_text(&command, "APPROVE REQUEST");
    cli_admin_clause(&command, "ID", call->arguments[0]);
    if (cli_value(call, "for") != NULL)
        cli_admin_clause(&command, "FOR", cli_value(call, "for"));
    enum status status = cli_tell(call, &command, error);
    buffer_free(&command);
    return status;
}

const struct cli_command verb_request_approve = {
    .arguments = "ID",
    .least = 1,
    .most = 1,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .options = options,
    .description = "Approves a request: the agent may use the grant from now on, for the time that "
                   "the policy\n"
                   "gives it, or a shorter one. Where the policy wants two approvals, two users "
                   "must. It falls\n"
                   "back by itself, and ends what runs on it then. All of it stands in the ledger.",
    .examples = "request approve 17\n"
                "request approve 17 --for 90m\n",
    .run = run,
};
