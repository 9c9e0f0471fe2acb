/* cofferdam exposure deletion: a partner's word that it has deleted what it had. */
#include "cli/deletion.h"
#include "cli/verbs.h"

static const struct cli_option options[] = {
    {"partner", 'p', "PARTNER", "who attests it (needed)"},
    {"before", 0, "TIME", "all that it had before this instant (needed)"},
    {"request", 0, "ID", "our reference of the request (needed)"},
    {"method", 0, "TEXT", "how it was deleted (needed)"},
    {"systems", 0, "TEXT", "which systems the claim covers"},
    {"backups", 0, "TEXT", "what is said of backups"},
    {"sub-processors", 0, "TEXT", "what is said of sub-processors"},
    {"evidence", 0, "FILE", "the partner's document; its SHA-256 is kept"},
    {"keys", 'k', "FILE", "of these people only: a key a line, or a CSV with the key's column"},
    {"kind", 0, "KIND", "the kind of these people, where the policy has several"},
    {"by", 0, "WHO", "who records it, beside the user's number"},
    {NULL, 0, NULL, NULL},
};

static enum status run(struct cli_call *call, struct error *error)
{
    const struct deletion deletion = {.document = cli_value(call, "evidence")};
    return deletion_record(call, &deletion, error);
}

const struct cli_command verb_exposure_deletion = {
    .arguments = "",
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Records a partner's word that it has deleted what it had received before an instant:\n"
        "of everybody, or of the people in a file. It is a claim, and counted as one: exposure\n"
        "stays what it was, and the scope of an incident shows gross and net of it.\n"
        "`cofferdam attest` does the same, and takes the partner's signature.",
    .examples =
        "exposure deletion --partner ringway --before 2026-06-01 --request DEL-12 \\\n"
        "    --method \"disks wiped\" --backups \"overwritten in 30 days\" --evidence letter.pdf\n",
    .run = run,
};
