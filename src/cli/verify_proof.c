/* See verify_proof.h. */
#include "cli/verify_proof.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/file.h"
#include "cli/json.h"
#include "cli/verify_never.h"
#include "crypto/crypto.h"
#include "ledger/checkpoint.h"
#include "ledger/ledger.h"
#include "ledger/proof_file.h"

/* Where type and time stand in an entry (LEDGER-FORMAT.md, "Entry"). */
enum { TYPE_AT = 1, UUID_AT = 4, TIME_AT = 20, ENTRY_HEAD_BYTES = 28, TIME_ROOM = 21 };

struct checked {
    struct note_key keys[CLI_KEYS_MAX];
    size_t key_count;
    struct proof_file file;
    char origin[CHECKPOINT_ORIGIN_ROOM];
    struct checkpoint now, old;
    struct buffer entry;
};

bool cli_is_proof(const char *path)
{
    char head[32] = "";
    struct stat found;
    if (stat(path, &found) != 0 || !S_ISREG(found.st_mode))
        return false;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    size_t len = fread(head, 1, sizeof head - 1, file);
    fclose(file);
    return len > 0 &&
           (strncmp(head, "c2sp.org/tlog-proof@", 20) == 0 || strncmp(head, "old ", 4) == 0);
}

/* The log itself must have signed, and no key that we know may contradict. */
static enum status check_signatures(const struct checked *checked, const struct note *note,
                                    const char *origin, struct error *error)
{
    bool is_signed = false;
    for (size_t i = 0; i < checked->key_count; i++) {
        const struct note_key *key = &checked->keys[i];
        enum note_verdict verdict = note_check(note, key);
        if (verdict == NOTE_BAD)
            return error_set(error, STATUS_CORRUPT, "XX001", NULL,
                             "the checkpoint's signature by %s is not good", key->name);
        is_signed |= verdict == NOTE_GOOD && key->type == NOTE_TYPE_ED25519 &&
                     strcmp(key->name, origin) == 0;
    }
    if (is_signed)
        return STATUS_OK;
    return error_set(error, STATUS_CORRUPT, "XX001", "is it the key of this log?",
                     "the checkpoint of %s is not signed by the key given", origin);
}

static enum status read_proof(struct checked *checked, struct slice bytes, struct error *error)
{
    struct note note;
    TRY(proof_file_parse(bytes, &checked->file, error));
    TRY(note_parse(checked->file.checkpoint, &note, error));
    TRY(checkpoint_parse(note.text, checked->origin, &checked->now, error));
    return check_signatures(checked, &note, checked->origin, error);
}

static enum status no_proof(struct error *error)
{
    return error_set(error, STATUS_CORRUPT, "XX001", NULL,
                     "the proof does not hold: its hashes do not lead to the checkpoint's root");
}

static enum status check_entry(struct checked *checked, struct error *error)
{
    TRY(proof_file_entry(&checked->file, &checked->entry, error));
    return proof_file_proves_entry(&checked->file, buffer_slice(&checked->entry), checked->now.size,
                                   checked->now.root)
               ? STATUS_OK
               : no_proof(error);
}

static enum status check_beginning(struct checked *checked, const char *since, struct error *error)
{
    char origin[CHECKPOINT_ORIGIN_ROOM];
    struct note note;
    struct buffer bytes;
    buffer_init(&bytes, NOTE_BYTES_MAX);
    enum status status = checkpoint_read_note(since, &bytes, &note, origin, &checked->old, error);
    if (status == STATUS_OK && strcmp(origin, checked->origin) != 0)
        status = error_set(error, STATUS_INVALID, "22023", NULL, "%.300s is of %s, the proof of %s",
                           since, origin, checked->origin);
    if (status == STATUS_OK)
        status = check_signatures(checked, &note, origin, error);
    buffer_free(&bytes);
    TRY(status);
    if (checked->file.index != checked->old.size)
        return error_set(error, STATUS_INVALID, "22023", NULL,
                         "the proof is about the first %" PRIu64 " entries, %.300s about %" PRIu64,
                         checked->file.index, since, checked->old.size);
    return proof_file_proves_beginning(&checked->file, checked->old.size, checked->old.root,
                                       checked->now.size, checked->now.root)
               ? STATUS_OK
               : no_proof(error);
}

static enum status tell_beginning(const struct cli_call *call, const struct checked *checked,
                                  struct error *error)
{
    if (!call->json) {
        printf("holds: the first %" PRIu64 " of %" PRIu64 " entries of %s are those of the older "
               "checkpoint\n",
               checked->old.size, checked->now.size, checked->origin);
        return STATUS_OK;
    }
    json_t *told = json_pack("{s:s, s:s, s:s, s:I, s:I}", "verdict", "holds", "proof", "beginning",
                             "log", checked->origin, "old", (json_int_t)checked->old.size,
                             "checkpoint", (json_int_t)checked->now.size);
    CHECK(told != NULL);
    return cli_json_print(told, false, error);
}

static enum status tell_entry(const struct cli_call *call, const struct checked *checked,
                              struct error *error)
{
    char time[TIME_ROOM] = "", uuid[33] = "";
    const char *type = "entry";
    const uint8_t *entry = checked->entry.data;
    if (checked->entry.len >= ENTRY_HEAD_BYTES) {
        type = ledger_type_name(entry[TYPE_AT]);
        clock_format_utc((int64_t)load_u64be(entry + TIME_AT), time);
        crypto_hex(entry + UUID_AT, 16, uuid);
    }
    if (!call->json) {
        printf("holds: entry %" PRIu64 " (%s, %s, statement %s) is among the %" PRIu64 " of %s\n",
               checked->file.index, type, time, uuid, checked->now.size, checked->origin);
        return STATUS_OK;
    }
    json_t *told =
        json_pack("{s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:I}", "verdict", "holds", "proof", "entry",
                  "log", checked->origin, "sequence", (json_int_t)checked->file.index, "type", type,
                  "time", time, "statement", uuid, "checkpoint", (json_int_t)checked->now.size);
    CHECK(told != NULL);
    return cli_json_print(told, false, error);
}

static enum status check(struct cli_call *call, struct checked *checked, struct slice bytes,
                         struct error *error)
{
    const char *since = cli_value(call, "since");
    TRY(read_proof(checked, bytes, error));
    if (checked->file.kind == PROOF_FILE_ENTRY) {
        TRY(check_entry(checked, error));
        return tell_entry(call, checked, error);
    }
    if (since == NULL)
        return cli_usage(call, error,
                         "this proof is about an older checkpoint: give it as --since");
    TRY(check_beginning(checked, since, error));
    return tell_beginning(call, checked, error);
}

enum status cli_verify_proof(struct cli_call *call, const char *path, struct error *error)
{
    struct checked checked = {.key_count = 0};
    struct buffer bytes;
    const char *key = cli_value(call, "key");
    if (key == NULL)
        return cli_usage(call, error, "a proof is checked with the log's verifier key: --key");
    TRY(cli_trusted_keys(call, key, checked.keys, &checked.key_count, error));
    buffer_init(&bytes, PROOF_FILE_BYTES_MAX);
    buffer_init(&checked.entry, PROOF_FILE_BYTES_MAX);
    enum status status = file_read(path, &bytes, error);
    if (status == STATUS_OK)
        status = check(call, &checked, buffer_slice(&bytes), error);
    buffer_free(&bytes);
    buffer_free(&checked.entry);
    return status;
}
