/* Signed notes (C2SP signed-note v1, as Go's golang.org/x/mod/sumdb/note writes them): a text whose
 * lines all end in a newline, a blank line, and lines "— name base64(key id[4] ‖ signature)". The
 * signatures are over the text with its last newline. Keys are Ed25519 (type 1), and of witnesses
 * cosignature/v1 (type 4; C2SP tlog-cosignature), which signs a time before the text.
 * No state, any thread. */
#ifndef COFFERDAM_LEDGER_NOTE_H
#define COFFERDAM_LEDGER_NOTE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"

enum {
    NOTE_BYTES_MAX = 64 * 1024, /* of a whole note */
    NOTE_SIGNATURES_MAX = 64,
    NOTE_NAME_ROOM = 128,
    NOTE_VKEY_ROOM = NOTE_NAME_ROOM + 64,
    NOTE_TYPE_ED25519 = 1,
    NOTE_TYPE_COSIGNATURE = 4,
};

struct note_key {
    char name[NOTE_NAME_ROOM]; /* no blanks, no '+' */
    uint32_t id; /* SHA-256(name ‖ 0A ‖ type ‖ public key), its first four bytes */
    uint8_t type;
    uint8_t public_key[32];
};

/* Wiped by its owner: note_signer_wipe. */
struct note_signer {
    struct note_key key;
    uint8_t seed[32];
};

/* Computes the id. name: as note_name_valid wants it. */
void note_key_make(const char *name, uint8_t type, const uint8_t public_key[static 32],
                   struct note_key *key);
/* A verifier key, "name+hex8(id)+base64(type ‖ public key)", without a newline. STATUS_INVALID
 * where it is none of the two types, or where the id is not that of the name and key. */
MUST_USE enum status note_key_parse(struct slice vkey, struct note_key *key, struct error *error);
void note_key_format(const struct note_key *key, struct buffer *out); /* appends */
bool note_key_equal(const struct note_key *a, const struct note_key *b);

/* A new key with the system's randomness. */
void note_signer_generate(const char *name, struct note_signer *signer);
/* "PRIVATE+KEY+name+hex8(id)+base64(01 ‖ seed)", Go's form; no newline. A secret. */
void note_signer_format(const struct note_signer *signer, struct buffer *out);
MUST_USE enum status note_signer_parse(struct slice text, struct note_signer *signer,
                                       struct error *error);
/* From a file that only its owner may read (STATUS_INVALID otherwise); STATUS_NOT_FOUND. */
MUST_USE enum status note_signer_read(const char *path, struct note_signer *signer,
                                      struct error *error);
void note_signer_wipe(struct note_signer *signer);

struct note_signature {
    struct slice line; /* whole, with its newline */
    struct slice name;
    uint32_t id;
    struct slice base64; /* of id ‖ signature; well-formed */
};

/* Borrows the bytes it was parsed from. */
struct note {
    struct slice text;
    struct note_signature signatures[NOTE_SIGNATURES_MAX];
    size_t count;
};

/* Splits at the last blank line; at least one signature line; nothing is verified yet.
 * STATUS_INVALID for anything that is no note or is over a bound. */
MUST_USE enum status note_parse(struct slice bytes, struct note *note, struct error *error);
/* Signature lines alone, as a witness answers with. STATUS_INVALID. */
MUST_USE enum status note_parse_signatures(struct slice lines, struct note *note,
                                           struct error *error);

enum note_verdict {
    NOTE_ABSENT, /* no line of this name and id */
    NOTE_GOOD,
    NOTE_BAD, /* a line of this name and id does not verify: the note must be rejected */
};
enum note_verdict note_check(const struct note *note, const struct note_key *key);
/* Unix seconds at which a witness cosigned; 0 where note_check would not say NOTE_GOOD. */
uint64_t note_cosigned_at(const struct note *note, const struct note_key *witness);

/* Appends one signature line over the text, which is not appended: a note is text, newline, lines.
 */
void note_sign(const struct note_signer *signer, struct slice text, struct buffer *out);

#endif
