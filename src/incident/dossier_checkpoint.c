/* The dossier's checkpoints: what the ledger had signed when each phase was fixed. Whoever has the
 * log's verifier key can hold the scope's cut-off and root against them, and against any later
 * state of the log. */
#include "incident/dossier_checkpoint.h"

#include <stdio.h>
#include <string.h>

#include "crypto/crypto.h"
#include "ledger/kept.h"
#include "ledger/checkpoint.h"

enum { HEX_ROOM = 65 };

/* Text and the log's own signatures: witnesses may add theirs to the kept file at any time, and a
 * dossier written anew is the same. */
static void copy_own(const struct note *note, const char *origin, struct buffer *out)
{
    buffer_append(out, note->text.data, note->text.len);
    buffer_append_text(out, "\n");
    for (size_t i = 0; i < note->count; i++)
        if (slice_equal(note->signatures[i].name, slice_of_text(origin)))
            buffer_append(out, note->signatures[i].line.data, note->signatures[i].line.len);
}

enum status dossier_checkpoint(const char *ledger_folder, uint64_t cutoff, const char *root_hex,
                               struct buffer *out, struct error *error)
{
    char path[KEPT_PATH_ROOM], origin[CHECKPOINT_ORIGIN_ROOM], hex[HEX_ROOM];
    struct buffer bytes;
    struct note note;
    struct checkpoint kept;
    kept_path(ledger_folder, cutoff, path);
    buffer_init(&bytes, NOTE_BYTES_MAX);
    enum status status = checkpoint_read_note(path, &bytes, &note, origin, &kept, error);
    if (status == STATUS_OK) {
        crypto_hex(kept.root, sizeof kept.root, hex);
        if (kept.size == cutoff && strcmp(hex, root_hex) == 0)
            copy_own(&note, origin, out);
        else
            status = error_set(error, STATUS_CORRUPT, "XX001", "cofferdam ledger verify",
                               "%.300s is not what the incident has fixed", path);
    }
    buffer_free(&bytes);
    return status;
}
