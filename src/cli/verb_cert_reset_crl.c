/* cofferdam cert reset-crl: an authority's list may begin to count again. */
#include "cli/admin.h"
#include "cli/verbs.h"

static const struct cli_option options[] = {
    {"reason", 'r', "TEXT", "why; it is kept in the ledger (needed)"},
    {NULL, 0, NULL, NULL},
};

static enum status run(struct cli_call *call, struct error *error)
{
    return cli_act(call, "RESET CRL", error);
}

const struct cli_command verb_cert_reset_crl = {
    .arguments = "AUTHORITY",
    .least = 1,
    .most = 1,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Forgets which revocation list (CRL) of this authority was seen last, so that the one in\n"
        "the folder counts, though it is older: for an authority that was restored from a backup,\n"
        "or one that has no list any more. Ask it first: whatever the newer list named is good\n"
        "again. AUTHORITY is the hash of its key, as `cert crls` prints it. The list that counts\n"
        "from now on is shown; none, if there is none.",
    .examples =
        "cert reset-crl 5f3a…90c1 --reason \"their CA was restored, said Ann on the phone\"\n",
    .run = run,
};
