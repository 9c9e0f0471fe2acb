/* Proofs about the ledger's tree: that an entry is in it (inclusion), that a tree is the beginning
 * of a greater one (consistency). Made from the roots of complete subtrees, wherever those come
 * from; checked from the proof alone. RFC 6962, 2.1.1 and 2.1.2; RFC 9162, 2.1.3.2 and 2.1.4.2.
 * No state, any thread. */
#ifndef COFFERDAM_LEDGER_PROOF_H
#define COFFERDAM_LEDGER_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Twice the height of the greatest tree: more than any proof has. */
enum { PROOF_HASHES_MAX = 128 };

struct proof {
    uint8_t hashes[PROOF_HASHES_MAX][32]; /* from the leaf's side up */
    size_t count;
};

/* The root of the index-th complete subtree of 2^level leaves; all of its leaves are in the tree
 * that the proof is about. */
typedef enum status (*proof_source)(void *context, unsigned level, uint64_t index,
                                    uint8_t hash[static 32], struct error *error);

/* That leaf index is in the tree of size leaves. STATUS_INVALID 22023 unless index < size. */
MUST_USE enum status proof_inclusion(uint64_t index, uint64_t size, proof_source source,
                                     void *context, struct proof *proof, struct error *error);
/* That the tree of old_size leaves is the beginning of that of size. Empty where they are equal or
 * old_size is 0. STATUS_INVALID 22023 where old_size > size. */
MUST_USE enum status proof_consistency(uint64_t old_size, uint64_t size, proof_source source,
                                       void *context, struct proof *proof, struct error *error);
/* The root of the tree of size leaves; SHA-256("") for none. */
MUST_USE enum status proof_root(uint64_t size, proof_source source, void *context,
                                uint8_t root[static 32], struct error *error);

/* leaf is SHA-256(00 ‖ entry). False for a proof that is too long or too short as well. */
bool proof_inclusion_holds(const uint8_t leaf[static 32], uint64_t index, uint64_t size,
                           const struct proof *proof, const uint8_t root[static 32]);
/* The empty tree is the beginning of every other: old_size 0 holds with the empty tree's root and
 * an empty proof. */
bool proof_consistency_holds(uint64_t old_size, const uint8_t old_root[static 32], uint64_t size,
                             const uint8_t root[static 32], const struct proof *proof);

#endif
