/* cofferdam exposure deletion: a partner's word that it has deleted what it had. */
#include "cli/telling.h"
#include "cli/verbs.h"

#include <inttypes.h>

#include "admin/admin_client.h"
#include "base/file.h"
#include "crypto/crypto.h"

enum { EVIDENCE_BYTES = 1024 * 1024 * 1024, HASH_ROOM = 2 * CRYPTO_SHA256_BYTES + 1 };

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

static enum status hash_evidence(const struct cli_call *call, char hash[static HASH_ROOM],
                                 struct error *error)
{
    const char *path = cli_value(call, "evidence");
    uint8_t digest[CRYPTO_SHA256_BYTES];
    struct buffer bytes;
    hash[0] = '\0';
    if (path == NULL)
        return STATUS_OK;
    buffer_init(&bytes, EVIDENCE_BYTES);
    enum status status = file_read(path, &bytes, error);
    if (status == STATUS_OK) {
        struct slice content = buffer_slice(&bytes);
        crypto_sha256(&content, 1, digest);
        crypto_hex(digest, sizeof digest, hash);
    }
    buffer_free(&bytes);
    return status;
}

static enum status print(const struct cli_call *call, const struct telling *telling,
                         const char *before, const struct telling_answer *answer,
                         struct error *error)
{
    const char *partner = cli_value(call, "partner");
    if (call->json)
        return telling_print_json(partner, "unknown", telling != NULL, answer, error);
    if (telling == NULL)
        printf("recorded: by its own word %s has deleted all that it had before %s (ledger entry "
               "%" PRIu64 ")\n",
               partner, before, answer->sequence);
    else
        printf("recorded: by its own word %s has deleted what it had before %s of %" PRIu64
               " %s%s (ledger entry %" PRIu64 ")\n",
               partner, before, answer->subjects, telling->kind, answer->subjects == 1 ? "" : "s",
               answer->sequence);
    if (telling != NULL && answer->rest > 0)
        printf("%" PRIu64 " keys are unknown: nothing of theirs was ever disclosed\n",
               answer->rest);
    return STATUS_OK;
}

static enum status send(struct cli_call *call, const struct telling *telling, const char *before,
                        const char *hash, struct telling_answer *answer, struct error *error)
{
    struct buffer head;
    buffer_init(&head, ADMIN_CLIENT_COMMAND_BYTES);
    buffer_append_text(&head, "RECORD DELETION");
    admin_client_clause(&head, "PARTNER", cli_value(call, "partner"));
    admin_client_clause(&head, "BEFORE", before);
    admin_client_clause(&head, "REQUEST", cli_value(call, "request"));
    admin_client_clause(&head, "METHOD", cli_value(call, "method"));
    admin_client_clause(&head, "SYSTEMS", cli_value(call, "systems"));
    admin_client_clause(&head, "BACKUPS", cli_value(call, "backups"));
    admin_client_clause(&head, "SUB_PROCESSORS", cli_value(call, "sub-processors"));
    admin_client_clause(&head, "EVIDENCE", hash[0] == '\0' ? NULL : hash);
    admin_client_clause(&head, "BY", cli_value(call, "by"));
    enum status status = telling_send(call, &head, telling, "unknown", answer, error);
    buffer_free(&head);
    return status;
}

static enum status record(struct cli_call *call, const struct telling *telling, struct error *error)
{
    char before[21], hash[HASH_ROOM];
    struct telling_answer answer;
    TRY(telling_instant(call, "before", before, error));
    TRY(hash_evidence(call, hash, error));
    TRY(send(call, telling, before, hash, &answer, error));
    return print(call, telling, before, &answer, error);
}

static enum status run(struct cli_call *call, struct error *error)
{
    static const char *const needed[] = {"partner", "before", "request", "method"};
    const char *value;
    struct telling telling = {0};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        TRY(cli_require(call, needed[i], &value, error));
    bool of_some = cli_value(call, "keys") != NULL;
    if (!of_some && cli_value(call, "kind") != NULL)
        return cli_usage(call, error, "--kind goes with --keys");
    if (of_some)
        status = telling_read(call, &telling, error);
    if (status == STATUS_OK)
        status = record(call, of_some ? &telling : NULL, error);
    telling_free(&telling);
    return status;
}

const struct cli_command verb_exposure_deletion = {
    .arguments = "",
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Records a partner's word that it has deleted what it had received before an instant:\n"
        "of everybody, or of the people in a file. It is a claim, and counted as one: exposure\n"
        "stays what it was, and the scope of an incident shows gross and net of it.",
    .examples =
        "exposure deletion --partner ringway --before 2026-06-01 --request DEL-12 \\\n"
        "    --method \"disks wiped\" --backups \"overwritten in 30 days\" --evidence letter.pdf\n",
    .run = run,
};
