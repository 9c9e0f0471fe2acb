/* See sorted_tree.h. Each function is one walk: a subtree without a shown leaf is one hash. */
#include "never/sorted_tree.h"

#include <string.h>

#include "base/check.h"
#include "crypto/crypto.h"

/* The largest power of two below n, n > 1: where RFC 6962, 2.1, splits. */
static uint64_t split_of(uint64_t n)
{
    return (uint64_t)1 << (63 - __builtin_clzll(n - 1));
}

static void node_of(uint8_t tag, const uint8_t *left, const uint8_t *right,
                    uint8_t hash[SORTED_HASH_BYTES])
{
    const struct slice parts[] = {slice_of(&tag, 1), slice_of(left, SORTED_HASH_BYTES),
                                  slice_of(right, SORTED_HASH_BYTES)};
    crypto_sha256(parts, sizeof parts / sizeof parts[0], hash);
}

/* The kept root of the leaves from low on, NULL where there is none. Complete subtrees stand at
 * multiples of their size. */
static const uint8_t *kept_root(const struct sorted_tree *tree, uint64_t low, uint64_t n)
{
    if (tree->kept == NULL || (n & (n - 1)) != 0)
        return NULL;
    unsigned level = (unsigned)__builtin_ctzll(n);
    return tree->kept(tree->context, level, low >> level);
}

/* The root of the leaves from low on. */
static void subtree(const struct sorted_tree *tree, uint64_t low, uint64_t n,
                    uint8_t hash[SORTED_HASH_BYTES])
{
    if (n == 1) {
        tree->leaf(tree->context, low, hash);
        return;
    }
    const uint8_t *kept = kept_root(tree, low, n);
    if (kept != NULL) {
        memcpy(hash, kept, SORTED_HASH_BYTES);
        return;
    }
    uint8_t left[SORTED_HASH_BYTES], right[SORTED_HASH_BYTES];
    uint64_t half = split_of(n);
    subtree(tree, low, half, left);
    subtree(tree, low + half, n - half, right);
    node_of(tree->tag, left, right, hash);
}

void sorted_tree_root(const struct sorted_tree *tree, uint8_t root[static SORTED_HASH_BYTES])
{
    CHECK(tree->leaves > 0);
    subtree(tree, 0, tree->leaves, root);
}

void sorted_tree_subtree(const struct sorted_tree *tree, unsigned level, uint64_t index,
                         uint8_t root[static SORTED_HASH_BYTES])
{
    CHECK(level < SORTED_HEIGHT_MAX && index < tree->leaves >> level);
    subtree(tree, index << level, (uint64_t)1 << level, root);
}

static bool is_apart(uint64_t low, uint64_t n, uint64_t first, unsigned count)
{
    return low + n <= first || first + count <= low;
}

static void collect(const struct sorted_tree *tree, uint64_t low, uint64_t n, uint64_t first,
                    unsigned count, struct sorted_path *path)
{
    if (is_apart(low, n, first, count)) {
        CHECK(path->count < SORTED_PATH_MAX);
        subtree(tree, low, n, path->hashes[path->count++]);
    } else if (n > 1) {
        uint64_t half = split_of(n);
        collect(tree, low, half, first, count, path);
        collect(tree, low + half, n - half, first, count, path);
    }
}

void sorted_tree_path(const struct sorted_tree *tree, uint64_t first, unsigned count,
                      struct sorted_path *path)
{
    CHECK(count > 0 && first < tree->leaves && count <= tree->leaves - first);
    path->count = 0;
    collect(tree, 0, tree->leaves, first, count, path);
}

struct fold {
    uint64_t first;
    unsigned count;
    uint8_t tag;
    const uint8_t (*shown)[SORTED_HASH_BYTES];
    const struct sorted_path *path;
    size_t used;
};

static bool fold(struct fold *state, uint64_t low, uint64_t n, uint8_t hash[SORTED_HASH_BYTES])
{
    if (is_apart(low, n, state->first, state->count)) {
        if (state->used == state->path->count)
            return false;
        memcpy(hash, state->path->hashes[state->used++], SORTED_HASH_BYTES);
        return true;
    }
    if (n == 1) {
        memcpy(hash, state->shown[low - state->first], SORTED_HASH_BYTES);
        return true;
    }
    uint8_t left[SORTED_HASH_BYTES], right[SORTED_HASH_BYTES];
    uint64_t half = split_of(n);
    if (!fold(state, low, half, left) || !fold(state, low + half, n - half, right))
        return false;
    node_of(state->tag, left, right, hash);
    return true;
}

bool sorted_path_root(uint64_t leaves, uint8_t tag, uint64_t first, unsigned count,
                      const uint8_t (*shown)[SORTED_HASH_BYTES], const struct sorted_path *path,
                      uint8_t root[static SORTED_HASH_BYTES])
{
    struct fold state = {.first = first, .count = count, .tag = tag, .shown = shown, .path = path};
    if (count == 0 || leaves > (uint64_t)1 << SORTED_HEIGHT_MAX || first >= leaves ||
        count > leaves - first || path->count > SORTED_PATH_MAX)
        return false;
    return fold(&state, 0, leaves, root) && state.used == path->count;
}
