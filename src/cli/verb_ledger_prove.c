/* cofferdam ledger prove: proofs about the published log, as files that stand alone. */
#include "cli/json.h"
#include "cli/log_folder.h"
#include "cli/prove_never.h"
#include "cli/verbs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "crypto/crypto.h"
#include "ledger/checkpoint.h"
#include "ledger/ledger.h"
#include "ledger/proof_file.h"
#include "ledger/tiles.h"

enum { FILE_MODE = 0640, FOLDER_MODE = 0750, UUID_TEXT_BYTES = 36 };

static const struct cli_option options[] = {
    {"statement", 0, "UUID", "every entry of this statement, instead of one by its number"},
    {"checkpoint", 0, "FILE", "prove against this checkpoint instead of the newest"},
    {"from", 0, "CHECKPOINT", "prove that the log of this checkpoint is the beginning of it"},
    {"to", 0, "CHECKPOINT", "with --from: of this one instead of the newest"},
    {"never", 0, NULL,
     "certify that something was never disclosed: --subject, --partner, --column"},
    {"subject", 0, "KEY", "with --never: of this person"},
    {"kind", 0, "KIND", "with --subject: the kind of person, where the policy has several"},
    {"partner", 'p', "PARTNER", "with --never: to this partner; otherwise to any"},
    {"column", 0, "NAME", "with --never: this column, dataset.column; otherwise anything"},
    {"ledger", 0, "FOLDER", "the ledger's folder, instead of the configuration's"},
    {"output", 'o', "FILE", "write there; with --statement a folder, made if need be"},
    {NULL, 0, NULL, NULL},
};

/* A signed checkpoint and the bytes that it was read from. */
struct signed_checkpoint {
    struct buffer bytes; /* empty: the tiles' own */
    struct slice note;
    struct checkpoint checkpoint;
};

struct prover {
    struct cli_call *call;
    struct tiles *tiles;
    struct signed_checkpoint now;
};

/* ---- checkpoints ---- */

/* That the published log had this root at this size: otherwise somebody was told another story. */
static enum status hold_against_tiles(const struct prover *prover, const char *path,
                                      const struct checkpoint *checkpoint, struct error *error)
{
    uint8_t root[32];
    uint64_t size = tiles_checkpoint(prover->tiles)->size;
    if (checkpoint->size > size)
        return error_set(error, STATUS_INVALID, "22023",
                         "wait until it is published; if it was, the log has been rolled back",
                         "%.300s speaks of %" PRIu64 " entries, and %" PRIu64 " are published",
                         path, checkpoint->size, size);
    TRY(proof_root(checkpoint->size, tiles_source, prover->tiles, root, error));
    if (memcmp(root, checkpoint->root, sizeof root) != 0)
        return error_set(error, STATUS_CORRUPT, "XX001",
                         "keep both: together they prove that the log was changed",
                         "%.300s: the published log of %" PRIu64 " entries has another root", path,
                         checkpoint->size);
    return STATUS_OK;
}

/* path NULL: the newest that is published. */
static enum status choose_checkpoint(const struct prover *prover, const char *path,
                                     struct signed_checkpoint *chosen, struct error *error)
{
    char origin[CHECKPOINT_ORIGIN_ROOM];
    struct note note;
    if (path == NULL) {
        chosen->note = tiles_note(prover->tiles);
        chosen->checkpoint = *tiles_checkpoint(prover->tiles);
        return hold_against_tiles(prover, "tiles/checkpoint", &chosen->checkpoint, error);
    }
    TRY(checkpoint_read_note(path, &chosen->bytes, &note, origin, &chosen->checkpoint, error));
    chosen->note = buffer_slice(&chosen->bytes);
    if (strcmp(origin, tiles_origin(prover->tiles)) != 0)
        return error_set(error, STATUS_INVALID, "22023", NULL, "%.300s is of the log %s, not of %s",
                         path, origin, tiles_origin(prover->tiles));
    return hold_against_tiles(prover, path, &chosen->checkpoint, error);
}

/* ---- writing ---- */

static enum status write_out(const char *path, const struct buffer *text, struct error *error)
{
    if (text->overflowed)
        return error_set(error, STATUS_LIMIT, "54000", NULL, "the proof is too long");
    if (path != NULL)
        return file_replace(path, buffer_slice(text), FILE_MODE, error);
    if (fwrite(text->data, 1, text->len, stdout) != text->len || fflush(stdout) != 0)
        return error_set_errno(error, errno, "standard output");
    return STATUS_OK;
}

static enum status format_and_write(const struct proof_file *file, struct slice entry,
                                    const char *path, struct error *error)
{
    struct buffer text;
    buffer_init(&text, PROOF_FILE_BYTES_MAX);
    proof_file_format(file, entry, &text);
    enum status status = write_out(path, &text, error);
    buffer_free(&text);
    return status;
}

/* ---- proofs ---- */

static enum status prove_entry(const struct prover *prover, uint64_t sequence, const char *path,
                               struct error *error)
{
    const struct checkpoint *now = &prover->now.checkpoint;
    struct proof_file file = {
        .kind = PROOF_FILE_ENTRY, .index = sequence, .checkpoint = prover->now.note};
    struct slice entry;
    TRY(proof_inclusion(sequence, now->size, tiles_source, prover->tiles, &file.proof, error));
    TRY(tiles_entry(prover->tiles, sequence, &entry, error));
    if (!proof_file_proves_entry(&file, entry, now->size, now->root))
        return error_set(error, STATUS_CORRUPT, "XX001", "cofferdam ledger verify tells where",
                         "the tiles are damaged: entry %" PRIu64 " cannot be proved", sequence);
    return format_and_write(&file, entry, path, error);
}

static enum status prove_beginning(const struct prover *prover,
                                   const struct signed_checkpoint *from, const char *path,
                                   struct error *error)
{
    const struct checkpoint *old = &from->checkpoint, *now = &prover->now.checkpoint;
    struct proof_file file = {
        .kind = PROOF_FILE_BEGINNING, .index = old->size, .checkpoint = prover->now.note};
    TRY(proof_consistency(old->size, now->size, tiles_source, prover->tiles, &file.proof, error));
    if (!proof_file_proves_beginning(&file, old->size, old->root, now->size, now->root))
        return error_set(error, STATUS_CORRUPT, "XX001", "cofferdam ledger verify tells where",
                         "the tiles are damaged: no proof from %" PRIu64 " to %" PRIu64, old->size,
                         now->size);
    return format_and_write(&file, slice_of(NULL, 0), path, error);
}

/* ---- statements ---- */

static bool parse_uuid(const char *text, uint8_t uuid[static 16])
{
    size_t count = 0;
    for (const char *at = text; *at != '\0'; at++) {
        static const char digits[] = "0123456789abcdef";
        size_t place = (size_t)(at - text);
        if (place == 8 || place == 13 || place == 18 || place == 23) {
            if (*at != '-')
                return false;
            continue;
        }
        const char *digit = strchr(digits, *at | (*at >= 'A' && *at <= 'F' ? 0x20 : 0));
        if (digit == NULL || count == 32)
            return false;
        uint8_t value = (uint8_t)(digit - digits);
        uuid[count / 2] = count % 2 == 0 ? (uint8_t)(value << 4) : uuid[count / 2] | value;
        count++;
    }
    return count == 32 && strlen(text) == UUID_TEXT_BYTES;
}

/* Where version, type, flags and uuid stand in an entry (LEDGER-FORMAT.md, "Entry"). */
enum { FLAGS_AT = 2, UUID_AT = 4, HEAD_BYTES = 20 };

/* From the newest back to the entry that opens the statement: recent ones are asked for most. */
static enum status prove_statement(const struct prover *prover, const uint8_t uuid[static 16],
                                   const char *folder, uint64_t *count, struct error *error)
{
    char path[CLI_PATH_ROOM + 32];
    bool opened = false;
    *count = 0;
    for (uint64_t at = prover->now.checkpoint.size; at-- > 0 && !opened;) {
        struct slice entry;
        TRY(tiles_entry(prover->tiles, at, &entry, error));
        if (entry.len < HEAD_BYTES || memcmp(entry.data + UUID_AT, uuid, 16) != 0)
            continue;
        opened = (load_u16be(entry.data + FLAGS_AT) & LEDGER_FLAG_OPENING) != 0;
        if (*count == 0)
            TRY(file_make_folder(folder, FOLDER_MODE, error));
        snprintf(path, sizeof path, "%s/%" PRIu64 ".tlog-proof", folder, at);
        TRY(prove_entry(prover, at, path, error));
        printf("%s\n", path);
        (*count)++;
    }
    if (*count == 0)
        return error_set(error, STATUS_NOT_FOUND, "02000",
                         "is it newer than the checkpoint? cofferdam ledger tail --json has uuids",
                         "no entry of that statement is published");
    return STATUS_OK;
}

/* ---- the verb ---- */

static enum status by_statement(const struct prover *prover, struct error *error)
{
    uint8_t uuid[16] = {0};
    uint64_t count;
    const char *folder = cli_value(prover->call, "output");
    if (folder == NULL)
        return cli_usage(prover->call, error, "--statement needs --output FOLDER");
    if (strlen(folder) >= CLI_PATH_ROOM)
        return cli_usage(prover->call, error, "--output: the folder's name is too long");
    if (!parse_uuid(cli_value(prover->call, "statement"), uuid))
        return cli_usage(prover->call, error, "--statement: not a uuid");
    return prove_statement(prover, uuid, folder, &count, error);
}

static enum status by_number(const struct prover *prover, struct error *error)
{
    char *end;
    const char *text = prover->call->arguments[0];
    errno = 0;
    unsigned long long sequence = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0)
        return cli_usage(prover->call, error, "SEQUENCE: not a number: %s", text);
    return prove_entry(prover, sequence, cli_value(prover->call, "output"), error);
}

static enum status by_checkpoint(const struct prover *prover, struct error *error)
{
    struct signed_checkpoint from = {0};
    buffer_init(&from.bytes, NOTE_BYTES_MAX);
    enum status status = choose_checkpoint(prover, cli_value(prover->call, "from"), &from, error);
    if (status == STATUS_OK)
        status = prove_beginning(prover, &from, cli_value(prover->call, "output"), error);
    buffer_free(&from.bytes);
    return status;
}

static enum status prove(struct prover *prover, struct error *error)
{
    struct cli_call *call = prover->call;
    const char *from = cli_value(call, "from");
    TRY(choose_checkpoint(prover, cli_value(call, from != NULL ? "to" : "checkpoint"), &prover->now,
                          error));
    if (prover->now.note.len == 0)
        return error_set(error, STATUS_INVALID, "22023",
                         "start the gateway: it signs and publishes",
                         "the published checkpoint has no signature");
    if (from != NULL)
        return by_checkpoint(prover, error);
    return cli_value(call, "statement") != NULL ? by_statement(prover, error)
                                                : by_number(prover, error);
}

static enum status run(struct cli_call *call, struct error *error)
{
    char folder[CLI_PATH_ROOM];
    struct prover prover = {.call = call};
    int ways = (call->argument_count == 1) + (cli_value(call, "statement") != NULL) +
               (cli_value(call, "from") != NULL) + (cli_value(call, "never") != NULL);
    if (ways != 1)
        return cli_usage(call, error, "one of SEQUENCE, --statement, --from and --never, please");
    if (cli_value(call, "never") != NULL && cli_value(call, "ledger") != NULL)
        return cli_usage(call, error,
                         "--never needs the whole state folder: --config, not --ledger");
    if (cli_value(call, "never") != NULL)
        return cli_prove_never(call, error);
    if (cli_value(call, "subject") != NULL || cli_value(call, "partner") != NULL ||
        cli_value(call, "column") != NULL || cli_value(call, "kind") != NULL)
        return cli_usage(call, error, "--subject, --kind, --partner and --column go with --never");
    if (cli_value(call, "to") != NULL && cli_value(call, "from") == NULL)
        return cli_usage(call, error, "--to goes with --from");
    if (cli_value(call, "checkpoint") != NULL && cli_value(call, "from") != NULL)
        return cli_usage(call, error, "--checkpoint does not go with --from, but --to does");
    TRY(cli_log_folder(call, cli_value(call, "ledger"), folder, NULL, error));
    TRY(tiles_open(folder, &prover.tiles, error));
    buffer_init(&prover.now.bytes, NOTE_BYTES_MAX);
    enum status status = prove(&prover, error);
    buffer_free(&prover.now.bytes);
    tiles_close(prover.tiles);
    return status;
}

const struct cli_command verb_ledger_prove = {
    .arguments = "[SEQUENCE]",
    .most = 1,
    .takes = CLI_TAKES_CONFIG,
    .options = options,
    .description =
        "Writes a proof that an entry is in the ledger, as a C2SP tlog-proof file with the entry\n"
        "in it; or, with --from, that the log of an older checkpoint is the beginning of the\n"
        "newer one. Both hold against a signed checkpoint, the newest that is published unless\n"
        "another is given, and can be checked without us: cofferdam ledger verify FILE --key "
        "VKEY.\n"
        "Reads the published tiles; needs no running gateway.\n"
        "With --never: a certificate that nothing about a person was ever disclosed, or not to a\n"
        "partner, or not a column; or of anybody, where no --subject is given. It speaks as of\n"
        "the last ledger commit, names nobody else, and is refused where it would be false.",
    .examples = "ledger prove 4711 -o 4711.tlog-proof\n"
                "ledger prove --statement 0f8fad5b-d9cb-469f-a165-70867728950e -o proofs\n"
                "ledger prove --from march.checkpoint -o since-march.proof\n"
                "ledger prove --never --subject 123456 --partner ringway -o never.txt\n"
                "ledger prove --never --column customer.email --partner ringway\n",
    .exits = "there is no such entry, the log contradicts a checkpoint, or the claim is false",
    .run = run,
};
