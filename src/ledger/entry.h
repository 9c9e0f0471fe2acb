/* The canonical bytes of an entry, which are the Merkle leaf: docs/LEDGER-FORMAT.md, "Entry".
 * Encoding and decoding are inverse: what one accepts, the other gives back byte for byte.
 * No state, any thread. */
#ifndef COFFERDAM_LEDGER_ENTRY_H
#define COFFERDAM_LEDGER_ENTRY_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/status.h"
#include "ledger/ledger.h"

enum {
    ENTRY_VERSION = 1,
    ENTRY_VERSION_ROWS = 2,         /* each item has row sums, and not all are empty */
    ENTRY_FIXED_BYTES = 164,        /* every field but the bytes of texts and items */
    ENTRY_ITEM_FIXED_BYTES = 15,    /* of version 1; four more in version 2 */
    ENTRY_ARENA_BYTES = 256 * 1024, /* enough for the items of any entry */
};

/* Appends the encoding to *out. STATUS_LIMIT 54000 when it passes LIMIT_LEDGER_ENTRY_BYTES,
 * STATUS_INVALID for values that no decoder would accept; *out then holds nothing of use. */
MUST_USE enum status ledger_entry_encode(const struct ledger_entry *entry, struct buffer *out,
                                         struct error *error);

/* Strict: one encoding an entry, nothing behind it. Texts and subject sets borrow bytes, items are
 * allocated from arena. STATUS_CORRUPT says which field; STATUS_NOMEM when the arena is full. */
MUST_USE enum status ledger_entry_decode(struct slice bytes, struct arena *arena,
                                         struct ledger_entry *entry, struct error *error);

#endif
