/* Which keys sign a log, told by the log itself: entries of type LEDGER_KEY, whose text is a signed
 * note. The first key signs alone that it is the first; a hand-over is signed by the old and the
 * new key; a break, after the old key was lost, by the new key alone. So who trusts one key of an
 * unbroken run trusts all of it. docs/LEDGER-FORMAT.md, "Keys". No state, any thread. */
#ifndef COFFERDAM_LEDGER_KEY_CHANGE_H
#define COFFERDAM_LEDGER_KEY_CHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "ledger/checkpoint.h"

enum { KEY_CHANGE_REASON_BYTES = 500, KEY_CHAIN_MAX = 512 };

enum key_change_kind { KEY_CHANGE_FIRST, KEY_CHANGE_HAND_OVER, KEY_CHANGE_BREAK };

struct key_change {
    enum key_change_kind kind;
    struct note_key old_key;                  /* not of FIRST */
    struct note_key new_key;                  /* both have the origin as their name */
    struct checkpoint before;                 /* a durable tree without this entry */
    char reason[KEY_CHANGE_REASON_BYTES + 1]; /* of BREAK: one plain line; otherwise "" */
};

/* Appends the entry's text: the note with the signatures that its kind needs. old: NULL unless it
 * is a hand-over. The keys in change are those of the signers. */
void key_change_format(const struct key_change *change, const struct note_signer *old,
                       const struct note_signer *fresh, struct buffer *out);
/* Reads and verifies a text. STATUS_CORRUPT unless it is well-formed, of this origin, and signed as
 * its kind needs. */
MUST_USE enum status key_change_read(struct slice text, const char *origin,
                                     struct key_change *change, struct error *error);

struct key_chain_link {
    struct note_key key;
    uint64_t sequence; /* of its entry: this key signs all checkpoints of a larger size, up to the
                        * next link's sequence */
    int64_t time_ns;   /* of the entry */
    enum key_change_kind kind;
    struct checkpoint before; /* what the entry says; to be held against the tree */
};

struct key_chain {
    char origin[CHECKPOINT_ORIGIN_ROOM];
    size_t count;
    struct key_chain_link links[KEY_CHAIN_MAX];
};

void key_chain_start(struct key_chain *chain, const char *origin);
/* Adds an entry of type LEDGER_KEY, in the log's order. STATUS_CORRUPT where it does not continue
 * the chain, is not well signed, or tells of a tree that holds itself. */
MUST_USE enum status key_chain_add(struct key_chain *chain, uint64_t sequence, int64_t time_ns,
                                   struct slice text, struct error *error);
/* The links [*first, *stop) that a verifier may trust who trusts this key: all that are joined to
 * it by hand-overs, older and newer. STATUS_NOT_FOUND where the key is none of the chain's. */
MUST_USE enum status key_chain_follow(const struct key_chain *chain, const struct note_key *pinned,
                                      size_t *first, size_t *stop, struct error *error);
/* The link whose key must have signed a checkpoint of this size; NULL before the first. */
const struct key_chain_link *key_chain_at(const struct key_chain *chain, uint64_t size);

#endif
