/* See deletion.h. */
#include "cli/deletion.h"

#include <inttypes.h>
#include <string.h>

#include "admin/admin_client.h"
#include "base/file.h"
#include "cli/telling.h"
#include "crypto/crypto.h"

enum {
    DOCUMENT_BYTES = 1024 * 1024 * 1024,
    SIGNATURE_BYTES = 64 * 1024,
    HASH_ROOM = 2 * CRYPTO_SHA256_BYTES + 1,
};

static enum status hash_document(const char *path, char hash[static HASH_ROOM], struct error *error)
{
    uint8_t digest[CRYPTO_SHA256_BYTES];
    struct buffer bytes;
    hash[0] = '\0';
    if (path == NULL)
        return STATUS_OK;
    buffer_init(&bytes, DOCUMENT_BYTES);
    enum status status = file_read(path, &bytes, error);
    if (status == STATUS_OK) {
        struct slice content = buffer_slice(&bytes);
        crypto_sha256(&content, 1, digest);
        crypto_hex(digest, sizeof digest, hash);
    }
    buffer_free(&bytes);
    return status;
}

static enum status print(const struct cli_call *call, const struct deletion *deletion,
                         const struct telling *telling, const char *before,
                         const struct telling_answer *answer, struct error *error)
{
    const char *partner = cli_value(call, "partner");
    const char *how = deletion->signature == NULL ? "by its own word" : "signed:";
    if (call->json)
        return telling_print_json(partner, "unknown", telling != NULL, answer, error);
    if (telling == NULL)
        printf("recorded: %s %s has deleted all that it had before %s (ledger entry "
               "%" PRIu64 ")\n",
               how, partner, before, answer->sequence);
    else
        printf("recorded: %s %s has deleted what it had before %s of %" PRIu64
               " %s%s (ledger entry %" PRIu64 ")\n",
               how, partner, before, answer->subjects, telling->kind,
               answer->subjects == 1 ? "" : "s", answer->sequence);
    if (telling != NULL && answer->rest > 0)
        printf("%" PRIu64 " keys are unknown: nothing of theirs was ever disclosed\n",
               answer->rest);
    return STATUS_OK;
}

/* The signature's bytes in base64; "" where there is none. */
static enum status read_signature(const char *path, struct buffer *encoded, struct error *error)
{
    struct buffer bytes;
    if (path == NULL)
        return STATUS_OK;
    buffer_init(&bytes, SIGNATURE_BYTES);
    enum status status = file_read(path, &bytes, error);
    char *room = status == STATUS_OK ? (char *)buffer_reserve(encoded, 2 * bytes.len + 8) : NULL;
    if (room != NULL) {
        crypto_base64_encode(bytes.data, bytes.len, room);
        encoded->len += strlen(room);
    }
    buffer_free(&bytes);
    return status;
}

static enum status send(struct cli_call *call, const struct deletion *deletion,
                        const struct telling *telling, const char *before, const char *hash,
                        struct telling_answer *answer, struct error *error)
{
    struct buffer signature;
    buffer_init(&signature, 3 * SIGNATURE_BYTES);
    enum status read = read_signature(deletion->signature, &signature, error);
    if (read != STATUS_OK) {
        buffer_free(&signature);
        return read;
    }
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
    admin_client_clause(&head, "SIGNATURE",
                        deletion->signature == NULL ? NULL : buffer_text(&signature));
    admin_client_clause(&head, "TOLD_BY", deletion->told_by);
    admin_client_clause(&head, "BY", cli_value(call, "by"));
    enum status status = telling_send(call, &head, telling, "unknown", answer, error);
    buffer_free(&head);
    buffer_free(&signature);
    return status;
}

static enum status record(struct cli_call *call, const struct deletion *deletion,
                          const struct telling *telling, struct error *error)
{
    char before[21], hash[HASH_ROOM];
    struct telling_answer answer;
    TRY(telling_instant(call, "before", before, error));
    TRY(hash_document(deletion->document, hash, error));
    TRY(send(call, deletion, telling, before, hash, &answer, error));
    return print(call, deletion, telling, before, &answer, error);
}

enum status deletion_record(struct cli_call *call, const struct deletion *deletion,
                            struct error *error)
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
        status = record(call, deletion, of_some ? &telling : NULL, error);
    telling_free(&telling);
    return status;
}
