/* Where a log begins whose oldest segments were dropped: the file `base`, a signed note whose text
 * also stands in the log as an entry (LEDGER_DROPPED), and beside it the entries from below that
 * are still needed, whose hash is in the text. docs/LEDGER-FORMAT.md, "Base".
 * Invariant: a base that was opened fits to itself: the frontier is that of the size and root, the
 * carried entries are the counted and hashed ones, well formed, ascending and below the size.
 * Whether the log holds the same statement is checked by who reads it. One thread; owns its memory.
 */
#ifndef COFFERDAM_LEDGER_BASE_H
#define COFFERDAM_LEDGER_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"
#include "ledger/checkpoint.h"
#include "ledger/ledger.h"
#include "ledger/merkle.h"

enum {
    BASE_REASON_BYTES = 500,
    BASE_CARRIED_BYTES_MAX = 512 * 1024 * 1024,
    BASE_HASH_BYTES = 32,
};

/* What the text says. */
struct base_statement {
    char origin[CHECKPOINT_ORIGIN_ROOM];
    struct merkle tree; /* of the entries below the cut; size: sequence of the first one kept */
    uint64_t segment;   /* number of the first one kept */
    uint64_t dropped;   /* entries that are not to be had any more; the others are carried */
    int64_t first_ns, last_ns;       /* times of the dropped ones: the earliest, the latest */
    uint64_t carried, carried_bytes; /* entries, and bytes of the file they are in */
    uint8_t carried_hash[BASE_HASH_BYTES];
    char reason[BASE_REASON_BYTES + 1]; /* one plain line */
};

struct base_carried {
    uint64_t sequence;
    struct slice bytes; /* canonical */
};

struct base {
    struct base_statement statement;
    struct buffer note; /* the file as it is: text and signatures */
    struct slice text;  /* within note */
    struct buffer file; /* of the carried entries */
    size_t at;          /* in file: base_next */
};

/* Appends the text of the note and of the entry. */
void base_format(const struct base_statement *statement, struct buffer *out);
/* SHA-256 of that text, which has one spelling. */
void base_hash(const struct base_statement *statement, uint8_t hash[static BASE_HASH_BYTES]);
/* One spelling. STATUS_CORRUPT for anything else, and where frontier and root differ. */
MUST_USE enum status base_parse(struct slice text, struct base_statement *statement,
                                struct error *error);

/* An entry in the file of the carried ones. */
void base_carry(struct buffer *file, uint64_t sequence, struct slice bytes);
/* Whether an entry of this type stays when its segment goes: all but those that tell of people. */
bool base_carries(enum ledger_type type);

/* The base of the log in this folder, whole, or STATUS_NOT_FOUND where nothing was dropped.
 * STATUS_CORRUPT: damaged, or another log's. Close it only after STATUS_OK. */
MUST_USE enum status base_open(const char *folder,
                               const uint8_t log_id[static CHECKPOINT_LOG_ID_BYTES],
                               struct base *base, struct error *error);
/* What the base says, without what it carries. */
MUST_USE enum status base_read(const char *folder,
                               const uint8_t log_id[static CHECKPOINT_LOG_ID_BYTES],
                               struct base_statement *statement, struct error *error);
/* The next carried entry, from the first on; false at the end. */
bool base_next(struct base *base, struct base_carried *carried);
void base_close(struct base *base);
/* Whether this key has signed the statement. */
bool base_is_signed(const struct base *base, const struct note_key *key);
/* The number of the first segment that counts: 1 where nothing was dropped. */
MUST_USE enum status base_first_segment(const char *folder,
                                        const uint8_t log_id[static CHECKPOINT_LOG_ID_BYTES],
                                        uint64_t *segment, struct error *error);

/* Writes both files durably: the carried entries first, then the note, which makes it so. */
MUST_USE enum status base_store(const char *folder, const struct base_statement *statement,
                                struct slice note, struct slice carried, struct error *error);
/* Removes what the base has made superfluous: segments and published bundles of entries below it,
 * and carried entries of another base. */
MUST_USE enum status base_sweep(const char *folder, const struct base_statement *statement,
                                struct error *error);

#endif
