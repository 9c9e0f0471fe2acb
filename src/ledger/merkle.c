/* RFC 6962, 2.1: leaf = SHA-256(00 ‖ entry), node = SHA-256(01 ‖ left ‖ right), an unbalanced tree
 * split at the largest power of two below n. Adding a leaf is a binary increment of `size`, where a
 * carry hashes two subtrees into one. */
#include "ledger/merkle.h"

#include <string.h>

#include "crypto/crypto.h"

void merkle_leaf(struct slice entry, uint8_t leaf[static MERKLE_HASH_BYTES])
{
    static const uint8_t prefix = 0x00;
    const struct slice parts[] = {slice_of(&prefix, 1), entry};
    crypto_sha256(parts, 2, leaf);
}

void merkle_node(const uint8_t left[static MERKLE_HASH_BYTES],
                 const uint8_t right[static MERKLE_HASH_BYTES],
                 uint8_t node[static MERKLE_HASH_BYTES])
{
    uint8_t bytes[1 + 2 * MERKLE_HASH_BYTES] = {0x01};
    memcpy(bytes + 1, left, MERKLE_HASH_BYTES);
    memcpy(bytes + 1 + MERKLE_HASH_BYTES, right, MERKLE_HASH_BYTES);
    const struct slice part = slice_of(bytes, sizeof bytes);
    crypto_sha256(&part, 1, node);
}

void merkle_init(struct merkle *tree)
{
    *tree = (struct merkle){0};
}

void merkle_add(struct merkle *tree, const uint8_t leaf[static MERKLE_HASH_BYTES])
{
    uint8_t carry[MERKLE_HASH_BYTES];
    memcpy(carry, leaf, sizeof carry);
    unsigned height = 0;
    for (; (tree->size >> height & 1) != 0; height++)
        merkle_node(tree->roots[height], carry, carry);
    memcpy(tree->roots[height], carry, sizeof carry);
    tree->size++;
}

void merkle_root(const struct merkle *tree, uint8_t root[static MERKLE_HASH_BYTES])
{
    if (tree->size == 0) {
        crypto_sha256(NULL, 0, root);
        return;
    }
    unsigned height = (unsigned)__builtin_ctzll(tree->size);
    memcpy(root, tree->roots[height], MERKLE_HASH_BYTES);
    for (height++; height < 64; height++)
        if ((tree->size >> height & 1) != 0)
            merkle_node(tree->roots[height], root, root);
}
