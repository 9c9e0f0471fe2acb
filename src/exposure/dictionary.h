/* The dictionary in memory: (kind, key) <-> dense subject id, and which pairs are settled, that is
 * durable somewhere. An id once given out, even to a pair that was lost or erased, is never given
 * to another person. Thread-safe: one readers-writer lock; no I/O. */
#ifndef COFFERDAM_EXPOSURE_DICTIONARY_H
#define COFFERDAM_EXPOSURE_DICTIONARY_H

#include "exposure/exposure.h"

struct dictionary; /* owned */

enum { DICTIONARY_KIND_ERASED = 0xFFFF };

MUST_USE enum status dictionary_new(struct dictionary **dictionary, struct error *error);
void dictionary_free(struct dictionary *dictionary);

/* Ids for all keys, made where new. *unsettled gets the positions (in keys) of pairs that the
 * caller must carry in its frame's side: room for count. durable: ledger_durable(). */
MUST_USE enum status dictionary_map(struct dictionary *dictionary, const struct subject_key *keys,
                                    size_t count, uint64_t durable, uint32_t *ids,
                                    size_t *unsettled, size_t *unsettled_count,
                                    struct error *error);
MUST_USE enum status dictionary_find(struct dictionary *dictionary, uint16_t kind, struct slice key,
                                     uint32_t *id);
MUST_USE enum status dictionary_key(struct dictionary *dictionary, uint32_t id, uint16_t *kind,
                                    char key[256]);
/* True for a pair or the tombstone of one. */
bool dictionary_knows(struct dictionary *dictionary, uint32_t id);

/* Takes a stored pair (kind DICTIONARY_KIND_ERASED: a tombstone). STATUS_CORRUPT where id or key
 * already belong to another. */
MUST_USE enum status dictionary_learn(struct dictionary *dictionary, uint32_t id, uint16_t kind,
                                      struct slice key, struct error *error);
/* Never gives out ids up to this one. */
void dictionary_reserve(struct dictionary *dictionary, uint32_t highest_id);
/* The entry at sequence carries these ids (ascending): settled once it is durable. */
void dictionary_carried(struct dictionary *dictionary, uint64_t sequence, const uint32_t *ids,
                        size_t count);
/* Forgets the key of an id, keeps the tombstone. STATUS_NOT_FOUND. */
MUST_USE enum status dictionary_erase(struct dictionary *dictionary, uint16_t kind,
                                      struct slice key, uint32_t *id);

/* Every id below is in the synced key file: settled for good. */
void dictionary_settle_below(struct dictionary *dictionary, uint32_t id);
/* The id that the next new pair will get. */
uint32_t dictionary_next_id(struct dictionary *dictionary);
/* Calls fn for ids [from, until) that are known, under the lock, until it returns false; returns
 * the first id not visited. Erased ones have kind DICTIONARY_KIND_ERASED. */
uint32_t dictionary_each(struct dictionary *dictionary, uint32_t from, uint32_t until,
                         bool (*fn)(void *context, uint32_t id, uint16_t kind, struct slice key),
                         void *context);

#endif
