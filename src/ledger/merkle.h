/* Incremental Merkle tree of RFC 6962, 2.1: it keeps the roots of the complete subtrees that make
 * up the leaves so far, one for each set bit of their number, and so costs one node hash a leaf on
 * average and 2 KiB. A plain value: copy it to keep the root of the first n. Not thread-safe. */
#ifndef COFFERDAM_LEDGER_MERKLE_H
#define COFFERDAM_LEDGER_MERKLE_H

#include <stdint.h>

#include "base/buffer.h"

enum { MERKLE_HASH_BYTES = 32 };

struct merkle {
    uint64_t size;                        /* leaves so far */
    uint8_t roots[64][MERKLE_HASH_BYTES]; /* roots[h]: of 2^h leaves, where bit h of size is set */
};

/* SHA-256(00 ‖ entry). */
void merkle_leaf(struct slice entry, uint8_t leaf[static MERKLE_HASH_BYTES]);
/* SHA-256(01 ‖ left ‖ right). node may be left or right. */
void merkle_node(const uint8_t left[static MERKLE_HASH_BYTES],
                 const uint8_t right[static MERKLE_HASH_BYTES],
                 uint8_t node[static MERKLE_HASH_BYTES]);
void merkle_init(struct merkle *tree);
void merkle_add(struct merkle *tree, const uint8_t leaf[static MERKLE_HASH_BYTES]);
/* The root of all leaves added; SHA-256("") for none. */
void merkle_root(const struct merkle *tree, uint8_t root[static MERKLE_HASH_BYTES]);

#endif
