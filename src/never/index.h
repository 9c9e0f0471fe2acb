/* The index: everybody ever disclosed, in the order of their marks, each with the root of a tree of
 * what was disclosed of them and to whom. Built from holdings and seeds; kept in a file so that a
 * proof needs no second pass over the ledger, and reads of the file as many pages as the tree is
 * high. docs/NEVER-FORMAT.md, "Index", "Index file". One owner; building uses threads of its own.
 * Private to never/. */
#ifndef COFFERDAM_NEVER_INDEX_H
#define COFFERDAM_NEVER_INDEX_H

#include "base/status.h"
#include "ledger/checkpoint.h"
#include "never/commitment.h"
#include "never/holdings.h"
#include "never/marks.h"
#include "never/seeds.h"
#include "never/sorted_tree.h"

enum { NEVER_KEPT_LEVEL = 8 /* hashes of subtrees of 2^8 leaves and more are kept */ };

struct never_index {
    char origin[CHECKPOINT_ORIGIN_ROOM]; /* of the log */
    struct never_commitment commitment;
    struct marks_leaf *leaves; /* commitment.leaves of them, sentinels included, rising */
    uint8_t (*sets)[4];        /* by leaf, big-endian: a set of holdings; 0 of a sentinel */
    uint8_t (*nodes)[SORTED_HASH_BYTES]; /* complete subtrees, from NEVER_KEPT_LEVEL upwards */
    struct holdings holdings;
    void *map; /* of the file, in which the three stand; NULL: each is owned */
    size_t map_len;
};

/* Sorts and hashes index->holdings. Fills leaves, sets, nodes and, of the commitment, leaves,
 * erased, root and vrf_key; its base is given. What index has of an earlier time, for the same
 * holdings, is used where it is of the same key: a person of whom nothing more was disclosed is not
 * hashed again. */
MUST_USE enum status never_index_build(struct never_index *index, const struct seeds *seeds,
                                       const struct vrf_key *key, struct error *error);
void never_index_free(struct never_index *index);

MUST_USE enum status never_index_write(const struct never_index *index, const char *path,
                                       struct error *error);
/* STATUS_NOT_FOUND, also for a file of an older form; STATUS_CORRUPT where it is damaged. */
MUST_USE enum status never_index_read(const char *path, struct never_index *index,
                                      struct error *error);
/* The same without looking at all of it: holdings have no ids, and damage to leaves, sets and nodes
 * is not seen. For proofs, which are verified against the committed root. */
MUST_USE enum status never_index_open(const char *path, struct never_index *index,
                                      struct error *error);
/* How many nodes an index of so many leaves keeps. */
uint64_t never_index_nodes(uint64_t leaves);

/* The tree over the leaves; borrows. */
struct sorted_tree never_index_tree(const struct never_index *index);
/* The leaf with the greatest mark that is not above this one. */
uint64_t never_index_place(const struct never_index *index, const uint8_t mark[static MARK_BYTES]);
/* How many leaves of an earlier index have no place in this one; 0 where they are of another key.
 */
uint64_t never_index_gone(const struct never_index *earlier, const struct never_index *index);
/* What was disclosed of the person of a leaf. */
uint32_t never_index_set(const struct never_index *index, uint64_t place);

/* A person's own tree: marks in order, sentinels included. Returns owned, free(). */
MUST_USE enum status never_index_inner(const struct holdings *holdings, uint32_t set,
                                       const uint8_t seed[static SEED_BYTES],
                                       uint8_t (**marks)[MARK_BYTES], size_t *count,
                                       struct error *error);
struct sorted_tree never_index_inner_tree(uint8_t (*marks)[MARK_BYTES], size_t count);

#endif
