/* cofferdam attest: a deletion that a partner has signed, or that somebody vouches for. */
#include "cli/deletion.h"
#include "cli/verbs.h"

static const struct cli_option options[] = {
    {"partner", 'p', "PARTNER", "who attests it (needed)"},
    {"before", 0, "TIME", "all that it had before this instant (needed)"},
    {"request", 0, "ID", "our reference of the request (needed)"},
    {"method", 0, "TEXT", "how it was deleted (needed)"},
    {"document", 'd', "FILE", "the partner's document; its SHA-256 is kept"},
    {"signature", 's', "FILE", "the signature of one of its agents over it: CMS, DER or PEM"},
    {"told-by", 0, "WHO", "who said so, where nobody signed"},
    {"systems", 0, "TEXT", "which systems the claim covers"},
    {"backups", 0, "TEXT", "what is said of backups"},
    {"sub-processors", 0, "TEXT", "what is said of sub-processors"},
    {"keys", 'k', "FILE", "of these people only: a key a line, or a CSV with the key's column"},
    {"kind", 0, "KIND", "the kind of these people, where the policy has several"},
    {"by", 0, "WHO", "who records it, beside the user's number"},
    {NULL, 0, NULL, NULL},
};

static enum status run(struct cli_call *call, struct error *error)
{
    const struct deletion deletion = {.document = cli_value(call, "document"),
                                      .signature = cli_value(call, "signature"),
                                      .told_by = cli_value(call, "told-by")};
    if ((deletion.signature == NULL) == (deletion.told_by == NULL))
        return cli_usage(call, error, "--signature or --told-by is needed: who attests it?");
    if (deletion.signature != NULL && deletion.document == NULL)
        return cli_usage(call, error, "--signature goes with --document, which was signed");
    return deletion_record(call, &deletion, error);
}

const struct cli_command verb_attest = {
    .arguments = "",
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Records that a partner has deleted what it had received before an instant: of everybody,\n"
        "or of the people in a file. The gateway checks the signature: that it is of this very\n"
        "document, by an agent of this partner, with a certificate of listen.client_ca. Keep both\n"
        "files: the ledger has their hashes. It remains a claim: exposure is shown gross and net.",
    .examples = "attest --partner ringway --before 2026-06-01 --request DEL-12 --method \"disks "
                "wiped\" \\\n"
                "    --document letter.pdf --signature letter.pdf.p7s\n"
                "attest --partner ringway --before 2026-06-01 --request DEL-12 --method \"disks "
                "wiped\" \\\n"
                "    --told-by \"J. Doe, by telephone\"\n",
    .run = run,
};
