/* cofferdam cert list: what a CA has issued. */
#include "cli/admin.h"
#include "cli/verbs.h"

#include "identity/authority.h"

static const struct cli_option options[] = {
    {"ca", 0, "DIR", "folder of ca.crt and issued.csv (needed)"},
    {NULL, 0, NULL, NULL},
};

static enum status run(struct cli_call *call, struct error *error)
{
    const char *ca = NULL;
    struct cli_result result = {0};
    TRY(cli_require(call, "ca", &ca, error));
    TRY(identity_issued_list(ca, &result.table, error));
    enum status status = cli_print_result(call, &result, error);
    table_free(&result.table);
    return status;
}

const struct cli_command verb_cert_list = {
    .arguments = "",
    .takes = CLI_TAKES_JSON,
    .options = options,
    .description =
        "Lists the certificates that a CA has issued, oldest first, out of its issued.csv.",
    .examples = "cert list --ca ca\n",
    .run = run,
};
