/* A Merkle tree over leaves that the caller keeps in order, shaped as RFC 6962's, and paths that
 * show one leaf, or two neighbours at once, against its root. Unlike the ledger's proofs these have
 * the hashes from left to right, and nodes tagged by the kind of tree. No state, any thread. */
#ifndef COFFERDAM_NEVER_SORTED_TREE_H
#define COFFERDAM_NEVER_SORTED_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SORTED_HASH_BYTES = 32,
    SORTED_PATH_MAX = 96,   /* two leaves in the greatest tree need fewer */
    SORTED_HEIGHT_MAX = 40, /* at most 2^40 leaves */
};

struct sorted_tree {
    uint64_t leaves; /* at least 1 */
    uint8_t tag;     /* of its nodes: SHA-256(tag ‖ left ‖ right) */
    void (*leaf)(const void *context, uint64_t index, uint8_t hash[static SORTED_HASH_BYTES]);
    /* May be NULL: the root of the index-th complete subtree of 2^level leaves, where it is kept.
     */
    const uint8_t *(*kept)(const void *context, unsigned level, uint64_t index);
    const void *context;
};

struct sorted_path {
    uint8_t hashes[SORTED_PATH_MAX][SORTED_HASH_BYTES];
    size_t count;
};

void sorted_tree_root(const struct sorted_tree *tree, uint8_t root[static SORTED_HASH_BYTES]);
/* The root of the index-th complete subtree of 2^level leaves, all of which are in the tree. */
void sorted_tree_subtree(const struct sorted_tree *tree, unsigned level, uint64_t index,
                         uint8_t root[static SORTED_HASH_BYTES]);
/* The path of the leaves first to first + count - 1, which are in the tree; count 1 or 2. */
void sorted_tree_path(const struct sorted_tree *tree, uint64_t first, unsigned count,
                      struct sorted_path *path);
/* The root that a path gives with these leaves; false where there is no such tree or the path is
 * too short or too long. Total on hostile input. */
bool sorted_path_root(uint64_t leaves, uint8_t tag, uint64_t first, unsigned count,
                      const uint8_t (*shown)[SORTED_HASH_BYTES], const struct sorted_path *path,
                      uint8_t root[static SORTED_HASH_BYTES]);

#endif
