/* Proofs as files that stand alone; docs/LEDGER-FORMAT.md, "Proof files", has the bytes.
 * Of an entry: C2SP tlog-proof, with the entry itself in the extra line. Of a beginning: the body
 * of a C2SP tlog-witness add-checkpoint request. What a file says is believed only where the
 * functions below say so, against a checkpoint whose signatures the caller has checked. Any thread.
 */
#ifndef COFFERDAM_LEDGER_PROOF_FILE_H
#define COFFERDAM_LEDGER_PROOF_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"
#include "ledger/proof.h"

enum {
    PROOF_FILE_BYTES_MAX = 256 * 1024,
    PROOF_FILE_LINES_MAX = 63, /* hashes in a file, as witnesses take them */
};

enum proof_file_kind {
    PROOF_FILE_ENTRY = 1,     /* an entry is in the log */
    PROOF_FILE_BEGINNING = 2, /* an older log is the beginning of this one */
};

struct proof_file {
    enum proof_file_kind kind;
    uint64_t index; /* ENTRY: the entry's; BEGINNING: the older log's size */
    struct proof proof;
    struct slice extra;      /* ENTRY: base64 of what came with it; empty where nothing did */
    struct slice checkpoint; /* a signed note, to the end of the file */
};

/* Strict; STATUS_INVALID 22023 says in which line. The result borrows bytes. */
MUST_USE enum status proof_file_parse(struct slice bytes, struct proof_file *file,
                                      struct error *error);
/* Appends the file; overflow is the buffer's. entry: for ENTRY, or empty for no extra line. The
 * file's own extra is not looked at. */
void proof_file_format(const struct proof_file *file, struct slice entry, struct buffer *out);

/* Appends the bytes in the extra line. STATUS_NOT_FOUND where there is none. */
MUST_USE enum status proof_file_entry(const struct proof_file *file, struct buffer *entry,
                                      struct error *error);
/* That entry stands at file->index in the log of this size and root. */
bool proof_file_proves_entry(const struct proof_file *file, struct slice entry, uint64_t size,
                             const uint8_t root[static 32]);
/* That the log of old_size and old_root is the beginning of that of size and root. */
bool proof_file_proves_beginning(const struct proof_file *file, uint64_t old_size,
                                 const uint8_t old_root[static 32], uint64_t size,
                                 const uint8_t root[static 32]);

#endif
