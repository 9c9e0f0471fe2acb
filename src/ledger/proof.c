/* The recursions of RFC 6962 walk from the root down; here the hashes are gathered on that way and
 * then turned around, since a proof begins at the leaf. A range of leaves that they name begins
 * where a complete subtree at least as large begins, so its root is that of a binary number: one
 * complete subtree for each bit of its length. */
#include "ledger/proof.h"

#include <inttypes.h>
#include <string.h>

#include "base/check.h"
#include "crypto/crypto.h"
#include "ledger/merkle.h"

/* Where the recursion stands: it is looking into the leaves [begin, end). */
struct walk {
    uint64_t begin, end;
    proof_source source;
    void *context;
};

static uint64_t largest_power_below(uint64_t n)
{
    return (uint64_t)1 << (63 - __builtin_clzll(n - 1));
}

/* MTH of the leaves [begin, end). */
static enum status range_root(const struct walk *walk, uint64_t begin, uint64_t end,
                              uint8_t root[static 32], struct error *error)
{
    uint8_t left[MERKLE_HASH_BYTES];
    uint64_t size = end - begin, at = end;
    unsigned level = (unsigned)__builtin_ctzll(size);
    at -= (uint64_t)1 << level;
    TRY(walk->source(walk->context, level, at >> level, root, error));
    for (level++; level < 64; level++) {
        if ((size >> level & 1) == 0)
            continue;
        at -= (uint64_t)1 << level;
        TRY(walk->source(walk->context, level, at >> level, left, error));
        merkle_node(left, root, root);
    }
    return STATUS_OK;
}

/* Adds the root of the half that the recursion does not go into. */
static enum status step(struct walk *walk, bool goes_left, struct proof *proof, struct error *error)
{
    uint64_t middle = walk->begin + largest_power_below(walk->end - walk->begin);
    CHECK(proof->count < PROOF_HASHES_MAX);
    uint8_t *hash = proof->hashes[proof->count++];
    if (goes_left) {
        TRY(range_root(walk, middle, walk->end, hash, error));
        walk->end = middle;
    } else {
        TRY(range_root(walk, walk->begin, middle, hash, error));
        walk->begin = middle;
    }
    return STATUS_OK;
}

static void turn_around(struct proof *proof)
{
    uint8_t hash[MERKLE_HASH_BYTES];
    for (size_t low = 0, high = proof->count; low + 1 < high; low++) {
        high--;
        memcpy(hash, proof->hashes[low], sizeof hash);
        memcpy(proof->hashes[low], proof->hashes[high], sizeof hash);
        memcpy(proof->hashes[high], hash, sizeof hash);
    }
}

/* PATH(m, D[n]) of RFC 6962, 2.1.1. */
enum status proof_inclusion(uint64_t index, uint64_t size, proof_source source, void *context,
                            struct proof *proof, struct error *error)
{
    struct walk walk = {.end = size, .source = source, .context = context};
    struct proof made = {.count = 0};
    if (index >= size)
        return error_set(error, STATUS_INVALID, "22023", NULL,
                         "entry %" PRIu64 " is not among the first %" PRIu64, index, size);
    while (walk.end - walk.begin > 1) {
        uint64_t middle = walk.begin + largest_power_below(walk.end - walk.begin);
        TRY(step(&walk, index < middle, &made, error));
    }
    turn_around(&made);
    *proof = made;
    return STATUS_OK;
}

/* PROOF(m, D[n]) of RFC 6962, 2.1.2. The subtree that ends the walk is left out where it begins at
 * the first leaf: it is the old tree, which the verifier knows. */
enum status proof_consistency(uint64_t old_size, uint64_t size, proof_source source, void *context,
                              struct proof *proof, struct error *error)
{
    struct walk walk = {.end = size, .source = source, .context = context};
    struct proof made = {.count = 0};
    if (old_size > size)
        return error_set(error, STATUS_INVALID, "22023", NULL,
                         "a log of %" PRIu64 " entries does not begin with %" PRIu64, size,
                         old_size);
    while (old_size != 0 && walk.end != old_size) {
        uint64_t middle = walk.begin + largest_power_below(walk.end - walk.begin);
        TRY(step(&walk, old_size <= middle, &made, error));
    }
    if (walk.begin > 0) {
        CHECK(made.count < PROOF_HASHES_MAX);
        TRY(range_root(&walk, walk.begin, walk.end, made.hashes[made.count++], error));
    }
    turn_around(&made);
    *proof = made;
    return STATUS_OK;
}

enum status proof_root(uint64_t size, proof_source source, void *context, uint8_t root[static 32],
                       struct error *error)
{
    const struct walk walk = {.end = size, .source = source, .context = context};
    uint8_t made[MERKLE_HASH_BYTES];
    if (size == 0)
        crypto_sha256(NULL, 0, made);
    else
        TRY(range_root(&walk, 0, size, made, error));
    memcpy(root, made, sizeof made);
    return STATUS_OK;
}

/* RFC 9162, 2.1.3.2; fn and sn there. */
bool proof_inclusion_holds(const uint8_t leaf[static 32], uint64_t index, uint64_t size,
                           const struct proof *proof, const uint8_t root[static 32])
{
    uint8_t hash[MERKLE_HASH_BYTES];
    if (index >= size || proof->count > PROOF_HASHES_MAX)
        return false;
    uint64_t at = index, last = size - 1;
    memcpy(hash, leaf, sizeof hash);
    for (size_t i = 0; i < proof->count; i++) {
        if (last == 0)
            return false;
        if ((at & 1) != 0 || at == last) {
            merkle_node(proof->hashes[i], hash, hash);
            for (; (at & 1) == 0 && at != 0; at >>= 1)
                last >>= 1;
        } else {
            merkle_node(hash, proof->hashes[i], hash);
        }
        at >>= 1;
        last >>= 1;
    }
    return last == 0 && memcmp(hash, root, sizeof hash) == 0;
}

/* What needs no hashing: one of the trees is empty, or they are of one size. */
static bool trivial_holds(uint64_t old_size, const uint8_t *old_root, uint64_t size,
                          const uint8_t *root, const struct proof *proof)
{
    uint8_t empty[MERKLE_HASH_BYTES];
    crypto_sha256(NULL, 0, empty);
    if (proof->count != 0 || (old_size == 0 && memcmp(old_root, empty, sizeof empty) != 0))
        return false;
    return old_size != size || memcmp(old_root, root, MERKLE_HASH_BYTES) == 0;
}

/* RFC 9162, 2.1.4.2; fn, sn, fr and sr there. */
bool proof_consistency_holds(uint64_t old_size, const uint8_t old_root[static 32], uint64_t size,
                             const uint8_t root[static 32], const struct proof *proof)
{
    uint8_t old[MERKLE_HASH_BYTES], now[MERKLE_HASH_BYTES];
    if (old_size > size || proof->count > PROOF_HASHES_MAX)
        return false;
    if (old_size == 0 || old_size == size)
        return trivial_holds(old_size, old_root, size, root, proof);
    bool is_subtree = (old_size & (old_size - 1)) == 0;
    size_t next = is_subtree ? 0 : 1;
    if (proof->count < next + (is_subtree ? 1U : 0U))
        return false;
    memcpy(old, is_subtree ? old_root : proof->hashes[0], sizeof old);
    memcpy(now, old, sizeof now);
    uint64_t at = old_size - 1, last = size - 1;
    for (; (at & 1) != 0; at >>= 1)
        last >>= 1;
    for (; next < proof->count; next++) {
        if (last == 0)
            return false;
        if ((at & 1) != 0 || at == last) {
            merkle_node(proof->hashes[next], old, old);
            merkle_node(proof->hashes[next], now, now);
            for (; (at & 1) == 0 && at != 0; at >>= 1)
                last >>= 1;
        } else {
            merkle_node(now, proof->hashes[next], now);
        }
        at >>= 1;
        last >>= 1;
    }
    return last == 0 && memcmp(old, old_root, sizeof old) == 0 &&
           memcmp(now, root, sizeof now) == 0;
}
