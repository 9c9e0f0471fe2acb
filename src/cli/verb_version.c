/* cofferdam version: this program's version, or the running gateway's. */
#include "cli/admin.h"
#include "cli/verbs.h"

#include <string.h>

#include "base/check.h"

static const struct cli_option options[] = {
    {"gateway", 'g', NULL, "ask the running gateway for its own"},
    {NULL, 0, NULL, NULL},
};

static enum status run(struct cli_call *call, struct error *error)
{
    if (cli_value(call, "gateway") != NULL)
        return cli_show(call, "SHOW VERSION", "", NULL, error);
    if (!call->json) {
        puts("cofferdam " COFFERDAM_VERSION);
        return STATUS_OK;
    }
    json_t *value = json_pack("{s:s}", "version", COFFERDAM_VERSION);
    CHECK(value != NULL);
    return cli_json_print(value, false, error);
}

const struct cli_command verb_version = {
    .arguments = "",
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .options = options,
    .description = "Prints the version of this program, or with --gateway that of the running one.",
    .examples = "version\n"
                "version --gateway\n",
    .run = run,
};
